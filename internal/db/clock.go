package db

import (
	"context"
	"sync"
	"time"
)

const (
	// measureEvery is how often a node compares its clock with the database's.
	measureEvery = 30 * time.Second
	// slewMost is the largest difference that is followed. A larger one while serving
	// is a jump: it is alarmed and not followed, because codes, grace periods and
	// remembered devices would jump with it.
	slewMost = 2 * time.Second
)

// Clock is the one source of time. It advances monotonically from the moment it was
// started or last measured: a step of the process's wall clock does not move it. All
// nodes of one database agree, because each takes the database's time.
type Clock struct {
	mu     sync.Mutex
	base   time.Time // wall time at mark
	mark   time.Time // its monotonic reading counts the time since
	latest time.Time // the last answer: time never goes back
	moved  time.Duration

	// Alarm, when set, is told of a jump that was not followed: how far the database's
	// clock stands from this one. It is called from the measuring goroutine.
	Alarm func(off time.Duration)
}

// NewClock starts a clock at the process's time.
func NewClock() *Clock {
	now := time.Now()
	return &Clock{base: now.Round(0), mark: now}
}

// Now is the present moment in whole microseconds, UTC, never before an earlier answer.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.base.Add(time.Since(c.mark)).Add(c.moved).Truncate(time.Microsecond).UTC()
	if now.Before(c.latest) {
		return c.latest
	}
	c.latest = now
	return now
}

// Advance moves the clock forward by d. It exists for the demo's desk and for tests;
// a clock is never moved back.
func (c *Clock) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += d
}

// start sets the clock to what was measured, whatever it showed.
func (c *Clock) start(measured time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.mark = measured.Round(0), time.Now()
}

// follow corrects the clock by a small measured difference, or tells of a large one.
func (c *Clock) follow(measured time.Time) {
	c.mu.Lock()
	shown := c.base.Add(time.Since(c.mark))
	off := measured.Sub(shown)
	small := off.Abs() <= slewMost
	if small {
		c.base, c.mark = measured.Round(0), time.Now()
	}
	alarm := c.Alarm
	c.mu.Unlock()
	if !small && alarm != nil {
		alarm(off)
	}
}

// startMeasuring sets the clock to PostgreSQL's and keeps comparing until the
// database is closed.
func (d *DB) startMeasuring(ctx context.Context) error {
	at, err := d.measured(ctx)
	if err != nil {
		return err
	}
	d.Clock.start(at)
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(measureEvery)
		defer tick.Stop()
		for {
			select {
			case <-background.Done():
				return
			case <-tick.C:
				if at, err := d.measured(background); err == nil {
					d.Clock.follow(at)
				}
			}
		}
	}()
	d.measure = func() { cancel(); <-stopped }
	return nil
}

// measured asks PostgreSQL for its time and takes half of the way there and back off.
func (d *DB) measured(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	asked := time.Now()
	micros, err := One(ctx, d, number, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(micros).Add(time.Since(asked) / 2), nil
}
