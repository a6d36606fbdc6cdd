package request

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// Form is what an Admin types.
type Form struct {
	FirstName, LastName, Email, Mobile string
	Group                              policy.Group
	Kind                               policy.Kind
	// LastDay is the last day of the access, as 2026-12-14 in the site's zone; empty: it
	// has no end.
	LastDay string
	// Sure says that the address is right although it looks like a slip or like nobody's
	// own: the Admin was asked.
	Sure bool
}

// Field is what was wrong with one field of the form.
type Field string

// What can be wrong with a field.
const (
	NoName    Field = "name"
	BadEmail  Field = "email"
	BadMobile Field = "mobile"
	NoGroup   Field = "group"
	// MobileAdmin says that an Admin works in the office.
	MobileAdmin Field = "mobile_admin"
	BadDay      Field = "day"
	// EndlessAdmin says that an Admin's access has no end, so that no site loses its last.
	EndlessAdmin Field = "endless_admin"
)

// Answer is what came of asking.
type Answer struct {
	Request id.Request
	// Wrong are the fields that cannot be used. Nothing was stored then.
	Wrong []Field
	// Meant is the address that was probably meant; Doubts are what speaks against it
	// being one person's own. Either asks whether it is right as it is.
	Meant   string
	Doubts  []address.Suspicion
	Refused Refused
}

// Made says whether the request stands.
func (a Answer) Made() bool { return a.Request != "" }

// nameMost is how long one name may be, in characters.
const nameMost = 60

// Ask stores a site's request and tells its account manager. fault.NotFound for whoever
// is no Admin of the site of their session. Whether the address is held elsewhere makes no
// difference to the answer.
func (d *Desk) Ask(ctx context.Context, by authority.Bearer, f Form) (answer Answer, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		answer, err = d.ask(ctx, tx, by, f)
		return err
	})
	if errors.Is(err, fault.Conflict) { // of two at once, the unique index lets one through
		return Answer{Refused: Already}, nil
	}
	return answer, err
}

// AskIn is Ask in the transaction of another change, which several people may be part of.
func (d *Desk) AskIn(ctx context.Context, tx *db.Tx, by authority.Bearer, f Form) (Answer, error) {
	return d.ask(ctx, tx, by, f)
}

// AskFor is Ask by a program, in the name of an Admin of the site, in the transaction of
// another change. The key is its proof. fault.NotFound for a key that is not for the site.
func (d *Desk) AskFor(ctx context.Context, tx *db.Tx, by authority.Bearer, asker id.User, f Form) (Answer, error) {
	if _, err := authority.Manager(ctx, tx, tx.Now, by); err != nil || by.Program == nil {
		return Answer{}, cmp.Or(err, fmt.Errorf("a program: %w", fault.NotFound))
	}
	if is, err := site.IsAdmin(ctx, tx, tx.Now, by.Session.Site, asker); err != nil || !is {
		return Answer{Refused: AskerGone}, err
	}
	return d.askAs(ctx, tx, by, asker, f)
}

func (d *Desk) ask(ctx context.Context, tx *db.Tx, by authority.Bearer, f Form) (Answer, error) {
	if _, err := authority.Admin(ctx, tx, tx.Now, by); err != nil {
		return Answer{}, err
	}
	return d.askAs(ctx, tx, by, by.User.ID, f)
}

// askAs stores a request of an Admin's, by whoever may make it.
func (d *Desk) askAs(ctx context.Context, tx *db.Tx, by authority.Bearer, asker id.User, f Form) (Answer, error) {
	at, err := site.ByID(ctx, tx, by.Session.Site)
	if err != nil {
		return Answer{}, fmt.Errorf("find a site: %w", err)
	}
	r, answer := d.read(at, f, tx.Now)
	if len(answer.Wrong) > 0 || answer.Meant != "" || len(answer.Doubts) > 0 {
		return answer, nil
	}
	if by.Program == nil {
		if ok, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by); err != nil || !ok {
			return Answer{Refused: NotFresh}, err
		}
	}
	if refused, err := room(ctx, tx, r); err != nil || refused != "" {
		return Answer{Refused: refused}, err
	}
	r.ID, r.State, r.AskedBy, r.AskedAt, r.ExpiresAt = id.New[id.Request](), Asked, asker, tx.Now, tx.Now.Add(decideWithin)
	if err := insert(ctx, tx, r); err != nil {
		return Answer{}, fmt.Errorf("store a request: %w", err)
	}
	if err := d.tellManager(ctx, tx, r.Site, message.RequestMade, asker); err != nil {
		return Answer{}, err
	}
	e := r.event(audit.RequestMade, by.Actor(), map[string]string{"group": string(r.Group), "kind": string(r.Kind)})
	if !r.Until.IsZero() {
		e.Facts["until"] = r.Until.UTC().Format(time.RFC3339)
	}
	e.Personal = map[string]string{"login": string(r.Email), "name": r.Name(), "mobile": r.Mobile}
	return Answer{Request: r.ID}, audit.Record(ctx, tx, e)
}

