package demo

import (
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
)

// How far the clock may be moved at once, and where it ends.
const (
	LeastMove = time.Second
	MostMove  = 400 * 24 * time.Hour
	lastYear  = 2099
)

// Span reads how far the clock is to be moved: a Go duration such as 90s, 35m or 24h,
// from 1 second to 400 days. Anything else is fault.Invalid.
func Span(typed string) (time.Duration, error) {
	d, err := time.ParseDuration(typed)
	if err != nil || d < LeastMove || d > MostMove {
		return 0, fmt.Errorf("how far the clock is moved must be a duration from 1s to 9600h, such as 24h: %w", fault.Invalid)
	}
	return d, nil
}

// Advance moves the clock forward as Span reads it, and says what it shows then. A demo
// ends with the year 2099: beyond it nothing moves and it is fault.Invalid.
func Advance(clock *db.Clock, typed string) (time.Time, error) {
	d, err := Span(typed)
	if err != nil {
		return time.Time{}, err
	}
	if clock.Now().Add(d).Year() > lastYear {
		return time.Time{}, fmt.Errorf("the clock has gone far enough; start the demo again: %w", fault.Invalid)
	}
	clock.Advance(d)
	return clock.Now(), nil
}
