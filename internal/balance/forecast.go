package balance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

const (
	day = 24 * time.Hour
	// lookBack is four whole weeks, so that every day of the week counts the same.
	lookBack = 28 * day
	// fewest is how many charges it takes to speak of a habit.
	fewest = 5
	// farthest is as far as a forecast goes: whatever ends later ends then.
	farthest = 3650
)

// Forecast is when a balance will be used up, if the use goes on as it was.
type Forecast struct {
	// PerDay is the average of charged parts a day.
	PerDay float64
	// EmptyAt is when only the float will be left: now, if that is so already, and in ten
	// years at the latest.
	EmptyAt time.Time
	// Known is false, and nothing else is said, while there were fewer than five charges.
	Known bool
}

// Foresee says when the balance will be used up, from the charges of the last 28 days,
// or since the opening of a younger account.
func Foresee(ctx context.Context, from db.Reader, now time.Time, which id.Site) (Forecast, error) {
	account, err := Of(ctx, from, now, which)
	if err != nil {
		return Forecast{}, err
	}
	return foresee(ctx, from, now, account)
}

func foresee(ctx context.Context, from db.Reader, now time.Time, a Account) (Forecast, error) {
	opened, err := openedAt(ctx, from, a.Site)
	if errors.Is(err, fault.NotFound) {
		return Forecast{}, nil // never used
	}
	if err != nil {
		return Forecast{}, fmt.Errorf("when the SMS account was opened: %w", err)
	}
	since := now.Add(-lookBack)
	if opened.After(since) {
		since = opened
	}
	p, err := paceSince(ctx, from, a.Site, since)
	if err != nil {
		return Forecast{}, fmt.Errorf("the SMS charges of four weeks: %w", err)
	}
	p.over = now.Sub(since)
	return p.forecast(a.Spare(), now), nil
}

// pace is how fast a balance was used.
type pace struct {
	charges, parts int
	over           time.Duration
}

// forecast says how long the spare parts last. The time counts as a day at least: an
// hour's use says nothing about a day's.
func (p pace) forecast(spare int, now time.Time) Forecast {
	if p.charges < fewest || p.parts <= 0 {
		return Forecast{}
	}
	perDay := float64(p.parts) / max(1, p.over.Hours()/day.Hours())
	days := min(float64(max(0, spare))/perDay, farthest)
	return Forecast{PerDay: perDay, EmptyAt: now.Add(time.Duration(days * float64(day))), Known: true}
}
