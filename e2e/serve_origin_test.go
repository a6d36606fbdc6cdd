package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestCookiesAreOutOfReachOfScriptsAndOtherSites(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		page := pat.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password)
		attempt := page.Cookie(e2etest.AttemptCookie)
		code := e2etest.NextLetter(t, sink, e2etest.Pat, 0).Code(t)
		page = pat.Post(t, "/signin/code", "code", code)
		session := page.Cookie(e2etest.SessionCookie)
		for _, c := range []*http.Cookie{attempt, session} {
			if c == nil {
				t.Fatal("a cookie was not set")
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 22 {
				t.Errorf("the cookie is set as %s", c.Raw)
			}
			// Plain http is loopback alone, where browsers would not take a Secure one.
			if c.Secure || strings.HasPrefix(c.Name, "__") {
				t.Errorf("on plain http the cookie would not be kept: %s", c.Raw)
			}
		}
		if gone := page.Cookie(e2etest.AttemptCookie); gone == nil || gone.MaxAge >= 0 {
			t.Error("the cookie of the finished sign-in stays")
		}
		if session.MaxAge <= 0 || session.MaxAge > 24*60*60 {
			t.Errorf("the session's cookie lives %d s; 24 hours at most", session.MaxAge)
		}
		// The session is new at each rise of power and never the browser's choice.
		planted := p.Visitor(t)
		planted.Plant(t, e2etest.SessionCookie, session.Value+"x")
		planted.Get(t, "/me").Leads(t, "/signin")
		planted.Plant(t, e2etest.SessionCookie, strings.ToUpper(session.Value))
		planted.Get(t, "/me").Leads(t, "/signin")
	})
}

func TestBehindHTTPSCookiesAreBoundToTheHost(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		p.Set("KEYTURN_PUBLIC_URL", "https://signin.vendor.example")
		p.Restart(t)
		v := p.Visitor(t)
		r := v.Request(t, http.MethodPost, "/signin", e2etest.Form("email", e2etest.TwinPat, "password", e2etest.Password))
		r.Header.Set("Origin", "https://signin.vendor.example")
		page := v.Do(t, r)
		page.Leads(t, "/me")
		session := page.Cookie("__Host-keyturn")
		if session == nil || !session.Secure || !session.HttpOnly || session.Path != "/" || session.Domain != "" {
			t.Errorf("the session's cookie is %v", session)
		}
		if page.Header.Get("Strict-Transport-Security") == "" {
			t.Error("browsers are not told to keep to https")
		}
	})
}

func TestNoOtherSiteCanAskForAChange(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		before := p.Trail(t)
		foreign := map[string]map[string]string{
			"another origin":              {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
			"another origin, old browser": {"Origin": "https://evil.example", "Sec-Fetch-Site": ""},
			"a sister site":               {"Origin": "", "Sec-Fetch-Site": "same-site"},
			"no origin at all":            {"Origin": "null", "Sec-Fetch-Site": ""},
			"another port":                {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
			"https instead of http":       {"Origin": strings.Replace(p.URL, "http:", "https:", 1), "Sec-Fetch-Site": "cross-site"},
			"a longer name":               {"Origin": p.URL + ".evil.example", "Sec-Fetch-Site": ""},
		}
		for _, r := range routesOf(t, p) {
			if r.Method != http.MethodPost {
				continue
			}
			for name, headers := range foreign {
				request := pat.Request(t, http.MethodPost, r.Path, e2etest.Form("email", e2etest.Pat, "password", e2etest.Password, "code", "123456", "method", "email"))
				for header, value := range headers {
					request.Header.Del(header)
					if value != "" {
						request.Header.Set(header, value)
					}
				}
				page := pat.Do(t, request)
				if page.Status != http.StatusForbidden || len(page.Cookies) > 0 {
					t.Errorf("%s: POST %s is answered %d", name, r.Path, page.Status)
				}
			}
		}
		if after := p.Trail(t); len(after) != len(before) {
			t.Errorf("%d events came of it", len(after)-len(before))
		}
		pat.Get(t, "/me").Is(t, http.StatusOK)
	})
}

func TestEveryAnswerRefusesFramesSniffingAndForeignScripts(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		for _, path := range []string{"/", "/signin", "/me", "/help", "/none", "/healthz", "/readyz", "/reset"} {
			page := pat.Get(t, path)
			for header, want := range map[string]string{
				"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if !strings.Contains(page.Header.Get(header), want) {
					t.Errorf("GET %s: %s is %q", path, header, page.Header.Get(header))
				}
			}
			policy := page.Header.Get("Content-Security-Policy")
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || !strings.Contains(policy, "default-src 'none'") {
				t.Errorf("GET %s: the content security policy is %q", path, policy)
			}
			if cors := page.Header.Get("Access-Control-Allow-Origin"); cors != "" {
				t.Errorf("GET %s is open to %s", path, cors)
			}
		}
	})
}

func TestGetWritesNothing(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		out, pending, inside := p.Visitor(t), p.Visitor(t), p.Visitor(t)
		pending.Password(t, sink, e2etest.Sam, e2etest.Password)
		e2etest.Until(t, "the mail to be noted as taken", func() bool { return takenByServer(t, pending) })
		inside.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		// The queue's own tables, the probe of the storage, and how ready sites are, which is
		// counted aside, live on by themselves.
		ours := func(table string) bool {
			return !strings.HasPrefix(table, "river_") && !strings.HasPrefix(table, "sqlite_") && table != "meta" && table != "readiness_counts"
		}
		var before string
		e2etest.Until(t, "what is written aside to be written", func() bool {
			was := before
			before = dump(t, p, ours)
			return was == before
		})
		for _, r := range routesOf(t, p) {
			for _, v := range []*e2etest.Visitor{out, pending, inside} {
				for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
					v.Do(t, v.Request(t, method, r.address(t, v)+"?email="+e2etest.Pat+"&code=123456&method=email&next=/me", nil))
				}
			}
		}
		if diff := changed(before, dump(t, p, ours)); diff != "" {
			t.Errorf("reading pages changed the database:\n%s", diff)
		}
		if _, opened := out.Cookie(t, e2etest.SessionCookie), in(t, out); opened {
			t.Error("reading pages opened a session")
		}
	})
}

// changed lists the lines that only one of two texts has. Budgets that are empty are
// swept and news are taken from time to time, whoever reads what.
func changed(before, after string) string {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out strings.Builder
	for _, line := range is {
		if !slices.Contains(was, line) {
			out.WriteString("+ " + line + "\n")
		}
	}
	for _, line := range was {
		if !slices.Contains(is, line) && !strings.HasPrefix(line, "budgets |") && !strings.HasPrefix(line, "audit_news |") {
			out.WriteString("- " + line + "\n")
		}
	}
	return out.String()
}
