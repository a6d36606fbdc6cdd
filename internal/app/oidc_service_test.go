package app_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/client"
	"keyturn/internal/id"
)

// A service acts without people, at the API, with its scopes and at its sites.
func TestAServiceCallsTheAPIByAShortTokenWithItsScopesAtItsSites(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		grant := url.Values{"grant_type": {"client_credentials"}}
		robot := w.register(client.Order{Name: "robot", Kind: client.Service, Scopes: []apikey.Scope{apikey.ReadReadiness}, Sites: []id.Site{w.free.ID}})
		got := w.token(robot, grant)
		if got.Access == "" || got.Refresh != "" || got.ID != "" || got.Expires != 600 || got.Scope != "readiness:read" {
			t.Fatalf("%+v", got)
		}
		for path, want := range map[string]int{
			"/api/v1/sites/hilltop/readiness": http.StatusOK, "/api/v1/sites/bayside/readiness": http.StatusNotFound,
			"/api/v1/sites/nowhere/readiness": http.StatusNotFound, "/api/v1/sites/hilltop/integrations/xero": http.StatusForbidden,
			"/oauth/userinfo": http.StatusUnauthorized,
		} {
			if p := w.bearer(got.Access, path); p.status != want {
				t.Errorf("%s: %d %s", path, p.status, p.body)
			}
		}
		if w.active(robot, got.Access) {
			t.Error("introspection is about people's tokens")
		}
		for name, a := range map[string]application{"a web client": w.product, "a mobile client": w.app} {
			if got := w.token(a, grant); got.Error != "unauthorized_client" {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := w.token(robot, url.Values{"grant_type": {"client_credentials"}, "scope": {"readiness:read xero:token"}}); got.Error != "invalid_scope" {
			t.Errorf("more than it has: %+v", got)
		}
		if got := w.token(w.jobs, grant); got.Error != "invalid_scope" {
			t.Errorf("a service without scopes: %+v", got)
		}
		w.db.Clock.Advance(10 * time.Minute)
		if p := w.bearer(got.Access, "/api/v1/sites/hilltop/readiness"); p.status != http.StatusUnauthorized {
			t.Errorf("ten minutes later: %d", p.status)
		}
		got = w.token(robot, grant)
		w.disable(robot)
		if p := w.bearer(got.Access, "/api/v1/sites/hilltop/readiness"); p.status != http.StatusUnauthorized {
			t.Errorf("disabled: %d", p.status)
		}
	})
}
