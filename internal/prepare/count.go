package prepare

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/readiness"
)

// Total is how ready some sites were when they were last counted.
type Total struct {
	// Manager is the address of their account manager; empty: they have none, or the total is
	// of all.
	Manager string
	// Sites have been counted, Uncounted not yet.
	Sites, Uncounted int
	readiness.Counts

	// Unproved is how many of the sites have no Admin who is sure to get in.
	Unproved int
	// Oldest is when the first of them was counted; zero: none was.
	Oldest time.Time
}

// plus adds up two.
func (t Total) plus(o Total) Total {
	t.Sites, t.Uncounted, t.Unproved = t.Sites+o.Sites, t.Uncounted+o.Uncounted, t.Unproved+o.Unproved
	t.Counts = t.Plus(o.Counts)
	if t.Oldest.IsZero() || !o.Oldest.IsZero() && o.Oldest.Before(t.Oldest) {
		t.Oldest = o.Oldest
	}
	return t
}

// Totals gives how ready the sites of each account manager are, those first with most
// people who need help, and of the vendor as a whole. They are sums of what the sweep
// counted, a while ago: to count thousands of sites takes longer than a page may.
// fault.NotFound for whoever is not staff.
func (d *Desk) Totals(ctx context.Context, by authority.Bearer) (all []Total, sum Total, err error) {
	if err := authority.Staff(ctx, d.DB, d.DB.Clock.Now(), by); err != nil {
		return nil, sum, err
	}
	if all, err = totals(ctx, d.DB); err != nil {
		return nil, sum, fmt.Errorf("add up how ready sites are: %w", err)
	}
	for _, t := range all {
		sum = sum.plus(t)
	}
	sum.Manager = ""
	slices.SortStableFunc(all, func(a, b Total) int {
		return cmp.Or(cmp.Compare(b.NeedsHelp, a.NeedsHelp), cmp.Compare(a.Manager, b.Manager))
	})
	return all, sum, nil
}

// countLife is how long a count is good for; countFor bounds what one sweep takes.
const (
	countLife = 10 * time.Minute
	countFor  = 8 * time.Second
)

// Count counts the sites anew that were never counted or whose count is the oldest, most
// of them at most. It is to be run every minute.
func (d *Desk) Count(ctx context.Context, most int) error {
	ctx, stop := context.WithTimeout(ctx, countFor)
	defer stop()
	now := d.DB.Clock.Now()
	sites, err := uncounted(ctx, d.DB, now.Add(-countLife), most)
	if err != nil {
		return fmt.Errorf("look for sites to count: %w", err)
	}
	var counted []readiness.Site
	err = d.Ready.Totals(ctx, d.DB, now, sites, func(s readiness.Site) error { counted = append(counted, s); return nil })
	if ctx.Err() != nil && len(counted) > 0 {
		err = nil // the others the next time
	}
	if err != nil {
		return fmt.Errorf("count how ready sites are: %w", err)
	}
	slices.SortFunc(counted, func(a, b readiness.Site) int { return cmp.Compare(a.Site.ID, b.Site.ID) })
	return d.DB.Do(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		for _, s := range counted {
			if err := putCount(ctx, tx, s); err != nil {
				return fmt.Errorf("store how ready a site is: %w", err)
			}
		}
		return nil
	})
}
