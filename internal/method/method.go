// Package method keeps a user's ways to pass the second factor, and what is known of
// how well each works.
package method

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// spentAfter is how many wrong tries in a row a method bears before it must be proved
// anew or set up again (NIST 800-63B-4 section 3.2.2: no more than 100).
const spentAfter = 100

// Method is one way of a user.
type Method struct {
	User id.User
	ID   id.Method
	Kind policy.MethodKind
	// Name is what its owner calls it ("my iPhone"); empty: nothing.
	Name string
	// Address is where its codes go: a mailbox or a number; empty for the others.
	Address  string
	LinkedAt time.Time
	// ProvedAt is when a code sent there was first typed back; zero: never.
	ProvedAt   time.Time
	LastUsedAt time.Time
	// AwaitsProof marks a new address that becomes a method only by a sign-in passed
	// with another, proved one.
	AwaitsProof bool
	// NoRecovery marks an address that an admin put there: it recovers nothing until a
	// code sent to it was typed in a sign-in that began with the password (I14).
	NoRecovery bool
	Pending    bool
	// UnprovedSent counts the codes that were sent to it while it was unproved.
	UnprovedSent int
	WrongInRow   int
	// Health is what delivery has shown, and Why in the carrier's word.
	Health    policy.Health
	HealthWhy string
}

// Spent says that too many wrong tries came in a row.
func (m Method) Spent() bool { return m.WrongInRow >= spentAfter }

// Link stores a new method that an import, an admin or the user put there.
func Link(ctx context.Context, tx *db.Tx, m Method) (Method, error) {
	m.ID, m.LinkedAt = id.New[id.Method](), tx.Now
	if m.Health == "" {
		m.Health = policy.HealthUnknown
	}
	if err := insert(ctx, tx, m); err != nil {
		return m, fmt.Errorf("link a method: %w", err)
	}
	return m, nil
}

// Of gives the methods of a user that were not removed, in the order of their making.
func Of(ctx context.Context, from db.Reader, who id.User) ([]Method, error) {
	return of(ctx, from, who)
}

// Before gives the methods of a user that were removed since a moment, in the order of their
// making, as they were: what somebody takes away who is in, its owner may still hold. One
// that was pending was never theirs.
func Before(ctx context.Context, from db.Reader, who id.User, since time.Time) ([]Method, error) {
	all, err := removedSince(ctx, from, who, since)
	if err != nil {
		return nil, fmt.Errorf("read methods that were removed: %w", err)
	}
	return all, nil
}

// OfAll gives the methods of many users, each user's as Of does.
func OfAll(ctx context.Context, from db.Reader, who []id.User) (map[id.User][]Method, error) {
	rows, err := ofAll(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("read methods: %w", err)
	}
	all := make(map[id.User][]Method, len(who))
	for _, m := range rows {
		all[m.User] = append(all[m.User], m)
	}
	return all, nil
}

// Restorable gives the mailbox that Restore would put back; fault.NotFound if there is none.
func Restorable(ctx context.Context, from db.Reader, who id.User, mailbox string) (Method, error) {
	return removedMailbox(ctx, from, who, mailbox)
}

// Restore puts the mailbox back that was a user's before, as it was when it was removed.
// fault.NotFound if there is none; fault.Conflict if somebody else was first.
func Restore(ctx context.Context, tx *db.Tx, who id.User, mailbox string) (Method, error) {
	old, err := removedMailbox(ctx, tx, who, mailbox)
	if err != nil {
		return old, fmt.Errorf("find a mailbox from before: %w", err)
	}
	if err := restore(ctx, tx, who, old.ID); err != nil {
		return old, fmt.Errorf("restore a mailbox: %w", err)
	}
	return old, nil
}

// Distrust notes that a mailbox recovers nothing until a code sent there was typed, and,
// with awaits, that it is no method before another one was passed. fault.Conflict if it is
// gone.
func Distrust(ctx context.Context, tx *db.Tx, who id.User, which id.Method, awaits bool) error {
	if err := distrust(ctx, tx, who, which, awaits); err != nil {
		return fmt.Errorf("distrust a mailbox: %w", err)
	}
	return nil
}

// Entered notes that the user signed in with their password. typed is the method whose
// code they typed on the way: a mailbox that was sent it may recover from now on, and no
// other, since a password says nothing of who reads the mail. withAnother says that a
// proved method other than email was passed: then a new mailbox is a method of theirs
// (package policy).
func Entered(ctx context.Context, tx *db.Tx, who id.User, typed id.Method, withAnother bool) error {
	if err := entered(ctx, tx, who, typed, withAnother); err != nil {
		return fmt.Errorf("note a sign-in with a new mailbox: %w", err)
	}
	return nil
}

// ByID finds a method of a user; fault.NotFound if there is none.
func ByID(ctx context.Context, from db.Reader, who id.User, which id.Method) (Method, error) {
	return byID(ctx, from, who, which)
}

// Passed notes that a sign-in was passed with it: it is proved, if it was not, and its
// wrong tries are forgotten. What stands in the way of the address being dead is gone,
// too: a code that was typed back did arrive.
func Passed(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return passed(ctx, tx, who, which)
}

// Missed notes a wrong try.
func Missed(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return missed(ctx, tx, who, which)
}

// Sent notes that a code goes to it, which is counted while it is unproved.
func Sent(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return sent(ctx, tx, who, which)
}

// Delivered notes that a server took a message for it.
func Delivered(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return healthy(ctx, tx, who, which, policy.HealthGood, "")
}

// Refused notes that a server refused a message for good, and why. dead says that it
// named the mailbox as the cause; a mailbox that is full, or a server that does not like
// us, is trouble and no more.
func Refused(ctx context.Context, tx *db.Tx, who id.User, which id.Method, why string, dead bool) error {
	if dead {
		return healthy(ctx, tx, who, which, policy.HealthRefused, why)
	}
	return healthy(ctx, tx, who, which, policy.HealthUnknown, why)
}

// Bounced notes that a message came back from its address for good, and why. A method
// that is gone is left alone: news of a message may come late.
func Bounced(ctx context.Context, tx *db.Tx, who id.User, which id.Method, why string) error {
	return healthy(ctx, tx, who, which, policy.HealthBounced, why)
}

// deadFor is how long a refusal or a bounce is believed. A server may have been wrong, and a mailbox
// may have been made since; the next code then finds out.
const deadFor = 24 * time.Hour

// Sweep forgets refusals and bounces that are old, set-ups of authenticators that nobody
// finished, and ceremonies that are over; limit at most of each at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := revive(ctx, tx, tx.Now.Add(-deadFor), limit); err != nil {
		return fmt.Errorf("forget old refusals: %w", err)
	}
	if err := sweepTOTP(ctx, tx, limit); err != nil {
		return fmt.Errorf("sweep unfinished authenticators: %w", err)
	}
	return SweepCeremonies(ctx, tx, limit)
}
