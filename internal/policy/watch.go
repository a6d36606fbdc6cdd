package policy

import "time"

// watch is the only place where a rule meets the clock. It answers whether a moment
// has been reached and keeps the earliest of those that have not: until then no answer
// that it gave can change, which makes that moment Decision.ValidUntil by construction.
// The moments asked about must be stored facts or computed from such, never from now.
type watch struct {
	now  time.Time
	next time.Time // zero: nothing to come
}

// reached says whether t has come. At t itself it has. The zero time never comes: it
// stands for "no such moment".
func (w *watch) reached(t time.Time) bool {
	if t.IsZero() {
		return false
	}
	if !w.now.Before(t) {
		return true
	}
	if w.next.IsZero() || t.Before(w.next) {
		w.next = t
	}
	return false
}

// over says whether t lies in the past. At t itself it does not, yet.
func (w *watch) over(t time.Time) bool {
	return w.reached(t.Add(time.Nanosecond))
}

// begun is reached for a beginning, where no known moment means "always so".
func (w *watch) begun(t time.Time) bool {
	return t.IsZero() || w.reached(t)
}
