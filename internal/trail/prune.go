package trail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
)

// pruneStep is how much longer than the keeping time events may stay: a chain is cut about
// once a month and not each day, because each cut is an event of its own.
const pruneStep = 30 * 24 * time.Hour

// Prune removes events past their keeping time, of limit chains at most, a bounded number
// of each. They stay for KeepDays at least, and about a month longer at most. On several
// nodes at once each event is removed once.
func (d *Desk) Prune(ctx context.Context, limit int) error {
	if d.KeepDays <= 0 {
		return nil
	}
	before := d.DB.Clock.Now().AddDate(0, 0, -d.KeepDays)
	chains, err := audit.Prunable(ctx, d.DB, before.Add(-pruneStep), limit)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if err := d.pruneAll(ctx, chain, before); err != nil && !errors.Is(err, fault.Conflict) {
			return fmt.Errorf("remove events past their keeping time: %w", err)
		}
	}
	return nil
}

// pruneAll cuts one chain, a transaction for each bounded part.
func (d *Desk) pruneAll(ctx context.Context, chain string, before time.Time) error {
	for {
		var removed int64
		err := d.DB.Do(ctx, func(tx *db.Tx) (err error) {
			removed, err = audit.Prune(ctx, tx, chain, before, d.Keys.CheckpointSigner())
			return err
		})
		if err != nil || removed == 0 {
			return err
		}
	}
}
