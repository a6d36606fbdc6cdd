package message

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
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
	// Texts takes the SMS; nil where there is no provider: then none are sent.
	Texts Texter
	// Sender is the vendor's name: who speaks in mails that speak for no site.
	Sender string
	// LinkBase is the public URL: every link and every host in a message is made of it
	// and of nothing else.
	LinkBase *url.URL
}

// vendor is who speaks where no site does.
func (c Carriers) vendor() string {
	if c.Sender == "" && c.LinkBase != nil {
		return c.LinkBase.Hostname()
	}
	return c.Sender
}

// host is whose page a code is for; empty if that is not known.
func (c Carriers) host() string {
	if c.LinkBase == nil {
		return ""
	}
	return c.LinkBase.Hostname()
}

// Workers registers the work of this package. It is called once, before the work begins.
func (p *Post) Workers(work *job.Work, out Carriers) {
	p.out = out
	job.On(work, func(ctx context.Context, d Deliver) error { return p.deliver(ctx, out, d) })
	job.On(work, func(ctx context.Context, n Notify) error { return p.notify(ctx, n) })
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
	over := !p.DB.Clock.Now().Before(m.ExpiresAt)
	if over && m.Kind == NoticeMail {
		return p.DB.Do(ctx, func(tx *db.Tx) error { return takeBack(ctx, tx, m) })
	}
	if over {
		return p.end(ctx, m, Expired, Step{Kind: StepExpired})
	}
	if m.Channel == SMS {
		return p.deliverText(ctx, out, m)
	}
	letter, code, err := p.letter(ctx, out, m)
	if errors.Is(err, fault.Invalid) {
		return p.end(ctx, m, Refused, Step{Kind: StepRefused, Why: Other})
	}
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

// scrub takes a secret out of a server's words, which may quote the message, however the
// digits of a code are broken up.
func scrub(words, code string) string {
	if code == "" || words == "" {
		return words
	}
	between := `\D{0,4}`
	if strings.Trim(code, "0123456789") != "" {
		between = "" // a token, which has no groups
	}
	spread := make([]string, 0, len(code))
	for _, r := range code {
		spread = append(spread, regexp.QuoteMeta(string(r)))
	}
	return regexp.MustCompile(strings.Join(spread, between)).ReplaceAllString(words, "…")
}

func step(kind StepKind, r Receipt) Step {
	return Step{Kind: kind, Why: r.Reason, Said: r.Text, Carrier: r.Relay, firm: r.NamesMailbox()}
}

// end moves the message to its final state, once, with its step and, for a refusal,
// what that says about the address.
func (p *Post) end(ctx context.Context, m Message, to State, s Step) error {
	err := p.DB.Do(ctx, func(tx *db.Tx) error { return p.close(ctx, tx, m, to, s) })
	if errors.Is(err, fault.Conflict) {
		return nil // used, replaced or sent by another node meanwhile
	}
	if err != nil {
		return fmt.Errorf("end a message: %w", err)
	}
	return nil
}

// close is end inside a transaction; fault.Conflict if the message has ended.
func (p *Post) close(ctx context.Context, tx *db.Tx, m Message, to State, s Step) error {
	s.At = tx.Now
	if err := finish(ctx, tx, m, to, s.Carrier); err != nil {
		return err
	}
	if err := addStep(ctx, tx, m, s); err != nil {
		return err
	}
	if m.Channel == SMS {
		if err := letGo(ctx, tx, m.User, m.ID); err != nil {
			return err
		}
	}
	switch to {
	case Expired:
		_, err := wipe(ctx, tx, m.User, m.ID, Expired)
		return err
	case Accepted:
		if s.Kind != StepAccepted {
			return nil
		}
		if err := handedOver(ctx, tx, m, s.Carrier); err != nil {
			return err
		}
	case Refused:
		if err := p.elsewhere(ctx, tx, m); err != nil {
			return err
		}
	case Queued, Delivered, Undelivered, Dropped:
	}
	return p.health(ctx, tx, m, to, s)
}

// health notes on the method what the carrier said of the address.
func (p *Post) health(ctx context.Context, tx *db.Tx, m Message, to State, s Step) error {
	if m.Method == "" || s.Kind == StepNoBalance {
		return nil
	}
	switch {
	case to == Accepted && s.Kind == StepAccepted:
		return method.Delivered(ctx, tx, m.User, m.Method)
	case to == Refused:
		if err := audit.Record(ctx, tx, event(audit.MessageRefused, m, s)); err != nil {
			return err
		}
		return p.trouble(ctx, tx, m, s, false)
	default:
		return nil
	}
}

// event is what the trail says of a message that went wrong. That of an invitation is about
// no user: the site is not to learn whose an address is before it is accepted.
func event(kind audit.Kind, m Message, s Step) audit.Event {
	if m.Kind == InvitationLink {
		m.User = ""
	}
	return audit.Event{
		Kind:  kind,
		Actor: audit.Actor{Kind: audit.ActorSystem, ID: "delivery"},
		Site:  m.Site,
		User:  m.User,
		Facts: map[string]string{"channel": string(m.Channel), "why": string(s.Why), "carrier": s.Carrier},
	}
}

// delayed notes the first delay on the timeline and has the job run again.
func (p *Post) delayed(ctx context.Context, m Message, r Receipt, cause error) error {
	err := p.DB.Do(ctx, func(tx *db.Tx) error {
		if err := notTaken(ctx, tx, m); err != nil {
			return err
		}
		return p.addDelayed(ctx, tx, m, step(StepDelayed, r))
	})
	return errors.Join(cause, err)
}

// notTaken notes for the delivery's weather that no carrier took a code.
func notTaken(ctx context.Context, tx *db.Tx, m Message) error {
	if m.Kind != SignInCode && m.Kind != ProveCode {
		return nil
	}
	return delivery.NotTaken(ctx, tx, string(m.Channel), m.ID)
}

// addDelayed notes a delay, once in a row.
func (p *Post) addDelayed(ctx context.Context, tx *db.Tx, m Message, s Step) error {
	trail, err := steps(ctx, tx, m.User, m.ID)
	if err != nil || (len(trail) > 0 && trail[len(trail)-1].Kind == StepDelayed) {
		return err
	}
	s.At = tx.Now
	return addStep(ctx, tx, m, s)
}
