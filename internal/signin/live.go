package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

// Raise begins an attempt that lifts a live session to what is required of it now: its
// password counts, and the factor that it passed.
func (d *Desk) Raise(ctx context.Context, s session.Session, returnTo string) (Next, error) {
	return d.fromSession(ctx, s, Attempt{Purpose: Raise, Site: s.Site, ReturnTo: returnTo})
}

// StepUp begins an attempt in which somebody who is in proves what an application asks: a
// level at least, 0 where the policy alone says what is needed. Only what is passed from now
// on counts.
func (d *Desk) StepUp(ctx context.Context, s session.Session, level int, returnTo string) (Next, error) {
	return d.fromSession(ctx, s, Attempt{Purpose: StepUp, ACR: level, Site: s.Site, ReturnTo: returnTo})
}

// Switch begins an attempt that takes a live session to another of the person's sites.
// Where nothing more is required there it ends in the new session at once.
func (d *Desk) Switch(ctx context.Context, s session.Session, to id.Site) (Next, error) {
	return d.fromSession(ctx, s, Attempt{Purpose: Switch, Site: to})
}

// Prove begins an attempt in which somebody who is in proves again who they are, before
// they change how they sign in. Where what they proved is fresh enough already it ends
// at once, and nothing is changed. AskPassword says that the password is all they have,
// Stuck that nothing they have would do.
func (d *Desk) Prove(ctx context.Context, s session.Session, change policy.Change, returnTo string) (Next, error) {
	level := 0
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		who, err := d.owner(ctx, tx, s)
		if err != nil {
			return err
		}
		ok, need, err := d.mayChange(ctx, tx, s, who, change)
		if level = need; ok {
			level = -1
		}
		return err
	})
	switch {
	case errors.Is(err, errGone):
		return Next{Step: Gone}, nil
	case err != nil:
		return Next{}, err
	case level < 0:
		return Next{Step: In, ReturnTo: returnTo}, nil
	case level == 0:
		return Next{Step: Stuck}, nil
	case level == policy.ACR(nil):
		return Next{Step: AskPassword}, nil
	}
	purpose := Prove
	if change == policy.OtherChange {
		purpose = ProveOther
	}
	return d.fromSession(ctx, s, Attempt{Purpose: purpose, ACR: level, Site: s.Site, ReturnTo: returnTo})
}

// Fresh says whether what a session proved lately allows a change, and which level that
// takes (policy.MayChange).
func (d *Desk) Fresh(ctx context.Context, s session.Session, change policy.Change) (ok bool, level int, err error) {
	who, err := user.ByID(ctx, d.DB, s.User)
	if err != nil {
		return false, 0, fmt.Errorf("find a user: %w", err)
	}
	return d.mayChange(ctx, d.DB, s, who, change)
}

// CanPass says whether somebody who gave the right password at a site's door would have
// a way to go on now.
func (d *Desk) CanPass(ctx context.Context, from db.Reader, who user.User, at id.Site) (bool, error) {
	decision, _, err := d.decide(ctx, from, d.DB.Clock.Now(), Attempt{User: who.ID, Site: at, Client: policy.ClientWeb}, who)
	return decision.Outcome != policy.Enrol && decision.Outcome != policy.Refuse, err
}

func (d *Desk) mayChange(ctx context.Context, from db.Reader, s session.Session, who user.User, change policy.Change) (ok bool, level int, err error) {
	now := d.DB.Clock.Now()
	a := Attempt{
		User: s.User, Site: s.Site, Client: policy.ClientKind(s.Client), Place: s.Place,
		Factor: policy.MethodKind(s.Factor), FactorAt: s.FactorAt,
	}
	f, err := d.facts(ctx, from, now, a, who)
	if err != nil {
		return false, 0, err
	}
	ok, level = policy.MayChange(f, policy.Proof{PasswordAt: s.PasswordAt, Passed: f.Passed}, change, now)
	return ok, level, nil
}

// Rehearse begins an attempt in which somebody who is in tries what will be asked of
// them. It costs nothing if it does not work, and proves the method if it does.
func (d *Desk) Rehearse(ctx context.Context, s session.Session, returnTo string) (Next, error) {
	return d.fromSession(ctx, s, Attempt{Purpose: Rehearse, ACR: policy.LevelOf(policy.Email), Site: s.Site, ReturnTo: returnTo})
}

