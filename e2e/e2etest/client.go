package e2etest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The product's cookies, as they are called on plain http.
const (
	SessionCookie = "keyturn"
	AttemptCookie = "keyturn_attempt"
	BrowserCookie = "keyturn_browser"
)

// plainClient follows nothing, keeps no cookies and no connections, so that a request
// never meets a connection to a process that was killed.
var plainClient = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Visitor is somebody at the product's door: cookies, a network and a name of its own.
type Visitor struct {
	// Network is the address it comes from, as the proxy before the product says.
	Network string
	// Agent is what it calls itself.
	Agent string

	base   string
	client *http.Client

	mu   sync.Mutex
	seen strings.Builder
}

// Answer is one answer.
type Answer struct {
	Status  int
	Header  http.Header
	Cookies []*http.Cookie
	Body    string
}

var networks atomic.Uint32

// Visitor opens a fresh browser, in a network that no other has.
func (p *Product) Visitor(t testing.TB) *Visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := networks.Add(1)
	client := *plainClient
	client.Jar = jar
	return &Visitor{
		Network: fmt.Sprintf("10.%d.%d.%d", n>>16&0xff, n>>8&0xff, n&0xff),
		Agent:   "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		base:    p.URL, client: &client,
	}
}

// Request makes a request of this browser: a form when there are fields, with the
// headers that browsers send with forms of the page's own origin. A path that is a whole
// address leads to another origin.
func (b *Visitor) Request(t testing.TB, method, path string, form url.Values) *http.Request {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = b.base + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", b.Agent)
	r.Header.Set("X-Forwarded-For", b.Network)
	if method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// Try sends a request; an error is one of the line, not an answer.
func (b *Visitor) Try(r *http.Request) (Answer, error) {
	w, err := b.client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		return Answer{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = w.Header.Write(&b.seen) // a builder takes everything
	b.seen.Write(body)
	return Answer{Status: w.StatusCode, Header: w.Header, Cookies: w.Cookies(), Body: string(body)}, nil
}

// Do is Try for a request that must be answered.
func (b *Visitor) Do(t testing.TB, r *http.Request) Answer {
	t.Helper()
	page, err := b.Try(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return page
}

// Get opens a page; nothing is followed.
func (b *Visitor) Get(t testing.TB, path string) Answer {
	t.Helper()
	return b.Do(t, b.Request(t, http.MethodGet, path, nil))
}

// Post sends a form; nothing is followed. Fields are given as name, value, name, value.
func (b *Visitor) Post(t testing.TB, path string, fields ...string) Answer {
	t.Helper()
	return b.Do(t, b.Request(t, http.MethodPost, path, Form(fields...)))
}

// Form puts fields together, given as name, value, name, value.
func Form(fields ...string) url.Values {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return form
}

// Cookie is the value of a cookie that the browser holds; empty if it has none.
func (b *Visitor) Cookie(t testing.TB, name string) string {
	t.Helper()
	at, err := url.Parse(b.base)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Plant gives the browser a cookie.
func (b *Visitor) Plant(t testing.TB, name, value string) {
	t.Helper()
	at, err := url.Parse(b.base)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Seen is all that the browser was ever answered: headers and bodies.
func (b *Visitor) Seen() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen.String()
}

// Leads fails the test unless the page is a redirect to an address.
func (p Answer) Leads(t testing.TB, to string) {
	t.Helper()
	if p.Status != http.StatusSeeOther || p.Header.Get("Location") != to {
		t.Fatalf("the answer is %d to %q, not a redirect to %s\n%.600s", p.Status, p.Header.Get("Location"), to, p.Body)
	}
}

// Is fails the test unless the page has a status and says all of these words.
func (p Answer) Is(t testing.TB, status int, words ...string) {
	t.Helper()
	if p.Status != status {
		t.Fatalf("the answer is %d (to %q), not %d\n%.1500s", p.Status, p.Header.Get("Location"), status, p.Body)
	}
	for _, w := range words {
		if !strings.Contains(p.Body, w) {
			t.Fatalf("the page does not say %q\n%.3000s", w, p.Body)
		}
	}
}

// Cookie finds a cookie that the answer sets; nil if it does not.
func (p Answer) Cookie(name string) *http.Cookie {
	for _, c := range p.Cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Password gives a password that is right and must lead to the second step, and waits
// for the code.
func (b *Visitor) Password(t testing.TB, box Mailbox, email, password string) (code string) {
	t.Helper()
	had := len(box.Letters(t, email))
	b.Post(t, "/signin", "email", email, "password", password).Leads(t, "/signin/code")
	return NextLetter(t, box, email, had).Code(t)
}

// SignIn goes the whole way, with a code, and ends on the person's own page.
func (b *Visitor) SignIn(t testing.TB, box Mailbox, email, password string) {
	t.Helper()
	code := b.Password(t, box, email, password)
	b.Post(t, "/signin/code", "code", code).Leads(t, "/me")
	b.Get(t, "/me").Is(t, http.StatusOK, email)
}

// CookieAt is the value of a cookie that another origin has in this browser; "" for none.
func (b *Visitor) CookieAt(t testing.TB, origin, name string) string {
	t.Helper()
	at, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}
