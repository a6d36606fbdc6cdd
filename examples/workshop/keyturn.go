package main

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TwoFactors is the least level at which two factors were passed. A product need not ask for
// it to be safe: whoever must pass two is asked by Keyturn, whatever a product asks for.
const TwoFactors = "urn:keyturn:2"

// levels are those of acr, the lowest first.
var levels = []string{"urn:keyturn:1", TwoFactors, "urn:keyturn:3", "urn:keyturn:4"}

// AtLeast says whether one acr is as good as another. What is unknown is good for nothing.
func AtLeast(got, want string) bool {
	return want == "" || slices.Contains(levels, got) && slices.Index(levels, got) >= slices.Index(levels, want)
}

// Keyturn signs people in by OpenID Connect.
type Keyturn struct {
	// Issuer is Keyturn's public URL and Self the product's, both without a slash at the end.
	Issuer, Self   string
	Client, Secret string
	// HTTP is how Keyturn is called; it has a timeout.
	HTTP *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

// provider finds out where everything is, when it is first needed: the product starts
// although Keyturn does not answer, and goes on when it does.
func (k *Keyturn) provider(ctx context.Context) (*oidc.Provider, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.found == nil {
		found, err := oidc.NewProvider(k.by(ctx), k.Issuer)
		if err != nil {
			return nil, fmt.Errorf("discover %s: %w", k.Issuer, err)
		}
		k.found = found
	}
	return k.found, nil
}

// by has both libraries call with our HTTP client.
func (k *Keyturn) by(ctx context.Context) context.Context { return oidc.ClientContext(ctx, k.HTTP) }

func (k *Keyturn) config(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: k.Client, ClientSecret: k.Secret, Endpoint: p.Endpoint(), RedirectURL: k.Self + "/signed-in",
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "sites", oidc.ScopeOfflineAccess},
	}
}

// Asked is what a browser was sent away with. It waits in a cookie of that browser.
type Asked struct {
	State, Nonce, Verifier string
	// Next is the page of ours to which the person wanted, ACR the level that was asked for.
	Next, ACR string
}

// Ask makes a request to sign in, and the address that the browser goes to with it. acr may
// be empty: then Keyturn's policy alone says what is asked.
func (k *Keyturn) Ask(ctx context.Context, next, acr string) (Asked, string, error) {
	p, err := k.provider(ctx)
	if err != nil {
		return Asked{}, "", err
	}
	a := Asked{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Next: next, ACR: acr}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if acr != "" {
		options = append(options, oauth2.SetAuthURLParam("acr_values", acr))
	}
	return a, k.config(p).AuthCodeURL(a.State, options...), nil
}

// Refused is an answer that lets nobody in. Code is the standard's word for why, as in
// access_denied; or one of ours, for an answer that is not to be believed.
type Refused struct{ Code string }

// Error implements error.
func (r Refused) Error() string { return "not signed in: " + r.Code }

// Grant is what Keyturn gave for one sign-in.
type Grant struct {
	// Token renews itself in Fresh. ID is the ID token, for signing out.
	Token *oauth2.Token
	ID    string
}

// Answer judges what came back with the browser, and gives who it is. Each check is one that
// somebody could get around the sign-in without.
func (k *Keyturn) Answer(ctx context.Context, a Asked, q url.Values) (Grant, Person, error) {
	switch {
	case a.State == "" || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.State)) != 1:
		return Grant{}, Person{}, Refused{"state"} // begun in another browser, or by nobody
	case q.Get("iss") != k.Issuer:
		return Grant{}, Person{}, Refused{"issuer"} // another provider's answer (RFC 9207)
	case q.Get("error") != "":
		return Grant{}, Person{}, Refused{q.Get("error")}
	}
	p, err := k.provider(ctx)
	if err != nil {
		return Grant{}, Person{}, err
	}
	token, err := k.config(p).Exchange(k.by(ctx), q.Get("code"), oauth2.VerifierOption(a.Verifier))
	if wrong := (*oauth2.RetrieveError)(nil); errors.As(err, &wrong) && wrong.ErrorCode != "" {
		return Grant{}, Person{}, Refused{wrong.ErrorCode}
	}
	if err != nil {
		return Grant{}, Person{}, fmt.Errorf("redeem the code: %w", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(k.by(ctx), &oidc.Config{ClientID: k.Client}).Verify(ctx, raw) // signature, iss, aud, exp
	if err != nil {
		return Grant{}, Person{}, errors.Join(Refused{"id_token"}, err)
	}
	var said struct{ ACR string }
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1:
		return Grant{}, Person{}, Refused{"nonce"}
	case id.VerifyAccessToken(token.AccessToken) != nil:
		return Grant{}, Person{}, Refused{"at_hash"}
	case id.Claims(&said) != nil || !AtLeast(said.ACR, a.ACR):
		return Grant{}, Person{}, Refused{"acr"}
	}
	g := Grant{Token: token, ID: raw}
	who, err := k.Person(ctx, g)
	if err == nil && who.Subject != id.Subject {
		return Grant{}, Person{}, Refused{"sub"} // OpenID Connect Core, section 5.3.2
	}
	return g, who, err
}

