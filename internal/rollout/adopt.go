package rollout

import (
	"context"
	"fmt"

	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/plan"
	"keyturn/internal/site"
)

// Adopt stores a rollout that is under way, from the dates that stand in plans already: of
// each site it is given the number of its wave. It exists for the demo, whose story began
// before its database. The waves have their numbers, and days that fit what stands there.
func Adopt(ctx context.Context, tx *db.Tx, r Rollout, sites map[id.Site]int) error {
	r.ID, r.State, r.MadeAt = id.New[id.Rollout](), Draft, r.BeganAt
	if err := insert(ctx, tx, r); err != nil {
		return fmt.Errorf("store a rollout: %w", err)
	}
	if err := replaceWaves(ctx, tx, r.ID, r.Waves); err != nil {
		return fmt.Errorf("store the waves of a rollout: %w", err)
	}
	if err := adopt(ctx, tx, r); err != nil {
		return fmt.Errorf("store how a rollout stands: %w", err)
	}
	for at, wave := range sites {
		s, err := site.ByID(ctx, tx, at)
		if err != nil {
			return fmt.Errorf("find a site: %w", err)
		}
		kept, _, err := plan.Of(ctx, tx, at)
		if err != nil {
			return err
		}
		p := Place{Site: at, Rollout: r.ID, Wave: wave, Dated: Undated, At: kept.Date()}
		if w, ok := r.Wave(wave); ok && !p.At.IsZero() {
			p.Dated, p.Base = Stored, w.Day
			p.Day = calendar.On(p.At, s.Zone)
			p.First = p.Day
		}
		if err := insertPlace(ctx, tx, p); err != nil {
			return fmt.Errorf("store a site's place: %w", err)
		}
	}
	return nil
}
