package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
)

// gated runs a test with pages behind each proxy, on each engine.
func gated(t *testing.T, test func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, g *e2etest.Gated)) {
	t.Helper()
	for _, proxy := range e2etest.Proxies() {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
				g := e2etest.NewGated(t)
				p.MustRun(t, "client", "add", "--name", "Old pages", "--kind", "web", "--origin", g.Origin, "--all-sites")
				g.Behind(t, proxy, p)
				test(t, p, sink, g)
			})
		})
	}
}

// at is a request of a browser to an address outside the product.
func at(t *testing.T, v *e2etest.Visitor, address string) e2etest.Answer {
	t.Helper()
	r := v.Request(t, http.MethodGet, "/", nil)
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	r.URL, r.Host = to, ""
	r.Header.Del("X-Forwarded-For")
	return v.Do(t, r)
}

// through follows where a browser is led, until a page is there or the product asks for
// something. Pages that lead on by themselves are followed, too.
func through(t *testing.T, p *e2etest.Product, v *e2etest.Visitor, address string) (e2etest.Answer, string) {
	t.Helper()
	for range 12 {
		page := at(t, v, address)
		to := page.Header.Get("Location")
		if _, refresh, is := strings.Cut(page.Header.Get("Refresh"), "url="); is {
			to = refresh
		}
		if to == "" {
			return page, address
		}
		base, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		next, err := base.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if next.Host != base.Host && next.Scheme+"://"+next.Host != p.URL && next.Hostname() != "localhost" {
			t.Fatalf("led to %s", next)
		}
		address = next.String()
	}
	t.Fatal("led in a circle")
	return e2etest.Answer{}, ""
}

// enter signs somebody in at the pages, and gives the first that they see.
func enter(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, g *e2etest.Gated, who, want string) (*e2etest.Visitor, e2etest.Answer) {
	t.Helper()
	v := p.Visitor(t)
	_, led := through(t, p, v, g.Origin+want)
	to, err := url.Parse(led)
	if err != nil || !strings.HasPrefix(led, p.URL+"/signin?next=") {
		t.Fatalf("somebody unknown is led to %s, %v", led, err)
	}
	had := len(sink.Letters(t, who))
	v.Post(t, "/signin", "email", who, "password", e2etest.Password, "next", to.Query().Get("next")).Leads(t, "/signin/code")
	after := v.Post(t, "/signin/code", "code", e2etest.NextLetter(t, sink, who, had).Code(t))
	page, _ := through(t, p, v, p.URL+after.Header.Get("Location"))
	return v, page
}

func TestPagesBehindAProxyLearnWhoSignedInWithTwoFactors(t *testing.T) {
	t.Parallel()
	gated(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, g *e2etest.Gated) {
		if page := at(t, p.Visitor(t), g.Origin+"/jobs"); page.Status != http.StatusFound || strings.Contains(page.Body, "PAGES") {
			t.Fatalf("without a sign-in: %d %s", page.Status, page.Body)
		}
		v, page := enter(t, p, sink, g, e2etest.Pat, "/jobs?of=7&a=b")
		for _, want := range []string{"PAGES", " email=" + e2etest.Pat, " site=" + e2etest.Connected, " roles=Admin", " acr=urn:keyturn:2"} {
			if !strings.Contains(page.Body, want) {
				t.Errorf("the page lacks %q: %d %s", want, page.Status, page.Body)
			}
		}
		if seen := g.Seen(); len(seen) != 1 || seen[0].URL.String() != "/jobs?of=7&a=b" {
			t.Errorf("the pages were asked for %v", seen)
		}
		if page := at(t, v, g.Origin+"/admin"); page.Status != http.StatusOK || !strings.Contains(page.Body, "PAGES") {
			t.Errorf("an Admin at the Admins' page: %d %s", page.Status, page.Body)
		}
		sam, page := enter(t, p, sink, g, e2etest.Sam, "/")
		if !strings.Contains(page.Body, " roles=Mechanic ") {
			t.Errorf("a mechanic: %s", page.Body)
		}
		if page := at(t, sam, g.Origin+"/admin"); page.Status != http.StatusForbidden || strings.Contains(page.Body, "PAGES") {
			t.Errorf("a mechanic at the Admins' page: %d %s", page.Status, page.Body)
		}
		v.Post(t, "/signout")
		e2etest.Until(t, "the pages to be shut", func() bool { return at(t, v, g.Origin+"/jobs").Status == http.StatusFound })
		if page := at(t, sam, g.Origin+"/"); page.Status != http.StatusOK {
			t.Errorf("somebody else's sign-out ended it: %d", page.Status)
		}
		p.Stop(t)
		if page := at(t, sam, g.Origin+"/"); page.Status < 500 || strings.Contains(page.Body, "PAGES") {
			t.Errorf("with nobody to ask: %d %s", page.Status, page.Body)
		}
	})
}

