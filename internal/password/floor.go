package password

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"
)

// Floor is the fixed time at which answers to a password leave.
//
// Old hashes take another time than new ones, so while any remain the time of an
// answer would tell which names exist. With a floor every answer, right, wrong or for
// a name that nobody has, leaves at a whole multiple of a time above the slowest
// hash; time spent in the queue for a slot only moves it to a later multiple.
//
// The zero Floor holds nothing back. A Floor may be used from many goroutines.
type Floor struct {
	nanos atomic.Int64
}

// Set fixes the floor; zero or less removes it.
func (f *Floor) Set(d time.Duration) { f.nanos.Store(int64(max(d, 0))) }

// Time is the floor; zero if there is none.
func (f *Floor) Time() time.Duration { return time.Duration(f.nanos.Load()) }

// Calibrate sets the floor from the hashes that are kept, and returns it. It takes
// the costliest old hash of each form, measures each three times with the clock now,
// and sets the longest time seen, plus that of making a new hash (a right password
// replaces an old hash before the answer leaves), and a quarter on top. If no old
// hash is among them the floor is removed: then all take the same time anyway.
//
// It computes up to 21 hashes, so it runs beside serving, not in a request: at start,
// after an import, and daily until the floor is gone.
func (f *Floor) Calibrate(now func() time.Time, kept iter.Seq[Stored]) time.Duration {
	costliest := map[Form]Stored{}
	for s := range kept {
		if best, ok := costliest[s.form]; s.NeedsRehash() && (!ok || s.Cost() > best.Cost()) {
			costliest[s.form] = s
		}
	}
	if len(costliest) == 0 {
		f.Set(0)
		return 0
	}
	var slowest time.Duration
	for _, s := range costliest {
		slowest = max(slowest, longest(now, func() { s.Matches("a password of common length") }))
	}
	slowest += longest(now, func() { Hash("a password of common length") })
	f.Set(slowest + slowest/4)
	return f.Time()
}

// longest is the longest of three runs.
func longest(now func() time.Time, run func()) time.Duration {
	var most time.Duration
	for range 3 {
		start := now()
		run()
		most = max(most, now().Sub(start))
	}
	return most
}

// Wait returns at the smallest whole multiple of the floor after started, at least
// one; at once if there is no floor. Call it when the slot is free again and nothing
// is left to do but answer. It ends early only with the context, and returns its
// cause.
func (f *Floor) Wait(ctx context.Context, started time.Time, now func() time.Time) error {
	left := f.left(now().Sub(started))
	if left == 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("holding the answer back: %w", context.Cause(ctx))
	}
}

// left is the time from elapsed to the next multiple. A clock that was set back
// counts as no time gone, so that nobody waits for longer than the floor.
func (f *Floor) left(elapsed time.Duration) time.Duration {
	floor := f.Time()
	if floor == 0 {
		return 0
	}
	elapsed = max(elapsed, 0)
	if elapsed == 0 {
		return floor
	}
	return (floor - elapsed%floor) % floor
}
