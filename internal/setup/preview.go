package setup

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Person is one active office member, and what other settings would mean for them.
type Person struct {
	User  id.User
	Name  string
	Group policy.Group
	// Asked says that they would be asked for a second factor, WasAsked that they are
	// already.
	Asked, WasAsked bool
	// Mark is whether they would get in; of whoever is not asked it says nothing.
	Mark policy.Mark
	// Lacks says of each of their ways why it would not do.
	Lacks []policy.Withheld
}

// Stuck says that the person would be asked, and that nothing they have would do.
func (p Person) Stuck() bool { return p.Asked && p.Mark == policy.NeedsHelp }

// Forecast is what other settings would mean for a site's people, in the order of their
// names.
type Forecast []Person

// change is what is made of a member's facts before the policy is asked.
type change func(*policy.Membership)

// Preview asks the policy what a choice would mean for everybody: a fresh sign-in on the
// web at this site, nothing passed and nothing remembered, with their real facts and
// the changed settings.
func (d *Desk) Preview(ctx context.Context, at id.Site, to site.Choice) (Forecast, error) {
	now := d.DB.Clock.Now()
	return d.forecast(ctx, now, at, func(m *policy.Membership) {
		if m.Setting != to.TwoFA {
			m.SettingSince = now
		}
		m.Setting, m.Remember, m.Weakest = to.TwoFA, to.Remember, to.Weakest
	})
}

// PreviewLowered asks it what the lowering of what Xero left behind would mean, at the
// first moment at which that may be done.
func (d *Desk) PreviewLowered(ctx context.Context, at id.Site) (Forecast, error) {
	now := d.DB.Clock.Now()
	c, err := d.Company(ctx, d.DB, now, at)
	if err != nil {
		return nil, err
	}
	lowered := now
	if c.Lowerable.After(now) {
		lowered = c.Lowerable
	}
	return d.forecast(ctx, now, at, func(m *policy.Membership) {
		m.Integrations = slices.Clone(m.Integrations)
		for i := range m.Integrations {
			if one := &m.Integrations[i]; one.Kind == policy.Xero && one.State == policy.Disconnected {
				one.LoweredAt = lowered
			}
		}
	})
}

// PreviewConnected asks it what a connection to Xero would mean: from the moment on from
// which it would be asked for, which is now, or the site's date in the rollout.
func (d *Desk) PreviewConnected(ctx context.Context, at id.Site) (Forecast, time.Time, error) {
	now := d.DB.Clock.Now()
	connect := func(m *policy.Membership) {
		m.Integrations = slices.Clone(m.Integrations)
		i := slices.IndexFunc(m.Integrations, func(one policy.Integration) bool { return one.Kind == policy.Xero })
		if i < 0 {
			i = len(m.Integrations)
			m.Integrations = append(m.Integrations, policy.Integration{Kind: policy.Xero, State: policy.Disconnected})
		}
		if one := &m.Integrations[i]; one.State == policy.Disconnected {
			one.State, one.Since, one.LoweredAt = policy.Connected, now, time.Time{}
		}
	}
	anybody, err := d.Standing.Place(ctx, d.DB, now, site.Membership{
		Site: at, Group: policy.GroupUser, Kind: policy.Office, Status: policy.Active,
	})
	if err != nil {
		return nil, now, fmt.Errorf("read what a site requires: %w", err)
	}
	connect(&anybody)
	when := now
	facts := policy.Facts{Memberships: []policy.Membership{anybody}, Client: policy.Client{Kind: policy.ClientWeb}}
	for _, r := range policy.Decide(facts, now).Reasons {
		if r.Key == policy.DateToCome && r.Until.After(when) {
			when = r.Until
		}
	}
	all, err := d.forecast(ctx, when, at, connect)
	return all, when, err
}

// inStep is how many members are read at a time.
const inStep = 200

func (d *Desk) forecast(ctx context.Context, now time.Time, at id.Site, to change) (Forecast, error) {
	var all Forecast
	for after := id.User(""); ; {
		some, err := site.Office(ctx, d.DB, at, after, inStep)
		if err != nil {
			return nil, fmt.Errorf("list members: %w", err)
		}
		step, err := d.foresee(ctx, now, at, some, to)
		if err != nil {
			return nil, err
		}
		all = append(all, step...)
		if len(some) < inStep {
			break
		}
		after = some[len(some)-1]
	}
	slices.SortFunc(all, func(a, b Person) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.User, b.User))
	})
	return all, nil
}

// foresee asks for some members, with a handful of queries for all of them.
func (d *Desk) foresee(ctx context.Context, now time.Time, at id.Site, who []id.User, to change) ([]Person, error) {
	found, err := user.ByIDs(ctx, d.DB, who)
	if err != nil {
		return nil, fmt.Errorf("find members: %w", err)
	}
	users := slices.Collect(maps.Values(found))
	facts, err := d.Standing.OfAll(ctx, d.DB, now, at, users)
	if err != nil {
		return nil, fmt.Errorf("read the facts of members: %w", err)
	}
	all := make([]Person, len(users))
	for i, u := range users {
		all[i] = foretell(u, facts[u.ID], now, to)
	}
	return all, nil
}

// foretell asks the policy about one member, as they are and with what is changed.
func foretell(u user.User, facts policy.Facts, now time.Time, to change) Person {
	one := Person{User: u.ID, Name: u.Name()}
	one.WasAsked, _ = policy.Required(facts, now)
	for i := range facts.Memberships {
		one.Group = facts.Memberships[i].Group
		to(&facts.Memberships[i])
	}
	if one.Asked, _ = policy.Required(facts, now); one.Asked {
		p := policy.Readiness(facts, now)
		one.Mark, one.Lacks = p.Mark, p.Decision.NotOffered
	}
	return one
}
