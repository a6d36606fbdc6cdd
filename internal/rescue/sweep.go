package rescue

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

const (
	// keepOver is how long what is over is kept, for support; the audit trail has what is
	// worth more.
	keepOver = 30 * 24 * time.Hour
	// keepRecovery is how long a recovery is kept that has ended, with the papers it rests
	// on: longer than the trail, by which it may be asked about.
	keepRecovery = 400 * 24 * time.Hour
)

// Sweep ends recoveries that nobody went on with, and removes what is long over; limit
// at most of each at once.
func (d *Desk) Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	left, err := leftRecoveries(ctx, tx, tx.Now.Add(-recoveryLife), limit)
	if err != nil {
		return fmt.Errorf("end recoveries: %w", err)
	}
	for _, r := range left {
		err := audit.Record(ctx, tx, audit.Event{
			Kind: audit.RecoveryRefused, Actor: audit.Actor{Kind: audit.ActorSystem, ID: "rescue"},
			User: r.User, Site: r.Site, Facts: map[string]string{"recovery": string(r.ID), "why": "time"},
		})
		if err != nil {
			return err
		}
	}
	if err := removeOld(ctx, tx, tx.Now.Add(-keepOver), limit); err != nil {
		return fmt.Errorf("remove what is over: %w", err)
	}
	if err := removeRecoveries(ctx, tx, tx.Now.Add(-keepRecovery), limit); err != nil {
		return fmt.Errorf("remove old recoveries: %w", err)
	}
	return nil
}

// Forget wipes the number, the words and the papers of the recoveries of a person that are
// over; an open one ends by itself. That there was one, by whom and when stays until it is
// swept.
func Forget(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := forget(ctx, tx, who); err != nil {
		return fmt.Errorf("forget somebody in recoveries: %w", err)
	}
	return nil
}
