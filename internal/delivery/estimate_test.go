package delivery_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/delivery"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	first  = "first.relay.example:587"
	second = "second.relay.example:587"
)

// code is a code that a relay took so long before noon, and that took so long; 0 is not
// yet.
func code(carrier string, ago, took time.Duration) delivery.Fact {
	f := delivery.Fact{Channel: delivery.Email, Carrier: carrier, HandedAt: noon.Add(-ago)}
	if took > 0 {
		f.ArrivedAt = f.HandedAt.Add(took)
	}
	return f
}

func canary(ago, took time.Duration) delivery.Fact {
	f := code(first, ago, took)
	f.Canary = true
	return f
}

func beside(ago, took time.Duration) delivery.Fact {
	f := code(second, ago, took)
	f.Canary = true
	return f
}

// times is the same fact n times over.
func times(n int, f delivery.Fact) []delivery.Fact { return slices.Repeat([]delivery.Fact{f}, n) }

func all(lists ...[]delivery.Fact) []delivery.Fact { return slices.Concat(lists...) }

func TestHowDeliveriesGoIsSaidByWhatArrived(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	for _, row := range []struct {
		sentence string
		facts    []delivery.Fact
		carrier  delivery.Weather // of the first relay
		channel  delivery.Weather
	}{
		{sentence: "nothing known is good weather"},
		{
			sentence: "codes typed quickly are good weather",
			facts:    times(20, code(first, 5*m, 30*s)),
		},
		{
			sentence: "two slow codes may be two slow people",
			facts:    times(2, code(first, 8*m, 6*m)),
		},
		{
			sentence: "three slow codes are slow mail, about as slow as the middle one",
			facts:    []delivery.Fact{code(first, 12*m, 5*m), code(first, 12*m, 6*m), code(first, 12*m, 9*m)},
			carrier:  delivery.Weather{Slow: true, About: 6 * m}, channel: delivery.Weather{Slow: true, About: 6 * m},
		},
		{
			sentence: "two minutes are not slow yet",
			facts:    times(9, code(first, 8*m, 2*m)),
		},
		{
			sentence: "as many quick ones as slow ones are good weather",
			facts:    all(times(4, code(first, 8*m, 6*m)), times(4, code(first, 8*m, 30*s))),
		},
		{
			sentence: "what arrived a quarter of an hour ago says nothing",
			facts:    times(9, code(first, 20*m, 5*m)),
		},
		{
			sentence: "a code that was slow and arrived just now says something, however long ago it was handed over",
			facts:    times(3, code(first, 40*m, 39*m)),
			carrier:  delivery.Weather{Slow: true, About: 39 * m}, channel: delivery.Weather{Slow: true, About: 39 * m},
		},
		{
			sentence: "eight codes that nobody typed, and no arrival at all, are a relay that is down",
			facts:    times(8, code(first, 5*m, 0)),
			carrier:  delivery.Weather{Slow: true, Down: true}, channel: delivery.Weather{Slow: true, Down: true},
		},
		{
			sentence: "seven may have changed their mind",
			facts:    times(7, code(first, 5*m, 0)),
		},
		{
			sentence: "codes of the last two minutes still have time",
			facts:    times(50, code(first, 119*s, 0)),
		},
		{
			sentence: "codes of over ten minutes ago are dead and say nothing",
			facts:    times(50, code(first, 11*m, 0)),
		},
		{
			sentence: "eight that nobody typed and one typed in time are slow, and not down",
			facts:    all(times(8, code(first, 5*m, 0)), times(1, code(first, 5*m, 30*s))),
			carrier:  delivery.Weather{Slow: true}, channel: delivery.Weather{Slow: true},
		},
		{
			sentence: "one in five typed in time is good weather",
			facts:    all(times(8, code(first, 5*m, 0)), times(2, code(first, 5*m, 30*s))),
		},
		{
			sentence: "a canary that was not seen for over two minutes, while another relay's was, is slow mail",
			facts:    []delivery.Fact{canary(3*m, 0), beside(3*m, 2*s)},
			carrier:  delivery.Weather{Slow: true, About: 3 * m},
		},
		{
			sentence: "canaries of which none was ever reported are a mailbox that nobody reads",
			facts:    []delivery.Fact{canary(3*m, 0), canary(13*m, 0), beside(3*m, 0), beside(13*m, 0)},
		},
		{
			sentence: "canaries of which none is reported any more are a program that died",
			facts:    []delivery.Fact{canary(8*m, 2*s), beside(8*m, 2*s), canary(3*m, 0), beside(3*m, 0)},
		},
		{
			sentence: "a canary that was reported six minutes late is slow mail, though no other relay has any",
			facts:    []delivery.Fact{canary(8*m, 6*m)},
			carrier:  delivery.Weather{Slow: true, About: 6 * m}, channel: delivery.Weather{Slow: true, About: 6 * m},
		},
		{
			sentence: "a canary that was not seen for over ten minutes while another relay's was, and nothing else, is a relay that is down",
			facts:    []delivery.Fact{canary(11*m, 0), beside(11*m, 2*s)},
			carrier:  delivery.Weather{Slow: true, Down: true, About: 11 * m},
		},
		{
			sentence: "a canary has two minutes",
			facts:    []delivery.Fact{canary(2*m, 0)},
		},
		{
			sentence: "a later canary that was quick ends it",
			facts:    []delivery.Fact{canary(3*m, 0), canary(time.Minute, 2*s)},
		},
		{
			sentence: "a later canary that still has time does not",
			facts:    []delivery.Fact{canary(3*m, 0), canary(time.Minute, 0), beside(time.Minute, 2*s)},
			carrier:  delivery.Weather{Slow: true, About: 3 * m},
		},
		{
			sentence: "where another relay is known to be quick the channel is, too",
			facts:    all(times(3, code(first, 9*m, 6*m)), times(1, code(second, 2*m, 20*s))),
			carrier:  delivery.Weather{Slow: true, About: 6 * m},
		},
		{
			sentence: "another relay that has shown nothing yet does not help the channel",
			facts:    all(times(3, code(first, 9*m, 6*m)), times(5, code(second, time.Minute, 0))),
			carrier:  delivery.Weather{Slow: true, About: 6 * m}, channel: delivery.Weather{Slow: true, About: 6 * m},
		},
		{
			sentence: "of two slow relays the quicker one says how long",
			facts:    all(times(3, code(first, 9*m, 6*m)), times(3, code(second, 9*m, 4*m))),
			carrier:  delivery.Weather{Slow: true, About: 6 * m}, channel: delivery.Weather{Slow: true, About: 4 * m},
		},
		{
			sentence: "three codes that no relay took are a channel that is down",
			facts:    times(3, code("", 20*s, 0)),
			channel:  delivery.Weather{Slow: true, Down: true},
		},
		{
			sentence: "until a relay takes one",
			facts:    all(times(9, code("", 20*s, 0)), times(1, code(first, 10*s, 0))),
		},
		{
			sentence: "two refusals since one was taken are a bad moment",
			facts:    all(times(2, code("", 10*s, 0)), times(1, code(first, 20*s, 0)), times(5, code("", 30*s, 0))),
		},
		{
			sentence: "two are a bad moment",
			facts:    times(2, code("", 20*s, 0)),
		},
		{
			sentence: "what another node will say in a moment does not count yet",
			facts:    times(9, code(first, -s, 0)),
		},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			got := delivery.Estimate(row.facts, noon)
			if got.Carriers[first] != row.carrier {
				t.Errorf("the relay: %+v, want %+v", got.Carriers[first], row.carrier)
			}
			if got.Channels[delivery.Email] != row.channel {
				t.Errorf("the channel: %+v, want %+v", got.Channels[delivery.Email], row.channel)
			}
			if got.Channels[delivery.SMS] != (delivery.Weather{}) {
				t.Errorf("the other channel: %+v", got.Channels[delivery.SMS])
			}
		})
	}
}

