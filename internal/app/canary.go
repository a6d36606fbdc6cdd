package app

import (
	"context"
	"errors"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/id"
	"keyturn/internal/message"
)

// canaryEvery is how often a canary goes through each relay: three of them fall into the
// time that an estimate looks at.
const canaryEvery = 5 * time.Minute

// canaryFor is how long a canary is worth handing over, well below what counts as slow.
const canaryFor = 30 * time.Second

// Canaries are mails to a mailbox that reports what arrives in it at /hooks/mail. The
// zero value sends none.
type Canaries struct {
	// To is the mailbox.
	To string
	// Relays are the ways to it, one relay each, by the name under which the relay is
	// measured.
	Relays map[string]message.Mailer
}

// canaryJob is the job that sends a canary through each relay.
type canaryJob struct{}

// Kind implements job.Args.
func (canaryJob) Kind() string { return "canary" }

// send sends one through each relay. One that no relay took is taken back: that relay is
// judged by the codes that it refused, and the mailbox had nothing to report.
func (c Canaries) send(ctx context.Context, d *db.DB) error {
	var all error
	for relay, mailer := range c.Relays {
		all = errors.Join(all, c.one(ctx, d, relay, mailer))
	}
	return all
}

func (c Canaries) one(ctx context.Context, d *db.DB, relay string, mailer message.Mailer) error {
	var which id.Canary
	err := d.Do(ctx, func(tx *db.Tx) (err error) {
		which, err = delivery.Launch(ctx, tx, relay)
		return err
	})
	if err != nil {
		return err
	}
	got, err := mailer.Send(ctx, message.Letter{
		Key: string(which), To: c.To, Auto: true, Deadline: d.Clock.Now().Add(canaryFor),
		Subject: "Delivery check", Text: "This mail measures how long mail takes. Nobody needs to read it.\n",
	})
	if err == nil && (got.Accepted || got.Unknown) {
		return nil
	}
	back := d.Do(ctx, func(tx *db.Tx) error { return delivery.Recall(ctx, tx, which) })
	return errors.Join(err, back)
}
