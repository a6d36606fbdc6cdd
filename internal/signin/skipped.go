package signin

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/session"
)

// What was tried while it rested.
const (
	skippedPassword = "password"
	skippedCode     = "code"
)

// count is how often somebody was tried from a network in one hour without a look.
type count struct {
	user          id.User
	what, network string
	hour          int64 // hours since 1970
	tries         int64
}

// skipped counts a try that was not looked at. A robot makes thousands of them, so the
// trail gets one event for a user, a network and an hour, with the number, once the
// hour is over.
func skipped(ctx context.Context, tx *db.Tx, who id.User, what, network string) error {
	if err := addSkipped(ctx, tx, who, what, network, hourOf(tx.Now)); err != nil {
		return fmt.Errorf("count a try that was not looked at: %w", err)
	}
	return nil
}

func hourOf(t time.Time) int64 { return t.Unix() / int64(time.Hour/time.Second) }

// SkippedJob is the job that records the counts of hours that are over.
type SkippedJob struct{}

// Kind implements job.Args.
func (SkippedJob) Kind() string { return "record_skipped_tries" }

// RecordSkipped records the counts of hours that are over, limit at most, in one
// transaction with their removal.
func (d *Desk) RecordSkipped(ctx context.Context, limit int) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		all, err := takeSkipped(ctx, tx, hourOf(tx.Now), limit)
		if err != nil {
			return fmt.Errorf("take the counts of tries that were not looked at: %w", err)
		}
		for _, c := range all {
			err := audit.Record(ctx, tx, audit.Event{
				Kind: audit.TriesUnevaluated, Actor: actor(c.user, session.Place{Network: c.network}), User: c.user,
				Facts: map[string]string{
					"what": c.what, "tries": strconv.FormatInt(c.tries, 10),
					"hour": time.Unix(c.hour*int64(time.Hour/time.Second), 0).UTC().Format(time.RFC3339),
				},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
