package prepare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Refused is why no test code was sent, or what was typed proved nothing; empty: it was,
// it did.
type Refused string

// The refusals.
const (
	// Oneself says that it is the admin, who tries the new sign-in instead.
	Oneself Refused = "oneself"
	// Elsewhere says that the user is no one site's alone: their address is not this admin's
	// business.
	Elsewhere Refused = "elsewhere"
	// NotActive says that the member is not active in the office.
	NotActive Refused = "not_active"
	// NoAddress says that there is no such address or number, that codes cannot go there, or
	// that it still waits for its owner (a pending one).
	NoAddress Refused = "no_address"
	// NumberSpent says that the number is not proved, and what it may still get is kept for a
	// sign-in.
	NumberSpent Refused = "number_spent"
	// NoBalance says that there is no SMS for it.
	NoBalance Refused = "no_balance"
	// TooMany says that it was done too often; Tested.Retry says when again.
	TooMany Refused = "too_many"
	// Marked says that the password was reset by email: no code of a mailbox counts until
	// somebody has helped.
	Marked Refused = "marked"
	// Awaits says that the address counts only after a sign-in with another proved way, or
	// bore too many wrong tries.
	Awaits Refused = "awaits"
	// WrongForm says that what was typed is no code at all. It cost no guess.
	WrongForm Refused = "form"
	// WrongCode says that the code is not right. It cost a guess.
	WrongCode Refused = "code"
	// StaleCode says that this code was replaced or has run out. It cost no guess.
	StaleCode Refused = "stale"
	// NoCode says that there is nothing to compare with.
	NoCode Refused = "none"
	// Resting says that no guess is looked at before Tested.Retry.
	Resting Refused = "resting"
)

// Tested is what sending or typing a test code answers.
type Tested struct {
	Refused Refused
	Retry   time.Time
	Kind    policy.MethodKind
}

const (
	// testLife is how long a test code can be typed (NIST 800-63B-4 section 3.1.3.2 and ASVS
	// 6.6.3: 10 minutes at most).
	testLife = 10 * time.Minute
	// testDigits is its length, that of every code.
	testDigits = 6
	// keptForSignIn is how many of the three codes of an unproved number a test leaves to its
	// owner's first sign-in.
	keptForSignIn   = 1
	unprovedInAll   = 3
	testCodePurpose = "test code"
)

var (
	// testsSite is how many test codes a site sends.
	testsSite = limit.Budget{Name: "testcode.site", Cap: 30, Window: time.Hour}
	// testsUser is how many one person is sent. They have a budget of their own, so that an
	// admin cannot use up the codes of somebody's sign-in.
	testsUser = limit.Budget{Name: "testcode.user", Cap: 3, Window: time.Hour}
)

// SendTest sends a member of the admin's own site a code to the stored address (by email)
// or number (by SMS). It opens nothing: typed by the member, who is in, it proves that
// codes arrive there (TypeTest). The admin neither chooses the digits nor sees them, nor
// where they go. A code before it is dead. fault.NotFound for whoever is no admin, and for
// whoever is no member.
//
// It takes no fresh proof: it gives and takes nothing.
func (d *Desk) SendTest(ctx context.Context, by authority.Bearer, whom id.User, kind policy.MethodKind) (did Tested, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		did = Tested{Kind: kind}
		if _, err := authority.Admin(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		who, err := user.Hold(ctx, tx, whom)
		if err != nil {
			return fmt.Errorf("hold a user: %w", err)
		}
		places, err := site.MembershipsOf(ctx, tx, whom)
		if err != nil {
			return fmt.Errorf("read memberships: %w", err)
		}
		i := slices.IndexFunc(places, func(m site.Membership) bool { return m.Site == by.Session.Site })
		switch {
		case i < 0:
			return fmt.Errorf("a member of the site: %w", fault.NotFound)
		case whom == by.User.ID:
			did.Refused = Oneself
		case len(places) > 1 || who.Staff:
			did.Refused = Elsewhere
		case !places[i].Active(tx.Now) || places[i].Kind == policy.Mobile:
			did.Refused = NotActive
		}
		if did.Refused != "" {
			return nil
		}
		t := testing{by: by, who: who}
		if t.at, err = site.ByID(ctx, tx, by.Session.Site); err != nil {
			return fmt.Errorf("find a site: %w", err)
		}
		did, err = d.sendTest(ctx, tx, t, kind)
		return err
	})
	return did, err
}

// testing is a test code on its way.
type testing struct {
	by     authority.Bearer
	who    user.User
	at     site.Site
	to     method.Method
	letter message.Message
}

func (d *Desk) sendTest(ctx context.Context, tx *db.Tx, t testing, kind policy.MethodKind) (Tested, error) {
	did := Tested{Kind: kind}
	methods, err := method.Of(ctx, tx, t.who.ID)
	if err != nil {
		return did, fmt.Errorf("read methods: %w", err)
	}
	for _, m := range methods {
		if m.Kind == kind && !m.Pending && m.Address != "" {
			t.to = m
		}
	}
	if did.Refused = d.reaches(t); did.Refused != "" {
		return did, nil
	}
	t.letter = message.Message{
		ID: id.New[id.Message](), User: t.who.ID, Site: t.at.ID, Kind: message.TestCode, Channel: message.Email,
		Address: t.to.Address, Method: t.to.ID, ExpiresAt: tx.Now.Add(testLife),
		Words: message.Words{
			FirstName: t.who.FirstName, From: t.at.Name, Vendor: d.VendorName, Zone: t.at.Zone.String(), Agent: t.by.Place.Agent,
		},
	}
	if kind == policy.SMS {
		t.letter.Channel = message.SMS
	}
	if done, err := d.payTest(ctx, tx, &t); err != nil || done.Refused != "" {
		done.Kind = kind
		return done, err
	}
	return did, d.promiseTest(ctx, tx, t)
}

