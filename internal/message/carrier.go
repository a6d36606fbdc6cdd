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

// Texter hands SMS to providers, to one of them in each call: the first healthy one at or
// after Text.After. What it says is a Receipt:
//
//   - Accepted: the provider took it.
//   - Unknown: it was handed over and the answer was lost. With a Next (the provider said
//     500, 502 or 504) it may be tried once more, elsewhere; without one (a timeout after
//     the request was written) it may not.
//   - Permanent: the number was refused, and no provider will do.
//   - Otherwise it was not taken, for now (429, 503, no connection), and Next says who
//     may be tried.
//
// An error means that nobody could be asked, and that the same text may be given again. Of
// a request that was written, even in part, the outcome is Unknown and never an error.
type Texter interface {
	Text(ctx context.Context, t Text) (Receipt, error)
}

// Text is one SMS, ready to send.
type Text struct {
	// Key is our reference for receipts: at most 200 letters, digits, dots, dashes and
	// underscores, another one for every time that a message is given away.
	Key string
	// To is a number in E.164.
	To string
	// Body is one part of the GSM 7-bit alphabet (3GPP TS 23.038).
	Body string
	// Deadline is the time at which it stops being worth sending.
	Deadline time.Time
	// After is the index of the first provider that may be tried.
	After int
}

// Receipt is what a relay or a provider said about a letter or a text.
type Receipt struct {
	// Relay is the relay's host:port or the provider's name, without credentials.
	Relay string
	// Accepted says that the relay took responsibility for the letter.
	Accepted bool
	// Unknown says that the letter was handed over and the answer was lost: it may or
	// may not arrive. It was given to no other relay.
	Unknown bool
	// Permanent says that the same letter would be refused again.
	Permanent bool
	// Ref is the provider's own name for the text, and Parts how many parts it counts; 0
	// if it did not say.
	Ref   string
	Parts int
	// Next is the index of the next provider that may be tried with the text. It is
	// above Text.After; anything else, such as -1, says that there is none.
	Next int
	// Code is the reply code of RFC 5321, such as 550, or of HTTP; 0 if there was no reply.
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

// The reasons of SMS.
const (
	// NumberInvalid says that the number does not exist or takes no SMS.
	NumberInvalid Reason = "number_invalid"
	// NumberBlocked says that the number's carrier or its owner takes no SMS from us.
	NumberBlocked Reason = "number_blocked"
	// OptedOut says that the number's owner told the provider to stop.
	OptedOut Reason = "opted_out"
	// CarrierDown says that the provider cannot be reached or is not in service.
	CarrierDown Reason = "carrier_down"
	// Unreachable says that the phone was off or out of reach for too long.
	Unreachable Reason = "unreachable"
	// NoBalance says that the site had no SMS part left.
	NoBalance Reason = "no_balance"
)

// NamesNumber says that the number itself is the cause: the next text to it would end
// the same way.
func (r Reason) NamesNumber() bool {
	return r == NumberInvalid || r == NumberBlocked || r == OptedOut
}
