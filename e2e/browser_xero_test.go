package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// atXero lets the product in at the stand-in for Xero, as somebody, into all that they have.
func (v visitor) atXero(login string) {
	v.t.Helper()
	v.Press("Open Xero")
	v.Sees("Who are you at Xero?")
	v.Press(login)
	v.Sees("Let the app in?")
	e2etest.Ask[bool](v.Page, `(document.querySelectorAll("[name=organisation]").forEach(f => { f.checked = true }), true)`)
	v.Press("Allow access")
	v.Sees("You are back from Xero")
}

// proves passes the proof that an act takes, and comes back to the page.
func (v visitor) proves(email string, had int) {
	v.t.Helper()
	v.Sees("First, is it you?")
	v.Press("Go on")
	v.Fill("code", v.demo.NextCode(v.t, email, had))
	v.Press("Sign in")
}

func TestAnAdminConnectsASiteToXeroAndItBreaksAndEnds(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	const login = "Jordan Blake, " + jordan
	v.password(jordan)
	v.At("/me")
	v.Press("Users, company settings, groups and more")
	v.Press("Integrations")
	home := v.Path()
	v.Sees("Hillside Motors is not connected to Xero.")
	v.Judge("xero-free")
	walk(v)

	v.Press("Connect to Xero")
	v.Sees("Connect Hillside Motors to Xero", "All of them have a way that can work.", "Alex Nguyen")
	v.Judge("xero-ask")
	v.shot("connect")
	v.choose("when-now")
	had := len(v.demo.Messages(t, jordan))
	v.Press("Go on")
	v.proves(jordan, had)
	v.Sees("Connect Hillside Motors to Xero")
	if !e2etest.Ask[bool](v.Page, `document.getElementById("when-now").checked`) {
		t.Error("what was chosen is forgotten after the proof")
	}
	v.Press("Go on")
	v.Sees("Now to Xero")
	v.Judge("xero-go")
	v.atXero(login)
	v.Judge("xero-back")
	v.Press("Connect")
	v.Sees("Which organisation?", "Jordan Blake Family Trust")
	v.Judge("xero-choose")
	walk(v)
	v.choose("organisation-0")
	v.Press("Connect")
	v.Sees("Connected. All Admins were told.", "Hillside Motors Pty Ltd", "by Jordan Blake", "Asked of everybody in the office")
	v.Judge("xero-connected")

	v.gets("/demo?site=ws-1003", http.StatusOK)
	v.Press("Break the link to Xero Hillside Motors")
	v.Sees("Xero lets us into Hillside Motors no more")
	v.gets(strings.TrimSuffix(home, "/integrations"), http.StatusOK)
	v.Sees("The connection to Xero does not work. 2FA stays as it is.")
	v.gets(home, http.StatusOK)
	v.Sees("Xero does not let us in any more.", "Not working", "Asked of everybody in the office")
	v.Judge("xero-dead")
	e2etest.Until(t, "the warning to come", func() bool {
		for _, m := range v.demo.Messages(t, jordan) {
			if strings.Contains(m.Text, "Xero does not let us in for Hillside Motors any more") {
				return true
			}
		}
		return false
	})

	v.Press("Connect again")
	v.Sees("Nothing changes for anybody who signs in.")
	v.Judge("xero-again")
	v.Press("Go on")
	v.Sees("Hillside Motors Pty Ltd")
	v.atXero(login)
	v.Press("Connect")
	v.choose("organisation-1")
	v.Press("Connect")
	v.Sees("That is another organisation than the one this site is connected to.")
	v.choose("organisation-0")
	v.Press("Connect")
	v.Sees("Connected again.")

	v.Press("Disconnect")
	v.Sees("Disconnect from Xero", "2FA stays on for everybody in the office.")
	v.Judge("xero-end")
	v.Press("Disconnect")
	v.Sees("Disconnected. 2FA stays on", "Not connected any more", "Still asked of everybody in the office", "When that may end")
	v.Judge("xero-was")

	v.gets("/connect/xero/callback?code=x&state=y", http.StatusConflict)
	v.Sees("Nothing was connected", "Begin again.")
	v.Judge("xero-over")
}
