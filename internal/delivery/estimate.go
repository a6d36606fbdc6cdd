package delivery

import (
	"slices"
	"time"
)

const (
	// slowAfter is from when on a message is slow (product: above two minutes another
	// relay is taken, and the page says so).
	slowAfter = 2 * time.Minute
	// window is how long an arrival says something about the present.
	window = 15 * time.Minute
	// codeLife is how long a code that was not typed says something: a code lives ten
	// minutes, and then nobody types it.
	codeLife = 10 * time.Minute
	// slowLeast is how many slow arrivals are more than a person who was fetching coffee.
	slowLeast = 3
	// lateLeast is how many codes nobody typed are more than people who changed their mind.
	lateLeast = 8
	// inTimeShare is one in how many codes is typed in time at least where all is well.
	inTimeShare = 5
	// refusedFor is how long a message that no carrier took says something, and
	// refusedLeast how many of them are more than one bad moment.
	refusedFor   = 5 * time.Minute
	refusedLeast = 3
)

// Fact is one message that was handed over. It serves Estimate.
type Fact struct {
	Channel string
	// Carrier is who took it; empty if nobody did.
	Carrier string
	// Canary marks a mail to a canary mailbox; the others are codes.
	Canary   bool
	HandedAt time.Time
	// ArrivedAt is when it is first known to have arrived; zero if it is not.
	ArrivedAt time.Time
}

// Weather is how deliveries go now.
type Weather struct {
	// Slow says that a message takes more than two minutes.
	Slow bool
	// About is how long it takes, if it is slow and that is known; else 0.
	About time.Duration
	// Down says that nothing arrives at all; it is then Slow, too.
	Down bool
}

// Report is the weather of each channel and of each carrier. Who is not in it has shown
// nothing lately, which is good weather.
type Report struct {
	Channels map[string]Weather
	Carriers map[string]Weather
}

// Estimate says how deliveries go, from facts in any order. A carrier is slow
//
//   - if three or more of its arrivals of the last 15 minutes, and more than half, took
//     over two minutes;
//   - or if eight or more of the codes that it took two to ten minutes ago, and more than
//     four in five, were not typed within two minutes;
//   - or if its latest canary of the last 15 minutes was not seen within two minutes. One
//     that was never seen counts only if a canary of another relay was reported since it
//     went out: where none is, it is the mailbox or the program that reads it that is
//     broken, or was never set up, and not all of the mail.
//
// The bounds count what is bad, and not all there is, so that a message that arrives
// quickly never makes it worse. A channel is slow if one of its carriers is and no other
// is known to be quick; it is down if all of those are, or if three codes or more of
// the last five minutes were taken by no carrier, and none since. Time alone ends all of it.
func Estimate(facts []Fact, now time.Time) Report {
	seen := map[string]*tally{}
	refusals := map[string]*refusal{}
	for _, f := range facts {
		if f.HandedAt.After(now) {
			continue // another node's clock: it counts soon
		}
		if f.ArrivedAt.After(now) {
			f.ArrivedAt = time.Time{}
		}
		if !f.Canary {
			r := find(refusals, f.Channel)
			r.add(f, now)
		}
		if f.Carrier != "" {
			t := find(seen, f.Carrier)
			t.channel = f.Channel
			t.add(f, now)
		}
	}
	for carrier, t := range seen {
		t.heard = heardBeside(seen, carrier)
	}
	report := Report{Channels: map[string]Weather{}, Carriers: map[string]Weather{}}
	channels := map[string]*mix{}
	for carrier, t := range seen {
		w := t.weather(now)
		report.Carriers[carrier] = w
		find(channels, t.channel).add(w, t.quick > 0)
	}
	for channel, r := range refusals {
		m := find(channels, channel)
		m.refused = r.down()
	}
	for channel, m := range channels {
		report.Channels[channel] = m.weather()
	}
	return report
}

func find[T any](all map[string]*T, key string) *T {
	if all[key] == nil {
		all[key] = new(T)
	}
	return all[key]
}