// What is begun in one browser ends in it, once, and at its own origin.
func TestAWayInBehindTheGateIsOneBrowsersAndOneOrigins(t *testing.T) {
	t.Parallel()
	gated(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, g *e2etest.Gated) {
		v, _ := enter(t, p, sink, g, e2etest.Pat, "/")
		begin := at(t, v, g.Origin+"/.keyturn/begin?to=/x")
		page, _ := at(t, v, begin.Header.Get("Location")), ""
		back := page.Header.Get("Location")
		if !strings.HasPrefix(back, g.Origin+"/.keyturn/enter?") {
			t.Fatalf("led to %q: %d", back, page.Status)
		}
		victim := p.Visitor(t)
		if page := at(t, victim, back); page.Status != http.StatusBadRequest {
			t.Errorf("in another browser: %d %s", page.Status, page.Body)
		}
		if page := at(t, v, back); page.Header.Get("Location") != g.Origin+"/x" {
			t.Errorf("at home: %d %q", page.Status, page.Header.Get("Location"))
		}
		if page := at(t, v, back); page.Status != http.StatusBadRequest {
			t.Errorf("again: %d", page.Status)
		}
		for _, to := range []string{"//evil.example/", "/\\evil.example", "https://evil.example/", "@evil.example", ".evil.example", "/%0d%0aX:y", "", "/.keyturn/begin"} {
			begin := at(t, v, g.Origin+"/.keyturn/begin?to="+url.QueryEscape(to))
			page := at(t, v, at(t, v, begin.Header.Get("Location")).Header.Get("Location"))
			led, err := url.Parse(page.Header.Get("Location"))
			if err != nil || led.Scheme+"://"+led.Host != g.Origin {
				t.Errorf("%q leads to %q", to, page.Header.Get("Location"))
			}
		}
		// The product is asked directly, as nobody but the proxy may.
		for name, header := range map[string]http.Header{
			"no header":      {},
			"another origin": {"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"localhost:1"}},
			"two hosts":      {"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {strings.TrimPrefix(g.Origin, "http://"), "evil.example"}},
			"an unknown rule": {
				"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {strings.TrimPrefix(g.Origin, "http://")},
				"Cookie": {"keyturn_gate=x"},
			},
		} {
			path := "/gate"
			if name == "an unknown rule" {
				path = "/gate?grup=Admin"
			}
			r := p.Visitor(t).Request(t, http.MethodGet, path, nil)
			maps.Copy(r.Header, header)
			if page := p.Visitor(t).Do(t, r); page.Status != http.StatusForbidden {
				t.Errorf("%s: %d", name, page.Status)
			}
		}
	})
}

// spellings are ways to write the path of the Admins' pages, and others.
func spellings() (all []string) {
	for _, before := range []string{"", "/", "/.", "/x/..", "/%2e", "/x/%2e%2e", "/;", "/.keyturn/..", "/.keyturn/%2e%2e", "/.keyturn/ask/..", "/%2f", "\\", "/x\\..", "/\t", "http://localhost"} {
		for _, word := range []string{
			"/admin", "/Admin", "/%61dmin", "/adm%69n", "/admin/", "/admin/x", "/admin;a=b", "/admin%00", "/admin%2f", "/admin%20", "/a%64min?x=/jobs",
			"/admin#x", "/ad/../admin", "/admin/../admin", "/%2561dmin", "/admin.", "/admin/.", "/adm\u0131n", "/jobs/..%2fadmin", "/jobs/../admin",
		} {
			all = append(all, before+word)
		}
	}
	return all
}

// forgeries are headers that somebody outside sends to be taken for an Admin.
func forgeries() (all []string) {
	for _, name := range []string{
		"X-Keyturn-User", "x-keyturn-user", "X_Keyturn_User", "X-Keyturn_User", "X_KEYTURN-USER", "X-Keyturn-Roles", "X_Keyturn_Roles",
		"X-KEYTURN-EMAIL", "X-Keyturn-Site", "X-Keyturn-Acr", "x_keyturn_site",
	} {
		all = append(all, name+": Admin")
	}
	return append(all, "X-Forwarded-Uri: /jobs", "X-Original-URL: /jobs", "X-Rewrite-URL: /jobs", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 127.0.0.1",
		"X-Forwarded-Method: OPTIONS", "Cookie: keyturn_gate=ktg_x", "X-Keyturn-User: Admin\r\nX-Keyturn-User: Owner", "Connection: X-Keyturn-User")
}

func TestNoSpellingPassesTheGate(t *testing.T) {
	t.Parallel()
	gated(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, g *e2etest.Gated) {
		if !p.OnSQLite() {
			return // the engine makes no difference to a path
		}
		all, forged := spellings(), forgeries()
		if len(all) != 300 || len(forged) != 20 {
			t.Fatalf("%d paths, %d headers", len(all), len(forged))
		}
		line := &wire{addr: g.Addr}
		defer line.close()
		for _, path := range all {
			for _, header := range forged {
				line.send(path, header)
			}
		}
		if seen := g.Seen(); len(seen) > 0 {
			t.Errorf("without a session %d requests came through, the first: %s %v", len(seen), seen[0].RequestURI, seen[0].Header)
		}
		if line.answered < len(all)*len(forged)/2 {
			t.Errorf("only %d were answered", line.answered)
		}
		// A mechanic's session, at the Admins' pages.
		sam, _ := enter(t, p, sink, g, e2etest.Sam, "/")
		cookie := "Cookie: keyturn_gate=" + sam.CookieAt(t, g.Origin, "keyturn_gate")
		g.Seen()
		for i, at := range all {
			line.send(at, cookie+"\r\n"+forged[i%len(forged)])
		}
		for _, header := range forged {
			line.send("/jobs", header+"\r\n"+cookie) // of two cookies the gate takes neither
			line.send("/jobs/7?of=/admin", cookie+"\r\n"+header)
		}
		came := g.Seen()
		if len(came) < len(forged) {
			t.Errorf("only %d came through", len(came))
		}
		for _, r := range came {
			if clean := loosely(r.URL.Path); strings.HasPrefix(clean, "/admin") {
				t.Errorf("a mechanic is at %s, asked for as %s", clean, r.RequestURI)
			}
			for name, values := range r.Header {
				if same := strings.ToLower(strings.ReplaceAll(name, "_", "-")); strings.HasPrefix(same, "x-keyturn-") {
					if strings.Contains(name, "_") || len(values) != 1 || values[0] == "Admin" || values[0] == "Owner" {
						t.Errorf("%s: %s = %q came through", r.RequestURI, name, values)
					}
				}
			}
			if r.Header.Get("X-Keyturn-Roles") != "Mechanic" {
				t.Errorf("%s: the roles are %q", r.RequestURI, r.Header.Get("X-Keyturn-Roles"))
			}
		}
	})
}

