package mail

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const notMaking = -1

// lane is one relay with its connections and its standing.
type lane struct {
	relay  Relay
	opt    Options
	hello  string        // the name given in EHLO
	places chan struct{} // one for each connection in use or being made
	health health

	mu      sync.Mutex
	idle    []*session // the one used last stands last
	shut    bool
	leaving sync.WaitGroup // connections saying goodbye
}

func newLane(r Relay, opt Options, hello string) *lane {
	return &lane{relay: r, opt: opt, hello: hello, places: make(chan struct{}, opt.MaxPerRelay)}
}

// spare is a kept connection, if there is one at once.
func (l *lane) spare() *session {
	select {
	case l.places <- struct{}{}:
	default:
		return nil
	}
	s := l.take()
	if s == nil {
		<-l.places
	}
	return s
}

// get waits for a place until wait ends, and makes a connection ready in it. Making
// one belongs to life and has its own budget: it goes on for the next letter when this
// one has left by another relay. While a connection is being made, try holds the round
// of the relay's health in which that began, else notMaking.
func (l *lane) get(wait, life context.Context, try *atomic.Int64) arrival {
	select {
	case l.places <- struct{}{}:
	case <-wait.Done():
		return l.crowded(wait.Err())
	case <-life.Done():
		return l.crowded(errClosed)
	}
	if s := l.take(); s != nil {
		return arrival{lane: l, session: s}
	}
	round := l.health.begin(l.opt.Now())
	try.Store(int64(round))
	s, at, err := l.connect(life)
	try.Store(notMaking)
	if err != nil {
		<-l.places
		l.health.fail(l.opt.Now(), round)
		return arrival{lane: l, receipt: judge(l.relay.Addr(), at, err), err: trouble(l.relay.Addr(), at, err)}
	}
	s.round = round
	return arrival{lane: l, session: s}
}

// crowded is the arrival of a letter that found no place.
func (l *lane) crowded(err error) arrival {
	return arrival{lane: l, receipt: Receipt{Relay: l.relay.Addr(), Reason: Timeout}, err: err}
}

// take takes the idle connection used last. The caller holds a place.
func (l *lane) take() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle) == 0 {
		return nil
	}
	s := l.idle[len(l.idle)-1]
	l.idle = l.idle[:len(l.idle)-1]
	s.expiry.Stop()
	s.reused = true
	s.round = l.health.now()
	return s
}

// put gives a connection back, in a state to be used again, and frees its place.
func (l *lane) put(s *session) {
	defer func() { <-l.places }()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut || s.spoiled || s.letters >= l.opt.MaxPerConnection {
		l.dismiss(s)
		return
	}
	s.expiry = time.AfterFunc(l.opt.IdleFor, func() { l.expire(s) })
	l.idle = append(l.idle, s)
}

// drop gives a connection up and frees its place.
func (l *lane) drop(s *session) {
	s.hangUp()
	<-l.places
}

// expire ends a connection that nobody has used for a while.
func (l *lane) expire(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.idle, s); i >= 0 {
		l.idle = slices.Delete(l.idle, i, i+1)
		l.dismiss(s)
	}
}

// drain gives all idle connections up: one of them was dead, so the rest may be.
func (l *lane) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.idle {
		s.expiry.Stop()
		s.hangUp()
	}
	l.idle = nil
}

// dismiss says QUIT in the background. The caller holds mu.
func (l *lane) dismiss(s *session) {
	if l.shut {
		s.hangUp()
		return
	}
	l.leaving.Go(s.quit)
}

// close ends the idle connections politely.
func (l *lane) close() {
	l.mu.Lock()
	for _, s := range l.idle {
		s.expiry.Stop()
		l.dismiss(s)
	}
	l.idle, l.shut = nil, true
	l.mu.Unlock()
	l.leaving.Wait()
}

// The rest of a relay that failed: it doubles with each failure in a row.
const (
	firstRest = time.Second
	longRest  = 30 * time.Second
)

// health is a relay's standing. Letters that fail together count once: a failure
// counts only in the round in which its try began.
type health struct {
	mu       sync.Mutex
	failures int
	round    int
	until    time.Time // of the rest
}

// resting says whether others go first.
func (h *health) resting(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failures > 0 && now.Before(h.until)
}

// begin notes that a connection is being made. After a rest one letter tries; the
// others let the relay rest until the outcome is known.
func (h *health) begin(now time.Time) (round int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures > 0 {
		h.until = now.Add(restAfter(h.failures))
	}
	return h.round
}

func (h *health) now() (round int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.round
}

func (h *health) fail(now time.Time, round int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if round == h.round {
		h.count(now)
	}
}

func (h *health) count(now time.Time) {
	h.failures++
	h.round++
	h.until = now.Add(restAfter(h.failures))
}

// well ends the rest: the relay has answered about a letter, or came up after all.
func (h *health) well() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures > 0 {
		h.failures, h.until = 0, time.Time{}
		h.round++
	}
}

func restAfter(failures int) time.Duration {
	rest := firstRest
	for ; failures > 1 && rest < longRest; failures-- {
		rest *= 2
	}
	return min(rest, longRest)
}
