package app_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyturn/internal/oidc"
	"keyturn/internal/policy"
)

// provider is the product as a library of others reads it.
func (w *world) provider() *gooidc.Provider {
	w.t.Helper()
	p, err := gooidc.NewProvider(w.t.Context(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// A product that is written with coreos/go-oidc and x/oauth2, and nothing of ours.
func TestAProductSignsSomebodyInWithTwoFactorsAndReadsRolesAndSite(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		t, b, provider := w.t, w.browser(), w.provider()
		config := oauth2.Config{
			ClientID: string(w.product.ID), ClientSecret: w.product.secret, Endpoint: provider.Endpoint(), RedirectURL: back,
			Scopes: []string{gooidc.ScopeOpenID, "profile", "email", "sites", gooidc.ScopeOfflineAccess},
		}
		proof := oauth2.GenerateVerifier()
		at := config.AuthCodeURL("s1", gooidc.Nonce("n1"), oauth2.S256ChallengeOption(proof))
		answer, on := b.through(strings.TrimPrefix(at, w.url), w.pat)
		if on.password != 1 || on.code != 1 || answer.Get("state") != "s1" || answer.Get("iss") != w.url {
			t.Fatalf("%v after %+v", answer, on)
		}
		got, err := config.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(proof))
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := got.Extra("id_token").(string)
		verify := provider.Verifier(&gooidc.Config{ClientID: config.ClientID, Now: w.db.Clock.Now})
		token, err := verify.Verify(t.Context(), raw)
		if err != nil {
			t.Fatal(err)
		}
		if token.Nonce != "n1" || token.Subject != string(w.pat.ID) || token.VerifyAccessToken(got.AccessToken) != nil {
			t.Errorf("%+v", token)
		}
		var who person
		if err := token.Claims(&who); err != nil {
			t.Fatal(err)
		}
		w.isPat(who)
		info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(got))
		if err != nil || info.Email != string(w.pat.Login) || !info.EmailVerified {
			t.Errorf("%+v, %v", info, err)
		}
		if again, ok := w.userinfo(got.AccessToken); !ok || again.SID != who.SID {
			t.Errorf("%+v", again)
		}
		if !w.active(w.product, got.AccessToken) || w.active(w.other, got.AccessToken) || w.active(w.jobs, got.AccessToken) || w.active(w.product, got.RefreshToken) {
			t.Error("introspection tells its own client too little, or another too much")
		}
		// A refresh keeps what the session is, and rotates.
		got.Expiry = time.Now().Add(-time.Hour)
		fresh, err := config.TokenSource(t.Context(), got).Token()
		if err != nil || fresh.RefreshToken == got.RefreshToken {
			t.Fatalf("%v", err)
		}
		raw, _ = fresh.Extra("id_token").(string)
		if token, err = verify.Verify(t.Context(), raw); err != nil || token.Nonce != "" {
			t.Fatalf("%+v, %v", token, err)
		}
		var after person
		if err := token.Claims(&after); err != nil || after.ACR != who.ACR || after.SID != who.SID || after.AuthTime != who.AuthTime {
			t.Errorf("%+v, %v", after, err)
		}
		w.secondProduct(b, who.SID)
		w.signsOut(b, raw, fresh.AccessToken)
	})
}

// isPat looks at each claim.
func (w *world) isPat(who person) {
	w.t.Helper()
	age := w.db.Clock.Now().Sub(time.Unix(who.AuthTime, 0))
	if who.Email != string(w.pat.Login) || !who.Verified || who.Name != "Pat Lee" || who.ACR != "urn:keyturn:2" || who.SID == "" ||
		!slices.Equal(who.AMR, []string{"pwd", "otp", "email", "mfa"}) || age < 0 || age > 10*time.Minute {
		w.t.Errorf("%+v", who)
	}
	if len(who.Sites) != 1 {
		w.t.Fatalf("%+v", who.Sites)
	}
	at := who.Sites[0]
	if at.ID != string(w.xero.ID) || at.Ref != "bayside" || at.UserRef != "ref-Pat" || at.Name != "Bayside Auto" || at.Kind != "office" ||
		!slices.Equal(at.Roles, []string{string(policy.GroupAdmin)}) || len(at.Permissions) < 5 || !at.Satisfied {
		w.t.Errorf("%+v", at)
	}
}

// secondProduct enters another product with the same session: nothing is asked, and its ID
// tokens are signed as it wants them.
func (w *world) secondProduct(b *browser, sid string) {
	w.t.Helper()
	answer, on := b.through(w.other.asks(map[string]string{"prompt": "none"}), w.pat)
	got := w.redeem(w.other, answer.Get("code"), nil)
	token, err := w.provider().Verifier(&gooidc.Config{
		ClientID: string(w.other.ID), SupportedSigningAlgs: []string{gooidc.ES256}, Now: w.db.Clock.Now,
	}).Verify(w.t.Context(), got.ID)
	var who person
	if err != nil || on != (asked{}) || token.Claims(&who) != nil || who.SID != sid {
		w.t.Errorf("%v, %+v, %+v, %v", answer, on, who, err)
	}
}

