package password_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/password"
)

// storm sends turns to slots in a known order and records the order of their work,
// each of which takes a second.
type storm struct {
	slots *password.Slots
	mu    sync.Mutex
	order []string
	ended sync.WaitGroup
}

func (s *storm) send(ctx context.Context, turn password.Turn) *error {
	var out error
	s.ended.Go(func() {
		out = s.slots.Run(ctx, turn, func() {
			s.mu.Lock()
			s.order = append(s.order, turn.Network+turn.User)
			s.mu.Unlock()
			time.Sleep(time.Second)
		})
	})
	synctest.Wait()
	return &out
}

func (s *storm) became(t *testing.T, want string) {
	t.Helper()
	s.ended.Wait()
	if got := strings.Join(s.order, " "); got != want {
		t.Errorf("served %s\nwant   %s", got, want)
	}
	if running, waiting := s.slots.Load(); running != 0 || waiting != 0 {
		t.Errorf("afterwards %d run and %d wait", running, waiting)
	}
}

func from(network, user string) password.Turn {
	return password.Turn{Network: network, User: user}
}

func known(network, user string) password.Turn {
	return password.Turn{Network: network, User: user, Known: true}
}

func TestNoMoreRunAtOnceThanThereAreSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storm{slots: &password.Slots{Size: 2}}
		start := time.Now()
		for i := range 6 {
			s.send(t.Context(), from("a", fmt.Sprint(i)))
			if running, waiting := s.slots.Load(); running != min(i+1, 2) || waiting != max(i-1, 0) {
				t.Errorf("after %d: %d run, %d wait", i+1, running, waiting)
			}
		}
		s.ended.Wait()
		slices.Sort(s.order) // two that get their slots in one moment may start in any order
		s.became(t, "a0 a1 a2 a3 a4 a5")
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("six seconds of work in two slots took %v", took)
		}
	})
}

func TestACrowdedNetworkDelaysAnotherByOneTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storm{slots: &password.Slots{PerNetwork: 200}}
		for i := range 100 {
			s.send(t.Context(), from("crowd", fmt.Sprint(i)))
		}
		s.send(t.Context(), from("b", "pat"))
		s.send(t.Context(), from("c", "kim"))
		s.send(t.Context(), from("b", "lee"))
		s.ended.Wait()
		want := []string{"crowd0", "crowd1", "bpat", "ckim", "crowd2", "blee", "crowd3", "crowd4"}
		if got := s.order[:len(want)]; !slices.Equal(got, want) {
			t.Errorf("served %v, want %v", got, want)
		}
		if len(s.order) != 103 {
			t.Errorf("%d were served", len(s.order))
		}
	})
}

func TestUsersOfOneNetworkTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storm{slots: &password.Slots{}}
		for _, user := range []string{"x", "x", "x", "x", "y", "y", "z"} {
			s.send(t.Context(), from("", user))
		}
		s.became(t, "x x y z x y x")
	})
}

func TestKnownDevicesGoFirstAndAfterThreeOneOfTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storm{slots: &password.Slots{}}
		s.send(t.Context(), from("", "first"))
		for i := range 3 {
			s.send(t.Context(), from("n", fmt.Sprint(i)))
		}
		for i := range 8 {
			s.send(t.Context(), known("k", fmt.Sprint(i)))
		}
		s.became(t, "first k0 k1 k2 n0 k3 k4 k5 n1 k6 k7 n2")
	})
}

