package message

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// NewsState is what a provider's receipt says about a text.
type NewsState string

// The states of news.
const (
	// NewsAccepted: the provider took it after all, and charges for it.
	NewsAccepted NewsState = "accepted"
	// NewsDelivered: the phone has it.
	NewsDelivered NewsState = "delivered"
	// NewsUndelivered: the provider took it, and the phone did not get it.
	NewsUndelivered NewsState = "undelivered"
	// NewsRejected: the provider did not take it, and does not charge for it.
	NewsRejected NewsState = "rejected"
)

// News is one receipt of a provider, whose sender was authenticated.
type News struct {
	// Carrier is the provider's name, as in Receipt.Relay.
	Carrier string
	// Token is the Text.Key that the receipt is about.
	Token string
	// Ref is the provider's own name for the text; may be empty.
	Ref   string
	State NewsState
	// Parts is how many parts it counts; 0 if it does not say.
	Parts int
	// Why and Said are the reason of what went wrong, in our word and in theirs.
	Why  Reason
	Said string
}

// Bounce is what a mail server said about a letter that it had taken.
type Bounce struct {
	// Key is the left part of the letter's Message-ID.
	Key string
	// To is the address that it is about.
	To string
	// Status is the enhanced status code of RFC 3463, such as "5.1.1".
	Status string
	// Said is the server's own words.
	Said string
	// Permanent says that it gave up (RFC 3464: failed), and does not merely try again.
	Permanent bool
}

// Moved takes a provider's news. It may come late, twice, in any order, and before the
// answer of the provider was stored: a copy only moves forward, its part is settled once,
// and the message stands where it would if all had come in order. A token that we did not
// make, or that is of a message that is gone, is fault.NotFound, and nothing changes.
func (p *Post) Moved(ctx context.Context, n News) error {
	t, err := readToken(p.Keys, n.Token)
	if err != nil {
		return err
	}
	to, ok := map[NewsState]copyState{
		NewsAccepted: accepted, NewsDelivered: delivered, NewsUndelivered: undelivered, NewsRejected: rejected,
	}[n.State]
	if !ok || n.Parts < 0 {
		return fmt.Errorf("news of an SMS: its state or its parts: %w", fault.Invalid)
	}
	n.Said = keptWords(n.Said)
	err = p.DB.Do(ctx, func(tx *db.Tx) error { return p.moved(ctx, tx, t, to, n) })
	if err != nil {
		return fmt.Errorf("take in news of an SMS: %w", err)
	}
	return nil
}

func (p *Post) moved(ctx context.Context, tx *db.Tx, t try, to copyState, n News) error {
	m, all, err := taken(ctx, tx, Message{User: t.User, ID: t.Message})
	if err != nil {
		return err
	}
	at := t.No - 1
	if at >= len(all) || all[at].No != t.No || all[at].state == held || all[at].state == released {
		return fault.NotFound // it was never given to anybody
	}
	c := all[at].with(n.Carrier, n.Ref)
	if err := p.settle(ctx, tx, c, to, n.Parts); err != nil {
		return err
	}
	if to.rank() <= c.state.rank() {
		return nil
	}
	if err := moveCopy(ctx, tx, c, to); err != nil {
		return fmt.Errorf("move a copy: %w", err)
	}
	before := m.State
	if m, err = follow(ctx, tx, m, n.Carrier); err != nil {
		return err
	}
	if before == Queued && m.State != Queued {
		if err := letGo(ctx, tx, m.User, m.ID); err != nil {
			return err
		}
	}
	return p.learn(ctx, tx, m, to, n)
}

