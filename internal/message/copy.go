package message

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// copyState is what is known of one copy of an SMS: one time that it was given to a
// provider.
type copyState string

const (
	// held: a part is reserved, and it was not given away.
	held copyState = "held"
	// released: it will not be given away, and the part is back.
	released copyState = "released"
	// given: it is being given away, or was and the node died before it knew more.
	given copyState = "given"
	// refused: the provider did not take it, for now. barred: nor will any other.
	refused copyState = "refused"
	barred  copyState = "barred"
	// unknown: it may or may not have been taken.
	unknown copyState = "unknown"
	// accepted, rejected, undelivered, delivered: what the provider said of it last.
	accepted    copyState = "accepted"
	rejected    copyState = "rejected"
	undelivered copyState = "undelivered"
	delivered   copyState = "delivered"
)

// rank orders the states: news moves a copy up and never down, so that it stands where it
// would if they had come in order, and once.
func (s copyState) rank() int {
	return slices.Index([]copyState{accepted, rejected, undelivered, delivered}, s)
}

// textCopy is one copy of an SMS.
type textCopy struct {
	try
	site    id.Site
	hold    id.Hold
	admin   bool
	state   copyState
	carrier string
	ref     string
	givenAt time.Time
}

// with notes who has the copy, where that was not known.
func (c textCopy) with(carrier, ref string) textCopy {
	c.carrier, c.ref = firstOf(c.carrier, carrier), firstOf(c.ref, ref)
	return c
}

// copiesMost is how many copies of one SMS may be on their way: the one that was given,
// and one more where nobody knows what became of it.
const copiesMost = 2

// astray counts the copies of which nobody knows whether they were taken.
func astray(all []textCopy) int {
	n := 0
	for _, c := range all {
		if c.state == unknown || c.state == given {
			n++
		}
	}
	return n
}

// outcome is where the copies say that their message stands; false while they do not say.
// It looks at the states alone, and not at the order in which they came.
func outcome(all []textCopy) (State, bool) {
	has := func(s copyState) bool {
		return slices.ContainsFunc(all, func(c textCopy) bool { return c.state == s })
	}
	switch {
	case has(delivered):
		return Delivered, true
	case has(accepted):
		return Accepted, true
	case has(given):
		return "", false
	case has(barred):
		return Refused, true
	case has(unknown):
		return "", false
	case has(undelivered):
		return Undelivered, true
	case has(rejected):
		return Refused, true
	}
	return "", false
}

// follow moves a message that was taken to where its copies say that it stands.
func follow(ctx context.Context, tx *db.Tx, m Message, carrier string) (Message, error) {
	all, err := copies(ctx, tx, m.User, m.ID)
	if err != nil {
		return m, fmt.Errorf("read the copies of an SMS: %w", err)
	}
	to, ok := outcome(all)
	if !ok || to == m.State {
		return m, nil
	}
	if err := move(ctx, tx, m, to, carrier); err != nil {
		return m, fmt.Errorf("move a message: %w", err)
	}
	m.State = to
	return m, nil
}

// letGo gives back the part of a message that ended before it was given away.
func letGo(ctx context.Context, tx *db.Tx, who id.User, which id.Message) error {
	all, err := copies(ctx, tx, who, which)
	if err != nil {
		return fmt.Errorf("read the copies of an SMS: %w", err)
	}
	for _, c := range all {
		if c.state != held {
			continue
		}
		if err := moveCopy(ctx, tx, c, released); err != nil {
			return fmt.Errorf("let an SMS go: %w", err)
		}
		if _, err := balance.Release(ctx, tx, c.site, c.hold); err != nil {
			return fmt.Errorf("give an SMS part back: %w", err)
		}
	}
	return nil
}
