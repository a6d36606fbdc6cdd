package message

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
)

// handing is one SMS on its way: the copy that is to be given away next.
type handing struct {
	m    Message
	body string
	code string
	copy textCopy
	// after is the index of the first provider that may be tried.
	after int
}

// deliverText gives an SMS to a provider, and to the next one if that did not take it.
//
// What is about to be done is stored before each call (the copy is given), and what came
// of it after. A copy that a node left as given counts as one of which nothing is known:
// its part stays held, and the message may be given once more. An error has the job run
// again, for as long as the code lives.
func (p *Post) deliverText(ctx context.Context, out Carriers, m Message) error {
	if out.Texts == nil {
		return p.end(ctx, m, Refused, Step{Kind: StepRefused, Why: CarrierDown})
	}
	h := handing{m: m}
	var err error
	if h.body, h.code, err = p.text(ctx, out, m); errors.Is(err, fault.Invalid) {
		return p.end(ctx, m, Refused, Step{Kind: StepRefused, Why: Other})
	} else if err != nil {
		return err
	}
	// What came of a call is stored even when the job's time is over.
	stored := context.WithoutCancel(ctx)
	more := false
	err = p.DB.Do(ctx, func(tx *db.Tx) (err error) {
		h.copy, more, err = p.begin(ctx, tx, m)
		return err
	})
	for more && err == nil {
		key, bad := h.copy.token(p.Keys)
		if bad != nil {
			return bad
		}
		receipt, failed := out.Texts.Text(ctx, Text{Key: key, To: m.Address, Body: h.body, Deadline: m.ExpiresAt, After: h.after})
		receipt.Text = scrub(receipt.Text, h.code)
		var then next
		err = p.DB.Do(stored, func(tx *db.Tx) (err error) {
			then, err = p.handed(stored, tx, h, verdictOf(receipt, failed))
			return err
		})
		if err == nil {
			err = then.again
		}
		h.copy, h.after, more = then.copy, receipt.Next, then.more
	}
	if err != nil {
		return fmt.Errorf("give an SMS away: %w", err)
	}
	return nil
}

// begin makes the copy that is to be given away now; false if there is nothing to give.
func (p *Post) begin(ctx context.Context, tx *db.Tx, m Message) (textCopy, bool, error) {
	m, all, err := taken(ctx, tx, m)
	if err != nil || m.State != Queued {
		return textCopy{}, false, ignore(err, fault.NotFound)
	}
	for i, c := range all {
		if c.state != given {
			continue
		}
		// A node died, and nobody knows what it did.
		if err := moveCopy(ctx, tx, c, unknown); err != nil {
			return textCopy{}, false, fmt.Errorf("note a copy that was lost sight of: %w", err)
		}
		all[i].state = unknown
	}
	if !tx.Now.Before(m.ExpiresAt) {
		return textCopy{}, false, p.close(ctx, tx, m, Expired, Step{Kind: StepExpired})
	}
	return p.give(ctx, tx, m, all)
}

// give readies the next copy: the one that was promised, or a new one for a part of its
// own. Where there may be none the message ends.
func (p *Post) give(ctx context.Context, tx *db.Tx, m Message, all []textCopy) (textCopy, bool, error) {
	none := textCopy{}
	if len(all) == 0 {
		return none, false, p.close(ctx, tx, m, Refused, Step{Kind: StepNoBalance, Why: NoBalance})
	}
	c := all[len(all)-1]
	if astray(all) >= copiesMost {
		return none, false, p.close(ctx, tx, m, Accepted, Step{Kind: StepUnknown, Carrier: c.carrier})
	}
	if c.state == held {
		if err := moveCopy(ctx, tx, c, given); err != nil {
			return none, false, fmt.Errorf("give a copy away: %w", err)
		}
		return c.as(given), true, p.addHanded(ctx, tx, m)
	}
	c = textCopy{try: try{User: m.User, Message: m.ID, No: c.No + 1}, site: c.site, admin: c.admin, state: given, givenAt: tx.Now}
	var ok bool
	var err error
	c.hold, ok, err = balance.Reserve(ctx, tx, balance.Ask{
		Site: c.site, User: c.User, Message: c.Message, Try: c.No, Parts: 1, Admin: c.admin,
	})
	switch {
	case err != nil:
		return none, false, fmt.Errorf("reserve an SMS part: %w", err)
	case !ok && astray(all) > 0:
		// It may be on its way; that is all that can be done.
		return none, false, p.close(ctx, tx, m, Accepted, Step{Kind: StepUnknown, Why: NoBalance})
	case !ok:
		return none, false, p.close(ctx, tx, m, Refused, Step{Kind: StepNoBalance, Why: NoBalance})
	}
	if err := insertCopy(ctx, tx, c); err != nil {
		return none, false, fmt.Errorf("store a copy: %w", err)
	}
	return c, true, p.addHanded(ctx, tx, m)
}

