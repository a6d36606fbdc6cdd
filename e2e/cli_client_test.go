package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// The commands of applications and of the keys that sign, and that a disabled one is dead on
// the running node.
func TestApplicationsAreKeptByTheCommandLine(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		type made struct{ ID, Name, Kind, Secret string }
		add := func(args ...string) (c made) {
			t.Helper()
			if err := json.Unmarshal([]byte(p.MustRun(t, append([]string{"client", "add", "--json"}, args...)...)), &c); err != nil || c.ID == "" {
				t.Fatalf("%+v, %v", c, err)
			}
			return c
		}
		token := func(c made) int {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/oauth/token", strings.NewReader("grant_type=client_credentials"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
			w, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = w.Body.Close()
			return w.StatusCode
		}
		web := add("--name", "web", "--kind", "web", "--redirect", "https://product.example/cb", "--redirect", "https://product.example/a,b", "--origin", "https://old.example")
		robot := add("--name", "robot", "--kind", "service", "--scope", "readiness:read", "--site", e2etest.Twin)
		app := add("--name", "app", "--kind", "mobile", "--redirect", "com.example.app:/cb", "--audience", "jobs")
		if !strings.HasPrefix(web.Secret, "ktc_") || !strings.HasPrefix(robot.Secret, "ktc_") || app.Secret != "" {
			t.Errorf("%+v, %+v, %+v", web, robot, app)
		}
		for _, args := range [][]string{
			{"--name", "x", "--kind", "web", "--redirect", "http://product.example/cb"},
			{"--name", "x", "--kind", "spa"},
			{"--name", "x", "--kind", "mobile", "--redirect", "app:/cb", "--audience", "jobs"},
			{"--name", "x", "--kind", "service", "--all-sites"},
			{"--name", "x", "--kind", "service", "--scope", "xero:token", "--all-sites"},
		} {
			if said := p.Run(t, append([]string{"client", "add"}, args...)...); said.Code != 2 || strings.Contains(said.Out, "ktc_") {
				t.Errorf("%v ended with %d: %s%s", args, said.Code, said.Out, said.Err)
			}
		}
		if said := p.Run(t, "client", "add", "--name", "web", "--kind", "web", "--redirect", "https://other.example/cb"); said.Code != 1 {
			t.Errorf("a second one of the name ended with %d: %s", said.Code, said.Err)
		}
		list := p.MustRun(t, "client", "list") + p.MustRun(t, "client", "list", "--json")
		if !strings.Contains(list, "https://product.example/a,b") || !strings.Contains(list, "https://old.example") || strings.Contains(list, web.Secret) || strings.Contains(list, "ktc_") {
			t.Errorf("the list: %s", list)
		}
		if got := token(robot); got != http.StatusOK {
			t.Errorf("the robot is answered %d", got)
		}
		var again made
		if err := json.Unmarshal([]byte(p.MustRun(t, "client", "rotate", "robot", "--at-once", "--json")), &again); err != nil {
			t.Fatal(err)
		}
		if before, now := token(robot), token(again); before != http.StatusUnauthorized || now != http.StatusOK {
			t.Errorf("after another secret: %d, %d", before, now)
		}
		p.MustRun(t, "client", "disable", "robot")
		if got := token(again); got != http.StatusUnauthorized {
			t.Errorf("a disabled one is answered %d", got)
		}
		if said := p.Run(t, "client", "disable", "robot"); said.Code != 1 {
			t.Errorf("disabled twice ended with %d", said.Code)
		}
		if said := p.Run(t, "client", "rotate", "app"); said.Code != 2 {
			t.Errorf("another secret for an app ended with %d: %s", said.Code, said.Err)
		}
		p.MustRun(t, "keys", "rotate", "--signing")
		if keys := p.MustRun(t, "keys", "list"); strings.Count(keys, "current") != 2 || strings.Count(keys, "next") != 2 || strings.Count(keys, "previous") != 2 {
			t.Errorf("the keys: %s", keys)
		}
		if said := p.Run(t, "keys", "rotate"); said.Code != 2 {
			t.Errorf("without saying which keys it ended with %d", said.Code)
		}
		if trail := p.MustRun(t, "audit", "export", "--site", e2etest.Twin); !strings.Contains(trail, "client.made") || !strings.Contains(trail, "client.disabled") || strings.Contains(trail, robot.Secret) {
			t.Error("the trail does not hold what was done, or holds a secret")
		}
		if log := p.Log(); strings.Contains(log, robot.Secret) || strings.Contains(log, "kts_") {
			t.Error("the log holds a secret")
		}
	})
}
