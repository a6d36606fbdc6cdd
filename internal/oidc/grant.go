package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/session"
)

// grant is what one client was given for one session.
type grant struct {
	User                id.User
	ID                  id.Grant
	Client              id.Client
	SID                 string
	UserEpoch           int64
	Redirect            string
	Scopes              []string
	Nonce, Challenge    string
	CodeUntil, CodeUsed time.Time
	MadeAt, EndsAt      time.Time
	EndedAt             time.Time

	backChannel bool
}

func (g grant) has(scope string) bool { return slices.Contains(g.Scopes, scope) }

// Why a grant ended before its time.
const (
	codeTwice    = "code_twice"
	codeMisused  = "code_misused"
	refreshTwice = "refresh_twice"
	givenBack    = "revoked"
)

// Tokens are what a redemption gives.
type Tokens struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Refresh   string `json:"refresh_token,omitempty"`
	ID        string `json:"id_token,omitempty"`
	Scope     string `json:"scope,omitempty"`
}

// verifierForm is that of RFC 7636, section 4.1.
var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// proves says whether a verifier is the one whose hash came with the request.
func (g grant) proves(verifier string) bool {
	if !verifierForm.MatchString(verifier) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(g.Challenge)) == 1
}

var (
	badCode    = refuse(InvalidGrant, "The code is not one that this client may redeem so, was redeemed already, or has run out.")
	badRefresh = refuse(InvalidGrant, "The refresh token is not one of this client's, was used already, or is over.")
	overNow    = refuse(InvalidGrant, "The sign-in behind it is over, or more is required of it now: send the person to sign in.")
)

// Redemption is what comes with a code.
type Redemption struct {
	Code, Redirect, Verifier string
}

// Redeem gives tokens for a code. A code that comes twice, or with another client, address
// or verifier than its own, is dead from then on, and so is whatever it gave (RFC 6749,
// section 4.1.2): somebody has it who should not.
func (d *Desk) Redeem(ctx context.Context, c client.Client, in Redemption) (t Tokens, refused *Refusal, err error) {
	g, refused, err := d.redeem(ctx, c, in)
	if err != nil || refused != nil {
		return t, refused, err
	}
	return d.give(ctx, c, g, giving{})
}

// redeem uses a code up, and gives the grant that it was for.
func (d *Desk) redeem(ctx context.Context, c client.Client, in Redemption) (g grant, refused *Refusal, err error) {
	hash := secret.TokenHash(in.Code)
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = nil
		if g, err = byCode(ctx, tx, hash); errors.Is(err, fault.NotFound) {
			refused = badCode
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a code: %w", err)
		}
		why := ""
		switch {
		case !g.CodeUsed.IsZero():
			why = codeTwice
		case g.Client != c.ID || g.Redirect != in.Redirect || !g.proves(in.Verifier):
			why = codeMisused
		}
		err := useCode(ctx, tx, g)
		if errors.Is(err, fault.Conflict) {
			why, err = codeTwice, nil // somebody was quicker
		}
		if err != nil {
			return err
		}
		if why != "" || !tx.Now.Before(g.CodeUntil) {
			refused = badCode
		}
		return d.end(ctx, tx, g, why)
	})
	if err != nil {
		return g, nil, fmt.Errorf("redeem a code: %w", err)
	}
	return g, refused, nil
}

// end ends a grant before its time, and with it all that it gave; nothing for no reason, and
// for one that has ended.
func (d *Desk) end(ctx context.Context, tx *db.Tx, g grant, why string) error {
	if why == "" || !g.EndedAt.IsZero() {
		return nil
	}
	err := endGrant(ctx, tx, g, why)
	if errors.Is(err, fault.Conflict) {
		return nil // ended a moment ago
	}
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.ClientTokensEnded, User: g.User, Actor: audit.Actor{Kind: audit.ActorClient, ID: string(g.Client)},
		Facts: map[string]string{"client": string(g.Client), "grant": string(g.ID), "why": why},
	})
}

// alive finds what stands behind a grant now; ok is false if it is worth nothing any more.
func (d *Desk) alive(ctx context.Context, g grant) (l live, ok bool, err error) {
	now := d.DB.Clock.Now()
	if !g.EndedAt.IsZero() || !now.Before(g.EndsAt) {
		return l, false, nil
	}
	found := func(err error) (bool, error) {
		if errors.Is(err, fault.NotFound) {
			return false, nil
		}
		return err == nil, err
	}
	l.client, err = client.Living(ctx, d.DB, g.Client)
	if ok, err := found(err); !ok {
		return l, false, err
	}
	number, err := epoch.Now(ctx, d.DB, epoch.User(g.User))
	if err != nil || number != g.UserEpoch {
		return l, false, err
	}
	s, err := session.BySID(ctx, d.DB, g.User, g.SID)
	if ok, err := found(err); !ok {
		return l, false, err
	}
	l.answer, err = d.Check.OfSession(ctx, s)
	if err != nil || l.answer.State != check.In {
		return l, false, err
	}
	l.sites, err = d.sites(ctx, l.client, l.answer)
	return l, err == nil && len(l.sites) > 0, err
}

// giving is how tokens come of a grant.
type giving struct {
	// before is the hash of the refresh token that is used up for them; nil for a code.
	before []byte
	// next is the refresh token that takes its place, made of it; empty for a code.
	next string
	// again says that next is there already: the answer was lost.
	again bool
}

// give makes the tokens, if what stands behind the grant is still worth them.
func (d *Desk) give(ctx context.Context, c client.Client, g grant, how giving) (t Tokens, refused *Refusal, err error) {
	l, ok, err := d.alive(ctx, g)
	if err != nil {
		return t, nil, err
	}
	if !ok {
		return t, overNow, nil
	}
	access, refresh := AccessPrefix+token(), ""
	if g.has(ScopeOffline) {
		if refresh = how.next; refresh == "" {
			refresh = RefreshPrefix + token()
		}
	}
	var ends time.Time
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = nil
		if still, err := d.still(ctx, tx, g, l); err != nil || !still {
			refused = overNow
			return err
		}
		ends = earliest(tx.Now.Add(accessLife), g.EndsAt)
		if err := insertToken(ctx, tx, kept{Kind: access1, Client: c.ID, User: g.User, Grant: g.ID, EndsAt: ends}, secret.TokenHash(access)); err != nil {
			return err
		}
		if refresh == "" || how.again {
			return nil
		}
		if how.before != nil {
			if err := useToken(ctx, tx, how.before); err != nil {
				return err
			}
		}
		return insertToken(ctx, tx, kept{Kind: refresh1, Client: c.ID, User: g.User, Grant: g.ID, EndsAt: g.EndsAt}, secret.TokenHash(refresh))
	})
	if err != nil || refused != nil {
		return t, refused, err
	}
	t = Tokens{Access: access, Type: "Bearer", ExpiresIn: int(ends.Sub(d.DB.Clock.Now()) / time.Second), Refresh: refresh, Scope: spaced(g.Scopes)}
	t.ID, err = d.idToken(ctx, l, g, access, how.before == nil)
	return t, nil, err
}

// still looks again in the transaction: what ended a moment ago gives nothing, so that a
// redemption in flight is the last.
func (d *Desk) still(ctx context.Context, tx *db.Tx, g grant, l live) (bool, error) {
	now, err := grantOf(ctx, tx, g.User, g.ID)
	if err != nil || !now.EndedAt.IsZero() {
		return false, err
	}
	if _, err := client.Living(ctx, tx, g.Client); errors.Is(err, fault.NotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	_, alive, err := standsStill(ctx, tx, l.answer.Session)
	return alive, err
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
