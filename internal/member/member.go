// Package member is User Setup: the list of a site's members, the form behind each
// pencil, "has left", and "is this still the same person?".
//
// Whose is what. Of a user whose memberships are all in one site, that site's Admins edit
// name, email and mobile. Of a user with memberships elsewhere, and of the vendor's staff,
// they edit the membership alone: group, kind, status and toggles. Nobody edits above
// their own rank, nobody their own place, and the last active Admin of the office stays.
//
// Every change takes a fresh proof of who makes it, is compared with what the form was
// filled with, and is one transaction, in which the site's row is held: of two Admins who
// remove each other one is too late.
//
// What was wrong with what was typed, and what may not be done, are answers (Refused). A
// user who is no member here is fault.NotFound, like one who does not exist.
package member

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Desk is User Setup. All fields are set.
type Desk struct {
	DB       *db.DB
	Post     *message.Post
	Standing standing.Source
	Login    *login.Desk
	Domains  Domains
	// Countries are those whose mobiles may get codes, as two letters.
	Countries []string
	// VendorName speaks where no site does.
	VendorName string
	// Invite promises somebody new the link for a first password, in the caller's
	// transaction; EndGiven ends the help codes that somebody made. Both are handed in,
	// because flows never call each other.
	Invite   func(ctx context.Context, tx *db.Tx, who user.User, at id.Site, by audit.Actor) error
	EndGiven func(ctx context.Context, tx *db.Tx, at id.Site, by id.User) error
}

// Refused is why something was not done; empty if it was. Then nothing was changed.
type Refused string

// The refusals.
const (
	// NotFresh says that the admin must prove again who they are.
	NotFresh Refused = "not_fresh"
	// Oneself says that nobody changes this for themselves here.
	Oneself Refused = "oneself"
	// AboveRank says that the member, or the group, stands above the admin.
	AboveRank Refused = "above_rank"
	// Elsewhere says that the user is no one site's alone.
	Elsewhere Refused = "elsewhere"
	// LastAdmin says that the site would be left without an active Admin in its office.
	LastAdmin Refused = "last_admin"
	// EndlessAdmin says that the access of an Admin has no end, and the member's has one.
	EndlessAdmin Refused = "endless_admin"
	// NotYetAdmin says that somebody who has no password yet, or came here by a form and has
	// not signed in since, is no Admin before they have.
	NotYetAdmin Refused = "not_yet_admin"
	// Changed says that somebody else was quicker; Saved.Others says where.
	Changed Refused = "changed"
	// NoEmail says that there has to be an address.
	NoEmail Refused = "no_email"
	// BadEmail says that this is no address; Saved.Why says why.
	BadEmail Refused = "bad_email"
	// CannotUse says that the address cannot be a login name here. Why is not said: it may
	// be somebody's.
	CannotUse Refused = "cannot_use"
	// TakenHere says that another member of this site signs in with it; Saved.Who says who.
	TakenHere Refused = "taken_here"
	// BadMobile says that codes cannot go to the number; Saved.Why says why.
	BadMobile Refused = "bad_mobile"
	// BadName says that a first name is missing, or a name cannot be written.
	BadName Refused = "bad_name"
	// BadChoice says that a group, kind or status is none.
	BadChoice Refused = "bad_choice"
	// Doubtful says that Saved.Doubts should be looked at before it is saved all the same.
	Doubtful Refused = "doubtful"
	// WhichPerson asks whether this is still the same person.
	WhichPerson Refused = "which_person"
	// TooMany says that it was done too often; Saved.Retry says when again. So do the three
	// after it: of addresses that were tried, of login names that were changed, and of people
	// who took somebody's place.
	TooMany          Refused = "too_many"
	TooManyAddresses Refused = "too_many_addresses"
	TooManyLogins    Refused = "too_many_logins"
	TooManyNewcomers Refused = "too_many_newcomers"
	// NotActive says that only the place of somebody who is active now can be taken.
	NotActive Refused = "not_active"
	// AdminNewcomer says that whoever takes a place here is no Admin; the account manager is
	// asked for one.
	AdminNewcomer Refused = "admin_newcomer"
	// AccessOver says that the member's access had an end, which is over: the account manager
	// is asked for them with a new last day.
	AccessOver Refused = "access_over"
	// Replaced says that somebody else has taken the member's place, who is not made active
	// again here.
	Replaced Refused = "replaced"
	// NoLess says that a program takes no requirement of 2FA from a member.
	NoLess Refused = "no_less"
	// RefTaken says that the site has a member of this reference; BadRef that it can be none.
	RefTaken Refused = "ref_taken"
	BadRef   Refused = "bad_ref"
	// AskForAdmin says that the account manager is asked for an Admin of a site that has
	// members.
	AskForAdmin Refused = "ask_for_admin"
)

// subject is a member as they are, and who looks at them.
type subject struct {
	admin   site.Membership
	at      site.Site
	user    user.User
	member  site.Membership
	all     []site.Membership
	methods []method.Method
}

// own says that an admin looks at themselves.
func (s subject) own() bool { return s.admin.User == s.user.ID }

// elsewhere says that the user is not this site's alone.
func (s subject) elsewhere() bool { return len(s.all) > 1 || s.user.Staff }

// above says that the member stands above the admin.
func (s subject) above() bool { return s.member.Group.Rank() > s.admin.Group.Rank() }

