package policy

import (
	"slices"
	"time"
)

const day = 24 * time.Hour

// rememberCap is under 24 hours because the ATO's framework says "less than 24 hours"
// and on the night when clocks go back the next 4 am can be 25 hours away: a round 24h
// would already break the rule.
const rememberCap = 23*time.Hour + 59*time.Minute

// limit is when a device remembered since a moment must pass 2FA again at this site.
// With Xero behind the requirement it is daily at most. False: never remembered here.
func (p place) limit(since time.Time) (time.Time, bool) {
	days := 0
	switch p.Remember {
	case RememberOff:
		return time.Time{}, false
	case RememberDaily:
	case Remember7:
		days = 7
	case Remember14:
		days = 14
	case Remember30:
		days = 30
	default:
		return time.Time{}, false
	}
	if days > 0 && !p.xero {
		return since.Add(time.Duration(days) * day).UTC(), true
	}
	end := NextFour(since, p.Zone)
	if last := since.Add(rememberCap); last.Before(end) {
		end = last
	}
	return end.UTC(), true // one form of a moment, whichever site it comes from
}

// remembered says whether the device spares this person the second factor (rule 6),
// with the reasons either way. Staff are never spared.
func (a *asking) remembered(n need) (bool, []Reason) {
	r := a.facts.Remembered
	switch {
	case n.staff:
		return false, nil
	case r == nil, r.Since.IsZero():
		return false, []Reason{{Key: DeviceNotRemembered}}
	case a.facts.User.RiskAt.After(r.Since):
		return false, []Reason{{Key: ChangedSinceRemember, Since: a.facts.User.RiskAt}}
	}
	var until time.Time
	var not []Reason
	for _, p := range a.rememberedAt(n) {
		end, allowed := p.limit(r.Since)
		switch {
		case !allowed, !slices.Contains(r.Sites, p.Site):
			not = append(not, Reason{Key: DeviceNotRemembered, Site: p.Site, SiteName: p.SiteName, Since: r.Since})
		case a.w.reached(end):
			not = append(not, Reason{Key: DeviceNotRemembered, Site: p.Site, SiteName: p.SiteName, Since: r.Since, Until: end})
		case until.IsZero(), end.Before(until):
			until = end
		}
	}
	if len(not) > 0 {
		return false, sorted(not)
	}
	return true, []Reason{{Key: DeviceRemembered, Since: r.Since, Until: until}}
}

// rememberedAt are the sites whose limits bind: those that require; and where the user
// chose 2FA, which belongs to no site, all that the session reaches.
func (a *asking) rememberedAt(n need) []place {
	places := slices.Clone(n.places)
	if !n.own {
		return places
	}
	for _, m := range a.counted {
		same := func(p place) bool { return p.Site == m.Site }
		if !slices.ContainsFunc(places, same) {
			_, xero := a.w.enforced(m.xero())
			places = append(places, place{Membership: m, xero: xero})
		}
	}
	return places
}

// RememberUntil is until when this device would spare the second factor if 2FA were
// passed on it now: what the tick box promises. It is found by asking Decide itself
// about the moments to come, so that a date which arrives in between and the strictest
// of several sites are in it. False: nothing to remember, or a site forbids it.
func RememberUntil(facts Facts, now time.Time) (time.Time, bool) {
	facts.Passed, facts.EnrolOnly = nil, false
	facts.Client.ACR, facts.Client.MaxAge = 0, nil
	facts.User.RiskAt = time.Time{}
	facts.Remembered = &Remembered{Since: now}
	for _, m := range facts.Memberships {
		facts.Remembered.Sites = append(facts.Remembered.Sites, m.Site)
	}
	if required, _ := Required(facts, now); !required {
		return time.Time{}, false
	}
	// An access that ends takes what it requires with it; nothing is promised beyond that.
	facts, end := facts.endless(now)
	// What is required stays required as time passes, and every site that requires has
	// a limit of 30 days or less: the walk ends there at the latest.
	at := now
	for {
		d := Decide(facts, at)
		switch {
		case !d.Outcome.GoesOn() && at.After(now):
			if !end.IsZero() && end.Before(at) {
				at = end
			}
			return at, true
		case !d.Outcome.GoesOn(), d.ValidUntil.IsZero():
			return time.Time{}, false
		}
		at = d.ValidUntil
	}
}

// endless gives the facts at a moment as if no access ended after it, and when the first
// one does; zero if none does.
func (f Facts) endless(now time.Time) (Facts, time.Time) {
	var first time.Time
	f = f.inTime(&watch{now: now})
	strip := func(all []Membership) []Membership {
		all = slices.Clone(all)
		for i := range all {
			if end := all[i].EndsAt; all[i].Status == Active && !end.IsZero() {
				if first.IsZero() || end.Before(first) {
					first = end.UTC()
				}
				all[i].EndsAt = time.Time{}
			}
		}
		return all
	}
	f.Memberships, f.Others = strip(f.Memberships), strip(f.Others)
	return f, first
}
