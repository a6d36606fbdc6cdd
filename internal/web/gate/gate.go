// Package gate is forward auth: a proxy that stands before pages which know nothing of
// signing in asks it about every request, and passes on who it is.
//
// Each origin behind the gate is an application of the provider's, and the gate signs people
// in at it as any other would: by a code with PKCE, so that all that decides there decides
// here. The sign-in's own cookie never leaves Keyturn's origin; each origin gets one of its
// own, which is worth what the session behind it is worth at that moment.
//
//	GET /gate ─401/302─▶ /.keyturn/begin ─▶ /oauth/authorize ─▶ /.keyturn/enter ─▶ the page
//
// Which rule a path has is said by the proxy that serves it, in the address by which it asks.
// Proxy and pages may still understand one path differently, which is how such rules are
// passed: a path that can be read in two ways is refused, whoever asks.
package gate

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"keyturn/internal/client"
	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/oidc"
	"keyturn/internal/secret"
	"keyturn/internal/web"
)

// The addresses. Begin and that of client.GateEnter are called at the protected origin, whose
// proxy leads them here.
const (
	Ask   = "/gate"
	Begin = "/.keyturn/begin"
	Enter = client.GateEnter
)

// longest bounds an address to come back to, in bytes.
const longest = 2048

// Gate answers proxies, and signs people in at the origins behind them.
type Gate struct {
	Kit  *web.Kit
	Desk *oidc.Desk
	// Authorize is the provider's address where a sign-in begins, whole.
	Authorize string
}

// origin finds the origin that a request is about, and its client; fault.NotFound where it is
// none behind the gate, or no trusted proxy says so.
func (g *Gate) origin(r *http.Request) (string, client.Client, error) {
	origin, ok := g.Kit.Forwarded(r)
	if !ok {
		return "", client.Client{}, fault.NotFound
	}
	c, err := client.ByOrigin(r.Context(), g.Desk.DB, origin)
	return origin, c, err
}

// Ask answers "GET /gate": 204 with who it is, 403 for whoever may not see this, 401 for
// whoever is not signed in, or, with "redirect=1", 302 to where they sign in. "group" and
// "permission" are what it takes: one of the groups, all of the permissions. An answer that
// cannot be given is 5xx, which no proxy takes for a yes.
func (g *Gate) Ask() http.Handler {
	return g.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		q, ok := rule(r)
		if !ok || !plainPath(r.Header.Values("X-Forwarded-Uri")) {
			w.WriteHeader(http.StatusForbidden)
			return nil
		}
		origin, _, err := g.origin(r)
		if errors.Is(err, fault.NotFound) {
			w.WriteHeader(http.StatusForbidden)
			return nil
		}
		if err != nil {
			return err
		}
		who, in, err := g.Desk.Gate(r.Context(), origin, one(r, cookieName(origin)))
		switch {
		case err != nil:
			return err
		case in && !who.Allows(q["group"], q["permission"]):
			w.WriteHeader(http.StatusForbidden)
		case in:
			say(w.Header(), who)
			w.WriteHeader(http.StatusNoContent)
		case q.Get("redirect") == "1":
			w.Header().Set("Location", origin+Begin+"?to="+url.QueryEscape(wanted(r)))
			w.WriteHeader(http.StatusFound)
		default:
			w.Header().Set("WWW-Authenticate", "Keyturn") // RFC 9110, section 15.5.2
			w.WriteHeader(http.StatusUnauthorized)
		}
		return nil
	})
}

// rule reads what the proxy asks for. A word that is not known is no rule that could be kept,
// so that nobody passes by it.
func rule(r *http.Request) (url.Values, bool) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, false
	}
	for name, values := range q {
		switch {
		case name != "group" && name != "permission" && name != "redirect", name == "redirect" && (len(values) != 1 || values[0] != "1"):
			return nil, false
		}
	}
	return q, true
}

