// Package request is how a site gets a new user: one of its Admins asks the account
// manager, staff approve or decline, and the person accepts an invitation.
//
// A request is asked, approved (by two members of staff where it is for an Admin) or
// declined, and may be withdrawn by the site's Admins until it was accepted. An approved
// one is an invitation: a link that works once, for seven days, and acts on nothing but a
// button. What follows depends on whose the address is, which neither the site nor
// anybody without the mailbox learns:
//
//   - Somebody new sets their own first password with the link. That proves nothing of
//     the second factor: the email and the mobile are linked and unproved, and the first
//     sign-in asks for a code as it always does.
//   - Somebody who signs in here already accepts in a full session of their own. The
//     invitation adds the membership and nothing else.
//   - Somebody who is known here and can sign in nowhere now (they have left another site,
//     or have a place in a mobile app alone) accepts by the link and their password. It
//     adds the membership and opens nothing; the first sign-in asks what it always asks.
//
// The membership is made when it is accepted, never before. It may have an end, for a
// temp: the policy counts it no more from that moment on, and a sweep tidies up after it.
//
// What was wrong with what was typed, and what may not be done now, are answers
// (Refused). What is of another site is fault.NotFound, like what is not there.
package request

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/manager"
	"keyturn/internal/message"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Desk handles requests and invitations. All fields are set.
type Desk struct {
	DB   *db.DB
	Post *message.Post
	// Standing reads the facts by which a fresh proof is judged.
	Standing standing.Source
	// Countries are those whose mobiles may get codes, as two letters.
	Countries []string
	// Slots bounds how many passwords are hashed at once.
	Slots *password.Slots
	// Unfit says why a password cannot become somebody's; empty if it can. Its words are
	// those of whoever judges passwords for all.
	Unfit func(plain string, who user.User) string
	// Knows says whether a password is somebody's, by the budgets and in the time of a
	// sign-in, and under which number of the user it was read.
	Knows func(ctx context.Context, login string, typed secret.Text, at session.Place) (number int64, right bool, err error)
	// VendorName speaks beside the site.
	VendorName string
}

const (
	// decideWithin is how long a request waits for staff before it ends by itself.
	decideWithin = 30 * 24 * time.Hour
	// inviteLife is how long an invitation works (product.md: one use, 7 days).
	inviteLife = 7 * 24 * time.Hour
	// resendAfter is how soon another link may be sent.
	resendAfter = 10 * time.Minute
	// openMost is how many open requests one site may have: a site of the largest kind
	// that moves in, and no flood.
	openMost = 100
	// longestAccess is the longest access with an end.
	longestAccess = 366 * 24 * time.Hour
)

// State is where a request stands.
type State string

// The states. The first three are open.
const (
	// Asked waits for staff.
	Asked State = "asked"
	// ApprovedOnce is for an Admin, and waits for a second member of staff.
	ApprovedOnce State = "approved_once"
	// Approved is invited: it waits for the person.
	Approved State = "approved"
	// Accepted ended in a membership.
	Accepted  State = "accepted"
	Declined  State = "declined"
	Withdrawn State = "withdrawn"
	// Expired ended because nobody decided or accepted it in time, or because whoever asked
	// was no Admin of the site any more.
	Expired State = "expired"
)

// Open says whether it may still end in a membership.
func (s State) Open() bool { return s == Asked || s == ApprovedOnce || s == Approved }

// Request is one request for a user.
type Request struct {
	Site  id.Site
	ID    id.Request
	State State
	// Email is the login name that the person will have, or has.
	Email               address.Canonical
	FirstName, LastName string
	// Mobile is in E.164; empty if none was given.
	Mobile string
	Group  policy.Group
	Kind   policy.Kind
	// Until is when the access is over; zero: it has no end.
	Until   time.Time
	AskedBy id.User
	AskedAt time.Time
	// FirstBy approved one for an Admin first, DecidedBy approved or declined it.
	FirstBy   id.User
	FirstAt   time.Time
	DecidedBy id.User
	DecidedAt time.Time
	// Reason is why it was declined, in words.
	Reason string
	// ExpiresAt is when it ends by itself: undecided after 30 days, not accepted with its
	// last invitation. EndedAt is when it was over, zero while it is open.
	ExpiresAt, EndedAt time.Time

	// user is who was invited.
	user id.User
}

// forgotten stands for the name of somebody who was forgotten.
const forgotten = "–"

// Name is the person's name as others read it; the address where there is none, and a dash
// for somebody who was forgotten.
func (r Request) Name() string {
	if r.FirstName+r.LastName+string(r.Email) == "" {
		return forgotten
	}
	return user.User{Login: r.Email, FirstName: r.FirstName, LastName: r.LastName}.Name()
}

// open says whether it is open at a moment.
func (r Request) open(now time.Time) bool { return r.State.Open() && now.Before(r.ExpiresAt) }

// Refused is why something was not done; empty if it was. Nothing was changed.
type Refused string

