// Package once keeps the answers of calls that their caller has named, so that a call which
// is sent again (because its answer was lost) does nothing and is answered as before.
//
// The name is kept in the transaction of the change: there is no call that was carried out
// and is not known, and none that is known and was not carried out. Of many that come at
// once with one name one is carried out; the others wait for it, for as long as a
// transaction may live, and get its answer.
//
// Neither the name nor what was asked is stored, but for their hashes. The answer is, and
// so it holds nothing personal and no secret.
package once

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Life is how long an answer is kept: longer than any program goes on sending one call.
const Life = 24 * time.Hour

// NameMost is how long a name may be, in bytes. A UUID has 36.
const NameMost = 255

// Call is one call that its caller has named.
type Call struct {
	Key id.APIKey
	// Name is the caller's own, of printable ASCII; empty: it has none, and nothing is kept.
	Name string
	// Asked is all of what is asked: the operation, what it is about and what was sent. The
	// same name with another is not the same call.
	Asked string
}

// Named says whether there is anything to keep.
func (c Call) Named() bool { return c.Name != "" }

// Sound says whether a name can be one: 1 to 255 printable ASCII characters.
func Sound(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return name != "" && len(name) <= NameMost
}

// Known is what is known of a call.
type Known struct {
	// Before says that it was carried out, with this answer.
	Before bool
	Answer string
	// Other says that the name stands for something else that was asked.
	Other bool
}

// Look says what is known of a call, and changes nothing.
func Look(ctx context.Context, from db.Reader, now time.Time, c Call) (Known, error) {
	if !c.Named() {
		return Known{}, nil
	}
	s, err := find(ctx, from, c, now.Add(-Life))
	if errors.Is(err, fault.NotFound) {
		return Known{}, nil
	}
	if err != nil {
		return Known{}, fmt.Errorf("look for a call: %w", err)
	}
	if s.asked != hash(c.Asked) {
		return Known{Other: true}, nil
	}
	return Known{Before: true, Answer: s.answer}, nil
}

// Take takes the name of a call for this transaction. Whoever comes with the same name
// meanwhile waits for its end. What is known already is given, and then nothing is to be
// done. Otherwise Keep or
// Drop follows, or the transaction ends with nothing done.
func Take(ctx context.Context, tx *db.Tx, c Call) (Known, error) {
	if !c.Named() {
		return Known{}, nil
	}
	fresh, err := take(ctx, tx, c)
	if err != nil {
		return Known{}, fmt.Errorf("take the name of a call: %w", err)
	}
	if fresh {
		return Known{}, nil
	}
	return Look(ctx, tx, tx.Now, c)
}

// Keep stores the answer of a call whose name was taken in this transaction.
func Keep(ctx context.Context, tx *db.Tx, c Call, answer string) error {
	if !c.Named() {
		return nil
	}
	if err := keep(ctx, tx, c, answer); err != nil {
		return fmt.Errorf("keep the answer of a call: %w", err)
	}
	return nil
}

// Drop gives the name of a call back that was taken in this transaction and came to nothing.
func Drop(ctx context.Context, tx *db.Tx, c Call) error {
	if !c.Named() {
		return nil
	}
	if err := drop(ctx, tx, c); err != nil {
		return fmt.Errorf("give the name of a call back: %w", err)
	}
	return nil
}

// Sweep removes answers past their time, limit at most.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, tx.Now.Add(-Life), limit); err != nil {
		return fmt.Errorf("sweep the answers of calls: %w", err)
	}
	return nil
}

func hash(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }
