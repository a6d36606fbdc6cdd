// Package rescue is every way out of trouble: a forgotten password, asking an admin to
// be let in, help codes that an admin reads out, recovery by the vendor's staff, and the
// first code of a new member of staff.
//
// None of them turns the second factor off, and none ends in a session. A reset sets a
// password and leaves a mark, under which the mailbox alone does not let anybody in. All
// the others open an enrol-only session: the attempt of somebody who gave the right
// password may add one method, and ends. What touches attempts is handed in (OpenEnrol,
// ShutEnrols, BeginEnrol), because flows never call each other.
//
// Who is helped by whom: an admin helps a user whose memberships are all in the admin's
// one site. Everybody else is helped by staff, two of them, with time to say stop.
//
// The mark of a reset is not cleared here. An approval or a code lets its owner in to
// enrol; only when the method is really there has the mark done its work, and whoever
// adds it clears the mark in that transaction.
//
// What was wrong with what was typed, and what may not be done now, are answers
// (Refused). What is of another site is fault.NotFound, like what is not there.
package rescue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Desk helps people out of trouble. All fields are set, but for those that say so.
type Desk struct {
	DB   *db.DB
	Keys *secret.Keys
	Post *message.Post
	Jobs *job.Queue
	// Standing reads the facts by which helpers are judged, and says whether there is SMS.
	Standing standing.Source
	// Slots bounds how many passwords are hashed at once; Pace is the time at a multiple of
	// which answers leave that must not tell whether a name exists.
	Slots *password.Slots
	Pace  *password.Floor
	// OpenEnrol makes a pending attempt an enrol-only session in the caller's transaction;
	// fault.Conflict if the attempt has ended. by is one of the By words.
	OpenEnrol func(ctx context.Context, tx *db.Tx, who id.User, attempt id.Attempt, by string) error
	// ShutEnrols ends the enrol-only sessions of somebody that were opened with one of the By
	// words, in the caller's transaction.
	ShutEnrols func(ctx context.Context, tx *db.Tx, who id.User, by string) error
	// BeginEnrol begins an enrol-only session without a password, and gives its token.
	BeginEnrol func(ctx context.Context, tx *db.Tx, who id.User, by string, at session.Place) (string, error)
	// Invited says whether a live invitation waits for somebody who has been here before; nil:
	// nobody is invited.
	Invited func(ctx context.Context, from db.Reader, now time.Time, who id.User) (bool, error)
	// VendorName speaks where no site does.
	VendorName string
}

// Who opened an enrol-only session.
const (
	ByApproval  = "approval"
	ByHelpCode  = "help_code"
	ByStaff     = "staff"
	ByStaffCode = "staff_add"
)

// Waiting is what the door knows of somebody who gave the right password and cannot pass.
type Waiting struct {
	User    id.User
	Attempt id.Attempt
	// Site is the site that is entered; empty while it was not chosen.
	Site  id.Site
	Place session.Place
	// Until is when the attempt runs out; zero if that bounds nothing.
	Until time.Time
}

// Refused is why something was not done; empty if it was. Nothing was changed, unless
// the word says so.
type Refused string

// The refusals.
const (
	// NotFresh says that the helper must prove again who they are.
	NotFresh Refused = "not_fresh"
	// Elsewhere says that the user has memberships at other sites too, or is staff: only
	// the vendor's staff may help.
	Elsewhere Refused = "elsewhere"
	// Inactive says that the membership is not one that signs in on the web.
	Inactive Refused = "inactive"
	// NoHelper says that there is no other admin who could get in.
	NoHelper Refused = "no_helper"
	// TooMany says that it was done too often; it may be tried again later.
	TooMany Refused = "too_many"
	// WrongForm says that what was typed cannot be it at all. It cost nothing.
	WrongForm Refused = "form"
	// WrongNumber says that the number is not the one on the waiting page. It was counted.
	WrongNumber Refused = "number"
	// Declined says that the number was wrong too often, and the ask is answered by that.
	Declined Refused = "declined"
	// Over says that somebody else was first, or that it has run out.
	Over Refused = "over"
	// Oneself says that nobody does this for themselves.
	Oneself Refused = "oneself"
	// AboveRank says that the member stands above the helper.
	AboveRank Refused = "above_rank"
	// SameMember says that another member of staff must do it.
	SameMember Refused = "same_member"
	// NotOnFile says that the number called is not one that was on file for 30 days.
	NotOnFile Refused = "not_on_file"
	// NoReason says that it needs words: why, or which papers.
	NoReason Refused = "no_reason"
	// AlreadyOpen says that there is one under way.
	AlreadyOpen Refused = "already_open"
	// NotYet says that its time has not come.
	NotYet Refused = "not_yet"
	// NotStaff says that whoever began or confirmed it is staff no more: it is given up, and
	// begun anew.
	NotStaff Refused = "not_staff"
	// Member says that whoever is to be staff is a user of a site, whose Admins may edit
	// their login.
	Member Refused = "member"
	// Contested says that somebody said stop, and staff must decide.
	Contested Refused = "contested"
)

