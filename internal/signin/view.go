package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/manager"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// View is all that the pages of an attempt show. Reading it changes nothing.
type View struct {
	Attempt  Attempt
	User     user.User
	Step     Step
	Site     site.Site // zero while none is chosen
	Choices  []Choice
	Decision policy.Decision
	// Kind is the method that the page is about; empty where nothing is asked.
	Kind policy.MethodKind
	// RememberUntil is until when this device would be remembered; zero: it cannot be.
	RememberUntil time.Time
	// Weather is how long messages of a channel take now.
	Weather delivery.Report
	// Code is where the newest code stands; nil when none was made.
	Code *CodeView
	// SendAt is when a code can be sent where none was made yet; zero: now.
	SendAt time.Time
	// Methods are the person's, for their addresses.
	Methods []method.Method
	// Helpers are the names of the site's Admins, the person aside.
	Helpers []string
	// Manager looks after the site; unknown where there is none.
	Manager manager.Contact
	Now     time.Time
}

// Choice is one of the person's sites.
type Choice struct {
	Site site.Site
	// Asks says that entering it asks for more than the password; Shut that the person
	// is a mobile member there, and cannot enter it with this kind of client.
	Asks, Shut bool
}

// CodeView is where a code stands.
type CodeView struct {
	Method  method.Method
	MadeAt  time.Time
	Until   time.Time
	Live    bool
	Wrong   int       // wrong tries so far
	NextAt  time.Time // when another may be sent
	Message message.Message
	Trail   []message.Step
}

// View reads where an attempt stands; false when it has ended, has run out or never
// was.
func (d *Desk) View(ctx context.Context, token string) (v View, ok bool, err error) {
	a, ok, err := d.look(ctx, token)
	if err != nil || !ok {
		return v, false, err
	}
	v.Attempt, v.Now = a, d.DB.Clock.Now()
	if v.User, err = user.ByID(ctx, d.DB, a.User); err != nil {
		return v, false, fmt.Errorf("find a user: %w", err)
	}
	if a.Purpose == Enrol {
		v.Step = enrolStep(a, v.Now)
		return v, v.Step == AskEnrol, nil
	}
	if a.Site == "" && !v.User.Staff && a.Purpose != Join {
		v.Step = AskSite
		v.Choices, err = d.choices(ctx, v)
		return v, err == nil, err
	}
	if a.Site != "" {
		if v.Site, err = site.ByID(ctx, d.DB, a.Site); err != nil {
			return v, false, fmt.Errorf("find a site: %w", err)
		}
		if v.Manager, err = manager.Of(ctx, d.DB, v.Site); err != nil {
			return v, false, err
		}
	}
	decision, f, err := d.decide(ctx, d.DB, v.Now, a, v.User)
	if err != nil {
		return v, false, err
	}
	v.Decision = decision
	v.Step = stepOf(v.Decision, f)
	if until, can := policy.RememberUntil(f, v.Now); can && a.Purpose != Join {
		v.RememberUntil = until
	}
	if v.Kind, err = d.shown(ctx, d.DB, a, v.User); err != nil {
		return v, false, err
	}
	if d.Weather != nil {
		v.Weather = d.Weather()
	}
	if v.Methods, err = method.Of(ctx, d.DB, a.User); err != nil {
		return v, false, fmt.Errorf("read methods: %w", err)
	}
	if v.Helpers, err = d.helpers(ctx, d.DB, a); err != nil {
		return v, false, err
	}
	if v.Code, err = d.codeView(ctx, v); err != nil {
		return v, false, err
	}
	if v.Code == nil && v.Step == AskCode {
		v.SendAt, err = d.sendAt(ctx, v)
	}
	return v, err == nil, err
}

func (d *Desk) look(ctx context.Context, token string) (Attempt, bool, error) {
	a, err := attemptByHash(ctx, d.DB, secret.TokenHash(token), db.Stamp(d.DB.Clock.Now()))
	return d.alive(ctx, d.DB, a, err)
}

// choices are the sites that the person may choose from, and those that are theirs in
// the mobile app only.
func (d *Desk) choices(ctx context.Context, v View) ([]Choice, error) {
	memberships, err := site.MembershipsOf(ctx, d.DB, v.User.ID)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	var all []Choice
	for _, m := range memberships {
		c := Choice{Shut: !enterable(m, v.Attempt.Client, v.Now)}
		if c.Shut && (m.Kind != policy.Mobile || m.Status != policy.Active) {
			continue // somebody who is blocked or inactive there is told nothing of it
		}
		if c.Site, err = site.ByID(ctx, d.DB, m.Site); err != nil {
			return nil, fmt.Errorf("find a site: %w", err)
		}
		if !c.Shut {
			there := v.Attempt
			there.Site = m.Site
			decision, _, err := d.decide(ctx, d.DB, v.Now, there, v.User)
			if err != nil {
				return nil, err
			}
			c.Asks = !decision.Outcome.GoesOn()
		}
		all = append(all, c)
	}
	return all, nil
}

