package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/web"
)

func TestTheBrowserIsSentToLocalPathsOnly(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"/", "/me", "/help/", "/signin/code", "/sites/0192d3c4-1111-7000-8000-000000000000/settings/users",
		"/.well-known/openid-configuration", "/me?from=signin&x=1",
		"/authorize?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fback&state=a%20b",
	} {
		if !web.Local(target) {
			t.Errorf("%q is a path of ours and was refused", target)
		}
	}
	for name, target := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			err := web.Go(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), target)
			if !errors.Is(err, fault.Invalid) || w.Header().Get("Location") != "" {
				t.Errorf("%q went out: %v", target, w.Header())
			}
		})
	}
	w := httptest.NewRecorder()
	if err := web.Go(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), "/me?x=1"); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/me?x=1" {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
}

// hostile are targets that some browser, proxy or library has read as another site.
func hostile() map[string]string {
	return map[string]string{
		"nothing":                         "",
		"a bare word":                     "me",
		"a host":                          "evil.example",
		"a host with a port":              "evil.example:443/",
		"https":                           "https://evil.example",
		"http":                            "http://evil.example/",
		"upper case scheme":               "HTTPS://evil.example",
		"one slash after the scheme":      "https:/evil.example",
		"no slash after the scheme":       "https:evil.example",
		"three slashes after the scheme":  "https:///evil.example",
		"our own origin spelled out":      "https://signin.example/me",
		"userinfo":                        "https://signin.example@evil.example/",
		"two at signs":                    "https://signin.example@@evil.example/",
		"password":                        "https://signin.example:x@evil.example/",
		"suffix trick":                    "https://signin.example.evil.example/",
		"prefix trick":                    "https://evilsignin.example/",
		"localhost":                       "http://localhost/",
		"loopback":                        "http://127.0.0.1/",
		"javascript":                      "javascript:alert(1)",
		"javascript with a newline":       "java\nscript:alert(1)",
		"javascript over a comment":       "javascript://signin.example/%0aalert(1)",
		"data":                            "data:text/html,x",
		"vbscript":                        "vbscript:x",
		"file":                            "file:///etc/passwd",
		"blob":                            "blob:https://evil.example/1",
		"protocol relative":               "//evil.example",
		"protocol relative with userinfo": "//signin.example@evil.example",
		"three slashes":                   "///evil.example",
		"four slashes":                    "////evil.example",
		"slash backslash":                 "/\\evil.example",
		"backslash slash":                 "\\/evil.example",
		"two backslashes":                 "\\\\evil.example",
		"one backslash":                   "\\evil.example",
		"slash backslash slash":           "/\\/evil.example",
		"backslash later":                 "/me\\..\\..\\evil.example",
		"encoded slash":                   "/%2Fevil.example",
		"encoded slash in lower case":     "/%2fevil.example",
		"encoded backslash":               "/%5Cevil.example",
		"doubly encoded slash":            "/%252Fevil.example",
		"doubly encoded backslash":        "/%255Cevil.example",
		"overlong encoded slash":          "/%c0%afevil.example",
		"encoded tab":                     "/%09/evil.example",
		"encoded newline":                 "/%0a/evil.example",
		"encoded carriage return":         "/%0d%0aLocation:%20https://evil.example",
		"encoded NUL":                     "/%00/evil.example",
		"encoded dots":                    "/%2e%2e/evil.example",
		"encoded question mark":           "/me%3f//evil.example",
		"tab":                             "/\t/evil.example",
		"newline":                         "/\n/evil.example",
		"carriage return":                 "/\r/evil.example",
		"header":                          "/me\r\nSet-Cookie: a=b",
		"NUL":                             "/\x00/evil.example",
		"DEL":                             "/\x7f/evil.example",
		"leading space":                   " /me",
		"leading newline":                 "\n//evil.example",
		"space":                           "/ /evil.example",
		"dots":                            "/../evil.example",
		"dots then two slashes":           "/..//evil.example",
		"dot":                             "/.//evil.example",
		"dots with a semicolon":           "/..;/evil.example",
		"dots at the end":                 "/me/..",
		"two slashes later":               "/me//evil.example",
		"two slashes at the end":          "/me//",
		"ideographic full stop":           "/\u3002\u3002/evil.example",
		"fullwidth slash":                 "/\uff0fevil.example",
		"fraction slash":                  "/\u2044evil.example",
		"right to left override":          "/\u202eelpmaxe.live",
		"byte order mark":                 "/\ufeff/evil.example",
		"bytes that are not text":         "/\xff\xfe/evil.example",
		"fragment":                        "/me#//evil.example",
		"fragment alone":                  "#//evil.example",
		"query alone":                     "?next=//evil.example",
		"backslash in the query":          "/me?x=\\evil.example",
		"newline in the query":            "/me?x=\nSet-Cookie:a=b",
		"quote in the query":              "/me?x=\"><script>",
		"markup":                          "/<script>",
		"colon in the path":               "/https:evil.example",
		"at sign in the path":             "/@evil.example",
		"semicolon in the path":           "/me;//evil.example",
		"brackets":                        "/[::1]/",
		"too long":                        "/" + strings.Repeat("a", 2048),
	}
}

