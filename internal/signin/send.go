package signin

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// codeDigits is the length of a code (NIST 800-63B-4 section 3.1.3.2: six or more).
const codeDigits = 6

// Send sends another code, by the given kind of method; it replaces the one before.
func (d *Desk) Send(ctx context.Context, token string, kind policy.MethodKind) (next Next, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		if a.Site == "" && !who.Staff {
			next = Next{Step: AskSite}
			return nil
		}
		decision, _, err := d.decide(ctx, tx, tx.Now, a, who)
		if err != nil {
			return err
		}
		if step := stepOf(decision); step != AskCode {
			next, err = d.onward(ctx, tx, a, who)
			return err
		}
		offer, ok := choose(decision, kind)
		if !ok || !carried(offer.Kind) {
			next = Next{Step: AskCode, Wrong: NotOffered}
			return nil
		}
		next, err = d.send(ctx, tx, a, who, offer)
		return err
	}, &next)
	return next, err
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
// caller's transaction. When a budget of sends is used up nothing is changed.
func (d *Desk) send(ctx context.Context, tx *db.Tx, a Attempt, who user.User, offer policy.Offer) (Next, error) {
	m, err := method.ByID(ctx, tx, a.User, id.Method(offer.ID))
	if err != nil {
		return Next{}, fmt.Errorf("find a method: %w", err)
	}
	known, err := session.Known(ctx, tx, a.User, a.Place, tx.Now)
	if err != nil {
		return Next{}, fmt.Errorf("look for a known place: %w", err)
	}
	answer, err := limit.Take(ctx, tx, sendCharges(a, m, known)...)
	if err != nil {
		return Next{}, err
	}
	if !answer.OK {
		return Next{Step: AskCode, Wrong: TooSoon, Retry: answer.Retry}, nil
	}
	if err := d.replace(ctx, tx, a); err != nil {
		return Next{}, err
	}
	c := code{id: id.New[id.Code](), method: m.ID, madeAt: tx.Now, expiresAt: tx.Now.Add(d.codeLife())}
	if c.challenge, err = challengeOf(ctx, tx, a); err != nil {
		return Next{}, fmt.Errorf("open a challenge: %w", err)
	}
	digits := secret.Digits(codeDigits)
	c.mac = d.Keys.MAC("signin code", macParts(a, c, digits)...)
	if c.message, err = d.promise(ctx, tx, a, who, m, c, digits); err != nil {
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

func (d *Desk) promise(ctx context.Context, tx *db.Tx, a Attempt, who user.User, m method.Method, c code, digits string) (id.Message, error) {
	words := message.Words{FirstName: who.FirstName, From: d.VendorName, Vendor: d.VendorName, Zone: time.UTC.String(), Agent: a.Place.Agent}
	if a.Site != "" {
		at, err := site.ByID(ctx, tx, a.Site)
		if err != nil {
			return "", fmt.Errorf("find a site: %w", err)
		}
		words.From, words.Zone = at.Name, at.Zone.String()
		if helpers, err := d.helpers(ctx, tx, a); err != nil {
			return "", err
		} else if len(helpers) > 0 {
			words.Helper = helpers[0]
		}
	}
	return d.Post.Promise(ctx, tx, message.Message{
		User: a.User, Site: a.Site, Kind: message.SignInCode, Channel: message.Channel(m.Kind), Address: m.Address,
		Method: m.ID, Words: words, Reference: a.Reference, ExpiresAt: c.expiresAt,
	}, secret.NewText(digits))
}

// sendCharges are the budgets of one code after the right password.
func sendCharges(a Attempt, m method.Method, known bool) []limit.Charge {
	who := string(a.User)
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
	return all
}

// replace makes room for a newer code: whoever types a live one that was replaced is
// told so, and the trail says when.
func (d *Desk) replace(ctx context.Context, tx *db.Tx, a Attempt) error {
	closed, err := d.closeCodes(ctx, tx, a)
	if err != nil {
		return err
	}
	for _, c := range closed {
		if !c.live(tx.Now) {
			continue
		}
		if err := d.recordCode(ctx, tx, a, audit.CodeReplaced, c); err != nil {
			return err
		}
	}
	return nil
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
