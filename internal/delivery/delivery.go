// Package delivery measures how long messages take, so that a slow carrier goes behind
// the others and a page can say so before anybody waits in vain.
//
// What is measured is what happens anyway: a code that was handed over and typed back
// took at most that long, and a provider's receipt says it better. Where there is a
// canary mailbox a mail is sent to it through each relay, and whoever reads the mailbox
// tells when it was seen. The facts are rows, kept for an hour; [Estimate] is a pure
// function of them; a [Watch] keeps its answer at hand.
//
// The message package calls HandedOver and NotTaken for codes, which somebody waits for,
// and never for what nobody types back.
package delivery

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// The channels, in the words of the message package.
const (
	Email = "email"
	SMS   = "sms"
)

// keep is how long the facts are kept: longer than any of them is looked at, so that a
// code that is typed late is still a fact.
const keep = time.Hour

// How it became known that a message arrived.
const (
	byTyped   = "typed"
	byStale   = "stale"
	byReceipt = "receipt"
)

// HandedOver notes that a carrier took a code: a relay's host:port or a provider's name.
// The same message again, through whatever carrier, counts from now on, unless it has
// arrived already.
func HandedOver(ctx context.Context, tx *db.Tx, channel, carrier string, which id.Message) error {
	if carrier == "" {
		return fmt.Errorf("note a message that nobody took: %w", fault.Invalid)
	}
	if err := handOver(ctx, tx, channel, carrier, which); err != nil {
		return fmt.Errorf("note a message that was handed over: %w", err)
	}
	return nil
}

// NotTaken notes that no carrier of the channel took a code, for now.
func NotTaken(ctx context.Context, tx *db.Tx, channel string, which id.Message) error {
	if err := handOver(ctx, tx, channel, "", which); err != nil {
		return fmt.Errorf("note a message that nobody took: %w", err)
	}
	return nil
}

// Typed notes that a message's code was typed back; stale says that it had been replaced
// or had run out by then, which is what a slow mail looks like. Only the first news of an
// arrival counts, and none of a message that was not handed over.
func Typed(ctx context.Context, tx *db.Tx, which id.Message, stale bool) error {
	by := byTyped
	if stale {
		by = byStale
	}
	if err := arrived(ctx, tx, which, by); err != nil {
		return fmt.Errorf("note a code that was typed: %w", err)
	}
	return nil
}

// Arrived notes a provider's receipt that a message was delivered.
func Arrived(ctx context.Context, tx *db.Tx, which id.Message) error {
	if err := arrived(ctx, tx, which, byReceipt); err != nil {
		return fmt.Errorf("note a message that arrived: %w", err)
	}
	return nil
}

// Launch notes that a canary goes out through a relay. Its id is the left part of the
// mail's Message-ID.
func Launch(ctx context.Context, tx *db.Tx, carrier string) (id.Canary, error) {
	which := id.New[id.Canary]()
	if err := launch(ctx, tx, which, carrier); err != nil {
		return "", fmt.Errorf("note a canary: %w", err)
	}
	return which, nil
}

// Recall forgets a canary that no relay took.
func Recall(ctx context.Context, tx *db.Tx, which id.Canary) error {
	if err := recall(ctx, tx, which); err != nil {
		return fmt.Errorf("take a canary back: %w", err)
	}
	return nil
}

// Seen notes that a canary was seen in its mailbox; false if it is none of ours, or was
// seen before.
func Seen(ctx context.Context, tx *db.Tx, which id.Canary) (bool, error) {
	first, err := seen(ctx, tx, which)
	if err != nil {
		return false, fmt.Errorf("note a canary that was seen: %w", err)
	}
	return first, nil
}

// Sweep removes facts that are over an hour old, limit of each kind at most.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, tx.Now.Add(-keep), limit); err != nil {
		return fmt.Errorf("sweep the facts of deliveries: %w", err)
	}
	return nil
}

// Load reads the facts that Estimate looks at, a bounded number for each carrier: the
// latest arrivals, the latest codes that had their two minutes, and the canaries.
func Load(ctx context.Context, from db.Reader, now time.Time) ([]Fact, error) {
	facts, err := load(ctx, from, now)
	if err != nil {
		return nil, fmt.Errorf("read the facts of deliveries: %w", err)
	}
	return facts, nil
}
