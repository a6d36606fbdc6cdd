package sms

import (
	"sync"
	"time"
)

// The rest of a provider that failed: it doubles with each failure in a row.
const (
	firstRest = time.Second
	longRest  = 30 * time.Second
)

// health is a provider's standing. Texts that fail together count once: a failure
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

// begin notes a try. After a rest one text tries; the others let the provider rest
// until the outcome is known.
func (h *health) begin(now time.Time) (round int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures > 0 {
		h.until = now.Add(restAfter(h.failures))
	}
	return h.round
}

func (h *health) fail(now time.Time, round int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if round != h.round {
		return
	}
	h.failures++
	h.round++
	h.until = now.Add(restAfter(h.failures))
}

// well ends the rest: the provider has answered about a text.
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
