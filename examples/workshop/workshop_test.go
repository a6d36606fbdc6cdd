package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is a provider that does what a test says, right or wrong.
type issuer struct {
	*httptest.Server

	t   *testing.T
	key *ecdsa.PrivateKey
	kid string

	mu sync.Mutex
	// status is what userinfo answers, asked how often it was.
	status, asked int
	// claims are the next ID token's, refresh what a refresh is answered with.
	claims  map[string]any
	refresh int
	sub     string
}

const access = "an-access-token"

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, kid: "k1", status: http.StatusOK, refresh: http.StatusBadRequest, sub: "u1"}
	m := http.NewServeMux()
	i.Server = httptest.NewServer(m)
	t.Cleanup(i.Close)
	say := func(w http.ResponseWriter, status int, what any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(what)
	}
	m.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/a", "token_endpoint": i.URL + "/t", "userinfo_endpoint": i.URL + "/u", "jwks_uri": i.URL + "/k",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	m.HandleFunc("GET /k", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	})
	m.HandleFunc("POST /t", func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if r.FormValue("grant_type") == "refresh_token" {
			say(w, i.refresh, map[string]any{"error": "invalid_grant", "access_token": access, "token_type": "Bearer", "refresh_token": "r2"})
			return
		}
		if r.FormValue("code_verifier") == "" || r.FormValue("code") != "c" {
			say(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
			return
		}
		say(w, http.StatusOK, map[string]any{
			"access_token": access, "token_type": "Bearer", "expires_in": 600, "refresh_token": "r1", "id_token": i.sign("JWT", i.claims),
		})
	})
	m.HandleFunc("GET /u", func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked++
		say(w, i.status, map[string]any{"sub": i.sub, "sid": "s1", "name": "Pat", "acr": TwoFactors, "sites": []Site{
			{ID: "1", Ref: "S1", UserRef: "U1", Name: "Bayside", Roles: []string{"Sales"}, Permissions: []string{"customers"}, Satisfied: true},
			{ID: "2", Ref: "S2", UserRef: "U1", Name: "Bayview", Permissions: []string{"customers"}},
		}})
	})
	return i
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuer) sign(typ string, claims map[string]any) string {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: i.kid}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		i.t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		i.t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return raw
}

func (i *issuer) keyturn() *Keyturn {
	return &Keyturn{Issuer: i.URL, Self: "https://workshop.example", Client: "workshop", Secret: "s", HTTP: i.Client()}
}

// right are the claims of an ID token with nothing wrong in it, with some changed.
func (i *issuer) right(nonce string, but map[string]any) map[string]any {
	sum := sha256.Sum256([]byte(access))
	all := map[string]any{
		"iss": i.URL, "aud": "workshop", "sub": "u1", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": nonce,
		"acr": TwoFactors, "sid": "s1", "at_hash": base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]),
	}
	maps.Copy(all, but)
	return all
}

