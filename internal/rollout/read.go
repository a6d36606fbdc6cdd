package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Waves gives the rollout that has not ended, with how the sites of each of its waves stand,
// by the wave's number; false if there is none. A draft has no counts. Who may see it is the
// caller's to say.
func Waves(ctx context.Context, from db.Reader, now time.Time) (Rollout, map[int]Count, bool, error) {
	r, there, err := Live(ctx, from)
	if err != nil || !there {
		return r, nil, false, err
	}
	all, err := counts(ctx, from, r.ID, now)
	if err != nil {
		return r, nil, false, fmt.Errorf("count the sites of a rollout: %w", err)
	}
	by := make(map[int]Count, len(all))
	for _, c := range all {
		by[c.Wave] = c
	}
	return r, by, true, nil
}

// PlaceOf gives the place of a site in the rollout that has not ended, with the name of its
// wave, which is empty for a site in none; false if it has no place.
func PlaceOf(ctx context.Context, from db.Reader, at id.Site) (p Place, wave string, there bool, err error) {
	row, err := rowOf(ctx, from, at)
	if errors.Is(err, fault.NotFound) {
		return p, "", false, nil
	}
	if err != nil {
		return p, "", false, fmt.Errorf("find a site of the rollout: %w", err)
	}
	r, there, err := Live(ctx, from)
	if err != nil || !there {
		return p, "", false, err
	}
	for _, w := range r.Waves {
		if w.Number == row.Wave {
			wave = w.Name
		}
	}
	return row.Place, wave, true, nil
}
