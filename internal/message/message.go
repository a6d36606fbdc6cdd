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
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
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
	// ProveCode carries a code to an address or number that somebody who is in wants to
	// use from now on.
	ProveCode Kind = "prove_code"
	// TestCode carries a code that opens nothing: an admin looks whether it arrives.
	TestCode Kind = "test_code"
	// ResetLink carries the link for a forgotten password, by mail only.
	ResetLink Kind = "reset_link"
	// RecoveryStop carries the link that stops a recovery by staff.
	RecoveryStop Kind = "recovery_stop"
	// InvitationLink carries the link by which somebody accepts an invitation, by mail only.
	InvitationLink Kind = "invitation"
	// LoginUndo tells an old address that it is no login name any more, and carries the link
	// that undoes the change.
	LoginUndo Kind = "login_undo"
	// NoticeMail tells of things that happened: those of the notices that it is the
	// message of.
	NoticeMail Kind = "notice"
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

// The states: queued is open. What was accepted, or given away without an answer, may
// yet turn out to be delivered or undelivered; the others are final as far as we do
// something, and only news of a copy that was given away moves them.
const (
	Queued      State = "queued"
	Accepted    State = "accepted"
	Delivered   State = "delivered"
	Undelivered State = "undelivered"
	Refused     State = "refused"
	Expired     State = "expired"
	Dropped     State = "dropped"
)

// StepKind is one thing that happened to a message.
type StepKind string

// The steps of a timeline, in the order in which they may come.
const (
	StepPromised StepKind = "promised"
	// StepHanded says that a text is being given to a provider.
	StepHanded   StepKind = "handed"
	StepDelayed  StepKind = "delayed"
	StepAccepted StepKind = "accepted"
	StepUnknown  StepKind = "unknown"
	// StepNoBalance says that the site had no SMS part left to send it again.
	StepNoBalance   StepKind = "no_balance"
	StepRefused     StepKind = "refused"
	StepExpired     StepKind = "expired"
	StepDelivered   StepKind = "delivered"
	StepUndelivered StepKind = "undelivered"
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
	// Hold is the SMS part that is reserved for an SMS, by Reserve, in the transaction of
	// the promise. Admin says that the person is an Admin of the site that pays, who may
	// use the float. Both are for Promise only, and are not read back.
	Hold  id.Hold
	Admin bool

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
	// By is who invites somebody, Group what to. Of an invitation alone.
	By    string `json:"by,omitempty"`
	Group string `json:"group,omitempty"`
	// Helper is the Admin to tell when the person did not ask for this. Where there is no
	// other, Manager is the account manager's address.
	Helper  string `json:"helper,omitempty"`
	Manager string `json:"manager,omitempty"`
}

// Post keeps the promises: it stores messages, and its workers send them.
type Post struct {
	DB   *db.DB
	Keys *secret.Keys
	Jobs *job.Queue

	out Carriers
}

// Promise stores a message and its job in the caller's transaction. plain is its
// secret, a code or the token of a link, or empty. An ID that is set is kept: an SMS has
// one before it is promised, because its part was reserved for it (balance.Reserve, as
// try 1 of the message, in the same transaction) and stands in Hold.
func (p *Post) Promise(ctx context.Context, tx *db.Tx, m Message, plain secret.Text) (id.Message, error) {
	if m.Channel == SMS && (m.ID == "" || m.Hold == "" || m.Site == "") {
		return "", fmt.Errorf("promise an SMS: it needs its id, the site that pays and a part held: %w", fault.Invalid)
	}
	if m.ID == "" {
		m.ID = id.New[id.Message]()
	}
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
	if m.Channel == SMS {
		first := textCopy{try: try{User: m.User, Message: m.ID, No: 1}, site: m.Site, hold: m.Hold, admin: m.Admin, state: held}
		if err := insertCopy(ctx, tx, first); err != nil {
			return "", fmt.Errorf("store an SMS's part: %w", err)
		}
	}
	if err := addStep(ctx, tx, m, Step{Kind: StepPromised, At: tx.Now}); err != nil {
		return "", err
	}
	return m.ID, p.Jobs.Put(ctx, tx, m.Kind.lane(), Deliver{User: m.User, Message: m.ID})
}

// Drop ends a message whose code was used or replaced, and wipes the code. One that
// has ended already stays as it is, but for the code. The part of an SMS that was not
// given away is given back.
func Drop(ctx context.Context, tx *db.Tx, who id.User, which id.Message) error {
	channel, err := wipe(ctx, tx, who, which, Dropped)
	if err != nil {
		return fmt.Errorf("drop a message: %w", err)
	}
	if channel != SMS {
		return nil
	}
	return letGo(ctx, tx, who, which)
}

// Typed notes that a message's code was typed back, from which it is known how long the
// message took. stale says that the code had been replaced or had run out by then.
func (p *Post) Typed(ctx context.Context, tx *db.Tx, _ id.User, which id.Message, stale bool) error {
	return delivery.Typed(ctx, tx, which, stale)
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

// Sweep wipes the codes of messages that have run out, gives back what was held for those
// that were never given away, and removes messages and notices that are long over; limit
// at most of each at once. A part of which nobody knows what became of its message stays
// held: balance.SettleDue ends it.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	over, err := expire(ctx, tx, limit)
	if err != nil {
		return fmt.Errorf("end messages that have run out: %w", err)
	}
	for _, m := range over {
		if err := addStep(ctx, tx, m, Step{Kind: StepExpired, At: tx.Now}); err != nil {
			return err
		}
		if m.Channel != SMS {
			continue
		}
		if err := letGo(ctx, tx, m.User, m.ID); err != nil {
			return err
		}
	}
	if err := blank(ctx, tx, limit); err != nil {
		return fmt.Errorf("wipe codes that have run out: %w", err)
	}
	if err := remove(ctx, tx, tx.Now.Add(-keepOver), limit); err != nil {
		return fmt.Errorf("remove old messages: %w", err)
	}
	// Whoever could not be reached by any road for a month will not be.
	if err := removeUntold(ctx, tx, tx.Now.Add(-keepOver), limit); err != nil {
		return fmt.Errorf("remove old notices: %w", err)
	}
	return nil
}

func place(m Message) secret.Place {
	return secret.Place{Owner: string(m.User), Table: "messages", Row: string(m.ID), Column: "sealed"}
}

// lane is the queue of a message: whatever somebody waits for never stands behind
// anything else.
func (k Kind) lane() job.Lane {
	if k == NoticeMail || k == InvitationLink {
		return job.Notices
	}
	return job.Codes
}
