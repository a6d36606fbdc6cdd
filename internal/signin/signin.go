// Package signin is the sign-in: an attempt that is stored, and the steps that move it
// on until there is a session.
//
// Steps never call steps. Each does its own part in one transaction and then asks
// onward, the one place where the policy says what comes next. What is asked next is
// always found again from the stored attempt (View), so that a page may be loaded
// again, and a form posted twice, without harm.
//
// A wrong password, a wrong code and a refusal are answers. An error means that the
// machinery failed, and is never an answer about a person.
package signin

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/standing"
)

const (
	// attemptLife is how long a sign-in may take from the right password on. A code
	// lives shorter, and another can be had.
	attemptLife = 30 * time.Minute
	// CodeLife is how long a code works at most (NIST 800-63B-4 section 3.1.3.2 and
	// ASVS 6.6.3: 10 minutes).
	CodeLife = 10 * time.Minute
)

// Desk takes people through a sign-in.
type Desk struct {
	DB       *db.DB
	Keys     *secret.Keys
	Post     *message.Post
	Standing standing.Source
	// Passkeys asks browsers to sign.
	Passkeys *method.Passkeys
	// Weather says how long messages take now; nil: nobody measures.
	Weather func() delivery.Report
	// Joined makes one user of two, in the transaction in which the second was proved;
	// false says that it cannot be.
	Joined func(ctx context.Context, tx *db.Tx, keep, other id.User) (bool, error)
	// Crossed is told when somebody types the live code of another sign-in of the same
	// person, in another browser. Nil: nobody is.
	Crossed func(ctx context.Context, tx *db.Tx, at id.Site, who id.User) error
	// Count, if set, is told of each answer: its step and what was wrong. A name that
	// nobody has counts as "unknown", and is told apart nowhere else.
	Count func(step, wrong string)
	// Slots bounds how many passwords are hashed at once.
	Slots *password.Slots
	// Floor is the fixed time at which every answer to a password leaves while old hashes
	// remain; Pace is that at which wrong ones leave, always.
	Floor, Pace *password.Floor
	// CodeLife shortens the life of codes, for tests; zero is ten minutes.
	CodeLife time.Duration
	// VendorName speaks where no site does.
	VendorName string

	turns turns
}

// Step is what is asked next.
type Step string

// The steps.
const (
	AskPassword Step = "password"
	AskSite     Step = "site"
	// AskCode asks for a second factor: a code, or what the chosen method has.
	AskCode Step = "code"
	// AskEnrol says that somebody let the person in to add one method, and nothing else.
	AskEnrol Step = "enrol"
	// Rest says that every method that could work takes no more guesses for a while.
	Rest Step = "rest"
	// Stuck says that no method can work: somebody must help.
	Stuck Step = "stuck"
	// Refused says that this person may not enter here at all.
	Refused Step = "refused"
	// Both says that a second login was proved (FinishJoin), or that two are one now.
	Both Step = "joined"
	// In says that there is a session.
	In Step = "in"
	// Gone says that the attempt has ended or run out: begin again.
	Gone Step = "gone"
)

// Wrong is what was not right with what was typed; empty if nothing was.
type Wrong string

// What may be wrong.
const (
	// WrongPassword covers an unknown name, a wrong password, somebody who is blocked,
	// and too many tries: they cannot be told apart from outside.
	WrongPassword Wrong = "password"
	// WrongForm says that what was typed is no code at all. It cost no guess.
	WrongForm Wrong = "form"
	// WrongCode says that the code is not right. It cost a guess.
	WrongCode Wrong = "code"
	// StaleCode says that this code was replaced or has run out. It cost no guess.
	StaleCode Wrong = "stale"
	// NoCode says that there is no code to compare with: the last one has run out or
	// bore too many wrong tries. It cost no guess.
	NoCode Wrong = "none"
	// Resting says that the method takes no more guesses until Retry. It was not
	// looked at.
	Resting Wrong = "resting"
	// TooSoon says that another code cannot be sent before Retry.
	TooSoon Wrong = "soon"
	// NotOffered says that the method that was chosen is not on offer.
	NotOffered Wrong = "not_offered"
	// NoBalance says that the site had no SMS left at that moment. It cost nothing.
	NoBalance Wrong = "no_balance"
	// NotJoined says that two logins cannot be one: both are of one site.
	NotJoined Wrong = "not_joined"
	// WrongPasskey says that what the browser signed is not right, or came too late.
	WrongPasskey Wrong = "passkey"
	// NotMember says that the site that was chosen is not one of the person's.
	NotMember Wrong = "not_member"
)