// Each binding of a sign-in is broken in turn, and lets nobody in.
func TestAnAnswerThatIsNotWhatWasAskedForLetsNobodyIn(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	k := i.keyturn()
	for name, row := range map[string]struct {
		claims map[string]any
		answer map[string]string
		acr    string
		set    func()
		want   string
	}{
		"as it should be":                {},
		"as it should be, at a level":    {acr: TwoFactors},
		"another state":                  {answer: map[string]string{"state": "x"}, want: "state"},
		"no state":                       {answer: map[string]string{"state": ""}, want: "state"},
		"another provider's answer":      {answer: map[string]string{"iss": "https://evil.example"}, want: "issuer"},
		"nobody's answer":                {answer: map[string]string{"iss": ""}, want: "issuer"},
		"a refusal":                      {answer: map[string]string{"error": "access_denied"}, want: "access_denied"},
		"another code":                   {answer: map[string]string{"code": "d"}, want: "invalid_grant"},
		"another nonce":                  {claims: map[string]any{"nonce": "x"}, want: "nonce"},
		"no nonce":                       {claims: map[string]any{"nonce": ""}, want: "nonce"},
		"another issuer's token":         {claims: map[string]any{"iss": "https://evil.example"}, want: "id_token"},
		"another product's token":        {claims: map[string]any{"aud": "reports"}, want: "id_token"},
		"an old token":                   {claims: map[string]any{"exp": 1}, want: "id_token"},
		"a token of another key":         {set: func() { i.kid = "k2" }, want: "id_token"},
		"another access token's":         {claims: map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, want: "at_hash"},
		"less than was asked for":        {acr: "urn:keyturn:3", want: "acr"},
		"a level that nobody knows":      {acr: TwoFactors, claims: map[string]any{"acr": "urn:other:9"}, want: "acr"},
		"somebody else's userinfo":       {set: func() { i.sub = "u2" }, want: "sub"},
		"somebody who is out once again": {set: func() { i.status = http.StatusUnauthorized }, want: ErrOver.Error()},
	} {
		asked, at, err := k.Ask(t.Context(), "/", row.acr)
		if err != nil {
			t.Fatal(err)
		}
		if sent, err := url.Parse(at); err != nil || sent.Query().Get("code_challenge_method") != "S256" || sent.Query().Get("acr_values") != row.acr {
			t.Errorf("%s: sent to %s", name, at)
		}
		i.set(func() {
			i.status, i.sub, i.kid, i.claims = http.StatusOK, "u1", "k1", i.right(asked.Nonce, row.claims)
			if row.set != nil {
				row.set()
			}
		})
		q := url.Values{"state": {asked.State}, "iss": {i.URL}, "code": {"c"}}
		for name, value := range row.answer {
			q.Set(name, value)
		}
		_, who, err := k.Answer(t.Context(), asked, q)
		refused := Refused{}
		switch {
		case row.want == "" && (err != nil || who.Name != "Pat" || len(who.Sites) != 2):
			t.Errorf("%s: %+v, %v", name, who, err)
		case row.want == ErrOver.Error() && !errors.Is(err, ErrOver):
			t.Errorf("%s: %v", name, err)
		case row.want != "" && row.want != ErrOver.Error() && (!errors.As(err, &refused) || refused.Code != row.want):
			t.Errorf("%s: %v, not %q", name, err, row.want)
		}
	}
	if _, _, err := k.Answer(t.Context(), Asked{}, url.Values{"state": {""}, "iss": {i.URL}, "code": {"c"}}); !errors.As(err, &Refused{}) {
		t.Errorf("what was never asked for: %v", err)
	}
}

func TestOnlyALogoutTokenEndsASession(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	k := i.keyturn()
	events := map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"logout+jwt"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+i.URL+`","aud":"workshop","sid":"s1"}`)) + "."
	logout := func(but map[string]any) map[string]any {
		all := i.right("", map[string]any{"events": events})
		delete(all, "nonce")
		maps.Copy(all, but)
		return all
	}
	for name, row := range map[string]struct {
		raw string
		ok  bool
	}{
		"as it should be":      {i.sign("logout+jwt", logout(nil)), true},
		"an ID token":          {i.sign("JWT", i.right("n", nil)), false},
		"of another type":      {i.sign("JWT", logout(nil)), false},
		"without the event":    {i.sign("logout+jwt", logout(map[string]any{"events": map[string]any{}})), false},
		"with a nonce":         {i.sign("logout+jwt", logout(map[string]any{"nonce": "n"})), false},
		"without a session":    {i.sign("logout+jwt", logout(map[string]any{"sid": ""})), false},
		"for another":          {i.sign("logout+jwt", logout(map[string]any{"aud": "reports"})), false},
		"of another":           {i.sign("logout+jwt", logout(map[string]any{"iss": "https://evil.example"})), false},
		"old":                  {i.sign("logout+jwt", logout(map[string]any{"exp": 1})), false},
		"unsigned":             {unsigned, false},
		"nothing":              {"", false},
		"not a token in sight": {"a.b.c", false},
	} {
		sid, err := k.Ended(t.Context(), row.raw)
		if row.ok != (sid == "s1") || row.ok != (err == nil) || !row.ok && !errors.As(err, &Refused{}) {
			t.Errorf("%s: %q, %v", name, sid, err)
		}
	}
}

