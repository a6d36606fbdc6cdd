package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"keyturn/e2e/e2etest"
)

// More people of the demo.
const (
	ana = "ana@baysideauto.example" // invoices at a Xero site, with the mailbox alone
	rob = "rob.hale@mail.example"   // mechanic there whom nothing reaches
)

const anasPhone = "Ana's phone"

var setupKey = regexp.MustCompile(`[A-Z2-7]{4}( [A-Z2-7]{4}){7}`)

// authenticator is an app on somebody's phone.
type authenticator struct {
	t    *testing.T
	key  string
	demo *e2etest.Demo
}

// shows is the code that the app shows by the demo's clock.
func (a authenticator) shows() string {
	a.t.Helper()
	digits, err := totp.GenerateCode(strings.ReplaceAll(a.key, " ", ""), a.demo.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	return digits
}

// scans reads the key of the page that sets an authenticator up.
func (v visitor) scans() authenticator {
	v.t.Helper()
	key := setupKey.FindString(e2etest.Ask[string](v.Page, `document.querySelector(".key")?.textContent ?? ""`))
	if key == "" {
		v.t.Fatalf("no key on the page: %s", v.Text())
	}
	return authenticator{v.t, key, v.demo}
}

func TestAPasskeyIsAddedAndSignsInAlone(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	v.HasPasskeys()
	v.signIn(ana)
	v.Press("My security")
	v.At("/me/security")
	v.Judge("security")
	v.Press("Add a passkey")
	v.At("/me/security/add/passkey")
	v.Judge("security-passkey")
	v.Fill("name", anasPhone)
	v.Touch(func() { v.Click("Create the passkey"); v.Await("It is set up") })
	v.At("/me/security?done=added")
	v.Sees("It is set up", anasPhone)
	v.Judge("security-added")
	v.Open("/me")
	v.Press("Sign out")
	v.Open("/signin")
	v.Judge("signin-passkey")
	v.Touch(func() { v.Click("Sign in with a passkey"); v.Await("Ana Silva") })
	v.At("/me")
	v.Sees("Ana Silva", "a passkey")
}

func TestAnAuthenticatorIsAddedAndItsCodeWorksOnceAnywhere(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	v.signIn(ana)
	v.Open("/me/security")
	v.Press("Add an authenticator")
	v.At("/me/security/add/totp")
	v.Judge("security-totp")
	app := v.scans()
	v.Fill("code", wrongCode(app.shows()))
	if status := v.Press("Finish"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code was answered with %d", status)
	}
	v.Fill("name", anasPhone)
	v.Fill("code", app.shows())
	v.Press("Finish")
	v.At("/me/security?done=added")
	v.Sees("It is set up", anasPhone)
	v.Open("/me")
	v.Press("Sign out")
	demo.Advance(t, "2m")

	v.password(ana)
	v.turn("totp")
	v.Judge("code-totp")
	digits := app.shows()
	v.Fill("code", digits)
	v.Press("Sign in")
	v.At("/me")
	v.Sees("an authenticator")

	there := visit(t, demo)
	there.password(ana)
	there.turn("totp")
	there.Fill("code", digits)
	if status := there.Press("Sign in"); status != http.StatusUnprocessableEntity {
		t.Errorf("the same code at another place was answered with %d", status)
	}
	there.Judge("code-totp-wrong")
}

// turn goes to another way, by the page that lists them.
func (v visitor) turn(method string) {
	v.t.Helper()
	v.Open("/signin/method")
	v.PressNamed("method", method)
	v.At("/signin/code")
}

func TestARecoveryCodeSignsInOnce(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	v.signIn(ana)
	v.Open("/me/security")
	v.Press("Make recovery codes")
	v.At("/me/security/codes")
	v.Judge("security-codes")
	v.Press("Show me ten codes")
	v.Judge("security-codes-shown")
	codes := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindAllString(v.Text(), -1)
	if len(codes) != 10 {
		t.Fatalf("%d codes: %s", len(codes), v.Text())
	}
	v.Press("I have kept them")
	v.Open("/me")
	v.Press("Sign out")
	for n, want := range []int{http.StatusOK, http.StatusUnprocessableEntity} {
		demo.Advance(t, "1m")
		v.password(ana)
		v.turn("recovery")
		if n == 0 {
			v.Judge("code-recovery")
		}
		v.Fill("code", strings.ToLower(codes[4]))
		if status := v.Press("Sign in"); status != want {
			t.Errorf("use %d was answered with %d", n+1, status)
		}
		if n == 0 {
			v.At("/me")
			v.Press("Sign out")
		}
	}
}

func TestSomebodyStuckIsLetInByAnAdminOnThePhone(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	v.Open("/signin")
	v.Fill("email", rob)
	v.Fill("password", demo.Password)
	v.Press("Sign in")
	v.At("/signin/code")
	v.Judge("stuck")
	v.Press("Ask Pat Chen to let me in")
	v.At("/signin/ask")
	v.Judge("ask-waiting")
	number := e2etest.Ask[string](v.Page, `document.querySelector(".tell b").textContent`)

	admin := visit(t, demo)
	admin.View(e2etest.Phone, e2etest.Light)
	admin.signIn(pat)
	admin.Open(admin.approvals())
	admin.Judge("approvals")
	admin.provesBySMS()
	admin.Open(admin.approvals())
	admin.Fill(e2etest.Ask[string](admin.Page, `document.querySelector("input[name=number]").id`), number)
	admin.Press("Let Rob Hale in")
	admin.Sees("Rob Hale can add a new way now")
	admin.Judge("approved")

	v.Open("/signin/ask")
	v.enrols(demo, rob)
}

// approvals is the address of the page of who waits, at the site of the session.
func (v visitor) approvals() string {
	v.t.Helper()
	path := e2etest.Ask[string](v.Page, `document.querySelector('a[href*="/settings/approvals"]')?.getAttribute("href") || ""`)
	if path == "" {
		v.t.Fatalf("no way to the approvals: %s", v.Text())
	}
	return path
}

// provesBySMS passes the strongest way once more, a code to a mobile.
func (v visitor) provesBySMS() {
	v.t.Helper()
	const number = patsMobile
	had := len(v.demo.Messages(v.t, number))
	v.Open("/me/prove?change=other_change&next=/me")
	v.Press("Go on")
	v.At("/signin/code")
	v.Fill("code", v.demo.NextCode(v.t, number, had))
	v.Press("Sign in")
	v.At("/me")
}

// enrols adds an authenticator in an enrol-only session and signs in with it. Nothing
// else opens in between.
func (v visitor) enrols(demo *e2etest.Demo, email string) {
	v.t.Helper()
	if v.Path() == "/signin/ask" {
		v.Press("Go on")
	}
	v.At("/signin/enrol")
	v.Judge("enrol")
	for _, path := range []string{"/me", "/me/security", "/me/security/add/totp"} {
		v.Open(path)
		v.At("/signin")
	}
	v.Open("/signin/enrol")
	v.PressNamed("method", "totp")
	v.At("/signin/enrol/totp")
	v.Judge("enrol-totp")
	app := v.scans()
	v.Fill("code", app.shows())
	v.Press("Finish")
	v.Judge("enrol-done")
	v.Open("/me")
	v.At("/signin")
	demo.Advance(v.t, "2m")
	v.Open("/signin")
	v.Fill("email", email)
	v.Fill("password", demo.Password)
	v.Press("Sign in")
	v.At("/signin/code")
	v.Fill("code", app.shows())
	v.Press("Sign in")
	v.At("/me")
	v.Sees("an authenticator")
}

func TestSomebodyStuckIsLetInByAHelpCode(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	admin := visit(t, demo)
	admin.NeedAxe()
	admin.signIn(pat)
	admin.provesBySMS()
	admin.Open(strings.Replace(admin.approvals(), "/approvals", "/help-codes", 1))
	admin.Judge("help-codes")
	admin.Press("Rob Hale")
	admin.Judge("help-code")
	code := regexp.MustCompile(`[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}`).FindString(admin.Text())

	v := visit(t, demo)
	v.Open("/signin")
	v.Fill("email", rob)
	v.Fill("password", demo.Password)
	v.Press("Sign in")
	v.Open("/signin/help")
	v.Judge("help-code-typed")
	v.Fill("code", "AAA-AAA-AAA")
	if status := v.Press("Go on"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong help code was answered with %d", status)
	}
	v.Fill("code", code)
	v.Press("Go on")
	v.enrols(demo, rob)
}