// Whatever is called local, the standard library reads as a path without a host, and
// the same after resolving it against our origin.
func FuzzALocalTargetStaysOnOurOrigin(f *testing.F) {
	for _, target := range hostile() {
		f.Add(target)
	}
	f.Add("/me?x=1")
	base := &url.URL{Scheme: "https", Host: "signin.example", Path: "/signin"}
	f.Fuzz(func(t *testing.T, target string) {
		if !web.Local(target) {
			return
		}
		u, err := base.Parse(target)
		if err != nil || u.Scheme != "https" || u.Host != "signin.example" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") {
			t.Errorf("%q is read as %v (%v)", target, u, err)
		}
	})
}

func TestTheClientIsWhoTheTrustedProxiesName(t *testing.T) {
	t.Parallel()
	kit, _ := loud(t, "https://signin.example", "10.0.0.0/8", "fd00::/8", "2001:db8:ffff::/48")
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy at all", "203.0.113.7:5000", nil, "203.0.113.7"},
		{"a client that writes the header itself", "203.0.113.7:5000", []string{"198.51.100.1"}, "203.0.113.7"},
		{"one proxy", "10.0.0.1:5000", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a proxy that adds to what the client wrote", "10.0.0.1:5000", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"two proxies", "10.0.0.1:5000", []string{"198.51.100.1, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		{"two header lines", "10.0.0.1:5000", []string{"198.51.100.1", "203.0.113.7"}, "203.0.113.7"},
		{"a proxy without the header", "10.0.0.1:5000", nil, "10.0.0.1"},
		{"an empty header", "10.0.0.1:5000", []string{""}, "10.0.0.1"},
		{"all are proxies", "10.0.0.1:5000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a word for an address", "10.0.0.1:5000", []string{"203.0.113.7, unknown"}, "10.0.0.1"},
		{"a word behind a proxy", "10.0.0.1:5000", []string{"203.0.113.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an address with a port", "10.0.0.1:5000", []string{"203.0.113.7:1234"}, "203.0.113.7"},
		{"IPv6", "[fd00::1]:5000", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 with a port", "[fd00::1]:5000", []string{"[2001:db8::7]:1234"}, "2001:db8::7"},
		{"IPv6 with a zone", "[fe80::1%eth0]:5000", nil, "fe80::1"},
		{"IPv4 in IPv6", "[::ffff:203.0.113.7]:5000", nil, "203.0.113.7"},
		{"a proxy as IPv4 in IPv6", "[::ffff:10.0.0.1]:5000", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"leading zeros are no address", "10.0.0.1:5000", []string{"203.0.113.007"}, "10.0.0.1"},
		{"a socket without an address", "@", []string{"203.0.113.7"}, "invalid IP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			for _, line := range c.forwarded {
				r.Header.Add("X-Forwarded-For", line)
			}
			r.Header.Set("Forwarded", "for=198.51.100.9")
			r.Header.Set("X-Real-Ip", "198.51.100.9")
			if got := kit.Client(r).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheNetworkOfAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.7":               "203.0.113.7/32",
		"::ffff:203.0.113.7":        "203.0.113.7/32",
		"2001:db8:1:2:3:4:5:6":      "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1":      "2001:db8:1:2::/64",
		"2001:db8:1:3::1":           "2001:db8:1:3::/64",
		"fe80::1%eth0":              "fe80::/64",
		"::1":                       "::/64",
		"0.0.0.0":                   "0.0.0.0/32",
		"64:ff9b::203.0.113.7":      "64:ff9b::/64",
		"2001:db8:1:2:0:0:0:0":      "2001:db8:1:2::/64",
		"255.255.255.255":           "255.255.255.255/32",
		"::ffff:0:203.0.113.7":      "::/64",
		"2001:0db8:0001:0002::abcd": "2001:db8:1:2::/64",
	} {
		if got := web.Network(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	if web.Network(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}

func TestAFormIsReadOnceAndWhole(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, kind, body string
		status           int
	}{
		{"an ordinary form", form, "email=sam%40bayside.example&password=a+b", 200},
		{"with a charset", form + "; charset=UTF-8", "email=sam%40bayside.example&password=a+b", 200},
		{"no content type", "", "email=a", 400},
		{"JSON", "application/json", `{"email":"a"}`, 400},
		{"plain text", "text/plain", "email=a", 400},
		{"a form with files", "multipart/form-data; boundary=x", "--x--", 400},
		{"a field twice", form, "email=a&email=b", 400},
		{"a field twice with the same value", form, "email=a&email=a", 400},
		{"a broken escape", form, "email=%zz", 400},
		{"a semicolon", form, "email=a;password=b", 400},
		{"NUL", form, "email=%00", 400},
		{"bytes that are not text", form, "email=%ff%fe", 400},
		{"a name that is not text", form, "%ff=x", 400},
		{"just too large", form, "email=" + strings.Repeat("a", 64<<10), 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kit, log := loud(t, "https://signin.example")
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/signin?email=from-the-query&extra=1", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.kind)
			w := httptest.NewRecorder()
			kit.Wrap(kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
				f, err := web.ReadForm(w, r)
				if err != nil {
					return err
				}
				if f.Get("email") != "sam@bayside.example" || f.Get("password") != "a b" || f.Ticked("extra") || !f.Ticked("email") {
					t.Errorf("read %v", f)
				}
				return nil
			})).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if c.status != 200 && !strings.Contains(w.Body.String(), "Nothing was changed.") {
				t.Errorf("the page says %s", w.Body)
			}
			logged(t, log)
		})
	}
}

func FuzzReadingAFormNeverBreaks(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "email=a&password=b")
	f.Add("text/plain", "%")
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		fields, err := web.ReadForm(httptest.NewRecorder(), r)
		for _, value := range fields {
			if err != nil || strings.ContainsRune(value, 0) {
				t.Errorf("read %q with %v", fields, err)
			}
		}
	})
}

func TestACookieIsOursAlone(t *testing.T) {
	t.Parallel()
	kit, _ := loud(t, "https://signin.example")
	w := httptest.NewRecorder()
	kit.PutCookie(w, "keyturn_session", "value", 0)
	kit.PutCookie(w, "keyturn_device", "value", 90*time.Minute)
	kit.DropCookie(w, "keyturn_session")
	for i, want := range []string{
		"__Host-keyturn_session=value; Path=/; HttpOnly; Secure; SameSite=Lax",
		"__Host-keyturn_device=value; Path=/; Max-Age=5400; HttpOnly; Secure; SameSite=Lax",
		"__Host-keyturn_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
	} {
		if got := w.Header().Values("Set-Cookie")[i]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for header, want := range map[string]string{
		"__Host-keyturn_session=a":                           "a",
		"keyturn_session=planted":                            "",
		"__Host-keyturn_session=a; keyturn_session=planted":  "a",
		"__Host-keyturn_session=a; __Host-keyturn_session=b": "",
		"": "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		if got := kit.Cookie(r, "keyturn_session"); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
