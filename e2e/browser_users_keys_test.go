package e2e_test

import (
	"net/http"
	"testing"

	"keyturn/e2e/e2etest"
)

// announced fails the test unless the page says in a live region what has happened, so that
// whoever cannot see it hears it, and gives what it says.
func (v visitor) announced(role string) {
	v.t.Helper()
	if n := v.Count(`main [role=` + role + `]`); n == 0 {
		v.t.Errorf("%s: nothing is announced as %s: %s", v.Path(), role, v.Text())
	}
}

// faulty fails the test unless a field is marked as wrong, and what is wrong with it is tied
// to it.
func (v visitor) faulty(id string) {
	v.t.Helper()
	words := e2etest.Ask[string](v.Page, `(() => {
		const f = document.getElementById("`+id+`");
		if (f?.getAttribute("aria-invalid") !== "true") return "";
		return (f.getAttribute("aria-describedby") ?? "").split(" ").map((i) => document.getElementById(i)?.innerText ?? "").join(" ").trim();
	})()`)
	if words == "" {
		v.t.Errorf("%s: the field %s does not say what is wrong with it: %s", v.Path(), id, v.Text())
	}
}

// The second walk of the guide without a mouse: the list, the search, the pencil, the
// number, Save.
func TestAnAdminChangesAMobileByKeyboardAlone(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	v := visit(t, demo)
	v.NeedAxe()
	v.signIn(pat)
	v.provesBySMS()
	site := v.settings()

	v.Open(site + "/users")
	v.Judge("users-keys")
	walk(v)
	v.Open(site + "/users")
	tabTo(v, "find")
	v.Type("rob hale")
	v.Enter()
	v.Sees("Rob Hale")
	walk(v)
	v.Judge("users-keys-found")
	tabTo(v, "Edit Rob Hale")
	v.Enter()
	v.Sees("How Rob signs in")
	v.Judge("user-keys")
	walk(v)

	tabTo(v, "mobile")
	v.Type("07 3221 0000")
	if status := v.Enter(); status != http.StatusUnprocessableEntity {
		t.Errorf("a landline was answered with %d", status)
	}
	v.announced("alert")
	v.faulty("mobile")
	v.Judge("user-keys-landline")
	walk(v)

	tabTo(v, "mobile") // what was typed is chosen, and typed over
	v.Type("0491 570 006")
	tabTo(v, "Save")
	v.Enter()
	v.Sees("It is saved")
	v.announced("status")
	if shown := e2etest.Ask[string](v.Page, `document.getElementById("mobile").value`); shown != "+61 491 570 006" {
		t.Errorf("the field shows %q", shown)
	}
	v.Judge("user-keys-saved")

	// What ends everything of somebody is reached by keys, too, and asks once more.
	tabTo(v, "Rob has left")
	v.Enter()
	v.Sees("Has Rob Hale left?")
	walk(v)
	tabTo(v, "Rob has left")
	v.Enter()
	v.Sees("Rob Hale has left")
	v.announced("status")
}
