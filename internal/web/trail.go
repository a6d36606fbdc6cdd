package web

import (
	"time"

	"keyturn/internal/locale"
)

// By is a way to pass the second step. The words are those of the forms' field "method"
// and of policy.MethodKind.
type By string

// The ways.
const (
	ByEmail    By = "email"
	BySMS      By = "sms"
	ByTOTP     By = "totp"
	ByPasskey  By = "passkey"
	ByRecovery By = "recovery"
)

// Carried says that a code travels to the person.
func (b By) Carried() bool { return b == ByEmail || b == BySMS }

// StepState is how far one step of the trail is.
type StepState int

// The states of a step.
const (
	// StepWaiting has not happened yet.
	StepWaiting StepState = iota
	// StepDone went well.
	StepDone
	// StepRefused went wrong.
	StepRefused
)

// TrailStep is one line of the trail of a code.
type TrailStep struct {
	State StepState
	// Words say what happened.
	Words string
	// At is when, in words; When the same for machines, zero for what is yet to come.
	At   string
	When time.Time
	// Note says what to do meanwhile. May be empty.
	Note string
}

// IsDone says whether the step went well.
func (s TrailStep) IsDone() bool { return s.State == StepDone }

// IsRefused says whether the step went wrong.
func (s TrailStep) IsRefused() bool { return s.State == StepRefused }

// HasHappened says whether the step has an instant.
func (s TrailStep) HasHappened() bool { return !s.When.IsZero() }

// Trail is what the part template "trail" shows.
type Trail struct {
	// Steps are the lines, newest last.
	Steps []TrailStep
	// Moves says that the page changes by itself: the script looks again, and without it
	// there is a link to Here, the path of the page itself.
	Moves bool
	Here  string
}

// TrailMoves says whether something is still to come: the last line is open.
func TrailMoves(steps []TrailStep) bool {
	return len(steps) > 0 && steps[len(steps)-1].State == StepWaiting
}

// Happening is when something happened to a code that goes by a way, said in a zone.
type Happening struct {
	By   By
	At   time.Time
	Zone *time.Location
}

func (h Happening) done(words string) TrailStep { return h.step(StepDone, words) }

func (h Happening) step(state StepState, words string) TrailStep {
	return TrailStep{State: state, Words: words, At: locale.ClockSeconds(h.At, h.Zone), When: h.At}
}

// Sent says that the code left us.
func (h Happening) Sent() TrailStep {
	if h.By == BySMS {
		return h.done(locale.Say(locale.TrailSentSms))
	}
	return h.done(locale.Say(locale.TrailSentEmail))
}

// Handed says that the code is given to a carrier at this moment.
func (h Happening) Handed() TrailStep {
	if h.By == BySMS {
		return h.done(locale.Say(locale.TrailHandedSms))
	}
	return h.done(locale.Say(locale.TrailHandedEmail))
}

// Taken says that the other side took the code.
func (h Happening) Taken() TrailStep {
	if h.By == BySMS {
		return h.done(locale.Say(locale.TrailTakenSms))
	}
	return h.done(locale.Say(locale.TrailTakenEmail))
}

// Delivered says that the code is where the person can read it.
func (h Happening) Delivered() TrailStep {
	if h.By == BySMS {
		s := h.done(locale.Say(locale.TrailDeliveredSms))
		s.Note = locale.Say(locale.TrailDeliveredNote)
		return s
	}
	s := h.done(locale.Say(locale.TrailDeliveredEmail))
	s.Note = locale.Say(locale.TrailSoonNote)
	return s
}

// Unknown says that the carrier gave no answer: the code may arrive or not.
func (h Happening) Unknown() TrailStep {
	return h.step(StepWaiting, locale.Say(locale.TrailUnknown))
}

// Expired says that the code was too old to be given to a carrier.
func (h Happening) Expired() TrailStep {
	return h.step(StepRefused, locale.Say(locale.TrailExpired))
}

// NoBalance says that the site had no SMS left for another try; helpers may add some.
func (h Happening) NoBalance(site string, helpers []string) TrailStep {
	s := h.step(StepRefused, locale.Say(locale.TrailNoBalance, locale.Data{"Site": site}))
	if len(helpers) > 0 {
		s.Note = locale.Say(locale.TrailNoBalanceWho, locale.Data{"Who": locale.AnyOf(helpers)})
	}
	return s
}

