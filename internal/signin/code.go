package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

// code is one set of digits of a challenge.
type code struct {
	id        id.Code
	challenge id.Challenge
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

// Typed is what a person typed to pass the second factor.
type Typed struct {
	// Kind is the method that it is for; empty: the one that the page shows.
	Kind policy.MethodKind
	Text string
	// Remember says that the person wants this device remembered.
	Remember bool
}

// Code compares what was typed with what the chosen method has: the live code of the
// attempt, the authenticator's present code, or a recovery code.
func (d *Desk) Code(ctx context.Context, token string, typed Typed) (next Next, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		a.remember = typed.Remember
		kind := typed.Kind
		if kind == "" {
			if kind, err = d.shown(ctx, tx, a, who); err != nil {
				return err
			}
		}
		next, err = d.typed(ctx, tx, a, who, kind, typed.Text)
		return err
	}, &next)
	return next, err
}

func (d *Desk) typed(ctx context.Context, tx *db.Tx, a Attempt, who user.User, kind policy.MethodKind, text string) (Next, error) {
	switch kind {
	case policy.Recovery:
		return d.recovery(ctx, tx, a, who, text)
	case policy.Passkey:
		return Next{Step: AskCode, Wrong: NotOffered}, nil
	case policy.Email, policy.SMS, policy.TOTP:
	}
	digits, ok := sixDigits(text)
	switch {
	case !ok:
		return Next{Step: AskCode, Wrong: WrongForm}, nil
	case kind == policy.TOTP:
		return d.authenticator(ctx, tx, a, who, digits)
	}
	return d.guess(ctx, tx, a, who, digits)
}

// shown is the method that the attempt's page is about: the one the person turned to,
// else that of the newest code, else the policy's default.
func (d *Desk) shown(ctx context.Context, from db.Reader, a Attempt, who user.User) (policy.MethodKind, error) {
	if a.Chosen != "" {
		return a.Chosen, nil
	}
	all, err := codesOf(ctx, from, a)
	if err != nil {
		return "", fmt.Errorf("read codes: %w", err)
	}
	if len(all) > 0 {
		m, err := method.ByID(ctx, from, a.User, all[0].method)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return "", fmt.Errorf("find a method: %w", err)
		}
		return m.Kind, nil
	}
	decision, _, err := d.decide(ctx, from, d.DB.Clock.Now(), a, who)
	return decision.Default, err
}

func (d *Desk) guess(ctx context.Context, tx *db.Tx, a Attempt, who user.User, digits string) (Next, error) {
	all, err := codesOf(ctx, tx, a)
	if err != nil {
		return Next{}, fmt.Errorf("read codes: %w", err)
	}
	live, old := sift(all, tx.Now)
	// An old code costs no guess: it can never be right, so nothing is learned by it.
	for _, c := range old {
		if !c.ended && c.wrong >= limit.GuessesPerCode {
			continue // it bore too many tries and nothing replaced it: whatever is typed, say so
		}
		if d.is(c, a, digits) && (live == nil || !d.is(*live, a, digits)) {
			if err := d.Post.Typed(ctx, tx, a.User, c.message, true); err != nil {
				return Next{}, err
			}
			return Next{Step: AskCode, Wrong: StaleCode, MadeAt: c.madeAt}, d.recordCode(ctx, tx, a, audit.CodeStale, c)
		}
	}
	if live == nil {
		return Next{Step: AskCode, Wrong: NoCode}, nil
	}
	known, err := session.Known(ctx, tx, a.User, a.Place, tx.Now)
	if err != nil {
		return Next{}, fmt.Errorf("look for a known place: %w", err)
	}
	charges := method.Guesses(a.User, live.method, known)
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil {
		return Next{}, err
	}
	if !answer.OK {
		return Next{Step: AskCode, Wrong: Resting, Retry: answer.Retry}, skipped(ctx, tx, a.User, skippedCode, a.Place.Network)
	}
	if !d.is(*live, a, digits) {
		if err := d.crossed(ctx, tx, a, digits); err != nil {
			return Next{}, err
		}
		return d.missed(ctx, tx, a, *live, known)
	}
	for i := range charges {
		charges[i].At = answer.At
	}
	if err := limit.GiveBack(ctx, tx, charges...); err != nil {
		return Next{}, err
	}
	return d.passed(ctx, tx, a, who, *live)
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

// is compares with the stored keyed hash, in constant time.
func (d *Desk) is(c code, a Attempt, digits string) bool {
	return d.Keys.Matches(c.mac, "signin code", macParts(a, c, digits)...)
}

func macParts(a Attempt, c code, digits string) []string {
	return []string{string(a.User), string(a.ID), string(c.challenge), string(c.id), digits}
}

// missed counts a wrong try. The message is ended before the method is touched, in the
// order in which a delivery takes the same rows.
func (d *Desk) missed(ctx context.Context, tx *db.Tx, a Attempt, c code, known bool) (Next, error) {
	if err := countWrong(ctx, tx, a, c); err != nil {
		return Next{}, err
	}
	if c.wrong+1 >= limit.GuessesPerCode {
		if err := message.Drop(ctx, tx, a.User, c.message); err != nil {
			return Next{}, err
		}
	}
	if err := method.Missed(ctx, tx, a.User, c.method); err != nil {
		return Next{}, fmt.Errorf("count a wrong try: %w", err)
	}
	if err := d.recordCode(ctx, tx, a, audit.CodeWrong, c); err != nil {
		return Next{}, err
	}
	left, err := limit.Peek(ctx, tx, tx.Now, method.Guesses(a.User, c.method, known)...)
	if err != nil {
		return Next{}, err
	}
	if !left.OK {
		err = d.recordCode(ctx, tx, a, audit.MethodRested, c)
	}
	return Next{Step: AskCode, Wrong: WrongCode}, err
}

// passed uses the code up, and accepts what it proves.
func (d *Desk) passed(ctx context.Context, tx *db.Tx, a Attempt, who user.User, c code) (Next, error) {
	if err := useCode(ctx, tx, a, c); err != nil {
		return Next{}, err
	}
	if err := d.Post.Typed(ctx, tx, a.User, c.message, false); err != nil {
		return Next{}, err
	}
	if err := message.Drop(ctx, tx, a.User, c.message); err != nil {
		return Next{}, err
	}
	m, err := method.ByID(ctx, tx, a.User, c.method)
	if err != nil {
		return Next{}, fmt.Errorf("find a method: %w", err)
	}
	if err := d.recordCode(ctx, tx, a, audit.CodeAccepted, c); err != nil {
		return Next{}, err
	}
	return d.accept(ctx, tx, a, who, m)
}

func (d *Desk) recordCode(ctx context.Context, tx *db.Tx, a Attempt, kind audit.Kind, c code) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: actor(a.User, a.Place), User: a.User, Site: a.Site,
		Facts: map[string]string{"method": string(c.method), "reference": a.Reference},
	})
}

// sixDigits reads the one form of a code: six ASCII digits, with spaces between and
// around them as mails and people write them, and nothing else.
func sixDigits(typed string) (string, bool) {
	digits := strings.ReplaceAll(typed, " ", "")
	if len(digits) != codeDigits {
		return "", false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", false
		}
	}
	return digits, true
}

// choose finds the offer of a kind, or of the policy's default.
func choose(decision policy.Decision, kind policy.MethodKind) (policy.Offer, bool) {
	for _, o := range decision.Offered {
		if o.Kind == kind {
			return o, true
		}
	}
	return policy.Offer{}, false
}
