package evidence

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/site"
)

// pageOfSites is how many sites are listed at a time.
const pageOfSites = 200

// gather reads everything in one snapshot and hands over each site that has or had a
// connection to Xero. What it gives is the rest.
func (d *Desk) gather(ctx context.Context, ask Ask, each func(Site) error) (p Pack, err error) {
	err = d.DB.Snapshot(ctx, func(s *db.Snapshot) error {
		p = d.head(ask, s.Now)
		read := int64(0)
		err := scope(ctx, s, ask.Sites, func(at site.Site) error {
			p.Totals.Sites++
			if err := d.add(ctx, s, &p, at, each); err != nil {
				return fmt.Errorf("site %s: %w", at.Ref, err)
			}
			if read++; ask.Progress != nil {
				ask.Progress(read)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if p.Whole || len(ask.Sites) > 0 {
			signed, err := audit.CheckpointIn(ctx, s, s.Now, ask.Sites, d.Keys.CheckpointSigner())
			if err != nil {
				return err
			}
			p.Checkpoint = string(signed)
		}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("gather evidence: %w", err)
	}
	return p, nil
}

func (d *Desk) head(ask Ask, now time.Time) Pack {
	p := Pack{
		Form: Form, Origin: d.Keys.CheckpointSigner().Name(), Vendor: d.Vendor, Version: d.Version,
		At: now, From: ask.From.UTC(), Until: ask.Until.UTC(), Whole: ask.Sites == nil,
		Totals: Totals{Methods: map[policy.MethodKind]int{}, SignIns: SignIns{Levels: map[string]int{}}},
		Rules:  d.rules(), Deviations: deviations(), Doors: doors(), Limits: limits(), Controls: controls(),
	}
	if ask.Until.IsZero() || p.Until.After(now) {
		p.Until = now
	}
	if ask.From.IsZero() {
		p.From = p.Until.AddDate(-1, 0, 0)
	}
	return p
}

// scope hands over the sites of a pack, all of them in the order of their references.
func scope(ctx context.Context, from db.Reader, which []id.Site, each func(site.Site) error) error {
	if which != nil {
		for _, one := range which {
			at, err := site.ByID(ctx, from, one)
			if err != nil {
				return fmt.Errorf("find a site: %w", err)
			}
			if err := each(at); err != nil {
				return err
			}
		}
		return nil
	}
	for after := ""; ; {
		page, err := site.List(ctx, from, after, pageOfSites)
		if err != nil {
			return fmt.Errorf("list sites: %w", err)
		}
		for _, at := range page {
			if err := each(at); err != nil {
				return err
			}
			after = at.Ref
		}
		if len(page) < pageOfSites {
			return nil
		}
	}
}

// add reads one site, adds it to the totals, and hands it over if it belongs in the list.
func (d *Desk) add(ctx context.Context, s *db.Snapshot, p *Pack, at site.Site, each func(Site) error) error {
	ties, err := integration.Of(ctx, s, at.ID)
	if err != nil {
		return fmt.Errorf("read connections: %w", err)
	}
	i := slices.IndexFunc(ties, func(i integration.Integration) bool { return i.Kind == policy.Xero })
	if i < 0 {
		return nil
	}
	one, err := d.site(ctx, s, p, at, ties[i])
	if err != nil {
		return err
	}
	p.Totals.add(one, s.Now)
	return each(one)
}

func (d *Desk) site(ctx context.Context, s *db.Snapshot, p *Pack, at site.Site, tie integration.Integration) (Site, error) {
	one := Site{
		ID: string(at.ID), Ref: at.Ref, Name: at.Name, Zone: at.Zone.String(),
		Xero: Connection{
			State: tie.State, Organisation: tie.Organisation, Since: tie.Since, By: named(tie.By),
			DisconnectedAt: tie.DisconnectedAt, LoweredAt: tie.LoweredAt,
		},
		Members: []Member{}, Exempt: []Exempt{}, Exceptions: []Exception{}, Without: []SignIn{},
	}
	place, err := d.Readiness.Standing.Place(ctx, s, s.Now, site.Membership{
		Site: at.ID, Group: policy.GroupMechanic, Kind: policy.Office, Status: policy.Active,
	})
	if err != nil {
		return one, fmt.Errorf("read what a site requires: %w", err)
	}
	xero := onlyXero(place)
	one.Requirement = requirement(xero, s.Now)
	one.Settings = settings(at, one.Requirement.Enforced)
	if err := one.dates(ctx, s, at.ID); err != nil {
		return one, err
	}
	one.exceptions(s.Now)
	if err := d.gated(ctx, s, &one, at.ID); err != nil {
		return one, err
	}
	if err := d.extended(ctx, s, &one, at.ID); err != nil {
		return one, err
	}
	if err := d.people(ctx, s, &one, at); err != nil {
		return one, err
	}
	if one.SharedLogins, err = d.Shared(ctx, s, s.Now, at); err != nil {
		return one, fmt.Errorf("look for shared logins: %w", err)
	}
	if one.Trail.Since, one.Trail.Events, err = audit.Extent(ctx, s, at.ID); err != nil {
		return one, fmt.Errorf("read where the trail stands: %w", err)
	}
	err = one.signIns(ctx, s, at.ID, p.From, p.Until, func(then time.Time) bool { return requirement(xero, then).Enforced })
	return one, err
}

// named is who connected, as the product shows it; an address is masked.
func named(by string) string {
	if strings.Contains(by, "@") {
		return address.Mask(address.Canonical(by))
	}
	return by
}

// onlyXero is an office member's place as Xero alone sees it: what the site chose for
// itself is no matter.
func onlyXero(m policy.Membership) policy.Facts {
	m.Setting, m.Required2FA = policy.SettingOff, false
	return policy.Facts{Client: policy.Client{Kind: policy.ClientWeb}, Memberships: []policy.Membership{m}}
}

// requirement asks the policy what Xero makes required of an office member at a moment.
func requirement(xero policy.Facts, now time.Time) Requirement {
	enforced, reasons := policy.Required(xero, now)
	r := Requirement{Enforced: enforced, Reasons: []policy.ReasonKey{}}
	for _, why := range reasons {
		r.Reasons = append(r.Reasons, why.Key)
		if why.Since.After(r.Since) {
			r.Since = why.Since // the connection, or the rollout's date after it
		}
	}
	if enforced {
		return r
	}
	for _, why := range policy.Decide(xero, now).Reasons {
		if why.Key == policy.DateToCome {
			r.Reasons, r.From = append(r.Reasons, why.Key), why.Until
		}
	}
	return r
}

func settings(at site.Site, enforced bool) Settings {
	s := Settings{TwoFA: at.TwoFA, Weakest: at.Weakest, Remember: at.Remember, RememberNow: at.Remember}
	if enforced && at.Remember != policy.RememberOff {
		s.RememberNow = policy.RememberDaily
	}
	return s
}

func (s *Site) dates(ctx context.Context, from db.Reader, at id.Site) error {
	kept, ok, err := plan.Of(ctx, from, at)
	if err != nil || !ok {
		return err
	}
	s.Dates = &Dates{BeganAt: kept.BeganAt, PrepareFrom: kept.PrepareFrom, EnforceAt: kept.EnforceAt, ExtendedUntil: kept.ExtendedUntil}
	return nil
}

// exceptions says what puts a site off that is or was connected.
func (s *Site) exceptions(now time.Time) {
	add := func(why Why, until time.Time) { s.Exceptions = append(s.Exceptions, Exception{Why: why, Until: until}) }
	live := s.Xero.State != policy.Disconnected
	if s.Dates != nil && s.Dates.ExtendedUntil.After(now) && s.Dates.ExtendedUntil.After(s.Dates.EnforceAt) && live && !s.Requirement.Enforced {
		add(Extension, s.Dates.ExtendedUntil)
	}
	switch {
	case s.Requirement.Enforced || !s.Requirement.From.IsZero() && !s.Xero.Since.After(now):
	case live && s.Xero.Since.After(now):
		add(NotYet, s.Xero.Since)
	case live:
		add(HeldBack, time.Time{})
	case !s.Xero.LoweredAt.IsZero():
		add(Lowered, time.Time{})
	}
}

// extended says of an extension why it was given, and by what.
func (d *Desk) extended(ctx context.Context, from db.Reader, one *Site, at id.Site) (err error) {
	for i := range one.Exceptions {
		if e := &one.Exceptions[i]; e.Why == Extension && d.Extended != nil {
			if e.Reason, e.By, err = d.Extended(ctx, from, at); err != nil {
				return fmt.Errorf("read why a site has more time: %w", err)
			}
		}
	}
	return nil
}

// gated says of a date to come that it would have come earlier.
func (d *Desk) gated(ctx context.Context, from *db.Snapshot, one *Site, at id.Site) error {
	if d.Gated == nil || one.Requirement.Enforced || !one.Requirement.From.After(from.Now) {
		return nil
	}
	moved, err := d.Gated(ctx, from, at)
	if err != nil {
		return fmt.Errorf("read what moved the date of a site: %w", err)
	}
	if moved {
		one.Exceptions = append(one.Exceptions, Exception{Why: Gated, Until: one.Requirement.From, By: string(audit.ActorSystem)})
	}
	return nil
}

// people reads who of the site is asked, with what, and who is not.
func (d *Desk) people(ctx context.Context, s *db.Snapshot, one *Site, at site.Site) error {
	ready, err := d.Readiness.OfSite(ctx, s, s.Now, at.ID)
	if err != nil {
		return fmt.Errorf("read who would get in: %w", err)
	}
	one.Readiness = Readiness{Ready: ready.Ready, WillManage: ready.WillManage, NeedsHelp: ready.NeedsHelp}
	ids := make([]id.User, len(ready.People))
	for i, who := range ready.People {
		ids[i] = who.User
	}
	methods, err := method.OfAll(ctx, s, ids)
	if err != nil {
		return fmt.Errorf("read the ways of members: %w", err)
	}
	for _, who := range ready.People {
		login := address.Mask(address.Canonical(who.Login))
		if who.Mark != policy.Exempt {
			one.Members = append(one.Members, Member{
				User: string(who.User), Login: login, Group: who.Group, Readiness: who.Mark,
				Lacks: lacks(who), Methods: ways(methods[who.User]),
			})
			continue
		}
		why := AccessEnded
		if who.Kind == policy.Mobile {
			why = MobileMember
		}
		one.Exempt = append(one.Exempt, Exempt{User: string(who.User), Login: login, Group: who.Group, Why: why})
	}
	return nil
}

// lacks are the reasons of somebody who is not ready, each once.
func lacks(who readiness.Person) []policy.WithheldKey {
	if who.Mark == policy.Ready {
		return nil
	}
	var keys []policy.WithheldKey
	for _, w := range who.Lacks {
		if w.Key != policy.NotSetUp && !slices.Contains(keys, w.Key) {
			keys = append(keys, w.Key)
		}
	}
	return keys
}

// ways gathers methods by kind. One that is not set up to its end is none yet.
func ways(all []method.Method) []Method {
	of := map[policy.MethodKind]Method{}
	for _, m := range all {
		if m.Pending && m.Kind != policy.SMS {
			continue
		}
		one := of[m.Kind]
		one.Kind, one.Count = m.Kind, one.Count+1
		one.Proved = one.Proved || !m.ProvedAt.IsZero()
		of[m.Kind] = one
	}
	kinds := make([]Method, 0, len(of))
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		kinds = append(kinds, of[kind])
	}
	return kinds
}

// add adds one site.
func (t *Totals) add(s Site, now time.Time) {
	t.Listed++
	switch s.Xero.State {
	case policy.Disconnected:
		t.Disconnected++
	case policy.Failing:
		t.Failing++
	case policy.Connected:
		t.Connected++
	}
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	has := func(why Why) bool {
		return slices.ContainsFunc(s.Exceptions, func(e Exception) bool { return e.Why == why })
	}
	count(&t.Enforced, s.Requirement.Enforced)
	count(&t.ToCome, !s.Requirement.Enforced && s.Requirement.From.After(now))
	count(&t.HeldBack, has(HeldBack))
	count(&t.Gated, has(Gated))
	count(&t.Extended, has(Extension))
	t.OfficeMembers += len(s.Members)
	t.Readiness.Ready += s.Readiness.Ready
	t.Readiness.WillManage += s.Readiness.WillManage
	t.Readiness.NeedsHelp += s.Readiness.NeedsHelp
	t.Exempt += len(s.Exempt)
	for _, m := range s.Members {
		for _, way := range m.Methods {
			if way.Proved {
				t.Methods[way.Kind]++
			}
		}
	}
	t.SharedLogins += s.SharedLogins
	t.SignIns.add(s.SignIns)
}
