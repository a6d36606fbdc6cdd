package xero_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
	"keyturn/internal/xero"
	"keyturn/internal/xero/fake"
)

const redirect = "https://signin.vendor.example/connect/xero/callback"

// world is a Xero where Pat has two workshops and a namesake has another one.
type world struct {
	*testing.T
	xero   *fake.Xero
	client *xero.Client
	url    string

	mu  sync.Mutex
	now time.Time
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, time.March, 12, 1, 0, 0, 0, time.UTC)}
	var err error
	if w.xero, err = fake.New(fake.App{ClientID: "app", ClientSecret: "s3cret +&", Redirect: redirect, Now: w.Now}); err != nil {
		t.Fatal(err)
	}
	w.xero.Add(fake.Person{ID: "pat", Name: "Pat Chen", Organisations: []fake.Organisation{{ID: "bayside", Name: "Bayside Auto"}, {ID: "bayview", Name: "Bayview Auto"}}})
	w.xero.Add(fake.Person{ID: "pat-2", Name: "Pat Chen", Organisations: []fake.Organisation{{ID: "hillside", Name: "Hillside"}}})
	server := httptest.NewServer(w.xero)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.client = w.as("s3cret +&")
	return w
}

func (w *world) as(key string) *xero.Client {
	w.Helper()
	c, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText(key), Redirect: redirect, BaseURL: w.url, Now: w.Now})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// code is what the browser comes back with.
func (w *world) code(a xero.Asking, organisations ...string) string {
	w.Helper()
	back, err := w.xero.Allow(w.client.Ask(a), "pat", organisations...)
	if err != nil {
		w.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || !strings.HasPrefix(back, redirect+"?") || u.Query().Get("state") != a.State {
		w.Fatalf("back to %s, %v", back, err)
	}
	return u.Query().Get("code")
}

func (w *world) granted() xero.Granted {
	w.Helper()
	a := xero.NewAsking()
	g, err := w.client.Redeem(w.Context(), w.code(a, "bayside", "bayview"), a)
	if err != nil || g.Answer != xero.Done {
		w.Fatalf("redeem: %q, %v", g.Answer, err)
	}
	return g
}

func TestAPersonLetsUsInAndTheirConnectionsAreReadAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.granted()
	if g.User != "pat" || !g.Tokens.Until.Equal(w.Now().Add(30*time.Minute)) {
		t.Fatalf("let in by %q until %v", g.User, g.Tokens.Until)
	}
	list, err := w.client.Connections(t.Context(), g.Tokens.Access)
	if err != nil || len(list.All) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	one := list.All[0]
	if one.Organisation != "bayside" || one.Name != "Bayside Auto" || one.ID == "" || one.Event != list.All[1].Event || !one.MadeAt.Equal(w.Now()) {
		t.Errorf("the connection is %+v", one)
	}
	for _, want := range []xero.Answer{xero.Done, xero.Gone} {
		if got, err := w.client.Disconnect(t.Context(), g.Tokens.Access, one.ID); got != want || err != nil {
			t.Errorf("end it: %q, %v, not %q", got, err, want)
		}
	}
	if list, err = w.client.Connections(t.Context(), g.Tokens.Access); err != nil || len(list.All) != 1 {
		t.Errorf("after the end of one: %+v, %v", list, err)
	}
	w.pass(31 * time.Minute)
	if list, err = w.client.Connections(t.Context(), g.Tokens.Access); err != nil || list.Answer != xero.Dead {
		t.Errorf("with an access token of 31 minutes: %+v, %v", list, err)
	}
	if got, err := w.client.Disconnect(t.Context(), g.Tokens.Access, one.ID); got != xero.Dead || err != nil {
		t.Errorf("end one with it: %q, %v", got, err)
	}
}

