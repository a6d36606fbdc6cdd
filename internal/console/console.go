// Package console is what the vendor's staff do for the sites that are given to them:
// see how a site stands, as its admins see it and masked; call it, write down what was
// said, have people reminded, add SMS; and see how delivery does.
//
// Nobody of the staff browses. A site is given to its account manager, and to whoever
// typed a reason for it (Open), for eight hours, of which its admins are told. Of every
// other site this package answers fault.NotFound, as of one that there is not.
//
// Every view of a site's data is in the site's own audit trail (audit.StaffViewed): once
// for each member of staff, site and page (and person, where it is about one) in 15
// minutes, so that a page that is read again
// does not bury the rest. This is the one exception from the rule that a GET writes
// nothing: a view that cannot be recorded is not given.
package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/site"
	"keyturn/internal/standing"
)

const (
	// openFor is how long a site stays open to whoever gave a reason: a working day.
	openFor = 8 * time.Hour
	// viewedAgain is after how long the same view is recorded again.
	viewedAgain = 15 * time.Minute
	// reasonLeast and reasonMost bound a reason, in characters: a word is no reason.
	reasonLeast, reasonMost = 10, 300
	// noteMost bounds a note, in characters.
	noteMost = 500
)

// opens is how often a member of staff may try a reference: whoever tries references one
// after the other is not on the phone with a site.
var opens = limit.Budget{Name: "console.open", Cap: 20, Window: time.Hour}

// Desk does it. All fields are set.
type Desk struct {
	DB       *db.DB
	Post     *message.Post
	Standing standing.Source
}

// Refused is why something was not done; empty if it was. Nothing was changed.
type Refused string

// The refusals.
const (
	// NotFresh says that the member must prove again who they are.
	NotFresh Refused = "not_fresh"
	// NoReason says that the reason is too short or too long.
	NoReason Refused = "no_reason"
	// NoSite says that no site has this reference.
	NoSite Refused = "no_site"
	// TooMany says that it was tried too often; it may be tried again later.
	TooMany Refused = "too_many"
	// WrongForm says that what was typed cannot be it.
	WrongForm Refused = "form"
	// Counted says that the reference was counted before.
	Counted Refused = "counted"
)

// Page is what of a site was viewed, as the audit trail names it.
type Page string

// The pages.
const (
	InList   Page = "sites"
	SitePage Page = "site"
	Contacts Page = "contacts"
)

// Open lets a member of staff see a site that is not given to them, for eight hours, from
// its exact reference and a reason of 10 to 300 characters. It stands in the site's trail,
// and its admins are told. A site that is given already is just answered. Without a reason
// a site that there is and one that there is not are refused alike.
//
// fault.NotFound for whoever is not staff.
func (d *Desk) Open(ctx context.Context, by authority.Bearer, ref, reason string) (which id.Site, refused Refused, err error) {
	ref = strings.TrimSpace(ref)
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		which, refused, err = d.open(ctx, tx, by, ref, reason)
		return err
	})
	return which, refused, err
}

func (d *Desk) open(ctx context.Context, tx *db.Tx, by authority.Bearer, ref, reason string) (id.Site, Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return "", "", err
	}
	taken, err := limit.Take(ctx, tx, limit.Charge{Budget: opens, Subject: limit.Subject("console", string(by.User.ID))})
	if err != nil {
		return "", "", fmt.Errorf("take the budget of opening sites: %w", err)
	}
	if !taken.OK {
		return "", TooMany, nil
	}
	words, ok := oneLine(reason, reasonLeast, reasonMost)
	at, err := site.ByRef(ctx, tx, ref)
	if errors.Is(err, fault.NotFound) {
		if !ok {
			return "", NoReason, nil
		}
		return "", NoSite, nil
	}
	if err != nil {
		return "", "", fmt.Errorf("find a site: %w", err)
	}
	_, err = authority.StaffAt(ctx, tx, tx.Now, by, at.ID)
	if err == nil {
		return at.ID, "", nil
	}
	if !errors.Is(err, fault.NotFound) {
		return "", "", err
	}
	if !ok {
		return "", NoReason, nil
	}
	return at.ID, "", d.letIn(ctx, tx, by, at, words)
}

