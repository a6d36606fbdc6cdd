package enrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
)

const codePurpose = "proof code"

// code is one set of digits that proves a number or an address.
type code struct {
	id        id.Code
	method    id.Method
	message   id.Message
	mac       []byte
	madeAt    time.Time
	expiresAt time.Time
	wrong     int
	ended     bool // used or replaced
}

// live says that the code can still be right.
func (c code) live(now time.Time) bool {
	return !c.ended && now.Before(c.expiresAt) && c.wrong < limit.GuessesPerCode
}

// macParts bind a code to the user, to where it is to be typed, and to the number (I2).
func macParts(s held, c code, digits string) []string {
	return []string{string(s.who.ID), s.holder(), string(c.id), string(c.method), digits}
}

func (d *Desk) is(s held, c code, digits string) bool {
	return d.Keys.Matches(c.mac, codePurpose, macParts(s, c, digits)...)
}

// Waiting is a number that waits for its code.
type Waiting struct {
	Method method.Method
	// Message is the one that carries the code, for its timeline.
	Message           id.Message
	MadeAt, ExpiresAt time.Time
	// Live says that the code can still be typed.
	Live bool
}

// Mobile gives the number that waits for its code here, to show the page again; NoCode if
// none does.
func (d *Desk) Mobile(ctx context.Context, h Holder) (Waiting, Done, error) {
	s, done, err := d.look(ctx, h, adding)
	if err != nil || done.Refused != "" {
		return Waiting{}, done, err
	}
	all, err := codesOf(ctx, d.DB, s)
	if err != nil {
		return Waiting{}, Done{}, fmt.Errorf("read codes: %w", err)
	}
	if len(all) == 0 {
		return Waiting{}, Done{Refused: NoCode}, nil
	}
	c := all[0]
	m, err := method.ByID(ctx, d.DB, s.who.ID, c.method)
	if errors.Is(err, fault.NotFound) || err == nil && !m.Pending {
		return Waiting{}, Done{Refused: NoCode}, nil
	}
	if err != nil {
		return Waiting{}, Done{}, fmt.Errorf("find a method: %w", err)
	}
	return Waiting{
		Method: m, Message: c.message, MadeAt: c.madeAt, ExpiresAt: c.expiresAt, Live: c.live(d.DB.Clock.Now()),
	}, Done{Method: m.ID}, nil
}

// ProveMobile compares what was typed with the code that went to the new number. The
// right one makes it a method, in place of the number before.
func (d *Desk) ProveMobile(ctx context.Context, h Holder, typed string) (Done, error) {
	return d.proveCode(ctx, h, adding, typed)
}

// proveCode compares what was typed with the live code of the holder. What it proves is
// what that code was sent to.
func (d *Desk) proveCode(ctx context.Context, h Holder, needs []policy.Change, typed string) (Done, error) {
	digits, formed := sixDigits(typed)
	return d.change(ctx, h, needs, func(tx *db.Tx, s held) (Done, error) {
		if !formed {
			return Done{Refused: WrongForm}, nil
		}
		all, err := codesOf(ctx, tx, s)
		if err != nil {
			return Done{}, fmt.Errorf("read codes: %w", err)
		}
		live, old := sift(all, tx.Now)
		// An old code costs no guess: it can never be right, so nothing is learned by it.
		for _, c := range old {
			if !c.ended && c.wrong >= limit.GuessesPerCode {
				continue // it bore too many tries and nothing replaced it: whatever is typed, say so
			}
			if d.is(s, c, digits) && (live == nil || !d.is(s, *live, digits)) {
				return d.stale(ctx, tx, s, c)
			}
		}
		if live == nil {
			return Done{Refused: NoCode}, nil
		}
		return d.tryCode(ctx, tx, s, *live, digits)
	})
}

// sift parts the one live code from those that are not live any more.
func sift(all []code, now time.Time) (live *code, old []code) {
	for _, c := range all {
		if live == nil && c.live(now) {
			live = &c
			continue
		}
		old = append(old, c)
	}
	return live, old
}

func (d *Desk) stale(ctx context.Context, tx *db.Tx, s held, c code) (Done, error) {
	if err := d.Post.Typed(ctx, tx, s.who.ID, c.message, true); err != nil {
		return Done{}, err
	}
	return Done{Refused: StaleCode, MadeAt: c.madeAt}, d.recordCode(ctx, tx, s, audit.CodeStale, c.method)
}

