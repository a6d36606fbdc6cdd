// Package standing gathers the facts of one person for the policy, from the packages
// that own them. It decides nothing.
package standing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Source reads facts.
type Source struct {
	// SMS says that there is a provider of SMS. Without one no site has any available,
	// whatever its balance says.
	SMS bool
	// Countries are those whose mobiles may get codes, as two letters. A number of another
	// one, from a time when more were allowed, gets none.
	Countries []string
	// Channel says how a channel delivers now; nil: nobody measures.
	Channel func(policy.MethodKind) policy.Health
}

// Asker is whom the facts are about, and from where they ask.
type Asker struct {
	User user.User
	// Sites are the sites that are entered; nil stands for all of the user's.
	Sites []id.Site
	// Client is the application, by its credentials.
	Client policy.Client
	// Passed are the second factors passed so far.
	Passed []policy.Pass
	// Place decides whether half of the guesses is kept for it.
	Place session.Place
	// Remembered is the remembered device in which they ask; nil if there is none.
	Remembered *policy.Remembered
}

// Remembered is a device as the policy knows it.
func Remembered(d session.Device) *policy.Remembered {
	r := &policy.Remembered{Since: d.Since}
	for at := range d.Sites {
		r.Sites = append(r.Sites, string(at))
	}
	slices.Sort(r.Sites)
	return r
}

