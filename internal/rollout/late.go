package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/plan"
)

// Await has a site that becomes known as connected wait for its day, in the transaction in
// which it does: where a rollout is under way, and the connection was made before the first
// one began. false: it is asked at once. The caller knows that there was no connection of
// the site before this one, whose requirement would end here.
//
// Its place it gets with the next step.
func (d *Desk) Await(ctx context.Context, tx *db.Tx, at id.Site, since time.Time) (bool, error) {
	r, ok, err := current(ctx, tx, Running, Paused)
	if err != nil || !ok {
		return false, err
	}
	began, err := firstBegan(ctx, tx)
	if err != nil {
		return false, fmt.Errorf("read when the first rollout began: %w", err)
	}
	if !since.Before(began) {
		return false, nil
	}
	_, known, err := plan.Of(ctx, tx, at)
	if err != nil || known {
		return known, err
	}
	if err := plan.Set(ctx, tx, plan.Plan{Site: at, BeganAt: began}); err != nil {
		return false, err
	}
	if r.PlacedAt.IsZero() {
		return true, nil // the step is on its way
	}
	return true, d.Jobs.Put(ctx, tx, job.Bulk, Job{})
}

// placeLate gives their places to the sites that became known after all others had theirs.
func (d *Desk) placeLate(ctx context.Context, r Rollout) (more bool, err error) {
	if !r.begun() || r.PlacedAt.IsZero() {
		return false, nil
	}
	all, err := late(ctx, d.DB, r.ID, batch)
	if err != nil || len(all) == 0 {
		return false, err
	}
	began, err := firstBegan(ctx, d.DB)
	if err != nil {
		return false, fmt.Errorf("read when the first rollout began: %w", err)
	}
	which := newPicker(r.Waves)
	for _, at := range all {
		one, err := d.lookAt(ctx, at) // slow: nothing is open
		if err != nil {
			return false, err
		}
		err = d.DB.Do(ctx, func(tx *db.Tx) error {
			now, _, err := current(ctx, tx)
			if err != nil {
				return err
			}
			if now.ID != r.ID || !now.begun() {
				return fault.Conflict // it has ended meanwhile
			}
			if err := storeLook(ctx, tx, one); err != nil {
				return fmt.Errorf("note how ready a site is: %w", err)
			}
			p := Place{Site: at, Rollout: r.ID, Wave: which.wave(one.picked()), Dated: Undated}
			return d.placeSite(ctx, tx, now, began, p, one)
		})
		if errors.Is(err, fault.Conflict) {
			return true, nil // another node is at it
		}
		if err != nil {
			return false, err
		}
	}
	return len(all) == batch, nil
}
