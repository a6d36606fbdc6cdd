package signin

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

// enrolLife is how long an enrol-only session lasts.
const enrolLife = 15 * time.Minute

// OpenEnrol makes a pending attempt an enrol-only session of 15 minutes, in the caller's
// transaction: an approval, a help code or staff opened it. fault.Conflict if the attempt
// has ended or is one already.
func (d *Desk) OpenEnrol(ctx context.Context, tx *db.Tx, who id.User, which id.Attempt, by string) error {
	if err := openEnrol(ctx, tx, Attempt{User: who, ID: which, EnrolBy: by}, tx.Now.Add(enrolLife)); err != nil {
		return fmt.Errorf("open an enrol-only session: %w", err)
	}
	return nil
}

// BeginEnrol begins an enrol-only session without a password, for whoever had a code
// from `keyturn staff add`. It gives the token for the browser's cookie.
func (d *Desk) BeginEnrol(ctx context.Context, tx *db.Tx, who id.User, by string, at session.Place) (string, error) {
	number, err := epoch.Now(ctx, tx, epoch.User(who))
	if err != nil {
		return "", err
	}
	a := Attempt{
		User: who, Purpose: Enrol, Client: policy.ClientWeb, Place: at, UserEpoch: number, Began: withPassword,
		PasswordAt: tx.Now, EnrolBy: by, EnrolUntil: tx.Now.Add(enrolLife),
	}
	if a.Reference, err = d.reference(ctx, tx, ""); err != nil {
		return "", err
	}
	return d.begin(ctx, tx, &a)
}

// EndEnrol ends an enrol-only session, which has added its one method. fault.Conflict if
// it is over.
func (d *Desk) EndEnrol(ctx context.Context, tx *db.Tx, who id.User, which id.Attempt) error {
	if err := closeEnrol(ctx, tx, who, which); err != nil {
		return fmt.Errorf("end an enrol-only session: %w", err)
	}
	return nil
}

// ShutEnrols ends the enrol-only sessions of somebody that one way opened, in the caller's
// transaction: whoever opened them may not any more. by is the word that OpenEnrol was
// called with.
func (d *Desk) ShutEnrols(ctx context.Context, tx *db.Tx, who id.User, by string) error {
	if err := shutEnrols(ctx, tx, who, by); err != nil {
		return fmt.Errorf("end the enrol-only sessions of a user: %w", err)
	}
	return nil
}

// Enrols says whether an attempt is an enrol-only session now.
func (d *Desk) Enrols(ctx context.Context, from db.Reader, who id.User, which id.Attempt) (bool, error) {
	open, err := enrols(ctx, from, who, which, d.DB.Clock.Now())
	if err != nil {
		return false, fmt.Errorf("look for an enrol-only session: %w", err)
	}
	return open, nil
}

// Enrolling finds the attempt of a token if it is an enrol-only session now, and its
// user.
func (d *Desk) Enrolling(ctx context.Context, token string) (a Attempt, who user.User, ok bool, err error) {
	a, ok, err = d.look(ctx, token)
	if err != nil || !ok || !a.enrolling(d.DB.Clock.Now()) {
		return a, who, false, err
	}
	v, ok, err := d.View(ctx, token)
	if err != nil || !ok || v.Step != AskEnrol {
		return a, who, false, err
	}
	return a, v.User, true, nil
}
