// Package message is everything we say by mail and SMS: the words, the promise that
// they will be sent, and the timeline for the person who waits.
//
// A message is stored in the transaction that promises it, together with its job, and
// sent by a worker with no transaction open. Its code stands sealed in the row, never
// in the job, and is wiped when it was used, was replaced or has run out. Nothing is
// sent after that. A message that is sent again (a node died after the mail server took
// it) carries the same code and the same Message-ID.
package message

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/secret"
)

// Kind is what a message is about; it names the words.
type Kind string

// The kinds.
const (
	// SignInCode carries the code of a sign-in.
	SignInCode Kind = "signin_code"
)

// Channel is how a message travels.
type Channel string

// The channels.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
)

// State is where a message stands. It only moves forward.
type State string

// The states: queued and handed over are open, the others are final.
const (
	Queued   State = "queued"
	Accepted State = "accepted"
	Refused  State = "refused"
	Expired  State = "expired"
	Dropped  State = "dropped"
)

// StepKind is one thing that happened to a message.
type StepKind string

// The steps of a timeline, in the order in which they may come.
const (
	StepPromised StepKind = "promised"
	StepDelayed  StepKind = "delayed"
	StepAccepted StepKind = "accepted"
	StepUnknown  StepKind = "unknown"
	StepRefused  StepKind = "refused"
	StepExpired  StepKind = "expired"
)

// Step is one line of the timeline.
type Step struct {
	Kind StepKind
	At   time.Time
	// Why is the reason of a refusal or a delay: one of the carrier's Reasons.
	Why Reason
	// Said is the server's own words, one line, and Carrier whose they are; both are for
	// staff, never for the person.
	Said, Carrier string

	// firm says that the server named the mailbox as the cause (RFC 3463), and did not
	// merely refuse.
	firm bool
}

// Message is one stored message.
type Message struct {
	ID        id.Message
	User      id.User
	Site      id.Site
	Kind      Kind
	Channel   Channel
	Address   string
	Method    id.Method
	Words     Words
	Reference string
	State     State
	CreatedAt time.Time
	ExpiresAt time.Time

	sealed []byte
}

// Words are the facts that a message's sentences are made of. None is secret.
type Words struct {
	// FirstName is whom we greet; empty greets nobody.
	FirstName string `json:"first_name,omitempty"`
	// From is who speaks: the site's name, or the vendor's.
	From string `json:"from"`
	// Vendor is whose product this is.
	Vendor string `json:"vendor"`
	// Zone is the IANA name of the time zone in which times are said.
	Zone string `json:"zone"`
	// Agent is what asked, in words, as "Chrome on Windows".
	Agent string `json:"agent,omitempty"`
	// Helper is whom to tell when the person did not ask for this, and Role what they are.
	Helper string `json:"helper,omitempty"`
}

// Post keeps the promises: it stores messages, and its workers send them.
type Post struct {
	DB   *db.DB
	Keys *secret.Keys
	Jobs *job.Queue
}

// Promise stores a message and its job in the caller's transaction. plain is its
// secret, a code, or empty.
func (p *Post) Promise(ctx context.Context, tx *db.Tx, m Message, plain secret.Text) (id.Message, error) {
	m.ID = id.New[id.Message]()
	m.State, m.CreatedAt = Queued, tx.Now
	if plain.Reveal() != "" {
		sealed, err := p.Keys.Seal(place(m), []byte(plain.Reveal()))
		if err != nil {
			return "", fmt.Errorf("seal a code: %w", err)
		}
		m.sealed = sealed
	}
	words, err := json.Marshal(m.Words)
	if err != nil {
		return "", fmt.Errorf("store a message's words: %w", err)
	}
	if err := insert(ctx, tx, m, string(words)); err != nil {
		return "", fmt.Errorf("store a message: %w", err)
	}
	if err := addStep(ctx, tx, m, Step{Kind: StepPromised, At: tx.Now}); err != nil {
		return "", err
	}
	return m.ID, p.Jobs.Put(ctx, tx, m.Kind.lane(), Deliver{User: m.User, Message: m.ID})
}

// Drop ends a message whose code was used or replaced, and wipes the code. One that
// has ended already stays as it is, but for the code.
func Drop(ctx context.Context, tx *db.Tx, who id.User, which id.Message) error {
	if err := wipe(ctx, tx, who, which, Dropped); err != nil {
		return fmt.Errorf("drop a message: %w", err)
	}
	return nil
}

// Trail is the timeline of a message, the oldest step first.
func Trail(ctx context.Context, from db.Reader, who id.User, which id.Message) ([]Step, error) {
	return steps(ctx, from, who, which)
}

// ByID finds a message of a user; fault.NotFound if there is none.
func ByID(ctx context.Context, from db.Reader, who id.User, which id.Message) (Message, error) {
	return byID(ctx, from, who, which)
}

// keepOver is how long a message that is over is kept, for support.
const keepOver = 30 * 24 * time.Hour

// Sweep wipes the codes of messages that have run out, and removes messages that are
// long over; limit at most of each at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, limit); err != nil {
		return fmt.Errorf("wipe codes that have run out: %w", err)
	}
	if err := remove(ctx, tx, tx.Now.Add(-keepOver), limit); err != nil {
		return fmt.Errorf("remove old messages: %w", err)
	}
	return nil
}

func place(m Message) secret.Place {
	return secret.Place{Owner: string(m.User), Table: "messages", Row: string(m.ID), Column: "sealed"}
}

// lane is the queue of a message: codes never stand behind anything else.
func (k Kind) lane() job.Lane {
	if k == SignInCode {
		return job.Codes
	}
	return job.Notices
}