func TestTheQueueIsBoundedInAllAndPerNetworkAndKeepsAQuarterForKnownDevices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slots   *password.Slots
		network func(i int) string
	}{
		"in all":      {&password.Slots{Waiting: 8, PerNetwork: 8, Retry: 3 * time.Second}, func(i int) string { return fmt.Sprint(i) }},
		"per network": {&password.Slots{Waiting: 100, PerNetwork: 8, Retry: 3 * time.Second}, func(int) string { return "one" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := storm{slots: c.slots}
				s.send(t.Context(), from("holder", ""))
				var others, others2, knowns []*error
				for i := range 6 {
					others = append(others, s.send(t.Context(), from(c.network(i), fmt.Sprint(i))))
				}
				others2 = append(others2, s.send(t.Context(), from(c.network(6), "6")))
				for i := range 3 {
					knowns = append(knowns, s.send(t.Context(), known(c.network(10+i), fmt.Sprint(i))))
				}
				late := s.send(t.Context(), from(c.network(20), "late"))
				s.ended.Wait()
				for i, err := range slices.Concat(others, knowns[:2]) {
					if *err != nil {
						t.Errorf("number %d was refused: %v", i, *err)
					}
				}
				for _, err := range []*error{others2[0], knowns[2], late} {
					var wait *fault.Wait
					if !errors.As(*err, &wait) || !errors.Is(*err, fault.Busy) || wait.For != 3*time.Second {
						t.Errorf("beyond the bound: %v", *err)
					}
				}
				if len(s.order) != 9 {
					t.Errorf("served: %v", s.order)
				}
			})
		})
	}
}

func TestWhoeverStopsWaitingGivesThePlaceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storm{slots: &password.Slots{Waiting: 4, PerNetwork: 4}}
		ctx, cancel := context.WithCancelCause(t.Context())
		left := errors.New("the browser left")
		s.send(t.Context(), from("", "holder"))
		var gone []*error
		for range 3 {
			gone = append(gone, s.send(ctx, from("a", "x")))
		}
		if err := s.send(t.Context(), from("b", "")); !errors.Is(*err, fault.Busy) {
			t.Errorf("the fourth of four, not known: %v", *err)
		}
		cancel(left)
		synctest.Wait()
		for _, err := range gone {
			if !errors.Is(*err, left) {
				t.Errorf("left with %v", *err)
			}
		}
		if running, waiting := s.slots.Load(); running != 1 || waiting != 0 {
			t.Errorf("%d run and %d wait", running, waiting)
		}
		if err := s.slots.Run(ctx, from("", ""), func() { t.Error("work of one that left") }); !errors.Is(err, left) {
			t.Errorf("one that had left: %v", err)
		}
		for _, user := range []string{"1", "2", "3"} {
			s.send(t.Context(), from("b", user))
		}
		s.became(t, "holder b1 b2 b3")
	})
}

// The context ends just before the slot is handed over, so that the one that leaves
// finds it in its hand: the next one gets it. No slot may be lost.
func TestASlotHandedToOneThatLeavesGoesOnToTheNext(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			slots := &password.Slots{}
			ctx, cancel := context.WithCancel(t.Context())
			hold, served := make(chan struct{}), make(chan string, 3)
			var ended sync.WaitGroup
			ended.Go(func() { _ = slots.Run(t.Context(), from("", "holder"), func() { <-hold; cancel() }) })
			synctest.Wait()
			ended.Go(func() { _ = slots.Run(ctx, from("", "leaver"), func() { served <- "leaver" }) })
			synctest.Wait()
			ended.Go(func() { _ = slots.Run(t.Context(), from("", "next"), func() { served <- "next" }) })
			synctest.Wait()
			close(hold)
			ended.Wait()
			close(served)
			var last string
			for who := range served {
				last = who
			}
			if running, waiting := slots.Load(); last != "next" || running != 0 || waiting != 0 {
				t.Errorf("last served %q, %d run, %d wait", last, running, waiting)
			}
		})
	}
}

func TestASlotComesBackWhenTheWorkPanics(t *testing.T) {
	t.Parallel()
	slots := &password.Slots{}
	func() {
		defer func() { _ = recover() }()
		_ = slots.Run(t.Context(), from("", ""), func() { panic("oh") })
	}()
	if running, _ := slots.Load(); running != 0 {
		t.Errorf("%d slots are still taken", running)
	}
}