// Undelivered says that the code was taken and did not arrive, and why, one of the
// Bounce and SMS words; the note says what to do and who can help.
func (h Happening) Undelivered(why string, helpers []string) TrailStep {
	s := h.step(StepRefused, locale.Say(locale.TrailUndelivered, locale.Data{"Why": why}))
	s.Note = refusedNote(h.By, why, helpers)
	return s
}

// Refused says that the other side would not take the code, and why, one of the Bounce
// and SMS words; the note says what to do and who can help.
func (h Happening) Refused(why string, helpers []string) TrailStep {
	s := h.step(StepRefused, locale.Say(locale.TrailRefused, locale.Data{"Why": why}))
	s.Note = refusedNote(h.By, why, helpers)
	return s
}

func refusedNote(by By, why string, helpers []string) string {
	who := locale.Data{"Who": locale.AnyOf(helpers)}
	if by == BySMS {
		switch {
		case why == SMSOptedOut():
			return locale.Say(locale.TrailNoteOptedOut)
		case why == SMSUnreachable():
			return locale.Say(locale.TrailNoteUnreachable)
		case why == SMSNumber() && len(helpers) > 0:
			return locale.Say(locale.TrailNoteNumber, who)
		}
		return locale.Say(locale.TrailNoteElse)
	}
	switch {
	case why == BounceFull() && len(helpers) > 0:
		return locale.Say(locale.TrailRefusedNoteFull, who)
	case why == BounceFull():
		return locale.Say(locale.TrailRefusedNoteFullAny)
	case len(helpers) > 0:
		return locale.Say(locale.TrailRefusedNote, who)
	}
	return ""
}

// TrailPromised is the open step of a message that no carrier has taken yet.
func TrailPromised() TrailStep { return TrailStep{Words: locale.Say(locale.TrailPromised)} }

// TrailRetry is the open step after a try that came to nothing for the moment.
func TrailRetry() TrailStep { return TrailStep{Words: locale.Say(locale.TrailRetry)} }

// TrailSoon is the last, open step: the message is on its last metres. The note says
// where else to look.
func TrailSoon(by By) TrailStep {
	if by == BySMS {
		return TrailStep{Words: locale.Say(locale.TrailSoonSms), At: locale.Say(locale.TrailSoonAt)}
	}
	return TrailStep{
		Words: locale.Say(locale.TrailSoonEmail),
		At:    locale.Say(locale.TrailSoonAt),
		Note:  locale.Say(locale.TrailSoonNote),
	}
}

// TrailDue takes its place when the message should have arrived: nobody has said that it
// did not, and other ways stand below.
func TrailDue(by By) TrailStep {
	if by == BySMS {
		return TrailStep{Words: locale.Say(locale.TrailDueSms)}
	}
	return TrailStep{Words: locale.Say(locale.TrailDueEmail), Note: locale.Say(locale.TrailSoonNote)}
}

// Why the other side refused a message, or did not deliver it.

// BounceFull is a full mailbox (RFC 3463, X.2.2).
func BounceFull() string { return locale.Say(locale.TrailWhyFull) }

// BounceUnknown is a mailbox that does not exist (RFC 3463, X.1.1).
func BounceUnknown() string { return locale.Say(locale.TrailWhyUnknown) }

// BouncePolicy is a server that does not want the mail (RFC 3463, X.7).
func BouncePolicy() string { return locale.Say(locale.TrailWhyPolicy) }

// BounceOther is every other refusal.
func BounceOther() string { return locale.Say(locale.TrailWhyOther) }

// SMSNumber is a number that does not exist or takes no SMS.
func SMSNumber() string { return locale.Say(locale.TrailWhyNumber) }

// SMSBlocked is a phone company that lets nothing of ours through.
func SMSBlocked() string { return locale.Say(locale.TrailWhyBlocked) }

// SMSOptedOut is a number whose owner told the provider to stop.
func SMSOptedOut() string { return locale.Say(locale.TrailWhyOptedOut) }

// SMSDown is a provider that is out of service.
func SMSDown() string { return locale.Say(locale.TrailWhyDown) }

// SMSUnreachable is a phone that was off, or out of reach, for too long.
func SMSUnreachable() string { return locale.Say(locale.TrailWhyUnreachable) }

// SMSOther is every other refusal of an SMS.
func SMSOther() string { return locale.Say(locale.TrailWhyOtherSms) }
