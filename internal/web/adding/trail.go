package adding

import (
	"time"

	"keyturn/internal/message"
	"keyturn/internal/web"
)

// Trail is the stored steps of a message, to be put into words.
type Trail struct {
	Steps []message.Step
	By    web.By
	// Live says that its code can still be typed: then something is still to come.
	Live bool
	Zone *time.Location
	// Now is when the page is shown. Its zero value: at once after the last step.
	Now time.Time
	// Site is who pays for an SMS, Helpers are who can help. Both may be empty.
	Site    string
	Helpers []string
}

// soon is how long after a carrier took a message it is said to arrive in a moment.
const soon = time.Minute

// Words are the lines of the trail, and what is still to come.
func (t Trail) Words() []web.TrailStep {
	var lines []web.TrailStep
	for _, s := range t.Steps {
		if line, ok := t.line(s); ok {
			lines = append(lines, line)
		}
	}
	if len(t.Steps) == 0 || !t.Live {
		return lines
	}
	last := t.Steps[len(t.Steps)-1]
	switch last.Kind {
	case message.StepPromised:
		lines = append(lines, web.TrailPromised())
	case message.StepDelayed:
		lines = append(lines, web.TrailRetry())
	case message.StepAccepted, message.StepHanded:
		if t.Now.Sub(last.At) > soon && !t.Now.IsZero() {
			return append(lines, web.TrailDue(t.By))
		}
		lines = append(lines, web.TrailSoon(t.By))
	case message.StepUnknown, message.StepNoBalance, message.StepRefused, message.StepExpired,
		message.StepDelivered, message.StepUndelivered:
	}
	return lines
}

func (t Trail) line(s message.Step) (web.TrailStep, bool) {
	h := web.Happening{By: t.By, At: s.At, Zone: t.Zone}
	switch s.Kind {
	case message.StepPromised:
		return h.Sent(), true
	case message.StepHanded:
		return h.Handed(), true
	case message.StepAccepted:
		return h.Taken(), true
	case message.StepUnknown:
		return h.Unknown(), true
	case message.StepNoBalance:
		return h.NoBalance(t.Site, t.Helpers), true
	case message.StepRefused:
		return h.Refused(Why(t.By, s.Why), t.Helpers), true
	case message.StepExpired:
		return h.Expired(), true
	case message.StepDelivered:
		return h.Delivered(), true
	case message.StepUndelivered:
		return h.Undelivered(Why(t.By, s.Why), t.Helpers), true
	case message.StepDelayed:
	}
	return web.TrailStep{}, false
}

// Failed is why a message did not get through, in words; empty if nothing says so. A
// receipt that it was delivered after all takes it back.
func (t Trail) Failed() string {
	why := ""
	for _, s := range t.Steps {
		switch s.Kind {
		case message.StepRefused, message.StepUndelivered:
			why = Why(t.By, s.Why)
		case message.StepDelivered:
			why = ""
		case message.StepPromised, message.StepHanded, message.StepDelayed, message.StepAccepted, message.StepUnknown,
			message.StepNoBalance, message.StepExpired:
		}
	}
	return why
}

// Why is a carrier's reason in words.
func Why(by web.By, why message.Reason) string {
	switch why {
	case message.MailboxFull:
		return web.BounceFull()
	case message.NoSuchMailbox:
		return web.BounceUnknown()
	case message.Blocked:
		return web.BouncePolicy()
	case message.NumberInvalid:
		return web.SMSNumber()
	case message.NumberBlocked:
		return web.SMSBlocked()
	case message.OptedOut:
		return web.SMSOptedOut()
	case message.CarrierDown:
		return web.SMSDown()
	case message.Unreachable:
		return web.SMSUnreachable()
	case message.RelayDown, message.Timeout, message.TLS, message.Auth, message.Other, message.NoBalance:
	}
	if by == web.BySMS {
		return web.SMSOther()
	}
	return web.BounceOther()
}
