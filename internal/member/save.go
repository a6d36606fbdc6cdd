package member

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Person says who a form is about, where name and email change.
type Person string

// Who it may be.
const (
	NotSaid Person = ""
	Same    Person = "same"
	Another Person = "another"
)

// Typed is a form that was sent.
type Typed struct {
	// Was is what the form was filled with, Now what it says.
	Was, Now Form
	// Sure is the Saved.Sure of the page that asked.
	Sure   string
	Person Person
}

// Saved is what came of a form.
type Saved struct {
	Refused Refused
	// Why is a sentence, of BadEmail and BadMobile. Who is the other member, of TakenHere
	// and SharedMobile.
	Why, Who string
	// Others are the fields that somebody else changed meanwhile, Stored what they hold.
	Others []Field
	Stored Form
	// Doubts are what to look at, Suggested the address that was probably meant, Namesake the
	// login name of whoever has the same name, Sure what the form has to say to be saved all
	// the same.
	Doubts    []Doubt
	Suggested string
	Namesake  string
	Sure      string
	Retry     time.Time
	// Login and Mobile say that these were changed; Until is when the old address can undo
	// it no more, zero if it cannot.
	Login, Mobile bool
	Until         time.Time
	// Pending says that the number waits until its owner types a code in My security.
	Pending bool
	// Newcomer is the user who was made for another person; empty: nobody was.
	Newcomer id.User
	// Nothing says that the form said nothing new.
	Nothing bool
}

// saving is a form on its way.
type saving struct {
	subject

	by     authority.Bearer
	typed  Typed
	fields []Field
	to     address.Canonical
	mobile string
}

// another says that somebody else is to take the member's place.
func (s saving) another() bool { return s.typed.Person == Another && s.has(FieldEmail) }

func (s saving) has(any ...Field) bool {
	return slices.ContainsFunc(any, func(f Field) bool { return slices.Contains(s.fields, f) })
}

// Save stores a form. What is wrong with it is answered before anything is written.
func (d *Desk) Save(ctx context.Context, by authority.Bearer, whom id.User, typed Typed) (saved Saved, err error) {
	dead := false
	if to, err := address.Email(typed.Now.Email); err == nil && !sameEmail(typed.Now.Email, typed.Was.Email) {
		dead = d.Domains.Dead(ctx, to) // slow: nothing is open
	}
	err = d.change(ctx, by, whom, func(tx *db.Tx, s subject) error {
		saved, err = d.save(ctx, tx, saving{subject: s, by: by, typed: typed}, dead)
		return err
	})
	if errors.Is(err, errUndo) {
		return Saved{Refused: CannotUse}, nil
	}
	return saved, err
}

func (d *Desk) save(ctx context.Context, tx *db.Tx, s saving, dead bool) (Saved, error) {
	stored := s.form()
	locked, err := d.locked(ctx, tx, tx.Now, s.subject)
	if err != nil {
		return Saved{}, err
	}
	if locked {
		s.typed.Now.TwoFA, s.typed.Was.TwoFA = stored.TwoFA, stored.TwoFA
	}
	s.fields = s.typed.Now.differs(s.typed.Was)
	if others := stored.differs(s.typed.Was); len(others) > 0 {
		return Saved{Refused: Changed, Others: others, Stored: stored}, nil
	}
	if len(s.fields) == 0 {
		return Saved{Nothing: true}, nil
	}
	for _, ask := range []func(context.Context, *db.Tx, *saving) (Saved, error){
		d.may,
		func(_ context.Context, _ *db.Tx, s *saving) (Saved, error) { return d.readable(s, dead) },
		d.fresh, d.doubts, d.person, d.newcomer, d.free,
	} {
		if saved, err := ask(ctx, tx, &s); err != nil || saved.Refused != "" {
			return saved, err
		}
	}
	if s.another() {
		return d.replace(ctx, tx, s)
	}
	return d.store(ctx, tx, s)
}

// may asks whether the admin may change what the form changes.
func (d *Desk) may(ctx context.Context, tx *db.Tx, s *saving) (Saved, error) {
	now := s.typed.Now
	switch {
	case !now.known():
		return Saved{Refused: BadChoice}, nil
	case s.above(), now.Group.Rank() > s.admin.Group.Rank():
		return Saved{Refused: AboveRank}, nil
	case s.own() && s.has(FieldEmail, FieldMobile, FieldGroup, FieldKind, FieldStatus):
		return Saved{Refused: Oneself}, nil
	case s.elsewhere() && s.has(FieldEmail, FieldMobile, FieldName):
		return Saved{Refused: Elsewhere}, nil
	case s.by.Program != nil && s.member.TwoFA && !now.TwoFA:
		return Saved{Refused: NoLess}, nil
	case s.temporaryAdmin():
		return Saved{Refused: EndlessAdmin}, nil
	}
	last, err := leaves(ctx, tx, s.member, now.membership(s.member))
	if err != nil || last {
		return Saved{Refused: LastAdmin}, err
	}
	if early, err := s.earlyAdmin(ctx, tx); err != nil || early {
		return Saved{Refused: NotYetAdmin}, err
	}
	if s.has(FieldStatus) && now.Status == policy.Active {
		if !s.member.Until.IsZero() && !tx.Now.Before(s.member.Until) {
			return Saved{Refused: AccessOver}, nil
		}
		gone, err := isReplaced(ctx, tx, s.at.ID, s.user.ID)
		if err != nil {
			return Saved{}, fmt.Errorf("look whether somebody was replaced: %w", err)
		}
		if gone {
			return Saved{Refused: Replaced}, nil
		}
	}
	return Saved{}, nil
}

