package sms

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/message"
	"keyturn/internal/sms/smstest"
)

func TestSlowAndRestingProvidersGoLast(t *testing.T) {
	t.Parallel()
	now := time.Now()
	one, two, three := smstest.NewTwilio(t), smstest.NewMessageMedia(t), smstest.NewClickSend(t)
	d := open(t, func(s *Setup) { s.Now = func() time.Time { return now } }, one, two, three)
	goes := func(after int) message.Receipt {
		m := text("k")
		m.After, m.Deadline = after, time.Time{}
		return d.sends(t.Context(), t, m)
	}
	one.Then(smstest.Unavailable)
	if r := goes(0); r.Relay != "twilio" || r.Next != 1 {
		t.Fatalf("got %+v", r)
	}
	d.slow["messagemedia"] = true
	three.Then(smstest.TooMany)
	r := goes(0) // twilio rests, messagemedia is slow
	if r.Relay != "clicksend" || r.Next <= 0 {
		t.Fatalf("got %+v", r)
	}
	two.Then(smstest.TooMany)
	if r = goes(r.Next); r.Relay != "messagemedia" {
		t.Fatalf("got %+v", r)
	}
	if r = goes(r.Next); r.Relay != "twilio" || !r.Accepted { // all rest: the one that is left
		t.Fatalf("got %+v", r)
	}
	now = now.Add(longRest)
	if r = goes(0); r.Relay != "twilio" {
		t.Errorf("after the rest it goes to %s", r.Relay)
	}
}

func TestAProviderRestsLongerWithEachFailure(t *testing.T) {
	t.Parallel()
	var h health
	now := time.Now()
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		h.fail(now, h.begin(now))
		if !h.resting(now.Add(want*time.Second-1)) || h.resting(now.Add(want*time.Second)) {
			t.Errorf("it does not rest for %d s", want)
		}
		now = now.Add(want * time.Second)
	}
	first, second := h.begin(now), h.begin(now)
	h.fail(now, first)
	before := h.failures
	if h.fail(now, second); h.failures != before {
		t.Error("two that failed together count twice")
	}
	if h.well(); h.resting(now) {
		t.Error("it rests although it is well")
	}
}

func TestFollowingNextTriesEveryProviderOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, mostProviders).Draw(t, "providers")
		after := rapid.IntRange(0, n).Draw(t, "after")
		tried := map[int]bool{}
		for at := after; at != none; {
			way, left := read(at, n), []int{}
			for i := range n {
				if !way.tried(i) {
					left = append(left, i)
				}
			}
			if len(left) == 0 {
				if at != n {
					t.Fatalf("nobody is left at %d", at)
				}
				break
			}
			i := rapid.SampledFrom(left).Draw(t, "chosen")
			if tried[i] || i < after {
				t.Fatalf("%d is tried again", i)
			}
			tried[i] = true
			next := way.then(i)
			if next != none && next <= at {
				t.Fatalf("next is %d after %d", next, at)
			}
			at = next
		}
		if len(tried) != n-after {
			t.Errorf("tried %d of %d", len(tried), n-after)
		}
	})
}

func TestAnyNumberIsAPlaceToGoOnFrom(t *testing.T) {
	t.Parallel()
	d := open(t, nil, smstest.NewTwilio(t))
	for _, after := range []int{1, 2, 99, 1 << 40} {
		m := text("k")
		m.After = after
		if r := d.sends(t.Context(), t, m); r.Next != none {
			t.Errorf("%d: got %+v", after, r)
		}
	}
	m := text("k")
	if m.After = -1; !d.sends(t.Context(), t, m).Accepted {
		t.Error("below the first is the first")
	}
}

func TestCheckAsksWithoutSending(t *testing.T) {
	t.Parallel()
	var fakes []*smstest.Fake
	for _, kind := range kinds {
		fakes = append(fakes, smstest.New(t, kind).Start())
	}
	d := open(t, nil, fakes...)
	for i, h := range d.Check(t.Context()) {
		if h.Err != nil || h.Name != string(kinds[i]) || h.Asked != (kinds[i] != smstest.Webhook) || (h.Receipts != "") != (kinds[i] == smstest.ClickSend) {
			t.Errorf("got %+v", h)
		}
		if len(fakes[i].Asked()) != 0 {
			t.Errorf("%s was sent something", h.Name)
		}
	}
	fakes[0].Password = "changed"
	fakes[1].Down()
	for i, h := range d.Check(t.Context())[:2] {
		if h.Err == nil || strings.Contains(h.Err.Error(), fakes[i].User) {
			t.Errorf("got %+v", h)
		}
	}
}

func TestTheProvidersLogAgreesWithWhatIsSaidOfManyTexts(t *testing.T) {
	t.Parallel()
	one, two := smstest.NewTwilio(t), smstest.NewClickSend(t)
	ways := []smstest.Way{
		smstest.Take, smstest.TakeBroken, smstest.Broken, smstest.TooMany, smstest.Unavailable,
		smstest.TakeHangUp, smstest.HangUp, smstest.RefuseInside, smstest.RefuseNumber,
	}
	d := open(t, func(s *Setup) { s.Log = nil }, one, two)
	for _, f := range []*smstest.Fake{one, two} {
		f.Decide(func(n int, _ smstest.Message) smstest.Way { return ways[n*n%len(ways)] })
	}
	var mu sync.Mutex
	said := map[string]message.Receipt{}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 25 {
				m := text("")
				for m.After = 0; m.After >= 0; {
					m.Key = fmt.Sprintf("%d-%d-%d", worker, i, m.After)
					r, err := d.Text(t.Context(), m)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					said[m.Key] = r
					mu.Unlock()
					m.After = r.Next
				}
			}
		})
	}
	all.Wait()
	taken := map[string]int{}
	for _, m := range append(one.Taken(), two.Taken()...) {
		taken[m.Key]++
	}
	for key, r := range said {
		switch {
		case taken[key] > 1:
			t.Errorf("%s was taken %d times", key, taken[key])
		case r.Accepted && taken[key] != 1:
			t.Errorf("%s is said to be accepted, and was not taken", key)
		case !r.Accepted && !r.Unknown && taken[key] != 0:
			t.Errorf("%s is said not to be taken, and was: %+v", key, r)
		}
		delete(taken, key)
	}
	if len(taken) != 0 || len(said) < 200 {
		t.Errorf("%d were taken that nobody knows of, of %d", len(taken), len(said))
	}
}