// signsOut signs out at the product, which is led back and told by the back channel.
func (w *world) signsOut(b *browser, hint, access string) {
	w.t.Helper()
	p := b.get("/oauth/logout?" + url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://product.example/"}, "state": {"bye"},
	}.Encode())
	if p.to() != "https://product.example/?state=bye" {
		w.t.Errorf("%d to %q", p.status, p.to())
	}
	if _, ok := w.userinfo(access); ok {
		w.t.Error("a token outlives its session")
	}
	if got := b.get("/me").to(); !strings.HasPrefix(got, "/signin") {
		w.t.Errorf("the session goes on: %q", got)
	}
	select {
	case told := <-w.told:
		token, err := w.provider().Verifier(&gooidc.Config{ClientID: string(w.product.ID), Now: w.db.Clock.Now}).Verify(w.t.Context(), told)
		if err != nil {
			w.t.Fatal(err)
		}
		var claims struct {
			SID    string
			Events map[string]json.RawMessage
			Nonce  *string
		}
		if err := token.Claims(&claims); err != nil || claims.SID == "" || claims.Events["http://schemas.openid.net/event/backchannel-logout"] == nil || claims.Nonce != nil {
			w.t.Errorf("%+v, %v", claims, err)
		}
	case <-time.After(time.Minute):
		w.t.Error("the back channel was not told")
	}
}

func TestTheDiscoveryDocumentPromisesWhatThereIs(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var said map[string]any
		p := w.browser().get("/.well-known/openid-configuration")
		if err := json.Unmarshal([]byte(p.body), &said); err != nil || said["issuer"] != w.url {
			w.t.Fatalf("%v: %s", err, p.body)
		}
		for name, want := range map[string]string{
			"response_types_supported": "[code]", "code_challenge_methods_supported": "[S256]", "response_modes_supported": "[query]",
			"grant_types_supported": "[authorization_code refresh_token client_credentials]", "request_parameter_supported": "false",
			"authorization_response_iss_parameter_supported": "true", "backchannel_logout_supported": "true",
			"acr_values_supported": "[urn:keyturn:1 urn:keyturn:2 urn:keyturn:3 urn:keyturn:4]",
		} {
			if got := strings.TrimSpace(sprint(said[name])); got != want {
				w.t.Errorf("%s is %s", name, got)
			}
		}
		for name, at := range said {
			path, ours := strings.CutPrefix(sprint(at), w.url)
			if !ours || name == "issuer" {
				continue
			}
			get, post := w.browser().get(path).status, w.browser().post(path, url.Values{}).status
			if get == http.StatusNotFound && post == http.StatusNotFound {
				w.t.Errorf("%s is answered %d and %d", name, get, post)
			}
		}
	})
}

// The keys change under way: what was signed before is good still, and whoever has the set of
// keys has the new one already.
func TestTheKeysThatSignChangeWithoutAGap(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b, verify := w.browser(), w.provider().Verifier(&gooidc.Config{ClientID: string(w.product.ID), Now: w.db.Clock.Now})
		check := func(raw, when string) {
			w.t.Helper()
			if _, err := verify.Verify(w.t.Context(), raw); err != nil {
				w.t.Errorf("%s: %v", when, err)
			}
		}
		names := func() (all []string) {
			var set struct{ Keys []map[string]string }
			if err := json.Unmarshal([]byte(b.get("/oauth/jwks").body), &set); err != nil {
				w.t.Fatal(err)
			}
			for _, k := range set.Keys {
				all = append(all, k["kid"])
				if k["d"] != "" || k["p"] != "" || k["use"] != "sig" || k["alg"] == "" {
					w.t.Errorf("%v", k)
				}
			}
			return all
		}
		first := w.enter(b, w.product, w.alex, nil)
		check(first.ID, "before")
		// As the command does it, in another process.
		desk := &oidc.Desk{DB: w.db, Keys: w.keys}
		if err := desk.PrepareKeys(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		before := names()
		if err := desk.RotateKeys(w.t.Context(), command); err != nil {
			w.t.Fatal(err)
		}
		second := w.redeem(w.product, w.silent(b, w.product), nil)
		kid := kidOf(w.t, second.ID)
		if kid == kidOf(w.t, first.ID) || !slices.Contains(before, kid) {
			w.t.Errorf("%s signs now; before there were %v", kid, before)
		}
		check(first.ID, "signed before")
		check(second.ID, "signed after")
		if after := names(); len(before) != 4 || len(after) != 6 {
			w.t.Errorf("published were %v, now are %v", before, after)
		}
		w.db.Clock.Advance(25 * time.Hour)
		if after := names(); len(after) != 4 || slices.Contains(after, kidOf(w.t, first.ID)) {
			w.t.Errorf("a day later there are %v", after)
		}
		if n := w.count(`SELECT COUNT(*) FROM audit_events WHERE kind = 'signing_keys.rotated'`); n != 2 {
			w.t.Errorf("%d entries in the trail", n)
		}
	})
}

func kidOf(t *testing.T, raw string) string {
	t.Helper()
	head, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var said struct{ Kid string }
	if err != nil || json.Unmarshal(text, &said) != nil || said.Kid == "" {
		t.Fatalf("%s: %v", text, err)
	}
	return said.Kid
}
