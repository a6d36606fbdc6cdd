package member

import (
	"context"
	"fmt"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// Left ends everything of a member who has left, within the five seconds in which every
// node sees an epoch: they are inactive here, and where they are active nowhere else all
// that was made for them is dead. The help codes that they made are ended, too. The other
// Admins are told.
func (d *Desk) Left(ctx context.Context, by authority.Bearer, whom id.User) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.LeftIn(ctx, tx, by, whom)
		return err
	})
	return refused, err
}

// LeftIn is Left in the transaction of another change.
func (d *Desk) LeftIn(ctx context.Context, tx *db.Tx, by authority.Bearer, whom id.User) (refused Refused, err error) {
	err = d.changeIn(ctx, tx, by, whom, func(tx *db.Tx, s subject) error {
		gone := s.member
		gone.Status = policy.Inactive
		last, err := leaves(ctx, tx, s.member, gone)
		if err != nil {
			return err
		}
		switch {
		case s.own():
			refused = Oneself
		case s.above():
			refused = AboveRank
		case last:
			refused = LastAdmin
		default:
			var fresh bool
			if fresh, err = d.proved(ctx, tx, by); err != nil {
				return err
			}
			refused = ""
			if !fresh {
				refused = NotFresh
				return nil
			}
			return d.leave(ctx, tx, s, by)
		}
		return nil
	})
	return refused, err
}

func (d *Desk) leave(ctx context.Context, tx *db.Tx, s subject, by authority.Bearer) error {
	gone := s.member
	gone.Status = policy.Inactive
	if err := put(ctx, tx, s, gone, by.Actor()); err != nil {
		return err
	}
	// Also of somebody who was blocked, of whom put has ended nothing.
	if err := login.EndForGood(ctx, tx, s.at.ID, s.user.ID); err != nil {
		return fmt.Errorf("end what somebody can reach: %w", err)
	}
	if err := d.EndGiven(ctx, tx, s.at.ID, s.user.ID); err != nil {
		return fmt.Errorf("end help codes that somebody made: %w", err)
	}
	if err := d.tellOthers(ctx, tx, s, by, message.MemberLeft, ""); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.MemberLeft, Actor: by.Actor(), User: s.user.ID, Site: s.at.ID})
}

// promoted has the other Admins told of a form that makes somebody one of them.
func (d *Desk) promoted(ctx context.Context, tx *db.Tx, s subject, to site.Membership, by authority.Bearer) error {
	if runsSite(s.member) || !runsSite(to) {
		return nil
	}
	return d.tellOthers(ctx, tx, s, by, message.MemberAdmin, "")
}

// stopped has a form that blocks somebody, makes them inactive, or ends that they run the
// site do what belongs to it: the help codes that they made end, and the other Admins are
// told.
func (d *Desk) stopped(ctx context.Context, tx *db.Tx, s subject, to site.Membership, by authority.Bearer) error {
	var what string
	switch {
	case to.Status != s.member.Status && to.Status != policy.Active:
		what = string(to.Status)
	case runsSite(s.member) && !runsSite(to):
		what = message.NoAdmin
	default:
		return nil
	}
	if err := d.EndGiven(ctx, tx, s.at.ID, s.user.ID); err != nil {
		return fmt.Errorf("end help codes that somebody made: %w", err)
	}
	return d.tellOthers(ctx, tx, s, by, message.MemberStopped, what)
}

// tellOthers tells the other Admins what an Admin did to a member.
func (d *Desk) tellOthers(
	ctx context.Context, tx *db.Tx, s subject, by authority.Bearer, kind message.NoticeKind, what string,
) error {
	admins, err := site.Admins(ctx, tx, tx.Now, s.at.ID)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	words := map[string]string{"by": by.User.Name(), "who": s.user.Name()}
	if what != "" {
		words["what"] = what
	}
	for _, one := range admins {
		if one == by.User.ID || one == s.user.ID {
			continue
		}
		if err := d.Post.Tell(ctx, tx, message.Notice{User: one, Site: s.at.ID, Kind: kind, Words: words}); err != nil {
			return fmt.Errorf("tell an admin: %w", err)
		}
	}
	return nil
}

// EndSessions signs a member out everywhere: sessions, sign-ins under way, links and
// remembered devices. It needs no fresh proof, because it opens nothing.
func (d *Desk) EndSessions(ctx context.Context, by authority.Bearer, whom id.User) (saved Saved, err error) {
	err = d.change(ctx, by, whom, func(tx *db.Tx, s subject) error {
		switch {
		case s.own():
			saved = Saved{Refused: Oneself}
			return nil
		case s.above():
			saved = Saved{Refused: AboveRank}
			return nil
		}
		saved, err = within(ctx, tx, TooMany, "", limit.Charge{Budget: endings, Subject: limit.Subject(string(s.at.ID), string(s.user.ID))})
		if err != nil || saved.Refused != "" {
			return err
		}
		// Of somebody who is not this site's alone only what reaches this site.
		owner, reach := epoch.User(s.user.ID), "everywhere"
		if s.elsewhere() {
			owner, reach = epoch.Member(s.at.ID, s.user.ID), "site"
		}
		if err := epoch.Raise(ctx, tx, owner); err != nil {
			return err
		}
		err := d.Post.Tell(ctx, tx, message.Notice{
			User: s.user.ID, Site: s.at.ID, Kind: message.SessionsEnded, Words: map[string]string{"by": by.User.Name()},
		})
		if err != nil {
			return fmt.Errorf("tell a user: %w", err)
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.SessionsEnded, Actor: by.Actor(), User: s.user.ID, Site: s.at.ID, Facts: map[string]string{"reach": reach},
		})
	})
	return saved, err
}