// reaches says why no code can go where it is to go.
func (d *Desk) reaches(t testing) Refused {
	if t.to.ID == "" || t.to.Kind != policy.Email && t.to.Kind != policy.SMS {
		return NoAddress
	}
	if t.to.Kind == policy.Email {
		return ""
	}
	if !d.Ready.Standing.SMS {
		return NoBalance
	}
	if _, err := phone.Mobile(t.to.Address, t.at.Region, d.Ready.Standing.Countries); err != nil {
		return NoAddress
	}
	if t.to.ProvedAt.IsZero() && t.to.UnprovedSent >= unprovedInAll-keptForSignIn {
		return NumberSpent
	}
	return ""
}

// payTest takes a test code from its budgets, those of codes but for the person's own, and
// from the site's balance, never from the float: the balance first and the budgets last, as
// in a sign-in.
func (d *Desk) payTest(ctx context.Context, tx *db.Tx, t *testing) (Tested, error) {
	who, where := string(t.who.ID), limit.Subject(t.to.Address)
	charges := []limit.Charge{
		{Budget: testsSite, Subject: limit.Subject(string(t.at.ID))},
		{Budget: testsUser, Subject: limit.Subject("test", who)},
		{Budget: limit.CodeNext, Subject: limit.Subject("test", who, t.to.Address)},
		{Budget: limit.CodesDestination, Subject: where},
		{Budget: limit.CodesDestinationDay, Subject: where},
		{Budget: limit.CodesSite, Subject: limit.Subject(string(t.at.ID))},
		limit.Spread(limit.CodesSystem, who),
	}
	if t.to.Kind == policy.SMS {
		country, budget := phone.Country(t.to.Address), limit.SMSAbroad
		if country == t.at.Region {
			budget = limit.SMSHome
		}
		charges = append(charges, limit.Charge{Budget: budget, Subject: strings.ToLower(country)}.Spread(who))
		answer, err := limit.Peek(ctx, tx, tx.Now, charges...)
		if err != nil || !answer.OK {
			return Tested{Refused: TooMany, Retry: answer.Retry}, err
		}
		hold, ok, err := balance.Reserve(ctx, tx, balance.Ask{Site: t.at.ID, User: t.who.ID, Message: t.letter.ID, Try: 1, Parts: 1})
		if err != nil {
			return Tested{}, fmt.Errorf("reserve an SMS: %w", err)
		}
		if !ok {
			return Tested{Refused: NoBalance}, nil
		}
		t.letter.Hold = hold
	}
	answer, err := limit.Take(ctx, tx, charges...)
	if err != nil || answer.OK {
		return Tested{}, err
	}
	if t.letter.Hold != "" { // somebody was quicker between the look and the take
		if _, err := balance.Release(ctx, tx, t.at.ID, t.letter.Hold); err != nil {
			return Tested{}, fmt.Errorf("give an SMS back: %w", err)
		}
	}
	return Tested{Refused: TooMany, Retry: answer.Retry}, nil
}

// promiseTest makes the code, ends the one before, and promises its message.
func (d *Desk) promiseTest(ctx context.Context, tx *db.Tx, t testing) error {
	before, err := endTests(ctx, tx, t.who.ID)
	if err != nil {
		return fmt.Errorf("end the test codes before: %w", err)
	}
	for _, m := range before {
		if err := message.Drop(ctx, tx, t.who.ID, m); err != nil {
			return err
		}
	}
	c := testCode{
		user: t.who.ID, id: id.New[id.Code](), site: t.at.ID, method: t.to.ID, message: t.letter.ID, kind: t.to.Kind,
		madeAt: tx.Now, expiresAt: t.letter.ExpiresAt,
	}
	if c.userEpoch, c.memberEpoch, err = epochs(ctx, tx, c); err != nil {
		return err
	}
	digits := secret.Digits(testDigits)
	c.mac = d.Keys.MAC(testCodePurpose, c.parts(digits)...)
	if _, err := d.Post.Promise(ctx, tx, t.letter, secret.NewText(digits)); err != nil {
		return fmt.Errorf("promise a test code: %w", err)
	}
	if err := insertTest(ctx, tx, c); err != nil {
		return fmt.Errorf("store a test code: %w", err)
	}
	if err := method.Sent(ctx, tx, t.who.ID, t.to.ID); err != nil {
		return fmt.Errorf("count a code sent: %w", err)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.TestCodeSent, Actor: t.by.Actor(), User: t.who.ID, Site: t.at.ID,
		Facts: map[string]string{"message": string(c.message), "kind": string(c.kind)},
	})
}

func epochs(ctx context.Context, from db.Reader, c testCode) (ofUser, ofMember int64, err error) {
	if ofUser, err = epoch.Now(ctx, from, epoch.User(c.user)); err != nil {
		return 0, 0, err
	}
	ofMember, err = epoch.Now(ctx, from, epoch.Member(c.site, c.user))
	return ofUser, ofMember, err
}
