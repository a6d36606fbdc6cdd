package e2e_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// route is one line of "keyturn routes --json".
type route struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	For    string   `json:"for"`
	States []string `json:"states"`
}

func routesOf(t *testing.T, p *e2etest.Product) []route {
	t.Helper()
	var all []route
	if err := json.Unmarshal([]byte(p.MustRun(t, "routes", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the product lists no route")
	}
	return all
}

var style = regexp.MustCompile(`/static/[a-z0-9.-]+\.css`)

// address is an address that a route serves: its wild cards are filled in.
func (r route) address(t *testing.T, v *e2etest.Visitor) string {
	t.Helper()
	switch {
	case strings.HasSuffix(r.Path, "/{$}"):
		return strings.TrimSuffix(r.Path, "{$}")
	case strings.HasSuffix(r.Path, "/static/{file}"):
		// Whoever is led on from the sign-in reads another page for its styles.
		if found := style.FindString(v.Get(t, "/signin").Body + v.Get(t, "/help/xero").Body); found != "" {
			return found
		}
		return "/static/none.css"
	case strings.HasSuffix(r.Path, "/help/{guide}"):
		return "/help/xero"
	}
	filled := objects.Replace(r.Path)
	if strings.Contains(filled, "{") {
		t.Fatalf("the test does not know how to fill in %s", r.Path)
	}
	return filled
}

// objects fill in what a route is about: things that are not there.
var objects = strings.NewReplacer(
	"{site}", absent, "{user}", absent, "{recovery}", absent, "{request}", absent, "{proposal}", absent, "{webhook}", absent, "{token}", "no-such-token", "{method}", absent,
	"{ref}", absent, "{user_ref}", absent, "{provider}", "twilio", "{rest...}", "no-such-secret",
)

const absent = "0199f000-0000-7000-8000-000000000000"

// quiet says that a route answers 404 to somebody who has nothing to do with it, or about
// what is not there.
func (r route) quiet() bool {
	return strings.Contains(r.Path, "{") || strings.HasPrefix(r.Path, "/hooks/") || strings.HasPrefix(r.Path, "/.keyturn/") || strings.HasSuffix(r.Path, "/options") || strings.HasSuffix(r.Path, "/begin")
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodTrace, "PROPFIND",
}

func TestTheProductServesTheRoutesThatItListsAndNoOther(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		v, listed := p.Visitor(t), map[string]bool{}
		all := routesOf(t, p)
		for _, r := range all {
			listed[r.Method+" "+r.address(t, v)] = true
		}
		for _, r := range all {
			for _, method := range methods {
				at := r.address(t, v)
				page := v.Do(t, v.Request(t, method, at, nil))
				known := listed[method+" "+at] || (method == http.MethodHead && listed["GET "+at])
				missing := page.Status == http.StatusNotFound || page.Status == http.StatusMethodNotAllowed
				if known == missing && (!known || !r.quiet()) {
					t.Errorf("%s %s is answered %d; listed: %v", method, at, page.Status, known)
				}
			}
		}
		for _, stray := range []string{
			"/admin", "/staff/nothing", "/api/v1/users", "/metrics", "/debug/pprof/", "/demo", "/demo/inbox.json", "/signin/", "/signin/code/",
			"/me/", "//me", "/Me", "/static/", "/static/../keyturn.keys", "/.git/config", "/keyturn.db", "/help/nothing", "/signin/token",
		} {
			if page := v.Get(t, stray); page.Status != http.StatusNotFound && page.Status != http.StatusTemporaryRedirect && page.Status != http.StatusMovedPermanently {
				t.Errorf("GET %s is answered %d", stray, page.Status)
			} else if to := page.Header.Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
				t.Errorf("GET %s leads to %s", stray, to)
			}
		}
	})
}

