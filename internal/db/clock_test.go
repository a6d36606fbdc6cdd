package db

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheClockAdvancesWithTimeAndWhenItIsMoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		began := c.Now()
		time.Sleep(time.Minute)
		c.Advance(time.Hour)
		c.Advance(-time.Hour) // a clock is never moved back
		if got := c.Now().Sub(began); got != time.Hour+time.Minute {
			t.Errorf("moved by %v", got)
		}
	})
}

func TestASmallDifferenceIsFollowedAndAJumpIsAlarmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		var alarmed time.Duration
		c.Alarm = func(off time.Duration) { alarmed = off }
		began := c.Now()
		c.follow(began.Add(time.Second))
		if got := c.Now().Sub(began); got != time.Second || alarmed != 0 {
			t.Errorf("followed by %v, alarmed %v", got, alarmed)
		}
		c.follow(began) // a second back: time stands still until it is made up
		if got := c.Now().Sub(began); got != time.Second {
			t.Errorf("went back to %v", got)
		}
		c.follow(began.Add(3 * time.Hour))
		if got := c.Now().Sub(began); got != time.Second || alarmed != 3*time.Hour {
			t.Errorf("jumped to %v, alarmed %v", got, alarmed)
		}
	})
}