// addHanded notes on the timeline that the text is being given away; once in a row, and
// not after a delay, of which the person has been told.
func (p *Post) addHanded(ctx context.Context, tx *db.Tx, m Message) error {
	trail, err := steps(ctx, tx, m.User, m.ID)
	if err != nil {
		return fmt.Errorf("read a timeline: %w", err)
	}
	if n := len(trail); n > 0 && (trail[n-1].Kind == StepDelayed || trail[n-1].Kind == StepHanded) {
		return nil
	}
	return addStep(ctx, tx, m, Step{Kind: StepHanded, At: tx.Now})
}

func (c textCopy) as(state copyState) textCopy {
	c.state = state
	return c
}

// verdict is what became of a copy, from what the provider answered.
type verdict struct {
	to      copyState
	receipt Receipt
	late    bool
	cause   error
}

func verdictOf(r Receipt, failed error) verdict {
	v := verdict{receipt: r, cause: failed}
	switch {
	case r.Unknown:
		v.to = unknown
	case errors.Is(failed, Late):
		v.to, v.late = refused, true
	case errors.Is(failed, fault.Invalid):
		v.to = barred
	case failed != nil:
		v.to = refused
	case r.Accepted:
		v.to = accepted
	case r.Permanent:
		v.to = barred
	default:
		v.to, v.cause = refused, fmt.Errorf("the provider says not now: %d", r.Code)
	}
	return v
}

// next is what is to be done after a copy was given away: another copy, or the whole job
// again later, for the reason that it says.
type next struct {
	copy  textCopy
	more  bool
	again error
}

// handed stores what became of a copy. News of it may have come before the answer, and
// the message may have ended meanwhile: what the provider took is charged all the same.
func (p *Post) handed(ctx context.Context, tx *db.Tx, h handing, v verdict) (next, error) {
	m, all, err := taken(ctx, tx, h.m)
	if err != nil {
		return next{}, ignore(err, fault.NotFound)
	}
	at := h.copy.No - 1
	if at >= len(all) || all[at].No != h.copy.No {
		return next{}, fmt.Errorf("the copy that was given away is not there: %w", fault.NotFound)
	}
	c := all[at].with(v.receipt.Relay, v.receipt.Ref)
	if c.state != given && c.state != unknown {
		return next{}, moveCopy(ctx, tx, c, c.state) // news was quicker; we know its name now
	}
	if err := moveCopy(ctx, tx, c, v.to); err != nil {
		return next{}, fmt.Errorf("store what became of a copy: %w", err)
	}
	all[at] = c.as(v.to)
	if err := p.settle(ctx, tx, c, v.to, v.receipt.Parts); err != nil {
		return next{}, err
	}
	return p.after(ctx, tx, handing{m: m, copy: all[at], after: h.after}, all, v)
}