func userActor(who id.User, at session.Place) audit.Actor {
	return audit.Actor{Kind: audit.ActorUser, ID: string(who), Network: at.Network, Agent: at.Agent}
}

func active(m site.Membership) bool { return m.Kind == policy.Office && m.Status == policy.Active }

// member gives the membership of somebody whom the admins of a site may help: one whose
// memberships, whatever their status, are all in that site. fault.NotFound for whoever
// has none there.
func member(ctx context.Context, from db.Reader, who user.User, at id.Site) (site.Membership, Refused, error) {
	all, err := site.MembershipsOf(ctx, from, who.ID)
	if err != nil {
		return site.Membership{}, "", fmt.Errorf("read memberships: %w", err)
	}
	i := slices.IndexFunc(all, func(m site.Membership) bool { return m.Site == at })
	switch {
	case i < 0:
		return site.Membership{}, "", fmt.Errorf("a member of the site: %w", fault.NotFound)
	case len(all) > 1 || who.Staff:
		return all[i], Elsewhere, nil
	case !active(all[i]):
		return all[i], Inactive, nil
	default:
		return all[i], "", nil
	}
}

// fresh asks for a proof of the helper's strongest way in the last minutes (I10).
func (d *Desk) fresh(ctx context.Context, tx *db.Tx, by authority.Bearer) (Refused, error) {
	ok, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
	if err != nil || ok {
		return "", err
	}
	return NotFresh, nil
}

// canPass says whether somebody could get in at a site now, so that asking them helps.
func (d *Desk) canPass(ctx context.Context, from db.Reader, now time.Time, who user.User, at id.Site) (bool, error) {
	f, err := d.Standing.Of(ctx, from, now, standing.Asker{
		User: who, Sites: []id.Site{at}, Client: policy.Client{Kind: policy.ClientWeb},
	})
	if err != nil {
		return false, fmt.Errorf("read the facts of an admin: %w", err)
	}
	outcome := policy.Decide(f, now).Outcome
	return outcome != policy.Enrol && outcome != policy.Refuse, nil
}

// tellAdmins tells the admins of a site, but for those who did it and whom it is about.
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

// tellBoth tells the user what somebody did for them, and the other admins of whom.
func (d *Desk) tellBoth(ctx context.Context, tx *db.Tx, n message.Notice, who user.User, by id.User) error {
	n.User = who.ID
	if err := d.Post.Tell(ctx, tx, n); err != nil {
		return fmt.Errorf("tell a user: %w", err)
	}
	words := map[string]string{"who": who.Name()}
	maps.Copy(words, n.Words)
	n.Words, n.Changed = words, ""
	return d.tellAdmins(ctx, tx, n, who.ID, by)
}

// open opens the enrol-only session and records it. False says that the attempt is gone;
// then nothing was changed.
func (d *Desk) open(ctx context.Context, tx *db.Tx, w Waiting, by string, actor audit.Actor) (bool, error) {
	err := d.OpenEnrol(ctx, tx, w.User, w.Attempt, by)
	if errors.Is(err, fault.Conflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open an enrol-only session: %w", err)
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.EnrolOpened, Actor: actor, User: w.User, Site: w.Site, Facts: map[string]string{"by": by},
	})
}

// under reads the number of a user.
func under(ctx context.Context, from db.Reader, who id.User) (int64, error) {
	return epoch.Now(ctx, from, epoch.User(who))
}