// Person is what Keyturn says of whoever is signed in.
type Person struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	ACR     string `json:"acr"`
	SID     string `json:"sid"`
	Sites   []Site `json:"sites"`
}

// Site is one of the person's workshops.
type Site struct {
	ID string `json:"id"`
	// Ref and UserRef are the product's own references, as they were given at the import.
	Ref         string   `json:"ref"`
	UserRef     string   `json:"user_ref"`
	Name        string   `json:"name"`
	Roles       []string `json:"roles"`
	Permissions []string `json:"permissions"`
	// Satisfied says that what this site requires was passed. Where it is false its data stay
	// shut.
	Satisfied bool `json:"satisfied"`
}

// Group is the person's place, as people read it.
func (s Site) Group() string { return strings.Join(s.Roles, ", ") }

// May says whether the person has one of these permissions.
func (s Site) May(any ...string) bool {
	return slices.ContainsFunc(any, func(one string) bool { return slices.Contains(s.Permissions, one) })
}

// ErrOver says that the sign-in is over: the person goes to Keyturn again.
var ErrOver = errors.New("the sign-in is over")

// Person asks who it is, and whether they still are. The answer is Keyturn's of this moment:
// of somebody who was blocked, signed out or has to prove more there is none, but ErrOver.
func (k *Keyturn) Person(ctx context.Context, g Grant) (who Person, err error) {
	p, err := k.provider(ctx)
	if err != nil {
		return who, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserInfoEndpoint(), nil)
	if err != nil {
		return who, fmt.Errorf("ask who it is: %w", err)
	}
	g.Token.SetAuthHeader(r)
	w, err := k.HTTP.Do(r)
	if err != nil {
		return who, fmt.Errorf("ask who it is: %w", err)
	}
	defer func() { _ = w.Body.Close() }()
	switch w.StatusCode {
	case http.StatusOK:
		if err := json.NewDecoder(w.Body).Decode(&who); err != nil {
			return who, fmt.Errorf("read who it is: %w", err)
		}
		return who, nil
	case http.StatusUnauthorized:
		return who, ErrOver
	}
	return who, fmt.Errorf("ask who it is: status %d", w.StatusCode)
}

// Fresh renews a grant. Its refresh token is used up with that: the new one must be kept, and
// two requests must not do it at once.
func (k *Keyturn) Fresh(ctx context.Context, g Grant) (Grant, error) {
	p, err := k.provider(ctx)
	if err != nil {
		return g, err
	}
	token, err := k.config(p).TokenSource(k.by(ctx), &oauth2.Token{RefreshToken: g.Token.RefreshToken}).Token()
	if wrong := (*oauth2.RetrieveError)(nil); errors.As(err, &wrong) && wrong.ErrorCode == "invalid_grant" {
		return g, ErrOver
	}
	if err != nil {
		return g, fmt.Errorf("renew a grant: %w", err)
	}
	return Grant{Token: token, ID: g.ID}, nil
}

// Leave is where a browser goes to sign out, of Keyturn and of every other product.
func (k *Keyturn) Leave(g Grant) string {
	return k.Issuer + "/oauth/logout?" + url.Values{
		"id_token_hint": {g.ID}, "client_id": {k.Client}, "post_logout_redirect_uri": {k.Self + "/"},
	}.Encode()
}

// Ended reads a logout token of the back channel (OpenID Connect Back-Channel Logout, section
// 2.6), and gives the session that ended.
func (k *Keyturn) Ended(ctx context.Context, raw string) (sid string, err error) {
	p, err := k.provider(ctx)
	if err != nil {
		return "", err
	}
	token, err := p.VerifierContext(k.by(ctx), &oidc.Config{ClientID: k.Client}).Verify(ctx, raw)
	if err != nil {
		return "", errors.Join(Refused{"logout_token"}, err)
	}
	var said struct {
		SID    string                     `json:"sid"`
		Nonce  *string                    `json:"nonce"`
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := token.Claims(&said); err != nil {
		return "", errors.Join(Refused{"logout_token"}, err)
	}
	// An ID token is signed by the same keys: it must not do for a logout token.
	_, logout := said.Events["http://schemas.openid.net/event/backchannel-logout"]
	if typeOf(raw) != "logout+jwt" || !logout || said.Nonce != nil || said.SID == "" {
		return "", Refused{"logout_token"}
	}
	return said.SID, nil
}

// typeOf is what a token says in its header that it is.
func typeOf(raw string) string {
	head, _, _ := strings.Cut(raw, ".")
	text, _ := base64.RawURLEncoding.DecodeString(head) // it was verified already
	var said struct {
		Type string `json:"typ"`
	}
	_ = json.Unmarshal(text, &said)
	return said.Type
}
