package door

import (
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// By is a way that a code travels. The words are those of the forms' field "method".
type By string

// The channels.
const (
	ByEmail By = "email"
	BySMS   By = "sms"
)

// Offer is another way that one press starts.
type Offer struct {
	// Method is the value of the form's field "method".
	Method By
	// To is where the code would go, masked.
	To string
}

// Fact is one line of the job card: what on the left, which on the right.
type Fact struct {
	What, Which string
}

// CodePage asks for the code of one challenge. Every time is words already, in the
// zone of the site.
type CodePage struct {
	// As is the name of whoever signs in, Site where. Site may be empty.
	As, Site string
	// SentTo is where the code went, masked; By the way it went.
	SentTo string
	By     By
	// Until is when the code ends: "7:12 am".
	Until string

	// Fault says in one sentence what was wrong with what was typed. FaultCostsNothing
	// adds that no guess was counted. Empty at first sight.
	Fault             string
	FaultCostsNothing bool
	// Refused says why the other side would not take the message: "mailbox full". The
	// page then leads with it. Empty if it was not refused.
	Refused string
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
	Facts []Fact
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
	case p.Refused != "" && p.By == BySMS:
		return locale.Say(locale.CodeRefusedTitleSms)
	case p.Refused != "":
		return locale.Say(locale.CodeRefusedTitleEmail)
	case p.RanOut:
		return locale.Say(locale.CodeRanOutTitle)
	case p.Closed != "":
		return locale.Say(locale.CodeClosedTitle)
	}
	return locale.Say(locale.CodeTitle)
}

// Futile says that there is no code that could be typed: the only one was refused.
func (p CodePage) Futile() bool {
	return p.Refused != "" && len(p.Offers) == 0 && p.Fault == ""
}

// Moves says whether the page changes by itself while somebody looks at it.
func (p CodePage) Moves() bool {
	for _, step := range p.Trail {
		if step.State == Waiting {
			return true
		}
	}
	return !p.CanResend && p.ResendAt != ""
}

// StepState is how far one step of the trail is.
type StepState int

// The states of a step.
const (
	// Waiting has not happened yet.
	Waiting StepState = iota
	// Done went well.
	Done
	// Refused went wrong.
	Refused
)

// Step is one line of the trail of a code.
type Step struct {
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
func (s Step) IsDone() bool { return s.State == Done }

// IsRefused says whether the step went wrong.
func (s Step) IsRefused() bool { return s.State == Refused }

// HasHappened says whether the step has an instant.
func (s Step) HasHappened() bool { return !s.When.IsZero() }

// StepPromised is the open step of a message that no carrier has taken yet.
func StepPromised() Step {
	return Step{State: Waiting, Words: locale.Say(locale.TrailPromised)}
}

// StepSent says that the code left us at a time.
func StepSent(by By, at time.Time, zone *time.Location) Step {
	words := locale.Say(locale.TrailSentEmail)
	if by == BySMS {
		words = locale.Say(locale.TrailSentSms)
	}
	return happened(Done, words, at, zone)
}

// StepTaken says that the other side took the code.
func StepTaken(by By, at time.Time, zone *time.Location) Step {
	words := locale.Say(locale.TrailTakenEmail)
	if by == BySMS {
		words = locale.Say(locale.TrailTakenSms)
	}
	return happened(Done, words, at, zone)
}

// StepSoon is the last, open step: the message is on its last metres. The note says
// where else to look.
func StepSoon(by By) Step {
	if by == BySMS {
		return Step{State: Waiting, Words: locale.Say(locale.TrailSoonSms), At: locale.Say(locale.TrailSoonAt)}
	}
	return Step{
		State: Waiting,
		Words: locale.Say(locale.TrailSoonEmail),
		At:    locale.Say(locale.TrailSoonAt),
		Note:  locale.Say(locale.TrailSoonNote),
	}
}

// StepRetry is the open step after a try that came to nothing for the moment.
func StepRetry() Step {
	return Step{State: Waiting, Words: locale.Say(locale.TrailRetry)}
}

// StepRefused says that the other side would not take the code, and why, in words
// ("mailbox full"); the note says what the person can do and who can help.
func StepRefused(by By, why string, helpers []string, at time.Time, zone *time.Location) Step {
	step := happened(Refused, locale.Say(locale.TrailRefused, locale.Data{"Why": why}), at, zone)
	if by != ByEmail {
		return step
	}
	who, full := locale.Data{"Who": locale.AnyOf(helpers)}, why == BounceFull()
	switch {
	case full && len(helpers) > 0:
		step.Note = locale.Say(locale.TrailRefusedNoteFull, who)
	case full:
		step.Note = locale.Say(locale.TrailRefusedNoteFullAny)
	case len(helpers) > 0:
		step.Note = locale.Say(locale.TrailRefusedNote, who)
	}
	return step
}

func happened(state StepState, words string, at time.Time, zone *time.Location) Step {
	return Step{State: state, Words: words, At: locale.ClockSeconds(at, zone), When: at}
}