// facts draws what may have happened in the last half hour.
var facts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) delivery.Fact {
	f := delivery.Fact{
		Channel:  rapid.SampledFrom([]string{delivery.Email, delivery.SMS}).Draw(t, "channel"),
		HandedAt: noon.Add(-time.Duration(rapid.IntRange(-30, 1800).Draw(t, "ago")) * time.Second),
		Canary:   rapid.IntRange(0, 9).Draw(t, "canary") == 0,
	}
	f.Carrier = f.Channel + rapid.SampledFrom([]string{"-one", "-two"}).Draw(t, "carrier")
	if !f.Canary && rapid.IntRange(0, 9).Draw(t, "taken") == 0 {
		f.Carrier = ""
	}
	if f.Carrier != "" && rapid.Bool().Draw(t, "arrived") {
		f.ArrivedAt = f.HandedAt.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "took")) * time.Second)
	}
	return f
}), 0, 40)

func worse(a, b delivery.Weather) bool {
	return b.Slow && !a.Slow || b.Down && !a.Down || b.About > a.About
}

func same(a, b map[string]delivery.Weather) bool {
	for key := range b {
		if a[key] != b[key] {
			return false
		}
	}
	for key := range a {
		if a[key] != b[key] {
			return false
		}
	}
	return true
}