// Of reads the facts about one person as they are now.
func (s Source) Of(ctx context.Context, from db.Reader, now time.Time, a Asker) (policy.Facts, error) {
	f := policy.Facts{Client: a.Client, Passed: a.Passed, Remembered: a.Remembered}
	memberships, err := site.MembershipsOf(ctx, from, a.User.ID)
	if err != nil {
		return f, fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range memberships {
		fact, err := s.membership(ctx, from, now, m)
		if err != nil {
			return f, err
		}
		if a.Sites != nil && !slices.Contains(a.Sites, m.Site) {
			f.Others = append(f.Others, fact)
			continue
		}
		f.Memberships = append(f.Memberships, fact)
	}
	f.User, err = s.person(ctx, from, now, a)
	return f, err
}

// Place reads the facts about one membership, that of a member to be included: what the
// site demands of whoever has such a place.
func (s Source) Place(ctx context.Context, from db.Reader, now time.Time, m site.Membership) (policy.Membership, error) {
	return s.membership(ctx, from, now, m)
}

// place is what is known of a site, whoever its member is.
type place struct {
	site         site.Site
	account      balance.Account
	admins       []id.User
	integrations []policy.Integration
	rollout      policy.Rollout
}

func (s Source) place(ctx context.Context, from db.Reader, now time.Time, which id.Site) (p place, err error) {
	if p.site, err = site.ByID(ctx, from, which); err != nil {
		return p, fmt.Errorf("read a site: %w", err)
	}
	if s.SMS {
		if p.account, err = balance.Of(ctx, from, now, which); err != nil {
			return p, fmt.Errorf("read an SMS balance: %w", err)
		}
	}
	if p.admins, err = site.Admins(ctx, from, now, which); err != nil {
		return p, fmt.Errorf("read a site's admins: %w", err)
	}
	if p.integrations, err = integrations(ctx, from, which); err != nil {
		return p, err
	}
	kept, defined, err := plan.Of(ctx, from, which)
	if err != nil {
		return p, err
	}
	p.rollout = policy.Rollout{
		Defined: defined, BeganAt: kept.BeganAt, PrepareFrom: kept.PrepareFrom,
		EnforceAt: kept.EnforceAt, ExtendedUntil: kept.ExtendedUntil,
	}
	return p, nil
}

func (s Source) membership(ctx context.Context, from db.Reader, now time.Time, m site.Membership) (policy.Membership, error) {
	p, err := s.place(ctx, from, now, m.Site)
	if err != nil {
		return policy.Membership{}, err
	}
	return s.member(ctx, from, now, p, m)
}

// member is a membership at a place.
func (s Source) member(ctx context.Context, from db.Reader, now time.Time, p place, m site.Membership) (policy.Membership, error) {
	fact := policy.Membership{
		Site: string(p.site.ID), SiteName: p.site.Name, Zone: p.site.Zone,
		Kind: m.Kind, Group: m.Group, Status: m.Status, EndsAt: m.Until, Required2FA: m.TwoFA,
		Setting: p.site.TwoFA, SettingSince: p.site.TwoFASince, Remember: p.site.Remember, Weakest: p.site.Weakest,
		Integrations: slices.Clone(p.integrations), Rollout: p.rollout,
		LoneAdmin: m.Group == policy.GroupAdmin && slices.Equal(p.admins, []id.User{m.User}),
	}
	if !s.SMS {
		return fact, nil
	}
	// What the site can pay for, and what of that this member may use.
	fact.SMSAvailable, fact.SMSFloat = p.account.Available, p.account.Float
	if m.Group != policy.GroupAdmin || p.account.Available > p.account.Float {
		return fact, nil // nobody touches the float
	}
	var err error
	if fact.FloatUsed, err = balance.FloatUsed(ctx, from, now, m.Site, p.site.Zone, m.User); err != nil {
		return fact, fmt.Errorf("read what is used of a float: %w", err)
	}
	return fact, nil
}

// FloatFor says whether somebody may be sent an SMS from the float of a site: an active
// Admin of its office who has not had their part of it today.
func FloatFor(ctx context.Context, from db.Reader, now time.Time, at id.Site, who id.User) (bool, error) {
	memberships, err := site.MembershipsOf(ctx, from, who)
	if err != nil {
		return false, fmt.Errorf("read memberships: %w", err)
	}
	i := slices.IndexFunc(memberships, func(m site.Membership) bool { return m.Site == at })
	if i < 0 || memberships[i].Group != policy.GroupAdmin || !memberships[i].Active(now) || memberships[i].Kind == policy.Mobile {
		return false, nil
	}
	payer, err := site.ByID(ctx, from, at)
	if err != nil {
		return false, fmt.Errorf("read a site: %w", err)
	}
	used, err := balance.FloatUsed(ctx, from, now, at, payer.Zone, who)
	if err != nil {
		return false, fmt.Errorf("read what is used of a float: %w", err)
	}
	return !used, nil
}

func integrations(ctx context.Context, from db.Reader, at id.Site) ([]policy.Integration, error) {
	all, err := integration.Of(ctx, from, at)
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	facts := make([]policy.Integration, 0, len(all))
	for _, i := range all {
		facts = append(facts, policy.Integration{
			Kind: i.Kind, State: i.State, Since: i.Since, By: i.By, Organisation: i.Organisation,
			DisconnectedAt: i.DisconnectedAt, LoweredAt: i.LoweredAt,
		})
	}
	return facts, nil
}

func (s Source) person(ctx context.Context, from db.Reader, now time.Time, a Asker) (policy.User, error) {
	u := userFact(a.User)
	methods, err := method.Of(ctx, from, a.User.ID)
	if err != nil {
		return u, fmt.Errorf("read methods: %w", err)
	}
	known, err := session.Known(ctx, from, a.User.ID, a.Place, now)
	if err != nil {
		return u, fmt.Errorf("read known places: %w", err)
	}
	for _, m := range methods {
		fact := s.method(m)
		if m.Kind == policy.Recovery {
			if fact.Left, err = method.RecoveryLeft(ctx, from, m.User); err != nil {
				return u, fmt.Errorf("count recovery codes: %w", err)
			}
		} else if fact.RestingUntil, err = method.RestingUntil(ctx, from, now, m, known); err != nil {
			return u, fmt.Errorf("read what is left of a method's guesses: %w", err)
		}
		u.Methods = append(u.Methods, fact)
	}
	return u, nil
}

func userFact(who user.User) policy.User {
	return policy.User{
		Staff: who.Staff, Wants2FA: who.Wants2FA, Usual: who.Usual, ResetMarkAt: who.ResetMarkAt, RiskAt: who.RiskAt,
	}
}

// method is what stands in a method's own row, and what is known of its channel. What is
// left of recovery codes and of guesses is the caller's to add.
func (s Source) method(m method.Method) policy.Method {
	fact := policy.Method{
		ID: string(m.ID), Kind: m.Kind, LinkedAt: m.LinkedAt, ProvedAt: m.ProvedAt, LastUsedAt: m.LastUsedAt,
		Pending: m.Pending, AwaitsProof: m.AwaitsProof, UnprovedSent: m.UnprovedSent, Health: m.Health, Spent: m.Spent(),
	}
	switch m.Kind {
	case policy.Recovery:
		return fact
	case policy.SMS:
		if _, err := phone.Mobile(m.Address, "", s.Countries); s.SMS && err != nil {
			fact.Health = policy.HealthRefused
		}
	case policy.Email, policy.TOTP, policy.Passkey:
	}
	if s.Channel != nil {
		fact.ChannelHealth = s.Channel(m.Kind)
	}
	return fact
}
