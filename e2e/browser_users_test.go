package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

const (
	samsNew    = "sam.okafor@baysideauto.example"
	patsMobile = "+61491570158"
)

// setUp goes to User Setup/Maintenance from the Admin's own page, and presses the pencil
// of somebody.
func (v visitor) setUp(site, name string) {
	v.t.Helper()
	v.Open(site + "/users?find=" + strings.ReplaceAll(name, " ", "+"))
	v.Press("Edit " + name)
	v.Sees(name)
}

// settings is the address of the settings of the site of somebody who is in.
func (v visitor) settings() string {
	v.t.Helper()
	v.Open("/me")
	href := e2etest.Ask[string](v.Page, `[...document.querySelectorAll("a")].map(a => a.getAttribute("href")).find(h => h.startsWith("/sites/")) ?? ""`)
	site := regexp.MustCompile(`^/sites/[^/]+/settings`).FindString(href)
	if site == "" {
		v.t.Fatalf("no way to the settings: %s", v.Text())
	}
	return site
}

var undoLink = regexp.MustCompile(`/undo/[A-Za-z0-9_-]+`)

// The first walk of the guide: "Click the pencil icon next to the user profile you wish to
// review … delete the existing email and enter the new, valid email address. Click Save."
func TestAnEmailIsUpdatedInUserSetupAndUndone(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	v.signIn(pat)
	site := v.settings()
	v.Open(site + "/users")
	v.Sees("User Setup/Maintenance", "Sam Okafor", sam)
	v.Judge("users")
	v.Open(site + "/users?show=help")
	v.Judge("users-help")
	v.Open(site + "/users?find=nobody+of+that+name")
	v.Judge("users-none")
	v.setUp(site, "Sam Okafor")
	v.Sees("How Sam signs in", "Required for Xero")
	v.Judge("user")
	// Pat's proof is not the strongest that Pat has: what was typed is kept.
	v.Fill("email", samsNew)
	if status := v.Press("Save"); status != http.StatusForbidden {
		t.Errorf("without a fresh proof it was answered with %d", status)
	}
	v.Sees("First show that it is you", "Nothing is saved yet")
	if kept := e2etest.Ask[string](v.Page, `document.getElementById("email").value`); kept != samsNew {
		t.Errorf("what was typed is %q now", kept)
	}
	v.Judge("user-proof")
	v.provesBySMS()
	v.setUp(site, "Sam Okafor")

	v.Fill("email", "sam.okafor@gmial.example")
	if status := v.Press("Save"); status != http.StatusUnprocessableEntity {
		t.Errorf("a slip was answered with %d", status)
	}
	v.Sees("Did you mean sam.okafor@gmail.example?")
	v.Judge("user-slip")
	v.Fill("email", kim)
	v.Press("Save it all the same")
	v.Sees("signs in with this address here")
	v.Judge("user-taken")
	had := len(demo.Messages(t, sam))
	v.Fill("email", samsNew)
	v.Press("Save")
	v.Sees("From now on Sam signs in with "+samsNew, "We have told "+sam)
	v.Judge("user-saved")

	// "After updating the email, all future login attempts must use this new address."
	there := visit(t, demo)
	there.password(sam)
	there.At("/signin")
	there.Open("/signin")
	there.signIn(samsNew)
	there.Sees("Sam Okafor")

	var link string
	e2etest.Until(t, "the old address is told", func() bool {
		for _, m := range demo.Messages(t, sam)[:max(0, len(demo.Messages(t, sam))-had)] {
			if found := undoLink.FindString(m.Text); found != "" {
				link = found
			}
		}
		return link != ""
	})
	old := visit(t, demo)
	old.NeedAxe()
	old.Open(link)
	old.Sees("Undo the change of your login?", sam)
	old.Judge("undo")
	old.Press("It was not right: undo it")
	old.Sees("It is undone")
	old.Judge("undone")
	there.Open("/me")
	there.At("/signin")
	there.password(samsNew)
	there.At("/signin")
	demo.Advance(t, "2m")
	there.signIn(sam)
}

// The second walk: "Click the pencil icon next to the user. Enter a valid mobile phone
// number into the appropriate field. Click Save."
func TestAMobileIsAddedInUserSetupAndGetsTheCode(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	v.signIn(pat)
	v.provesBySMS()
	site := v.settings()
	v.setUp(site, "Rob Hale")
	v.Fill("mobile", "07 3221 0000")
	if status := v.Press("Save"); status != http.StatusUnprocessableEntity {
		t.Errorf("a landline was answered with %d", status)
	}
	v.Judge("user-landline")
	v.Fill("mobile", "0491 570 006")
	v.Press("Save")
	v.Sees("It is saved")
	if shown := e2etest.Ask[string](v.Page, `document.getElementById("mobile").value`); shown != "+61 491 570 006" {
		t.Errorf("the field shows %q", shown)
	}

	had := len(demo.Messages(t, "+61491570006"))
	there := visit(t, demo)
	there.password(rob)
	if there.Path() != "/signin/code" || !strings.Contains(there.Text(), "006") {
		there.turn("sms")
	}
	there.Fill("code", demo.NextCode(t, "+61491570006", had))
	there.Press("Sign in")
	there.At("/me")
	there.Sees("Rob Hale")
}

func TestWhoHasLeftIsSignedOutAtOnce(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	theirs := visit(t, demo)
	theirs.signIn(kim)
	v.signIn(pat)
	v.provesBySMS()
	site := v.settings()
	v.setUp(site, "Kim Doyle")
	v.Press("Kim has left")
	v.Judge("left")
	v.Press("Kim has left")
	v.Sees("Kim Doyle has left")
	v.Judge("left-done")
	theirs.Open("/me")
	theirs.At("/signin")
}