func (d *Desk) letIn(ctx context.Context, tx *db.Tx, by authority.Bearer, at site.Site, reason string) error {
	g := authority.Gift{User: by.User.ID, Site: at.ID, By: by.User.ID, Reason: reason, Until: tx.Now.Add(openFor)}
	if err := authority.Give(ctx, tx, g); err != nil {
		return err
	}
	n := message.Notice{Site: at.ID, Kind: message.SiteOpened, Words: map[string]string{
		"by": by.User.Name(), "reason": reason, "hours": fmt.Sprint(int(openFor.Hours())),
	}}
	if err := d.tellAdmins(ctx, tx, n); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.StaffOpened, Actor: by.Actor(), Site: at.ID, User: by.User.ID,
		Facts:    map[string]string{"until": g.Until.UTC().Format(time.RFC3339)},
		Personal: map[string]string{"reason": reason},
	})
}

func (d *Desk) tellAdmins(ctx context.Context, tx *db.Tx, n message.Notice) error {
	admins, err := site.Admins(ctx, tx, tx.Now, n.Site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, n.User = range admins {
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin: %w", err)
		}
	}
	return nil
}

// oneLine trims a text and says whether it has as many characters as it must.
func oneLine(text string, least, most int) (string, bool) {
	text = strings.Join(strings.Fields(text), " ")
	n := utf8.RuneCountInString(text)
	return text, n >= least && n <= most
}

// view says that a site is given to the member of staff and records that they look at a
// page of it.
func view(ctx context.Context, tx *db.Tx, by authority.Bearer, at id.Site, page Page) (authority.Given, error) {
	given, err := authority.StaffAt(ctx, tx, tx.Now, by, at)
	if err != nil {
		return given, err
	}
	return given, seen(ctx, tx, by, at, page)
}

// seen records a view, unless the same one was recorded a moment ago.
func seen(ctx context.Context, tx *db.Tx, by authority.Bearer, at id.Site, page Page) error {
	return seenPerson(ctx, tx, by, at, "", page)
}

// seenPerson is seen of a page about one person, each of whom counts apart.
func seenPerson(ctx context.Context, tx *db.Tx, by authority.Bearer, at id.Site, who id.User, page Page) error {
	which := page
	if who != "" {
		which += Page(":" + who)
	}
	first, err := markView(ctx, tx, by.User.ID, at, which)
	if err != nil {
		return fmt.Errorf("note a view of a site: %w", err)
	}
	if !first {
		return nil
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.StaffViewed, Actor: by.Actor(), Site: at, User: who, Facts: map[string]string{"page": string(page)},
	})
}

// NoteOrder is what a member of staff writes down about a site.
type NoteOrder struct {
	Site id.Site
	// Words are 1 to 500 characters. They are the vendor's own: the site does not see them.
	Words string
	// Contact says that they spoke with the site.
	Contact bool
}

// Write keeps a note. The site's trail says that one was written, and not what.
// fault.NotFound where the site is not given.
func (d *Desk) Write(ctx context.Context, by authority.Bearer, o NoteOrder) (refused Refused, err error) {
	words, ok := oneLine(o.Words, 1, noteMost)
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = ""
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, o.Site); err != nil {
			return err
		}
		if !ok {
			refused = WrongForm
			return nil
		}
		n := Note{Site: o.Site, ID: id.New[id.Note](), By: by.User.ID, Contact: o.Contact, Words: words, At: tx.Now}
		if err := insertNote(ctx, tx, n); err != nil {
			return fmt.Errorf("store a note: %w", err)
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.StaffNoted, Actor: by.Actor(), Site: o.Site, Facts: map[string]string{"note": string(n.ID)},
		})
	})
	return refused, err
}

// TopUpOrder is parts that a site has bought.
type TopUpOrder struct {
	Site id.Site
	// Parts are 1 to balance.TopUpMost; Reference is the order's own, and counts once.
	Parts     int
	Reference string
}

// TopUp adds parts to a site's SMS balance. It needs a fresh proof. fault.NotFound where
// the site is not given.
func (d *Desk) TopUp(ctx context.Context, by authority.Bearer, o TopUpOrder) (refused Refused, err error) {
	reference, ok := oneLine(o.Reference, 1, 100)
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = ""
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, o.Site); err != nil {
			return err
		}
		if !ok || o.Parts < 1 || o.Parts > balance.TopUpMost {
			refused = WrongForm
			return nil
		}
		fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
		if err != nil {
			return err
		}
		if !fresh {
			refused = NotFresh
			return nil
		}
		done, err := balance.TopUp(ctx, tx, balance.TopUpOrder{
			Site: o.Site, Parts: o.Parts, By: by.Actor(), ByName: by.User.Name(), Reference: reference,
		})
		if err == nil && !done {
			refused = Counted
		}
		return err
	})
	return refused, err
}
