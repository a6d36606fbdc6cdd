// Package plan keeps a site's place in the rollout: the dates that standing reads and
// the rollout writes; and what real sign-ins say of it: what became of them (Outcome), and
// what enforcement would have done before the date (Shadow).
package plan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Plan is a site's stored dates.
type Plan struct {
	Site id.Site
	// BeganAt is when the rollout that knows of the site began.
	BeganAt time.Time
	// PrepareFrom is when its people begin to be told; zero: as soon as there is a date.
	PrepareFrom time.Time
	// EnforceAt is the site's date; zero if it has none yet.
	EnforceAt time.Time
	// ExtendedUntil moves that date later; zero if it does not.
	ExtendedUntil time.Time
}

// Of gives the plan of a site; false if no rollout knows of it.
func Of(ctx context.Context, from db.Reader, site id.Site) (Plan, bool, error) {
	p, err := of(ctx, from, site)
	if errors.Is(err, fault.NotFound) {
		return Plan{}, false, nil
	}
	if err != nil {
		return Plan{}, false, fmt.Errorf("read a plan: %w", err)
	}
	return p, true, nil
}

// Set stores the plan of a site; whoever is signed in there is decided again.
func Set(ctx context.Context, tx *db.Tx, p Plan) error {
	if err := set(ctx, tx, p); err != nil {
		return fmt.Errorf("store a plan: %w", err)
	}
	return epoch.Raise(ctx, tx, epoch.Site(p.Site))
}

// Span is a part of time: after From, to Until and including it.
type Span struct{ From, Until time.Time }

// Coming lists the sites whose stored date, or the end of whose extension, falls in a
// span, in the order of their ids, from the one after the given on.
func Coming(ctx context.Context, from db.Reader, in Span, after id.Site, limit int) ([]id.Site, error) {
	return coming(ctx, from, in, after, limit)
}
