package signin_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/message"
	"keyturn/internal/user"
)

// inbox is every mailbox there is. It records each letter that it is handed, and answers
// as it was told to.
type inbox struct {
	mu     sync.Mutex
	boxes  map[string]chan message.Letter
	answer func(message.Letter) (message.Receipt, error)
}

func newInbox() *inbox {
	return &inbox{
		boxes: make(map[string]chan message.Letter),
		answer: func(message.Letter) (message.Receipt, error) {
			return message.Receipt{Relay: "relay.example:25", Accepted: true, Code: 250}, nil
		},
	}
}

// Send implements message.Mailer.
func (i *inbox) Send(_ context.Context, l message.Letter) (message.Receipt, error) {
	i.mu.Lock()
	answer := i.answer
	i.mu.Unlock()
	receipt, err := answer(l)
	i.box(l.To) <- l
	return receipt, err
}

// says has the mail server answer otherwise from now on.
func (i *inbox) says(answer func(message.Letter) (message.Receipt, error)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func (i *inbox) box(to string) chan message.Letter {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.boxes[to] == nil {
		i.boxes[to] = make(chan message.Letter, 100)
	}
	return i.boxes[to]
}

// letter waits for the next letter to somebody.
func (i *inbox) letter(t *testing.T, to user.User) message.Letter {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case l := <-i.box(string(to.Login)):
		return l
	case <-ctx.Done():
		t.Fatalf("no letter to %s", to.Login)
		return message.Letter{}
	}
}

// code waits for the next letter to somebody and reads its code.
func (i *inbox) code(t *testing.T, to user.User) string {
	t.Helper()
	return codeIn(t, i.letter(t, to))
}

// left is how many letters nobody has read.
func (i *inbox) left(to user.User) int { return len(i.box(string(to.Login))) }

var shownCode = regexp.MustCompile(`(?m)^ +([0-9]{3} [0-9]{3})$`)

func codeIn(t *testing.T, l message.Letter) string {
	t.Helper()
	found := shownCode.FindStringSubmatch(l.Text)
	if found == nil {
		t.Fatalf("no code in the letter: %q", l.Text)
	}
	return strings.ReplaceAll(found[1], " ", "")
}

// wrong is a code that is not the right one: the n-th after it.
func wrong(right string, n int) string {
	digits := []byte(right)
	for at := len(digits) - 1; n > 0 && at >= 0; at-- {
		sum := int(digits[at]-'0') + n%10
		digits[at], n = byte('0'+sum%10), n/10+sum/10
	}
	return string(digits)
}