func TestACodeWorksOnceAndForItsOwnAskingOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := xero.NewAsking(), xero.NewAsking()
	for name, try := range map[string]struct {
		asking xero.Asking
		code   string
		want   xero.Answer
	}{
		"its own":                   {a, w.code(a, "bayside"), xero.Done},
		"another verifier":          {b, w.code(a, "bayside"), xero.Dead},
		"no code":                   {a, "", xero.Dead},
		"an invented code":          {a, "x", xero.Dead},
		"the nonce of another":      {xero.Asking{State: a.State, Verifier: a.Verifier, Nonce: b.Nonce}, w.code(a, "bayside"), xero.Foreign},
		"an asking without a nonce": {xero.Asking{State: a.State, Verifier: a.Verifier}, w.code(a, "bayside"), xero.Foreign},
	} {
		got, err := w.client.Redeem(t.Context(), try.code, try.asking)
		if err != nil || got.Answer != try.want || (got.User != "") != (try.want == xero.Done) {
			t.Errorf("%s: %q for %q, %v; want %q", name, got.Answer, got.User, err, try.want)
		}
		if again, err := w.client.Redeem(t.Context(), try.code, try.asking); err != nil || again.Answer != xero.Dead {
			t.Errorf("%s, again: %q, %v", name, again.Answer, err)
		}
	}
	late := w.code(a, "bayside")
	w.pass(5 * time.Minute)
	if got, err := w.client.Redeem(t.Context(), late, a); err != nil || got.Answer != xero.Dead {
		t.Errorf("after five minutes: %q, %v", got.Answer, err)
	}
}

func TestAnIDTokenIsXerosOwnForThisAppAndNamesAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(alg jose.SignatureAlgorithm, key any) func(map[string]any) string {
		return func(claims map[string]any) string {
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{})
			if err != nil {
				t.Error(err)
				return ""
			}
			text, err := jwt.Signed(s).Claims(claims).Serialize()
			if err != nil {
				t.Error(err)
			}
			return text
		}
	}
	with := func(name string, value any) func(map[string]any) string {
		return func(claims map[string]any) string {
			claims[name] = value
			if value == nil {
				delete(claims, name)
			}
			return w.xero.Sign(claims)
		}
	}
	plain := func(claims map[string]any) string {
		parts := strings.Split(w.xero.Sign(claims), ".")
		return "eyJhbGciOiJub25lIn0." + parts[1] + "."
	}
	for name, forge := range map[string]func(map[string]any) string{
		"another issuer":           with("iss", "https://identity.xero.example"),
		"no issuer":                with("iss", nil),
		"the base as issuer":       with("iss", w.url),
		"another app":              with("aud", "other"),
		"no audience":              with("aud", nil),
		"made out to another app":  with("azp", "other"),
		"for us among others":      with("aud", []string{"app", "other"}),
		"made out to nobody's app": with("azp", 7),
		"another nonce":            with("nonce", "x"),
		"no nonce":                 with("nonce", nil),
		"it ran out":               with("exp", w.Now().Add(-time.Second).Unix()),
		"it has no end":            with("exp", nil),
		"no person":                with("sub", nil),
		"an empty person":          with("sub", ""),
		"a person without an end":  with("sub", strings.Repeat("a", 201)),
		"a stranger's signature":   signed(jose.RS256, jose.JSONWebKey{Key: stranger, KeyID: "fake-1"}),
		"a stranger's key":         signed(jose.RS256, jose.JSONWebKey{Key: stranger, KeyID: "other"}),
		"another algorithm":        signed(jose.RS512, stranger),
		"signed with our secret":   signed(jose.HS256, []byte("s3cret +& s3cret +& s3cret +& s3")),
		"no signature":             plain,
		"no token":                 func(map[string]any) string { return "" },
		"words":                    func(map[string]any) string { return "let me in" },
		"a nonce that is no text":  with("nonce", []string{"x"}),
		"a person that is no text": with("sub", 7),
	} {
		w.xero.Forge(forge)
		a := xero.NewAsking()
		got, err := w.client.Redeem(t.Context(), w.code(a, "bayside"), a)
		if err != nil || got.Answer != xero.Foreign || got.User != "" || got.Tokens.Refresh.Reveal() != "" {
			t.Errorf("%s: %q for %q, %v", name, got.Answer, got.User, err)
		}
	}
	w.xero.Forge(nil)
	w.granted()
}

