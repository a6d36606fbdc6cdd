package signin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

// accept notes that a method was passed: what that proves, what it ends, and what comes
// next.
func (d *Desk) accept(ctx context.Context, tx *db.Tx, a Attempt, who user.User, m method.Method) (Next, error) {
	if err := method.Passed(ctx, tx, a.User, m.ID); err != nil {
		return Next{}, fmt.Errorf("note a passed method: %w", err)
	}
	if m.ProvedAt.IsZero() {
		if err := d.recordMethod(ctx, tx, a, audit.MethodProved, m.ID); err != nil {
			return Next{}, err
		}
	}
	if err := d.clearMark(ctx, tx, a, &who, m); err != nil {
		return Next{}, err
	}
	a.Factor, a.FactorMethod, a.FactorAt = m.Kind, m.ID, tx.Now
	if err := storeFactor(ctx, tx, a); err != nil {
		return Next{}, err
	}
	return d.onward(ctx, tx, a, who)
}

// clearMark ends the mark of a reset by email: a method that is not email, and was
// proved before it, was passed. The policy offers no other while the mark stands; it is
// looked at again here, because what was offered a moment ago may be another's now.
func (d *Desk) clearMark(ctx context.Context, tx *db.Tx, a Attempt, who *user.User, m method.Method) error {
	if who.ResetMarkAt.IsZero() || m.Kind == policy.Email || m.ProvedAt.IsZero() || !m.ProvedAt.Before(who.ResetMarkAt) {
		return nil
	}
	if err := user.ClearResetMark(ctx, tx, a.User); err != nil {
		return fmt.Errorf("end the mark of a reset: %w", err)
	}
	who.ResetMarkAt = time.Time{}
	return d.recordMethod(ctx, tx, a, audit.ResetMarkCleared, m.ID)
}

func (d *Desk) recordMethod(ctx context.Context, tx *db.Tx, a Attempt, kind audit.Kind, which id.Method) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: actor(a.User, a.Place), User: a.User, Site: a.Site,
		Facts: map[string]string{"method": string(which), "reference": a.Reference},
	})
}

// on says whether the policy offers a kind to this attempt now. Where it does not, next
// is what to answer.
func (d *Desk) on(ctx context.Context, tx *db.Tx, a Attempt, who user.User, kind policy.MethodKind) (offers []policy.Offer, next Next, err error) {
	if a.Site == "" && !who.Staff && a.Purpose != Join {
		return nil, Next{Step: AskSite}, nil
	}
	decision, f, err := d.decide(ctx, tx, tx.Now, a, who)
	if err != nil {
		return nil, Next{}, err
	}
	step := stepOf(decision, f)
	if step != AskCode && step != Rest {
		next, err = d.onward(ctx, tx, a, who)
		return nil, next, err
	}
	for _, o := range decision.Offered {
		if o.Kind == kind {
			offers = append(offers, o)
		}
	}
	next = Next{Step: step, Wrong: NotOffered}
	for _, off := range decision.NotOffered {
		if off.Kind == kind && off.Key == policy.Resting {
			next = Next{Step: step, Wrong: Resting, Retry: off.Until}
		}
	}
	return offers, next, nil
}

// authenticator compares six digits with the person's authenticators. One guess is one
// guess at each of them.
func (d *Desk) authenticator(ctx context.Context, tx *db.Tx, a Attempt, who user.User, digits string) (Next, error) {
	offers, next, err := d.on(ctx, tx, a, who, policy.TOTP)
	if err != nil || len(offers) == 0 {
		if next.Wrong == Resting {
			err = skipped(ctx, tx, a.User, skippedCode, a.Place.Network)
		}
		return next, err
	}
	known, err := session.Known(ctx, tx, a.User, a.Place, tx.Now)
	if err != nil {
		return Next{}, fmt.Errorf("look for a known place: %w", err)
	}
	var charges []limit.Charge
	for _, o := range offers {
		charges = append(charges, method.Guesses(a.User, id.Method(o.ID), known)...)
	}
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil {
		return Next{}, err
	}
	if !answer.OK {
		return Next{Step: AskCode, Wrong: Resting, Retry: answer.Retry}, skipped(ctx, tx, a.User, skippedCode, a.Place.Network)
	}
	m, ok, err := method.TryTOTP(ctx, tx, d.Keys, a.User, digits)
	if err != nil {
		return Next{}, fmt.Errorf("look at an authenticator's code: %w", err)
	}
	if !ok {
		return d.missedAuthenticator(ctx, tx, a, offers, charges)
	}
	for i := range charges {
		charges[i].At = answer.At
	}
	if err := limit.GiveBack(ctx, tx, charges...); err != nil {
		return Next{}, err
	}
	if err := d.recordMethod(ctx, tx, a, audit.CodeAccepted, m.ID); err != nil {
		return Next{}, err
	}
	return d.accept(ctx, tx, a, who, m)
}

func (d *Desk) missedAuthenticator(ctx context.Context, tx *db.Tx, a Attempt, offers []policy.Offer, charges []limit.Charge) (Next, error) {
	for _, o := range offers {
		if err := method.Missed(ctx, tx, a.User, id.Method(o.ID)); err != nil {
			return Next{}, fmt.Errorf("count a wrong try: %w", err)
		}
	}
	if err := d.recordMethod(ctx, tx, a, audit.CodeWrong, id.Method(offers[0].ID)); err != nil {
		return Next{}, err
	}
	left, err := limit.Peek(ctx, tx, tx.Now, charges...)
	if err == nil && !left.OK {
		err = d.recordMethod(ctx, tx, a, audit.MethodRested, id.Method(offers[0].ID))
	}
	return Next{Step: AskCode, Wrong: WrongCode}, err
}

