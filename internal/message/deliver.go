package message

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/method"
)

// Deliver is the job that sends one message.
type Deliver struct {
	User    id.User    `json:"user"`
	Message id.Message `json:"message"`
}

// Kind implements job.Args.
func (Deliver) Kind() string { return "deliver" }

// Carriers are the ways out, one of a queue's own connections each, so that bulk mail
// never stands before a code.
type Carriers struct {
	Codes, Notices Mailer
	// Sender is the name beside the address of mails that speak for no site.
	Sender string
}

// Workers registers the work of this package.
func (p *Post) Workers(work *job.Work, out Carriers) {
	job.On(work, func(ctx context.Context, d Deliver) error { return p.deliver(ctx, out, d) })
}

// deliver sends one message, unless it has ended or run out. An error means that
// nobody could be asked: the job runs again, for as long as the code lives.
func (p *Post) deliver(ctx context.Context, out Carriers, d Deliver) error {
	m, err := ByID(ctx, p.DB, d.User, d.Message)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load a message: %w", err)
	}
	if m.State != Queued {
		return nil
	}
	if !p.DB.Clock.Now().Before(m.ExpiresAt) {
		return p.end(ctx, m, Expired, Step{Kind: StepExpired})
	}
	letter, code, err := p.letter(m)
	if err != nil {
		return err
	}
	carrier := out.Notices
	if m.Kind.lane() == job.Codes {
		carrier = out.Codes
	}
	receipt, err := carrier.Send(ctx, letter)
	receipt.Text = scrub(receipt.Text, code)
	switch {
	case errors.Is(err, Late):
		return p.end(ctx, m, Expired, Step{Kind: StepExpired})
	case errors.Is(err, fault.Invalid):
		// Nobody will ever take this letter: trying again would only keep the person waiting.
		return p.end(ctx, m, Refused, Step{Kind: StepRefused, Why: Other})
	case err != nil:
		return p.delayed(ctx, m, receipt, err)
	case receipt.Accepted:
		return p.end(ctx, m, Accepted, step(StepAccepted, receipt))
	case receipt.Unknown:
		// It may be on its way; a second one would be worse than none.
		return p.end(ctx, m, Accepted, step(StepUnknown, receipt))
	case receipt.Permanent:
		return p.end(ctx, m, Refused, step(StepRefused, receipt))
	default:
		return p.delayed(ctx, m, receipt, fmt.Errorf("the mail server says not now: %d %s", receipt.Code, receipt.Status))
	}
}

// scrub takes a code out of a server's words, which may quote the letter, however the
// digits are broken up.
func scrub(words, code string) string {
	if code == "" {
		return words
	}
	spread := regexp.MustCompile(strings.Join(strings.Split(code, ""), `\D{0,4}`)) // code is digits
	return spread.ReplaceAllString(words, "…")
}

func step(kind StepKind, r Receipt) Step {
	return Step{Kind: kind, Why: r.Reason, Said: r.Text, Carrier: r.Relay, firm: r.NamesMailbox()}
}

// end moves the message to its final state, once, with its step and, for a refusal,
// what that says about the address.
func (p *Post) end(ctx context.Context, m Message, to State, s Step) error {
	err := p.DB.Do(ctx, func(tx *db.Tx) error {
		s.At = tx.Now
		if err := finish(ctx, tx, m, to, s.Carrier); err != nil {
			return err
		}
		if err := addStep(ctx, tx, m, s); err != nil {
			return err
		}
		if to == Expired {
			return wipe(ctx, tx, m.User, m.ID, Expired)
		}
		if m.Method == "" {
			return nil
		}
		return p.health(ctx, tx, m, to, s)
	})
	if errors.Is(err, fault.Conflict) {
		return nil // used, replaced or sent by another node meanwhile
	}
	if err != nil {
		return fmt.Errorf("end a message: %w", err)
	}
	return nil
}

// health notes on the method what the mail server said of the address.
func (p *Post) health(ctx context.Context, tx *db.Tx, m Message, to State, s Step) error {
	switch {
	case to == Accepted && s.Kind == StepAccepted:
		return method.Delivered(ctx, tx, m.User, m.Method)
	case to == Refused:
		if err := method.Refused(ctx, tx, m.User, m.Method, string(s.Why), s.firm); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind:  audit.MessageRefused,
			Actor: audit.Actor{Kind: audit.ActorSystem, ID: "delivery"},
			Site:  m.Site,
			User:  m.User,
			Facts: map[string]string{"channel": string(m.Channel), "why": string(s.Why), "carrier": s.Carrier},
		})
	default:
		return nil
	}
}

// delayed notes the first delay on the timeline and has the job run again.
func (p *Post) delayed(ctx context.Context, m Message, r Receipt, cause error) error {
	err := p.DB.Do(ctx, func(tx *db.Tx) error {
		trail, err := steps(ctx, tx, m.User, m.ID)
		if err != nil || (len(trail) > 0 && trail[len(trail)-1].Kind == StepDelayed) {
			return err
		}
		s := step(StepDelayed, r)
		s.At = tx.Now
		return addStep(ctx, tx, m, s)
	})
	return errors.Join(cause, err)
}
