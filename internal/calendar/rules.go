package calendar

import (
	"slices"
	"time"
)

// Against is why nothing begins on a day.
type Against string

// The reasons.
const (
	// Friday: whoever is stuck would be so over a weekend.
	Friday  Against = "friday"
	Weekend Against = "weekend"
	// Holiday is a national public holiday, or the day that is kept in its place.
	Holiday Against = "holiday"
	// Closed is one of the site's own closed days.
	Closed Against = "closed"
)

// Tuesday is the day on which something begins where nobody chose another: a Monday is the
// busiest day of a workshop, and from a Tuesday on four days are left to help.
const Tuesday = time.Tuesday

// Rules say on which days something may begin at a site.
type Rules struct {
	// Region is the country whose holidays count: AU, NZ, GB or US. Of another one none is
	// known.
	Region string
	// Closed are the site's own closed days, in any order.
	Closed []Day
}

// Against says what speaks against a day; nothing where it is allowed.
func (r Rules) Against(d Day) []Against {
	var all []Against
	switch d.Weekday() {
	case time.Friday:
		all = append(all, Friday)
	case time.Saturday, time.Sunday:
		all = append(all, Weekend)
	case time.Monday, time.Tuesday, time.Wednesday, time.Thursday:
	}
	if IsHoliday(r.Region, d) {
		all = append(all, Holiday)
	}
	if slices.Contains(r.Closed, d) {
		all = append(all, Closed)
	}
	return all
}

// Allows says whether something may begin on a day.
func (r Rules) Allows(d Day) bool { return len(r.Against(d)) == 0 }

// First is the first allowed day from a day on, that day included. A site that is closed
// on every one of the 366 that follow gets the last of them.
func (r Rules) First(from Day) Day {
	for d, left := from, 366; ; d, left = d.Add(1), left-1 {
		if left == 0 || r.Allows(d) {
			return d
		}
	}
}

// Usual is the first such weekday from a day on, that day included.
func Usual(from Day, on time.Weekday) Day {
	return from.Add((int(on) - int(from.Weekday()) + 7) % 7)
}