// Next is what a step answers.
type Next struct {
	Step  Step
	Wrong Wrong
	// Retry is when it may be tried again, where Wrong says that it may not now.
	Retry time.Time
	// MadeAt is when the code was made that was typed too late.
	MadeAt time.Time
	// Attempt and Session are tokens for the browser's cookies; empty: leave as it is.
	Attempt string
	Session string
	// App says that Session is one of a mobile app, and not the browser's.
	App bool
	// Device is a token of a device that is remembered from now on; empty: none.
	Device string
	// ReturnTo is where the person wanted to go, a local path or empty.
	ReturnTo string
}

// With what an attempt or a session began.
const (
	withPassword = "password"
	withPasskey  = "passkey"
)

// Purpose is what an attempt is for.
type Purpose string

// The purposes.
const (
	// SignIn begins with a password and ends in a new session.
	SignIn Purpose = "signin"
	// Raise lifts a live session to what is required of it now.
	Raise Purpose = "raise"
	// Switch takes a live session to another of the person's sites.
	Switch Purpose = "switch"
	// Prove has somebody who is in prove again who they are, at the highest level they
	// reach, before they add or remove a method; a recovery code does, too.
	Prove Purpose = "prove"
	// ProveOther is Prove before any other change: a recovery code does not do.
	ProveOther Purpose = "prove_other"
	// StepUp has somebody who is in prove what an application asks: a level, or anything
	// that the policy accepts, from now on.
	StepUp Purpose = "step_up"
	// Rehearse has somebody who is in try what will be asked of them.
	Rehearse Purpose = "rehearse"
	// Join has somebody who is in prove a second login of theirs.
	Join Purpose = "join"
	// Enrol begins without a password, by a code that staff were given, and adds a method.
	Enrol Purpose = "enrol"
)

// proves says that a session goes on after it, and that only what was passed since it
// began counts.
func (p Purpose) proves() bool { return p == Prove || p == ProveOther || p == StepUp || p == Rehearse }

// Attempt is one sign-in under way.
type Attempt struct {
	User      id.User
	ID        id.Attempt
	Purpose   Purpose
	Client    policy.ClientKind
	Site      id.Site
	Session   id.Session
	ReturnTo  string
	Reference string
	Place     session.Place
	UserEpoch int64
	// Began is with what it began: a password, or a passkey in place of one.
	Began string
	// PasswordAt is when the password was right, or the passkey in its place; Factor,
	// FactorMethod and FactorAt what was passed since.
	PasswordAt   time.Time
	Factor       policy.MethodKind
	FactorMethod id.Method
	FactorAt     time.Time
	// ACR is the level that a proof has to reach; 0 where the policy alone says.
	ACR int
	// Chosen is the method that the person turned to; empty: the policy's default.
	Chosen policy.MethodKind
	// EnrolBy says who opened the enrol-only session that this attempt is until
	// EnrolUntil; zero: it is none.
	EnrolBy    string
	EnrolUntil time.Time
	// ForUser is who proves that this login is theirs, too.
	ForUser id.User
	// Device is the remembered device in which it began; empty: none.
	Device    id.Device
	CreatedAt time.Time
	ExpiresAt time.Time

	// remember says that the person wants this device remembered, in the step under way.
	remember bool
}

// enrolling says whether the attempt is an enrol-only session.
func (a Attempt) enrolling(now time.Time) bool { return now.Before(a.EnrolUntil) }

func (a Attempt) passed() []policy.Pass {
	if a.Factor == "" {
		return nil
	}
	return []policy.Pass{{Kind: a.Factor, At: a.FactorAt}}
}

func (a Attempt) sites() []id.Site {
	if a.Site == "" {
		return nil
	}
	return []id.Site{a.Site}
}

func (d *Desk) count(next Next, unknown bool) {
	if d.Count == nil {
		return
	}
	wrong := string(next.Wrong)
	if unknown {
		wrong = "unknown"
	}
	d.Count(string(next.Step), wrong)
}

func (d *Desk) codeLife() time.Duration {
	if d.CodeLife > 0 {
		return d.CodeLife
	}
	return CodeLife
}

// Abandon ends an attempt; one that is gone is abandoned already.
func (d *Desk) Abandon(ctx context.Context, token string) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		a, ok, err := d.take(ctx, tx, token)
		if err != nil || !ok {
			return err
		}
		if _, err := d.closeCodes(ctx, tx, a); err != nil {
			return err
		}
		return endAttempt(ctx, tx, a)
	})
}

// keepAttempts is how long an attempt that has run out is kept, for support.
const keepAttempts = 24 * time.Hour

// Sweep removes attempts that are long over, limit at most at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweepAttempts(ctx, tx, tx.Now.Add(-keepAttempts), limit); err != nil {
		return fmt.Errorf("sweep attempts: %w", err)
	}
	return nil
}
