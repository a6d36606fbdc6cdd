package calendar_test

import (
	"errors"
	"math/rand/v2" //nolint:depguard // random cases for the properties, no secrets
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the properties are there on every machine

	"keyturn/internal/calendar"
	"keyturn/internal/fault"
)

func day(t *testing.T, s string) calendar.Day {
	t.Helper()
	d, err := calendar.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestADayIsReadInOneFormAndWrittenTheSame(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"2026-12-08", "2028-02-29", "1999-01-01"} {
		if got := day(t, s).String(); got != s {
			t.Errorf("%s became %s", s, got)
		}
	}
	for _, s := range []string{"", "2026-2-8", "08/12/2026", "2027-02-29", "2026-13-01", "2026-12-08T04:00:00Z", "1969-01-01", " 2026-12-08"} {
		if got, err := calendar.Parse(s); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q is the day %v, %v", s, got, err)
		}
	}
}

func TestTheHolidaysAreThoseThatTheCountriesPublished(t *testing.T) {
	t.Parallel()
	for region, days := range map[string]map[string]bool{
		"AU": {
			"2026-01-26": true, "2026-04-03": true, "2026-04-06": true, "2026-04-25": true, "2026-04-27": true, "2026-12-28": true,
			"2027-12-27": true, "2027-12-28": true, "2022-01-03": true, "2022-12-27": true, "2026-12-29": false, "2026-11-26": false,
		},
		"NZ": {
			"2023-01-02": true, "2023-01-03": true, "2022-01-04": true, "2027-02-08": true, "2026-06-01": true, "2026-10-26": true,
			"2027-04-26": true, "2026-12-28": true, "2026-12-29": false, "2026-01-26": false,
		},
		"GB": {
			"2026-05-04": true, "2026-05-25": true, "2026-08-31": true, "2027-12-27": true, "2027-12-28": true, "2028-01-03": true,
			"2026-04-25": false, "2026-12-29": false,
		},
		"US": {
			"2026-01-19": true, "2026-05-25": true, "2026-09-07": true, "2026-10-12": true, "2026-11-26": true, "2027-07-05": true,
			"2026-06-19": true, "2026-11-11": true, "2026-12-28": false, "2026-04-06": false,
		},
		"DE": {"2026-01-01": false},
	} {
		for s, want := range days {
			if got := calendar.IsHoliday(region, day(t, s)); got != want {
				t.Errorf("%s on %s: a holiday is %v", region, s, got)
			}
		}
	}
}

func TestEasterIsOnTheSundaysOfTheAlmanac(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{
		1818: "1818-03-22", 1943: "1943-04-25", 2000: "2000-04-23", 2008: "2008-03-23", 2024: "2024-03-31", 2026: "2026-04-05",
		2027: "2027-03-28", 2038: "2038-04-25", 2076: "2076-04-19",
	} {
		if got := calendar.Easter(year).String(); got != want {
			t.Errorf("Easter %d is %s, not %s", year, got, want)
		}
	}
}

func TestAMorningIsFourOClockOnTheWallOrTheFirstMomentAfterTheGap(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ day, zone, want string }{
		"an ordinary day":                       {"2026-12-08", "Australia/Brisbane", "2026-12-07T18:00:00Z"},
		"an hour after the clocks went forward": {"2026-10-04", "Australia/Sydney", "2026-10-03T17:00:00Z"},
		"an hour after they went back":          {"2026-04-05", "Australia/Sydney", "2026-04-04T18:00:00Z"},
		// Troll's clocks jump from 1 to 3 am; Casey station's went from 4 to 7 am in 2018.
		"the clocks jumped over it": {"2018-03-11", "Antarctica/Casey", "2018-03-10T20:00:00Z"},
		// Samoa had no 30 December 2011.
		"the day was left out": {"2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"},
	} {
		want, err := time.Parse(time.RFC3339, row.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := day(t, row.day).Morning(zone(t, row.zone)); !got.Equal(want) {
			t.Errorf("%s: the morning of %s in %s is %s", name, row.day, row.zone, got.UTC())
		}
	}
}

// zones have every kind of clock: half hours, quarter hours, changes at 4 am or near it,
// days that were left out.
var zones = []string{
	"Australia/Brisbane", "Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Auckland",
	"Pacific/Chatham", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns", "Pacific/Apia",
	"Antarctica/Troll", "Antarctica/Casey", "Asia/Tehran", "Africa/Casablanca", "America/Havana", "UTC",
}

func TestNoMorningIsOnAFridayAWeekendAHolidayOrAClosedDayAndAllAreFourOClock(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	for range 10_000 {
		rules := calendar.Rules{Region: calendar.Regions[r.IntN(len(calendar.Regions))]}
		from := calendar.Of(1990+r.IntN(70), time.January, 1+r.IntN(366))
		for range r.IntN(12) {
			rules.Closed = append(rules.Closed, from.Add(r.IntN(15)))
		}
		in := zone(t, zones[r.IntN(len(zones))])
		first := rules.First(from)
		at := first.Morning(in)
		local := at.In(in)
		// A clock that jumps over 4 am has no 4 am: a nanosecond before, it was earlier.
		if jumped := at.Add(-time.Nanosecond).In(in); local.Hour() != 4 || local.Minute() != 0 {
			if before := calendar.On(jumped, in); jumped.Hour() >= 4 && !before.Before(first) {
				t.Fatalf("the morning of %s in %s is %s", first, in, local)
			}
		}
		day := calendar.On(at, in)
		if day != first && in.String() != "Pacific/Apia" {
			t.Fatalf("the morning of %s in %s is on %s", first, in, day)
		}
		switch wd := first.Weekday(); {
		case wd == time.Friday || wd == time.Saturday || wd == time.Sunday:
			t.Fatalf("%s is a %s", first, wd)
		case calendar.IsHoliday(rules.Region, first), slices.Contains(rules.Closed, first), first.Before(from):
			t.Fatalf("%s is a holiday in %s, is closed, or is before %s", first, rules.Region, from)
		}
		for d := from; d.Before(first); d = d.Add(1) {
			if rules.Allows(d) {
				t.Fatalf("%s was left out, and nothing is against it", d)
			}
		}
	}
}

func TestUsuallyItIsTheNextTuesdayAndTheSiteGoesOnToADayThatItAllows(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{"2026-12-06": "2026-12-08", "2026-12-08": "2026-12-08", "2026-12-09": "2026-12-15"} {
		if got := calendar.Usual(day(t, from), calendar.Tuesday); got != day(t, want) {
			t.Errorf("from %s on it is %s", from, got)
		}
	}
	rules := calendar.Rules{Region: "AU", Closed: []calendar.Day{day(t, "2027-12-29")}}
	if got := rules.First(day(t, "2027-12-24")); got != day(t, "2027-12-30") {
		t.Errorf("after Christmas it is %s", got)
	}
	if got := rules.Against(day(t, "2027-12-25")); !slices.Equal(got, []calendar.Against{calendar.Weekend, calendar.Holiday}) {
		t.Errorf("against Christmas Day on a Saturday is %v", got)
	}
}
