package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

// What tokens begin with, so that people and scanners of source code know one when they see
// it.
const (
	AccessPrefix  = "kta_"
	RefreshPrefix = "ktr_"
	ServicePrefix = "kts_"
)

// The kinds of token.
const (
	access1  = "access"
	refresh1 = "refresh"
	service1 = "service"
)

// kept is a token as it is stored.
type kept struct {
	Kind            string
	Client          id.Client
	User            id.User
	Grant           id.Grant
	EndsAt          time.Time
	UsedAt, EndedAt time.Time
}

func token() string {
	plain, _ := secret.Token()
	return plain
}

func spaced(words []string) string { return strings.Join(words, " ") }

// Refresh gives new tokens for a refresh token, which is used up. Sent again within the
// grace it gets the same successor, which is made of it with a key of ours: whoever lost the
// answer goes on, and the family stays one line. Sent again later, somebody else has it: the
// whole grant ends (RFC 9700, section 4.14.2).
func (d *Desk) Refresh(ctx context.Context, c client.Client, text, scope string) (t Tokens, refused *Refusal, err error) {
	hash := secret.TokenHash(text)
	var g grant
	how := giving{before: hash, next: d.successor(text)}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, how.again = nil, false
		k, err := tokenOf(ctx, tx, hash)
		if errors.Is(err, fault.NotFound) || err == nil && (k.Kind != refresh1 || k.Client != c.ID) {
			refused = badRefresh
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a refresh token: %w", err)
		}
		if g, err = grantOf(ctx, tx, k.User, k.Grant); err != nil {
			return fmt.Errorf("find a grant: %w", err)
		}
		switch {
		case k.UsedAt.IsZero():
			return nil
		case tx.Now.Sub(k.UsedAt) <= refreshGrace:
			return d.sameAgain(ctx, tx, &how, &refused)
		}
		refused = badRefresh
		return d.end(ctx, tx, g, refreshTwice)
	})
	switch {
	case err != nil:
		return t, nil, fmt.Errorf("refresh: %w", err)
	case refused != nil:
		return t, refused, nil
	case scope != "" && !within(strings.Fields(scope), g.Scopes):
		return t, refuse(InvalidScope, "scope holds more than was granted."), nil
	}
	t, refused, err = d.give(ctx, c, g, how)
	if errors.Is(err, fault.Conflict) && !how.again {
		// Of two at once the other was quicker: this is the second within the grace.
		return d.Refresh(ctx, c, text, scope)
	}
	return t, refused, err
}

// sameAgain sees to it that the successor is there and is still the last of its line.
func (d *Desk) sameAgain(ctx context.Context, tx *db.Tx, how *giving, refused **Refusal) error {
	next, err := tokenOf(ctx, tx, secret.TokenHash(how.next))
	if errors.Is(err, fault.NotFound) || err == nil && !next.UsedAt.IsZero() {
		// Its answer did arrive, or the key it was made with is another by now.
		*refused = badRefresh
		return nil
	}
	how.again = true
	return err
}

// successor is the refresh token after one: of 256 bits, and nobody's guess without the key.
func (d *Desk) successor(text string) string {
	mac := d.Keys.MAC("oidc refresh token", text)
	return RefreshPrefix + base64.RawURLEncoding.EncodeToString(mac[len(mac)-32:])
}

func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// Userinfo gives the claims of an access token; ok is false for one that is worth nothing
// now. A service has nobody to tell of.
func (d *Desk) Userinfo(ctx context.Context, text string) (c Claims, ok bool, err error) {
	_, g, l, ok, err := d.holds(ctx, text)
	if err != nil || !ok {
		return c, false, err
	}
	c, err = d.claims(ctx, l, g.Scopes)
	return c, err == nil, err
}

// holds finds what an access token of a person is worth now.
func (d *Desk) holds(ctx context.Context, text string) (k kept, g grant, l live, ok bool, err error) {
	k, err = tokenOf(ctx, d.DB, secret.TokenHash(text))
	if errors.Is(err, fault.NotFound) || err == nil && (k.Kind != access1 || !k.EndedAt.IsZero() || !d.DB.Clock.Now().Before(k.EndsAt)) {
		return k, g, l, false, nil
	}
	if err != nil {
		return k, g, l, false, fmt.Errorf("find a token: %w", err)
	}
	if g, err = grantOf(ctx, d.DB, k.User, k.Grant); err != nil {
		return k, g, l, false, fmt.Errorf("find a grant: %w", err)
	}
	l, ok, err = d.alive(ctx, g)
	return k, g, l, ok, err
}

