package enrol

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
)

// unproved is how many codes a number gets that nobody has proved: three in all. To link
// it again buys no more of them. Ninety days stand for "in all", because a number may be
// another person's by then.
var unproved = limit.Budget{Name: "sms.unproved", Cap: 3, Window: 90 * 24 * time.Hour}

// LinkMobile puts a number on file and sends it a code. The number is pending: until
// ProveMobile it is no way in, and the one before stays. Called again with the same
// number it sends another code.
func (d *Desk) LinkMobile(ctx context.Context, h Holder, typed string) (done Done, err error) {
	done, err = d.change(ctx, h, adding, func(tx *db.Tx, s held) (Done, error) {
		if s.facts.User.Staff || s.site == "" {
			return Done{Refused: NotHere}, nil // staff: authenticator or passkey only
		}
		at, err := site.ByID(ctx, tx, s.site)
		if err != nil {
			return Done{}, fmt.Errorf("find a site: %w", err)
		}
		number, err := phone.Mobile(typed, at.Region, d.Countries)
		if err != nil {
			return Done{Refused: BadNumber, Why: sentence(err)}, nil
		}
		return d.link(ctx, tx, s, linking{number: number, at: at})
	})
	if err == nil && done.Refused == Adjacent && d.Burst != nil {
		d.Burst()
	}
	return done, err
}

// sentence is what a fault.Invalid says to the person.
func sentence(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+fault.Invalid.Error())
}

// linking is a number on its way to become a method.
type linking struct {
	number string
	at     site.Site
	// before is the user's own pending row of the same number; zero if there is none.
	before method.Method
	letter message.Message
}

func (d *Desk) link(ctx context.Context, tx *db.Tx, s held, l linking) (Done, error) {
	all, err := method.Of(ctx, tx, s.who.ID)
	if err != nil {
		return Done{}, fmt.Errorf("read methods: %w", err)
	}
	for _, m := range all {
		switch {
		case m.Kind != policy.SMS || m.Address != l.number:
		case !m.ProvedAt.IsZero() && !m.Pending:
			return Done{Refused: SameNumber, Method: m.ID}, nil
		case m.Pending:
			l.before = m
		}
		if m.Kind == policy.SMS && m.Address == l.number && m.UnprovedSent >= unproved.Cap {
			return Done{Refused: NumberSpent}, nil
		}
	}
	if done := d.useful(s, tx.Now); done.Refused != "" {
		return done, nil
	}
	l.letter = message.Message{ID: id.New[id.Message](), User: s.who.ID, Site: l.at.ID, Address: l.number}
	done, err := d.afford(ctx, tx, s, &l)
	if err != nil || done.Refused != "" {
		return done, err
	}
	m, err := d.pending(ctx, tx, s, l)
	if err != nil {
		return Done{}, err
	}
	return Done{Method: m.ID}, d.send(ctx, tx, s, m, l)
}

// pending gives the row of the number. It is pending even for somebody who has proved
// nothing yet: a number that its owner mistyped must not become a way in.
func (d *Desk) pending(ctx context.Context, tx *db.Tx, s held, l linking) (method.Method, error) {
	if l.before.ID != "" {
		return l.before, nil
	}
	m, err := method.Relink(ctx, tx, s.who.ID, policy.SMS, l.number, true)
	if err != nil {
		return m, fmt.Errorf("link a number: %w", err)
	}
	return m, d.record(ctx, tx, s, effect{kind: audit.MethodLinked, facts: methodFacts(m), personal: methodPersonal(m)})
}

// useful says why a number would not let the person in, even once it is proved: then the
// one method of an enrol-only session is not spent on it.
func (d *Desk) useful(s held, now time.Time) Done {
	if s.enrol == nil {
		return Done{}
	}
	const fresh = "new"
	f := s.facts
	f.EnrolOnly, f.User.ResetMarkAt = false, time.Time{}
	f.User.Methods = append([]policy.Method{{
		ID: fresh, Kind: policy.SMS, LinkedAt: now, ProvedAt: now, Health: policy.HealthGood,
	}}, f.User.Methods...)
	decision := policy.Decide(f, now)
	if decision.Outcome != policy.Enrol {
		return Done{}
	}
	for _, w := range decision.NotOffered {
		if w.ID == fresh && w.Key == policy.NoSMSAvailable {
			return Done{Refused: NoBalance, Fix: w.Fix}
		}
	}
	return Done{Refused: TooWeak}
}

// afford takes the code from its budgets and from the site's balance. Where one of them
// has no room nothing is taken. The balance comes first and the budgets last, as in a
// sign-in: rows are taken in one order.
func (d *Desk) afford(ctx context.Context, tx *db.Tx, s held, l *linking) (Done, error) {
	beside, stopped, err := d.adjacent(ctx, tx, s, l.number)
	if err != nil || stopped {
		return Done{Refused: Adjacent}, err
	}
	charges, err := d.charges(ctx, tx, s, *l)
	if err != nil {
		return Done{}, err
	}
	charges = append(charges, beside...)
	answer, err := limit.Peek(ctx, tx, tx.Now, charges...)
	if err != nil {
		return Done{}, err
	}
	if !answer.OK {
		return soon(answer), nil
	}
	paid, err := d.pay(ctx, tx, s, l)
	if err != nil {
		return Done{}, err
	}
	if !paid {
		return Done{Refused: NoBalance, Fix: fixer(s)}, nil
	}
	if answer, err = limit.Take(ctx, tx, charges...); err != nil || answer.OK {
		return Done{}, err
	}
	// Somebody was quicker between the look and the take.
	if _, err := balance.Release(ctx, tx, l.letter.Site, l.letter.Hold); err != nil {
		return Done{}, fmt.Errorf("give an SMS back: %w", err)
	}
	return soon(answer), nil
}

