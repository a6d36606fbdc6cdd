package e2e_test

import (
	"net/http"
	"testing"

	"keyturn/e2e/e2etest"
)

// connect presses the desk's button that connects a site to Xero, in a browser of its own.
func connect(t *testing.T, demo *e2etest.Demo, site string) {
	t.Helper()
	desk := visit(t, demo)
	desk.Open("/demo")
	desk.Click(site)
	desk.PressAt("Connect to Xero", site)
}

func TestALiveSessionMeetsTheSecondStepAsSoonAsItsSiteIsConnected(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()

	v.password(jordan)
	v.At("/me")
	v.Sees("your password")
	connect(t, demo, free)

	v.Open("/me")
	v.At("/signin/more")
	v.Sees("One more step", free+" is now connected to Xero")
	v.Judge("more")
	had := len(demo.Messages(t, jordan))
	v.Press("Send me the code")
	v.At("/signin/code")
	v.Fill("code", demo.NextCode(t, jordan, had))
	v.Press("Sign in")
	v.At("/me")
	v.Sees("your password and a code by email")
}

func TestALockedSessionGoesOnWithThePassword(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()

	v.signIn(kim)
	demo.Advance(t, "31m")
	v.Open("/me")
	v.At("/signin/locked")
	v.Sees("Locked while you were away", "Kim Doyle")
	v.Judge("locked")

	v.Fill("password", "not the password")
	if status := v.Press("Unlock"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password was answered with %d", status)
	}
	v.Sees("That password is not right")
	v.Judge("locked-wrong")

	v.Fill("password", demo.Password)
	v.Press("Unlock")
	v.At("/me")
	v.Sees("Kim Doyle", "your password and a code by email")
}

// sessions is how many sign-ins the person's own page lists; everybody begins with none.
func sessions(v visitor) int {
	v.t.Helper()
	v.At("/me")
	return v.Count("[aria-labelledby=recent-h] li")
}

func TestADoubleClickOnTheRightCodeOpensOneSession(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))

	had := v.password(sam)
	v.Fill("code", v.demo.NextCode(t, sam, had))
	v.PressTwice("Sign in")
	if n := sessions(v); n != 1 {
		t.Errorf("a double click opened %d sessions", n)
	}
}

// Both forms are under way before either is answered, whichever comes first.
func TestARightCodeSentTwiceAtOnceOpensOneSession(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))

	had := v.password(sam)
	v.Fill("code", v.demo.NextCode(t, sam, had))
	e2etest.Ask[bool](v.Page, `(() => {
		const form = document.querySelector("form[action='/signin/code']");
		fetch(form.action, {method: "POST", redirect: "manual", keepalive: true, body: new URLSearchParams(new FormData(form))});
		form.requestSubmit();
		return true;
	})()`)
	v.Quiet()
	if n := sessions(v); n != 1 {
		t.Errorf("two equal forms opened %d sessions", n)
	}
}

// The first of two equal forms is answered, and its answer is lost on the way, as when a
// window closes or a network drops: the second finds the sign-in finished.
func TestAFormSentAgainAfterItsAnswerWasLostSaysWhatToDo(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))

	had := v.password(sam)
	code := v.demo.NextCode(t, sam, had)
	status := e2etest.Ask[int](v.Page, `fetch("/signin/code", {method: "POST", redirect: "manual", credentials: "same-origin",
		headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: "code=`+code+`"}).then((r) => r.status)`)
	if status != 0 { // an answer that goes elsewhere, which a script may not read
		t.Fatalf("the right code was answered with %d", status)
	}
	v.LoseCookie("keyturn")
	v.Fill("code", code)
	v.Press("Sign in")
	v.At("/signin?ended=1")
	v.Sees("Please start again")

	v.signIn(sam)
	if n := sessions(v); n != 2 {
		t.Errorf("there are %d sessions: the one that was lost and this one are expected", n)
	}
}

func TestTheBackButtonAfterASignInDoesNoHarm(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))

	v.signIn(sam)
	v.Back()
	v.At("/me") // the code's page leads on: whoever is in has nothing to do there
	v.Open("/help")
	v.Back()
	if n := sessions(v); n != 1 {
		t.Errorf("there are %d sessions", n)
	}
	v.Press("Sign out")
	v.Back()
	v.At("/signin") // a page of somebody who is out is not shown from memory
}
