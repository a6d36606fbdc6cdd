package signin

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/limit"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

// JoinLogin begins to prove that a second login belongs to whoever is in: its password
// here, then its own second factor. The tries come from the same budgets, and leave at
// the same time, as at the door.
func (d *Desk) JoinLogin(ctx context.Context, s session.Session, t Try) (next Next, err error) {
	started := d.DB.Clock.Now()
	p, may, err := d.mayTry(ctx, t)
	if err != nil {
		return Next{}, err
	}
	next = Next{Step: AskPassword, Wrong: WrongPassword}
	if !may {
		return next, errors.Join(d.restingPassword(ctx, t, p), d.leave(ctx, started, next))
	}
	right, _, err := d.compare(ctx, t, p)
	if err != nil {
		return Next{}, err
	}
	if !right || p.user.ID == s.User || p.user.Staff {
		return next, errors.Join(d.wrongPassword(ctx, t, p), d.leave(ctx, started, next))
	}
	next, err = d.beginJoin(ctx, s, t, p)
	return next, errors.Join(err, d.leave(ctx, started, next))
}

func (d *Desk) beginJoin(ctx context.Context, s session.Session, t Try, p person) (next Next, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		next = Next{Step: Gone}
		if _, err := d.owner(ctx, tx, s); err != nil {
			return err
		}
		number, err := epoch.Now(ctx, tx, epoch.User(p.user.ID))
		if err != nil {
			return err
		}
		if number != p.epoch {
			next = Next{Step: AskPassword, Wrong: WrongPassword}
			return nil
		}
		if err := limit.GiveBack(ctx, tx, p.charges...); err != nil {
			return err
		}
		open, err := openDoors(ctx, tx, p.user, policy.ClientKind(s.Client))
		if err != nil {
			return err
		}
		if len(open) == 0 { // as at the door: somebody who is blocked learns nothing
			next = Next{Step: AskPassword, Wrong: WrongPassword}
			return nil
		}
		a := Attempt{
			User: p.user.ID, Purpose: Join, Client: policy.ClientKind(s.Client), Session: s.ID, ForUser: s.User,
			Place: t.Place, Began: withPassword, PasswordAt: tx.Now, UserEpoch: p.epoch,
		}
		// Whoever holds the other login's password and mailbox must not take it over past
		// what its owner set up: it takes the strongest way of that login.
		f, err := d.facts(ctx, tx, tx.Now, Attempt{User: a.User, Client: a.Client, Place: a.Place}, p.user)
		if err != nil {
			return err
		}
		_, level := policy.MayChange(f, policy.Proof{}, policy.OtherChange, tx.Now)
		a.ACR = max(level, policy.LevelOf(policy.Email))
		if a.Reference, err = d.reference(ctx, tx, ""); err != nil {
			return err
		}
		token, err := d.begin(ctx, tx, &a)
		if err != nil {
			return err
		}
		if next, err = d.onward(ctx, tx, a, p.user); next.Step != In {
			next.Attempt = token
		}
		return err
	})
	if errors.Is(err, errGone) {
		return Next{Step: Gone}, nil
	}
	return next, err
}

// FinishJoin makes one user of two, once the attempt that the token names has proved the
// second login. s is the session of whoever asks, from their own cookie: it has to be the
// one in which the joining began. The attempt's token alone opens nothing, because it could
// have been carried to another browser, or from one: then the attempt ends and nothing is
// joined.
func (d *Desk) FinishJoin(ctx context.Context, s session.Session, token string) (next Next, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		next = Next{Step: Gone}
		if a.Purpose != Join {
			return nil
		}
		if s.ID == "" || a.Session != s.ID || a.ForUser != s.User {
			if _, err := d.closeCodes(ctx, tx, a); err != nil {
				return err
			}
			return endAttempt(ctx, tx, a)
		}
		decision, f, err := d.decide(ctx, tx, tx.Now, a, who)
		if err != nil || stepOf(decision, f) != In {
			return err
		}
		next, err = d.join(ctx, tx, a)
		return err
	}, &next)
	return next, err
}

// join makes one user of two. The session of the user who stays goes on under a new id:
// its sites are more than before.
func (d *Desk) join(ctx context.Context, tx *db.Tx, a Attempt) (Next, error) {
	before, err := session.ByID(ctx, tx, a.ForUser, a.Session)
	if errors.Is(err, fault.NotFound) {
		return Next{}, errGone
	}
	if err != nil {
		return Next{}, fmt.Errorf("find the session that joins: %w", err)
	}
	stays, err := d.owner(ctx, tx, before)
	if err != nil {
		return Next{}, err
	}
	// The login that stays is proved when the two become one, and not only when it began.
	fit, _, err := d.mayChange(ctx, tx, before, stays, policy.OtherChange)
	if err != nil {
		return Next{}, err
	}
	if !fit {
		return Next{}, errGone
	}
	if _, err := d.closeCodes(ctx, tx, a); err != nil {
		return Next{}, err
	}
	if err := endAttempt(ctx, tx, a); err != nil {
		return Next{}, err
	}
	joined, err := d.Joined(ctx, tx, a.ForUser, a.User)
	if err != nil {
		return Next{}, err
	}
	if !joined {
		return Next{Step: Both, Wrong: NotJoined}, nil
	}
	if err := session.End(ctx, tx, before); errors.Is(err, fault.Conflict) {
		return Next{}, errGone
	} else if err != nil {
		return Next{}, fmt.Errorf("end the session before: %w", err)
	}
	present, err := session.Under(ctx, tx, before)
	if err != nil {
		return Next{}, err
	}
	fresh := before // what is due at the site stays due
	fresh.UserEpoch, fresh.MemberEpoch = present.UserEpoch, present.MemberEpoch
	_, token, err := session.Resume(ctx, tx, fresh)
	return Next{Step: Both, Session: token}, err
}