func soon(a limit.Answer) Done {
	if a.Budget == unproved.Name {
		return Done{Refused: NumberSpent}
	}
	if a.Budget == limit.NewNumbers.Name {
		return Done{Refused: TooMany, Retry: a.Retry}
	}
	return Done{Refused: TooSoon, Retry: a.Retry}
}

// fixer is who can top the balance up: an admin of the site, unless they are it.
func fixer(s held) policy.Fixer {
	for _, m := range s.facts.Memberships {
		if m.Site == string(s.site) && m.LoneAdmin {
			return policy.FixAccountManager
		}
	}
	return policy.FixAdmin
}

// charges are the budgets of one code to a number: those of a sign-in's codes, because it
// is the same person and the same phone, and the three codes of an unproved number.
func (d *Desk) charges(ctx context.Context, tx *db.Tx, s held, l linking) ([]limit.Charge, error) {
	who := string(s.who.ID)
	known, err := session.Known(ctx, tx, s.who.ID, s.place, tx.Now)
	if err != nil {
		return nil, fmt.Errorf("look for a known place: %w", err)
	}
	country := phone.Country(l.number)
	abroad := limit.SMSAbroad
	if country == l.at.Region {
		abroad = limit.SMSHome
	}
	charges := []limit.Charge{
		{Budget: limit.CodeNext, Subject: limit.Subject(who, s.holder(), l.number), Known: known},
		{Budget: limit.CodesUser, Subject: limit.Subject(who), Known: known},
		{Budget: limit.CodesDestination, Subject: limit.Subject(l.number), Known: known},
		{Budget: limit.CodesDestinationDay, Subject: limit.Subject(l.number), Known: known},
		{Budget: limit.CodesNetwork, Subject: limit.Subject(s.place.Network), Known: known},
		{Budget: limit.CodesSite, Subject: limit.Subject(string(l.at.ID)), Known: known},
		unprovedCharge(s.who.ID, l.number),
		limit.Charge{Budget: abroad, Subject: strings.ToLower(country)}.Spread(who),
		limit.Spread(limit.CodesSystem, who),
	}
	if l.before.ID == "" { // a number that waits already gets its codes all the same
		charges = append(charges, limit.Charge{Budget: limit.NewNumbers, Subject: limit.Subject("new number", who)})
	}
	return charges, nil
}

func unprovedCharge(who id.User, number string) limit.Charge {
	return limit.Charge{Budget: unproved, Subject: limit.Subject("unproved number", string(who), number)}
}

// pay reserves the SMS at the site that is entered. Admins may use the float.
func (d *Desk) pay(ctx context.Context, tx *db.Tx, s held, l *linking) (paid bool, err error) {
	if !d.Standing.SMS {
		return false, nil
	}
	if l.letter.Admin, err = standing.FloatFor(ctx, tx, tx.Now, l.at.ID, s.who.ID); err != nil {
		return false, err
	}
	hold, ok, err := balance.Reserve(ctx, tx, balance.Ask{
		Site: l.at.ID, User: s.who.ID, Message: l.letter.ID, Try: 1, Parts: 1, Admin: l.letter.Admin,
	})
	if err != nil {
		return false, fmt.Errorf("reserve an SMS: %w", err)
	}
	l.letter.Hold = hold
	return ok, nil
}

// send makes a code, ends those before it, and promises its message.
func (d *Desk) send(ctx context.Context, tx *db.Tx, s held, m method.Method, l linking) error {
	closed, err := d.closeCodes(ctx, tx, s.who.ID)
	if err != nil {
		return err
	}
	for _, c := range closed {
		if !c.live(tx.Now) {
			continue
		}
		if err := d.recordCode(ctx, tx, s, audit.CodeReplaced, c.method); err != nil {
			return err
		}
	}
	c := code{
		id: id.New[id.Code](), method: m.ID, message: l.letter.ID, madeAt: tx.Now, expiresAt: tx.Now.Add(d.codeLife()),
	}
	digits := secret.Digits(codeDigits)
	c.mac = d.Keys.MAC(codePurpose, macParts(s, c, digits)...)
	letter := l.letter
	letter.Kind, letter.Channel, letter.Method, letter.ExpiresAt = message.ProveCode, message.SMS, m.ID, c.expiresAt
	letter.Words = message.Words{
		FirstName: s.who.FirstName, From: l.at.Name, Vendor: d.VendorName, Zone: l.at.Zone.String(), Agent: s.place.Agent,
	}
	if _, err := d.Post.Promise(ctx, tx, letter, secret.NewText(digits)); err != nil {
		return err
	}
	if err := insertCode(ctx, tx, s, c); err != nil {
		return fmt.Errorf("store a code: %w", err)
	}
	if err := method.Sent(ctx, tx, s.who.ID, m.ID); err != nil {
		return fmt.Errorf("count a code sent: %w", err)
	}
	return d.recordCode(ctx, tx, s, audit.CodeSent, m.ID)
}

func (d *Desk) recordCode(ctx context.Context, tx *db.Tx, s held, kind audit.Kind, which id.Method) error {
	return d.record(ctx, tx, s, effect{kind: kind, facts: map[string]string{"method": string(which), "kind": string(policy.SMS)}})
}
