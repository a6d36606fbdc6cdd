package mail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"keyturn/internal/fault"
)

var errClosed = errors.New("the carrier is closed")

// trip is one letter's way from relay to relay.
type trip struct {
	carrier *Carrier
	road    context.Context // ends at the letter's deadline; rules until the final dot
	wait    context.Context // the caller's; rules the wait for the answer to the dot
	env     envelope
	left    []*lane // not tried yet, in order

	freshened []*lane  // where a dead pooled connection was already replaced once
	refused   *Receipt // the best refusal so far
	lost      Receipt  // the last relay that did not answer
	faults    []error
}

// arrival is how making a session ready ended.
type arrival struct {
	lane    *lane
	session *session
	receipt Receipt
	err     error
}

func (t *trip) run() (Receipt, error) {
	for len(t.left) > 0 && t.road.Err() == nil && !t.late() {
		s := t.ready()
		if s == nil {
			break
		}
		o := s.deliver(t)
		switch {
		case o.done:
			return o.receipt, nil
		case o.stale && !slices.Contains(t.freshened, s.lane):
			// The server gave up a connection that we had kept. That says nothing about
			// the relay, and nothing was handed over: the same relay, a fresh connection.
			s.lane.drain()
			t.freshened = append(t.freshened, s.lane)
			t.left = append([]*lane{s.lane}, t.left...)
		case o.broken:
			if t.road.Err() == nil && !t.late() {
				s.lane.health.fail(t.carrier.opt.Now(), s.round)
			}
			t.miss(o.receipt, o.err)
		case t.refused == nil || t.refused.Permanent:
			// A refusal that may pass is the better news: the letter can be repeated.
			t.refused = &o.receipt
		}
	}
	return t.end()
}

func (t *trip) miss(r Receipt, err error) {
	t.lost = r
	t.faults = append(t.faults, err)
}

// late says whether the letter's deadline has passed, by the product's clock or by the
// machine's timer, whichever is first.
func (t *trip) late() bool {
	if t.env.deadline.IsZero() {
		return false
	}
	return !t.carrier.opt.Now().Before(t.env.deadline) || (t.road.Err() != nil && t.wait.Err() == nil)
}

// end is what is told when no relay took the letter.
func (t *trip) end() (Receipt, error) {
	if t.refused != nil {
		return *t.refused, nil
	}
	if t.late() {
		return t.lost, fmt.Errorf("mail: %w", Late)
	}
	if err := t.wait.Err(); err != nil {
		t.faults = append(t.faults, err)
	}
	return t.lost, fmt.Errorf("mail: no relay could be reached: %w: %w", fault.Busy, errors.Join(t.faults...))
}

// ready makes a session ready at the best relay left, and takes from the list the
// relays that are done with. It returns nil if there is none, or no time.
func (t *trip) ready() *session {
	// The usual case costs no goroutine: a kept connection to the first relay.
	if s := t.left[0].spare(); s != nil {
		t.left = t.left[1:]
		return s
	}
	r := race{
		trip: t, order: t.left, over: make(chan struct{}), arrivals: make(chan arrival),
		patience: time.NewTimer(t.carrier.opt.Overtake),
	}
	defer r.patience.Stop()
	defer close(r.over)
	return r.run()
}

// race is several relays being made ready for one letter. Each starts when the one
// before it has failed, or has been silent for too long; the first to be ready wins. A
// loser that is ready later is kept for the next letter.
type race struct {
	trip     *trip
	order    []*lane
	tries    []*atomic.Int64 // of the relays started: see lane.get
	running  int
	over     chan struct{}
	arrivals chan arrival
	patience *time.Timer
}

func (r *race) run() *session {
	wait, stop := context.WithCancel(r.trip.road)
	defer stop()
	r.next(wait)
	for r.running > 0 {
		select {
		case a := <-r.arrivals:
			r.running--
			r.trip.left = slices.DeleteFunc(slices.Clone(r.trip.left), func(l *lane) bool { return l == a.lane })
			if a.session != nil {
				return a.session
			}
			r.trip.miss(a.receipt, a.err)
			r.next(wait)
		case <-r.patience.C:
			r.overtake()
			r.next(wait)
		case <-wait.Done():
			return nil
		}
	}
	return nil
}

// next starts the next relay, if there is one.
func (r *race) next(wait context.Context) {
	if len(r.tries) == len(r.order) {
		return
	}
	c, l, try := r.trip.carrier, r.order[len(r.tries)], new(atomic.Int64)
	try.Store(notMaking)
	r.tries = append(r.tries, try)
	if !c.spawn(func() {
		a := l.get(wait, c.life, try)
		select {
		case r.arrivals <- a:
		case <-r.over:
			if a.session != nil {
				l.health.well() // late, but up: the first choice again
				l.put(a.session)
			}
		}
	}) {
		r.trip.miss(Receipt{Relay: l.relay.Addr(), Reason: Other}, errClosed)
		return
	}
	r.running++
	r.patience.Reset(c.opt.Overtake)
}

// overtake lets the silent relays rest, so that the next letters do not wait for them.
// One whose places are merely all in use is busy, not silent.
func (r *race) overtake() {
	if len(r.tries) == len(r.order) {
		return // nobody there to overtake
	}
	for i, try := range r.tries {
		if round := try.Load(); round != notMaking {
			r.order[i].health.fail(r.trip.carrier.opt.Now(), int(round))
		}
	}
}
