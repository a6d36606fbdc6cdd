package signin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
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
	"keyturn/internal/user"
)

// codeDigits is the length of a code (NIST 800-63B-4 section 3.1.3.2: six or more).
const codeDigits = 6

// Choose turns to a method: where its codes travel another one is sent, which replaces
// the one before; the others only turn the page.
func (d *Desk) Choose(ctx context.Context, token string, kind policy.MethodKind) (next Next, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		offers, on, err := d.on(ctx, tx, a, who, kind)
		if err != nil || len(offers) == 0 {
			next = on
			return err
		}
		if next, err = d.turn(ctx, tx, a, who, offers[0]); err != nil || next.Wrong != "" {
			return err
		}
		a.Chosen = kind
		return storeChosen(ctx, tx, a)
	}, &next)
	return next, err
}

func (d *Desk) turn(ctx context.Context, tx *db.Tx, a Attempt, who user.User, offer policy.Offer) (Next, error) {
	if !carried(offer.Kind) {
		return Next{Step: AskCode}, nil
	}
	return d.send(ctx, tx, a, who, offer)
}

// carried says whether codes of the method travel: the others are made by the person.
func carried(kind policy.MethodKind) bool { return kind == policy.Email || kind == policy.SMS }

// firstCode sends a code by the policy's default, unless one is on its way already.
func (d *Desk) firstCode(ctx context.Context, tx *db.Tx, a Attempt, who user.User, decision policy.Decision) (Next, error) {
	offer, ok := choose(decision, decision.Default)
	if !ok || !carried(offer.Kind) {
		return Next{Step: AskCode}, nil
	}
	all, err := codesOf(ctx, tx, a)
	if err != nil {
		return Next{}, fmt.Errorf("read codes: %w", err)
	}
	if live, _ := sift(all, tx.Now); live != nil {
		return Next{Step: AskCode}, nil
	}
	return d.send(ctx, tx, a, who, offer)
}

// send makes a code, replaces those before it, and promises its message, all in the
// caller's transaction. When a budget of sends is used up, or the site has no SMS left,
// nothing is changed.
func (d *Desk) send(ctx context.Context, tx *db.Tx, a Attempt, who user.User, offer policy.Offer) (Next, error) {
	m, err := method.ByID(ctx, tx, a.User, id.Method(offer.ID))
	if err != nil {
		return Next{}, fmt.Errorf("find a method: %w", err)
	}
	known, err := session.Known(ctx, tx, a.User, a.Place, tx.Now)
	if err != nil {
		return Next{}, fmt.Errorf("look for a known place: %w", err)
	}
	letter := message.Message{ID: id.New[id.Message](), User: a.User, Site: a.Site, Method: m.ID, Address: m.Address}
	next, err := d.afford(ctx, tx, a, m, &letter, send{offer: offer, known: known})
	if err != nil || next.Wrong != "" {
		return next, err
	}
	wrong, err := d.replace(ctx, tx, a, m.ID)
	if err != nil {
		return Next{}, err
	}
	c := code{
		id: id.New[id.Code](), method: m.ID, message: letter.ID, madeAt: tx.Now, expiresAt: tx.Now.Add(d.codeLife()), wrong: wrong,
	}
	if c.challenge, err = challengeOf(ctx, tx, a); err != nil {
		return Next{}, fmt.Errorf("open a challenge: %w", err)
	}
	digits := secret.Digits(codeDigits)
	c.mac = d.Keys.MAC("signin code", macParts(a, c, digits)...)
	letter.Kind, letter.Channel, letter.ExpiresAt = message.SignInCode, message.Channel(m.Kind), c.expiresAt
	if err := d.promise(ctx, tx, a, who, letter, digits); err != nil {
		return Next{}, err
	}
	if err := insertCode(ctx, tx, a, c); err != nil {
		return Next{}, fmt.Errorf("store a code: %w", err)
	}
	if err := method.Sent(ctx, tx, a.User, m.ID); err != nil {
		return Next{}, fmt.Errorf("count a code sent: %w", err)
	}
	return Next{Step: AskCode}, d.recordCode(ctx, tx, a, audit.CodeSent, c)
}

// send is one code on its way out.
type send struct {
	offer policy.Offer
	known bool
}

// afford takes the send from its budgets, and an SMS from the balance of the site that
// pays. Where either has no room nothing is taken.
func (d *Desk) afford(ctx context.Context, tx *db.Tx, a Attempt, m method.Method, letter *message.Message, s send) (Next, error) {
	charges, err := d.sendCharges(ctx, tx, a, m, s)
	if err != nil {
		return Next{}, err
	}
	answer, err := limit.Peek(ctx, tx, tx.Now, charges...)
	if err != nil {
		return Next{}, err
	}
	if !answer.OK {
		return Next{Step: AskCode, Wrong: TooSoon, Retry: answer.Retry}, nil
	}
	paid := false
	if m.Kind == policy.SMS {
		letter.Site = id.Site(s.offer.Site)
		if paid, err = d.pay(ctx, tx, letter); err != nil {
			return Next{}, err
		}
		if !paid {
			return Next{Step: AskCode, Wrong: NoBalance}, nil
		}
	}
	if answer, err = limit.Take(ctx, tx, charges...); err != nil || answer.OK {
		return Next{}, err
	}
	if paid { // somebody was quicker between the look and the take
		if _, err := balance.Release(ctx, tx, letter.Site, letter.Hold); err != nil {
			return Next{}, fmt.Errorf("give an SMS back: %w", err)
		}
	}
	return Next{Step: AskCode, Wrong: TooSoon, Retry: answer.Retry}, nil
}

