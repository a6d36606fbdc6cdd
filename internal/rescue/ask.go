package rescue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// askLife is how long an ask waits, and no longer than the attempt that it is for.
	askLife = 30 * time.Minute
	// wrongNumbers is how many wrong numbers an ask bears: of a hundred, three are guessed
	// in one of thirty-three asks, and an admin who guesses is an admin who did not look.
	wrongNumbers = 3
)

// asksOfUser is how often somebody may call the admins together. Whoever has the password
// alone must not be able to ring until somebody gives in.
var asksOfUser = limit.Budget{Name: "help.ask", Cap: 3, Window: time.Hour}

// Asked is an ask as the one who waits sees it.
type Asked struct {
	ID id.Ask
	// Number is shown to whoever waits, who says it to the admin, who types it: so that the
	// admin lets in the person on the phone and not somebody else who waits.
	Number string
	Until  time.Time
	// Helpers are the names of the admins who were told.
	Helpers []string
}

// AskState is where an ask stands.
type AskState string

// The states. The empty one says that nobody was asked.
const (
	AskWaiting  AskState = "waiting"
	AskApproved AskState = "approved"
	AskDeclined AskState = "declined"
	AskOver     AskState = "over"
)

// ask is a stored ask.
type ask struct {
	site       id.Site
	id         id.Ask
	user       id.User
	attempt    id.Attempt
	number     string
	place      session.Place
	askedAt    time.Time
	expiresAt  time.Time
	wrong      int
	answer     AskState
	answeredBy id.User
	answeredAt time.Time
}

func (a ask) open(now time.Time) bool { return a.answer == "" && now.Before(a.expiresAt) }

func (a ask) state(now time.Time) AskState {
	switch {
	case a.answer != "":
		return a.answer
	case a.open(now):
		return AskWaiting
	default:
		return AskOver
	}
}

// errTooMany undoes an ask for which there is no budget left.
var errTooMany = errors.New("asked too often")

// Ask calls the admins of the user's site together. Asking again in the same attempt
// gives the same ask, and tells nobody anew.
func (d *Desk) Ask(ctx context.Context, w Waiting) (asked Asked, refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		asked, refused, err = d.ask(ctx, tx, w)
		return err
	})
	if errors.Is(err, errTooMany) {
		return Asked{}, TooMany, nil
	}
	return asked, refused, err
}

func (d *Desk) ask(ctx context.Context, tx *db.Tx, w Waiting) (asked Asked, refused Refused, err error) {
	who, err := user.ByID(ctx, tx, w.User)
	if err != nil {
		return asked, "", fmt.Errorf("find a user: %w", err)
	}
	if w.Site, err = siteOf(ctx, tx, w); err != nil || w.Site == "" {
		return asked, Elsewhere, err
	}
	if _, refused, err = member(ctx, tx, who, w.Site); err != nil || refused != "" {
		return asked, refused, err
	}
	helpers, err := d.helpers(ctx, tx, tx.Now, w)
	if err != nil {
		return asked, "", err
	}
	if len(helpers) == 0 {
		return asked, NoHelper, nil
	}
	a, fresh, err := d.oneAsk(ctx, tx, w)
	if err != nil {
		return asked, "", err
	}
	asked = Asked{ID: a.id, Number: a.number, Until: a.expiresAt, Helpers: names(helpers)}
	if !fresh {
		return asked, "", nil
	}
	taken, err := limit.Take(ctx, tx, limit.Charge{Budget: asksOfUser, Subject: limit.Subject("ask", string(w.User))})
	if err != nil {
		return asked, "", fmt.Errorf("take the budget of asks: %w", err)
	}
	if !taken.OK {
		return Asked{}, "", errTooMany
	}
	if err := d.tellAdmins(ctx, tx, message.Notice{Site: w.Site, Kind: message.HelpAsked}, w.User); err != nil {
		return asked, "", err
	}
	return asked, "", audit.Record(ctx, tx, audit.Event{
		Kind: audit.HelpAsked, Actor: userActor(w.User, w.Place), User: w.User, Site: w.Site,
		Facts: map[string]string{"ask": string(a.id)},
	})
}

// siteOf is the site of the attempt, or the only one of the user where none was chosen.
func siteOf(ctx context.Context, from db.Reader, w Waiting) (id.Site, error) {
	if w.Site != "" {
		return w.Site, nil
	}
	all, err := site.MembershipsOf(ctx, from, w.User)
	if err != nil {
		return "", fmt.Errorf("read memberships: %w", err)
	}
	if len(all) != 1 {
		return "", nil
	}
	return all[0].Site, nil
}

