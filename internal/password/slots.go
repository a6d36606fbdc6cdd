package password

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"keyturn/internal/fault"
)

// knownInRow is how many known devices may go before one that is not known.
const knownInRow = 3

// What the zero values of Slots mean.
const (
	defaultWaiting    = 256
	defaultPerNetwork = 100
	defaultRetry      = 2 * time.Second
)

var errNoPlace = errors.New("too many sign-ins are waiting")

// Turn says who wants a slot.
type Turn struct {
	// Network is the client's network: an IPv4 address or an IPv6 /64.
	Network string
	// User is the login name as typed, in its canonical form, whether it exists or
	// not.
	User string
	// Known says that this browser or network completed a sign-in of this user
	// lately.
	Known bool
}

// Slots bounds how many hashes are computed at once, because each takes a core and
// 19 MiB or more. Whoever finds no slot free waits in a queue that is bounded and
// fair:
//
//   - Networks take turns, and within a network its users: a network with a hundred
//     sign-ins waiting delays the first one of another by one turn, not by a hundred.
//   - Known devices go first, but after three of them in a row one of the others goes
//     if any waits: nobody starves. Both kinds keep the turns above.
//   - At most Waiting wait in all, and PerNetwork of one network; a quarter of both
//     is kept for known devices. Beyond that the answer is a fault.Wait.
//
// The fields are set before first use. The zero value is one slot with the bounds
// named below.
type Slots struct {
	// Size is how many run at once; 0 means 1. Set it to the number of cores, or one
	// less where checks must stay quick beside a storm of sign-ins.
	Size int
	// Waiting is how many may wait in all; 0 means 256.
	Waiting int
	// PerNetwork is how many of one network may wait; 0 means 100.
	PerNetwork int
	// Retry is when a refused one is told to come back; 0 means 2 seconds.
	Retry time.Duration

	mu      sync.Mutex
	running int
	known   line
	others  line
	inRow   int // known devices served since one of the others, while such waited
}

// Run waits for a slot, runs work in it, and gives the slot back, also if work
// panics. If the queue has no place it returns a *fault.Wait at once; if the context
// ends while waiting, its cause, and the place is free. In both cases work did not
// run. Once work runs it is not interrupted.
func (s *Slots) Run(ctx context.Context, turn Turn, work func()) error {
	if err := s.enter(ctx, turn); err != nil {
		return err
	}
	defer s.leave()
	work()
	return nil
}

// Load is how many run and how many wait, for metrics.
func (s *Slots) Load() (running, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running, s.known.size + s.others.size
}

func (s *Slots) enter(ctx context.Context, turn Turn) error {
	if ctx.Err() != nil {
		return fmt.Errorf("waiting for a hash slot: %w", context.Cause(ctx))
	}
	w, err := s.place(turn)
	if w == nil || err != nil {
		return err
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.line(turn).leave(w) {
		s.pass() // the slot came in the same moment: the next one takes it
	}
	return fmt.Errorf("waiting for a hash slot: %w", context.Cause(ctx))
}

// place takes a free slot and returns nil, or a place in the queue. A slot is free
// only when nobody waits, because pass hands it on.
func (s *Slots) place(turn Turn) (*waiter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running < max(s.Size, 1) {
		s.running++
		return nil, nil
	}
	if s.full(turn) {
		return nil, &fault.Wait{For: or(s.Retry, defaultRetry), Err: errNoPlace}
	}
	w := &waiter{turn: turn, ready: make(chan struct{})}
	s.line(turn).join(w)
	return w, nil
}

func (s *Slots) full(turn Turn) bool {
	all, network := or(s.Waiting, defaultWaiting), or(s.PerNetwork, defaultPerNetwork)
	if turn.Known {
		return s.known.size+s.others.size >= all ||
			s.known.of(turn.Network)+s.others.of(turn.Network) >= network
	}
	return s.known.size+s.others.size >= all || s.others.size >= all-all/4 ||
		s.known.of(turn.Network)+s.others.of(turn.Network) >= network ||
		s.others.of(turn.Network) >= network-network/4
}

func (s *Slots) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
}

// pass hands a slot to the next in turn, or frees it. The lock is held.
func (s *Slots) pass() {
	if w := s.next(); w != nil {
		close(w.ready)
		return
	}
	s.running--
}

func (s *Slots) next() *waiter {
	if s.others.size == 0 {
		s.inRow = 0
		return s.known.next()
	}
	if s.known.size > 0 && s.inRow < knownInRow {
		s.inRow++
		return s.known.next()
	}
	s.inRow = 0
	return s.others.next()
}

func (s *Slots) line(turn Turn) *line {
	if turn.Known {
		return &s.known
	}
	return &s.others
}

func or[T int | time.Duration](v, zero T) T {
	if v == 0 {
		return zero
	}
	return v
}