// plainPath says whether the address that is asked for can be read in one way only: its path
// has no escape that stands for a slash, a dot or another escape, no backslash, no parameter
// (";"), no empty and no dot segment. Browsers send no other for the links of a page, and a
// proxy that does not say the address gets no yes.
func plainPath(all []string) bool {
	if len(all) != 1 {
		return false
	}
	raw, _, _ := strings.Cut(all[0], "?")
	path, err := url.PathUnescape(raw)
	if err != nil || !strings.HasPrefix(raw, "/") || strings.ContainsAny(path, "\\;%") || strings.Contains(path, "//") {
		return false
	}
	for _, c := range []byte(path) {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	// A slash that was an escape makes more segments than there were.
	segments := strings.Split(path, "/")
	if len(segments) != strings.Count(raw, "/")+1 || !utf8.ValidString(path) {
		return false
	}
	return !slices.Contains(segments, ".") && !slices.Contains(segments, "..")
}

// say writes who it is into the headers that the proxy passes on.
func say(h http.Header, who oidc.Behind) {
	h.Set("X-Keyturn-User", string(who.Subject))
	h.Set("X-Keyturn-Email", plain(who.Email))
	h.Set("X-Keyturn-Site", plain(who.Site.Ref))
	h.Set("X-Keyturn-Roles", plain(strings.Join(who.Site.Roles, ",")))
	h.Set("X-Keyturn-Acr", who.ACR)
}

// plain is a text as a header can hold it: what is not printable ASCII is percent-encoded.
func plain(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '%' {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// wanted is where somebody wanted to go, to be led there afterwards; the first page for what
// is no page to come back to.
func wanted(r *http.Request) string {
	to := r.Header.Values("X-Forwarded-Uri")
	if method := r.Header.Get("X-Forwarded-Method"); method != "" && method != http.MethodGet || len(to) != 1 {
		return "/"
	}
	return local(to[0])
}

// local is a path of the origin itself: it is written behind the origin's name and begins
// with a slash, so that it leads nowhere else, however it is read.
func local(to string) string {
	if len(to) > longest || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "/.keyturn/") {
		return "/"
	}
	for _, c := range []byte(to) {
		if c <= ' ' || c > '~' || c == '\\' {
			return "/"
		}
	}
	return to
}

// Begin answers "GET /.keyturn/begin?to=" at an origin behind the gate: it sends the browser
// to sign in, and keeps in a cookie what shows later that it is the same one.
func (g *Gate) Begin() http.Handler {
	return g.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		origin, c, err := g.origin(r)
		if err != nil {
			return err
		}
		verifier, _ := secret.Token()
		state, _ := secret.Token()
		to := back(r)
		put(w, origin, cookieName(origin)+"_begin", verifier+"."+state+"."+base64.RawURLEncoding.EncodeToString([]byte(to)))
		sum := sha256.Sum256([]byte(verifier))
		w.Header().Set("Location", g.Authorize+"?"+url.Values{
			"response_type": {"code"}, "client_id": {string(c.ID)}, "redirect_uri": {origin + Enter}, "state": {state},
			"scope":          {oidc.ScopeOpenID + " " + oidc.ScopeEmail + " " + oidc.ScopeSites},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		}.Encode())
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusFound)
		return nil
	})
}

// back is where "to" says that somebody wanted to go. A proxy that cannot encode writes it as
// it came: then it is all that follows.
func back(r *http.Request) string {
	if raw, is := strings.CutPrefix(r.URL.RawQuery, "to=/"); is {
		return local("/" + raw)
	}
	return local(web.ReadQuery(r).Get("to"))
}

// Enter answers "GET /.keyturn/enter" at an origin behind the gate: it takes the code, sets
// the origin's cookie and leads to the page that was wanted. Whoever did not begin in this
// browser gets nothing.
func (g *Gate) Enter() http.Handler {
	return g.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		origin, c, err := g.origin(r)
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		q := web.ReadQuery(r)
		begun := strings.Split(one(r, cookieName(origin)+"_begin"), ".")
		if len(begun) != 3 || q.Get("state") == "" || begun[1] != q.Get("state") {
			return tell(w, http.StatusBadRequest, locale.Say(locale.OidcGateOver))
		}
		if q.Get("error") != "" {
			drop(w, origin, cookieName(origin)+"_begin")
			return tell(w, http.StatusForbidden, locale.Say(locale.OidcGateNo))
		}
		token, refused, err := g.Desk.Enter(r.Context(), c, oidc.Redemption{Code: q.Get("code"), Redirect: origin + Enter, Verifier: begun[0]})
		if err != nil {
			return err
		}
		drop(w, origin, cookieName(origin)+"_begin")
		if refused != nil {
			return tell(w, http.StatusBadRequest, locale.Say(locale.OidcGateOver))
		}
		to, err := base64.RawURLEncoding.DecodeString(begun[2])
		if err != nil {
			to = nil
		}
		put(w, origin, cookieName(origin), token)
		w.Header().Set("Location", origin+local(string(to)))
		w.WriteHeader(http.StatusFound)
		return nil
	})
}

// tell answers in plain words: the origin has no styles of ours.
func tell(w http.ResponseWriter, status int, words string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(words + "\n")) // the browser has gone away
	return nil
}

// cookieName is the origin's own: over https bound to its host alone (RFC 6265bis, 4.1.3.2).
func cookieName(origin string) string {
	if strings.HasPrefix(origin, "https://") {
		return "__Host-keyturn_gate"
	}
	return "keyturn_gate"
}

func put(w http.ResponseWriter, origin, name, value string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the origin: http is loopback alone
		Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(origin, "https://"),
	})
}

func drop(w http.ResponseWriter, origin, name string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the origin: http is loopback alone
		Name: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(origin, "https://"), MaxAge: -1,
	})
}

// one is the value of a cookie, or "" if it is absent or there twice: which of two is ours
// cannot be told.
func one(r *http.Request, name string) string {
	all := r.CookiesNamed(name)
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}
