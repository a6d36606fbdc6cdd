package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestTheRolloutIsReadPausedLetGoOnAndRolledBackByTwo(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	robins, caseys, wades := visit(t, demo), visit(t, demo), visit(t, demo)
	wades.password(wade) // at Northside Tyres, where a code could not reach them
	wades.At("/me")
	robins.NeedAxe()
	robins.console(robin)
	robins.Press("Rollout")
	robins.At("/staff/rollout")
	robins.Sees("2FA for Xero users", "Running", "Pilot", "Second wave", "New Zealand", "All asked", "in no wave")
	robins.Judge("rollout-board")

	robins.Press("List its sites Second wave")
	robins.Sees("Sites of the wave Second wave", "Northside Tyres", "4:00 am")
	robins.Judge("rollout-sites")
	robins.Press("No proved Admin")
	robins.Sees("No site is like that")
	robins.Judge("rollout-sites-none")
	robins.Press("All")
	robins.Press("Northside Tyres")
	robins.Sees("Give it more time", "Days on which it is closed", "1 person signed in: 1 would have been asked, and 1 would have been stuck")
	if strings.Contains(robins.Text(), "Wade") {
		t.Error("the rollout's page of a site, which all of the staff may read, names somebody there")
	}
	robins.Judge("rollout-site")
	site := robins.Path()
	robins.Press("Open the site’s page")
	robins.Sees("What real sign-ins say", "Wade Pickering", "Would have been stuck: ", "Now: Needs help")
	robins.Judge("console-site-rehearsed")
	robins.Open(site)
	robins.Fill("reason", "no")
	if status := robins.Press("Give more time"); status != http.StatusUnprocessableEntity {
		t.Errorf("more time with no day was answered with %d", status)
	}
	robins.Judge("rollout-site-refused")
	robins.Fill("closed", "2031-12-29, 2031-12-30")
	robins.Press("Save the days")
	robins.Sees("The days are saved")

	robins.Open("/staff/rollout")
	robins.Press("Pause it now")
	robins.Sees("The rollout is paused", "Robin Ellery paused it", "Date taken out")
	robins.Judge("rollout-paused")
	robins.Open("/staff/rollout/sites?wave=2")
	robins.Sees("None: the rollout is paused")
	robins.Open("/staff/rollout")
	robins.Press("Let it go on")
	robins.Sees("The rollout goes on", "Running")

	robins.Click("Roll it back Pilot")
	robins.Fill("reason-1", "Their mail server refuses every code")
	robins.Press("Propose to roll back")
	robins.Sees("It is proposed", "waits for a second person")
	robins.Judge("rollout-proposed")
	caseys.console(casey)
	caseys.Sees("Roll back the wave Pilot", "Their mail server refuses every code")
	caseys.Judge("rollout-second")
	caseys.Press("Confirm Roll back the wave Pilot")
	caseys.Sees("Confirmed, and done")
	e2etest.Until(t, "the roll back", func() bool {
		caseys.Open("/staff/rollout/sites?wave=1")
		return strings.Contains(caseys.Text(), "None: its wave was rolled back")
	})
	e2etest.Until(t, "the mail to the Admin of the site", func() bool {
		all := demo.Messages(t, "jordan@hillsideairport.example")
		return len(all) > 0 && strings.Contains(all[0].Text, "2FA is not required at Hillside Motors Airport for now")
	})
	caseys.Open("/staff/rollout")
	caseys.Sees("Rolled back")
	caseys.Judge("rollout-back")
	caseys.Open("/staff/rollout/plan")
	caseys.At("/staff/rollout") // a plan is made before the start alone
}

func TestWhoeverIsNoStaffHasNoRollout(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	pats := visit(t, demo)
	pats.signIn(pat)
	for _, path := range []string{"/staff/rollout", "/staff/rollout/plan", "/staff/rollout/sites", "/staff/rollout/sites/01890000-0000-7000-8000-000000000000"} {
		if status := pats.Open(path); status != http.StatusNotFound {
			t.Errorf("%s answers an Admin with %d", path, status)
		}
	}
}
