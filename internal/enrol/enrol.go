// Package enrol is what somebody who is in does to their own ways of signing in: they
// add, name, prove and remove methods, forget devices, end sessions, change the password
// and choose the usual way. Joining two logins of one person is here, too.
//
// Every change of a way in needs a fresh proof at the highest level that the person can
// reach (I10); the policy says which (policy.MayChange), inside the transaction of the
// change. Each change ends what was made before it, is told by another channel, and the
// session that made it goes on under a new id (I18).
//
// An enrol-only session is an attempt with the right password, and never a session. It
// may add one method and then it is over. It is handed in by EndEnrol and Enrolling,
// because flows never call each other.
//
// What was wrong with what was typed, and what may not be done now, are answers
// (Refused). An error means that the machinery failed.
package enrol

import (
	"context"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// CodeLife is how long a code to a new number works (NIST 800-63B-4 section 3.1.3.2 and
// ASVS 6.6.3: 10 minutes at most).
const CodeLife = 10 * time.Minute

// Desk changes people's own ways of signing in. All fields are set, but for those that
// say so.
type Desk struct {
	DB       *db.DB
	Keys     *secret.Keys
	Post     *message.Post
	Standing standing.Source
	Passkeys *method.Passkeys
	// Slots bounds how many passwords are hashed at once.
	Slots *password.Slots
	// Countries are those whose mobiles may get codes, as two letters; none: nobody's.
	Countries []string
	// VendorName speaks where no site does, and names the entry in an authenticator app.
	VendorName string

	// EndEnrol ends an enrol-only session in the caller's transaction; fault.Conflict if it
	// is gone or its time is over.
	EndEnrol func(ctx context.Context, tx *db.Tx, who id.User, attempt id.Attempt) error
	// Enrolling says whether an enrol-only session is open. nil: whoever calls has looked,
	// and only EndEnrol looks again.
	Enrolling func(ctx context.Context, from db.Reader, who id.User, attempt id.Attempt) (bool, error)
	// Enrolled is told, in the transaction, of somebody who set up the method that new
	// staff need. May be nil.
	Enrolled func(ctx context.Context, tx *db.Tx, who id.User) error
	// Unfit says why a new password cannot be used, empty if it can. nil: its length alone
	// is judged.
	Unfit func(ctx context.Context, plain string, who user.User) (string, error)
	// Login changes login names; DeadDomain says that no mail can reach an address for the
	// sake of its domain, nil: nobody knows.
	Login      *login.Desk
	DeadDomain func(ctx context.Context, to address.Canonical) bool
	// Burst is told when codes to numbers next to each other were stopped. May be nil.
	Burst func()
	// CodeLife shortens the life of codes, for tests; zero is ten minutes.
	CodeLife time.Duration
}

// ByStaffCode is the EnrolOnly.By of somebody who becomes staff: the rules of staff bind
// them before they are.
const ByStaffCode = "staff_add"

// EnrolOnly is an enrol-only session: an attempt that may add one method.
//
//nolint:revive // "enrol-only" is the glossary's word; "only" says nothing.
type EnrolOnly struct {
	Attempt id.Attempt
	// Site is the site that is entered; empty if none was chosen.
	Site id.Site
	// By says who opened it, in a word.
	By string
}

// Holder is who changes something: exactly one of Session and Enrol is set.
type Holder struct {
	User    user.User
	Session session.Session
	Enrol   *EnrolOnly
	Place   session.Place
}

// Refused is why something was not done; empty if it was. Nothing was changed, unless
// the word says so.
type Refused string

// The refusals.
const (
	// Gone says that the session or the enrol-only session is over.
	Gone Refused = "gone"
	// NotFresh says that a proof of Done.Level is needed first.
	NotFresh Refused = "not_fresh"
	// Marked says that the password was reset by email, and that somebody must help.
	Marked Refused = "marked"
	// NotHere says that this cannot be done here: in an enrol-only session, by staff, with
	// the mailbox of the login name.
	NotHere Refused = "not_here"
	// NoSuch says that there is no such method, device or session any more.
	NoSuch Refused = "no_such"
	// BadName says that a method cannot be called so.
	BadName Refused = "bad_name"
	// Full says that there are as many methods of this kind as there may be.
	Full Refused = "full"
	// LastWay says that without this method nothing would let the person in.
	LastWay Refused = "last_way"
	// BadNumber says that codes cannot go to that number; Done.Why says why.
	BadNumber Refused = "bad_number"
	// BadEmail says that this is no address; Done.Why says why.
	BadEmail Refused = "bad_email"
	// CannotUse says that the address cannot be a login name. Why is not said: it may be
	// somebody's.
	CannotUse Refused = "cannot_use"
	// SameNumber says that this number is proved already.
	SameNumber Refused = "same_number"
	// NumberSpent says that the number had its three codes and nobody typed one.
	NumberSpent Refused = "number_spent"
	// TooWeak says that the person's site would not accept it.
	TooWeak Refused = "too_weak"
	// NoBalance says that there is no SMS for it; Done.Fix says who can mend that.
	NoBalance Refused = "no_balance"
	// TooSoon says that no code is sent before Done.Retry.
	TooSoon Refused = "too_soon"
	// TooMany says that no further number is put on file before Done.Retry.
	TooMany Refused = "too_many"
	// Adjacent says that too many numbers beside this one were tried lately. It was
	// recorded.
	Adjacent Refused = "adjacent"
	// WrongForm says that what was typed is no code at all. It cost no guess.
	WrongForm Refused = "form"
	// WrongCode says that the code is not right. It cost a guess.
	WrongCode Refused = "code"
	// StaleCode says that this code was replaced or has run out; Done.MadeAt is when it was
	// made. It cost no guess.
	StaleCode Refused = "stale"
	// NoCode says that there is nothing to compare with: no set-up is under way, or the
	// last code has run out or bore too many wrong tries.
	NoCode Refused = "none"
	// Resting says that no guess is looked at before Done.Retry.
	Resting Refused = "resting"
	// WrongPasskey says that the browser's answer is not right. Its question is used up.
	WrongPasskey Refused = "passkey"
	// NoPasskeys says that there cannot be passkeys here.
	NoPasskeys Refused = "no_passkeys"
	// BadPassword says that the password cannot be used; Done.Why says why.
	BadPassword Refused = "bad_password"
)

// Done is what a change answers.
type Done struct {
	Refused Refused
	// Level is the level that a fresh proof has to reach, where Refused is NotFresh.
	Level int
	// Retry is when it may be tried again, MadeAt when a stale code was made.
	Retry, MadeAt time.Time
	// Why says more: a sentence about a number, the word of a password.
	Why string
	// Fix is who can mend it.
	Fix policy.Fixer
	// Method is the one that was added, begun or changed.
	Method id.Method
	// Session is the token under which the session goes on; empty: as it was.
	Session string
	// Ended says that the enrol-only session has done its work.
	Ended bool
}

func (d *Desk) codeLife() time.Duration {
	if d.CodeLife > 0 {
		return d.CodeLife
	}
	return CodeLife
}