func TestAnOldRefreshTokenWorksForThirtyMinutesMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.granted().Tokens
	w.xero.Lose(1)
	if _, err := w.client.Renew(t.Context(), first.Refresh); !errors.Is(err, fault.Busy) {
		t.Fatalf("the answer was lost: %v", err)
	}
	w.pass(29 * time.Minute)
	second, err := w.client.Renew(t.Context(), first.Refresh)
	if err != nil || second.Answer != xero.Done || second.Tokens.Refresh.Equal(first.Refresh) {
		t.Fatalf("with the old one: %q, %v", second.Answer, err)
	}
	w.pass(time.Minute)
	if got, err := w.client.Renew(t.Context(), first.Refresh); err != nil || got.Answer != xero.Dead {
		t.Errorf("with the old one after 30 minutes: %q, %v", got.Answer, err)
	}
	w.pass(59 * 24 * time.Hour)
	third, err := w.client.Renew(t.Context(), second.Tokens.Refresh)
	if err != nil || third.Answer != xero.Done {
		t.Fatalf("after 59 days: %q, %v", third.Answer, err)
	}
	w.pass(60 * 24 * time.Hour)
	if got, err := w.client.Renew(t.Context(), third.Tokens.Refresh); err != nil || got.Answer != xero.Dead {
		t.Errorf("after 60 days: %q, %v", got.Answer, err)
	}
}

func TestAGrantThatWasTakenBackIsDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.granted()
	w.xero.Break("pat")
	if got, err := w.client.Renew(t.Context(), g.Tokens.Refresh); err != nil || got.Answer != xero.Dead {
		t.Errorf("renew: %q, %v", got.Answer, err)
	}
	if got, err := w.client.Connections(t.Context(), g.Tokens.Access); err != nil || got.Answer != xero.Dead {
		t.Errorf("connections: %q, %v", got.Answer, err)
	}
	if c := w.xero.Counts(); c.Orphaned != 0 || c.Refused != 1 {
		t.Errorf("counted %+v", c)
	}
}

func TestTroubleAtXeroSaysWhenToComeBackAndIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.granted()
	calls := map[string]func(c *xero.Client) error{
		"renew":       func(c *xero.Client) error { _, err := c.Renew(t.Context(), g.Tokens.Refresh); return err },
		"connections": func(c *xero.Client) error { _, err := c.Connections(t.Context(), g.Tokens.Access); return err },
		"disconnect":  func(c *xero.Client) error { _, err := c.Disconnect(t.Context(), g.Tokens.Access, "x"); return err },
		"redeem":      func(c *xero.Client) error { _, err := c.Redeem(t.Context(), "x", xero.NewAsking()); return err },
	}
	for name, call := range calls {
		for status, want := range map[int]time.Duration{500: 7 * time.Second, 502: 7 * time.Second, 503: 7 * time.Second, 429: 7 * time.Second, 418: 7 * time.Second, 302: 7 * time.Second} {
			w.xero.Down(status)
			var wait *fault.Wait
			if err := call(w.client); !errors.As(err, &wait) || wait.For != want {
				t.Errorf("%s, %d: %v", name, status, err)
			}
		}
	}
	w.xero.Down(0)
	var wait *fault.Wait
	if err := calls["renew"](w.as("another secret")); !errors.As(err, &wait) || !strings.Contains(err.Error(), "KEYTURN_XERO_CLIENT_SECRET") {
		t.Errorf("with another secret: %v", err)
	}
	if err := calls["renew"](w.client); err != nil {
		t.Errorf("and after it all: %v", err)
	}
}

func TestAnAnswerThatCannotBeReadEndsNothing(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, time.March, 12, 1, 0, 0, 0, time.UTC) }
	for name, body := range map[string]string{
		"nothing": "", "words": "<html>Maintenance</html>", "null": "null", "an object": "{}", "cut short": `[{"id":"1","tenantId":"2"},`,
		"without an id": `[{"tenantId":"2"}]`, "without an organisation": `[{"id":"1"}]`, "an id of another kind": `[{"id":1,"tenantId":"2"}]`,
		"an id without an end": `[{"id":"` + strings.Repeat("a", 101) + `","tenantId":"2"}]`, "too much": "[" + strings.Repeat(" ", 2<<20) + "]",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		c, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText("x"), Redirect: redirect, BaseURL: server.URL, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if list, err := c.Connections(t.Context(), secret.NewText("a")); !errors.Is(err, fault.Busy) || len(list.All) > 0 || list.Answer != xero.Done {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
		if got, err := c.Renew(t.Context(), secret.NewText("a")); !errors.Is(err, fault.Busy) || got.Answer != xero.Done {
			t.Errorf("%s, renewed: %+v, %v", name, got.Answer, err)
		}
		server.Close()
		if _, err := c.Connections(t.Context(), secret.NewText("a")); !errors.Is(err, fault.Busy) {
			t.Errorf("nobody answers: %v", err)
		}
	}
}

