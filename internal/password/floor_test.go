package password_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/password"
)

func TestAnAnswerLeavesAtTheNextWholeMultipleOfTheFloor(t *testing.T) {
	t.Parallel()
	const floor = 100 * time.Millisecond
	for name, c := range map[string]struct{ floor, worked, leaves time.Duration }{
		"no floor":                      {0, 30 * time.Millisecond, 30 * time.Millisecond},
		"a floor below zero":            {-floor, 30 * time.Millisecond, 30 * time.Millisecond},
		"an answer at once":             {floor, 0, floor},
		"a new hash":                    {floor, 20 * time.Millisecond, floor},
		"an old hash":                   {floor, 99 * time.Millisecond, floor},
		"just in time":                  {floor, floor, floor},
		"a nanosecond late":             {floor, floor + 1, 2 * floor},
		"a long wait in the queue":      {floor, 1234 * time.Millisecond, 1300 * time.Millisecond},
		"a clock that went back an age": {floor, -time.Hour, floor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f password.Floor
				f.Set(c.floor)
				start := time.Now()
				back := time.Duration(0)
				if c.worked < 0 {
					back = c.worked
				} else {
					time.Sleep(c.worked)
				}
				if err := f.Wait(t.Context(), start, func() time.Time { return time.Now().Add(back) }); err != nil {
					t.Fatal(err)
				}
				if left := time.Since(start); left != c.leaves {
					t.Errorf("left after %v, want %v", left, c.leaves)
				}
			})
		})
	}
}

func TestAnAnswerHeldBackEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f password.Floor
		f.Set(time.Second)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := f.Wait(ctx, start, time.Now); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(start); took != 10*time.Millisecond {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestTheFloorIsAQuarterAboveTheSlowestOldHashAndItsReplacement(t *testing.T) {
	t.Parallel()
	const salted = "/gBcQNDpsFZrKw3cCtGV80CUFOJqmabcdefghijklmnopqrstuvwx"
	cheap, dear := parse(t, "$2b$04$"+salted), parse(t, "$2b$05$"+salted)
	kept := []password.Stored{parse(t, password.Hash("x")), cheap, dear, cheap, {}}

	// A clock on which the second of its readings of each pair comes later each time:
	// three runs of the one form take 10, 20, 30 ms, three of the new hash 40, 50, 60.
	var reading, run int
	at := time.Unix(0, 0)
	now := func() time.Time {
		if reading++; reading%2 == 0 {
			run++
			at = at.Add(time.Duration(run) * 10 * time.Millisecond)
		}
		return at
	}
	var f password.Floor
	want := (30 + 60) * time.Millisecond * 5 / 4
	if got := f.Calibrate(now, slices.Values(kept)); got != want || f.Time() != want {
		t.Errorf("floor %v, kept as %v, want %v", got, f.Time(), want)
	}
	if run != 6 {
		t.Errorf("measured %d runs", run)
	}
	if got := f.Calibrate(now, slices.Values(kept[:1])); got != 0 || f.Time() != 0 || run != 6 {
		t.Errorf("with new hashes alone the floor is %v after %d runs", got, run)
	}
}