// pay reserves the SMS at the site whose requirement led to the question.
func (d *Desk) pay(ctx context.Context, tx *db.Tx, letter *message.Message) (bool, error) {
	var err error
	if letter.Admin, err = standing.FloatFor(ctx, tx, tx.Now, letter.Site, letter.User); err != nil {
		return false, err
	}
	hold, ok, err := balance.Reserve(ctx, tx, balance.Ask{
		Site: letter.Site, User: letter.User, Message: letter.ID, Try: 1, Parts: 1, Admin: letter.Admin,
	})
	if err != nil {
		return false, fmt.Errorf("reserve an SMS: %w", err)
	}
	letter.Hold = hold
	return ok, nil
}

func (d *Desk) promise(ctx context.Context, tx *db.Tx, a Attempt, who user.User, letter message.Message, digits string) error {
	words := message.Words{FirstName: who.FirstName, From: d.VendorName, Vendor: d.VendorName, Zone: time.UTC.String(), Agent: a.Place.Agent}
	if a.Site != "" {
		at, err := site.ByID(ctx, tx, a.Site)
		if err != nil {
			return fmt.Errorf("find a site: %w", err)
		}
		words.From, words.Zone = at.Name, at.Zone.String()
		if helpers, err := d.helpers(ctx, tx, a); err != nil {
			return err
		} else if len(helpers) > 0 {
			words.Helper = helpers[0]
		}
	}
	letter.Words, letter.Reference = words, a.Reference
	_, err := d.Post.Promise(ctx, tx, letter, secret.NewText(digits))
	return err
}

// sendCharges are the budgets of one code after the right password.
func (d *Desk) sendCharges(ctx context.Context, from db.Reader, a Attempt, m method.Method, s send) ([]limit.Charge, error) {
	who, known := string(a.User), s.known
	all := []limit.Charge{
		// Of one attempt: another sign-in of the same person is not held up by this one.
		{Budget: limit.CodeNext, Subject: limit.Subject(who, string(a.ID), string(m.ID)), Known: known},
		{Budget: limit.CodesUser, Subject: limit.Subject(who), Known: known},
		{Budget: limit.CodesDestination, Subject: limit.Subject(m.Address), Known: known},
		{Budget: limit.CodesDestinationDay, Subject: limit.Subject(m.Address), Known: known},
		{Budget: limit.CodesNetwork, Subject: limit.Subject(a.Place.Network), Known: known},
		limit.Spread(limit.CodesSystem, who),
	}
	if a.Site != "" {
		all = append(all, limit.Charge{Budget: limit.CodesSite, Subject: limit.Subject(string(a.Site)), Known: known})
	}
	if m.Kind != policy.SMS {
		return all, nil
	}
	payer, err := site.ByID(ctx, from, id.Site(s.offer.Site))
	if err != nil {
		return nil, fmt.Errorf("find the site that pays: %w", err)
	}
	return append(all, smsCharge(m.Address, payer.Region, who)), nil
}

// smsCharge is the budget of a country: SMS pumping sends to far ones with dear numbers.
func smsCharge(number, home, who string) limit.Charge {
	country := phone.Country(number)
	budget := limit.SMSAbroad
	if country == home {
		budget = limit.SMSHome
	}
	return limit.Charge{Budget: budget, Subject: strings.ToLower(country)}.Spread(who)
}

// replace makes room for a newer code: whoever types a live one that was replaced is
// told so, and the trail says when. Where the challenge goes on by another channel its
// count of wrong tries goes on too, and is given.
func (d *Desk) replace(ctx context.Context, tx *db.Tx, a Attempt, by id.Method) (wrong int, err error) {
	closed, err := d.closeCodes(ctx, tx, a)
	if err != nil {
		return 0, err
	}
	for _, c := range closed {
		if !c.live(tx.Now) {
			continue
		}
		if c.method != by {
			wrong = c.wrong
		}
		if err := d.recordCode(ctx, tx, a, audit.CodeReplaced, c); err != nil {
			return 0, err
		}
	}
	return wrong, nil
}

// closeCodes ends every code of the attempt that has not ended, wipes what was to be
// sent, and gives the codes as they were.
func (d *Desk) closeCodes(ctx context.Context, tx *db.Tx, a Attempt) ([]code, error) {
	closed, err := replaceCodes(ctx, tx, a)
	if err != nil {
		return nil, fmt.Errorf("replace codes: %w", err)
	}
	for _, c := range closed {
		if err := message.Drop(ctx, tx, a.User, c.message); err != nil {
			return nil, err
		}
	}
	return closed, nil
}