// oneAsk gives the attempt's open ask, made if there is none.
func (d *Desk) oneAsk(ctx context.Context, tx *db.Tx, w Waiting) (a ask, fresh bool, err error) {
	if err := endOldAsk(ctx, tx, w); err != nil {
		return a, false, fmt.Errorf("end an ask that has run out: %w", err)
	}
	until := tx.Now.Add(askLife)
	if !w.Until.IsZero() && w.Until.Before(until) {
		until = w.Until
	}
	taken, err := openNumbers(ctx, tx, w.Site)
	if err != nil {
		return a, false, fmt.Errorf("read open asks: %w", err)
	}
	a = ask{
		site: w.Site, id: id.New[id.Ask](), user: w.User, attempt: w.Attempt, place: w.Place,
		number: number(taken), askedAt: tx.Now, expiresAt: until,
	}
	if fresh, err = insertAsk(ctx, tx, a); err != nil {
		return a, false, fmt.Errorf("store an ask: %w", err)
	}
	if !fresh {
		if a, err = latestAsk(ctx, tx, w.User, w.Attempt); err != nil {
			return a, false, fmt.Errorf("find the ask before: %w", err)
		}
	}
	return a, fresh, nil
}

// number is one of a hundred that nobody else who waits at the site was shown: of two
// who wait under one name, one may be somebody who stole the password.
func number(taken []string) string {
	const digits = 2
	n := secret.Digits(digits)
	for range 1000 {
		if !slices.Contains(taken, n) {
			break
		}
		n = secret.Digits(digits)
	}
	return n
}

// helpers are the other admins of the site who could get in now.
func (d *Desk) helpers(ctx context.Context, from db.Reader, now time.Time, w Waiting) ([]user.User, error) {
	admins, err := site.Admins(ctx, from, now, w.Site)
	if err != nil {
		return nil, fmt.Errorf("read a site's admins: %w", err)
	}
	var all []user.User
	for _, one := range admins {
		if one == w.User {
			continue
		}
		who, err := user.ByID(ctx, from, one)
		if err != nil {
			return nil, fmt.Errorf("find an admin: %w", err)
		}
		can, err := d.canPass(ctx, from, now, who, w.Site)
		if err != nil {
			return nil, fmt.Errorf("judge whether an admin can pass: %w", err)
		}
		if can {
			all = append(all, who)
		}
	}
	return all, nil
}

func names(all []user.User) []string {
	said := make([]string, 0, len(all))
	for _, who := range all {
		said = append(said, who.Name())
	}
	return said
}

// Status is where the attempt's latest ask stands, for the page of whoever waits.
func (d *Desk) Status(ctx context.Context, w Waiting) (AskState, Asked, error) {
	now := d.DB.Clock.Now()
	a, err := latestAsk(ctx, d.DB, w.User, w.Attempt)
	if errors.Is(err, fault.NotFound) {
		return "", Asked{}, nil
	}
	if err != nil {
		return "", Asked{}, fmt.Errorf("find an ask: %w", err)
	}
	asked := Asked{ID: a.id, Number: a.number, Until: a.expiresAt}
	w.Site = a.site
	helpers, err := d.helpers(ctx, d.DB, now, w)
	asked.Helpers = names(helpers)
	return a.state(now), asked, err
}

// Waits is somebody who waits, as the admins see it. The number is not among it: it
// comes from the person.
type Waits struct {
	ID      id.Ask
	User    user.User
	Place   session.Place
	AskedAt time.Time
	Until   time.Time
}

// AsksOf lists who waits at the admin's site, the longest waiting first, 50 at most.
// fault.NotFound for whoever is not an admin there.
func (d *Desk) AsksOf(ctx context.Context, by authority.Bearer) ([]Waits, error) {
	now := d.DB.Clock.Now()
	at, err := authority.Admin(ctx, d.DB, now, by)
	if err != nil {
		return nil, err
	}
	open, err := openAsks(ctx, d.DB, at.Site, db.Stamp(now))
	if err != nil {
		return nil, fmt.Errorf("read open asks: %w", err)
	}
	var all []Waits
	for _, a := range open {
		if a.user == by.User.ID {
			continue
		}
		who, err := user.ByID(ctx, d.DB, a.user)
		if err != nil {
			return nil, fmt.Errorf("find a user: %w", err)
		}
		all = append(all, Waits{ID: a.id, User: who, Place: a.place, AskedAt: a.askedAt, Until: a.expiresAt})
	}
	return all, nil
}

// ApprovedBy names the admin who let an attempt in; empty if none did.
func (d *Desk) ApprovedBy(ctx context.Context, who id.User, attempt id.Attempt) (string, error) {
	a, err := latestAsk(ctx, d.DB, who, attempt)
	if errors.Is(err, fault.NotFound) || (err == nil && a.answer != AskApproved) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find an ask: %w", err)
	}
	u, err := user.ByID(ctx, d.DB, a.answeredBy)
	if err != nil {
		return "", fmt.Errorf("find an admin: %w", err)
	}
	return u.Name(), nil
}
