package demo_test

import (
	"errors"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/demo"
	"keyturn/internal/fault"
)

func TestTheClockIsMovedByALengthInBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, typed string
		want        time.Duration
	}{
		{"a day", "24h", 24 * time.Hour},
		{"the least", "1s", time.Second},
		{"the most", "9600h", 400 * 24 * time.Hour},
		{"several units", "1h30m", 90 * time.Minute},
		{"too little", "999ms", 0},
		{"too much", "9600h1s", 0},
		{"back", "-1h", 0},
		{"nothing", "", 0},
		{"no unit", "24", 0},
		{"a unit that there is not", "7d", 0},
		{"more than can be counted", "99999999999h", 0},
		{"words", "tomorrow", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := demo.Span(c.typed)
			if got != c.want || errors.Is(err, fault.Invalid) != (c.want == 0) {
				t.Errorf("got %v, %v", got, err)
			}
			clock := db.NewClock()
			before := clock.Now()
			now, err := demo.Advance(clock, c.typed)
			if c.want == 0 {
				if !errors.Is(err, fault.Invalid) || clock.Now().Sub(before) > time.Minute {
					t.Errorf("moved by %v, %v", clock.Now().Sub(before), err)
				}
				return
			}
			if moved := now.Sub(before); err != nil || moved < c.want || moved > c.want+time.Minute {
				t.Errorf("moved by %v, %v", moved, err)
			}
		})
	}
}

func TestTheClockEndsWithItsLastYear(t *testing.T) {
	t.Parallel()
	clock := db.NewClock()
	var err error
	moves := 0
	for ; err == nil && moves < 200; moves++ {
		_, err = demo.Advance(clock, "9600h")
	}
	if !errors.Is(err, fault.Invalid) || clock.Now().Year() > 2099 || clock.Now().Year() < 2098 {
		t.Errorf("after %d moves it shows %v, %v", moves, clock.Now(), err)
	}
}

func FuzzALengthIsInBoundsOrRefused(f *testing.F) {
	f.Add("24h")
	f.Add("-1s")
	f.Add("1e9h")
	f.Fuzz(func(t *testing.T, typed string) {
		d, err := demo.Span(typed)
		if (err == nil) != (d >= demo.LeastMove && d <= demo.MostMove) {
			t.Errorf("%q is %v, %v", typed, d, err)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", typed, err)
		}
	})
}