// loosely reads a path as the loosest of the servers behind a gate do: decoded again,
// backslashes as slashes, without parameters, in one case.
func loosely(at string) string {
	if again, err := url.PathUnescape(at); err == nil {
		at = again
	}
	parts := strings.Split(strings.ReplaceAll(at, `\`, "/"), "/")
	for i, part := range parts {
		parts[i], _, _ = strings.Cut(part, ";")
	}
	return strings.ToLower(path.Clean("/" + strings.Join(parts, "/")))
}

// wire sends requests byte for byte, over one connection as long as it lives.
type wire struct {
	addr     string
	conn     net.Conn
	read     *bufio.Reader
	answered int
}

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

func (w *wire) send(path, header string) {
	if w.conn == nil {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			return
		}
		w.conn, w.read = conn, bufio.NewReader(conn)
	}
	_, port, _ := net.SplitHostPort(w.addr)
	_ = w.conn.SetDeadline(time.Now().Add(e2etest.Patience))
	if _, err := fmt.Fprintf(w.conn, "GET %s HTTP/1.1\r\nHost: localhost:%s\r\n%s\r\n\r\n", path, port, header); err != nil {
		w.close()
		return
	}
	answer, err := http.ReadResponse(w.read, nil)
	if err != nil {
		w.close()
		return
	}
	_, err = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	w.answered++
	if err != nil || answer.Close {
		w.close()
	}
}