// fewCodes is from how few recovery codes on the person is told to make new ones.
const fewCodes = 3

// recovery compares what was typed with the person's recovery codes. They never rest; from
// places where the person is not known too many wrong ones wait for minutes.
func (d *Desk) recovery(ctx context.Context, tx *db.Tx, a Attempt, who user.User, typed string) (Next, error) {
	offers, next, err := d.on(ctx, tx, a, who, policy.Recovery)
	if err != nil || len(offers) == 0 {
		return next, err
	}
	if _, ok := method.ReadRecovery(typed); !ok {
		return Next{Step: AskCode, Wrong: WrongForm}, nil
	}
	known, err := session.Known(ctx, tx, a.User, a.Place, tx.Now)
	if err != nil {
		return Next{}, fmt.Errorf("look for a known place: %w", err)
	}
	charges := method.Recoveries(a.User, a.Place.Network, known)
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil {
		return Next{}, err
	}
	if !answer.OK {
		return Next{Step: AskCode, Wrong: Resting, Retry: answer.Retry}, skipped(ctx, tx, a.User, skippedCode, a.Place.Network)
	}
	m, left, ok, err := method.TryRecovery(ctx, tx, d.Keys, a.User, typed)
	if err != nil {
		return Next{}, fmt.Errorf("look at a recovery code: %w", err)
	}
	if !ok {
		return Next{Step: AskCode, Wrong: WrongCode}, d.recordMethod(ctx, tx, a, audit.CodeWrong, id.Method(offers[0].ID))
	}
	for i := range charges {
		charges[i].At = answer.At
	}
	if err := limit.GiveBack(ctx, tx, charges...); err != nil {
		return Next{}, err
	}
	if err := d.recordMethod(ctx, tx, a, audit.RecoveryCodeUsed, m.ID); err != nil {
		return Next{}, err
	}
	told := message.RecoveryCodeUsed
	if left <= fewCodes {
		told = message.FewRecoveryCodes
	}
	err = d.Post.Tell(ctx, tx, message.Notice{
		User: a.User, Site: a.Site, Kind: told, Words: map[string]string{"left": strconv.Itoa(left)}, Changed: policy.Recovery,
	})
	if err != nil {
		return Next{}, fmt.Errorf("tell a person of a used recovery code: %w", err)
	}
	return d.accept(ctx, tx, a, who, m)
}

// PasskeyOptions is what a browser is to sign, and the token by which the answer is
// known. Both are empty where Next says something else.
type PasskeyOptions struct {
	Ceremony string
	Options  []byte
	Next     Next
}

// AskPasskey begins the ceremony of a passkey as the second factor.
func (d *Desk) AskPasskey(ctx context.Context, token string) (o PasskeyOptions, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		o = PasskeyOptions{}
		offers, next, err := d.on(ctx, tx, a, who, policy.Passkey)
		if err != nil || len(offers) == 0 {
			o.Next = next
			return err
		}
		o.Next = Next{Step: AskCode}
		known, err := session.Known(ctx, tx, a.User, a.Place, tx.Now)
		if err != nil {
			return fmt.Errorf("look for a known place: %w", err)
		}
		answer, err := limit.Take(ctx, tx, askedFrom(a.Place.Network, known),
			limit.Charge{Budget: limit.PasskeysAsked, Subject: limit.Subject("attempt", string(a.ID))})
		if err != nil {
			return err
		}
		if !answer.OK {
			o.Next.Wrong, o.Next.Retry = TooSoon, answer.Retry
			return nil
		}
		if o.Ceremony, o.Options, err = d.Passkeys.BeginUse(ctx, tx, a.User); err != nil {
			return fmt.Errorf("ask for a passkey: %w", err)
		}
		return nil
	}, &o.Next)
	return o, err
}

// Signed is a browser's answer to what it was asked to sign.
type Signed struct {
	Ceremony, Response string
	Remember           bool
}

// Passkey looks at what a browser signed as the second factor.
func (d *Desk) Passkey(ctx context.Context, token string, signed Signed) (next Next, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		a.remember = signed.Remember
		offers, on, err := d.on(ctx, tx, a, who, policy.Passkey)
		if err != nil || len(offers) == 0 {
			next = on
			return err
		}
		_, m, ok, err := d.Passkeys.FinishUse(ctx, tx, a.User, signed.Ceremony, signed.Response)
		if err != nil && !errors.Is(err, fault.Conflict) {
			return fmt.Errorf("look at a passkey's answer: %w", err)
		}
		if !ok {
			next = Next{Step: AskCode, Wrong: WrongPasskey}
			return d.recordMethod(ctx, tx, a, audit.CodeWrong, id.Method(offers[0].ID))
		}
		if err := d.recordMethod(ctx, tx, a, audit.CodeAccepted, m.ID); err != nil {
			return err
		}
		next, err = d.accept(ctx, tx, a, who, m)
		return err
	}, &next)
	return next, err
}
