package request

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// reasonMost bounds the words of a decline, in characters.
const reasonMost = 300

// Ref names a request, and the state in which whoever decides has seen it: of two who
// decide what they both saw, one is told that it is another one now.
type Ref struct {
	Site id.Site
	ID   id.Request
	Seen State
}

// Approve approves a request, or is the first of the two words that an Admin takes. The
// last word makes the invitation. A first word of somebody who is staff no more counts for
// nothing: the next one is the first again. fault.NotFound for whoever is not staff, or has
// not been given the site.
func (d *Desk) Approve(ctx context.Context, by authority.Bearer, which Ref) (refused Refused, err error) {
	err = d.asStaff(ctx, by, which, func(tx *db.Tx, r Request) error {
		if refused, err = d.mayApprove(ctx, tx, by, which, r); err != nil || refused != "" {
			return err
		}
		if r.Group != policy.GroupAdmin {
			return d.approve(ctx, tx, by, r)
		}
		second, err := firstHolds(ctx, tx, r)
		if err != nil {
			return err
		}
		if !second {
			return d.approveFirst(ctx, tx, by, r)
		}
		return d.approve(ctx, tx, by, r)
	})
	if errors.Is(err, fault.Conflict) {
		return Over, nil
	}
	return refused, err
}

// firstHolds says whether there is a first word for an Admin, by somebody who is still
// staff. Their row is kept until the transaction ends, so that they are not removed
// meanwhile.
func firstHolds(ctx context.Context, tx *db.Tx, r Request) (bool, error) {
	if r.State != ApprovedOnce {
		return false, nil
	}
	first, err := user.Hold(ctx, tx, r.FirstBy)
	if err != nil {
		return false, fmt.Errorf("find who approved first: %w", err)
	}
	return first.Staff, nil
}

func (d *Desk) mayApprove(ctx context.Context, tx *db.Tx, by authority.Bearer, which Ref, r Request) (Refused, error) {
	switch {
	case r.State == Approved || !r.open(tx.Now) || r.State != which.Seen,
		!r.Until.IsZero() && !tx.Now.Before(r.Until):
		return Over, nil
	case r.AskedBy == by.User.ID:
		return Oneself, nil
	case r.State == ApprovedOnce && r.FirstBy == by.User.ID:
		return SameMember, nil
	}
	if in, err := isMember(ctx, tx, r.Site, by.User.ID); err != nil || in {
		return OwnSite, err
	}
	if stays, err := site.IsAdmin(ctx, tx, tx.Now, r.Site, r.AskedBy); err != nil || !stays {
		return AskerGone, err
	}
	who, held, err := holder(ctx, tx, r.Email)
	if err != nil {
		return "", err
	}
	if held && who.Staff {
		return StaffAddress, nil
	}
	if held {
		if in, err := isIn(ctx, tx, tx.Now, r.Site, who.ID); err != nil || in {
			return Member, err
		}
	}
	return d.fresh(ctx, tx, by)
}

func (d *Desk) fresh(ctx context.Context, tx *db.Tx, by authority.Bearer) (Refused, error) {
	ok, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
	if err != nil || ok {
		return "", err
	}
	return NotFresh, nil
}

func (d *Desk) approveFirst(ctx context.Context, tx *db.Tx, by authority.Bearer, r Request) error {
	if err := approveFirst(ctx, tx, r, by.User.ID); err != nil {
		return fmt.Errorf("approve a request first: %w", err)
	}
	if err := d.tellManager(ctx, tx, r.Site, message.RequestSecond, by.User.ID); err != nil {
		return err
	}
	return audit.Record(ctx, tx, r.event(audit.RequestApproved, by.Actor(), map[string]string{"step": "first"}))
}

func (d *Desk) approve(ctx context.Context, tx *db.Tx, by authority.Bearer, r Request) error {
	invited, err := invitee(ctx, tx, r)
	if err != nil {
		return err
	}
	r.user, r.ExpiresAt = invited.ID, tx.Now.Add(inviteLife)
	if err := approve(ctx, tx, r, by.User.ID); err != nil {
		return fmt.Errorf("approve a request: %w", err)
	}
	if err := audit.Record(ctx, tx, r.event(audit.RequestApproved, by.Actor(), map[string]string{"group": string(r.Group)})); err != nil {
		return err
	}
	if err := d.invite(ctx, tx, by.Actor(), r); err != nil {
		return err
	}
	n := message.Notice{Site: r.Site, Kind: message.RequestApproved, Words: map[string]string{"who": r.Name()}}
	return d.tellAdmins(ctx, tx, n)
}