// room says whether the site may have one more request for this address. Members of the
// site are known to its Admins; who else holds the address is not asked here.
func room(ctx context.Context, tx *db.Tx, r Request) (Refused, error) {
	who, held, err := holder(ctx, tx, r.Email)
	if err != nil {
		return "", err
	}
	if held {
		if in, err := isIn(ctx, tx, tx.Now, r.Site, who.ID); err != nil || in {
			return Member, err
		}
	}
	n, same, err := countOpen(ctx, tx, r)
	switch {
	case err != nil:
		return "", fmt.Errorf("count open requests: %w", err)
	case same > 0:
		return Already, nil
	case n >= openMost:
		return TooMany, nil
	}
	return "", nil
}

// read reads the form: the same checks of email and mobile as everywhere.
func (d *Desk) read(at site.Site, f Form, now time.Time) (Request, Answer) {
	r := Request{Site: at.ID, Group: f.Group, Kind: f.Kind}
	var a Answer
	wrong := func(is bool, what Field) {
		if is {
			a.Wrong = append(a.Wrong, what)
		}
	}
	first, ok := name(f.FirstName)
	last, ok2 := name(f.LastName)
	wrong(!ok || !ok2 || first == "" && last == "", NoName)
	r.FirstName, r.LastName = first, last
	email, err := address.Email(f.Email)
	wrong(err != nil, BadEmail)
	if err == nil && !f.Sure {
		if meant, slip := address.Slip(email.Domain()); slip {
			a.Meant = email.Local() + "@" + meant
		}
		a.Doubts = address.Suspect(email)
	}
	r.Email = email
	if strings.TrimSpace(f.Mobile) != "" {
		r.Mobile, err = phone.Mobile(f.Mobile, at.Region, d.Countries)
		wrong(err != nil, BadMobile)
	}
	wrong(!slices.Contains(site.Groups(), f.Group), NoGroup)
	if f.Kind != policy.Mobile {
		r.Kind = policy.Office
	}
	wrong(f.Group == policy.GroupAdmin && f.Kind == policy.Mobile, MobileAdmin)
	if f.LastDay != "" {
		r.Until, ok = lastDay(f.LastDay, at.Zone, now)
		wrong(!ok, BadDay)
		wrong(f.Group == policy.GroupAdmin, EndlessAdmin)
	}
	return r, a
}

// lastDay gives the moment at which an access is over that lasts to the end of a day: the
// next midnight of the site. It lies ahead, and not further than the longest access.
func lastDay(typed string, zone *time.Location, now time.Time) (time.Time, bool) {
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(typed), zone)
	if err != nil {
		return time.Time{}, false
	}
	y, m, dd := day.Date()
	end := time.Date(y, m, dd+1, 0, 0, 0, 0, zone)
	return end, end.After(now) && end.Sub(now) <= longestAccess
}

// name reads a name: one line of printable characters, perhaps empty.
func name(typed string) (string, bool) {
	typed = strings.Join(strings.Fields(typed), " ")
	bad := strings.ContainsFunc(typed, func(r rune) bool { return !unicode.IsPrint(r) })
	return typed, !bad && utf8.RuneCountInString(typed) <= nameMost
}

// withdrawals is per site: asking and taking back again writes to staff and to the trail.
var withdrawals = limit.Budget{Name: "request.withdrawn", Cap: 30, Window: time.Hour}

// Withdraw takes a request back, and ends its invitation. fault.NotFound for whoever is no
// Admin of the site, and for a request of another.
func (d *Desk) Withdraw(ctx context.Context, by authority.Bearer, which id.Request) (refused Refused, err error) {
	err = d.asAdmin(ctx, by, which, func(tx *db.Tx, r Request) error {
		if refused = ""; !r.open(tx.Now) {
			refused = Over
			return nil
		}
		answer, err := limit.Take(ctx, tx, limit.Charge{Budget: withdrawals, Subject: limit.Subject(string(r.Site))})
		if err != nil {
			return err
		}
		if !answer.OK {
			refused = TooOften
			return nil
		}
		if err := d.endInvitations(ctx, tx, r); err != nil {
			return err
		}
		if err := finish(ctx, tx, r, Withdrawn); err != nil {
			return fmt.Errorf("withdraw a request: %w", err)
		}
		if err := d.release(ctx, tx, r); err != nil {
			return err
		}
		return audit.Record(ctx, tx, r.event(audit.RequestWithdrawn, by.Actor(), nil))
	})
	return refused, err
}

// asAdmin holds a request for an Admin of its site: whoever changes the same one waits.
func (d *Desk) asAdmin(ctx context.Context, by authority.Bearer, which id.Request, fn func(*db.Tx, Request) error) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := authority.Admin(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		r, err := hold(ctx, tx, by.Session.Site, which)
		if err != nil {
			return fmt.Errorf("find a request: %w", err)
		}
		return fn(tx, r)
	})
}