// temporaryAdmin says that the form makes an Admin of somebody whose access has an end:
// when it is over, the site could have none.
func (s saving) temporaryAdmin() bool {
	now := s.typed.Now
	if now.Group != policy.GroupAdmin || s.member.Until.IsZero() {
		return false
	}
	return s.has(FieldGroup) || now.Status == policy.Active && s.has(FieldKind, FieldStatus)
}

// earlyAdmin says that the form makes an Admin of somebody of whom nobody here has seen
// anything yet: whoever types an address would be that Admin. (Somebody else who takes a
// place is AdminNewcomer.)
func (s saving) earlyAdmin(ctx context.Context, tx *db.Tx) (bool, error) {
	if s.another() || runsSite(s.member) || !runsSite(s.typed.Now.membership(s.member)) {
		return false, nil
	}
	if s.user.Password.Encoded() == "" {
		return true, nil
	}
	fresh, err := isNewcomer(ctx, tx, s.at.ID, s.user.ID)
	if err != nil {
		return false, fmt.Errorf("look whether somebody took a place: %w", err)
	}
	if !fresh {
		return false, nil
	}
	last, err := session.LastAt(ctx, tx, s.at.ID, []id.User{s.user.ID})
	return last[s.user.ID].IsZero(), err
}

// readable reads what was typed. It looks nothing up: nobody has proved anything yet.
func (d *Desk) readable(s *saving, dead bool) (Saved, error) {
	now := &s.typed.Now
	first, ok1 := readName(now.First)
	last, ok2 := readName(now.Last)
	if !ok1 || !ok2 || s.has(FieldName) && first+last == "" {
		return Saved{Refused: BadName}, nil
	}
	now.First, now.Last = first, last
	if s.has(FieldMobile) && digits(now.Mobile) != "" {
		number, err := phone.Mobile(now.Mobile, s.at.Region, d.Countries)
		if err != nil {
			return Saved{Refused: BadMobile, Why: sentence(err)}, nil
		}
		s.mobile = number
	}
	if !s.has(FieldEmail) {
		return Saved{}, nil
	}
	if strings.TrimSpace(now.Email) == "" {
		return Saved{Refused: NoEmail}, nil
	}
	to, err := address.Email(now.Email)
	if err != nil {
		return Saved{Refused: BadEmail, Why: sentence(err)}, nil
	}
	s.to = to
	if dead || !address.IsDeliverable(to) {
		return Saved{Refused: CannotUse}, nil
	}
	return Saved{}, nil
}

// free asks whether the address can be had. It comes after the fresh proof and takes of a
// budget, so that nobody learns here who signs in elsewhere.
func (d *Desk) free(ctx context.Context, tx *db.Tx, s *saving) (Saved, error) {
	if !s.has(FieldEmail) {
		return Saved{}, nil
	}
	saved, err := within(ctx, tx, TooManyAddresses, s.typed.Sure,
		lookingUp(s.by, s.admin))
	if err != nil || saved.Refused != "" {
		return saved, err
	}
	who, err := memberByLogin(ctx, tx, s.at.ID, s.to)
	if err == nil {
		return Saved{Refused: TakenHere, Who: who}, nil
	}
	if !errors.Is(err, fault.NotFound) {
		return Saved{}, fmt.Errorf("look who signs in with an address: %w", err)
	}
	// Another person may not have even what is kept for the one before.
	whose := s.user.ID
	if s.another() {
		whose = ""
	}
	free, err := user.Free(ctx, tx, tx.Now, whose, s.to)
	if err != nil || !free {
		return Saved{Refused: CannotUse}, err
	}
	return Saved{}, nil
}

// sentence is what a fault.Invalid says to the person.
func sentence(err error) string { return strings.TrimSuffix(err.Error(), ": "+fault.Invalid.Error()) }

// person asks whether it is still the same person, where name and email change.
func (d *Desk) person(_ context.Context, _ *db.Tx, s *saving) (Saved, error) {
	if s.has(FieldName) && s.has(FieldEmail) && s.typed.Person != Same && s.typed.Person != Another {
		return Saved{Refused: WhichPerson, Sure: s.typed.Sure}, nil
	}
	return Saved{}, nil
}

func (d *Desk) fresh(ctx context.Context, tx *db.Tx, s *saving) (Saved, error) {
	ok, err := d.proved(ctx, tx, s.by)
	if err != nil || ok {
		return Saved{}, err
	}
	return Saved{Refused: NotFresh, Sure: s.typed.Sure}, nil
}

