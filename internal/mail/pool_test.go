package mail

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/fault"
)

// oneRelay is a carrier with one relay that is an office.
func oneRelay(t *testing.T, o Options) (*Carrier, *office) {
	t.Helper()
	n, one := newNetwork(t), newOffice(t)
	one.serve(t, n, first)
	o.Dial = n.dial
	return carrier(t, o, open("first.example")), one
}

func TestLettersOneAfterAnotherShareAConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		desk, one := oneRelay(t, Options{})
		for i := range 20 {
			accepted(t, desk, fmt.Sprintf("k%d", i), first)
		}
		if all, _ := one.connections(); all != 1 || len(one.got()) != 20 {
			t.Errorf("%d letters over %d connections", len(one.got()), all)
		}
	})
}

func TestAConnectionCarriesSoManyLettersAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		desk, one := oneRelay(t, Options{MaxPerConnection: 5})
		for i := range 20 {
			accepted(t, desk, fmt.Sprintf("k%d", i), first)
		}
		if all, _ := one.connections(); all != 4 {
			t.Errorf("20 letters took %d connections", all)
		}
	})
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		desk, one := oneRelay(t, Options{})
		accepted(t, desk, "k1", first)
		time.Sleep(29 * time.Second) // the bubble's time
		accepted(t, desk, "k2", first)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		one.mu.Lock()
		left := one.open
		one.mu.Unlock()
		if left != 0 {
			t.Errorf("%d connections are open after the idle time", left)
		}
		accepted(t, desk, "k3", first)
		if all, _ := one.connections(); all != 2 {
			t.Errorf("three letters took %d connections, want 2", all)
		}
	})
}

func TestManyLettersAtOnceKeepToTheBoundAndArriveOnceEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		desk, one := oneRelay(t, Options{MaxPerRelay: 3, Overtake: time.Minute})
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				r, err := desk.Send(t.Context(), letter(fmt.Sprintf("k%d", i)))
				if err != nil || !r.Accepted {
					t.Errorf("letter %d: %+v, %v", i, r, err)
				}
			})
		}
		all.Wait()
		seen := map[string]int{}
		for _, l := range one.got() {
			seen[parsed(t, l.raw).Header.Get("Message-Id")]++
		}
		if len(seen) != 60 || len(one.got()) != 60 {
			t.Errorf("%d letters, %d different ones", len(one.got()), len(seen))
		}
		if _, most := one.connections(); most > 3 {
			t.Errorf("%d connections at once", most)
		}
	})
}

func TestAKeptConnectionThatDiedIsReplacedWithoutBlame(t *testing.T) {
	t.Parallel()
	yes := []string{"< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go on", "< .", "> 250 ok"}
	cases := map[string]struct {
		end  []string // of the kept connection
		took time.Duration
	}{
		"closed meanwhile":           {nil, 0},
		"closed with a word":         {[]string{"< MAIL", "> 421 idle too long"}, 0},
		"closed in the conversation": {yes[:3], 0},
		"gone without a word":        {[]string{"silence"}, 400 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, two := newNetwork(t), newOffice(t)
				two.serve(t, n, second)
				n.host(first, after(greeted, slices.Concat(yes, c.end)...))
				desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
				accepted(t, desk, "k1", first)
				n.host(first, after(greeted, slices.Concat(yes, yes, []string{"silence"})...))
				began := time.Now()
				accepted(t, desk, "k2", first)
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				accepted(t, desk, "k3", first)
				if n.dialled(first) != 2 || n.dialled(second) != 0 {
					t.Errorf("%d and %d dials, want 2 and 0", n.dialled(first), n.dialled(second))
				}
			})
		})
	}
}

func TestAFailedRelayRestsLongerEachTimeAndIsFirstAgainAfterwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, one, two := newNetwork(t), newOffice(t), newOffice(t)
		two.serve(t, n, second)
		desk := carrier(t, Options{Dial: n.dial, MaxPerConnection: 1}, open("first.example"), open("second.example"))
		accepted(t, desk, "k0", second)
		tries := 1
		for i, rest := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			time.Sleep(rest*time.Second - time.Millisecond) // the bubble's time
			accepted(t, desk, fmt.Sprintf("early%d", i), second)
			if n.dialled(first) != tries {
				t.Fatalf("rest %d (%d s): the first relay was tried too early", i, rest)
			}
			time.Sleep(time.Millisecond)
			accepted(t, desk, fmt.Sprintf("again%d", i), second)
			if tries++; n.dialled(first) != tries {
				t.Fatalf("rest %d (%d s): the first relay was not tried again", i, rest)
			}
		}
		one.serve(t, n, first)
		time.Sleep(30 * time.Second)
		accepted(t, desk, "well", first)
		accepted(t, desk, "still-well", first)
		n.host(first, nil) // and its record is clean
		accepted(t, desk, "down", second)
		time.Sleep(time.Second)
		one.serve(t, n, first)
		accepted(t, desk, "up", first)
	})
}

