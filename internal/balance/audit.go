package balance

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// auditPage is how many entries are read at once.
const auditPage = 1000

// Audit goes through a site's entries from the opening on, and checks the laws of this
// package after each one; the error says which entry breaks which. A site that was never
// written to is in order. It may be run beside writers.
func Audit(ctx context.Context, from db.Reader, which id.Site) error {
	s, err := standing(ctx, from, which)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("audit the SMS account: %w", err)
	}
	b := book{open: make(map[id.Hold]int), refunded: make(map[id.Hold]bool)}
	for b.last.No < s.no {
		entries, err := onward(ctx, from, which, b.last.No, auditPage)
		if err != nil {
			return fmt.Errorf("audit the SMS account: %w", err)
		}
		if len(entries) == 0 {
			return fmt.Errorf("the SMS account of %s has %d entries, and there are %d", which, s.no, b.last.No)
		}
		for _, e := range entries[:min(int64(len(entries)), s.no-b.last.No)] {
			if err := b.enter(ctx, from, which, e); err != nil {
				return fmt.Errorf("the SMS account of %s: entry %d (%s): %w", which, e.No, e.Kind, err)
			}
		}
	}
	if b.last.AvailableAfter != s.available || b.last.HeldAfter != s.held {
		return fmt.Errorf("the SMS account of %s stands at %d and %d, and its last entry says %d and %d",
			which, s.available, s.held, b.last.AvailableAfter, b.last.HeldAfter)
	}
	return b.compareHolds(ctx, from, which)
}

// book is what an auditor has in mind.
type book struct {
	last     Entry
	open     map[id.Hold]int // parts of those not settled yet
	refunded map[id.Hold]bool
}

// enter checks one entry against those before it, and remembers it.
func (b *book) enter(ctx context.Context, from db.Reader, at id.Site, e Entry) error {
	if e.No != b.last.No+1 {
		return fmt.Errorf("it follows entry %d", b.last.No)
	}
	if (e.Kind == Opened) != (e.No == 1) {
		return errors.New("the first entry is the opening, and no other")
	}
	if e.Parts < 0 || e.AvailableAfter < 0 || e.HeldAfter < 0 {
		return errors.New("it is below zero")
	}
	c, err := b.change(ctx, from, at, e)
	if err != nil {
		return err
	}
	if available, inHold := b.last.AvailableAfter+c.available, b.last.HeldAfter+c.held; available != e.AvailableAfter || inHold != e.HeldAfter {
		return fmt.Errorf("it says %d available and %d held, and that makes %d and %d", e.AvailableAfter, e.HeldAfter, available, inHold)
	}
	b.last = e
	return nil
}

// change is what an entry must have done, by its kind and by the entries before it.
func (b *book) change(ctx context.Context, from db.Reader, at id.Site, e Entry) (change, error) {
	parts, isOpen := b.open[e.Hold]
	switch e.Kind {
	case Opened, ToppedUp:
		return change{available: e.Parts}, nil
	case Held:
		if isOpen || e.Hold == "" {
			return change{}, errors.New("the hold is there already, or has no name")
		}
		b.open[e.Hold] = e.Parts
		return change{available: -e.Parts, held: e.Parts}, nil
	case Charged, Released:
		if !isOpen {
			return change{}, errors.New("the hold is not open")
		}
		delete(b.open, e.Hold)
		if e.Kind == Charged {
			return change{available: parts - e.Parts, held: -parts}, nil
		}
		if e.Parts != parts {
			return change{}, fmt.Errorf("%d parts were held", parts)
		}
		return change{available: parts, held: -parts}, nil
	case Refunded:
		return change{available: e.Parts}, b.refund(ctx, from, at, e)
	}
	return change{}, errors.New("nobody knows this kind")
}

// refund checks that what comes back was charged, and comes back once. Refunds are
// rare, so the hold itself is asked; charged ones need not be remembered.
func (b *book) refund(ctx context.Context, from db.Reader, at id.Site, e Entry) error {
	_, isOpen := b.open[e.Hold]
	if isOpen || b.refunded[e.Hold] {
		return errors.New("the hold is open, or was refunded before")
	}
	b.refunded[e.Hold] = true
	h, err := holdByID(ctx, from, at, e.Hold)
	if err != nil {
		return fmt.Errorf("its hold: %w", err)
	}
	if h.state != refunded || h.charged != e.Parts {
		return fmt.Errorf("its hold is %s, and was charged %d parts", h.state, h.charged)
	}
	return nil
}

// compareHolds checks that the holds reserve what the entries say. If the account moved
// on meanwhile they cannot be compared, and the next audit does.
func (b *book) compareHolds(ctx context.Context, from db.Reader, which id.Site) error {
	sum, err := heldNow(ctx, from, which)
	if err != nil {
		return fmt.Errorf("audit the SMS holds: %w", err)
	}
	s, err := standing(ctx, from, which)
	if err != nil {
		return fmt.Errorf("audit the SMS account: %w", err)
	}
	if s.no == b.last.No && sum != int64(b.last.HeldAfter) {
		return fmt.Errorf("the SMS account of %s: %d parts are held, and its holds have %d", which, b.last.HeldAfter, sum)
	}
	return nil
}
