package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

// nodeVariable names the environment variable with the folder in which npm installed what
// testdata/node/package.json lists.
const nodeVariable = "KEYTURN_TEST_NODE"

// promised is the block of docs/integrate.md that begins with a line, as it stands there:
// what is promised is what is run.
func promised(t *testing.T, begins string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(e2etest.Root(t), "docs", "integrate.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n"+begins+"\n")
	block, _, ends := strings.Cut(rest, "\n```\n")
	if !found || !ends {
		t.Fatalf("docs/integrate.md has no block that begins with %q", begins)
	}
	return block + "\n"
}

// stranger is a product that knows nothing of us, registered as a client.
type stranger struct {
	t    *testing.T
	p    *e2etest.Product
	sink *e2etest.Sink
	// self is its address, id and secret are those of its client.
	self, id, secret string
}

// strange runs a test with a product of its own, before Keyturn on SQLite: what is asked of a
// library of others has nothing to do with the engine.
func strange(t *testing.T, redirect, back string, test func(s stranger)) {
	t.Helper()
	p, sink := installed(t, dbtest.Fresh(t, db.SQLite))
	p.Start(t)
	s := stranger{t: t, p: p, sink: sink, self: "http://" + e2etest.FreeAddr(t)}
	args := []string{"client", "add", "--json", "--name", "product", "--kind", "web", "--redirect", s.self + redirect, "--post-logout", s.self + "/"}
	if back != "" {
		args = append(args, "--back-channel", s.self+back)
	}
	var made struct{ ID, Secret string }
	if err := json.Unmarshal([]byte(p.MustRun(t, args...)), &made); err != nil {
		t.Fatal(err)
	}
	s.id, s.secret = made.ID, made.Secret
	test(s)
}

// runs starts a program, which must answer before it is gone on.
func (s stranger) runs(cmd *exec.Cmd) {
	s.t.Helper()
	log := e2etest.Start(s.t, cmd)
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("what the product of others said:\n%s", log())
		}
	})
	e2etest.Until(s.t, "the product of others to answer", func() bool {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.self+"/nothing", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		w, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			_ = w.Body.Close()
		}
		return err == nil
	})
}

// asks sends a request as browsers do that look for a page.
func (s stranger) asks(v *e2etest.Visitor, method, at string, fields ...string) e2etest.Answer {
	s.t.Helper()
	r := v.Request(s.t, method, at, e2etest.Form(fields...))
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return v.Do(s.t, r)
}

// follows goes from an address to where a browser stays, and gives what is asked for on the
// way: the password, the code.
func (s stranger) follows(v *e2etest.Visitor, at string) (page e2etest.Answer, where string, asked []string) {
	s.t.Helper()
	open := func(method, path string, fields ...string) {
		s.t.Helper()
		page = s.asks(v, method, path, fields...)
	}
	where = at
	open(http.MethodGet, at)
	had := 0
	for range 20 {
		to := page.Header.Get("Location")
		if refresh := page.Header.Get("Refresh"); refresh != "" {
			to = strings.TrimPrefix(refresh, "0; url=")
		}
		if to == "" {
			return page, where, asked
		}
		from, err := url.Parse(where)
		if err != nil {
			s.t.Fatal(err)
		}
		next, err := from.Parse(to)
		if err != nil {
			s.t.Fatal(err)
		}
		where = next.String()
		path, ours := strings.CutPrefix(where, s.p.URL)
		switch here, _, _ := strings.Cut(path, "?"); {
		case ours && here == "/signin":
			asked = append(asked, "password")
			had = len(s.sink.Letters(s.t, e2etest.Pat))
			open(http.MethodPost, s.p.URL+"/signin", "email", e2etest.Pat, "password", e2etest.Password, "next", next.Query().Get("next"))
			where = s.p.URL + "/signin"
		case ours && here == "/signin/code":
			asked = append(asked, "code")
			open(http.MethodPost, where, "code", e2etest.NextLetter(s.t, s.sink, e2etest.Pat, had).Code(s.t))
		default:
			open(http.MethodGet, where)
		}
	}
	s.t.Fatalf("it never ends, at %s", where)
	return page, where, asked
}

// both is what a member of a site that is connected to Xero passes.
var both = []string{"password", "code"}