func TestEveryLinkAndFormOfThePagesIsAListedRoute(t *testing.T) {
	t.Parallel()
	target := regexp.MustCompile(`(?:href|action|src)="([^"]+)"`)
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		code := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		for _, path := range []string{"/signin", "/signin/code", "/signin/method", "/reset", "/help", "/help/xero", "/signedout", "/none"} {
			pat.Get(t, path)
		}
		pat.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		pat.Get(t, "/me")
		routes := routesOf(t, p)
		for _, found := range target.FindAllStringSubmatch(pat.Seen(), -1) {
			to, _, _ := strings.Cut(found[1], "#")
			if to == "" || strings.HasPrefix(to, "mailto:") || strings.HasPrefix(to, "tel:") {
				continue
			}
			if !slices.ContainsFunc(routes, func(r route) bool { return r.matches(to) }) {
				t.Errorf("a page points to %s, which is no route", to)
			}
		}
	})
}

func (r route) matches(path string) bool {
	pattern := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSuffix(r.Path, "{$}")), `[^/]+`)
	return regexp.MustCompile("^" + pattern + "$").MatchString(path)
}

func TestAPendingSignInHasNoPowerButToGoOnOrGiveUp(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		code := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		// What a pending sign-in may do: what the list says. Giving up comes last.
		routes, allowed := routesOf(t, p), map[string]bool{}
		for _, r := range routes {
			allowed[r.Method+" "+r.Path] = slices.Contains(r.States, "attempt")
			if r.Method == http.MethodGet {
				allowed[http.MethodHead+" "+r.Path] = allowed[r.Method+" "+r.Path]
			}
		}
		for _, r := range routes {
			for _, method := range methods {
				if r.Path == "/signout" && method == http.MethodPost {
					continue
				}
				request := pat.Request(t, method, r.address(t, pat), nil)
				if method == http.MethodPost {
					request = pat.Request(t, method, r.address(t, pat), e2etest.Form("site", "0198a1b2-0000-7000-8000-000000000000"))
				}
				request.Header.Set("Authorization", "Bearer "+pat.Cookie(t, e2etest.AttemptCookie))
				page := pat.Do(t, request)
				if !allowed[method+" "+r.Path] && !leadsToDoor(t, pat, page) {
					t.Errorf("%s %s is answered %d to %q in a pending sign-in", method, r.Path, page.Status, page.Header.Get("Location"))
				}
				if c := page.Cookie(e2etest.SessionCookie); c != nil && c.Value != "" {
					t.Errorf("%s %s gave a session to a pending sign-in", method, r.Path)
				}
				if strings.Contains(page.Body, e2etest.Pat) {
					t.Errorf("%s %s shows the person's page to a pending sign-in", method, r.Path)
				}
			}
		}
		pat.Get(t, "/me").Leads(t, "/signin")

		// Its token is no session's, and a code alone opens nothing.
		thief := p.Visitor(t)
		thief.Plant(t, e2etest.SessionCookie, pat.Cookie(t, e2etest.AttemptCookie))
		thief.Get(t, "/me").Leads(t, "/signin")
		stranger := p.Visitor(t)
		for _, path := range []string{"/signin/code", "/signin/method", "/signin/site"} {
			stranger.Post(t, path, "code", code, "method", "email", "site", "x").Leads(t, "/signin?ended=1")
		}
		for _, path := range []string{"/signin/code", "/signin/method", "/signin/site"} {
			stranger.Get(t, path).Leads(t, "/signin?ended=1")
		}
		if in(t, stranger) {
			t.Error("the second step without the first opened a session")
		}

		pat.Post(t, "/signout").Leads(t, "/signedout")
		pat.Post(t, "/signin/code", "code", code).Leads(t, "/signin?ended=1")
		if in(t, pat) {
			t.Error("a code opened a sign-in that was given up")
		}
	})
}

// leadsToDoor says whether an answer is nothing, or leads to where people sign in.
func leadsToDoor(t *testing.T, v *e2etest.Visitor, page e2etest.Answer) bool {
	t.Helper()
	for range 3 {
		if page.Status == http.StatusNotFound || page.Status == http.StatusMethodNotAllowed {
			return true
		}
		to := page.Header.Get("Location")
		if page.Status != http.StatusSeeOther || to == "" {
			return false
		}
		if strings.HasPrefix(to, "/signin") && to != "/signin/more" && to != "/signin/locked" {
			return true
		}
		page = v.Get(t, to)
	}
	return false
}
