package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// Staff register a product in the console; somebody comes from it, signs in with two steps,
// and is led back by the browser, across the policy that no form of ours leads elsewhere.
func TestAProductThatStaffRegisteredHasSomebodyLedBackByTheBrowser(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "<!doctype html><title>Product</title><p>The product has %d letters of a code, state %s</p>", len(r.FormValue("code")), url.QueryEscape(r.FormValue("state")))
	}))
	t.Cleanup(product.Close)
	caseys, sams := visit(t, demo), visit(t, demo)
	caseys.NeedAxe()
	caseys.console(casey)
	caseys.Open("/staff/clients")
	caseys.Sees("Workshop Mobile", "com.example.workshop:/signed-in")
	caseys.Judge("console-clients")
	caseys.Fill("name", "The product")
	caseys.Fill("redirects", "http://product.example/cb")
	if status := caseys.Press("Register"); status != http.StatusUnprocessableEntity {
		t.Errorf("an address in the clear was answered with %d", status)
	}
	caseys.Sees("An address is https")
	caseys.Judge("console-clients-refused")
	caseys.Fill("redirects", product.URL+"/cb")
	caseys.Press("Register")
	caseys.Sees("Done: The product", "ktc_", "shown this once")
	caseys.Judge("console-clients-secret")
	which := e2etest.Ask[string](caseys.Page, `document.querySelector("pre.copy").textContent`)

	from := "/oauth/authorize?" + url.Values{
		"client_id": {which}, "redirect_uri": {product.URL + "/cb"}, "response_type": {"code"}, "scope": {"openid sites"}, "state": {"s1"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}, "login_hint": {sam},
	}.Encode()
	had := len(demo.Messages(t, sam))
	sams.Open(from)
	sams.Fill("password", demo.Password) // the name is there already
	sams.Press("Sign in")
	sams.At("/signin/code")
	sams.Fill("code", demo.NextCode(t, sam, had))
	sams.Press("Sign in")
	sams.Await("The product has 43 letters of a code, state s1")

	// A stronger proof, asked on a page of ours, and then the way out.
	had = len(demo.Messages(t, sam))
	sams.Open(from + "&max_age=0&acr_values=urn:keyturn:2")
	sams.Fill("password", demo.Password)
	sams.Press("Sign in")
	sams.At("/signin/code")
	sams.Fill("code", demo.NextCode(t, sam, had))
	sams.Press("Sign in")
	sams.Await("The product has 43 letters")
	sams.Open("/oauth/authorize?client_id=" + which)
	sams.Sees("This sign-in cannot go on")
	sams.Judge("oidc-refused")
	sams.Open("/oauth/logout")
	sams.Sees("Sign out?")
	sams.Judge("oidc-logout")
	sams.Press("Sign out")
	sams.At("/signedout")

	// Somebody whose sign-in asks for the password alone proves more for the product.
	erins := visit(t, demo)
	erins.NeedAxe()
	erins.password(erin)
	erins.At("/me")
	had = len(demo.Messages(t, erin))
	erins.Open(from + "&acr_values=urn:keyturn:2")
	erins.Sees("The product asks for it")
	erins.Judge("oidc-stepup")
	erins.Press("Continue")
	erins.At("/signin/code")
	erins.Fill("code", demo.NextCode(t, erin, had))
	erins.Press("Sign in")
	erins.Await("The product has 43 letters")
}
