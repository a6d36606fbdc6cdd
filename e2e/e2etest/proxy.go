package e2etest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Gated is pages that know nothing of signing in, behind a real proxy with the configuration
// of docs/gate.
type Gated struct {
	// Origin is where browsers find them, Addr where the proxy listens.
	Origin, Addr string

	mu   sync.Mutex
	seen []*http.Request
}

// Proxies are the servers for which docs/gate has a configuration.
func Proxies() []string { return []string{"nginx", "caddy"} }

// NewGated reserves an origin; Behind brings the pages up.
func NewGated(t testing.TB) *Gated {
	t.Helper()
	addr := FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return &Gated{Origin: "http://localhost:" + port, Addr: addr}
}

// Behind starts the proxy before the pages, which answer with what they were told.
func (g *Gated) Behind(t testing.TB, proxy string, p *Product) {
	t.Helper()
	program, err := exec.LookPath(proxy)
	if err != nil {
		Missing(t, proxy+" is not installed")
	}
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.seen = append(g.seen, r.Clone(r.Context()))
		g.mu.Unlock()
		_, _ = fmt.Fprintf(w, "PAGES user=%s email=%s site=%s roles=%s acr=%s", r.Header.Get("X-Keyturn-User"), r.Header.Get("X-Keyturn-Email"),
			r.Header.Get("X-Keyturn-Site"), r.Header.Get("X-Keyturn-Roles"), r.Header.Get("X-Keyturn-Acr"))
	}))
	t.Cleanup(pages.Close)
	host := strings.TrimPrefix(g.Origin, "http://")
	swap := strings.NewReplacer(
		"https://old.example {", "{\n\tadmin off\n\tauto_https off\n}\n"+g.Origin+" {\n\tbind 127.0.0.1", "https://old.example", g.Origin,
		"listen 443 ssl;", "listen "+g.Addr+";", "ssl_certificate", "# ssl_certificate", "server_name old.example;", "server_name localhost;",
		"X-Forwarded-Proto https;", "X-Forwarded-Proto http;", "X-Forwarded-Host old.example;", "X-Forwarded-Host "+host+";",
		"127.0.0.1:8080", strings.TrimPrefix(p.URL, "http://"), "127.0.0.1:9000", strings.TrimPrefix(pages.URL, "http://"),
	)
	folder := t.TempDir()
	for _, name := range []string{"nginx.conf", "keyturn-ask.conf", "keyturn-forward.conf", "Caddyfile"} {
		raw, err := os.ReadFile(filepath.Join(Root(t), "docs", "gate", name))
		if err != nil {
			t.Fatal(err)
		}
		text := swap.Replace(string(raw))
		if name == "nginx.conf" {
			text = "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
				"client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n" + text + "}\n"
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-p", folder, "-c", "nginx.conf", "-e", "stderr"}
	if proxy == "caddy" {
		args = []string{"run", "--config", filepath.Join(folder, "Caddyfile")}
	}
	cmd := exec.Command(program, args...)
	log := &tail{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	cmd.WaitDelay = Patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it keeps nothing, and how it ends is no matter of the test's
		if t.Failed() {
			t.Logf("what %s said:\n%s", proxy, log.String())
		}
	})
	Until(t, proxy+" to listen", func() bool {
		c, err := net.Dial("tcp", g.Addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// Seen takes the requests that came through to the pages since it was asked last.
func (g *Gated) Seen() []*http.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.seen
	g.seen = nil
	return all
}
