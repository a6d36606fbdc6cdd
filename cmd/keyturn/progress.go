package main

import "fmt"

// progress shows a running count on a terminal, and nothing in a pipe.
func (w *world) progress(did, what string) func(int64) {
	if !w.terminal {
		return nil
	}
	return func(n int64) { _, _ = fmt.Fprintf(w.err, "\r%s %d %s\x1b[K", did, n, what) }
}

// progressOf shows how much of a known whole is done.
func (w *world) progressOf(did string) func(done, total int) {
	if !w.terminal {
		return nil
	}
	return func(done, total int) {
		_, _ = fmt.Fprintf(w.err, "\r%s %d of %d (%d %%)\x1b[K", did, done, total, done*100/max(total, 1))
	}
}

// progressEnd clears the line.
func (w *world) progressEnd() {
	if w.terminal {
		_, _ = fmt.Fprint(w.err, "\r\x1b[K")
	}
}