// A product of Node as docs/integrate.md has it, with openid-client and nothing of ours.
func TestAProductOfNodeSignsSomebodyInAsTheGuideSays(t *testing.T) {
	t.Parallel()
	tools := os.Getenv(nodeVariable)
	if tools == "" {
		e2etest.Missing(t, nodeVariable+" is not set: make test installs what a product of Node needs")
	}
	strange(t, "/signed-in", "", func(s stranger) {
		at := t.TempDir()
		if err := os.WriteFile(filepath.Join(at, "server.mjs"), []byte(promised(t, "// server.mjs")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(tools, "node_modules"), filepath.Join(at, "node_modules")); err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(strings.TrimPrefix(s.self, "http://"), ":")
		node := exec.CommandContext(t.Context(), "node", "server.mjs")
		node.Dir = at
		node.Env = append(os.Environ(), "ISSUER="+s.p.URL, "CLIENT_ID="+s.id, "CLIENT_SECRET="+s.secret, "SELF="+s.self, "SESSION_SECRET=x", "PORT="+port)
		s.runs(node)

		v := s.p.Visitor(t)
		page, where, asked := s.follows(v, s.self+"/")
		var who struct {
			Name, ACR, Site, User string
			Roles, May            []string
		}
		if err := json.Unmarshal([]byte(page.Body), &who); err != nil || where != s.self+"/" || !slices.Equal(asked, both) {
			t.Fatalf("%d at %s after %v: %s", page.Status, where, asked, page.Body)
		}
		if who.Name != "Pat Ng" || who.ACR != "urn:keyturn:2" || who.Site != e2etest.Connected || who.User != "U1" ||
			!slices.Equal(who.Roles, []string{"Admin"}) || !slices.Contains(who.May, "users.manage") {
			t.Errorf("%+v", who)
		}
		// Answers that nobody asked for, or that are another browser's, let nobody in.
		thief := s.p.Visitor(t)
		for range 2 {
			if page := thief.Get(t, s.self+"/signed-in?code=x&state=y&iss="+url.QueryEscape(s.p.URL)); page.Status == http.StatusOK {
				t.Errorf("%d: %s", page.Status, page.Body)
			}
			if page := thief.Get(t, s.self+"/"); page.Status != http.StatusFound || page.Header.Get("Location") != "/signin" {
				t.Errorf("%d to %q", page.Status, page.Header.Get("Location"))
			}
			thief.Get(t, s.self+"/signin") // now it has asked for one, with another state
		}
		// What ends at Keyturn ends at the next page.
		v.Post(t, "/signout")
		if page, where, asked := s.follows(v, s.self+"/"); where != s.self+"/" || !slices.Equal(asked, both) || page.Status != http.StatusOK {
			t.Errorf("signed out at Keyturn, it went on to %s after %v", where, asked)
		}
		// Signing out there ends Keyturn's session, and leads back.
		v.Get(t, v.Post(t, s.self+"/signout").Header.Get("Location")).Leads(t, s.self+"/")
		v.Get(t, "/me").Leads(t, "/signin")
	})
}

// Apache with mod_auth_openidc as docs/integrate.md has it: a private instance of nobody's.
func TestApacheLetsSomebodyInAsTheGuideSays(t *testing.T) {
	t.Parallel()
	const program, modules = "/usr/sbin/apache2", "/usr/lib/apache2/modules"
	if _, err := os.Stat(filepath.Join(modules, "mod_auth_openidc.so")); err != nil {
		e2etest.Missing(t, "there is no Apache with mod_auth_openidc (Debian: apt-get install apache2-bin libapache2-mod-auth-openidc)")
	}
	strange(t, "/keyturn", "/keyturn?logout=backchannel", func(s stranger) {
		// What is behind tells the headers that it was sent.
		behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(r.Header)
		}))
		t.Cleanup(behind.Close)
		// Not below the tests' own folder, which is shut to others.
		at, err := os.MkdirTemp("/tmp", "keyturn-apache-") //nolint:usetesting // that one is shut to whoever Apache runs as
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(at) })
		conf := strings.NewReplacer(
			"https://signin.example", s.p.URL, "https://workshop.example", s.self, "http://127.0.0.1:3000", behind.URL,
			"CLIENT_ID", s.id, "CLIENT_SECRET", s.secret, "PASSPHRASE", "a-passphrase",
		).Replace(promised(t, "# workshop.conf"))
		var all strings.Builder
		for _, m := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "proxy", "proxy_http"} {
			all.WriteString("LoadModule " + m + "_module " + filepath.Join(modules, "mod_"+m+".so") + "\n")
		}
		all.WriteString("ServerRoot " + at + "\nDefaultRuntimeDir " + at + "\nPidFile " + at + "/pid\nErrorLog " + at + "/log\nLogLevel warn\n" +
			"ServerName 127.0.0.1\nListen " + strings.TrimPrefix(s.self, "http://") + "\nStartServers 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1\nMaxSpareThreads 8\n" + conf)
		if err := os.WriteFile(filepath.Join(at, "conf"), []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		apache := exec.CommandContext(t.Context(), program, "-f", filepath.Join(at, "conf"), "-DFOREGROUND")
		if os.Getuid() == 0 {
			const nobody = 65534
			for _, path := range []string{at, filepath.Join(at, "conf")} {
				if err := os.Chown(path, nobody, nobody); err != nil {
					t.Fatal(err)
				}
			}
			apache.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		t.Cleanup(func() {
			if said, err := os.ReadFile(filepath.Join(at, "log")); err == nil && t.Failed() {
				t.Logf("what Apache said:\n%s", said)
			}
		})
		s.runs(apache)

		v := s.p.Visitor(t)
		page, where, asked := s.follows(v, s.self+"/payments")
		if page.Status != http.StatusOK || where != s.self+"/payments" || !slices.Equal(asked, both) {
			t.Fatalf("%d at %s after %v: %s", page.Status, where, asked, page.Body)
		}
		s.reads(page)
		// A header of ours from outside does not survive, and a request without a session gets
		// nowhere.
		forged := v.Request(t, http.MethodGet, s.self+"/", nil)
		forged.Header.Set("OIDC_CLAIM_sub", "evil")
		forged.Header.Set("OIDC-CLAIM-acr", "evil")
		forged.Header.Set("OIDC_userinfo_json", "evil")
		if page := v.Do(t, forged); page.Status != http.StatusOK || strings.Contains(page.Body, "evil") {
			t.Errorf("%d: %s", page.Status, page.Body)
		}
		out := s.p.Visitor(t)
		if page := s.asks(out, http.MethodGet, s.self+"/payments"); page.Status != http.StatusFound || !strings.HasPrefix(page.Header.Get("Location"), s.p.URL+"/oauth/authorize?") {
			t.Errorf("without a session: %d to %q", page.Status, page.Header.Get("Location"))
		}
		// What ends at Keyturn ends there by the back channel.
		v.Post(t, "/signout")
		e2etest.Within(t, 2*e2etest.Patience, "the back channel to end Apache's session", func() bool {
			return s.asks(v, http.MethodGet, s.self+"/").Status == http.StatusFound
		})
		// Signing out there ends Keyturn's session, and leads back.
		if page, where, asked := s.follows(v, s.self+"/"); page.Status != http.StatusOK || where != s.self+"/" || !slices.Equal(asked, both) {
			t.Fatalf("%d at %s after %v", page.Status, where, asked)
		}
		leave := s.asks(v, http.MethodGet, s.self+"/keyturn?logout="+url.QueryEscape(s.self+"/"))
		v.Get(t, leave.Header.Get("Location")).Leads(t, s.self+"/")
		v.Get(t, "/me").Leads(t, "/signin")
	})
}

