package enrol_test

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"keyturn/internal/message"
)

type inbox struct {
	mu    sync.Mutex
	boxes map[string]chan string
}

func newInbox() *inbox { return &inbox{boxes: make(map[string]chan string)} }

func (i *inbox) Send(_ context.Context, l message.Letter) (message.Receipt, error) {
	i.box(l.To) <- l.Subject + "\n" + l.Text
	return message.Receipt{Relay: "relay.example:25", Accepted: true, Code: 250}, nil
}

func (i *inbox) Text(_ context.Context, s message.Text) (message.Receipt, error) {
	i.box(s.To) <- s.Body
	return message.Receipt{Relay: "phone", Accepted: true, Parts: 1, Next: -1}, nil
}

func (i *inbox) box(to string) chan string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.boxes[to] == nil {
		i.boxes[to] = make(chan string, 100)
	}
	return i.boxes[to]
}

func (i *inbox) next(t *testing.T, to string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case text := <-i.box(to):
		return text
	case <-ctx.Done():
		t.Fatalf("no message to %s", to)
		return ""
	}
}

func (i *inbox) left(to string) int { return len(i.box(to)) }

var shown = regexp.MustCompile(`[0-9]{3} [0-9]{3}`)

var lastLine = regexp.MustCompile(`@signin\.example #([0-9]{6})$`)

func (i *inbox) code(t *testing.T, number string) string {
	t.Helper()
	text := i.next(t, number)
	found := lastLine.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no code in the SMS: %q", text)
	}
	return found[1]
}

func wrong(right string, n int) string {
	var value int
	if _, err := fmt.Sscanf(right, "%d", &value); err != nil {
		panic(err)
	}
	return fmt.Sprintf("%06d", (value+n)%1_000_000)
}