// Seen is what a client is told about a token (RFC 7662).
type Seen struct {
	Active   bool      `json:"active"`
	Scope    string    `json:"scope,omitempty"`
	ClientID id.Client `json:"client_id,omitempty"`
	Type     string    `json:"token_type,omitempty"`
	Expires  int64     `json:"exp,omitempty"`
	Subject  string    `json:"sub,omitempty"`
	Audience []string  `json:"aud,omitempty"`
	Issuer   string    `json:"iss,omitempty"`
	Username string    `json:"username,omitempty"`
	ACR      string    `json:"acr,omitempty"`
	AuthTime int64     `json:"auth_time,omitempty"`
	SID      string    `json:"sid,omitempty"`
	Sites    []Site    `json:"sites,omitempty"`
}

// Introspect says what an access token is worth now, to the client that holds it, and to a
// service that answers for one of its audiences. To everybody else, and of anything else, it
// is not active: which of them is not said.
func (d *Desk) Introspect(ctx context.Context, by client.Client, text string) (Seen, error) {
	k, g, l, ok, err := d.holds(ctx, text)
	if err != nil || !ok || !maySee(by, l.client) {
		return Seen{}, err
	}
	c, err := d.claims(ctx, l, g.Scopes)
	if err != nil {
		return Seen{}, err
	}
	return Seen{
		Active: true, Scope: spaced(g.Scopes), ClientID: g.Client, Type: "Bearer", Expires: k.EndsAt.Unix(), Subject: string(g.User),
		Audience: audience(l.client), Issuer: d.Issuer, Username: c.Email, ACR: c.ACR, AuthTime: c.AuthTime, SID: c.SID, Sites: c.Sites,
	}, nil
}

// maySee says whether a client may ask about the tokens of another. Those of a mobile app are
// for its own APIs, which services answer for; no web client ever sees them.
func maySee(by, of client.Client) bool {
	if by.ID == of.ID {
		return true
	}
	return by.Kind == client.Service && of.Kind == client.Mobile &&
		slices.ContainsFunc(by.Audiences, func(name string) bool { return slices.Contains(of.Audiences, name) })
}

// audience is for whom a client's access tokens are.
func audience(c client.Client) []string {
	if c.Kind == client.Mobile {
		return c.Audiences
	}
	return []string{string(c.ID)}
}

// Revoke ends a token of a client; with a refresh token its whole grant. What is not the
// client's, or is nothing, changes nothing and is no error (RFC 7009, section 2.2).
func (d *Desk) Revoke(ctx context.Context, c client.Client, text string) error {
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		hash := secret.TokenHash(text)
		k, err := tokenOf(ctx, tx, hash)
		if errors.Is(err, fault.NotFound) || err == nil && k.Client != c.ID {
			return nil
		}
		if err != nil {
			return err
		}
		if k.Kind != refresh1 {
			return endToken(ctx, tx, hash)
		}
		g, err := grantOf(ctx, tx, k.User, k.Grant)
		if err != nil {
			return err
		}
		return d.end(ctx, tx, g, givenBack)
	})
	if err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	return nil
}

// Service gives a service a token for the API (RFC 6749, section 4.4).
func (d *Desk) Service(ctx context.Context, c client.Client, scope string) (t Tokens, refused *Refusal, err error) {
	if c.Kind != client.Service {
		return t, refuse(UnauthorizedClient, "Only a client of the kind service acts without a person."), nil
	}
	var all []string
	for _, s := range c.Scopes {
		all = append(all, string(s))
	}
	if !within(strings.Fields(scope), all) || len(all) == 0 {
		return t, refuse(InvalidScope, "scope holds more than this client has."), nil
	}
	text := ServicePrefix + token()
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		return insertToken(ctx, tx, kept{Kind: service1, Client: c.ID, EndsAt: tx.Now.Add(accessLife)}, secret.TokenHash(text))
	})
	if err != nil {
		return t, nil, fmt.Errorf("make a service's token: %w", err)
	}
	return Tokens{Access: text, Type: "Bearer", ExpiresIn: int(accessLife / time.Second), Scope: spaced(all)}, nil, nil
}

// ServiceOf finds the service whose token somebody holds; fault.NotFound for one that is
// over, was never, or whose client was disabled.
func ServiceOf(ctx context.Context, from db.Reader, text string, now time.Time) (client.Client, error) {
	k, err := tokenOf(ctx, from, secret.TokenHash(text))
	if err == nil && (k.Kind != service1 || !k.EndedAt.IsZero() || !now.Before(k.EndsAt)) {
		err = fault.NotFound
	}
	if err != nil {
		return client.Client{}, fmt.Errorf("find a service's token: %w", err)
	}
	return client.Living(ctx, from, k.Client)
}