func (d *Desk) tryCode(ctx context.Context, tx *db.Tx, s held, c code, digits string) (Done, error) {
	m, err := method.ByID(ctx, tx, s.who.ID, c.method)
	if errors.Is(err, fault.NotFound) {
		return Done{Refused: NoCode}, nil
	}
	if err != nil {
		return Done{}, fmt.Errorf("find a method: %w", err)
	}
	done, charges, err := d.guess(ctx, tx, s, m.Kind)
	if err != nil || done.Refused != "" {
		return done, err
	}
	if !d.is(s, c, digits) {
		return d.missed(ctx, tx, s, c)
	}
	// It cost no guess, and the number is no unproved one any more.
	for range unproved.Cap {
		if m.Kind == policy.SMS {
			charges = append(charges, unprovedCharge(s.who.ID, m.Address))
		}
	}
	if err := limit.GiveBack(ctx, tx, charges...); err != nil {
		return Done{}, err
	}
	return d.proved(ctx, tx, s, c, m)
}

// missed counts a wrong try.
func (d *Desk) missed(ctx context.Context, tx *db.Tx, s held, c code) (Done, error) {
	if err := countWrong(ctx, tx, s.who.ID, c); err != nil {
		return Done{}, fmt.Errorf("count a wrong try: %w", err)
	}
	if c.wrong+1 >= limit.GuessesPerCode {
		if err := message.Drop(ctx, tx, s.who.ID, c.message); err != nil {
			return Done{}, err
		}
	}
	return Done{Refused: WrongCode}, d.recordCode(ctx, tx, s, audit.CodeWrong, c.method)
}

// proved uses the code up, makes the number a method, and takes the ones before it away.
func (d *Desk) proved(ctx context.Context, tx *db.Tx, s held, c code, m method.Method) (Done, error) {
	if err := useCode(ctx, tx, s.who.ID, c); err != nil {
		return Done{}, fmt.Errorf("use a code: %w", err)
	}
	if err := d.Post.Typed(ctx, tx, s.who.ID, c.message, false); err != nil {
		return Done{}, err
	}
	if err := message.Drop(ctx, tx, s.who.ID, c.message); err != nil {
		return Done{}, err
	}
	if err := method.Prove(ctx, tx, s.who.ID, m.ID); err != nil {
		return Done{}, err
	}
	for _, kind := range []audit.Kind{audit.CodeAccepted, audit.MethodProved} {
		if err := d.recordCode(ctx, tx, s, kind, m.ID); err != nil {
			return Done{}, err
		}
	}
	if m.Kind == policy.Email {
		return d.takeName(ctx, tx, s, m)
	}
	all, err := method.Of(ctx, tx, s.who.ID)
	if err != nil {
		return Done{}, fmt.Errorf("read methods: %w", err)
	}
	for _, old := range all {
		if old.Kind != policy.SMS || old.ID == m.ID {
			continue
		}
		if err := method.Remove(ctx, tx, s.who.ID, old.ID); err != nil {
			return Done{}, err
		}
		if err := d.record(ctx, tx, s, effect{kind: audit.MethodRemoved, facts: methodFacts(old), personal: methodPersonal(old)}); err != nil {
			return Done{}, err
		}
	}
	return d.added(ctx, tx, s, m)
}

// closeCodes ends every open code of a person, wipes what was to be sent, and gives the
// codes as they were.
func (d *Desk) closeCodes(ctx context.Context, tx *db.Tx, who id.User) ([]code, error) {
	closed, err := endCodes(ctx, tx, who)
	if err != nil {
		return nil, fmt.Errorf("end codes: %w", err)
	}
	for _, c := range closed {
		if err := message.Drop(ctx, tx, who, c.message); err != nil {
			return nil, err
		}
	}
	return closed, nil
}

// keepCodes is how long a code is kept after its end: whoever types it late is told so.
const keepCodes = 24 * time.Hour

// Sweep removes codes that are long over, limit at most at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, tx.Now.Add(-keepCodes), limit); err != nil {
		return fmt.Errorf("sweep codes of new numbers: %w", err)
	}
	return nil
}
