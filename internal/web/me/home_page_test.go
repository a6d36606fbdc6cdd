package me_test

import (
	"strings"
	"testing"

	"keyturn/internal/web/me"
	"keyturn/internal/web/webtest"
)

func TestTheHomePageSaysWhoIsSignedInAndHow(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, me.Face())
	s := webtest.Show(t, kit, "me", me.HomePage{
		As: "Sam Okafor", Login: "sam@bayside.example", Proved: true, Site: "Bayside Auto", Group: "Mechanic",
		Since: "7:03 am", How: me.HowEmail(), Ends: "tomorrow 4:00 am",
		Sites: []me.SiteChoice{{ID: "s2", Name: "Northside Tyres", Note: "Asks for a code as well"}},
		Recent: []me.SignIn{
			{When: "7:03 am", How: me.HowEmail(), From: "Chrome on Windows", Here: true},
			{When: "yesterday 6:58 am", How: me.HowPassword(), From: "Chrome on Windows"},
			{When: "Mon 30 Nov, 5:12 pm", How: me.HowPassword(), From: "Safari on iPhone", Stopped: true},
		},
	})
	s.Sees("My page", "Sam Okafor", "sam@bayside.example", "Proved: a code arrived there", "Bayside Auto", "Mechanic",
		"your password and a code by email", "tomorrow 4:00 am", "Northside Tyres", "Here, now", "Did not get in", "Sign out")
	s.Has(`action="/me/site"`, `name="site" value="s2"`, `action="/signout"`)
}

func TestTheHomePageOfSomebodyWithOneSiteAndNothingProved(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, me.Face())
	s := webtest.Show(t, kit, "me-bare", me.HomePage{As: "Sam Okafor", Login: "sam@bayside.example", Since: "7:03 am", How: me.HowPassword()})
	s.Sees("Not proved yet")
	s.Hides("Go to another site", "Recent sign-ins", "Ends")
}

func TestTheHomePageSaysWhatIsToCome(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, me.Face())
	for _, row := range []struct {
		name   string
		coming me.Coming
		sees   string
	}{
		{"me-coming", me.Coming{To: "s••@bayside.example"}, "Yours will go to s••@bayside.example. Make sure that you can read mail there."},
		{"me-coming-proved", me.Coming{To: "s••@bayside.example", Proved: true}, "Yours will go to s••@bayside.example, where one has arrived before."},
		{"me-coming-stuck", me.Coming{Helpers: []string{"Pat Chen"}}, "No code can reach you yet. Ask Pat Chen to have your email put right before that day."},
		{"me-coming-alone", me.Coming{}, "Ask an Admin of your site to have your email put right"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.coming.Site, row.coming.When, row.coming.Away = "Northside Tyres", "Sun 6 Dec, 4:00 am", "in 12 days"
			s := webtest.Show(t, kit, row.name, me.HomePage{As: "Sam Okafor", Login: "sam@bayside.example", Since: "7:03 am", How: me.HowPassword(), Coming: &row.coming})
			s.Sees("From Sun 6 Dec, 4:00 am, in 12 days, Northside Tyres asks everybody for a code", row.sees)
			if toTry := row.coming.To != "" && !row.coming.Proved; strings.Contains(s.HTML, `action="/me/security/rehearse"`) != toTry {
				t.Errorf("whether the new sign-in can be tried from here is not %t", toTry)
			}
		})
	}
}

func TestHostileNamesStayNamesOnTheHomePage(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script>`
	s := webtest.Show(t, webtest.New(t, me.Face()), "hostile-me", me.HomePage{
		As: evil, Login: evil, Site: evil, Group: evil, Since: evil, How: evil, Ends: evil,
		Sites:  []me.SiteChoice{{ID: evil, Name: evil, Note: evil}},
		Recent: []me.SignIn{{When: evil, How: evil, From: evil}},
	})
	if strings.Contains(s.HTML, "<script>") {
		t.Error("the name became a script")
	}
}
