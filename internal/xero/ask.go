package xero

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyturn/internal/secret"
)

// Asking is one time that a person is asked to let us in. Its three texts are 256 random
// bits each; State is seen by the browser, Verifier and Nonce never are.
type Asking struct {
	State           string
	Verifier, Nonce secret.Text
}

// NewAsking makes one.
func NewAsking() Asking {
	state, _ := secret.Token()
	verifier, _ := secret.Token()
	nonce, _ := secret.Token()
	return Asking{State: state, Verifier: secret.NewText(verifier), Nonce: secret.NewText(nonce)}
}

// Ask is where the person's browser is sent.
func (c *Client) Ask(a Asking) string {
	return c.oauth.AuthCodeURL(a.State,
		oauth2.S256ChallengeOption(a.Verifier.Reveal()), oauth2.SetAuthURLParam("nonce", a.Nonce.Reveal()))
}

// Tokens are what a grant is kept going with. Neither is ever shown to a browser.
type Tokens struct {
	Access, Refresh secret.Text
	// Until is when the access token runs out.
	Until time.Time
}

// Granted is what a code was exchanged for.
type Granted struct {
	Answer Answer
	// User is the person at Xero, as Xero knows them: the sub of the id token.
	User   string
	Tokens Tokens
}

// Redeem exchanges the code with which a browser came back. The id token must be signed by
// Xero with RS256, for this app and this asking, not be over, and name a person: anything
// else is Foreign. A code that was used, is older than five minutes, or belongs to another
// verifier is Dead.
func (c *Client) Redeem(ctx context.Context, code string, a Asking) (Granted, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	now := c.app.Now()
	token, err := c.oauth.Exchange(c.with(ctx), code, oauth2.VerifierOption(a.Verifier.Reveal()))
	if answer, err := c.tokenAnswer(ctx, err); err != nil || answer != Done {
		return Granted{Answer: answer}, wrapped("exchange a code at Xero", err)
	}
	tokens, ok := tokensOf(token, now)
	raw, has := token.Extra("id_token").(string)
	if !ok || !has {
		return Granted{Answer: Foreign}, nil
	}
	who, answer, err := c.person(ctx, raw, a.Nonce.Reveal())
	if err != nil || answer != Done {
		return Granted{Answer: answer}, wrapped("check who came from Xero", err)
	}
	return Granted{User: who, Tokens: tokens}, nil
}

// longestUser bounds the name that Xero has for a person, in bytes.
const longestUser = 200

// person checks an id token and names its person.
func (c *Client) person(ctx context.Context, raw, nonce string) (string, Answer, error) {
	var missed error
	token, err := c.verifier.Verify(context.WithValue(ctx, missing{}, &missed), raw)
	switch {
	case missed != nil:
		return "", Done, missed // Xero's keys could not be read: nothing is known of the token
	case err != nil:
		return "", Foreign, nil //nolint:nilerr // that it does not hold is an answer
	}
	// The library takes a token that names nobody, and leaves the nonce to us.
	same := subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) == 1
	if nonce == "" || !same || token.Subject == "" || len(token.Subject) > longestUser || !c.madeOut(token) {
		return "", Foreign, nil
	}
	return token.Subject, Done, nil
}

// madeOut says that an id token is made out to this app: that its azp says so if there is
// one, and that there is one where it is for several (OpenID Connect Core, section 3.1.3.7).
func (c *Client) madeOut(token *oidc.IDToken) bool {
	var said struct {
		Party *string `json:"azp"`
	}
	if token.Claims(&said) != nil {
		return false
	}
	if said.Party == nil {
		return len(token.Audience) == 1
	}
	return *said.Party == c.app.ClientID
}

// Renewed is what a refresh token was exchanged for.
type Renewed struct {
	Answer Answer
	Tokens Tokens
}

// Renew exchanges a refresh token for new tokens. The old one works for RefreshGrace more,
// so that whoever does not get the answer, or cannot store it, asks again with it.
func (c *Client) Renew(ctx context.Context, refresh secret.Text) (Renewed, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	now := c.app.Now()
	token, err := c.oauth.TokenSource(c.with(ctx), &oauth2.Token{RefreshToken: refresh.Reveal()}).Token()
	if answer, err := c.tokenAnswer(ctx, err); err != nil || answer != Done {
		return Renewed{Answer: answer}, wrapped("renew tokens at Xero", err)
	}
	tokens, ok := tokensOf(token, now)
	if !ok {
		return Renewed{}, wrapped("renew tokens at Xero", wait(http.Header{}, now, errUnread))
	}
	return Renewed{Tokens: tokens}, nil
}

// shortest and longest bound what an access token is believed to live.
const (
	shortestAccess = time.Minute
	longestAccess  = 24 * time.Hour
)

func tokensOf(t *oauth2.Token, now time.Time) (Tokens, bool) {
	lives := min(max(time.Duration(min(t.ExpiresIn, int64(longestAccess/time.Second)))*time.Second, shortestAccess), longestAccess)
	return Tokens{
		Access: secret.NewText(t.AccessToken), Refresh: secret.NewText(t.RefreshToken), Until: now.Add(lives),
	}, t.AccessToken != "" && t.RefreshToken != ""
}

// with has the library use our client.
func (c *Client) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.http)
}

// tokenAnswer reads what the token endpoint said. What the library says of it is dropped:
// it repeats what it met.
func (c *Client) tokenAnswer(ctx context.Context, err error) (Answer, error) {
	if err == nil {
		return Done, nil
	}
	now := c.app.Now()
	var said *oauth2.RetrieveError
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Done, ctx.Err()
	case !errors.As(err, &said) || said.Response == nil:
		return Done, wait(http.Header{}, now, errReach)
	}
	status := said.Response.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		return Done, wait(said.Response.Header, now, errTooMany)
	case said.ErrorCode == "invalid_grant" && status/100 == 4: // a failure of Xero's judges no token
		return Dead, nil
	case said.ErrorCode == "invalid_client", said.ErrorCode == "unauthorized_client":
		return Done, wait(http.Header{"Retry-After": {"300"}}, now, errClient)
	case status/100 == 2:
		return Done, wait(said.Response.Header, now, errUnread)
	}
	return Done, wait(said.Response.Header, now, fmt.Errorf("%w (%d)", errStatus, status))
}

func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