func TestASilentRelayDelaysOneLetterAndNotTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, two := newNetwork(t), newOffice(t)
		n.host(first, script("silence"))
		two.serve(t, n, second)
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		began := time.Now()
		accepted(t, desk, "k1", second)
		for i := range 10 {
			accepted(t, desk, fmt.Sprintf("next%d", i), second)
		}
		if took := time.Since(began); took != 400*time.Millisecond {
			t.Errorf("eleven letters took %v", took)
		}
	})
}

func TestASlowRelayThatComesUpAfterAllIsKeptAndFirstAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, one, two := newNetwork(t), newOffice(t), newOffice(t)
		one.serve(t, n, first)
		two.serve(t, n, second)
		desk := carrier(t, Options{
			Dial: slowTo(n, first, 700*time.Millisecond),
		}, open("first.example"), open("second.example"))
		accepted(t, desk, "k1", second)
		time.Sleep(350 * time.Millisecond) // the bubble's time; its rest would be 1 s
		synctest.Wait()
		accepted(t, desk, "k2", first)
		if n.dialled(first) != 1 {
			t.Errorf("%d dials: the late connection was not kept", n.dialled(first))
		}
	})
}

func TestRelaysAreStillTriedWhenAllOfThemRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, one := newNetwork(t), newOffice(t)
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		if _, err := desk.Send(t.Context(), letter("k1")); !is(err, fault.Busy) {
			t.Fatalf("got %v", err)
		}
		one.serve(t, n, first)
		accepted(t, desk, "k2", first)
	})
}

func TestLettersThatFailTogetherCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, one, two := newNetwork(t), newOffice(t), newOffice(t)
		two.serve(t, n, second)
		desk := carrier(t, Options{Dial: slowTo(n, first, 100*time.Millisecond), MaxPerRelay: 20}, open("first.example"), open("second.example"))
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() { _, _ = desk.Send(t.Context(), letter(fmt.Sprintf("k%d", i))) })
		}
		all.Wait()
		if n.dialled(first) != 20 {
			t.Fatalf("%d dials to the first relay, want 20", n.dialled(first))
		}
		one.serve(t, n, first)
		time.Sleep(time.Second) // the bubble's time; 20 failures would mean 30 s
		accepted(t, desk, "after", first)
	})
}

func TestAClosedCarrierHasHungUpAndSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		desk, one := oneRelay(t, Options{})
		accepted(t, desk, "k1", first)
		desk.Close()
		synctest.Wait()
		one.mu.Lock()
		left := one.open
		one.mu.Unlock()
		if left != 0 {
			t.Errorf("%d connections left", left)
		}
		if _, err := desk.Send(t.Context(), letter("k2")); !is(err, fault.Busy) {
			t.Errorf("got %v", err)
		}
		desk.Close() // twice does no harm
	})
}

func TestCloseDoesNotWaitForASilentRelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, two := newNetwork(t), newOffice(t)
		n.host(first, script("silence"))
		two.serve(t, n, second)
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		accepted(t, desk, "k1", second)
		began := time.Now()
		desk.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestEveryStageIsObserved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []string
		desk, one := oneRelay(t, Options{Observe: func(relay, stage string, took time.Duration, ok bool) {
			mu.Lock()
			defer mu.Unlock()
			if relay != first || took < 0 {
				t.Errorf("observed %s at %q, %v", stage, relay, took)
			}
			seen = append(seen, fmt.Sprintf("%s=%t", stage, ok))
		}})
		accepted(t, desk, "k1", first)
		one.refusing(stageRcpt, says(550, 5, 1, 1, "no"))
		_ = send(t, desk, letter("k2"))
		got := strings.Join(seen, " ")
		want := "dial=true greet=true hello=true mail=true rcpt=true data=true body=true answer=true mail=true rcpt=false reset=true"
		if got != want {
			t.Errorf("observed %s\nwant     %s", got, want)
		}
	})
}