func (d *Desk) fromSession(ctx context.Context, s session.Session, a Attempt) (next Next, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		next = Next{Step: Gone}
		who, err := d.owner(ctx, tx, s)
		if err != nil {
			return err
		}
		open, err := openDoors(ctx, tx, who, policy.ClientKind(s.Client))
		if err != nil {
			return err
		}
		if a.Site != "" && !slices.Contains(open, a.Site) {
			next = Next{Step: AskSite, Wrong: NotMember}
			return nil
		}
		a.User, a.Client, a.Session, a.Place = s.User, policy.ClientKind(s.Client), s.ID, s.Place
		a.Began, a.PasswordAt, a.UserEpoch, a.Device = s.Began, s.PasswordAt, s.UserEpoch, s.Device
		a.Factor, a.FactorMethod, a.FactorAt = policy.MethodKind(s.Factor), s.FactorMethod, s.FactorAt
		if a.Reference, err = d.reference(ctx, tx, a.Site); err != nil {
			return err
		}
		token, err := d.begin(ctx, tx, &a)
		if err != nil {
			return err
		}
		next, err = d.onward(ctx, tx, a, who)
		if next.Step != In {
			next.Attempt = token
		}
		return err
	})
	if errors.Is(err, errGone) {
		return Next{Step: Gone}, nil
	}
	return next, err
}

// owner finds the user of a session that is alive: not ended, and made under the
// present numbers of the user and the membership.
func (d *Desk) owner(ctx context.Context, tx *db.Tx, s session.Session) (user.User, error) {
	kept, err := session.ByID(ctx, tx, s.User, s.ID)
	if errors.Is(err, fault.NotFound) || (err == nil && kept.Over(tx.Now)) {
		return user.User{}, errGone
	}
	if err != nil {
		return user.User{}, fmt.Errorf("find a session: %w", err)
	}
	now, err := epoch.Now(ctx, tx, epoch.User(s.User))
	if err != nil {
		return user.User{}, err
	}
	if now != kept.UserEpoch {
		return user.User{}, errGone
	}
	if kept.Site != "" {
		if now, err = epoch.Now(ctx, tx, epoch.Member(kept.Site, s.User)); err != nil {
			return user.User{}, err
		}
		if now != kept.MemberEpoch {
			return user.User{}, errGone
		}
	}
	return user.ByID(ctx, tx, s.User)
}

// Resume opens a locked session again with its owner's password, under a new id and
// with the end it had. Wrong passwords come from the same budgets as at the door.
func (d *Desk) Resume(ctx context.Context, s session.Session, typed secret.Text, at session.Place) (Next, error) {
	who, err := user.ByID(ctx, d.DB, s.User)
	if err != nil {
		return Next{}, fmt.Errorf("find a user: %w", err)
	}
	started := d.DB.Clock.Now()
	t := Try{Login: string(who.Login), Password: typed, Place: at, Client: policy.ClientKind(s.Client)}
	p, may, err := d.mayTry(ctx, t)
	if err != nil {
		return Next{}, err
	}
	if !may {
		return Next{Step: AskPassword, Wrong: WrongPassword}, errors.Join(
			d.restingPassword(ctx, t, p), d.Pace.Wait(ctx, started, d.DB.Clock.Now), d.Floor.Wait(ctx, started, d.DB.Clock.Now))
	}
	right, better, err := d.compare(ctx, t, p)
	if err != nil {
		return Next{}, err
	}
	if !right || p.user.ID != s.User {
		return Next{Step: AskPassword, Wrong: WrongPassword}, errors.Join(d.wrongPassword(ctx, t, p), d.Floor.Wait(ctx, started, d.DB.Clock.Now))
	}
	next, err := d.resumed(ctx, s, t, p, better)
	return next, errors.Join(err, d.Floor.Wait(ctx, started, d.DB.Clock.Now))
}

func (d *Desk) resumed(ctx context.Context, s session.Session, t Try, p person, better password.Stored) (next Next, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		next = Next{}
		if _, err := d.owner(ctx, tx, s); err != nil {
			return err
		}
		if err := limit.GiveBack(ctx, tx, p.charges...); err != nil {
			return err
		}
		if err := d.rehash(ctx, tx, t, p, better); err != nil {
			return err
		}
		if err := session.End(ctx, tx, s); errors.Is(err, fault.Conflict) {
			return errGone
		} else if err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
		fresh := s
		fresh.PasswordAt, fresh.Place = tx.Now, t.Place
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

func recordResumed(ctx context.Context, tx *db.Tx, before, fresh session.Session) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.SessionResumed, Actor: actor(fresh.User, fresh.Place), User: fresh.User, Site: fresh.Site,
		Facts: map[string]string{"session": string(fresh.ID), "before": string(before.ID)},
	})
}

// SignOut ends a session; one that has ended already stays so.
func (d *Desk) SignOut(ctx context.Context, s session.Session) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		err := session.End(ctx, tx, s)
		if errors.Is(err, fault.Conflict) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("end a session: %w", err)
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.SessionEnded, Actor: actor(s.User, s.Place), User: s.User, Site: s.Site,
			Facts: map[string]string{"session": string(s.ID)},
		})
	})
}