// Decline declines a request, with a reason that the site's Admins read.
func (d *Desk) Decline(ctx context.Context, by authority.Bearer, which Ref, reason string) (refused Refused, err error) {
	reason = strings.Join(strings.Fields(reason), " ")
	if reason == "" || utf8.RuneCountInString(reason) > reasonMost {
		return NoReason, nil
	}
	err = d.asStaff(ctx, by, which, func(tx *db.Tx, r Request) error {
		if refused = ""; r.State == Approved || !r.open(tx.Now) || r.State != which.Seen {
			refused = Over
			return nil
		}
		if refused, err = d.fresh(ctx, tx, by); err != nil || refused != "" {
			return err
		}
		if err := decline(ctx, tx, r, by.User.ID, reason); err != nil {
			return fmt.Errorf("decline a request: %w", err)
		}
		n := message.Notice{Site: r.Site, Kind: message.RequestDeclined, Words: map[string]string{"who": r.Name()}}
		if err := d.tellAdmins(ctx, tx, n); err != nil {
			return err
		}
		e := r.event(audit.RequestDeclined, by.Actor(), nil)
		e.Personal = map[string]string{"reason": reason}
		return audit.Record(ctx, tx, e)
	})
	if errors.Is(err, fault.Conflict) {
		return Over, nil
	}
	return refused, err
}

// asStaff holds a request for a member of staff to whom its site is given.
func (d *Desk) asStaff(ctx context.Context, by authority.Bearer, which Ref, fn func(*db.Tx, Request) error) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, which.Site); err != nil {
			return err
		}
		r, err := hold(ctx, tx, which.Site, which.ID)
		if err != nil {
			return fmt.Errorf("find a request: %w", err)
		}
		return fn(tx, r)
	})
}

// Sight is what staff look at before they decide.
type Sight struct {
	Request Request
	Site    site.Site
	// Asker is who asked, First who approved it first; the zero user if nobody did.
	Asker, First, Decider user.User
	// Counts are the site's active members by group.
	Counts map[policy.Group]int
	// Doubts are what speaks against the address being one person's own, Meant what was
	// probably meant. Both may be empty.
	Doubts []address.Suspicion
	Meant  string
	// Second says that another member of staff has to confirm an approval.
	Second bool
	Now    time.Time
}

// Look gives what staff look at, and notes in the site's trail that they did: the one
// thing that a page may write that is only read. fault.NotFound for whoever is not staff, or
// has not been given the site.
func (d *Desk) Look(ctx context.Context, by authority.Bearer, at id.Site, which id.Request) (s Sight, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, at); err != nil {
			return err
		}
		s = Sight{Now: tx.Now}
		if s.Request, err = byID(ctx, tx, at, which); err != nil {
			return fmt.Errorf("find a request: %w", err)
		}
		if s.Site, err = site.ByID(ctx, tx, at); err != nil {
			return fmt.Errorf("find a site: %w", err)
		}
		for _, one := range []struct {
			who id.User
			to  *user.User
		}{{s.Request.AskedBy, &s.Asker}, {s.Request.FirstBy, &s.First}, {s.Request.DecidedBy, &s.Decider}} {
			if one.who == "" {
				continue
			}
			if *one.to, err = user.ByID(ctx, tx, one.who); err != nil {
				return fmt.Errorf("find who asked or decided: %w", err)
			}
		}
		if s.Counts, err = site.Counts(ctx, tx, at); err != nil {
			return fmt.Errorf("count members: %w", err)
		}
		s.Doubts = address.Suspect(s.Request.Email)
		if meant, slip := address.Slip(s.Request.Email.Domain()); slip {
			s.Meant = meant
		}
		s.Second = s.Request.Group == policy.GroupAdmin
		return audit.Record(ctx, tx, s.Request.event(audit.StaffViewed, by.Actor(), map[string]string{"page": "request"}))
	})
	return s, err
}