// A session is asked about before three seconds are over, and shows nothing where there is no
// answer.
func TestASessionLastsAsLongAsKeyturnSaysSo(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	now := time.Now()
	clock := func() time.Time { return now }
	k := i.keyturn()
	p := &Product{Log: slog.New(slog.DiscardHandler), Keyturn: k, Sessions: NewSessions(clock), Shops: &Shops{Now: clock}, Banners: &Banners{Keyturn: k, Now: clock}}
	site := httptest.NewServer(p.Handler())
	t.Cleanup(site.Close)
	asked, _, err := k.Ask(t.Context(), "/", "")
	if err != nil {
		t.Fatal(err)
	}
	i.set(func() { i.claims = i.right(asked.Nonce, nil) })
	grant, who, err := k.Answer(t.Context(), asked, url.Values{"state": {asked.State}, "iss": {i.URL}, "code": {"c"}})
	if err != nil {
		t.Fatal(err)
	}
	begin := func() string { return p.Sessions.Begin(grant, who, "1") }
	cookie := begin()
	ask := func(method, path, body string, more ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, site.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "__Host-workshop="+cookie)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for at := 0; at+1 < len(more); at += 2 {
			r.Header.Set(more[at], more[at+1])
		}
		w, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Body.Close()
		return w.StatusCode, w.Header.Get("Location")
	}
	is := func(what string, want int) {
		t.Helper()
		if got, to := ask(http.MethodGet, "/customers", ""); got != want || (want == http.StatusSeeOther) != strings.HasPrefix(to, i.URL) {
			t.Errorf("%s: %d to %s", what, got, to)
		}
	}
	for _, other := range []string{"", "x", cookie + "x"} {
		had := cookie
		cookie = other
		is("somebody without a session", http.StatusSeeOther)
		cookie = had
	}
	i.set(func() { i.asked, i.status = 0, http.StatusUnauthorized })
	is("at once", http.StatusOK)
	now = now.Add(askEvery)
	if askEvery >= 5*time.Second {
		t.Error("what Keyturn ended is to be dead within five seconds")
	}
	is("when it was ended", http.StatusSeeOther)
	cookie = begin()
	now = now.Add(askEvery)
	i.set(func() { i.status = http.StatusInternalServerError })
	is("when Keyturn does not answer", http.StatusServiceUnavailable)
	i.set(func() { i.status = http.StatusOK })
	is("when it answers again", http.StatusOK)
	// A workshop that asks for more stays shut, and one of others is none.
	for _, row := range []struct {
		id   string
		want int
	}{{"2", http.StatusForbidden}, {"3", http.StatusOK}, {"1", http.StatusOK}} {
		if got, _ := ask(http.MethodPost, "/site", "site="+row.id); got != http.StatusSeeOther {
			t.Errorf("opening %s: %d", row.id, got)
		}
		is("the workshop "+row.id, row.want)
	}
	// Forms of other origins do nothing.
	if got, _ := ask(http.MethodPost, "/customers", "Name=A&Phone=1", "Origin", "https://evil.example"); got != http.StatusForbidden {
		t.Errorf("a form of another origin: %d", got)
	}
	// The back channel, and no question is asked after it.
	i.set(func() { i.asked = 0 })
	raw := i.sign("logout+jwt", map[string]any{
		"iss": i.URL, "aud": "workshop", "exp": time.Now().Add(time.Minute).Unix(), "sid": "s1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	})
	if got, _ := ask(http.MethodPost, "/backchannel", "logout_token=x"); got != http.StatusBadRequest {
		t.Errorf("a wrong logout token: %d", got)
	}
	is("after a wrong one", http.StatusOK)
	if got, _ := ask(http.MethodPost, "/backchannel", "logout_token="+raw); got != http.StatusOK {
		t.Errorf("a logout token: %d", got)
	}
	is("after it", http.StatusSeeOther)
	if i.asked != 0 {
		t.Errorf("%d questions", i.asked)
	}
}

func TestTheWayOnIsOneOfOurs(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/jobs": "/jobs", "/jobs?a=b": "/jobs?a=b", "": "/", "jobs": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/",
		"/\t/evil.example": "/", "javascript:alert(1)": "/", "/" + strings.Repeat("a", 600): "/",
	} {
		if got := local(next); got != want {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}
