package calendar

import (
	"slices"
	"time"
)

// IsHoliday says whether a day is a national public holiday of a region (AU, NZ, GB, US),
// or the weekday that is kept in place of one. Where the states of a country differ, a day
// counts if most of them keep it: one day too many costs a site a day. Matariki is always
// a Friday and the US days that move to a Friday are one too, so neither is listed.
func IsHoliday(region string, d Day) bool {
	return slices.Contains(holidays(region, d.Year), d)
}

// Regions are those whose holidays are known.
var Regions = []string{"AU", "NZ", "GB", "US"}

func holidays(region string, year int) []Day {
	switch region {
	case "AU":
		return australia(year)
	case "NZ":
		return newZealand(year)
	case "GB":
		return britain(year)
	case "US":
		return unitedStates(year)
	}
	return nil
}

// Easter is Easter Sunday of a year in the Gregorian calendar, by the anonymous computus
// (Meeus, Astronomical Algorithms, chapter 8).
func Easter(year int) Day {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return Of(year, time.Month(month), day)
}

// nth is the n-th such weekday of a month; n below zero counts from its end.
func nth(year int, month time.Month, on time.Weekday, n int) Day {
	if n > 0 {
		return Usual(Of(year, month, 1), on).Add(7 * (n - 1))
	}
	last := Of(year, month+1, 0)
	return last.Add(-(int(last.Weekday()) - int(on) + 7) % 7).Add(7 * (n + 1))
}

// kept is a holiday, and the Monday that is kept in its place where it is on a weekend.
func kept(d Day) []Day {
	switch d.Weekday() { //nolint:exhaustive // the others are kept on their day
	case time.Saturday:
		return []Day{d, d.Add(2)}
	case time.Sunday:
		return []Day{d, d.Add(1)}
	}
	return []Day{d}
}

// pair are two holidays one after the other. On a weekend Monday and Tuesday are kept in
// their place: Saturday's on Monday, Sunday's on Tuesday, for the other one has Monday.
func pair(first Day) []Day {
	second := first.Add(1)
	all := []Day{first, second}
	switch first.Weekday() { //nolint:exhaustive // the others are kept on their days
	case time.Friday: // the second is a Saturday
		all = append(all, second.Add(2))
	case time.Saturday:
		all = append(all, first.Add(2), first.Add(3))
	case time.Sunday: // the second is the Monday
		all = append(all, first.Add(2))
	}
	return all
}

// australia are the holidays of the whole country. Anzac Day on a weekend is kept on the
// Monday by some of its states and counts as kept. The King's birthday is not one day in
// all of them.
func australia(year int) []Day {
	easter := Easter(year)
	return slices.Concat(
		kept(Of(year, time.January, 1)), kept(Of(year, time.January, 26)),
		[]Day{easter.Add(-2), easter.Add(-1), easter, easter.Add(1)},
		kept(Of(year, time.April, 25)), pair(Of(year, time.December, 25)),
	)
}

// newZealand: Holidays Act 2003, sections 44 to 45A.
func newZealand(year int) []Day {
	easter := Easter(year)
	return slices.Concat(
		pair(Of(year, time.January, 1)), kept(Of(year, time.February, 6)),
		[]Day{easter.Add(-2), easter.Add(1)}, kept(Of(year, time.April, 25)),
		[]Day{nth(year, time.June, time.Monday, 1), nth(year, time.October, time.Monday, 4)},
		pair(Of(year, time.December, 25)),
	)
}

// britain are the bank holidays of England and Wales.
func britain(year int) []Day {
	easter := Easter(year)
	return slices.Concat(
		kept(Of(year, time.January, 1)), []Day{
			easter.Add(-2), easter.Add(1), nth(year, time.May, time.Monday, 1),
			nth(year, time.May, time.Monday, -1), nth(year, time.August, time.Monday, -1),
		}, pair(Of(year, time.December, 25)),
	)
}

// unitedStates are the federal holidays (5 U.S.C. 6103). One on a Saturday is kept on the
// Friday before, on which nothing begins anyway; one on a Sunday on the Monday.
func unitedStates(year int) []Day {
	all := []Day{
		nth(year, time.January, time.Monday, 3), nth(year, time.February, time.Monday, 3), nth(year, time.May, time.Monday, -1),
		nth(year, time.September, time.Monday, 1), nth(year, time.October, time.Monday, 2), nth(year, time.November, time.Thursday, 4),
	}
	for _, d := range []Day{
		Of(year, time.January, 1), Of(year, time.June, 19), Of(year, time.July, 4), Of(year, time.November, 11), Of(year, time.December, 25),
	} {
		all = append(all, d)
		if d.Weekday() == time.Sunday {
			all = append(all, d.Add(1))
		}
	}
	return all
}
