package plan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// keepShadows is how long what was seen in shadow is kept: people who come once a month
// are seen once before their site's date, and nothing is judged by an older one.
const keepShadows = 60 * 24 * time.Hour

// Shadow is what enforcement would have done in one sign-in before the site's date: the
// last of a user in a day.
type Shadow struct {
	Place
	// Day is that of the site, which begins at 4 am there, as 2026-03-10.
	Day string
	At  time.Time
	// Outcome is the decision's, by its stable name.
	Outcome string
	// Offered are the kinds of methods that would have been offered, each once and in order,
	// and Default the one to begin with.
	Offered []policy.MethodKind
	Default policy.MethodKind
	// Lacks are why the others would not have been.
	Lacks []policy.WithheldKey
	// Reasons are the keys of the decision's reasons.
	Reasons []policy.ReasonKey
	// Stuck says that nothing could have worked: somebody would have had to help.
	Stuck bool
}

// Seen notes what enforcement would have decided, in the sign-in's own transaction. It
// changes nothing that anybody sees.
func Seen(ctx context.Context, tx *db.Tx, p Place, d policy.Decision) error {
	s := Shadow{Place: p, Day: p.day(tx.Now), At: tx.Now, Outcome: d.Outcome.String(), Default: d.Default, Stuck: d.Outcome == policy.Enrol}
	for _, o := range d.Offered {
		s.Offered = append(s.Offered, o.Kind)
	}
	for _, w := range d.NotOffered {
		s.Lacks = append(s.Lacks, w.Key)
	}
	for _, r := range d.Reasons {
		s.Reasons = append(s.Reasons, r.Key)
	}
	s.Offered, s.Lacks = slices.Compact(s.Offered), once(s.Lacks)
	if err := putShadow(ctx, tx, s); err != nil {
		return fmt.Errorf("note what enforcement would have done: %w", err)
	}
	return nil
}

// once leaves each out that came before.
func once[T comparable](all []T) []T {
	var kept []T
	for _, one := range all {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// Lately is how far back a sign-in in shadow says something of the day that is to come.
const Lately = 30 * 24 * time.Hour

// WouldBeStuck gives the active office members of a site who would have been stuck in their
// last sign-in before its date, if it was since a moment; the latest first.
func WouldBeStuck(ctx context.Context, from db.Reader, at id.Site, since time.Time) ([]Shadow, error) {
	all, err := stuckShadows(ctx, from, at, since)
	if err != nil {
		return nil, fmt.Errorf("read who would have been stuck: %w", err)
	}
	return all, nil
}

// Rehearsal is how a site would have fared.
type Rehearsal struct {
	Site id.Site
	// People are active office members who signed in; of these Asked would have been asked for a second factor in their
	// last sign-in, and Stuck would have had no way to go on.
	People, Asked, Stuck int
}

// Rehearsals says of every site that was preparing how its people would have fared, each
// by their last sign-in since a moment.
func Rehearsals(ctx context.Context, from db.Reader, since time.Time) ([]Rehearsal, error) {
	all, err := rehearsals(ctx, from, since)
	if err != nil {
		return nil, fmt.Errorf("count what enforcement would have done: %w", err)
	}
	return all, nil
}

// RehearsalOf is Rehearsals for one site; of a site where nobody signed in it counts nobody.
func RehearsalOf(ctx context.Context, from db.Reader, at id.Site, since time.Time) (Rehearsal, error) {
	one, err := rehearsalOf(ctx, from, at, since)
	if err != nil {
		return one, fmt.Errorf("count what enforcement would have done at a site: %w", err)
	}
	return one, nil
}
