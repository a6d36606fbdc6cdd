package e2etest

import "sync"

// tail keeps the end of what a process says, for the case that its test fails.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

// tailKept is how much of it is kept, in bytes.
const tailKept = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailKept; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
