package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/web"
	"keyturn/internal/web/webtest"
)

// loud makes a kit that logs JSON lines to a buffer, and a clock that moves on by a
// second with each look.
func loud(t *testing.T, public string, proxies ...string) (*web.Kit, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	now := time.Date(2026, 12, 2, 7, 2, 0, 0, time.UTC)
	u, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	setup := web.Setup{
		Log:       slog.New(slog.NewJSONHandler(&log, nil)),
		PublicURL: u,
		Vendor:    web.Vendor{Name: "Keyturn"},
		Now: func() time.Time {
			now = now.Add(time.Second)
			return now
		},
		Faces: []web.Face{{Name: "test", Files: files()}},
	}
	for _, p := range proxies {
		setup.TrustedProxies = append(setup.TrustedProxies, netip.MustParsePrefix(p))
	}
	kit, err := web.New(setup)
	if err != nil {
		t.Fatal(err)
	}
	return kit, &log
}

func files() fs.FS {
	return fstest.MapFS{
		"broken.html": {Data: []byte(`<h1>before</h1>{{.Nothing}}`)},
		"page.html":   {Data: []byte(`<h1>{{.Name}}</h1>`)},
		"page.css":    {Data: []byte(`.test-face { color: var(--ink); }`)},
	}
}

type testPage struct{ Template, Name string }

func (p testPage) Head() web.Head { return web.Head{Template: "test/" + p.Template, Title: "A title"} }

// ask sends a request for a path to one handler behind the kit's wrapping.
func ask(t *testing.T, kit *web.Kit, path, accept string, f func(http.ResponseWriter, *http.Request) error) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", kit.Handle(f))
	mux.Handle("/sites/{site}/users", kit.Handle(f))
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	kit.Wrap(mux).ServeHTTP(w, r)
	return w
}

// logged reads the log: exactly one line.
func logged(t *testing.T, log *bytes.Buffer) map[string]any {
	t.Helper()
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Fatalf("%d log lines: %s", n, log)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

var reference = regexp.MustCompile(`[A-Z2-7]{4}-[A-Z2-7]{4}`)

func TestAnErrorIsAnsweredWithASentenceAndAReferenceThatIsInTheLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		err    error
		status int
		sees   string
		retry  string
	}{
		{"what is not there", fault.NotFound, 404, "There is no such page", ""},
		{"what one may not see looks the same", fmt.Errorf("reading: %w", fault.Forbidden), 404, "There is no such page", ""},
		{"what cannot be used", fmt.Errorf("secret@address: %w", fault.Invalid), 400, "We could not read that", ""},
		{"a change that came second", fault.Conflict, 409, "Somebody else was first", ""},
		{"no slot free", fault.Busy, 503, "Try again in 5 seconds.", "5"},
		{"no slot free for a known time", fmt.Errorf("x: %w", &fault.Wait{For: 1500 * time.Millisecond}), 503, "Try again in 2 seconds.", "2"},
		{"a wait of no length", &fault.Wait{}, 503, "Try again in 1 second.", "1"},
		{"a dead disk", errors.New("secret@address: disk"), 500, "That went wrong on our side", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kit, log := loud(t, "https://signin.example")
			w := ask(t, kit, "/sites/7/users?code=123456", "text/html", func(http.ResponseWriter, *http.Request) error { return c.err })
			body := w.Body.String()
			if w.Code != c.status || !strings.Contains(body, c.sees) {
				t.Errorf("status %d, body %s", w.Code, body)
			}
			if got := w.Header().Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After %q, want %q", got, c.retry)
			}
			if strings.Contains(body, "secret") {
				t.Error("the error's own words are shown")
			}
			line := logged(t, log)
			if line["reference"] == "" || reference.FindString(body) != line["reference"] {
				t.Errorf("the page says %q, the log %v", reference.FindString(body), line["reference"])
			}
			if line["route"] != "/sites/{site}/users" || line["method"] != "GET" || line["status"] != float64(c.status) || line["took"] != float64(time.Second) {
				t.Errorf("the log line is %v", line)
			}
			if line["error"] == nil || strings.Contains(log.String(), "123456") {
				t.Errorf("the log line is %v", line)
			}
		})
	}
}

func TestAProgramGetsProblemJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, accept string
		json         bool
	}{
		"it accepts JSON":             {"/x", "application/json", true},
		"it accepts problem JSON":     {"/x", "application/problem+json", true},
		"the path is the API's":       {"/api/v1/users", "", true},
		"the path is the gate":        {"/gate", "text/html", true},
		"a browser that takes both":   {"/x", "text/html,application/json", false},
		"a client that takes all":     {"/x", "*/*", false},
		"a path that is like the API": {"/apiary", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kit, log := loud(t, "https://signin.example")
			w := ask(t, kit, c.path, c.accept, func(http.ResponseWriter, *http.Request) error { return &fault.Wait{For: 30 * time.Second} })
			if got := w.Header().Get("Content-Type") == "application/problem+json"; got != c.json {
				t.Fatalf("content type %s", w.Header().Get("Content-Type"))
			}
			if !c.json {
				return
			}
			var p struct {
				Type, Title, Detail, Reference string
				Status                         int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			if p.Status != 503 || p.Type != "about:blank" || p.Title == "" || !strings.Contains(p.Detail, "30 seconds") || p.Reference != logged(t, log)["reference"] {
				t.Errorf("got %s", w.Body)
			}
		})
	}
}

func TestAPanicIsAnOrdinary500(t *testing.T) {
	t.Parallel()
	kit, log := loud(t, "https://signin.example")
	w := ask(t, kit, "/", "", func(http.ResponseWriter, *http.Request) error { panic("boom") })
	if w.Code != 500 || !strings.Contains(w.Body.String(), "went wrong on our side") || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	line := logged(t, log)
	if said, ok := line["error"].(string); !ok || !strings.Contains(said, "boom") || line["level"] != "ERROR" {
		t.Errorf("the log line is %v", line)
	}
}

func TestAPanicAfterTheFirstByteCutsTheConnectionAndIsLogged(t *testing.T) {
	t.Parallel()
	kit, log := loud(t, "https://signin.example")
	defer func() {
		if p, ok := recover().(error); !ok || !errors.Is(p, http.ErrAbortHandler) {
			t.Errorf("recovered %v", p)
		}
		if line := logged(t, log); line["error"] == nil {
			t.Errorf("the log line is %v", line)
		}
	}()
	ask(t, kit, "/", "", func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = w.Write([]byte("half"))
		panic("boom")
	})
}

func TestAPageThatCannotBeRenderedIsA500AndNeverHalfAPage(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"broken", "absent"} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			kit, _ := loud(t, "https://signin.example")
			w := ask(t, kit, "/", "", func(w http.ResponseWriter, r *http.Request) error {
				return kit.Show(w, r, http.StatusOK, testPage{Template: template})
			})
			if w.Code != 500 || strings.Contains(w.Body.String(), "before") {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
}

func TestAShownPageIsWholeAndKeptNowhere(t *testing.T) {
	t.Parallel()
	kit, log := loud(t, "https://signin.example")
	w := ask(t, kit, "/", "", func(w http.ResponseWriter, r *http.Request) error {
		return kit.Show(w, r, http.StatusUnprocessableEntity, testPage{"page", "<i>&"})
	})
	if w.Code != 422 || !strings.Contains(w.Body.String(), "<h1>&lt;i&gt;&amp;</h1>") || !strings.Contains(w.Body.String(), "<title>A title · Keyturn</title>") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if line := logged(t, log); line["status"] != 422.0 || line["error"] != nil || line["level"] != "INFO" {
		t.Errorf("the log line is %v", line)
	}
	for name, want := range map[string]string{
		"Cache-Control":              "no-store",
		"Content-Type":               "text/html; charset=utf-8",
		"X-Content-Type-Options":     "nosniff",
		"X-Frame-Options":            "DENY",
		"Referrer-Policy":            "same-origin",
		"Strict-Transport-Security":  "max-age=31536000; includeSubDomains",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOnPlainHTTPNothingPromisesTLS(t *testing.T) {
	t.Parallel()
	kit, _ := loud(t, "http://127.0.0.1:8080")
	w := ask(t, kit, "/", "", func(w http.ResponseWriter, _ *http.Request) error {
		kit.PutCookie(w, "keyturn_session", "v", 0)
		return nil
	})
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS on http")
	}
	if got, want := w.Header().Get("Set-Cookie"), "keyturn_session=v; Path=/; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("cookie %q, want %q", got, want)
	}
}

func TestAChangeThatAnotherSiteAsksForIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, header, value string
		status                int
	}{
		"our own page":                   {"POST", "Sec-Fetch-Site", "same-origin", 200},
		"typed into the address bar":     {"POST", "Sec-Fetch-Site", "none", 200},
		"another site":                   {"POST", "Sec-Fetch-Site", "cross-site", 403},
		"a sister domain":                {"POST", "Sec-Fetch-Site", "same-site", 403},
		"another site's script reads":    {"GET", "Sec-Fetch-Site", "cross-site", 200},
		"an older browser, another site": {"POST", "Origin", "https://evil.example", 403},
		"an older browser, no origin":    {"POST", "Origin", "null", 403},
		"an older browser, our page":     {"POST", "Origin", "https://signin.example", 200},
		"our host by plain http":         {"POST", "Origin", "http://signin.example", 200},
		"no browser":                     {"POST", "X-Nothing", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kit, log := loud(t, "https://signin.example")
			r := httptest.NewRequestWithContext(t.Context(), c.method, "https://signin.example/signin", nil)
			r.Header.Set(c.header, c.value)
			w := httptest.NewRecorder()
			kit.Wrap(kit.Handle(func(http.ResponseWriter, *http.Request) error { return nil })).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if c.status == 403 && !strings.Contains(w.Body.String(), "Another site asked for this change") {
				t.Errorf("the page says %s", w.Body)
			}
			logged(t, log)
		})
	}
}

func TestAKitThatCannotShowItsPagesIsNotMade(t *testing.T) {
	t.Parallel()
	good := func() web.Setup {
		return web.Setup{Log: slog.New(slog.DiscardHandler), Now: time.Now, PublicURL: &url.URL{Scheme: "https", Host: "signin.example"}}
	}
	for name, spoil := range map[string]func(*web.Setup){
		"no log":                   func(s *web.Setup) { s.Log = nil },
		"no clock":                 func(s *web.Setup) { s.Now = nil },
		"no public URL":            func(s *web.Setup) { s.PublicURL = nil },
		"a public URL of a file":   func(s *web.Setup) { s.PublicURL = &url.URL{Scheme: "file", Path: "/x"} },
		"an accent that is a word": func(s *web.Setup) { s.Vendor.Accent = "blue" },
		"an accent with a rule":    func(s *web.Setup) { s.Vendor.Accent = "#12345}" },
		"an accent too pale":       func(s *web.Setup) { s.Vendor.Accent = "#88ccff" },
		"a logo that is a script":  func(s *web.Setup) { s.Vendor.Logo = []byte("alert(1)") },
		"a template that is cut off": func(s *web.Setup) {
			s.Faces = []web.Face{{Name: "x", Files: fstest.MapFS{"x.html": {Data: []byte("{{if")}}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			spoil(&s)
			if _, err := web.New(s); err == nil {
				t.Error("it was made")
			}
		})
	}
	if _, err := web.New(good()); err != nil {
		t.Errorf("a good one was not made: %v", err)
	}
}

func TestTheFilesOfAPageAreServedUnderTheirHash(t *testing.T) {
	t.Parallel()
	u := &url.URL{Scheme: "https", Host: "signin.example"}
	kit, err := web.New(web.Setup{
		Log: slog.New(slog.DiscardHandler), Now: time.Now, PublicURL: u,
		Vendor: web.Vendor{Name: "Wrench", Accent: "#7a1f5c", Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		Faces:  []web.Face{{Name: "test", Files: files()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+web.StaticPath+"{file}", kit.Assets())
	h := kit.Wrap(mux)
	get := func(path, encoding string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		h.ServeHTTP(w, r)
		return w
	}
	page := webtest.Show(t, kit, "vendor", testPage{"page", "x"})
	found := regexp.MustCompile(`/static/[^"]+`).FindAllString(page.HTML, -1)
	if len(found) != 4 {
		t.Fatalf("the page asks for %v", found)
	}
	var style string
	for _, path := range found {
		w := get(path, "")
		if w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: status %d, %v", path, w.Code, w.Header())
		}
		if strings.HasSuffix(path, ".css") {
			style = path
		}
	}
	css := get(style, "").Body.String()
	for _, want := range []string{".test-face", "--accent:#7a1f5c", "prefers-color-scheme: dark"} {
		if !strings.Contains(css, want) {
			t.Errorf("the style has no %s", want)
		}
	}
	if w := get(style, "br, gzip"); w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() >= len(css) {
		t.Error("the style is not zipped for who takes it")
	}
	other := "/static/keyturn.0000000000000000.css"
	if w := get(other, ""); w.Code != 200 || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("the style of another release: status %d, %v", w.Code, w.Header())
	}
	for _, path := range []string{"/static/keyturn.css", "/static/nothing.0000000000000000.css", "/static/..%2fkit.go"} {
		if w := get(path, ""); w.Code != 404 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}
