package e2e_test

import (
	"net/http"
	"testing"

	"keyturn/e2e/e2etest"
)

// People of the demo, by what they are good for in a test.
const (
	pat    = "pat@baysideauto.example"        // Admin of a site connected to Xero
	sam    = "sam@baysideauto.example"        // mechanic there
	kim    = "kim@baysideauto.example"        // owner there
	luca   = "luca@baysideauto.example"       // mobile member there
	mick   = "mick.farrow@mail.example"       // mechanic there, with a full mailbox
	lee    = "workshop2@redgumdiesel.example" // mechanic whom no mail reaches, at a site whose Admin is not reached either
	jordan = "jordan@hillsidemotors.example"  // Admin of a site that is not connected
	erin   = "erin@hillsidemotors.example"    // sales there
	bev    = "bev@tallybooks.example"         // bookkeeper of three sites
	wade   = "user1207@myworkshop.invalid"    // a login name that is no address, at a preparing site
	tom    = "tom@northsidetyres.example"     // mechanic there, who never typed a code
	nigel  = "nigel@penninegarage.example"    // Admin of a site that asks everybody by its own setting
	nobody = "nobody@baysideauto.example"     // no user
	free   = "Hillside Motors"                // the site of jordan and erin
)

// visitor is a person at a browser, before a demo.
type visitor struct {
	*e2etest.Page
	t    *testing.T
	demo *e2etest.Demo
}

// visit opens a fresh browser before a demo.
func visit(t *testing.T, demo *e2etest.Demo) visitor {
	t.Helper()
	return visitor{e2etest.NewPage(t, demo.URL), t, demo}
}

// password goes to the sign-in and gives email and password there. It says how many
// messages the address had before.
func (v visitor) password(email string) (had int) {
	v.t.Helper()
	had = len(v.demo.Messages(v.t, email))
	v.Open("/signin")
	v.Fill("email", email)
	v.Fill("password", v.demo.Password)
	v.Press("Sign in")
	return had
}

// signIn goes all the way to the person's own page, through the code.
func (v visitor) signIn(email string) {
	v.t.Helper()
	had := v.password(email)
	v.At("/signin/code")
	v.Fill("code", v.demo.NextCode(v.t, email, had))
	v.Press("Sign in")
	v.At("/me")
}

// gets opens an address and fails the test for another status.
func (v visitor) gets(path string, status int) {
	v.t.Helper()
	if got := v.Open(path); got != status {
		v.t.Errorf("%s answered %d, not %d", path, got, status)
	}
}

// wrongCode is a code that is not the one given.
func wrongCode(right string) string {
	if right[0] == '9' {
		return "0" + right[1:]
	}
	return string(right[0]+1) + right[1:]
}

func TestAnAdminOfAXeroSiteSignsInWithACodeAndEveryPageOnTheWayIsSound(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()

	v.Open("/")
	v.At("/signin")
	v.Judge("signin")

	v.Fill("email", pat)
	v.Fill("password", "not the password")
	if status := v.Press("Sign in"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password was answered with %d", status)
	}
	v.Sees("That email and password do not go together")
	v.Judge("signin-wrong")

	had := v.password(pat)
	v.At("/signin/code")
	v.Sees("p••@baysideauto.example", "Bayside Auto is connected to Xero")
	code := v.demo.NextCode(t, pat, had)
	v.Await("The mail server took it")
	v.Sees("Sent by email")
	v.Judge("code")

	v.Press("Use another way")
	v.At("/signin/method")
	v.Judge("way")
	v.Press("Back to the code")

	v.Fill("code", wrongCode(code))
	if status := v.Press("Sign in"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code was answered with %d", status)
	}
	v.Sees("That code is not right. 4 tries are left.")
	v.Judge("code-wrong")

	// As people copy it from the mail: with a space in the middle.
	v.Fill("code", code[:3]+" "+code[3:])
	v.Press("Sign in")
	v.At("/me")
	v.Sees("Pat Chen", "Bayside Auto", "your password and a code by email")
	v.Judge("me")

	v.Press("Sign out")
	v.At("/signedout")
	v.Judge("signedout")
	v.Open("/me")
	v.At("/signin")
}

func TestAPersonSignsInWithScriptsTurnedOff(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.WithoutScripts()

	had := v.password(pat)
	v.At("/signin/code")
	code := v.demo.NextCode(t, pat, had)
	e2etest.Until(t, "the mail to be taken", func() bool {
		v.Open("/signin/code")
		return v.Count(".trail .is-ready") >= 2
	})
	v.Sees("The mail server took it")
	v.Fill("code", wrongCode(code))
	v.Press("Sign in")
	v.Sees("That code is not right")
	v.Press("Use another way")
	v.Press("Back to the code")
	v.Fill("code", code)
	v.Press("Sign in")
	v.At("/me")
	v.Press("Sign out")
	v.At("/signedout")
}
