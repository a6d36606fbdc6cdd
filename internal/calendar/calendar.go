// Package calendar is days and mornings: on which days something may begin for a site,
// and when its morning is. It reads no clock, and knows the national public holidays of
// Australia, New Zealand, Britain and the United States.
//
// What it does not know: holidays of a state, a province or one of Britain's countries,
// days that a government proclaims for once, and a business's own closed days. A site
// has a list of its own for those (Rules.Closed).
package calendar

import (
	"fmt"
	"time"

	"keyturn/internal/fault"
)

// Day is a date with no time and no zone. The zero Day is no day.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// form is how a day is written: that of ISO 8601, which sorts as it is read.
const form = "2006-01-02"

// MorningHour is the hour of the day at which what a day brings begins (product: 4 am
// site time): the shop is closed, and yesterday's sessions have ended.
const MorningHour = 4

// Parse reads a day as "2026-12-08"; fault.Invalid for anything else, and for a date that
// there is not.
func Parse(s string) (Day, error) {
	t, err := time.Parse(form, s)
	if err != nil || t.Year() < 1970 {
		return Day{}, fmt.Errorf("a day is written as 2026-12-08: %w", fault.Invalid)
	}
	return dayOf(t), nil
}

// On is the day of a moment in a zone.
func On(t time.Time, zone *time.Location) Day { return dayOf(t.In(zone)) }

// Of is the day of a date; one past the end of a month goes on into the next.
func Of(year int, month time.Month, day int) Day {
	return dayOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

func dayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day{y, m, d}
}

// utc is the day's first moment in UTC, where every day has 24 hours.
func (d Day) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// IsZero says that it is no day.
func (d Day) IsZero() bool { return d == Day{} }

// String is the day as Parse reads it; empty for no day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format(form)
}

// Weekday is its day of the week.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

// Add is so many days later, or earlier.
func (d Day) Add(days int) Day { return dayOf(d.utc().AddDate(0, 0, days)) }

// Before says whether it comes before another.
func (d Day) Before(o Day) bool { return d.utc().Before(o.utc()) }

// After says whether it comes after another.
func (d Day) After(o Day) bool { return o.Before(d) }

// Until counts the days from one to the other; negative where that was before.
func (d Day) Until(o Day) int { return int(o.utc().Sub(d.utc()) / (24 * time.Hour)) }

// Later is the later of two.
func Later(a, b Day) Day {
	if b.After(a) {
		return b
	}
	return a
}

// Morning is 4 am of the day in a zone: the first one where the clocks pass it twice, and
// the first moment after the gap where they jump over it.
func (d Day) Morning(zone *time.Location) time.Time {
	wall := d.utc().Add(MorningHour * time.Hour) // what the clock on the wall is to show
	early, late := wall.Add(-span), wall.Add(span)
	var found time.Time
	for at := early; at.Before(late); at = at.Add(time.Hour) {
		_, offset := at.In(zone).Zone()
		one := wall.Add(-time.Duration(offset) * time.Second)
		if onTheWall(one, zone).Equal(wall) && (found.IsZero() || one.Before(found)) {
			found = one
		}
	}
	if !found.IsZero() {
		return found.In(zone)
	}
	// The clocks jumped over it: before that moment they show less, and after it more.
	for late.Sub(early) > 1 {
		if mid := early.Add(late.Sub(early) / 2); onTheWall(mid, zone).Before(wall) {
			early = mid
		} else {
			late = mid
		}
	}
	return late.In(zone)
}

// span is farther than any zone is from UTC, and than a change of zone is from a morning.
const span = 30 * time.Hour

// onTheWall is what the clock on the wall shows, as if it were in UTC.
func onTheWall(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.Add(time.Duration(offset) * time.Second).UTC()
}