// store writes what the form changes.
func (d *Desk) store(ctx context.Context, tx *db.Tx, s saving) (saved Saved, err error) {
	now := s.typed.Now
	if s.has(FieldEmail) {
		saved, err = within(ctx, tx, TooManyLogins, s.typed.Sure,
			limit.Charge{Budget: loginChanges, Subject: limit.Subject(string(s.user.ID))},
			limit.Charge{Budget: siteLoginChanges, Subject: limit.Subject(string(s.at.ID))})
		if err != nil || saved.Refused != "" {
			return saved, err
		}
	}
	if s.has(FieldGroup, FieldKind, FieldStatus, FieldToggle) {
		if err := put(ctx, tx, s.subject, now.membership(s.member), s.by.Actor()); err != nil {
			return saved, err
		}
		for _, do := range []func(context.Context, *db.Tx, subject, site.Membership, authority.Bearer) error{d.stopped, d.promoted} {
			if err := do(ctx, tx, s.subject, now.membership(s.member), s.by); err != nil {
				return saved, err
			}
		}
	}
	if s.has(FieldName) {
		if err := d.rename(ctx, tx, s); err != nil {
			return saved, err
		}
		s.user.FirstName, s.user.LastName = now.First, now.Last
	}
	if s.has(FieldMobile) {
		if saved.Pending, err = d.number(ctx, tx, s); err != nil {
			return saved, err
		}
		saved.Mobile = true
	}
	if s.has(FieldEmail) {
		saved.Login = true
		saved.Until, err = d.Login.Make(ctx, tx, login.Change{
			User: s.user, To: s.to, Site: s.at.ID, Actor: s.by.Actor(), By: s.by.User.Name(),
		})
		if errors.Is(err, fault.Conflict) {
			return saved, errUndo
		}
	}
	return saved, err
}

func (d *Desk) rename(ctx context.Context, tx *db.Tx, s saving) error {
	now := s.typed.Now
	if err := user.SetName(ctx, tx, s.user.ID, now.First, now.Last); err != nil {
		return err
	}
	renamed := s.user
	renamed.FirstName, renamed.LastName = now.First, now.Last
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.UserRenamed, Actor: s.by.Actor(), User: s.user.ID, Site: s.at.ID,
		Personal: map[string]string{"from": s.user.Name(), "to": renamed.Name()},
	})
}

// number puts another number on file, or takes the ones there away. For somebody who has
// proved nothing its first code proves it; for all others it waits until they type a code
// in a session of their own, and the proved one before it goes on working until then.
func (d *Desk) number(ctx context.Context, tx *db.Tx, s saving) (pending bool, err error) {
	if s.cleared() {
		err = d.unlinkNumbers(ctx, tx, s)
	} else {
		pending, err = d.linkNumber(ctx, tx, s)
	}
	if err != nil {
		return false, err
	}
	if err := epoch.Raise(ctx, tx, epoch.User(s.user.ID)); err != nil {
		return false, err
	}
	if err := user.Risk(ctx, tx, s.user.ID); err != nil {
		return false, err
	}
	err = d.Post.Tell(ctx, tx, message.Notice{
		User: s.user.ID, Site: s.at.ID, Kind: message.MobileChanged, Changed: policy.SMS,
		Words: map[string]string{"by": s.by.User.Name()},
	})
	if err != nil {
		return false, fmt.Errorf("tell of a new number: %w", err)
	}
	return pending, nil
}

// linkNumber links the number of the form, pending where its owner has proved anything.
func (d *Desk) linkNumber(ctx context.Context, tx *db.Tx, s saving) (pending bool, err error) {
	for _, m := range s.methods {
		pending = pending || !m.ProvedAt.IsZero() && !m.Pending
	}
	m, err := method.Relink(ctx, tx, s.user.ID, policy.SMS, s.mobile, pending)
	if err != nil {
		return false, err
	}
	return m.Pending, s.recordNumber(ctx, tx, audit.MethodLinked, m)
}

// unlinkNumbers takes every number away. The one that was proved goes on to say that its
// owner had another way (package login).
func (d *Desk) unlinkNumbers(ctx context.Context, tx *db.Tx, s saving) error {
	for _, m := range s.methods {
		if m.Kind != policy.SMS {
			continue
		}
		if err := method.Take(ctx, tx, s.user.ID, m.ID); err != nil {
			return err
		}
		if err := s.recordNumber(ctx, tx, audit.MethodRemoved, m); err != nil {
			return err
		}
	}
	return nil
}

func (s saving) recordNumber(ctx context.Context, tx *db.Tx, kind audit.Kind, m method.Method) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: s.by.Actor(), User: s.user.ID, Site: s.at.ID,
		Facts:    map[string]string{"kind": string(policy.SMS), "method": string(m.ID)},
		Personal: map[string]string{"address": m.Address},
	})
}