func TestAFailureAtXeroKillsNoGrantWhateverItSays(t *testing.T) {
	t.Parallel()
	status := http.StatusInternalServerError
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
	}))
	defer server.Close()
	now := func() time.Time { return time.Date(2026, time.March, 12, 1, 0, 0, 0, time.UTC) }
	c, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText("x"), Redirect: redirect, BaseURL: server.URL, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, status = range []int{500, 502, 503, 504} {
		if got, err := c.Renew(t.Context(), secret.NewText("a")); !errors.Is(err, fault.Busy) || got.Answer != xero.Done {
			t.Errorf("%d: %q, %v", status, got.Answer, err)
		}
	}
	for _, status = range []int{400, 401} {
		if got, err := c.Renew(t.Context(), secret.NewText("a")); err != nil || got.Answer != xero.Dead {
			t.Errorf("%d: %q, %v", status, got.Answer, err)
		}
	}
}

func TestTimesWithoutAZoneAreUTCAndNamesAreOneLine(t *testing.T) {
	t.Parallel()
	body := `[{"id":"1","tenantId":"2","tenantType":"ORGANISATION","tenantName":" A\n\u202eB\tC ","createdDateUtc":"2019-07-09T23:40:30.1833130","updatedDateUtc":"soon"},
		{"id":"3","tenantId":"4","tenantType":"PRACTICE","tenantName":"Books"}]`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	defer server.Close()
	c, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText("x"), Redirect: redirect, BaseURL: server.URL, Now: func() time.Time { return time.Time{} }})
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Connections(t.Context(), secret.NewText("a"))
	want := time.Date(2019, time.July, 9, 23, 40, 30, 183313000, time.UTC)
	if err != nil || len(list.All) != 1 || list.All[0].Name != "A B C" || !list.All[0].MadeAt.Equal(want) || !list.All[0].ChangedAt.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestNobodyIsAskedWithoutPKCEStateAndNonce(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Time{} }
	c, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText("x"), Redirect: redirect, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	a := xero.NewAsking()
	u, err := url.Parse(c.Ask(a))
	if err != nil || u.Scheme != "https" || u.Host != "login.xero.com" || u.Path != fake.AuthorizePath {
		t.Fatalf("%v, %v", u, err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("state") != a.State || q.Get("nonce") != a.Nonce.Reveal() ||
		q.Get("scope") != "openid profile email offline_access" || q.Get("redirect_uri") != redirect || strings.Contains(u.String(), a.Verifier.Reveal()) {
		t.Errorf("%v", q)
	}
	if b := xero.NewAsking(); b.State == a.State || b.Nonce.Equal(a.Nonce) || b.Verifier.Equal(a.Verifier) {
		t.Error("two askings are alike")
	}
	for name, base := range map[string]string{
		"plain http": "http://xero.example", "another scheme": "ftp://127.0.0.1", "a name and password": "https://a:b@xero.example",
		"no host": "https://", "words": "xero", "a query": "https://xero.example?x=1",
	} {
		if _, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText("x"), Redirect: redirect, BaseURL: base, Now: now}); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := xero.New(xero.App{ClientID: "app", Redirect: redirect, Now: now}); !errors.Is(err, fault.Invalid) {
		t.Errorf("without a secret: %v", err)
	}
}

func TestTheLimitsAreThoseOfXero(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.granted()
	for range fake.PerMinute {
		if _, err := w.client.Connections(t.Context(), g.Tokens.Access); err != nil {
			t.Fatal(err)
		}
	}
	var wait *fault.Wait
	if _, err := w.client.Connections(t.Context(), g.Tokens.Access); !errors.As(err, &wait) || wait.For < time.Second || wait.For > 61*time.Second {
		t.Errorf("the 61st of a minute: %v", err)
	}
	w.pass(time.Minute)
	if _, err := w.client.Connections(t.Context(), g.Tokens.Access); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// What comes from outside is read whole or not at all.
func FuzzAListIsReadWholeOrNotAtAll(f *testing.F) {
	f.Add(`[{"id":"1","tenantId":"2","tenantName":"A","createdDateUtc":"2019-07-09T23:40:30.1833130"}]`)
	f.Add(`[{"id":"1"}]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		all, err := xero.Parse([]byte(body))
		if err != nil && all != nil {
			t.Error("half a list")
		}
		for _, c := range all {
			if c.ID == "" || c.Organisation == "" || strings.ContainsAny(c.Name, "\n\r\x00") {
				t.Errorf("%+v", c)
			}
		}
	})
}
