// Package sharing finds logins that several people may use, shows why it thinks so, and
// turns one into several.
//
// Nobody is accused. Judge is a pure function of what is known of a login's use at one
// site; it says nothing where one person with a telephone and two computers would look the
// same. An admin then says that it is one person, and is not asked again for half a year;
// or names the people, each of whom is asked for at the account manager, and the old login
// is retired at that site on a day that everybody is told of beforehand. Its history stays.
//
// What is evidence at a site comes from sessions at that site alone: whoever works at
// several is seen by none of them at another.
package sharing

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
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Desk finds shared logins and splits them. All fields are set, but for those that say so.
type Desk struct {
	DB   *db.DB
	Post *message.Post
	// Standing reads the facts by which an admin's proof is judged.
	Standing standing.Source
	// Countries are those whose mobiles may get codes, as two letters.
	Countries []string
	// Ask asks the account manager for a person, in the caller's transaction, and gives the
	// id of the request. Nil: the people are kept, and asked for by hand.
	Ask func(ctx context.Context, tx *db.Tx, by authority.Bearer, who NewPerson) (string, error)
}

// NewPerson is somebody who is to have a login of their own.
type NewPerson struct {
	Site        id.Site
	First, Last string
	// Email and Mobile are in their canonical forms; Mobile may be empty.
	Email, Mobile string
	Group         policy.Group
	// Instead is the shared login that they have used so far.
	Instead id.User
}

// Name is the person's name as others read it.
func (p NewPerson) Name() string { return strings.TrimSpace(p.First + " " + p.Last) }

// Refused is why something was not done; empty if it was. Nothing was changed.
type Refused string

// The refusals.
const (
	// NotFresh says that the admin must prove again who they are.
	NotFresh Refused = "not_fresh"
	// LastAdmin says that the login is the site's only active Admin.
	LastAdmin Refused = "last_admin"
	// Over says that somebody else was first, or that it has ended.
	Over Refused = "over"
	// WrongDay says that the day is not one from 7 to 60 days ahead.
	WrongDay Refused = "day"
	// Nobody says that no person was named.
	Nobody Refused = "nobody"
	// TooMany says that more were named than one request holds.
	TooMany Refused = "too_many"
	// WrongPerson says that something about a person cannot be used; see Planned.
	WrongPerson Refused = "person"
	// TooLong says that a reason is longer than anybody reads.
	TooLong Refused = "long"
)

// Login is a login of a site that several people may use.
type Login struct {
	User        id.User
	Login       address.Canonical
	First, Last string
	Group       policy.Group
	// Evidence is why; empty for one that nothing speaks against.
	Evidence []Evidence
	// Dismissed is that an admin said it is one person; zero if none did, or it has run out.
	Dismissed Dismissal
	// Split is the plan to make several of it; zero if there is none.
	Split Split
}

// Name is the name as others read it; the login name where there is none.
func (l Login) Name() string {
	if name := strings.TrimSpace(l.First + " " + l.Last); name != "" {
		return name
	}
	return string(l.Login)
}

// Open says that somebody should look at it.
func (l Login) Open() bool {
	return len(l.Evidence) > 0 && l.Dismissed.At.IsZero() && l.Split.ID == ""
}

// Dismissal is an admin's word that a login is one person's.
type Dismissal struct {
	By        id.User
	At, Until time.Time
	Reason    string
}

// Logins gives the logins of a site that several people may use: those that nobody has
// looked at first, then those to be split, then those that are one person's.
func (d *Desk) Logins(ctx context.Context, at site.Site) ([]Login, error) {
	now := d.DB.Clock.Now()
	all, err := look(ctx, d.DB, now, at, "")
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(l Login) bool { return len(l.Evidence) == 0 && l.Split.ID == "" })
	slices.SortStableFunc(all, func(a, b Login) int { return place(a) - place(b) })
	return all, nil
}

func place(l Login) int {
	switch {
	case l.Open():
		return 0
	case l.Split.ID != "":
		return 1
	}
	return 2
}

// Of gives one active office login of a site, whether or not anything speaks against it;
// fault.NotFound if there is none, or it is another site's.
func (d *Desk) Of(ctx context.Context, at site.Site, who id.User) (Login, error) {
	all, err := look(ctx, d.DB, d.DB.Clock.Now(), at, who)
	if err != nil {
		return Login{}, err
	}
	if len(all) == 0 {
		return Login{}, fmt.Errorf("a login of the site: %w", fault.NotFound)
	}
	return all[0], nil
}

// Open says how many logins of a site several people may use, that nobody has looked at.
func Open(ctx context.Context, from db.Reader, now time.Time, at site.Site) (int, error) {
	all, err := look(ctx, from, now, at, "")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, l := range all {
		if l.Open() {
			n++
		}
	}
	return n, nil
}

// mostSessions bounds what one page reads: 2,000 people with two sessions a day.
const mostSessions = 120_000

