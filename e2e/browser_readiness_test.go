package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestAnAdminSeesWhoWillGetInAndRemindsTheOthers(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v, wades := visit(t, demo), visit(t, demo)
	wades.password(wade) // nothing is asked of them yet, and a code could not reach them
	wades.At("/me")
	v.NeedAxe()
	v.password(chris)
	if v.Path() != "/me" {
		v.Open("/me")
	}
	home := v.settings()
	v.gets(home, http.StatusOK)
	v.Sees("2FA is asked from", "2 of 6 are sure to get in on the day", "See who needs help", "1 person would not get in.", "There is only one Admin")
	if strings.Contains(v.Text(), "The connection to Xero does not work.") {
		t.Error("a connection that works is a worry")
	}
	v.Judge("settings-home-date")
	v.gets(home+"/readiness", http.StatusOK)
	v.Sees("Readiness", "sure to get in on the day", "2FA is asked from", "Calendar file")
	v.Sees("What real sign-ins say", "1 of them would have been stopped", "Would have been stopped: ", "Now: Needs help")
	v.Judge("readiness")
	v.gets(home+"/readiness/poster", http.StatusOK)
	v.Sees("A code, besides your password", "Check your email", "Questions? Ask")
	v.Judge("poster")
	v.gets(home+"/readiness", http.StatusOK)
	v.Press("Remind 2 people")
	v.Sees("reminded", "They can be reminded again a week later.")
	v.Judge("readiness-reminded")

	// A test code: the Admin sends it, the member types it, and is ready.
	toms, had := visit(t, demo), len(demo.Messages(t, tom))
	v.setUp(home, "Tom Wirrah")
	v.Sees("Will manage")
	v.Press("Send a test code")
	v.Sees("A test code is on its way to "+tom, "not typed yet, good until")
	v.Judge("user-test-sent")
	if status := v.Press("Send a test code"); status != http.StatusTooManyRequests {
		t.Errorf("the next code at once was answered with %d", status)
	}
	code := demo.NextCode(t, tom, had)
	if strings.Contains(v.Text(), code) {
		t.Error("the Admin reads the code")
	}
	toms.password(tom)
	toms.At("/me")
	toms.Press("An Admin sent you a test code. Type it here.")
	toms.At("/me/security")
	toms.Judge("security-test")
	toms.Fill("test-code", "12 34")
	toms.Press("Prove it")
	toms.Sees("A code has six digits")
	toms.Judge("security-test-form")
	toms.Fill("test-code", code)
	toms.Press("Prove it")
	toms.Sees("That was right: codes reach you")
	if toms.Count("#test-code") != 0 {
		t.Error("the code can be typed again")
	}
	v.setUp(home, "Tom Wirrah")
	v.Sees("Ready", "Test code by email", ": typed ")
	v.Judge("user-test-typed")
}

func TestASiteWithoutADateHasNoCalendarFile(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	v.password(jordan)
	v.At("/me")
	home := v.settings()
	v.gets(home+"/readiness", http.StatusOK)
	v.Sees("sure to get in if 2FA were asked today")
	if v.Count(`a[href$=".ics"]`) != 0 {
		t.Error("there is a calendar file without a date")
	}
	v.Judge("readiness-no-date")
	v.gets(home+"/readiness.ics", http.StatusNotFound)
}

func TestStaffSeeTheSumsOfEachAccountManager(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	v.console(robin)
	e2etest.Within(t, e2etest.Patience, "the first counts", func() bool {
		v.Open("/staff/readiness")
		return v.Count("tfoot") == 1
	})
	v.Sees("Account manager", robin, casey, "Together")
	v.Judge("console-readiness")
}
