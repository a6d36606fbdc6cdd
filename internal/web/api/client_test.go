package api_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keyturn/internal/apikey"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

// clientVariable names the environment variable with the folder in which npm installed what
// testdata/client/package.json lists.
const clientVariable = "KEYTURN_TEST_CLIENT"

// A stranger's program makes a client of the description, a compiler checks its use, and
// every operation is called with it.
func TestAClientMadeOfTheDescriptionCallsEveryOperation(t *testing.T) {
	t.Parallel()
	tools := os.Getenv(clientVariable)
	if tools == "" {
		t.Skip(clientVariable + " is not set: make test installs what makes clients")
	}
	w := newWorld(t, dbtest.Open(t, dbtest.Fresh(t, db.SQLite)))
	w.asks()
	w.rollsOut()
	server := httptest.NewServer(w.handler)
	defer server.Close()

	at := t.TempDir()
	described := httptest.NewRecorder()
	w.api.Describe().ServeHTTP(described, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
	if err := os.WriteFile(filepath.Join(at, "openapi.json"), described.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join("testdata", "client", "main.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at, "main.ts"), program, 0o600); err != nil {
		t.Fatal(err)
	}
	node := func(args ...string) string {
		t.Helper()
		run := exec.CommandContext(t.Context(), "node", args...)
		run.Dir = at
		var wrong strings.Builder
		run.Stderr = &wrong
		out, err := run.Output()
		if err != nil {
			t.Fatalf("node %s: %v\n%s%s", filepath.Base(args[0]), err, out, wrong.String())
		}
		if wrong.Len() > 0 {
			t.Log(wrong.String())
		}
		return string(out)
	}
	modules := filepath.Join(tools, "node_modules")
	node(filepath.Join(modules, "@hey-api", "openapi-ts", "bin", "index.cjs"), "-i", "openapi.json", "-o", "made", "-c", "@hey-api/client-fetch")
	node(filepath.Join(modules, "typescript", "bin", "tsc"), "--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom,dom.iterable",
		"--module", "commonjs", "--moduleResolution", "node", "--types", "node", "--typeRoots", filepath.Join(modules, "@types"), "main.ts")
	scopes := slices.DeleteFunc(apikey.Scopes(), func(s apikey.Scope) bool { return s == apikey.XeroToken })
	out := node("main.js", server.URL, w.key("web", scopes), string(w.request))

	want := map[string]string{"add-user": "201", "add-request": "201", "post-xero-token": "403"} // no key for all sites has that scope
	got := map[string]string{}
	for line := range strings.Lines(out) {
		id, status, _ := strings.Cut(strings.TrimSpace(line), " ")
		if got[id] = status; status != "200" && status != want[id] {
			t.Errorf("%s is answered %s", id, status)
		}
	}
	all := map[string]bool{}
	for _, o := range slices.Concat(ops, houseOps) {
		all[o.id] = true
		if got[o.id] == "" {
			t.Errorf("%s was not called", o.id)
		}
	}
	if len(got) != len(all) {
		t.Errorf("called %q", slices.Sorted(maps.Keys(got)))
	}
	if n := w.count(`SELECT COUNT(*) FROM memberships WHERE site_id = $1 AND user_ref = 'U5'`, w.site.ID); n != 1 {
		t.Errorf("%d members were made", n)
	}
}