// The refusals.
const (
	// NotFresh says that whoever acts must prove again who they are.
	NotFresh Refused = "not_fresh"
	// Over says that somebody else was first, or that it has run out.
	Over Refused = "over"
	// Already says that there is an open request for this address at the site.
	Already Refused = "already"
	// Member says that the address is that of a member of the site.
	Member Refused = "member"
	// TooMany says that the site has as many open requests as it may.
	TooMany Refused = "too_many"
	// Oneself says that whoever asked does not decide.
	Oneself Refused = "oneself"
	// SameMember says that another member of staff must confirm it.
	SameMember Refused = "same_member"
	// OwnSite says that nobody of staff approves users of a site that they belong to.
	OwnSite Refused = "own_site"
	// AskerGone says that whoever asked is no Admin of the site any more.
	AskerGone Refused = "asker_gone"
	// StaffAddress says that the address is that of a member of staff.
	StaffAddress Refused = "staff_address"
	// NoReason says that a decline needs words.
	NoReason Refused = "no_reason"
	// TooOften says that the site took as many back as one hour allows.
	TooOften Refused = "too_often"
	// TooSoon says that a link was sent a moment ago.
	TooSoon Refused = "too_soon"
)

// ByID finds a request of a site; fault.NotFound if there is none.
func (d *Desk) ByID(ctx context.Context, at id.Site, which id.Request) (Request, error) {
	r, err := byID(ctx, d.DB, at, which)
	if err != nil {
		return r, fmt.Errorf("find a request: %w", err)
	}
	return r, nil
}

// Of lists the requests of a site, the open ones first and the newest of each first,
// limit at most.
func (d *Desk) Of(ctx context.Context, at id.Site, limit int) ([]Request, error) {
	all, err := ofSite(ctx, d.DB, at, limit)
	if err != nil {
		return nil, fmt.Errorf("list a site's requests: %w", err)
	}
	return all, nil
}

// Page lists the requests of a site, the newest first, from the one after the given place
// on, limit at most. The zero place is the beginning.
func Page(ctx context.Context, from db.Reader, at id.Site, after Place, limit int) ([]Request, error) {
	all, err := page(ctx, from, at, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list a site's requests: %w", err)
	}
	return all, nil
}

// Place is where a request stands in the order of Page.
type Place struct {
	AskedAt time.Time
	ID      id.Request
}

// Waiting lists the requests that staff have to decide at the sites that are given to a
// member of staff, the oldest first, of limit at most; hidden is how many of these are at
// other sites, and are seen by opening those with a reason. fault.NotFound for whoever is
// not staff.
func (d *Desk) Waiting(ctx context.Context, by authority.Bearer, limit int) (seen []Request, hidden int, err error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return nil, 0, err
	}
	all, err := waiting(ctx, d.DB, now, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list requests that wait: %w", err)
	}
	for _, r := range all {
		_, err := authority.StaffAt(ctx, d.DB, now, by, r.Site)
		switch {
		case errors.Is(err, fault.NotFound):
			hidden++
		case err != nil:
			return nil, 0, err
		default:
			seen = append(seen, r)
		}
	}
	return seen, hidden, nil
}

// Fresh says whether whoever acts has proved lately enough who they are.
func (d *Desk) Fresh(ctx context.Context, by authority.Bearer) (bool, error) {
	return authority.Fresh(ctx, d.DB, d.DB.Clock.Now(), d.Standing, by)
}

// holder finds whose an address is; ok is false if it is nobody's.
func holder(ctx context.Context, from db.Reader, email address.Canonical) (who user.User, ok bool, err error) {
	who, err = user.ByLogin(ctx, from, email)
	if errors.Is(err, fault.NotFound) {
		return who, false, nil
	}
	if err != nil {
		return who, false, fmt.Errorf("find whose an address is: %w", err)
	}
	return who, true, nil
}

// isMember says whether somebody has a membership in a site, whatever its status.
func isMember(ctx context.Context, from db.Reader, at id.Site, who id.User) (bool, error) {
	_, err := site.MembershipIn(ctx, from, at, who)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a membership: %w", err)
	}
	return true, nil
}

// isIn says whether somebody has a place in a site that nobody can ask for again: a
// membership, but for one whose access is over.
func isIn(ctx context.Context, from db.Reader, now time.Time, at id.Site, who id.User) (bool, error) {
	m, err := site.MembershipIn(ctx, from, at, who)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a membership: %w", err)
	}
	return !m.Ended(now), nil
}

// tellAdmins tells the admins of a site, but for those who did it.
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

// tellManager tells the account manager of a site; all staff where it has none who signs
// in here. Whoever is named in but is not told.
func (d *Desk) tellManager(ctx context.Context, tx *db.Tx, at id.Site, kind message.NoticeKind, but ...id.User) error {
	s, err := site.ByID(ctx, tx, at)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	c, err := manager.Of(ctx, tx, s)
	if err != nil {
		return err
	}
	whom := []id.User{c.User}
	if c.User == "" || slices.Contains(but, c.User) {
		if whom, err = manager.Staff(ctx, tx); err != nil {
			return err
		}
	}
	for _, who := range whom {
		if slices.Contains(but, who) {
			continue
		}
		if err := d.Post.Tell(ctx, tx, message.Notice{User: who, Site: at, Kind: kind}); err != nil {
			return fmt.Errorf("tell staff: %w", err)
		}
	}
	return nil
}

// event is what the trail of the site keeps of a request. It is about no user until the
// invitation is accepted: an id would tell the site that the address is held already, and
// whose it is. Who accepted is found by the request (audit.EraseFor).
func (r Request) event(kind audit.Kind, by audit.Actor, facts map[string]string) audit.Event {
	all := map[string]string{audit.FactRequest: string(r.ID)}
	maps.Copy(all, facts)
	return audit.Event{Kind: kind, Actor: by, Site: r.Site, Facts: all}
}
