package fake

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

const keyID = "fake-1"

// sign makes a compact JWS. It gives an empty text for claims or keys that cannot be used,
// which no test takes for a token.
func sign(alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	text, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return ""
	}
	signed, err := s.Sign(text)
	if err != nil {
		return ""
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		return ""
	}
	return compact
}

func (x *Xero) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &x.key.PublicKey, KeyID: keyID, Algorithm: string(jose.RS256), Use: "sig"}}})
}

// token is the token endpoint.
func (x *Xero) token(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	id, _ = url.QueryUnescape(id)         // RFC 6749, section 2.3.1
	secret, _ = url.QueryUnescape(secret) // likewise
	if !ok || id != x.app.ClientID || secret != x.app.ClientSecret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		x.redeem(w, r)
	case "refresh_token":
		x.renew(w, r)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

// redeem takes a code once, with the verifier of its challenge.
func (x *Xero) redeem(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.app.Now()
	given := r.PostForm.Get("code")
	c, ok := x.codes[given]
	delete(x.codes, given)
	hash := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || !now.Before(c.until) || c.redirect != r.PostForm.Get("redirect_uri") || c.challenge != base64.RawURLEncoding.EncodeToString(hash[:]) {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	g := &grant{person: c.person}
	x.grants = append(x.grants, g)
	tokens := x.tokens(g, now)
	claims := map[string]any{
		"iss": Issuer, "aud": x.app.ClientID, "sub": c.person, "xero_userid": c.person, "nonce": c.nonce,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(codeLife).Unix(), "auth_time": now.Unix(),
	}
	tokens["id_token"] = x.Sign(claims)
	if x.forge != nil {
		tokens["id_token"] = x.forge(claims)
	}
	answer(w, http.StatusOK, tokens)
}

// renew exchanges a refresh token.
func (x *Xero) renew(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.app.Now()
	t, ok := x.refresh[r.PostForm.Get("refresh_token")]
	old := ok && !t.replaced.IsZero()
	if !ok || t.dead || t.grant.broken || !now.Before(t.until) || old && now.Sub(t.replaced) >= refreshGrace {
		x.counts.Refused++
		if ok {
			t.grant.denied = true
		}
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if old {
		x.counts.Again++
		x.kill(t.by)
	} else {
		t.replaced = now
	}
	x.counts.Renewed++
	t.grant.denied = false
	tokens := x.tokens(t.grant, now)
	t.by, _ = tokens["refresh_token"].(string)
	if x.lose > 0 {
		x.lose--
		answer(w, http.StatusBadGateway, map[string]string{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, tokens)
}

// kill ends a refresh token and those that came of it. The lock is held.
func (x *Xero) kill(token string) {
	for t := x.refresh[token]; t != nil && !t.dead; t = x.refresh[t.by] {
		t.dead = true
	}
}

// tokens makes fresh ones. The lock is held.
func (x *Xero) tokens(g *grant, now time.Time) map[string]any {
	access, refresh := "access-"+rand.Text(), "refresh-"+rand.Text()
	x.access[access] = &accessToken{g, now.Add(accessLife)}
	x.refresh[refresh] = &refreshToken{grant: g, until: now.Add(refreshLife)}
	return map[string]any{
		"access_token": access, "refresh_token": refresh, "expires_in": int(accessLife / time.Second), "token_type": "Bearer",
		"scope": "openid profile email offline_access",
	}
}

// bearer finds whose access token a request carries; false: it was answered with 401.
func (x *Xero) bearer(w http.ResponseWriter, r *http.Request) (person string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	const scheme = "Bearer "
	given := r.Header.Get("Authorization")
	if len(given) > len(scheme) && given[:len(scheme)] == scheme {
		if t := x.access[given[len(scheme):]]; t != nil && !t.grant.broken && x.app.Now().Before(t.until) {
			return t.grant.person, true
		}
	}
	answer(w, http.StatusUnauthorized, map[string]string{"Title": "Unauthorized", "Detail": "TokenExpired"})
	return "", false
}

func (x *Xero) listConnections(w http.ResponseWriter, r *http.Request) {
	person, ok := x.bearer(w, r)
	if !ok {
		return
	}
	done, ok := x.allowed(w, person)
	if !ok {
		return
	}
	defer done()
	x.mu.Lock()
	defer x.mu.Unlock()
	all := []map[string]string{}
	for _, c := range x.connections {
		if c.person == person {
			at := c.made.UTC().Format("2006-01-02T15:04:05.0000000") // no zone, as it is
			all = append(all, map[string]string{
				"id": c.id, "authEventId": c.event, "tenantId": c.organisation.ID, "tenantType": "ORGANISATION",
				"tenantName": c.organisation.Name, "createdDateUtc": at, "updatedDateUtc": at,
			})
		}
	}
	answer(w, http.StatusOK, all)
}

func (x *Xero) endConnection(w http.ResponseWriter, r *http.Request) {
	person, ok := x.bearer(w, r)
	if !ok {
		return
	}
	done, ok := x.allowed(w, person)
	if !ok {
		return
	}
	defer done()
	x.mu.Lock()
	defer x.mu.Unlock()
	before := len(x.connections)
	x.keep(func(c *connection) bool { return c.id != r.PathValue("id") || c.person != person })
	if len(x.connections) == before {
		answer(w, http.StatusNotFound, map[string]string{"Title": "Not Found"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func newID() string { return uuid.NewString() }

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

func answer(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what) // the client has gone away
}
