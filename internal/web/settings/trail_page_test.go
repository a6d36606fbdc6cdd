package settings_test

import (
	"testing"

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
