package app

import (
	"context"
	"errors"

	"keyturn/internal/balance"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/enrol"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/oidc"
	"keyturn/internal/once"
	"keyturn/internal/plan"
	"keyturn/internal/prepare"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
	"keyturn/internal/webhook"
)

// sweepJob is the job that removes what is over.
type sweepJob struct{}

// Kind implements job.Args.
func (sweepJob) Kind() string { return "sweep" }

// sweepMost bounds what one transaction removes of each kind: the writer is everybody's.
const sweepMost = 500

// announceMost is how many sites are told of their date in one sweep, countMost how many
// are counted anew: together they take less than a job may.
const announceMost, countMost = 20, 100

// sweepAll wipes codes that have run out and removes rows that are long over, one short
// transaction for each kind. What does not work for one kind keeps no other waiting.
func (f *flows) sweepAll(ctx context.Context, d *db.DB) error {
	var all error
	for _, sweep := range []func(*db.Tx) error{
		func(tx *db.Tx) error { return message.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return signin.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return method.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return session.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { _, err := limit.Sweep(ctx, tx, sweepMost); return err },
		func(tx *db.Tx) error { return f.rescue.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return f.request.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return enrol.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return prepare.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return connect.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return oidc.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return user.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return once.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return delivery.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return plan.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { return webhook.Sweep(ctx, tx, sweepMost) },
		func(tx *db.Tx) error { _, err := balance.SettleDue(ctx, tx, sweepMost); return err },
	} {
		all = errors.Join(all, d.Do(ctx, sweep))
	}
	all = errors.Join(all, f.prepare.Announce(ctx, announceMost), f.prepare.Count(ctx, countMost))
	return errors.Join(all, f.sharing.Sweep(ctx, sweepMost), f.post.SendDue(ctx, sweepMost))
}
