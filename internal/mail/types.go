package mail

import "keyturn/internal/message"

// Late says that a letter's deadline has passed before it was handed over. It was not
// sent, and must not be sent again.
var Late = message.Late

// What goes in and what comes out are message's own words: this package only carries.
type (
	// Letter is one mail, ready to send.
	Letter = message.Letter
	// Receipt is what a relay said about a letter.
	Receipt = message.Receipt
	// Reason is why a letter was not accepted, as far as the reply tells.
	Reason = message.Reason
)

// The reasons.
const (
	MailboxFull   = message.MailboxFull
	NoSuchMailbox = message.NoSuchMailbox
	Blocked       = message.Blocked
	RelayDown     = message.RelayDown
	Timeout       = message.Timeout
	TLS           = message.TLS
	Auth          = message.Auth
	Other         = message.Other
)
