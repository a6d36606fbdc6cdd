package delivery

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"keyturn/internal/db"
)

const (
	// refreshEvery is how often the report is made anew.
	refreshEvery = 5 * time.Second
	// staleAfter is how long a report holds that could not be made anew.
	staleAfter = time.Minute
)

// Watch keeps a report at hand. It is safe for concurrent use; the zero report is good
// weather.
type Watch struct {
	DB *db.DB
	// Log is told when the facts cannot be read; nil: nobody is.
	Log *slog.Logger

	last atomic.Pointer[made]
}

type made struct {
	report Report
	at     time.Time
}

// Run makes the report anew every five seconds, until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		if err := w.Refresh(ctx); err != nil && ctx.Err() == nil && w.Log != nil {
			w.Log.WarnContext(ctx, "how long messages take is not known", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Refresh makes the report anew at once.
func (w *Watch) Refresh(ctx context.Context) error {
	now := w.DB.Clock.Now()
	facts, err := Load(ctx, w.DB, now)
	if err != nil {
		return err
	}
	w.last.Store(&made{Estimate(facts, now), now})
	return nil
}

// Now is the latest report; it waits for nothing. One that is over a minute old says
// nothing any more. The maps are not to be changed.
func (w *Watch) Now() Report {
	last := w.last.Load()
	if last == nil || w.DB.Clock.Now().Sub(last.at) > staleAfter {
		return Report{}
	}
	return last.report
}

// SlowCarrier says whether a carrier is measured as slow or down.
func (w *Watch) SlowCarrier(name string) bool { return w.Now().Carriers[name].Slow }