// tally is what one carrier has shown.
type tally struct {
	channel      string
	took         []time.Duration // of the arrivals in the window
	quick, slow  int             // of those
	inTime, late int             // codes that had their two minutes
	canary       Fact            // the latest that says something
	reported     time.Time       // when one of its canaries was seen last
	heard        time.Time       // when one of another carrier's was
}

// heardBeside is when a canary of another carrier of the same channel was seen last. Its
// own do not count: a canary that arrives must not make its own relay look worse.
func heardBeside(all map[string]*tally, carrier string) (last time.Time) {
	for name, t := range all {
		if name != carrier && t.channel == all[carrier].channel && t.reported.After(last) {
			last = t.reported
		}
	}
	return last
}

func (t *tally) add(f Fact, now time.Time) {
	age, arrived := now.Sub(f.HandedAt), !f.ArrivedAt.IsZero()
	took := f.ArrivedAt.Sub(f.HandedAt)
	if arrived && now.Sub(f.ArrivedAt) < window {
		t.took = append(t.took, took)
		if took <= slowAfter {
			t.quick++
		} else {
			t.slow++
		}
	}
	switch {
	case f.Canary:
		if f.ArrivedAt.After(t.reported) {
			t.reported = f.ArrivedAt
		}
		if says := arrived || age > slowAfter; says && age < window && f.HandedAt.After(t.canary.HandedAt) {
			t.canary = f
		}
	case age < slowAfter || age > codeLife:
	case arrived && took <= slowAfter:
		t.inTime++
	default:
		t.late++
	}
}

func (t *tally) weather(now time.Time) (w Weather) {
	if t.slow >= slowLeast && t.slow > t.quick {
		w.Slow, w.About = true, median(t.took)
	}
	silent := t.late >= lateLeast && t.inTime*inTimeShare < t.inTime+t.late
	if silent {
		w.Slow = true
	}
	unseen := time.Duration(0)
	if !t.canary.HandedAt.IsZero() && (!t.canary.ArrivedAt.IsZero() || !t.heard.Before(t.canary.HandedAt)) {
		took := t.canary.ArrivedAt.Sub(t.canary.HandedAt)
		if t.canary.ArrivedAt.IsZero() {
			took = now.Sub(t.canary.HandedAt)
			unseen = took
		}
		if took > slowAfter {
			w.Slow, w.About = true, max(w.About, took)
		}
	}
	w.Down = len(t.took) == 0 && (silent || unseen > codeLife)
	return w
}

// median is the middle one, the lower of two.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// refusal is what a channel shows of codes that no carrier took.
type refusal struct {
	refused []time.Time
	taken   time.Time // when one was taken last
}

func (r *refusal) add(f Fact, now time.Time) {
	switch {
	case f.Carrier != "":
		if f.HandedAt.After(r.taken) {
			r.taken = f.HandedAt
		}
	case now.Sub(f.HandedAt) < refusedFor:
		r.refused = append(r.refused, f.HandedAt)
	}
}

// down counts those since one was taken: a server that does not like one mailbox refuses
// it again and again, and takes the others.
func (r *refusal) down() bool {
	since := 0
	for _, at := range r.refused {
		if at.After(r.taken) {
			since++
		}
	}
	return since >= refusedLeast
}

// mix is a channel as the sum of its carriers.
type mix struct {
	slow    []Weather
	fine    bool // a carrier is known to be quick
	refused bool
}

func (m *mix) add(w Weather, quick bool) {
	if w.Slow {
		m.slow = append(m.slow, w)
	} else if quick {
		m.fine = true
	}
}

func (m *mix) weather() (w Weather) {
	if m.refused {
		return Weather{Slow: true, Down: true}
	}
	if m.fine || len(m.slow) == 0 {
		return w
	}
	w = Weather{Slow: true, About: m.slow[0].About, Down: true}
	for _, one := range m.slow {
		w.About = min(w.About, one.About)
		w.Down = w.Down && one.Down
	}
	return w
}
