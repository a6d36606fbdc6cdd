package signin

import (
	"context"
	"sync"
)

// turns lets one through at a time for each key. Waiters are bounded by who asks: here
// by the budget of wrong passwords, five for a name and a network.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// take waits for the key and gives the function that lets the next one through.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	for {
		t.mu.Lock()
		busy, taken := t.held[key]
		if !taken {
			if t.held == nil {
				t.held = make(map[string]chan struct{})
			}
			mine := make(chan struct{})
			t.held[key] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.held, key)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
