package plan

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/brake"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// InTime is how long after the right password somebody is to be in: who takes longer
// counts as not in. A code lasts longer; whoever waits three minutes has telephoned.
const InTime = 3 * time.Minute

const (
	keepOutcomes = 90 * 24 * time.Hour
	// stillIn is how long after a right password an entry is taken for its end. An attempt
	// lives 30 minutes, an enrol-only session a little longer; the next day's is another.
	stillIn = 24 * time.Hour
	// atOnce is how many rows are read at once, of many.
	atOnce = 5000
)

// Place is one person at one site of the rollout, in a sign-in.
type Place struct {
	Site id.Site
	User id.User
	// Zone is the site's, nil is UTC: its day begins at 4 am.
	Zone *time.Location
}

// day names the day of the site that a moment lies in, as 2026-03-10.
func (p Place) day(now time.Time) string {
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	return policy.NextFour(now, zone).In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
}

// Arrival is a sign-in that has shown the right password and where it goes.
type Arrival struct {
	Place
	// Phase and Date are where the site stands in the rollout.
	Phase policy.Phase
	Date  time.Time
	// Asked says that a second factor is required before the person is in; In that they
	// are in already.
	Asked, In bool
}

// Arrived notes a right password, in the sign-in's own transaction: the first of the day
// opens the day's outcome, every later one adds at most that the person is in.
func Arrived(ctx context.Context, tx *db.Tx, a Arrival) error {
	if err := insertOutcome(ctx, tx, a); err != nil {
		return fmt.Errorf("note a right password: %w", err)
	}
	return nil
}

// Entered notes that somebody who was asked for a second factor is in, in the sign-in's
// own transaction. Of a sign-in that nobody noted it changes nothing.
func Entered(ctx context.Context, tx *db.Tx, p Place) error {
	if err := enterOutcome(ctx, tx, p, tx.Now.Add(-stillIn)); err != nil {
		return fmt.Errorf("note that somebody is in: %w", err)
	}
	return nil
}

// Outcome is what became of a user's first right password of a day at a site.
type Outcome struct {
	Site id.Site
	User id.User
	// Day is that of the site, which begins at 4 am there, as 2026-03-10.
	Day string
	// At is when the password was right and the site was known.
	At time.Time
	// Phase and Date are where the site stood in the rollout at that moment.
	Phase policy.Phase
	Date  time.Time
	// Asked says that a second factor was required.
	Asked bool
	// InAt is when the person was first in on that day; zero: not yet, or never.
	InAt time.Time
}

// Failed says that the person was not in within three minutes. It is known once these
// are over.
func (o Outcome) Failed() bool { return o.InAt.IsZero() || o.InAt.After(o.At.Add(InTime)) }

// Known is until when every outcome is known at a moment: three minutes before it.
func Known(now time.Time) time.Time { return now.Add(-InTime) }

// Outcomes gives each those that began from since on and before until, in the order in
// which the passwords were typed. With an until of Known at the latest they are the same
// ones, in the same order, whenever and by whichever node they are read.
func Outcomes(ctx context.Context, from db.Reader, since, until time.Time, each func(Outcome) error) error {
	last := Outcome{At: since}
	for {
		page, err := outcomesAfter(ctx, from, last, until, atOnce)
		if err != nil {
			return fmt.Errorf("read what became of sign-ins: %w", err)
		}
		for _, o := range page {
			if err := each(o); err != nil {
				return err
			}
			last = o
		}
		if len(page) < atOnce {
			return nil
		}
	}
}

// Wave is one wave of the rollout, as the brake watches it.
type Wave struct {
	// Has says whether a site is of this wave.
	Has func(id.Site) bool
	// Since is when its first date came: sign-ins before that are not looked at.
	Since time.Time
	// Settings are what it is held to.
	Settings brake.Settings
}

// Brake is the brake of a wave at a moment. The wave are sign-ins at its sites in the seven
// days after their date, the control group those at all sites that were preparing, its own
// before their date among them. It is counted anew from what is stored, so that every node
// finds the same; fault.Busy where the storage does not answer in time.
func Brake(ctx context.Context, from db.Reader, now time.Time, w Wave) (brake.Brake, error) {
	b := brake.Brake{Settings: w.Settings}
	err := Outcomes(ctx, from, w.Since, Known(now), func(o Outcome) error {
		switch {
		case o.Phase == policy.Preparing:
			b.Control(o.Failed())
		case o.Phase == policy.InWave && w.Has(o.Site):
			b.Wave(o.Failed())
		}
		return nil
	})
	return b, err
}

// Count is how the sign-ins of one site went on one of its days. A user counts once.
type Count struct {
	Site  id.Site
	Day   string
	Phase policy.Phase
	// SignIns are right passwords, Asked those of them that a second factor was required of.
	SignIns, Asked int
	// Passed were in within three minutes; Late were in later on that day; Stuck were not
	// in at all. They are all of SignIns.
	Passed, Late, Stuck int
}

// Counts gives the days of all sites of the rollout from since on, by day and site, with
// what is known at a moment: sign-ins of the last three minutes are not among them. At
// most 200,000 of them.
func Counts(ctx context.Context, from db.Reader, now, since time.Time) ([]Count, error) {
	all, err := counts(ctx, from, since, Known(now))
	if err != nil {
		return nil, fmt.Errorf("count sign-ins: %w", err)
	}
	return all, nil
}

// StuckNow gives the active office members of sites in a wave whose last right password since a moment
// has led nowhere yet, after three minutes; the latest first, at most limit.
func StuckNow(ctx context.Context, from db.Reader, now, since time.Time, limit int) ([]Outcome, error) {
	all, err := stuckNow(ctx, from, since, Known(now), limit)
	if err != nil {
		return nil, fmt.Errorf("read who is stuck: %w", err)
	}
	return all, nil
}

// Sweep removes outcomes older than 90 days and shadows older than 60, limit at most of
// each.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweepOutcomes(ctx, tx, tx.Now.Add(-keepOutcomes), limit); err != nil {
		return fmt.Errorf("sweep what became of sign-ins: %w", err)
	}
	if err := sweepShadows(ctx, tx, tx.Now.Add(-keepShadows), limit); err != nil {
		return fmt.Errorf("sweep shadows: %w", err)
	}
	return nil
}
