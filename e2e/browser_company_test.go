package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"keyturn/e2e/e2etest"
)

// helpPictures names the environment variable that has the guides' pictures written.
const helpPictures = "KEYTURN_TEST_HELP_PICTURES"

// choose picks one of several by the id of its field.
func (v visitor) choose(id string) {
	v.t.Helper()
	if !e2etest.Ask[bool](v.Page, `(() => { const f = document.getElementById("`+id+`"); f?.click(); return f?.checked === true })()`) {
		v.t.Fatalf("%s: %s cannot be chosen on: %s", v.Path(), id, v.Text())
	}
}

// shot takes the picture of a page for the guides, or sees that it is there.
func (v visitor) shot(name string) {
	v.t.Helper()
	at := filepath.Join("..", "internal", "web", "help", "pictures", name+".png")
	if os.Getenv(helpPictures) == "write" {
		v.Shot(at)
	}
	const most = 90_000 // bytes: a page of help is read on a phone in a workshop
	if info, err := os.Stat(at); err != nil || info.Size() > most {
		v.t.Errorf("the guides' picture %s is missing or large: %v", name, err)
	}
}

func TestAnAdminTurnsTwoFactorOnWithAPreviewFirst(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()

	v.password(jordan)
	v.At("/me")
	v.Press("Users, company settings, groups and more")
	v.Sees("Company Settings", "Groups", "Give a help code")
	v.Judge("settings-home")
	v.shot("settings")
	home := v.Path()
	v.gets(home+"/groups", http.StatusOK)
	v.Sees("Mechanic", "Look after connections")
	v.Judge("groups")

	v.gets(home+"/company", http.StatusOK)
	v.Judge("company")
	walk(v)
	v.choose("twofa-everyone")
	v.choose("weakest-totp")
	v.Press("Preview")
	v.Sees("You would be stuck yourself.", "Alex Nguyen")
	v.Judge("company-stuck")
	v.shot("preview")
	v.Press("Change it")
	v.choose("weakest-email")
	v.Press("Preview")
	v.Sees("All of them have a way that can work.")
	v.Judge("company-preview")

	had := len(v.demo.Messages(t, jordan))
	v.Press("Save")
	v.Sees("First, is it you?")
	v.Press("Go on")
	v.Fill("code", v.demo.NextCode(t, jordan, had))
	v.Press("Sign in")
	v.Sees("Before you save", "“Off” becomes “On, enforced for all users”")
	v.Press("Save")
	v.Sees("Saved.", "turned on by Jordan Blake")
	v.shot("company")

	v.Press("I need help")
	v.At("/help/enable")
	if at := e2etest.Ask[string](v.Page, "location.hash"); at != "#company" {
		t.Errorf("help begins at %q", at)
	}
}

func TestAtAXeroSiteThePageSaysWhoConnectedItAndNothingCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	had := v.password(pat)
	v.At("/signin/code")
	code := v.demo.NextCode(t, pat, had)
	v.shot("code")
	v.Press("Use another way")
	v.shot("ways")
	v.Open("/signin/code")
	v.Fill("code", code)
	v.Press("Sign in")
	v.At("/me")
	v.Press("Users, company settings, groups and more")
	v.gets(v.Path()+"/company", http.StatusOK)
	v.Sees("On: required for Xero", "by Pat Chen", "Not with Xero: at most daily")
	if e2etest.Ask[bool](v.Page, `document.querySelector("[name=twofa]") !== null || document.getElementById("remember-30") !== null`) {
		t.Error("what Xero holds can be chosen")
	}
	v.Judge("company-xero")
	v.gets("/me/security", http.StatusOK)
	v.shot("security")
}

func TestSomebodyWithSeveralSitesGoesToAnotherFromAnyPage(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	v.password(bev)
	v.At("/signin/site")
	v.Press(free)
	v.At("/me")
	v.gets("/me/security", http.StatusOK)
	if !e2etest.Ask[bool](v.Page, `(() => { const d = document.querySelector(".switch"); d.open = true; return d.querySelectorAll("button").length === 2 })()`) {
		t.Error("the two other sites are not there")
	}
	v.Judge("switch-open")
	e2etest.Ask[bool](v.Page, `(document.querySelector(".switch").open = true)`)
	v.Press("Northside Tyres")
	v.Sees("Northside Tyres")
}

func TestTheGuidesAreSearched(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()
	v.gets("/help", http.StatusOK)
	v.Fill("q", "new phone")
	v.Press("Search")
	v.Sees("speak")
	v.Judge("help-found")
	v.gets("/help?q=%3Cb%3Ecarburettor", http.StatusOK)
	v.Sees("Nothing found.")
	v.Judge("help-found-none")
}
