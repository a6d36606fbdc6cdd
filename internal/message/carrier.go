package message

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Mailer hands letters to mail servers. A server that refuses the letter gives a
// Receipt; an error means that nobody could be asked, and that the same letter may be
// given again.
type Mailer interface {
	Send(ctx context.Context, l Letter) (Receipt, error)
}

// Late says that a letter's deadline has passed before it was handed over. It was not
// sent, and must not be sent again.
var Late = errors.New("the letter's deadline has passed")

// Letter is one mail, ready to send.
type Letter struct {
	// Key is the left part of the Message-ID, the same on every repeat: 1 to 100
	// letters, digits, dots, dashes and underscores.
	Key string
	// From must be the Carrier's configured sender, or empty, which means the same.
	From string
	// FromName is the name shown beside From; it may be empty.
	FromName string
	// To is exactly one bare address. Letters outside ASCII are allowed: in the
	// domain they travel as IDNA, in the local part they need a relay with SMTPUTF8
	// (RFC 6531).
	To string
	// Subject is one line.
	Subject string
	// Text is the plain text; it is required.
	Text string
	// HTML is the same words as HTML. Without it the mail is plain text alone.
	HTML string
	// ReplyTo is one bare address, or empty.
	ReplyTo string
	// Auto marks the mail as written by a machine (RFC 3834), so that nobody's
	// out-of-office note answers it.
	Auto bool
	// Deadline is the time at which the letter stops being worth sending: it is never
	// handed over at or after it. Zero means that there is none.
	Deadline time.Time
}

// Receipt is what a relay said about a letter.
type Receipt struct {
	// Relay is the relay's host:port, without credentials.
	Relay string
	// Accepted says that the relay took responsibility for the letter.
	Accepted bool
	// Unknown says that the letter was handed over and the answer was lost: it may or
	// may not arrive. It was given to no other relay.
	Unknown bool
	// Permanent says that the same letter would be refused again.
	Permanent bool
	// Code is the reply code of RFC 5321, such as 550; 0 if there was no reply.
	Code int
	// Status is the enhanced status code of RFC 3463, such as "5.2.2", or empty.
	Status string
	// Text is the server's own words: one line, printable, at most 200 bytes. Six or
	// more digits in a row are masked, because a reply may quote the letter, and the
	// letter may hold a code. What a server says during authentication is left out,
	// because it may quote the password.
	Text string
	// Reason is what the reply means; empty if the letter was accepted.
	Reason Reason
}

// NamesMailbox says that the server named the recipient's mailbox as the cause, by an
// enhanced status (RFC 3463, x.1.x and x.2.1). A bare 550 may as well mean that it does
// not want to relay for us.
func (r Receipt) NamesMailbox() bool {
	return r.Reason == NoSuchMailbox && (strings.HasPrefix(r.Status, "5.1.") || r.Status == "5.2.1")
}

// Reason is why a letter was not accepted, as far as the reply tells.
type Reason string

// The reasons.
const (
	// MailboxFull says that the mailbox has no room (x.2.2).
	MailboxFull Reason = "mailbox_full"
	// NoSuchMailbox says that the address does not exist or takes no mail (x.1.x, x.2.1).
	NoSuchMailbox Reason = "no_such_mailbox"
	// Blocked says that a policy refused sender or content (x.7.x).
	Blocked Reason = "blocked"
	// RelayDown says that the relay cannot be reached, hung up or is not in service.
	RelayDown Reason = "relay_down"
	// Timeout says that the relay did not answer within its budget.
	Timeout Reason = "timeout"
	// TLS says that the connection could not be made private: no STARTTLS, or a
	// certificate that does not hold.
	TLS Reason = "tls"
	// Auth says that the relay did not take our user name and password, or wants some.
	Auth Reason = "auth"
	// Other is everything else; the code and the words say more.
	Other Reason = "other"
)
