package demo

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/message"
)

// keptMost is how many messages an inbox keeps; the oldest goes first.
const keptMost = 5000

// What the inbox calls itself in receipts, as a mail server and as a phone.
const (
	relay = "inbox"
	phone = "phone"
)

// Inbox is every mailbox and every phone of the demo. It takes the mail and the SMS of all
// carriers and sends none of it on. It keeps its messages in memory, the last 5,000 of them, and is safe for
// concurrent use.
type Inbox struct {
	now func() time.Time

	mu      sync.RWMutex
	kept    []Entry // the oldest first
	last    int64
	refused map[string]message.Reason
}

// Entry is one message that arrived.
type Entry struct {
	// Number counts the messages of an inbox from 1 on; it is never used again.
	Number  int64
	Channel message.Channel
	// To is the address or number it went to.
	To string
	// Subject is empty for an SMS.
	Subject string
	// Text is the plain text, HTML the same words as HTML; HTML may be empty. Both are
	// as the carrier got them.
	Text, HTML string
	At         time.Time
}

// NewInbox makes the inbox of the story: empty, and with the mailboxes that refuse mail
// there. now is the clock by which messages arrive.
func NewInbox(now func() time.Time) *Inbox {
	i := &Inbox{now: now, refused: map[string]message.Reason{}}
	for _, s := range story() {
		for _, m := range s.members {
			if m.refuses != "" {
				i.Refuse(m.login, m.refuses)
			}
		}
	}
	return i
}

// Refuse has every later mail to an address refused for good, for the given reason.
func (i *Inbox) Refuse(to string, why message.Reason) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refused[mailbox(to)] = why
}

// Refuses says why an address takes no mail; empty if it does.
func (i *Inbox) Refuses(to string) message.Reason {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.refused[mailbox(to)]
}

// Send implements message.Mailer: the mail arrives at once, or is refused in the way
// that a mail server would.
func (i *Inbox) Send(ctx context.Context, l message.Letter) (message.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return message.Receipt{}, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	if !l.Deadline.IsZero() && !now.Before(l.Deadline) {
		return message.Receipt{}, message.Late
	}
	if why := i.refused[mailbox(l.To)]; why != "" {
		return refusal(why), nil
	}
	i.last++
	i.keep(Entry{
		Number: i.last, Channel: message.Email, To: l.To, Subject: l.Subject, Text: l.Text, HTML: l.HTML, At: now,
	})
	return message.Receipt{Relay: relay, Accepted: true, Code: 250, Status: "2.0.0", Text: "kept in the demo's inbox"}, nil
}

// Text implements message.Texter: the SMS arrives at once. A number that refuses says so
// like a provider would.
func (i *Inbox) Text(ctx context.Context, t message.Text) (message.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return message.Receipt{}, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	if !t.Deadline.IsZero() && !now.Before(t.Deadline) {
		return message.Receipt{}, message.Late
	}
	if why := i.refused[mailbox(t.To)]; why != "" {
		return message.Receipt{Relay: phone, Permanent: true, Reason: why, Next: -1}, nil
	}
	i.last++
	i.keep(Entry{Number: i.last, Channel: message.SMS, To: t.To, Text: t.Body, At: now})
	return message.Receipt{Relay: phone, Accepted: true, Parts: 1, Next: -1}, nil
}

// keep adds an entry, and lets the oldest go when there are too many.
func (i *Inbox) keep(e Entry) {
	if len(i.kept) >= keptMost {
		i.kept[0] = Entry{} // the array below may live on for a while
		i.kept = i.kept[1:]
	}
	i.kept = append(i.kept, e)
}

// Entries gives the messages for an address, the newest first; all of them if to is
// empty. Spelling counts as little as it does when signing in.
func (i *Inbox) Entries(to string) []Entry {
	i.mu.RLock()
	defer i.mu.RUnlock()
	whose := mailbox(to)
	found := make([]Entry, 0, min(len(i.kept), 64))
	for _, e := range slices.Backward(i.kept) {
		if to == "" || mailbox(e.To) == whose {
			found = append(found, e)
		}
	}
	return found
}

// Entry gives one message by its number; false if it never came or is kept no more.
func (i *Inbox) Entry(number int64) (Entry, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	at, ok := slices.BinarySearchFunc(i.kept, number, func(e Entry, n int64) int {
		return int(e.Number - n)
	})
	if !ok {
		return Entry{}, false
	}
	return i.kept[at], true
}

// mailbox is the form in which addresses are compared.
func mailbox(typed string) string {
	if login, err := address.Login(typed); err == nil {
		return string(login)
	}
	return strings.ToLower(strings.TrimSpace(typed))
}

// refusal is what a mail server says for a reason (RFC 5321, RFC 3463).
func refusal(why message.Reason) message.Receipt {
	r := message.Receipt{Relay: relay, Permanent: true, Code: 554, Status: "5.0.0", Text: "not taken", Reason: why}
	switch why { //nolint:exhaustive // a mailbox has no other reasons
	case message.MailboxFull:
		r.Code, r.Status, r.Text = 552, "5.2.2", "mailbox full"
	case message.NoSuchMailbox:
		r.Code, r.Status, r.Text = 550, "5.1.1", "no such mailbox"
	case message.Blocked:
		r.Code, r.Status, r.Text = 550, "5.7.1", "refused by policy"
	case message.RelayDown, message.Timeout, message.TLS, message.Auth, message.Other:
	}
	return r
}
