package rollout

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"keyturn/internal/brake"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/plan"
)

const (
	// watchAgain is how often the brake looks at a wave. A sign-in counts after three
	// minutes, so nothing is gained by looking all the time.
	watchAgain = 50 * time.Second
	// thousand is the scale on which the strength of a brake is stored.
	thousand = 1000
)

// Seen is what the brake saw of a wave.
type Seen struct {
	Wave int
	At   time.Time
	// Strength is how far the evidence had come, 0 to 1000, at which it stops.
	Strength int
	// Stopped is the rule that stopped it; empty: it went on.
	Stopped brake.Rule
	// Sites are how the wave's people had fared, Control the others', since the wave began
	// or the rollout went on.
	Sites, Control brake.Group
}

// watch feeds the brake of each wave that began in the last seven days, and pauses the
// rollout where one stops.
func (d *Desk) watch(ctx context.Context, r Rollout) (bool, error) {
	if r.State != Running {
		return false, nil
	}
	now := d.DB.Clock.Now()
	for _, w := range r.Waves {
		first, err := firstCome(ctx, d.DB, r.ID, w.Number, now)
		if err != nil {
			return false, fmt.Errorf("read when a wave began: %w", err)
		}
		last, err := lastCome(ctx, d.DB, r.ID, w.Number, now)
		if err != nil {
			return false, fmt.Errorf("read when a wave began: %w", err)
		}
		if last.IsZero() || !now.Before(last.Add(BackFor)) {
			continue
		}
		before, err := lastSeen(ctx, d.DB, r.ID, w.Number)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return false, fmt.Errorf("read what the brake saw: %w", err)
		}
		if now.Before(before.Add(watchAgain)) {
			continue
		}
		if stopped, err := d.watchWave(ctx, r, w, first); err != nil || stopped {
			return false, err
		}
	}
	return false, nil
}

func (d *Desk) watchWave(ctx context.Context, r Rollout, w Wave, since time.Time) (stopped bool, err error) {
	sites, err := sitesOf(ctx, d.DB, r.ID, w.Number)
	if err != nil {
		return false, fmt.Errorf("list the sites of a wave: %w", err)
	}
	if r.WatchedFrom.After(since) {
		since = r.WatchedFrom
	}
	b, err := d.watches.look(ctx, d.DB, r, w.Number, sites, since)
	if err != nil {
		return false, fmt.Errorf("feed the brake: %w", err)
	}
	rule, _ := b.By()
	seen := Seen{Wave: w.Number, Strength: int(b.Strength() * thousand), Stopped: rule}
	seen.Sites, seen.Control = b.Groups()
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		seen.At = tx.Now
		if err := storeSeen(ctx, tx, r.ID, seen); err != nil {
			return fmt.Errorf("note what the brake saw: %w", err)
		}
		if rule == "" {
			return nil
		}
		if err := d.stop(ctx, tx, r, system, Brake, seen.figures()); err != nil {
			return err
		}
		return d.stopped(ctx, tx, r, w, map[string]string{
			"failed": strconv.Itoa(seen.Sites.Failed), "of": strconv.Itoa(seen.Sites.SignIns),
			"control_failed": strconv.Itoa(seen.Control.Failed), "control_of": strconv.Itoa(seen.Control.SignIns),
		})
	})
	if errors.Is(err, fault.Conflict) {
		return true, nil // somebody paused it meanwhile
	}
	return rule != "", err
}

// watches keeps the brake of each wave, so that a look reads what is new alone. A wave whose
// sites, beginning or tolerance are others is counted anew.
type watches struct {
	mu  sync.Mutex
	all map[watched]*plan.Watch
}

// watched is what a brake was told.
type watched struct {
	of        id.Rollout
	wave      int
	since     int64
	tolerance int
	sites     [sha256.Size]byte
}

func (k *watches) look(ctx context.Context, from *db.DB, r Rollout, wave int, sites []id.Site, since time.Time) (brake.Brake, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	has, sum := make(map[id.Site]bool, len(sites)), sha256.New()
	for _, at := range sites {
		has[at] = true
		_, _ = fmt.Fprintf(sum, "%q", at) // a hash takes everything
	}
	one := watched{of: r.ID, wave: wave, since: since.UnixMicro(), tolerance: r.Tolerance}
	sum.Sum(one.sites[:0])
	watch, known := k.all[one]
	if !known {
		for old := range k.all {
			if old.of != one.of || old.wave == one.wave {
				delete(k.all, old)
			}
		}
		if k.all == nil {
			k.all = map[watched]*plan.Watch{}
		}
		watch = &plan.Watch{Wave: plan.Wave{
			Has: func(at id.Site) bool { return has[at] }, Since: since,
			Settings: brake.Settings{Tolerance: float64(r.Tolerance) / hundred},
		}}
		k.all[one] = watch
	}
	return watch.Look(ctx, from, from.Clock.Now())
}

// hundred is the scale on which a tolerance is stored.
const hundred = 100

// figures are what stopped a rollout, as the audit trail and the board keep it.
func (s Seen) figures() string {
	return fmt.Sprintf("wave=%d rule=%s failed=%d/%d control=%d/%d", s.Wave, s.Stopped,
		s.Sites.Failed, s.Sites.SignIns, s.Control.Failed, s.Control.SignIns)
}

// History is what the brake saw, an entry for each wave and hour, and each stop; the newest
// first; at most limit.
func History(ctx context.Context, from db.Reader, of id.Rollout, limit int) ([]Seen, error) {
	all, err := history(ctx, from, of, limit)
	if err != nil {
		return nil, fmt.Errorf("read what the brake saw: %w", err)
	}
	return all, nil
}