// reads looks at what Apache passes on.
func (s stranger) reads(page e2etest.Answer) {
	s.t.Helper()
	var sent http.Header
	if err := json.Unmarshal([]byte(page.Body), &sent); err != nil {
		s.t.Fatal(err)
	}
	get := func(name string) string {
		for key, values := range sent {
			if strings.EqualFold(key, name) {
				return strings.Join(values, " ")
			}
		}
		return ""
	}
	var who struct {
		Sub, ACR string
		Sites    []struct {
			Ref     string
			UserRef string `json:"user_ref"`
			Roles   []string
		}
	}
	if err := json.Unmarshal([]byte(get("OIDC_userinfo_json")), &who); err != nil || len(who.Sites) != 1 {
		s.t.Fatalf("%v in %s", err, page.Body)
	}
	at := who.Sites[0]
	if at.Ref != e2etest.Connected || at.UserRef != "U1" || !slices.Equal(at.Roles, []string{"Admin"}) || who.ACR != "urn:keyturn:2" {
		s.t.Errorf("%+v", who)
	}
	if get("OIDC_CLAIM_acr") != who.ACR || get("OIDC_CLAIM_sub") != who.Sub || who.Sub == "" {
		s.t.Errorf("%s", page.Body)
	}
	if at, err := strconv.Atoi(get("OIDC_CLAIM_auth_time")); err != nil || at == 0 {
		s.t.Errorf("auth_time %q", get("OIDC_CLAIM_auth_time"))
	}
}
