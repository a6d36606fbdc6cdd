package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// program is a program of the vendor's: no cookies, no browser.
type program struct {
	url, key string
}

func (c program) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(text)
}

// keyFor makes a key by the command.
func keyFor(t *testing.T, p *e2etest.Product, args ...string) program {
	t.Helper()
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(p.MustRun(t, append([]string{"apikey", "add", "--json"}, args...)...)), &made); err != nil || !strings.HasPrefix(made.Key, "ktk_") {
		t.Fatalf("%q, %v", made.Key, err)
	}
	return program{p.URL, made.Key}
}

// A product that reports a connection has 2FA asked of everybody who is in there, and no
// key says anything after it was revoked.
func TestAReportedConnectionAsksForTheSecondStepAndARevokedKeyIsDead(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		pat := p.Visitor(t)
		pat.Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password).Leads(t, "/me")
		pat.Get(t, "/me").Is(t, http.StatusOK)
		web := keyFor(t, p, "--name", "web", "--scope", "integrations:write", "--scope", "readiness:read", "--site", e2etest.Twin)
		at := "/api/v1/sites/" + e2etest.Twin
		if status, body := web.call(t, http.MethodGet, at+"/users/U1/banner", ""); status != http.StatusOK || !strings.Contains(body, `"show":false`) {
			t.Errorf("%d %s", status, body)
		}
		if status, body := web.call(t, http.MethodPut, at+"/integrations/xero", `{"state":"connected","connected_at":"2024-03-12T01:30:00Z","by":"Pat Ng"}`); status != http.StatusOK || !strings.Contains(body, `"changed":true`) {
			t.Fatalf("%d %s", status, body)
		}
		e2etest.Until(t, "the session to be asked for more", func() bool {
			return pat.Get(t, "/me").Header.Get("Location") == "/signin/more"
		})
		if status, body := web.call(t, http.MethodGet, at+"/users/U2/banner", ""); status != http.StatusOK || !strings.Contains(body, `"show":true`) {
			t.Errorf("%d %s", status, body)
		}
		if status, _ := web.call(t, http.MethodGet, "/api/v1/sites/"+e2etest.Connected+"/readiness", ""); status != http.StatusNotFound {
			t.Errorf("another site: %d", status)
		}
		list := p.MustRun(t, "apikey", "list")
		if !strings.Contains(list, "web") || strings.Contains(list, web.key) || strings.Contains(list, "never") {
			t.Errorf("the list: %s", list)
		}
		p.MustRun(t, "apikey", "revoke", "web")
		if status, _ := web.call(t, http.MethodGet, at+"/readiness", ""); status != http.StatusUnauthorized {
			t.Errorf("a revoked key: %d", status)
		}
		if trail := p.MustRun(t, "audit", "export", "--site", e2etest.Twin); !strings.Contains(trail, "api_key.made") || !strings.Contains(trail, "xero.connected") || strings.Contains(trail, web.key) {
			t.Error("the trail does not hold what was done, or holds the key")
		}
		if log := p.Log(); strings.Contains(log, web.key) || !strings.Contains(log, "/api/v1/sites/{ref}/integrations/xero") {
			t.Error("the log holds the key, or no line of the call")
		}
	})
}

func TestAKeyThatFetchesTokensNamesItsSites(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		for _, args := range [][]string{
			{"--name", "all", "--scope", "xero:token", "--all-sites"},
			{"--name", "none", "--scope", "xero:token"},
			{"--name", "both", "--scope", "readiness:read", "--all-sites", "--site", e2etest.Twin},
			{"--name", "other", "--scope", "everything", "--all-sites"},
		} {
			if said := p.Run(t, append([]string{"apikey", "add"}, args...)...); said.Code != 2 || strings.Contains(said.Out, "ktk_") {
				t.Errorf("%v ended with %d: %s%s", args, said.Code, said.Out, said.Err)
			}
		}
		if said := p.Run(t, "apikey", "revoke", "nobody"); said.Code != 1 {
			t.Errorf("revoking what is not there ended with %d", said.Code)
		}
		books := keyFor(t, p, "--name", "books", "--scope", "xero:token", "--site", e2etest.Connected)
		if status, body := books.call(t, http.MethodPost, "/api/v1/sites/"+e2etest.Connected+"/integrations/xero/token", ""); status != http.StatusConflict || !strings.Contains(body, `"code":"not_set_up"`) {
			t.Errorf("%d %s", status, body)
		}
	})
}

// A key is for the API: it opens no page, and nothing of a page opens the API.
func TestAKeyOpensNoPageAndASessionOpensNoOperation(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		web := keyFor(t, p, "--name", "web", "--scope", "readiness:read", "--all-sites")
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		var described []string
		for _, r := range routesOf(t, p) {
			if strings.HasPrefix(r.Path, "/api/") {
				if r.For != "anybody" {
					described = append(described, strings.ToLower(r.Method)+" "+r.Path)
					pat.Do(t, pat.Request(t, r.Method, r.address(t, pat), nil)).Is(t, http.StatusUnauthorized)
				}
				continue
			}
			if r.Method != http.MethodGet || r.For == "anybody" {
				continue
			}
			stranger := p.Visitor(t)
			request := stranger.Request(t, r.Method, r.address(t, stranger), nil)
			request.Header.Set("Authorization", "Bearer "+web.key)
			if page := stranger.Do(t, request); page.Status == http.StatusOK {
				t.Errorf("GET %s is answered to a key", r.Path)
			}
		}
		// What is listed is what is described.
		_, text := program{p.URL, ""}.call(t, http.MethodGet, "/api/v1/openapi.json", "")
		var document struct {
			Paths map[string]map[string]any
		}
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		var operations []string
		for path, all := range document.Paths {
			for method := range all {
				operations = append(operations, method+" "+path)
			}
		}
		slices.Sort(described)
		slices.Sort(operations)
		if fmt.Sprint(described) != fmt.Sprint(operations) {
			t.Errorf("listed:\n%v\ndescribed:\n%v", described, operations)
		}
	})
}
