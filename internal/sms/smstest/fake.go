// Package smstest has providers of SMS for tests: small servers that speak as the real
// ones are documented to, keep their own log of what they took, and fail in whatever way
// they are told to.
package smstest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Kind is one of the providers.
type Kind string

// The kinds.
const (
	Twilio       Kind = "twilio"
	MessageMedia Kind = "messagemedia"
	ClickSend    Kind = "clicksend"
	Webhook      Kind = "webhook"
)

// Way is how a provider treats one request. Only those that say so take the text.
type Way string

// The ways.
const (
	Take         Way = "takes it"
	TakeSlowly   Way = "takes it and answers after Fake.Delay"
	TakeSilent   Way = "takes it and never answers"
	TakeHangUp   Way = "takes it and hangs up"
	TakeBroken   Way = "takes it and says 500"
	TakeGarbled  Way = "takes it and answers what nobody can read"
	Silent       Way = "does not take it and never answers"
	HangUp       Way = "does not take it and hangs up"
	Broken       Way = "does not take it and says 500"
	BadGateway   Way = "does not take it and says 502"
	TooMany      Way = "says 429"
	Unavailable  Way = "says 503"
	Unauthorized Way = "says 401"
	RefuseInside Way = "says no inside an answer that says yes"
	RefuseNumber Way = "refuses the number for good"
	RefuseOther  Way = "refuses the text for a reason of the account's"
	Redirect     Way = "says 307"
)

// takes says whether a text that is treated this way is in the log.
func (w Way) takes() bool { return strings.HasPrefix(string(w), "takes") }

// Message is one text that a provider was asked to take.
type Message struct {
	// ID is the provider's own name for it.
	ID string
	// Key is the reference that comes back with receipts.
	Key            string
	To, From, Body string
	// Parts is how many parts the body has, counted by the provider.
	Parts int
	// Callback is where its receipts go; empty if none are wanted.
	Callback string
	// Until is when the provider gives up; zero if it was not told.
	Until time.Time
	// Way is how it was treated.
	Way Way
}

// Fake is a provider. It may be used from several goroutines.
type Fake struct {
	// User, Password and From are what its URL holds, made up by New.
	User, Password, From string
	// Delay is how long TakeSlowly takes.
	Delay time.Duration

	tb     testing.TB
	kind   Kind
	speaks dialect
	server *httptest.Server
	over   chan struct{}

	mu     sync.Mutex
	ways   []Way
	decide func(n int, m Message) Way
	rule   string // ClickSend's receipts go here
	asked  []Message
	faults []string
}

// dialect is what differs between the providers.
type dialect interface {
	// read reads a request, and calls wrong for whatever breaks the provider's rules.
	read(f *Fake, r *http.Request, body []byte, wrong func(string, ...any)) Message
	// answer writes the answer that goes with a way: TakeX, RefuseX and 4xx.
	answer(w http.ResponseWriter, m Message)
	// receipt makes a receipt's request, signed with these credentials.
	receipt(f *Fake, m Message, status, code, password string) *http.Request
}

// New makes a provider that is served by nobody: it is an http.Handler. At the end of the
// test it complains about requests that broke the provider's rules.
func New(tb testing.TB, kind Kind) *Fake {
	tb.Helper()
	f := &Fake{tb: tb, kind: kind, over: make(chan struct{}), Delay: 100 * time.Millisecond}
	f.User, f.Password, f.From = "user-"+random(4), random(16), "Keyturn"
	switch kind {
	case Twilio:
		f.speaks, f.User, f.From = twilio{}, "AC"+random(16), "+61480000000"
	case MessageMedia:
		f.speaks = messageMedia{}
	case ClickSend:
		f.speaks = clickSend{}
	case Webhook:
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)
		f.speaks, f.Password = webhook{}, base64.StdEncoding.EncodeToString(raw)
	default:
		tb.Fatalf("there is no provider %q", kind)
	}
	tb.Cleanup(func() {
		close(f.over)
		if f.server != nil {
			f.server.Close()
		}
		for _, fault := range f.Faults() {
			tb.Errorf("%s: %s", kind, fault)
		}
	})
	return f
}

// Start serves the provider on loopback.
func (f *Fake) Start() *Fake {
	f.server = httptest.NewServer(f)
	return f
}

// NewTwilio serves a Twilio on loopback.
func NewTwilio(tb testing.TB) *Fake { tb.Helper(); return New(tb, Twilio).Start() }

// NewMessageMedia serves a MessageMedia on loopback.
func NewMessageMedia(tb testing.TB) *Fake { tb.Helper(); return New(tb, MessageMedia).Start() }