// look reads and judges the logins of a site, or one of them.
func look(ctx context.Context, from db.Reader, now time.Time, at site.Site, who id.User) ([]Login, error) {
	all, err := logins(ctx, from, at.ID, who, now)
	if err != nil {
		return nil, fmt.Errorf("read the logins of a site: %w", err)
	}
	since := now.Add(-Window)
	uses, err := session.UsesAt(ctx, from, at.ID, who, since, mostSessions)
	if err != nil {
		return nil, err
	}
	crossed, err := crossings(ctx, from, at.ID, who, since)
	if err != nil {
		return nil, fmt.Errorf("read where codes were typed: %w", err)
	}
	names, err := audit.NamesAt(ctx, from, at.ID)
	if err != nil {
		return nil, err
	}
	of := map[id.User][]session.Uses{}
	for _, u := range uses {
		of[u.User] = append(of[u.User], u)
	}
	for i, l := range all {
		all[i].Evidence = Judge(Trace{
			Zone: at.Zone, Login: l.Login, First: l.First, Last: l.Last,
			Names: names[l.User], Uses: of[l.User], Crossed: crossed[l.User],
		})
	}
	return all, nil
}

// Noticed notes that a code which was sent for a sign-in at a site on one device was typed
// on another, once an hour at most. It changes nothing for whoever typed it.
func Noticed(ctx context.Context, tx *db.Tx, at id.Site, who id.User) error {
	if err := cross(ctx, tx, at, who, tx.Now.Unix()/int64(time.Hour/time.Second)); err != nil {
		return fmt.Errorf("note where a code was typed: %w", err)
	}
	return nil
}

const (
	// dismissedFor is how long an admin's word holds: people come and go within half a year.
	dismissedFor = 180 * 24 * time.Hour
	// longestReason is in characters.
	longestReason = 500
)

// OnePerson takes an admin's word that a login is used by one person: its evidence is not
// shown for 180 days. The reason may be empty. The other admins are told.
func (d *Desk) OnePerson(ctx context.Context, by authority.Bearer, who id.User, reason string) (refused Refused, err error) {
	reason = strings.TrimSpace(reason)
	if len([]rune(reason)) > longestReason {
		return TooLong, nil
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.dismiss(ctx, tx, by, who, reason)
		return err
	})
	return refused, err
}

func (d *Desk) dismiss(ctx context.Context, tx *db.Tx, by authority.Bearer, who id.User, reason string) (Refused, error) {
	at, l, refused, err := d.mayChange(ctx, tx, by, who)
	if err != nil || refused != "" {
		return refused, err
	}
	if l.Split.ID != "" {
		return Over, nil
	}
	until := tx.Now.Add(dismissedFor)
	err = dismiss(ctx, tx, at, who, Dismissal{By: by.User.ID, At: tx.Now, Until: until, Reason: reason})
	if errors.Is(err, fault.Conflict) {
		return Over, nil
	}
	if err != nil {
		return "", fmt.Errorf("store that a login is one person's: %w", err)
	}
	if err := d.tellAdmins(ctx, tx, message.Notice{Site: at, Kind: message.SharingDismissed, Words: map[string]string{
		"who": l.Name(), "by": by.User.Name(),
	}}, by.User.ID); err != nil {
		return "", err
	}
	return "", audit.Record(ctx, tx, audit.Event{
		Kind: audit.SharingDismissed, Actor: by.Actor(), User: who, Site: at,
		Facts: map[string]string{"until": until.Format(time.RFC3339)}, Personal: map[string]string{"reason": reason},
	})
}

// mayChange says whether an admin may change something about a login now, and gives it as
// it is stored. fault.NotFound for a login of another site.
func (d *Desk) mayChange(ctx context.Context, tx *db.Tx, by authority.Bearer, who id.User) (at id.Site, l Login, refused Refused, err error) {
	own, err := authority.Admin(ctx, tx, tx.Now, by)
	if err != nil {
		return "", l, "", err
	}
	found, err := logins(ctx, tx, own.Site, who, tx.Now)
	if err != nil {
		return "", l, "", fmt.Errorf("find a login: %w", err)
	}
	if len(found) == 0 {
		return "", l, "", fmt.Errorf("a login of the site: %w", fault.NotFound)
	}
	fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
	if err == nil && !fresh {
		refused = NotFresh
	}
	return own.Site, found[0], refused, err
}

// tellAdmins tells the admins of a site, but for those who know.
func (d *Desk) tellAdmins(ctx context.Context, tx *db.Tx, n message.Notice, but ...id.User) error {
	admins, err := site.Admins(ctx, tx, tx.Now, n.Site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, who := range admins {
		if slices.Contains(but, who) {
			continue
		}
		n.User = who
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin: %w", err)
		}
	}
	return nil
}

// tellAll tells the admins, with whose login it is, and whoever reads the login's mail.
func (d *Desk) tellAll(ctx context.Context, tx *db.Tx, n message.Notice, who user.User, but ...id.User) error {
	own := n
	own.User, own.Words = who.ID, map[string]string{"at": n.Words["at"], "by": n.Words["by"]}
	if err := d.Post.Tell(ctx, tx, own); err != nil {
		return fmt.Errorf("tell a user: %w", err)
	}
	return d.tellAdmins(ctx, tx, n, append(but, who.ID)...)
}
