package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Show chooses which members are listed.
type Show string

// What may be shown; empty is everyone.
const (
	Everyone  Show = ""
	NeedHelp  Show = "help"
	Inactives Show = "inactive"
)

// Filter chooses members of a site.
type Filter struct {
	// Find is a part of a name or login name, Group a group; empty: any.
	Find  string
	Group policy.Group
	Show  Show
	// After is the Row.Cursor of the last row that was shown; zero: from the start.
	After Cursor
}

// Cursor is where a row stands in the order of the list: by name, then id.
type Cursor struct{ First, Last, ID string }

// Row is one member of the list.
type Row struct {
	User   user.User
	Member site.Membership
	// Mobile is as the form shows it. Methods are all that the user has.
	Mobile  string
	Methods []method.Method
	// Facts are what the policy is asked with, Readiness its answer.
	Facts     policy.Facts
	Readiness policy.Prediction
	// LastAt is the last sign-in at this site; zero: none in 90 days.
	LastAt time.Time
	Cursor Cursor
}

// lookThrough is how many members one step of the list reads.
const lookThrough = 200

// List gives members of a site in the order of their names, most at once, and whether
// there are more. However many the site has, a page costs a handful of queries; where
// readiness chooses, a handful for each 200 members that are looked through.
func (d *Desk) List(ctx context.Context, at id.Site, f Filter, most int) (rows []Row, more bool, err error) {
	now := d.DB.Clock.Now()
	step := most + 1
	if f.Show == NeedHelp {
		step = lookThrough
	}
	for {
		found, err := listed(ctx, d.DB, at, f, step)
		if err != nil {
			return nil, false, fmt.Errorf("list members: %w", err)
		}
		filled, err := d.fill(ctx, at, now, found)
		if err != nil {
			return nil, false, err
		}
		for _, r := range filled {
			if f.Show == NeedHelp && r.Readiness.Mark != policy.NeedsHelp {
				continue
			}
			if len(rows) == most {
				return rows, true, nil
			}
			rows = append(rows, r)
		}
		if len(found) < step || f.Show != NeedHelp {
			return rows, false, nil
		}
		f.After = found[len(found)-1].Cursor
	}
}

// fill adds to rows what is known beside their own.
func (d *Desk) fill(ctx context.Context, at id.Site, now time.Time, rows []Row) ([]Row, error) {
	ids, users := make([]id.User, len(rows)), make([]user.User, len(rows))
	for i, r := range rows {
		ids[i] = r.Member.User
	}
	whole, err := user.ByIDs(ctx, d.DB, ids)
	if err != nil {
		return nil, err
	}
	for i, one := range ids {
		users[i] = whole[one]
	}
	facts, err := d.Standing.OfAll(ctx, d.DB, now, at, users)
	if err != nil {
		return nil, fmt.Errorf("read the facts of members: %w", err)
	}
	methods, err := method.OfAll(ctx, d.DB, ids)
	if err != nil {
		return nil, err
	}
	last, err := session.LastAt(ctx, d.DB, at, ids)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		r.User, r.Methods, r.LastAt, r.Facts = users[i], methods[ids[i]], last[ids[i]], facts[ids[i]]
		r.Mobile, r.Readiness = number(r.Methods), policy.Readiness(r.Facts, now)
	}
	return rows, nil
}

// Card is a member as the form of them shows.
type Card struct {
	Row

	Site site.Site
	// Form is what the form is filled with.
	Form Form
	// Own says that it is the admin themselves, Elsewhere that the user is not this site's
	// alone, Above that they stand above the admin, Last that they are the only Admin.
	Own, Elsewhere, Above, Last bool
	// Locked says that 2FA is required whatever the toggle says, and Reasons why; Open is
	// how many sessions of theirs reach this site.
	Locked  bool
	Reasons []policy.Reason
	Open    int
	// Old is the address that can undo the last change of the login name, OldUntil until
	// when; empty: none can, or the user is not this site's alone.
	Old      string
	OldUntil time.Time
	// Undone is the change of the login name that its old address undid lately. Its zero
	// value: there is none.
	Undone user.LoginChange
	// Fresh says that the admin proved lately enough who they are.
	Fresh bool
}

// undoneFor is how long a form says that an address was taken back: as long as others are
// told of what somebody did.
const undoneFor = 30 * 24 * time.Hour

// Card reads one member; fault.NotFound for whoever is none of the admin's site.
func (d *Desk) Card(ctx context.Context, by authority.Bearer, whom id.User) (c Card, err error) {
	now := d.DB.Clock.Now()
	admin, err := authority.Admin(ctx, d.DB, now, by)
	if err != nil {
		return c, err
	}
	s, err := d.find(ctx, d.DB, admin, whom)
	if err != nil {
		return c, err
	}
	rows, err := d.fill(ctx, s.at.ID, now, []Row{{Member: s.member}})
	if err != nil {
		return c, err
	}
	c = Card{Row: rows[0], Site: s.at, Form: s.form(), Own: s.own(), Elsewhere: s.elsewhere(), Above: s.above()}
	c.Locked, c.Reasons = lock(c.Facts, now)
	if runsSite(s.member) {
		admins, err := site.Admins(ctx, d.DB, d.DB.Clock.Now(), s.at.ID)
		if err != nil {
			return c, fmt.Errorf("read a site's admins: %w", err)
		}
		c.Last = len(admins) == 1
	}
	if !c.Elsewhere { // where they go on at other places, it may have been none of this site's
		old, err := user.LiveChange(ctx, d.DB, now, whom)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return c, fmt.Errorf("look for what can be undone: %w", err)
		}
		c.Old, c.OldUntil = string(old.Old), old.ExpiresAt
		if c.Undone, err = user.Undone(ctx, d.DB, s.user, now.Add(-undoneFor)); err != nil && !errors.Is(err, fault.NotFound) {
			return c, fmt.Errorf("look for what was undone: %w", err)
		}
	}
	if c.Fresh, err = authority.Fresh(ctx, d.DB, now, d.Standing, by); err != nil {
		return c, err
	}
	open, err := session.OpenAt(ctx, d.DB, s.at.ID, whom, now)
	c.Open = len(open)
	return c, err
}

// locked says whether 2FA is required of a member whatever the toggle says.
func (d *Desk) locked(ctx context.Context, from db.Reader, now time.Time, s subject) (bool, error) {
	facts, err := d.Standing.OfAll(ctx, from, now, s.at.ID, []user.User{s.user})
	if err != nil {
		return false, fmt.Errorf("read the facts of a member: %w", err)
	}
	yes, _ := lock(facts[s.user.ID], now)
	return yes, nil
}

// lock asks the policy what it would require of a member without the toggle, now or from a
// known date on, and why.
func lock(f policy.Facts, now time.Time) (bool, []policy.Reason) {
	f.User.Wants2FA = false
	for i := range f.Memberships {
		m := &f.Memberships[i]
		m.Required2FA = false
		if m.Status != policy.Active { // as soon as they come back
			m.Status = policy.Active
		}
	}
	f.Client.Kind = policy.ClientWeb
	var site []policy.Reason
	for _, r := range policy.Decide(f, now).Reasons {
		switch r.Key { //nolint:exhaustive // the others require nothing
		case policy.XeroConnected, policy.XeroWasConnected, policy.EnforcedSince, policy.SiteRequiresEveryone, policy.DateToCome:
			site = append(site, r)
		}
	}
	return len(site) > 0, site
}

// like is a text between percent signs, its own escaped by a backslash.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(strings.TrimSpace(text))) + "%"
}
