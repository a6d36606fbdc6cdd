// Package fault names the few kinds of failure that a caller acts on.
//
// Everything else is an ordinary error, wrapped with what was being done, and ends
// as a 500 with a reference. A wrong code or a wrong password is no fault at all:
// it is an answer, and has its place in the result (see CONTRIBUTING, "An answer is
// not an error").
package fault

import (
	"errors"
	"time"
)

// The kinds, compared with errors.Is.
var (
	// NotFound says that no such thing exists, or not for whoever asks: the two
	// are the same to the outside, always.
	NotFound = errors.New("not found")
	// Conflict says that a guarded change found another state than the one it
	// wanted to leave: somebody else was first. Nothing was changed.
	Conflict = errors.New("changed meanwhile")
	// Busy says that a bounded resource is used up for the moment: a queue, a lock,
	// the storage. Nothing was changed; the same request may be sent again.
	Busy = errors.New("busy")
	// Forbidden says that whoever asks may not do this.
	Forbidden = errors.New("not allowed")
	// Invalid says that what was given cannot be used. Wrap it with a sentence that
	// says what to do about it; the sentence never repeats what was given.
	Invalid = errors.New("not usable")
)

// Wait is a Busy fault that knows when to come back.
type Wait struct {
	// For is how long to wait before the next try, rounded up to seconds on the wire.
	For time.Duration
	// Err is what was being waited for.
	Err error
}

// Error implements error.
func (w *Wait) Error() string {
	if w.Err == nil {
		return Busy.Error()
	}
	return w.Err.Error()
}

// Unwrap lets errors.Is see both Busy and the cause.
func (w *Wait) Unwrap() []error {
	if w.Err == nil {
		return []error{Busy}
	}
	return []error{Busy, w.Err}
}