func TestAMessageThatArrivesQuicklyNeverMakesItWorse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := facts.Draw(t, "facts")
		quick := facts.Filter(func(f []delivery.Fact) bool { return len(f) > 0 && f[0].Carrier != "" }).Draw(t, "quick")[0]
		quick.ArrivedAt = quick.HandedAt.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "took")) * time.Second)
		before, after := delivery.Estimate(some, noon), delivery.Estimate(append(slices.Clone(some), quick), noon)
		if quick.Canary { // it may show that another relay's was lost, and never worsens its own
			if worse(before.Carriers[quick.Carrier], after.Carriers[quick.Carrier]) {
				t.Errorf("its own relay went from %+v to %+v", before.Carriers[quick.Carrier], after.Carriers[quick.Carrier])
			}
			return
		}
		for name, w := range after.Carriers {
			if worse(before.Carriers[name], w) {
				t.Errorf("%s went from %+v to %+v", name, before.Carriers[name], w)
			}
		}
		for name, w := range after.Channels {
			if worse(before.Channels[name], w) {
				t.Errorf("%s went from %+v to %+v", name, before.Channels[name], w)
			}
		}
	})
}

func TestTimeAloneEndsBadWeather(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := facts.Draw(t, "facts")
		latest := noon
		for _, f := range some {
			for _, at := range []time.Time{f.HandedAt, f.ArrivedAt} {
				if at.After(latest) {
					latest = at
				}
			}
		}
		later := delivery.Estimate(some, latest.Add(15*time.Minute))
		for name, w := range later.Carriers {
			if w != (delivery.Weather{}) {
				t.Errorf("%s is still %+v", name, w)
			}
		}
		for name, w := range later.Channels {
			if w != (delivery.Weather{}) {
				t.Errorf("%s is still %+v", name, w)
			}
		}
	})
}

func TestTheOrderOfTheFactsChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := facts.Draw(t, "facts")
		mixed := rapid.Permutation(some).Draw(t, "mixed")
		a, b := delivery.Estimate(some, noon), delivery.Estimate(mixed, noon)
		if !same(a.Carriers, b.Carriers) || !same(a.Channels, b.Channels) {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

func TestWhatIsDownIsSlowAndWhatIsNotSlowHasNoLength(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := delivery.Estimate(facts.Draw(t, "facts"), noon)
		for _, some := range []map[string]delivery.Weather{r.Carriers, r.Channels} {
			for name, w := range some {
				if !w.Slow && w != (delivery.Weather{}) || w.About != 0 && w.About <= 2*time.Minute {
					t.Errorf("%s: %+v", name, w)
				}
			}
		}
	})
}

func TestOneChannelSaysNothingOfTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := facts.Draw(t, "facts")
		mail := slices.DeleteFunc(slices.Clone(some), func(f delivery.Fact) bool { return f.Channel == delivery.SMS })
		a, b := delivery.Estimate(some, noon), delivery.Estimate(mail, noon)
		if a.Channels[delivery.Email] != b.Channels[delivery.Email] || b.Channels[delivery.SMS] != (delivery.Weather{}) {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}
