package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
	"keyturn/internal/web/reason"
)

// By is a way to pass. The words are those of the forms' field "method".
type By = web.By

// The ways.
const (
	ByEmail    = web.ByEmail
	BySMS      = web.BySMS
	ByTOTP     = web.ByTOTP
	ByPasskey  = web.ByPasskey
	ByRecovery = web.ByRecovery
)

// Offer is another way that one press starts.
type Offer struct {
	// Method is the value of the form's field "method".
	Method By
	// To is where the code would go, masked, or what the authenticator is called. May be
	// empty.
	To string
}

// CodePage asks for the second step by one way: a code that was sent, a code of an
// authenticator, a recovery code, or a passkey. Every time is words already, in the zone
// of the site. The forms carry the field "method"; the tick box is the field "remember".
type CodePage struct {
	// As is the name of whoever signs in, Site where. Site may be empty.
	As, Site string
	// By is the way that the page is about. For ByTOTP, ByRecovery and ByPasskey nothing
	// is sent: SentTo, Until, Trail, CanResend, ResendAt and RanOut stay empty.
	By By
	// Name is what the authenticator is called by its owner. May be empty.
	Name string
	// SentTo is where the code went, masked.
	SentTo string
	// Until is when the code ends: "7:12 am".
	Until string

	// Ceremony and Options are those of a passkey that is asked for already
	// (web.PasskeyAsk). Where they are empty, the script asks POST /signin/passkey/options
	// for them when the button is pressed. The answer comes as the form POST
	// /signin/passkey with the fields "ceremony", "credential" and "remember".
	Ceremony, Options string

	// Fault says in one sentence what was wrong with what was typed. FaultCostsNothing
	// adds that no guess was counted. Empty at first sight.
	Fault             string
	FaultCostsNothing bool
	// Refused says why the other side would not take the message or did not deliver it:
	// "mailbox full". The page then leads with it. Empty if it was not refused.
	Refused string
	// NoBalance says that the SMS was not sent because the site has none left. The page
	// then leads with that.
	NoBalance bool
	// OtherWay offers another way in one plain sentence, where the code was refused or not
	// sent: see OtherWay. May be empty.
	OtherWay string
	// Weather is a caution about the channel in use, "Mail is slow now, about 6 minutes.
	// Use another way." (see Weather); the Offers then come first. May be empty.
	Weather string
	// RanOut says that the last code lived to its end; Closed then says until when.
	RanOut bool
	// Closed, if it is not empty, says in one sentence why no code can be typed now,
	// and from when; the field is not shown then.
	Closed string

	// Trail is what happened to the code, newest last.
	Trail []Step
	// CanResend says that another code may be asked for now. If not, ResendAt is when:
	// "7:02:34 am", or empty if it will not help.
	CanResend bool
	ResendAt  string
	// Offers are the other ways on offer.
	Offers []Offer

	// RememberUntil is when this device would be forgotten, "Thu 3 Dec, 4:00 am". Empty
	// where no device may be remembered: there is no tick box then.
	RememberUntil string

	// Why is the sentence that says why a code is asked for, Facts what led to it.
	Why   string
	Facts []reason.Fact
	// Reference is in the message too: "BA-7K2M".
	Reference string
	// Helpers are the names of the site's admins who can help. May be empty.
	Helpers []string
}

// Head implements web.Page.
func (p CodePage) Head() web.Head {
	return web.Head{Template: "door/code", Title: p.Heading(), Problem: p.Fault, Site: p.Site, Layout: web.Beside}
}

// Heading is the one thing to know on this page.
func (p CodePage) Heading() string {
	switch {
	case p.NoBalance:
		return locale.Say(locale.CodeNoBalanceTitle)
	case p.Refused != "" && p.By == BySMS:
		return locale.Say(locale.CodeRefusedTitleSms)
	case p.Refused != "":
		return locale.Say(locale.CodeRefusedTitleEmail)
	case p.RanOut:
		return locale.Say(locale.CodeRanOutTitle)
	case p.Closed != "":
		return locale.Say(locale.CodeClosedTitle)
	}
	switch p.By {
	case ByTOTP:
		return locale.Say(locale.CodeTotpTitle)
	case ByRecovery:
		return locale.Say(locale.CodeRecoveryTitle)
	case ByPasskey:
		return locale.Say(locale.CodePasskeyTitle)
	case ByEmail, BySMS:
	}
	return locale.Say(locale.CodeTitle)
}

// Failed says that the code did not get through, or was not sent.
func (p CodePage) Failed() bool { return p.Refused != "" || p.NoBalance }

// Leads says that the other ways come before the field.
func (p CodePage) Leads() bool { return p.Failed() || p.Weather != "" }

// First says that the other ways have the main button: where there are any, and the way
// in use is in trouble.
func (p CodePage) First() bool { return p.Leads() && len(p.Offers) > 0 }

// Futile says that there is no code that could be typed: the only one was refused, or
// the SMS in use was never sent.
func (p CodePage) Futile() bool {
	if p.NoBalance && p.By == BySMS {
		return p.Fault == ""
	}
	return p.Failed() && len(p.Offers) == 0 && p.Fault == ""
}

// IsSMS says that the code goes to a phone.
func (p CodePage) IsSMS() bool { return p.By == BySMS }

// IsTOTP says that the code stands in an authenticator.
func (p CodePage) IsTOTP() bool { return p.By == ByTOTP }

// IsRecovery says that a recovery code is asked for.
func (p CodePage) IsRecovery() bool { return p.By == ByRecovery }

// IsPasskey says that a passkey is asked for.
func (p CodePage) IsPasskey() bool { return p.By == ByPasskey }

// Sends says that another code can be sent by the way in use.
func (p CodePage) Sends() bool { return p.By != ByTOTP && p.By != ByRecovery && p.By != ByPasskey }

// Moves says whether the page changes by itself while somebody looks at it.
func (p CodePage) Moves() bool {
	return web.TrailMoves(p.Trail) || !p.CanResend && p.ResendAt != ""
}

// Running is the trail as its template wants it.
func (p CodePage) Running() web.Trail {
	return web.Trail{Steps: p.Trail, Moves: p.Moves(), Here: "/signin/code"}
}

// Asking is the passkey's part of the page.
func (p CodePage) Asking() web.PasskeyForm {
	return web.PasskeyForm{
		Action: "/signin/passkey", Begin: "/signin/passkey/options", Here: "/signin/code", Ceremony: p.Ceremony, Options: p.Options,
		Words: locale.Say(locale.PasskeyUse), Main: !p.First(), Alone: true, Remember: p.RememberUntil, Fault: p.Fault,
	}
}

// Step is one line of the trail of a code.
type Step = web.TrailStep
