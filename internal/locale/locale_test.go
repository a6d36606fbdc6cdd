package locale_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // whatever the machine has

	"keyturn/internal/locale"
)

func TestASentenceIsSaidWithItsValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key  locale.Key
		data locale.Data
		want string
	}{
		"no value":                {locale.SigninTitle, nil, "Sign in"},
		"one value":               {locale.CodeReplaced, locale.Data{"At": "7:02 am"}, "That code is from 7:02 am. A newer one was sent after it."},
		"strong parts are plain":  {locale.CodeSent, locale.Data{"To": "s••@gmail.example", "Until": "7:12 am"}, "We sent it to s••@gmail.example. It works until 7:12 am."},
		"one of many":             {locale.CodeWrong, locale.Data{"Count": 1}, "That code is not right. 1 try is left; after that, codes may rest for up to an hour."},
		"several":                 {locale.CodeWrong, locale.Data{"Count": 4}, "That code is not right. 4 tries are left."},
		"none":                    {locale.CodeWrong, locale.Data{"Count": 0}, "That code is not right. 0 tries are left."},
		"a value is no template":  {locale.CodeReplaced, locale.Data{"At": "{{.At}}"}, "That code is from {{.At}}. A newer one was sent after it."},
		"a value is not escaped":  {locale.CodeReplaced, locale.Data{"At": "<b>"}, "That code is from <b>. A newer one was sent after it."},
		"marks in a value vanish": {locale.CodeReplaced, locale.Data{"At": "\x02x\x03"}, "That code is from x. A newer one was sent after it."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := locale.Say(c.key, c.data); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestOnlyTheCatalogueMakesWordsStrong(t *testing.T) {
	t.Parallel()
	got := locale.Rich(locale.CodeSent, locale.Data{"To": "**a** \x02b\x03", "Until": "7:12 am"})
	want := []locale.Run{
		{Text: "We sent it to "},
		{Text: "**a** b", Strong: true},
		{Text: ". It works until "},
		{Text: "7:12 am", Strong: true},
		{Text: "."},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := locale.Rich(locale.SigninTitle); !slices.Equal(got, []locale.Run{{Text: "Sign in"}}) {
		t.Errorf("got %v", got)
	}
}

func TestASlipIsNotShownToAnybody(t *testing.T) {
	t.Parallel()
	for name, slip := range map[string]func(){
		"an unknown key":            func() { locale.Say("no.such.key") },
		"a missing value":           func() { locale.Say(locale.CodeReplaced) },
		"a misspelled value":        func() { locale.Say(locale.CodeReplaced, locale.Data{"at": "x"}) },
		"a count that is a word":    func() { locale.Say(locale.CodeWrong, locale.Data{"Count": "two"}) },
		"a count that is not there": func() { locale.Say(locale.CodeWrong) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("it was said")
				}
			}()
			slip()
		})
	}
}

func TestNamesAreAChoice(t *testing.T) {
	t.Parallel()
	for want, names := range map[string][]string{
		"": nil, "Pat": {"Pat"}, "Pat or Kim": {"Pat", "Kim"}, "Pat, Kim or Sam": {"Pat", "Kim", "Sam"},
	} {
		if got := locale.AnyOf(names); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAMomentIsSaidAsAPersonInTheZoneWould(t *testing.T) {
	t.Parallel()
	brisbane := time.FixedZone("AEST", 10*60*60)
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 2, 7, 2, 0, 0, brisbane)
	for _, c := range []struct {
		name string
		at   time.Time
		zone *time.Location
		want string
	}{
		{"today", now.Add(10 * time.Minute), brisbane, "7:12 am"},
		{"the first second of today", time.Date(2026, 12, 2, 0, 0, 0, 0, brisbane), brisbane, "12:00 am"},
		{"noon", time.Date(2026, 12, 2, 12, 0, 0, 0, brisbane), brisbane, "12:00 pm"},
		{"tomorrow", time.Date(2026, 12, 3, 4, 0, 0, 0, brisbane), brisbane, "tomorrow 4:00 am"},
		{"yesterday", time.Date(2026, 12, 1, 23, 59, 0, 0, brisbane), brisbane, "yesterday 11:59 pm"},
		{"later this week", time.Date(2026, 12, 7, 9, 0, 0, 0, brisbane), brisbane, "Mon 7 Dec, 9:00 am"},
		{"another year", time.Date(2027, 1, 4, 9, 0, 0, 0, brisbane), brisbane, "Mon 4 Jan 2027, 9:00 am"},
		{"given in another zone", time.Date(2026, 12, 2, 20, 0, 0, 0, time.UTC), brisbane, "tomorrow 6:00 am"},
		{"the same instant an hour further east", time.Date(2026, 12, 2, 13, 30, 0, 0, time.UTC), sydney, "tomorrow 12:30 am"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := locale.Moment(c.at, c.zone, now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := locale.Exact(now, brisbane, now); got != "Wed 2 Dec, 7:02 am" {
		t.Errorf("exact: %q", got)
	}
	if got := locale.ClockSeconds(now.Add(4*time.Second), brisbane); got != "7:02:04 am" {
		t.Errorf("with seconds: %q", got)
	}
	if got := locale.Day(time.Date(2026, 3, 12, 1, 0, 0, 0, brisbane), brisbane); got != "12 March 2026" {
		t.Errorf("day: %q", got)
	}
}

func TestHowFarOffIsCountedInTheUnitThatPeopleUse(t *testing.T) {
	t.Parallel()
	brisbane := time.FixedZone("AEST", 10*60*60)
	now := time.Date(2026, 12, 2, 7, 2, 0, 0, brisbane)
	for away, want := range map[time.Duration]string{
		0:                    "1 second ago",
		time.Millisecond:     "in 1 second",
		30 * time.Second:     "in 30 seconds",
		4 * time.Minute:      "in 4 minutes",
		-4 * time.Minute:     "4 minutes ago",
		91 * time.Second:     "in 2 minutes",
		2 * time.Hour:        "in 2 hours",
		23 * time.Hour:       "in 23 hours",
		14 * 24 * time.Hour:  "in 14 days",
		-14 * 24 * time.Hour: "14 days ago",
		41 * time.Hour:       "in 2 days",
	} {
		if got := locale.Away(now.Add(away), brisbane, now); got != want {
			t.Errorf("%v: got %q, want %q", away, got, want)
		}
	}
	for span, want := range map[time.Duration]string{
		-time.Second: "1 second", 1500 * time.Millisecond: "2 seconds", time.Minute: "60 seconds",
		15 * time.Minute: "15 minutes", 90 * time.Minute: "90 minutes", 36 * time.Hour: "36 hours", 37 * time.Hour: "2 days",
	} {
		if got := locale.Span(span); got != want {
			t.Errorf("%v: got %q, want %q", span, got, want)
		}
	}
}

func BenchmarkSay(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		locale.Say(locale.CodeReplaced, locale.Data{"At": "7:02 am"})
	}
}
