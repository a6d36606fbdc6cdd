package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/user"
)

const (
	// membersShown is how many people one page of a site has.
	membersShown = 50
	// notesShown is how many notes it has.
	notesShown = 10
)

// Member is one person of a site, masked: nobody of the staff reads an address or number
// here that they could use.
type Member struct {
	User   id.User
	Name   string
	Group  policy.Group
	Kind   policy.Kind
	Status policy.Status
	// Email and Mobile are masked; Mobile may be empty.
	Email, Mobile string
	// Required says that a second step is asked of them now.
	Required bool
	// Proved are the kinds of ways that they have proved.
	Proved []policy.MethodKind
	Mark   policy.Mark
	// Lacks says why email and SMS would not be offered. Alone says that they lack a second
	// road, being the only Admin.
	Lacks []policy.WithheldKey
	Alone bool
}

// Stopped is somebody whose last sign-in would have led nowhere if a second step had been
// asked in it, and how they stand now.
type Stopped struct {
	Member

	At time.Time
}

// Seen is a site as its admins see it.
type Seen struct {
	authority.Given
	Readiness

	Asking
	// Xero is the connection, or what is left of it; nil: never connected.
	Xero    *integration.Integration
	Balance balance.Account
	// Recoveries is how many are open at the site.
	Recoveries int
	Contacts   []Contact
	Notes      []Note
	Members    []Member
	// Rehearsal is how its people would have fared in their sign-ins lately, Stopped those
	// who would have been stuck; nothing once a second step is asked there.
	Rehearsal plan.Rehearsal
	Stopped   []Stopped
	// Next is after whom the next page begins; empty on the last.
	Next id.User
}

// Site is a page of a site, which is recorded as a view of it. after is the member after
// whom it begins. fault.NotFound where the site is not given.
func (d *Desk) Site(ctx context.Context, by authority.Bearer, at id.Site, after id.User) (s Seen, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		s.Given, err = view(ctx, tx, by, at, SitePage)
		return err
	})
	if err != nil {
		return Seen{}, err
	}
	now := d.DB.Clock.Now()
	if err := d.fill(ctx, now, &s); err != nil {
		return Seen{}, fmt.Errorf("how site %s stands: %w", s.Site.Ref, err)
	}
	if s.Contacts, err = d.contacts(ctx, at, masked); err != nil {
		return Seen{}, err
	}
	if !s.Now {
		if err := d.rehearsed(ctx, now, &s); err != nil {
			return Seen{}, err
		}
	}
	return s, d.people(ctx, now, &s, after)
}

func (d *Desk) rehearsed(ctx context.Context, now time.Time, s *Seen) (err error) {
	since := now.Add(-plan.Lately)
	if s.Rehearsal, err = plan.RehearsalOf(ctx, d.DB, s.Site.ID, since); err != nil || s.Rehearsal.Stuck == 0 {
		return err
	}
	all, err := plan.WouldBeStuck(ctx, d.DB, s.Site.ID, since)
	if err != nil {
		return err
	}
	for _, one := range all[:min(len(all), membersShown)] {
		p, err := placeOf(ctx, d.DB, s.Site.ID, one.User)
		if err != nil {
			return fmt.Errorf("find a member: %w", err)
		}
		m, err := d.member(ctx, now, s.Site.ID, p)
		if err != nil {
			return err
		}
		s.Stopped = append(s.Stopped, Stopped{Member: m, At: one.At})
	}
	return nil
}

// Call gives the admins of a site with the whole of their addresses and numbers, for
// whoever calls them. That is recorded apart.
func (d *Desk) Call(ctx context.Context, by authority.Bearer, at id.Site) (all []Contact, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		_, err := view(ctx, tx, by, at, Contacts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.contacts(ctx, at, whole)
}

func (d *Desk) fill(ctx context.Context, now time.Time, s *Seen) (err error) {
	at := s.Site.ID
	if s.Readiness, _, err = d.readiness(ctx, now, at); err != nil {
		return err
	}
	if s.Asking, err = d.asking(ctx, now, at); err != nil {
		return err
	}
	connections, err := integration.Of(ctx, d.DB, at)
	if err != nil {
		return fmt.Errorf("read connections: %w", err)
	}
	if i := slices.IndexFunc(connections, func(i integration.Integration) bool { return i.Kind == policy.Xero }); i >= 0 {
		s.Xero = &connections[i]
	}
	if s.Balance, err = balance.Of(ctx, d.DB, d.DB.Clock.Now(), at); err != nil {
		return fmt.Errorf("read an SMS balance: %w", err)
	}
	if s.Recoveries, err = openRecoveries(ctx, d.DB, at); err != nil {
		return fmt.Errorf("count recoveries: %w", err)
	}
	s.Notes, err = d.notes(ctx, at, notesShown)
	return err
}

func (d *Desk) people(ctx context.Context, now time.Time, s *Seen, after id.User) error {
	places, err := members(ctx, d.DB, s.Site.ID, after, membersShown+1)
	if err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	if len(places) > membersShown {
		places = places[:membersShown]
		s.Next = places[membersShown-1].user
	}
	for _, p := range places {
		m, err := d.member(ctx, now, s.Site.ID, p)
		if err != nil {
			return err
		}
		s.Members = append(s.Members, m)
	}
	slices.SortStableFunc(s.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (d *Desk) member(ctx context.Context, now time.Time, at id.Site, p place) (Member, error) {
	who, err := user.ByID(ctx, d.DB, p.user)
	if err != nil {
		return Member{}, fmt.Errorf("find a member: %w", err)
	}
	methods, err := method.Of(ctx, d.DB, p.user)
	if err != nil {
		return Member{}, fmt.Errorf("read methods: %w", err)
	}
	facts, err := d.Standing.OfAll(ctx, d.DB, now, at, []user.User{who})
	if err != nil {
		return Member{}, fmt.Errorf("read the facts of a member: %w", err)
	}
	said := readiness.Of(who, facts[who.ID], now)
	m := Member{
		User: p.user, Name: nameOf(who), Group: policy.Group(p.group), Kind: policy.Kind(p.kind), Status: policy.Status(p.status),
		Email: mailOf(who, masked), Mobile: phoneOf(methods, masked), Mark: said.Mark, Alone: said.Do == readiness.DoSecondRoad,
	}
	m.Required, _ = policy.Required(facts[who.ID], now)
	for _, one := range methods {
		if !one.ProvedAt.IsZero() && !slices.Contains(m.Proved, one.Kind) {
			m.Proved = append(m.Proved, one.Kind)
		}
	}
	if m.Mark != policy.NeedsHelp {
		return m, nil
	}
	for _, w := range said.Lacks {
		if (w.Kind == policy.Email || w.Kind == policy.SMS) && !slices.Contains(m.Lacks, w.Key) {
			m.Lacks = append(m.Lacks, w.Key)
		}
	}
	return m, nil
}

// nameOf is a person's name, masked where all there is of it is the login name.
func nameOf(who user.User) string {
	if name := strings.TrimSpace(who.FirstName + " " + who.LastName); name != "" {
		return name
	}
	return mailOf(who, masked)
}

// mailOf is a login name, which for some is no address.
func mailOf(who user.User, how shown) string {
	switch {
	case how == whole:
		return string(who.Login)
	case address.IsDeliverable(who.Login):
		return address.Mask(who.Login)
	}
	local, domain, _ := strings.Cut(string(who.Login), "@")
	if domain != "" {
		return firstRune(local) + "••@" + domain
	}
	return firstRune(local) + "••"
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
