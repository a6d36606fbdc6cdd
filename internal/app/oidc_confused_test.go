package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"keyturn/internal/client"
)

// forge signs claims as a test says, with a name of a key that may be another's.
func forge(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, claims []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Tokens that we sign say for whom they are, from whom, until when and for which question;
// and what others signed, in whatever way, is no token of ours.
func TestTokensAreNotConfusedByAlgorithmAudienceIssuerTimeOrNonce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		got := w.enter(b, w.product, w.alex, nil)
		config := func(but func(*gooidc.Config)) *gooidc.Config {
			c := &gooidc.Config{ClientID: string(w.product.ID), Now: w.db.Clock.Now}
			but(c)
			return c
		}
		for name, row := range map[string]struct {
			config *gooidc.Config
			ok     bool
		}{
			"its own client":    {config(func(*gooidc.Config) {}), true},
			"another client":    {config(func(c *gooidc.Config) { c.ClientID = string(w.other.ID) }), false},
			"another algorithm": {config(func(c *gooidc.Config) { c.SupportedSigningAlgs = []string{gooidc.ES256} }), false},
			"later": {config(func(c *gooidc.Config) {
				c.Now = func() time.Time { return w.db.Clock.Now().Add(11 * time.Minute) }
			}), false},
		} {
			if _, err := w.provider().Verifier(row.config).Verify(w.t.Context(), got.ID); (err == nil) != row.ok {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		keys := gooidc.NewRemoteKeySet(w.t.Context(), w.url+"/oauth/jwks")
		if _, err := gooidc.NewVerifier("https://evil.example", keys, config(func(*gooidc.Config) {})).Verify(w.t.Context(), got.ID); err == nil {
			w.t.Error("another issuer is believed to have said it")
		}
		// The nonce is that of the request, and of a request without one there is none.
		for sent, want := range map[string]string{"n-1": "n-1", "-": ""} {
			answer, _ := b.through(w.product.asks(map[string]string{"nonce": sent}), w.alex)
			tokens := w.redeem(w.product, answer.Get("code"), nil)
			id, err := w.provider().Verifier(config(func(*gooidc.Config) {})).Verify(w.t.Context(), tokens.ID)
			if err != nil || id.Nonce != want {
				w.t.Errorf("the nonce %q came back as %+v, %v", sent, id, err)
			}
		}
		w.forged(b, got)
	})
}

// forged tries what others signed where an ID token of ours is taken: as a hint at a
// sign-out, which would end a session without asking.
func (w *world) forged(b *browser, got tokens) {
	w.t.Helper()
	kid, part := kidOf(w.t, got.ID), strings.Split(got.ID, ".")
	claims, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		w.t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(b.get("/oauth/jwks").body), &set); err != nil || len(set.Key(kid)) != 1 {
		w.t.Fatalf("%v, %+v", err, set)
	}
	ours := set.Key(kid)[0]
	public, err := json.Marshal(ours)
	if err != nil {
		w.t.Fatal(err)
	}
	modulus, ok := ours.Key.(*rsa.PublicKey)
	if !ok {
		w.t.Fatalf("%T", ours.Key)
	}
	others, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	changed := part[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), string(w.alex.ID), string(w.kim.ID), 1))) + "." + part[2]
	for name, hint := range map[string]string{
		"another key under our key's name":        forge(w.t, jose.RS256, others, kid, claims),
		"another key under a name of its own":     forge(w.t, jose.RS256, others, "x", claims),
		"a curve under the name of an RSA key":    forge(w.t, jose.ES256, curve, kid, claims),
		"PS256, which we never use":               forge(w.t, jose.PS256, others, kid, claims),
		"HS256 with our public key for a secret":  forge(w.t, jose.HS256, public, kid, claims),
		"HS256 with our modulus for a secret":     forge(w.t, jose.HS256, modulus.N.Bytes(), kid, claims),
		"HS256 with the client's secret":          forge(w.t, jose.HS256, []byte(w.product.secret), kid, claims),
		"our signature under somebody else's sub": changed,
		"two signatures":                          got.ID + "." + part[2],
	} {
		p := b.get("/oauth/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
		if p.status != http.StatusOK || !strings.Contains(p.body, `action="/oauth/logout"`) {
			w.t.Errorf("%s: %d to %q", name, p.status, p.to())
		}
		if _, ok := w.userinfo(hint); ok || w.active(w.product, hint) {
			w.t.Errorf("%s is a token", name)
		}
	}
	if _, ok := w.userinfo(got.Access); !ok {
		w.t.Error("one of those ended the session")
	}
	// And the one that is ours does.
	if b.get("/oauth/logout?" + url.Values{"id_token_hint": {got.ID}}.Encode()); w.active(w.product, got.Access) {
		w.t.Error("our own hint ended nothing")
	}
}

// A back channel that fails is told again, with a token that is fresh then; and one that
// refuses for good is not asked whether it has changed its mind.
func TestABackChannelThatFailsIsToldAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		told, refused := make(chan string, 10), make(chan string, 10)
		answers := make(chan int, 2)
		answers <- http.StatusServiceUnavailable
		answers <- 0 // it hangs up
		failing := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			told <- r.FormValue("logout_token")
			select {
			case status := <-answers:
				if status == 0 {
					panic(http.ErrAbortHandler)
				}
				rw.WriteHeader(status)
			default:
			}
		}))
		w.t.Cleanup(failing.Close)
		refusing := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			refused <- r.FormValue("logout_token")
			rw.WriteHeader(http.StatusBadRequest)
		}))
		w.t.Cleanup(refusing.Close)
		first := w.register(client.Order{Name: "First", Kind: client.Web, Redirects: []string{"https://first.example/cb"}, BackChannel: failing.URL, All: true})
		second := w.register(client.Order{Name: "Second", Kind: client.Web, Redirects: []string{"https://second.example/cb"}, BackChannel: refusing.URL, All: true})
		b := w.browser()
		w.enter(b, first, w.alex, nil)
		w.enter(b, second, w.alex, nil)
		b.post("/signout", nil)
		next := func(from chan string) string {
			w.t.Helper()
			select {
			case text := <-from:
				return text
			case <-time.After(time.Minute):
				w.t.Fatal("the back channel is not told")
				return ""
			}
		}
		seen := map[string]bool{}
		for range 3 {
			text := next(told)
			token, err := w.provider().Verifier(&gooidc.Config{ClientID: string(first.ID), Now: w.db.Clock.Now}).Verify(w.t.Context(), text)
			if err != nil || token.Subject != string(w.alex.ID) {
				w.t.Errorf("%+v, %v", token, err)
			}
			seen[text] = true
		}
		if len(seen) != 3 {
			w.t.Errorf("%d of three tokens were fresh", len(seen))
		}
		next(refused)
		if len(refused) > 0 || len(told) > 0 {
			w.t.Errorf("told again: %d who refused, %d who had said yes", len(refused), len(told))
		}
	})
}
