package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// The vendor's people of the demo: robin manages most sites, casey two, devon none.
const (
	robin = "robin.ellery@vendor.example"
	casey = "casey.marsh@vendor.example"
	devon = "devon.hart@vendor.example"
)

// shown is the code of a staff's authenticator, as the demo's desk shows it.
func (v visitor) shown(email string) string {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.demo.URL+"/demo/authenticator", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	var apps []struct{ Email, Digits string }
	if err := json.NewDecoder(w.Body).Decode(&apps); err != nil {
		v.t.Fatal(err)
	}
	for _, app := range apps {
		if app.Email == email {
			return app.Digits
		}
	}
	v.t.Fatalf("%s has no authenticator", email)
	return ""
}

// console signs a member of staff in, and opens the console.
func (v visitor) console(email string) {
	v.t.Helper()
	v.password(email)
	v.At("/signin/code")
	v.Fill("code", v.shown(email))
	v.Press("Sign in")
	v.At("/me")
	v.Open("/staff")
}

func TestStaffCallTheirSitesOpenAnotherAndEndAColleagueTogether(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	robins, caseys, devons := visit(t, demo), visit(t, demo), visit(t, demo)
	robins.NeedAxe()
	robins.Open("/demo/authenticator")
	robins.Judge("demo-authenticator")
	robins.console(robin)
	robins.Judge("console-home")
	robins.Press("My sites")
	robins.At("/staff/sites")
	robins.Sees("Bayside Auto", "Pat Chen", "need help")
	robins.Judge("console-sites")
	robins.Press("Bayside Auto")
	robins.Sees("p••@baysideauto.example", "Mail to the address comes back")
	robins.Judge("console-site")
	if strings.Contains(robins.Text(), "pat@baysideauto.example") {
		t.Error("the page of a site shows a whole address")
	}
	robins.Press("Show the numbers to call")
	robins.Sees("pat@baysideauto.example")
	robins.Judge("console-call")

	had := len(demo.Messages(t, pat))
	caseys.console(casey)
	caseys.Open("/staff/sites")
	if strings.Contains(caseys.Text(), "Bayside Auto") {
		t.Error("Casey sees a site that is Robin's")
	}
	caseys.Fill("ref", "ws-1001")
	caseys.Fill("reason", "short")
	if status := caseys.Press("Open it"); status != http.StatusUnprocessableEntity {
		t.Errorf("a short reason was answered with %d", status)
	}
	caseys.Judge("console-open-refused")
	caseys.Fill("reason", "Pat called about a lost phone")
	caseys.Press("Open it")
	caseys.Sees("Bayside Auto", "Open to you until", "Pat called about a lost phone")
	e2etest.Until(t, "the notice to Pat", func() bool {
		all := demo.Messages(t, pat)
		return len(all) > had && strings.Contains(all[0].Text, "Casey Marsh") && strings.Contains(all[0].Text, "lost phone")
	})
	caseys.Fill("parts", "100")
	caseys.Fill("reference", "INV-2041")
	caseys.Press("Add them")
	caseys.Sees("The SMS are added", "340 available")
	caseys.Fill("parts", "100")
	caseys.Fill("reference", "INV-2041")
	if status := caseys.Press("Add them"); status != http.StatusUnprocessableEntity {
		t.Errorf("the same reference was answered with %d", status)
	}
	caseys.Judge("console-topup-counted")
	caseys.Open("/staff/delivery")
	caseys.Sees("email: inbox", "Codes typed in time")
	caseys.Judge("console-delivery")

	devons.console(devon)
	devons.Open("/staff/sites")
	devons.Sees("No site is given to you yet")
	devons.Judge("console-sites-none")
	caseys.Open("/staff/people")
	caseys.Click("End as staff Devon Hart")
	caseys.Judge("console-people")
	caseys.Fill(e2etest.Ask[string](caseys.Page, `document.querySelector("details[open] input[type=text]").id`), "Devon has left the company")
	caseys.Press("Propose it")
	caseys.Sees("It is proposed")
	caseys.Open("/staff")
	caseys.Sees("End Devon Hart as a member of staff", "Devon has left the company")
	if strings.Contains(caseys.Text(), "Confirm End Devon Hart") {
		t.Error("whoever proposes may confirm")
	}
	robins.Open("/staff")
	robins.Judge("console-second")
	robins.Press("Confirm End Devon Hart as a member of staff")
	robins.Sees("Confirmed, and done")
	e2etest.Until(t, "the end of Devon's session", func() bool { devons.Open("/staff"); return devons.Path() != "/staff" })
	devons.password(devon)
	if strings.Contains(devons.Path(), "/signin/code") {
		t.Error("Devon still gets to the second step")
	}
}

func TestStaffMakeTheEvidenceOfTheSitesThatAreGivenToThem(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	robins, devons := visit(t, demo), visit(t, demo)
	robins.NeedAxe()
	robins.console(robin)
	robins.Press("Evidence")
	robins.At("/staff/evidence")
	robins.Sees("sites that are given to you", "audit trail of each of these sites", "keyturn evidence verify")
	robins.Judge("console-evidence")
	const take = `((from, until) => { const x = new XMLHttpRequest(); x.open("POST", "/staff/evidence", false);
		x.setRequestHeader("Content-Type", "application/x-www-form-urlencoded"); x.send("from=" + from + "&until=" + until);
		return [x.status, x.getResponseHeader("Content-Type"), x.getResponseHeader("Cache-Control"), x.responseText.slice(0, 2)].join(" ") })`
	if got := e2etest.Ask[string](robins.Page, take+`("", "")`); got != "200 application/zip no-store PK" {
		t.Errorf("the pack was answered with %q", got)
	}
	if got := e2etest.Ask[string](robins.Page, take+`("2026-02-01", "2026-01-01")`); !strings.HasPrefix(got, "422 text/html") {
		t.Errorf("days in the wrong order were answered with %q", got)
	}
	devons.console(devon)
	devons.Open("/staff/evidence")
	devons.Sees("No site is given to you yet")
	devons.Judge("console-evidence-none")
	if got := e2etest.Ask[string](devons.Page, take+`("", "")`); !strings.HasPrefix(got, "422 text/html") {
		t.Errorf("somebody without a site was answered with %q", got)
	}
}
