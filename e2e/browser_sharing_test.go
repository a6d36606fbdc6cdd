package e2e_test

import (
	"net/http"
	"testing"

	"keyturn/e2e/e2etest"
)

const chris = "chris@northsidetyres.example"

// A front desk whose login three people use becomes three logins; the form loses nothing
// when the proof has grown old.
func TestAnAdminSplitsALoginThatSeveralPeopleUse(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()

	v.password(chris)
	v.At("/me")
	v.Press("Shared logins")
	v.Sees("One to look at", "Priya Nair", "This login may be used by several people", "Two computers on two different networks")
	v.Judge("shared")
	v.Press("Look at Priya Nair")
	v.Sees("Who uses this?", "It is one person")
	v.Judge("shared-one")

	v.demo.Advance(t, "6m")
	v.Fill("first1", "Ana")
	v.Fill("last1", "Silva")
	v.Fill("email1", "ana@northsidetyres")
	if status := v.Press("Ask for these logins"); status != http.StatusUnprocessableEntity {
		t.Errorf("half an address was answered with %d", status)
	}
	v.Sees("That is not an email address.")
	v.Judge("shared-wrong")
	v.Fill("email1", "ana@northsidetyres.example")
	if status := v.Press("Ask for these logins"); status != http.StatusForbidden {
		t.Errorf("an old proof was answered with %d", status)
	}
	v.Sees("First prove again that it is you")
	v.Judge("shared-prove")
	if typed := e2etest.Ask[string](v.Page, `document.querySelector("#email1").value`); typed != "ana@northsidetyres.example" {
		t.Errorf("the form holds %q", typed)
	}
}
