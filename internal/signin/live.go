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

// Switch begins an attempt that takes a live session to another of the person's sites.
// Where nothing more is required there it ends in the new session at once.
func (d *Desk) Switch(ctx context.Context, s session.Session, to id.Site) (Next, error) {
	return d.fromSession(ctx, s, Attempt{Purpose: Switch, Site: to})
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
		a.PasswordAt, a.Factor, a.FactorAt = s.PasswordAt, policy.MethodKind(s.Factor), s.FactorAt
		a.UserEpoch = s.UserEpoch
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
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.SessionResumed, Actor: actor(s.User, t.Place), User: s.User, Site: s.Site,
			Facts: map[string]string{"session": string(fresh.ID), "before": string(s.ID)},
		})
	})
	if errors.Is(err, errGone) {
		return Next{Step: Gone}, nil
	}
	return next, err
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
