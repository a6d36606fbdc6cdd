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

// phone is every mobile there is. It records each SMS, and answers as it was told to.
type phone struct {
	mu     sync.Mutex
	boxes  map[string]chan message.Text
	answer func(message.Text) (message.Receipt, error)
}

func newPhone() *phone {
	return &phone{
		boxes: make(map[string]chan message.Text),
		answer: func(message.Text) (message.Receipt, error) {
			return message.Receipt{Relay: "phone", Accepted: true, Parts: 1, Next: -1}, nil
		},
	}
}

// Text implements message.Texter.
func (p *phone) Text(_ context.Context, t message.Text) (message.Receipt, error) {
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	receipt, err := answer(t)
	p.box(t.To) <- t
	return receipt, err
}

// says has the provider answer otherwise from now on.
func (p *phone) says(answer func(message.Text) (message.Receipt, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *phone) box(to string) chan message.Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.boxes[to] == nil {
		p.boxes[to] = make(chan message.Text, 100)
	}
	return p.boxes[to]
}

// lastLine is the line by which a phone fills the code in (origin-bound one-time codes).
var lastLine = regexp.MustCompile(`@signin\.example #([0-9]{6})$`)

// code waits for the next SMS to a number and reads its code.
func (p *phone) code(t *testing.T, number string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case text := <-p.box(number):
		found := lastLine.FindStringSubmatch(text.Body)
		if found == nil {
			t.Fatalf("no code in the SMS: %q", text.Body)
		}
		return found[1]
	case <-ctx.Done():
		t.Fatalf("no SMS to %s", number)
		return ""
	}
}
