package e2e_test

import (
	"net/http"
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
	v.gets(home+"/readiness", http.StatusOK)
	v.Sees("Readiness", "sure to get in on the day", "2FA is asked from", "Calendar file")
	v.Sees("What real sign-ins say", "1 of them would have been stopped", "Would have been stopped: ", "Now: Needs help")
	v.Judge("readiness")
	v.gets(home+"/readiness/poster", http.StatusOK)
	v.Sees("A code, besides your password", "Check your email", "Questions? Ask")
	v.Judge("poster")
	v.gets(home+"/readiness", http.StatusOK)
	v.Press("Remind 2 people")
	v.Sees("reminded")
	v.Judge("readiness-reminded")
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