// NewClickSend serves a ClickSend on loopback.
func NewClickSend(tb testing.TB) *Fake { tb.Helper(); return New(tb, ClickSend).Start() }

// NewWebhook serves a program of the operator's on loopback.
func NewWebhook(tb testing.TB) *Fake { tb.Helper(); return New(tb, Webhook).Start() }

// URL is the provider as it stands in KEYTURN_SMS_URL.
func (f *Fake) URL() string { return f.URLAt(f.server.URL) }

// BaseURL is where it is served.
func (f *Fake) BaseURL() string { return f.server.URL }

// URLAt is the same for a provider that is served at another address.
func (f *Fake) URLAt(base string) string {
	if f.kind == Webhook {
		return "webhook+" + base + "/text?secret=" + f.Password
	}
	settings := url.Values{"from": {f.From}, "base": {base}}
	return fmt.Sprintf("%s://%s:%s@?%s", f.kind, f.User, f.Password, settings.Encode())
}

// Down stops the server: connections are refused from now on.
func (f *Fake) Down() { f.server.Close() }

// Then sets how the next requests are treated, one after the other; after them it is Take.
func (f *Fake) Then(ways ...Way) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ways = append(f.ways, ways...)
}

// Decide sets how requests are treated that Then says nothing of; n counts from 1. It is
// called by one goroutine at a time, and must not use the Fake.
func (f *Fake) Decide(how func(n int, m Message) Way) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decide = how
}

// Rule sets where ClickSend sends its receipts, as its dashboard does.
func (f *Fake) Rule(to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rule = to
}

// Asked are all texts of requests that could be read.
func (f *Fake) Asked() []Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// Taken is the provider's own log: the texts that it took, and charges for.
func (f *Fake) Taken() []Message {
	return slices.DeleteFunc(f.Asked(), func(m Message) bool { return !m.Way.takes() })
}

// Parts is how many parts it took.
func (f *Fake) Parts() int {
	sum := 0
	for _, m := range f.Taken() {
		sum += m.Parts
	}
	return sum
}

// Faults are the requests that broke the provider's rules, and receipts that were treated
// wrongly.
func (f *Fake) Faults() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.faults)
}

// Forgive forgets the faults until now: the test made them.
func (f *Fake) Forgive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

func (f *Fake) fault(form string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, fmt.Sprintf(form, args...))
}

// ServeHTTP implements http.Handler.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return // the caller has gone
	}
	if r.Method == http.MethodGet {
		f.probed(w, r)
		return
	}
	wrong := 0
	m := f.speaks.read(f, r, body, func(form string, args ...any) {
		wrong++
		f.fault(form, args...)
	})
	if user, password, _ := r.BasicAuth(); f.kind != Webhook && (user != f.User || password != f.Password) {
		f.fault("the user or the password is wrong")
		m.Way = Unauthorized
	} else if wrong > 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	} else {
		m = f.treat(m)
	}
	f.reply(w, r, m)
}

// treat decides about a text, and logs it.
func (f *Fake) treat(m Message) Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(f.ways) > 0:
		m.Way, f.ways = f.ways[0], f.ways[1:]
	case f.decide != nil:
		m.Way = f.decide(len(f.asked)+1, m)
	default:
		m.Way = Take
	}
	f.asked = append(f.asked, m)
	return m
}

func (f *Fake) reply(w http.ResponseWriter, r *http.Request, m Message) {
	switch m.Way {
	case TakeSilent, Silent:
		select {
		case <-r.Context().Done():
		case <-f.over:
		}
		panic(http.ErrAbortHandler)
	case TakeHangUp, HangUp:
		panic(http.ErrAbortHandler)
	case TakeSlowly:
		select {
		case <-time.After(f.Delay):
		case <-f.over:
		}
		f.speaks.answer(w, m)
	case TakeGarbled:
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "<html>a proxy's page about "+m.Body)
	case TakeBroken, Broken:
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "it broke over "+m.Body)
	case BadGateway:
		w.WriteHeader(http.StatusBadGateway)
	case TooMany:
		w.WriteHeader(http.StatusTooManyRequests)
	case Unavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
	case Unauthorized:
		w.WriteHeader(http.StatusUnauthorized)
	case Redirect:
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Take, RefuseInside, RefuseNumber, RefuseOther:
		f.speaks.answer(w, m)
	}
}

// probed answers a question about the account.
func (f *Fake) probed(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != f.User || password != f.Password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	paths := []string{"/2010-04-01/Accounts/" + f.User + ".json", "/v1/delivery_reports", "/v3/account"}
	if !slices.Contains(paths, r.URL.Path) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, "{}")
}

// random is n random bytes in hexadecimal.
func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}
