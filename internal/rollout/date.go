package rollout

import (
	"time"

	"keyturn/internal/calendar"
	"keyturn/internal/id"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
)

// Dated is what of a site's day stands in plans.
type Dated string

// The ways a site's day stands there.
const (
	// Undated: its wave has given it no date; a site in no wave stays so.
	Undated Dated = "none"
	// Stored: its date stands there, to come or come.
	Stored Dated = "stored"
	// TakenOut: a pause took it out; it comes back when the rollout goes on.
	TakenOut Dated = "out"
	// RolledBack: the wave was rolled back.
	RolledBack Dated = "back"
)

// Place is a site's place in a rollout.
type Place struct {
	Site    id.Site
	Rollout id.Rollout
	// Wave is the number of its wave; 0: it is in none.
	Wave int
	// Base is the wave's day that its own was counted from, First the day that this gave it,
	// Day the one that it has now.
	Base, First, Day calendar.Day
	// Extended is the day to which it was extended; none if it was not.
	Extended                calendar.Day
	ExtendedWhy, ExtendedBy string
	// Held is how often it was held back.
	Held  int
	Dated Dated
	// At is the moment that stands in plans; zero if none does.
	At time.Time
	// GatedAt is when the gate last judged it.
	GatedAt time.Time
}

// local is what of a site dates depend on.
type local struct {
	rules calendar.Rules
	zone  *time.Location
}

// first is the first day from d on, that of a wave, on which the site is open. Closed days put
// it off for 30 days at most: after these only the country's holidays count.
func (l local) first(d calendar.Day) calendar.Day { return l.within(d, d) }

// within is the first open day from d on that lies 30 days after from at most; after these
// only the country's holidays count.
func (l local) within(d, from calendar.Day) calendar.Day {
	open := l.rules.First(d)
	if from.Until(open) <= MostDelay {
		return open
	}
	return calendar.Rules{Region: l.rules.Region}.First(calendar.Later(d, from.Add(MostDelay)))
}

// come says that a date has come, or that nothing may move it any more.
func (p Place) come(now time.Time) bool {
	return !p.At.IsZero() && !p.At.After(now.Add(margin))
}

// last is the day on which 2FA begins: the later of its day and its extension.
func (p Place) last() calendar.Day { return calendar.Later(p.Day, p.Extended) }

// date gives a place its date from its wave's day. A site that was held back keeps the
// later day, and an extension stays. A day that has gone, or is a day away at most, gives way
// to the usual day a week or more from now: but for a date that people know and that does not
// come earlier.
func (p Place) date(w Wave, l local, now time.Time) Place {
	was := p
	if p.Base != w.Day {
		p.Base, p.First = w.Day, l.first(w.Day)
		if p.Held == 0 || p.Day.Before(p.First) {
			p.Day = p.First
		}
	}
	if p.Day != p.First {
		p.Day = l.within(p.Day, p.First) // a day may have been closed since
	}
	if !p.Extended.IsZero() {
		p.Extended = l.within(p.Extended, p.First)
	}
	at := p.last().Morning(l.zone)
	known := p.Dated == Stored && !at.Before(p.At)
	if !known && at.Before(now.Add(soonest)) {
		p.Day = l.first(calendar.Usual(calendar.On(now, l.zone).Add(7), calendar.Tuesday))
		p.First = calendar.Later(p.First, p.Day)
		if was.Dated == Stored && was.Day.Before(p.Day) { // it has a day, which is sooner
			p.Day, p.First = l.within(was.Day, was.First), was.First
		}
	}
	p.Dated, p.At = Stored, p.last().Morning(l.zone)
	return p
}

// hold moves a site one week on, to an allowed day; false where that would be more than
// 30 days after the day that its wave gave it: then the date stays.
func (p Place) hold(l local) (Place, bool) {
	next := l.rules.First(p.last().Add(7))
	if p.First.Until(next) > MostDelay {
		return p, false
	}
	p.Day = next
	p.Held++
	p.At = p.last().Morning(l.zone)
	return p, true
}

// takeOut leaves the days as they are and takes the date away.
func (p Place) takeOut(why Dated) Place {
	p.Dated, p.At = why, time.Time{}
	if why == RolledBack {
		p.Extended, p.ExtendedWhy, p.ExtendedBy, p.Held = calendar.Day{}, "", "", 0
	}
	return p
}

// plan is what the policy reads of a place.
func (p Place) plan(began time.Time, l local) plan.Plan {
	to := plan.Plan{Site: p.Site, BeganAt: began}
	if p.At.IsZero() {
		return to
	}
	to.EnforceAt = p.Day.Morning(l.zone)
	if p.Extended.After(p.Day) {
		to.ExtendedUntil = p.Extended.Morning(l.zone)
	}
	to.PrepareFrom = to.Date().Add(-prepareFor)
	return to
}

// Facts is what the policy would be told of a place, for whoever asks it beforehand.
func (p Place) Facts(began time.Time, zone *time.Location) policy.Rollout {
	to := p.plan(began, local{zone: zone})
	return policy.Rollout{
		Defined: true, BeganAt: to.BeganAt, PrepareFrom: to.PrepareFrom, EnforceAt: to.EnforceAt, ExtendedUntil: to.ExtendedUntil,
	}
}
