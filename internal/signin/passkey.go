package signin

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

// askedFrom is what a network is charged for the beginning of a ceremony; known says that
// whoever asks has given a password and is known there.
func askedFrom(network string, known bool) limit.Charge {
	return limit.Charge{Budget: limit.PasskeysNetwork, Subject: limit.Subject("passkey", network), Known: known}
}

// BeginPasskey asks whoever is there to sign in with a passkey. The answer tells nobody
// apart: it names no user.
func (d *Desk) BeginPasskey(ctx context.Context, at session.Place) (o PasskeyOptions, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		o = PasskeyOptions{Next: Next{Step: AskPassword}}
		answer, err := limit.Take(ctx, tx, askedFrom(at.Network, false))
		if err != nil {
			return err
		}
		if !answer.OK {
			o.Next.Wrong, o.Next.Retry = TooSoon, answer.Retry
			return nil
		}
		o.Ceremony, o.Options, err = d.Passkeys.BeginUse(ctx, tx, "")
		return err
	})
	if err != nil {
		return o, fmt.Errorf("ask for a passkey: %w", err)
	}
	return o, nil
}

// SignInPasskey signs in with a passkey in place of a password: with its user
// verification it is both factors at once (acr 4).
func (d *Desk) SignInPasskey(ctx context.Context, t Try, signed Signed) (next Next, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		next = Next{Step: AskPassword, Wrong: WrongPasskey}
		who, m, ok, err := d.signer(ctx, tx, "", signed)
		if err != nil || !ok {
			return err
		}
		a := Attempt{Began: withPasskey, Factor: policy.Passkey, FactorMethod: m.ID, FactorAt: tx.Now}
		if a.UserEpoch, err = epoch.Now(ctx, tx, epoch.User(who.ID)); err != nil {
			return err
		}
		if err := method.Passed(ctx, tx, who.ID, m.ID); err != nil {
			return fmt.Errorf("note a passed method: %w", err)
		}
		a.User, a.Place = who.ID, t.Place
		if err := d.clearMark(ctx, tx, a, &who, m); err != nil {
			return err
		}
		next, err = d.arrive(ctx, tx, t, who, a)
		return err
	})
	if err == nil {
		d.count(next, false)
	}
	return next, err
}

// signer finds whose passkey signed, and with which; false if the answer is not right.
func (d *Desk) signer(ctx context.Context, tx *db.Tx, who id.User, signed Signed) (user.User, method.Method, bool, error) {
	owner, m, ok, err := d.Passkeys.FinishUse(ctx, tx, who, signed.Ceremony, signed.Response)
	if err != nil {
		return user.User{}, m, false, fmt.Errorf("look at a passkey's answer: %w", err)
	}
	if !ok {
		return user.User{}, m, false, nil
	}
	u, err := user.ByID(ctx, tx, owner)
	if err != nil {
		return u, m, false, fmt.Errorf("find a user: %w", err)
	}
	return u, m, true, nil
}

// BeginUnlock asks the owner of a locked session to sign.
func (d *Desk) BeginUnlock(ctx context.Context, s session.Session) (o PasskeyOptions, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		o = PasskeyOptions{Next: Next{Step: AskPassword}}
		if _, err := d.owner(ctx, tx, s); err != nil {
			return err
		}
		answer, err := limit.Take(ctx, tx, limit.Charge{Budget: limit.PasskeysAsked, Subject: limit.Subject("unlock", string(s.ID))})
		if err != nil {
			return err
		}
		if !answer.OK {
			o.Next.Wrong, o.Next.Retry = TooSoon, answer.Retry
			return nil
		}
		o.Ceremony, o.Options, err = d.Passkeys.BeginUse(ctx, tx, s.User)
		return err
	})
	if errors.Is(err, errGone) {
		return PasskeyOptions{Next: Next{Step: Gone}}, nil
	}
	return o, err
}

// Unlock opens a locked session again with its owner's passkey, which counts as a proof
// of this moment.
func (d *Desk) Unlock(ctx context.Context, s session.Session, signed Signed, at session.Place) (next Next, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		next = Next{Step: AskPassword, Wrong: WrongPasskey}
		if _, err := d.owner(ctx, tx, s); err != nil {
			return err
		}
		_, m, ok, err := d.signer(ctx, tx, s.User, signed)
		if err != nil || !ok {
			return err
		}
		if err := method.Passed(ctx, tx, s.User, m.ID); err != nil {
			return fmt.Errorf("note a passed method: %w", err)
		}
		if err := session.End(ctx, tx, s); errors.Is(err, fault.Conflict) {
			return errGone
		} else if err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
		fresh := s
		fresh.Place, fresh.Factor, fresh.FactorMethod, fresh.FactorAt = at, string(policy.Passkey), m.ID, tx.Now
		fresh, token, err := session.Resume(ctx, tx, fresh)
		if err != nil {
			return err
		}
		next = Next{Step: In, Session: token}
		return recordResumed(ctx, tx, s, fresh)
	})
	if errors.Is(err, errGone) {
		return Next{Step: Gone}, nil
	}
	return next, err
}
