// Package standing gathers the facts of one person for the policy, from the packages
// that own them. It decides nothing.
package standing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
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
}

// Of reads the facts about one person as they are now.
func (s Source) Of(ctx context.Context, from db.Reader, now time.Time, a Asker) (policy.Facts, error) {
	f := policy.Facts{Client: a.Client, Passed: a.Passed}
	memberships, err := site.MembershipsOf(ctx, from, a.User.ID)
	if err != nil {
		return f, fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range memberships {
		if a.Sites != nil && !slices.Contains(a.Sites, m.Site) {
			continue
		}
		fact, err := s.membership(ctx, from, m)
		if err != nil {
			return f, err
		}
		f.Memberships = append(f.Memberships, fact)
	}
	f.User, err = person(ctx, from, now, a)
	return f, err
}

func (s Source) membership(ctx context.Context, from db.Reader, m site.Membership) (policy.Membership, error) {
	at, err := site.ByID(ctx, from, m.Site)
	if err != nil {
		return policy.Membership{}, fmt.Errorf("read a site: %w", err)
	}
	fact := policy.Membership{
		Site: string(at.ID), SiteName: at.Name, Zone: at.Zone,
		Kind: m.Kind, Group: m.Group, Status: m.Status, Required2FA: m.TwoFA,
		Setting: at.TwoFA, Remember: at.Remember, Weakest: at.Weakest,
	}
	if s.SMS {
		fact.SMSAvailable = at.SMSAvailable
	}
	if m.Group == policy.GroupAdmin {
		admins, err := site.Admins(ctx, from, m.Site)
		if err != nil {
			return fact, fmt.Errorf("read a site's admins: %w", err)
		}
		fact.LoneAdmin = slices.Equal(admins, []id.User{m.User})
	}
	if fact.Integrations, err = integrations(ctx, from, m.Site); err != nil {
		return fact, err
	}
	p, defined, err := plan.Of(ctx, from, m.Site)
	if err != nil {
		return fact, err
	}
	fact.Rollout = policy.Rollout{
		Defined: defined, BeganAt: p.BeganAt, PrepareFrom: p.PrepareFrom,
		EnforceAt: p.EnforceAt, ExtendedUntil: p.ExtendedUntil,
	}
	return fact, nil
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

func person(ctx context.Context, from db.Reader, now time.Time, a Asker) (policy.User, error) {
	u := policy.User{
		Staff: a.User.Staff, Wants2FA: a.User.Wants2FA, Usual: a.User.Usual,
		ResetMarkAt: a.User.ResetMarkAt, RiskAt: a.User.RiskAt,
	}
	methods, err := method.Of(ctx, from, a.User.ID)
	if err != nil {
		return u, fmt.Errorf("read methods: %w", err)
	}
	known, err := session.Known(ctx, from, a.User.ID, a.Place, now)
	if err != nil {
		return u, fmt.Errorf("read known places: %w", err)
	}
	for _, m := range methods {
		resting, err := method.RestingUntil(ctx, from, now, m, known)
		if err != nil {
			return u, fmt.Errorf("read what is left of a method's guesses: %w", err)
		}
		u.Methods = append(u.Methods, policy.Method{
			ID: string(m.ID), Kind: m.Kind, LinkedAt: m.LinkedAt, ProvedAt: m.ProvedAt, LastUsedAt: m.LastUsedAt,
			Pending: m.Pending, AwaitsProof: m.AwaitsProof, UnprovedSent: m.UnprovedSent, Health: m.Health,
			RestingUntil: resting, Spent: m.Spent(),
		})
	}
	return u, nil
}