// learn notes what news mean for the timeline, the number and the weather.
func (p *Post) learn(ctx context.Context, tx *db.Tx, m Message, to copyState, n News) error {
	s := Step{At: tx.Now, Why: n.Why, Said: n.Said, Carrier: n.Carrier, firm: n.Why.NamesNumber()}
	switch to {
	case accepted:
		s.Kind, s.Why = StepAccepted, ""
	case delivered:
		s.Kind, s.Why = StepDelivered, ""
	case undelivered:
		s.Kind, s.Why = StepUndelivered, Reason(firstOf(string(n.Why), string(Other)))
	case rejected, held, released, given, refused, barred, unknown:
		s.Kind, s.Why = StepRefused, Reason(firstOf(string(n.Why), string(Other)))
	}
	if err := addStep(ctx, tx, m, s); err != nil {
		return err
	}
	switch to {
	case accepted:
		if err := handedOver(ctx, tx, m, n.Carrier); err != nil {
			return err
		}
		return p.health(ctx, tx, m, Accepted, s)
	case delivered:
		if err := delivery.Arrived(ctx, tx, m.ID); err != nil {
			return err
		}
		return p.health(ctx, tx, m, Accepted, Step{Kind: StepAccepted})
	case undelivered:
		if err := audit.Record(ctx, tx, event(audit.MessageUndelivered, m, s)); err != nil {
			return err
		}
		return p.trouble(ctx, tx, m, s, false)
	case rejected, held, released, given, refused, barred, unknown:
	}
	return p.health(ctx, tx, m, Refused, s)
}

// Bounced takes what a mail server said later of a letter that another had taken. A
// letter that we did not write, or not to that address, is fault.NotFound.
func (p *Post) Bounced(ctx context.Context, b Bounce) error {
	which, err := id.Parse[id.Message](b.Key)
	if err != nil {
		return err
	}
	err = p.DB.Do(ctx, func(tx *db.Tx) error { return p.bounced(ctx, tx, which, b) })
	if err != nil {
		return fmt.Errorf("take in a bounce: %w", err)
	}
	return nil
}

func (p *Post) bounced(ctx context.Context, tx *db.Tx, which id.Message, b Bounce) error {
	m, err := byKey(ctx, tx, which)
	if err != nil {
		return fmt.Errorf("find a message: %w", err)
	}
	if m, err = take(ctx, tx, m.User, m.ID); err != nil {
		return fmt.Errorf("take a message: %w", err)
	}
	if m.Channel != Email || !sameMailbox(m.Address, b.To) {
		return fmt.Errorf("a bounce of another letter: %w", fault.NotFound)
	}
	r := Receipt{Status: b.Status, Permanent: b.Permanent, Reason: bounceReason(b.Status), Text: keptWords(b.Said)}
	s := step(StepRefused, r)
	switch {
	case m.State == Undelivered:
		return nil // it came twice
	case m.State != Accepted:
		return fmt.Errorf("a bounce of a letter that nobody took: %w", fault.NotFound)
	case !b.Permanent:
		return p.addDelayed(ctx, tx, m, step(StepDelayed, r))
	}
	if err := move(ctx, tx, m, Undelivered, ""); err != nil {
		return fmt.Errorf("move a message: %w", err)
	}
	s.At = tx.Now
	if err := addStep(ctx, tx, m, s); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, event(audit.MessageUndelivered, m, s)); err != nil {
		return err
	}
	if err := p.trouble(ctx, tx, m, s, true); err != nil {
		return err
	}
	return p.elsewhere(ctx, tx, m)
}

// sameMailbox compares addresses in the form in which people sign in with them.
func sameMailbox(a, b string) bool {
	one, err := address.Login(a)
	if err != nil {
		return a == b
	}
	other, err := address.Login(b)
	return err == nil && one == other
}

// bounceReason reads an enhanced status code (RFC 3463).
func bounceReason(status string) Reason {
	_, detail, _ := strings.Cut(status, ".")
	switch {
	case detail == "2.2":
		return MailboxFull
	case strings.HasPrefix(detail, "1."), detail == "2.1":
		return NoSuchMailbox
	case strings.HasPrefix(detail, "7."):
		return Blocked
	case strings.HasPrefix(detail, "4."):
		return RelayDown
	}
	return Other
}

// manyDigits may be a code that a server quotes.
var manyDigits = regexp.MustCompile(`[0-9]{6,}`)

// keptWords is a carrier's words as they are kept: one line of 200 bytes at most, without
// digits that may be a code.
func keptWords(said string) string {
	said = manyDigits.ReplaceAllString(oneLine(said), "…")
	if len(said) <= saidMost {
		return said
	}
	return strings.ToValidUTF8(said[:saidMost], "")
}

// saidMost is how many bytes of a carrier's words are kept.
const saidMost = 200