// after says what follows from what became of a copy.
func (p *Post) after(ctx context.Context, tx *db.Tx, h handing, all []textCopy, v verdict) (next, error) {
	m, newest := h.m, h.copy.No == len(all)
	switch {
	case v.to == accepted:
		return next{}, p.took(ctx, tx, m, v.receipt)
	case v.to == barred:
		if m.State != Queued {
			_, err := follow(ctx, tx, m, v.receipt.Relay)
			return next{}, err
		}
		return next{}, p.close(ctx, tx, m, Refused, textStep(StepRefused, v.receipt))
	case m.State != Queued || !newest:
		return next{}, nil // it has ended, or another node goes on
	case v.late || !tx.Now.Before(m.ExpiresAt):
		return next{}, p.close(ctx, tx, m, Expired, Step{Kind: StepExpired})
	case v.receipt.Next > h.after:
		if v.to == refused {
			if err := p.addDelayed(ctx, tx, m, textStep(StepDelayed, v.receipt)); err != nil {
				return next{}, err
			}
		}
		c, more, err := p.give(ctx, tx, m, all)
		return next{copy: c, more: more}, err
	case v.to == unknown:
		// It may be on its way; a second one would be worse than none.
		return next{}, p.close(ctx, tx, m, Accepted, textStep(StepUnknown, v.receipt))
	default:
		if err := notTaken(ctx, tx, m); err != nil {
			return next{}, err
		}
		return next{again: v.cause}, p.addDelayed(ctx, tx, m, textStep(StepDelayed, v.receipt))
	}
}

// took notes that a provider took a copy.
func (p *Post) took(ctx context.Context, tx *db.Tx, m Message, r Receipt) error {
	if _, err := follow(ctx, tx, m, r.Relay); err != nil {
		return err
	}
	s := textStep(StepAccepted, r)
	s.At = tx.Now
	if err := addStep(ctx, tx, m, s); err != nil {
		return err
	}
	if m.State != Dropped { // its code was typed before the provider had answered
		if err := handedOver(ctx, tx, m, r.Relay); err != nil {
			return err
		}
	}
	return p.health(ctx, tx, m, Accepted, s)
}

// handedOver notes for the delivery's weather that a carrier took a code.
func handedOver(ctx context.Context, tx *db.Tx, m Message, carrier string) error {
	if carrier == "" || (m.Kind != SignInCode && m.Kind != ProveCode) {
		return nil
	}
	return delivery.HandedOver(ctx, tx, string(m.Channel), carrier, m.ID)
}

// settle moves the part of a copy: what was taken is charged, and what was not is given
// back. What nobody knows of stays held.
func (p *Post) settle(ctx context.Context, tx *db.Tx, c textCopy, to copyState, parts int) error {
	switch to {
	case accepted, undelivered, delivered:
		moved, err := balance.Charge(ctx, tx, c.site, c.hold, parts)
		if err != nil {
			return fmt.Errorf("charge an SMS: %w", err)
		}
		if moved {
			return p.low(ctx, tx, c.site)
		}
	case refused, barred, released, rejected:
		if _, err := balance.Release(ctx, tx, c.site, c.hold); err != nil {
			return fmt.Errorf("give an SMS part back: %w", err)
		}
		if to != rejected {
			return nil
		}
		if _, err := balance.Refund(ctx, tx, c.site, c.hold); err != nil {
			return fmt.Errorf("refund an SMS: %w", err)
		}
	case held, given, unknown:
	}
	return nil
}

// textStep is the step of a receipt for an SMS; the number may be the cause.
func textStep(kind StepKind, r Receipt) Step {
	s := step(kind, r)
	s.firm = r.Reason.NamesNumber()
	return s
}

// taken takes a message and reads its copies.
func taken(ctx context.Context, tx *db.Tx, m Message) (Message, []textCopy, error) {
	m, err := take(ctx, tx, m.User, m.ID)
	if err != nil {
		return m, nil, fmt.Errorf("take a message: %w", err)
	}
	all, err := copies(ctx, tx, m.User, m.ID)
	if err != nil {
		return m, nil, fmt.Errorf("read the copies of an SMS: %w", err)
	}
	return m, all, nil
}

// ignore is nil for an error of the given kind.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