func (d *Desk) codeView(ctx context.Context, v View) (*CodeView, error) {
	all, err := codesOf(ctx, d.DB, v.Attempt)
	if err != nil {
		return nil, fmt.Errorf("read codes: %w", err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	c := all[0]
	view := &CodeView{
		MadeAt: c.madeAt, Until: c.expiresAt, Live: c.live(v.Now), Wrong: c.wrong,
		NextAt: c.madeAt.Add(limit.CodeNext.Window),
	}
	for _, m := range v.Methods {
		if m.ID == c.method {
			view.Method = m
		}
	}
	if view.Message, err = message.ByID(ctx, d.DB, v.User.ID, c.message); err != nil {
		return nil, fmt.Errorf("find a message: %w", err)
	}
	view.Trail, err = message.Trail(ctx, d.DB, v.User.ID, c.message)
	return view, err
}

// sendAt says when the first code of an attempt can be sent; zero: now.
func (d *Desk) sendAt(ctx context.Context, v View) (time.Time, error) {
	known, err := session.Known(ctx, d.DB, v.User.ID, v.Attempt.Place, v.Now)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for a known place: %w", err)
	}
	for _, m := range v.Methods {
		offer, ok := choose(v.Decision, m.Kind)
		if m.Kind != v.Decision.Default || !carried(m.Kind) || !ok {
			continue
		}
		charges, err := d.sendCharges(ctx, d.DB, v.Attempt, m, send{offer: offer, known: known})
		if err != nil {
			return time.Time{}, err
		}
		answer, err := limit.Peek(ctx, d.DB, v.Now, charges...)
		if err != nil || !answer.OK {
			return answer.Retry, err
		}
	}
	return time.Time{}, nil
}

// Around gives what a page about a live session shows besides: the person's methods, and
// who can help at the site.
func (d *Desk) Around(ctx context.Context, s session.Session) ([]method.Method, []string, error) {
	methods, err := method.Of(ctx, d.DB, s.User)
	if err != nil {
		return nil, nil, fmt.Errorf("read methods: %w", err)
	}
	names, err := d.helpers(ctx, d.DB, Attempt{User: s.User, Site: s.Site})
	return methods, names, err
}

// helpers are the names of the site's Admins who can help here: not the person, and
// nobody whom the policy would leave stuck at the same door.
func (d *Desk) helpers(ctx context.Context, from db.Reader, a Attempt) ([]string, error) {
	if a.Site == "" {
		return nil, nil
	}
	admins, err := site.Admins(ctx, from, d.DB.Clock.Now(), a.Site)
	if err != nil {
		return nil, fmt.Errorf("find a site's admins: %w", err)
	}
	var names []string
	for _, who := range admins {
		if who == a.User {
			continue
		}
		u, err := user.ByID(ctx, from, who)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find an admin: %w", err)
		}
		can, err := d.CanPass(ctx, from, u, a.Site)
		if err != nil {
			return nil, err
		}
		if can {
			names = append(names, u.Name())
		}
	}
	return names, nil
}

// referenceLetters leave out what is misread on the phone: 0 O 1 I L, 5 S, 8 B.
const referenceLetters = "234679ACDEFGHJKMNPQRTUVWXYZ"

// reference is the short text that a page and its mail share, as BA-7K2M: the initials
// of who asks, and four letters by chance. It is no secret and names nothing.
func (d *Desk) reference(ctx context.Context, from db.Reader, at id.Site) (string, error) {
	name := d.VendorName
	if at != "" {
		s, err := site.ByID(ctx, from, at)
		if err != nil {
			return "", fmt.Errorf("find a site: %w", err)
		}
		name = s.Name
	}
	return referenceOf(name), nil
}

func referenceOf(name string) string {
	initials := ""
	for word := range strings.FieldsSeq(strings.ToUpper(name)) {
		if r := rune(word[0]); r < unicode.MaxASCII && unicode.IsLetter(r) && len(initials) < 2 {
			initials += string(r)
		}
	}
	if initials == "" {
		initials = "KT"
	}
	raw := make([]byte, 4)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	for i, b := range raw {
		raw[i] = referenceLetters[int(b)%len(referenceLetters)]
	}
	return initials + "-" + string(raw)
}
