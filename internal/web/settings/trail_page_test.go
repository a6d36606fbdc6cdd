package settings_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/internal/trail"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/webtest"
)

func TestTheAuditTrailSaysWhatHappenedAndWhy(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face())
	s := webtest.Show(t, kit, "audit", settings.AuditPage{
		Site: "Bayside Auto", Path: "/sites/s1/settings", Days: 400, Since: "12 March 2026", Size: 2, Key: "the+key", Command: "keyturn audit verify",
		Query: settings.AuditQuery{Person: "Sam", Groups: []settings.Choice{{Value: "signin", Words: "Signing in", Chosen: true}}},
		Events: []settings.Event{{
			What: "Sam Okafor was asked for two-factor authentication.", At: "Mon 30 Nov, 7:02 am", By: "Sam Okafor",
			From: "203.0.113.7 Chrome on Windows", Reference: "BA-7K2M", Outcome: "A second step was asked.",
			Reasons: []string{"Xero was connected on 12 March 2026 by Pat Chen."},
		}},
		Older: "/sites/s1/settings/audit?before=1",
	})
	s.Sees("Sam Okafor was asked", "by Pat Chen", "Reference BA-7K2M", "12 March 2026", "400 days", "Check it yourself", "Older")
	s.Has(`name="form" value="csv"`, `name="form" value="jsonl"`, `value="signin" selected`)
}

func TestAChosenCopyIsChosenStillAfterTheProof(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face())
	s := webtest.Show(t, kit, "audit", settings.AuditPage{Site: "Bayside Auto", Path: "/sites/s1/settings", Chosen: trail.CSV})
	s.Sees("Press the button once more")
	s.Has(`<button class="btn main" name="form" value="csv">`, `<button class="btn" name="form" value="jsonl">`)
}

func TestADayOfASearchIsADayOfTheSite(t *testing.T) {
	t.Parallel()
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from, until, first, after, fault string
	}{
		{name: "nothing"},
		{name: "a day", from: "2026-11-29", until: "2026-11-29", first: "2026-11-28T13:00:00Z", after: "2026-11-29T13:00:00Z"},
		{name: "a day of 23 hours", from: "2026-10-04", until: "2026-10-04", first: "2026-10-03T14:00:00Z", after: "2026-10-04T13:00:00Z"},
		{name: "a day of 25 hours", from: "2026-04-05", until: "2026-04-05", first: "2026-04-04T13:00:00Z", after: "2026-04-05T14:00:00Z"},
		{name: "no end", from: "2026-11-29", first: "2026-11-28T13:00:00Z"},
		{name: "no beginning", until: "2026-11-29", after: "2026-11-29T13:00:00Z"},
		{name: "swapped", from: "2026-11-30", until: "2026-11-29", fault: "after the last"},
		{name: "no such day", from: "2026-02-30", fault: "can be read"},
		{name: "words", until: "yesterday", fault: "can be read"},
	} {
		from, until, fault := settings.AuditQuery{From: c.from, Until: c.until}.Span(sydney)
		if c.fault != "" || fault != "" {
			if c.fault == "" || !strings.Contains(fault, c.fault) {
				t.Errorf("%s: %q", c.name, fault)
			}
			continue
		}
		if stamp(from) != c.first || stamp(until) != c.after {
			t.Errorf("%s: from %s until %s", c.name, stamp(from), stamp(until))
		}
	}
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