// find reads a member of the admin's site; fault.NotFound for whoever is none.
func (d *Desk) find(ctx context.Context, from db.Reader, admin site.Membership, whom id.User) (s subject, err error) {
	s.admin = admin
	if s.all, err = site.MembershipsOf(ctx, from, whom); err != nil {
		return s, fmt.Errorf("read memberships: %w", err)
	}
	i := slices.IndexFunc(s.all, func(m site.Membership) bool { return m.Site == admin.Site })
	if i < 0 {
		return s, fmt.Errorf("a member of the site: %w", fault.NotFound)
	}
	s.member = s.all[i]
	if s.user, err = user.ByID(ctx, from, whom); err != nil {
		return s, fmt.Errorf("find a user: %w", err)
	}
	if s.at, err = site.ByID(ctx, from, admin.Site); err != nil {
		return s, fmt.Errorf("find a site: %w", err)
	}
	if s.methods, err = method.Of(ctx, from, whom); err != nil {
		return s, fmt.Errorf("read methods: %w", err)
	}
	return s, nil
}

// change runs one change of a member in one transaction. The site comes first, so that
// changes of who runs it wait for each other, and whoever was removed meanwhile changes
// nothing; then the user, so that changes of one person do.
func (d *Desk) change(ctx context.Context, by authority.Bearer, whom id.User, do func(*db.Tx, subject) error) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error { return d.changeIn(ctx, tx, by, whom, do) })
}

// changeIn is change in the transaction of another one.
func (d *Desk) changeIn(ctx context.Context, tx *db.Tx, by authority.Bearer, whom id.User, do func(*db.Tx, subject) error) error {
	admin, err := manager(ctx, tx, by)
	if err != nil {
		return err
	}
	if _, err := user.Hold(ctx, tx, whom); err != nil {
		return fmt.Errorf("hold a user: %w", err)
	}
	s, err := d.find(ctx, tx, admin, whom)
	if err != nil {
		return err
	}
	return do(tx, s)
}

// manager holds the site of whoever changes its members, and gives by what they do.
func manager(ctx context.Context, tx *db.Tx, by authority.Bearer) (site.Membership, error) {
	if by.Session.Site == "" {
		return site.Membership{}, fmt.Errorf("an admin: %w", fault.NotFound)
	}
	if err := site.Hold(ctx, tx, by.Session.Site); err != nil {
		return site.Membership{}, err
	}
	return authority.Manager(ctx, tx, tx.Now, by)
}

// proved says whether whoever changes something proved lately who they are. The key of a
// program is its proof.
func (d *Desk) proved(ctx context.Context, tx *db.Tx, by authority.Bearer) (bool, error) {
	if by.Program != nil {
		return true, nil
	}
	return authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
}

// errUndo ends a transaction whose answer is a refusal found too late.
var errUndo = errors.New("what was written is taken back")

// runsSite says that a membership is one of those of which every site needs one.
func runsSite(m site.Membership) bool {
	return m.Group == policy.GroupAdmin && m.Kind != policy.Mobile && m.Status == policy.Active
}

// leaves says whether a change would leave the site without an Admin who stays.
func leaves(ctx context.Context, tx *db.Tx, from, to site.Membership) (bool, error) {
	if !runsSite(from) || runsSite(to) {
		return false, nil
	}
	last, err := site.LastAdmin(ctx, tx, from.Site, from.User)
	if err != nil {
		return false, fmt.Errorf("look for a site's other admins: %w", err)
	}
	return last, nil
}

// put stores a membership with its epochs and its event. What reaches the site ends where
// a group, kind or status changes; a toggle has the policy decide again.
func put(ctx context.Context, tx *db.Tx, s subject, to site.Membership, by audit.Actor) error {
	from := s.member
	facts := differences(from, to)
	if len(facts) == 0 {
		return nil
	}
	if err := site.Change(ctx, tx, from, to); err != nil {
		return err
	}
	var raised []epoch.Owner
	if to.Status != policy.Active && from.Status == policy.Active {
		if err := login.EndReach(ctx, tx, from.Site, from.User); err != nil {
			return fmt.Errorf("end what somebody can reach: %w", err)
		}
	} else if from.Group != to.Group || from.Kind != to.Kind || from.Status != to.Status {
		raised = append(raised, epoch.Member(from.Site, from.User))
	} else if from.TwoFA != to.TwoFA {
		raised = append(raised, epoch.Site(from.Site))
	}
	if err := epoch.Raise(ctx, tx, raised...); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.MembershipChanged, Actor: by, Site: from.Site, User: from.User, Facts: facts,
	})
}

// differences are what a membership was and is, of what changed.
func differences(from, to site.Membership) map[string]string {
	facts := map[string]string{}
	note := func(what, was, is string) {
		if was != is {
			facts[what], facts[what+"_was"] = is, was
		}
	}
	note("group", string(from.Group), string(to.Group))
	note("kind", string(from.Kind), string(to.Kind))
	note("status", string(from.Status), string(to.Status))
	note("sales_dashboard", fmt.Sprint(from.SalesDashboard), fmt.Sprint(to.SalesDashboard))
	note("business_intelligence", fmt.Sprint(from.BusinessIntelligence), fmt.Sprint(to.BusinessIntelligence))
	note("twofa", fmt.Sprint(from.TwoFA), fmt.Sprint(to.TwoFA))
	return facts
}
