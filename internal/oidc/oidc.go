// Package oidc is the OpenID provider: it carries a session of Keyturn's to the
// applications that stand behind it (package client), and takes it from them again.
//
// What an application holds is worth what the session behind it is worth at that moment.
// Every use of it (a redemption, userinfo, introspection) reads the client, the session, the
// user's number, the memberships and the policy's answer anew; a token that is young enough
// proves nothing by itself. That is why access tokens are random texts and not signed ones:
// a signed one would be good until it runs out, whatever happened.
//
//	authorize ──▶ request ──(sign-in, second step)──▶ grant with a code ──▶ tokens
//
// A request is a stored row of one browser, done once. A grant is what one client was given
// for one session: a code, which is good once and for a minute, and the family of tokens
// that came of it. A second use of a code or of a refresh token ends the whole grant.
//
// What is refused is an answer with the standard's own word ([Refusal]) and no error.
package oidc

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/job"
	"keyturn/internal/outward"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/standing"
)

const (
	// requestLife is how long somebody may take from the application's page to the answer:
	// as long as a sign-in.
	requestLife = 30 * time.Minute
	// codeLife is how long a code may be redeemed: a minute (RFC 9700 recommends a short
	// life, RFC 6749, section 4.1.2, ten minutes at most; I33).
	codeLife = time.Minute
	// accessLife is how long an access token may be used at most, and an ID token is one.
	accessLife = 10 * time.Minute
	// refreshGrace is how long the same refresh token may be sent again after it was used:
	// the answer was lost on the way. It gets the same successor. Later it is a theft.
	refreshGrace = 30 * time.Second
)

// What a client may ask for; anything else is left out, as OpenID Connect Core, section
// 3.1.2.1, wants it.
const (
	ScopeOpenID  = "openid"
	ScopeProfile = "profile"
	ScopeEmail   = "email"
	ScopeSites   = "sites"
	ScopeOffline = "offline_access"
)

// Scopes are all there are.
func Scopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeSites, ScopeOffline}
}

// Desk is the provider.
type Desk struct {
	DB   *db.DB
	Keys *secret.Keys
	// Check says how the session behind a token stands.
	Check *check.Checker
	// Standing reads the facts by which each site is said to be satisfied.
	Standing standing.Source
	// Issuer is the public URL, without a slash at its end.
	Issuer string
	// Jobs tells clients of sessions that ended.
	Jobs *job.Queue
	Log  *slog.Logger
	// Way is how back channels are reached.
	Way *outward.Way

	ring ring
}

// Refusal is what a client is answered in place of what it asked for: the standard's own
// word for it, and a sentence for its developer, which repeats nothing of what was sent.
type Refusal struct {
	Code, Words string
}

// The words (RFC 6749, OpenID Connect Core and its unmet_authentication_requirements).
const (
	InvalidRequest     = "invalid_request"
	InvalidClient      = "invalid_client"
	InvalidGrant       = "invalid_grant"
	InvalidScope       = "invalid_scope"
	UnauthorizedClient = "unauthorized_client"
	UnsupportedGrant   = "unsupported_grant_type"
	UnsupportedType    = "unsupported_response_type"
	AccessDenied       = "access_denied"
	LoginRequired      = "login_required"
	InteractionNeeded  = "interaction_required"
	UnmetLevel         = "unmet_authentication_requirements"
)

func refuse(code, words string) *Refusal { return &Refusal{Code: code, Words: words} }

// AuthAt is when whoever a session is of last showed who they are: by the password, or by a
// passkey, which is as much and more.
func AuthAt(s session.Session) time.Time {
	if s.Factor == string(policy.Passkey) && s.FactorAt.After(s.PasswordAt) {
		return s.FactorAt
	}
	return s.PasswordAt
}

// Sweep removes what is long over, limit of each kind at most.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, limit); err != nil {
		return fmt.Errorf("sweep what applications held: %w", err)
	}
	return nil
}
