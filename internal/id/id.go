// Package id gives every kind of thing its own type of id, so that two ids cannot
// trade places in a call.
//
// An id is a UUIDv7 as text (RFC 9562): unique, never reused, and ordered by the
// time it was made, which keeps an index warm and a listing in order. An id is not a
// secret: whoever shows one must still be allowed.
package id

import (
	"fmt"

	"github.com/google/uuid"

	"keyturn/internal/fault"
)

// The kinds of id. The words are those of the glossary.
type (
	// Site is one customer business.
	Site string
	// User is a person with a login name.
	User string
	// Session is one signed-in browser or app.
	Session string
	// Attempt is one sign-in, from the right password to the session.
	Attempt string
	// Challenge is one request to pass the second factor.
	Challenge string
	// Code is one set of digits of a challenge.
	Code string
	// Method is one way of a user to pass the second factor.
	Method string
	// Message is one mail or SMS.
	Message string
	// Event is one entry of the audit trail.
	Event string
	// Device is a remembered device.
	Device string
	// HelpCode is a code that an admin or staff read out.
	HelpCode string
	// Ask is one "ask an admin to let me in".
	Ask string
	// Reset is one link for a forgotten password.
	Reset string
	// Asking is what was typed to get one.
	Asking string
	// Recovery is one recovery by staff.
	Recovery string
	// StaffCode is a one-use code for a new member of staff.
	StaffCode string
	// Hold is SMS parts that are reserved for one message.
	Hold string
	// Notice is one thing that a person is told.
	Notice string
	// Request is a site's request to its account manager for a user.
	Request string
	// Invitation is one link by which an approved request is accepted.
	Invitation string
	// LoginChange is one change of a login name that can be undone.
	LoginChange string
	// Canary is one mail that is sent to measure how long mail takes.
	Canary string
	// Split is one shared login that becomes several.
	Split string
	// Note is what staff wrote down about a site.
	Note string
	// Connecting is one time that an admin connects a site to Xero.
	Connecting string
	// APIKey is one key to the API.
	APIKey string
	// Client is one application that signs users in through Keyturn.
	Client string
	// Authorization is one time that an application sends somebody to sign in.
	Authorization string
	// Grant is what an application was given for one session.
	Grant string
	// SigningKey is one key that signs what applications are given.
	SigningKey string
	// Webhook is one place where a program outside is told what happened.
	Webhook string
	// Delivery is what one of them is told of one event.
	Delivery string
	// Proposal is what one member of staff proposes and another does.
	Proposal string
	// Rollout is one programme that turns 2FA on for many sites.
	Rollout string
)

// New makes a fresh id. It panics only if the system has no randomness left, which
// no caller can mend.
func New[T ~string]() T {
	return T(uuid.Must(uuid.NewV7()).String())
}

// Parse reads an id that came from outside: 36 characters, lower case, the canonical
// form and no other. Anything else is fault.NotFound, because a malformed id and an
// absent one look the same to whoever asks.
func Parse[T ~string](s string) (T, error) {
	u, err := uuid.Parse(s)
	if err != nil || u.String() != s {
		return "", fmt.Errorf("id: %w", fault.NotFound)
	}
	return T(s), nil
}
