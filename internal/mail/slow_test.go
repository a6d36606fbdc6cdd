package mail

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestARelayThatIsMeasuredAsSlowGoesBehindTheOthersUntilItIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		one, two := newOffice(t), newOffice(t)
		one.serve(t, n, first)
		two.serve(t, n, second)
		slow := map[string]bool{}
		desk := carrier(t, Options{Dial: n.dial, Behind: func(relay string) bool { return slow[relay] }}, open("first.example"), open("second.example"))
		accepted(t, desk, "k1", first)
		slow[first] = true
		accepted(t, desk, "k2", second)
		accepted(t, desk, "k3", second)
		slow[second] = true // where all are slow the order is what it was
		accepted(t, desk, "k4", first)
		slow[first] = false
		accepted(t, desk, "k5", first)
		slow[second] = false
		accepted(t, desk, "k6", first)
		if len(one.got()) != 4 || len(two.got()) != 2 {
			t.Errorf("the first relay has %d letters, the second %d", len(one.got()), len(two.got()))
		}
	})
}

func TestASlowRelayStillTakesTheLetterWhenTheOthersFail(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(net.Conn){"refuses connections": nil, "is silent": script("silence")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				one := newOffice(t)
				one.serve(t, n, first)
				n.host(second, other)
				desk := carrier(t, Options{Dial: n.dial, Behind: func(relay string) bool { return relay == first }}, open("first.example"), open("second.example"))
				began := time.Now()
				accepted(t, desk, "k1", first)
				if took := time.Since(began); took > 400*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				// The other one rests now, which is worse than slow.
				accepted(t, desk, "k2", first)
				if n.dialled(second) != 1 {
					t.Errorf("the resting relay was tried %d times", n.dialled(second))
				}
			})
		})
	}
}

func TestTheOrderIsHealthyThenSlowThenResting(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	desk := carrier(t, Options{Now: func() time.Time { return now }, Behind: func(relay string) bool {
		return relay == first || relay == "third.example:587"
	}}, open("first.example"), open("second.example"), open("third.example"), open("fourth.example"))
	desk.lanes[2].health.fail(now, 0)
	desk.lanes[1].health.fail(now, 0)
	var got []string
	for _, l := range desk.course(now) {
		got = append(got, l.relay.Addr())
	}
	want := []string{"fourth.example:587", first, second, "third.example:587"}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("the order is %v, want %v", got, want)
		}
	}
}
