package enrol

import (
	"context"
	"fmt"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/password"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Join makes one user of two, in the transaction in which a signed-in person proved their
// second login: its memberships come over, as they are. Its methods do not: what proved
// the one login proves nothing of the other. Everything made for either of them ends.
//
// The other user stays, because ids and login names are never given to somebody else. It
// has no membership and no password, and so the policy refuses it everywhere.
//
// false, with nothing changed: both are members of one site, so that one of the two has
// to be taken out there first (its admin does that); or one of them is staff, whose rules
// are others; or one has no membership, as after another join.
func (d *Desk) Join(ctx context.Context, tx *db.Tx, keep, other id.User) (bool, error) {
	if keep == other {
		return false, nil
	}
	one, two, err := holdBoth(ctx, tx, keep, other)
	if err != nil || one.Staff || two.Staff {
		return false, err
	}
	mine, theirs, err := memberships(ctx, tx, keep, other)
	if err != nil {
		return false, err
	}
	if len(mine) == 0 || len(theirs) == 0 {
		return false, nil
	}
	for at := range theirs {
		if mine[at] {
			return false, nil
		}
	}
	if err := d.move(ctx, tx, keep, other); err != nil {
		return false, err
	}
	// It ends everything that was made for the other user, too.
	if err := user.SetPassword(ctx, tx, other, password.Stored{}); err != nil {
		return false, err
	}
	if err := epoch.Raise(ctx, tx, epoch.User(keep)); err != nil {
		return false, err
	}
	for _, who := range []id.User{keep, other} {
		if _, err := d.closeCodes(ctx, tx, who); err != nil {
			return false, err
		}
		if err := d.Post.Tell(ctx, tx, message.Notice{User: who, Kind: message.LoginsJoined}); err != nil {
			return false, fmt.Errorf("tell a person of joined logins: %w", err)
		}
	}
	return true, nil
}

// holdBoth holds two users in the order of their ids, so that two joins the other way
// round wait for each other.
func holdBoth(ctx context.Context, tx *db.Tx, keep, other id.User) (one, two user.User, err error) {
	if other < keep {
		two, one, err = holdBoth(ctx, tx, other, keep)
		return one, two, err
	}
	if one, err = user.Hold(ctx, tx, keep); err == nil {
		two, err = user.Hold(ctx, tx, other)
	}
	if err != nil {
		return one, two, fmt.Errorf("hold two users: %w", err)
	}
	return one, two, nil
}

func memberships(ctx context.Context, tx *db.Tx, keep, other id.User) (mine, theirs map[id.Site]bool, err error) {
	mine, theirs = map[id.Site]bool{}, map[id.Site]bool{}
	for who, sites := range map[id.User]map[id.Site]bool{keep: mine, other: theirs} {
		all, err := site.MembershipsOf(ctx, tx, who)
		if err != nil {
			return nil, nil, fmt.Errorf("read memberships: %w", err)
		}
		for _, m := range all {
			sites[m.Site] = true
		}
	}
	return mine, theirs, nil
}

// move takes the memberships over, each with its event in the site's chain, where the
// login that is gone stands beside the one that stays. Without any it is an event of the
// person alone.
func (d *Desk) move(ctx context.Context, tx *db.Tx, keep, other id.User) error {
	all, err := site.MembershipsOf(ctx, tx, other)
	if err != nil {
		return fmt.Errorf("read memberships: %w", err)
	}
	places := []id.Site{""}
	for _, m := range all {
		if err := site.Move(ctx, tx, m.Site, other, keep); err != nil {
			return err
		}
		if err := epoch.Raise(ctx, tx, epoch.Member(m.Site, other), epoch.Member(m.Site, keep)); err != nil {
			return err
		}
		places = append(places, m.Site)
	}
	for _, at := range places {
		for _, about := range []id.User{keep, other} {
			if at != "" && about == other {
				continue // one event a site; its facts name both
			}
			err := audit.Record(ctx, tx, audit.Event{
				Kind: audit.LoginsJoined, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(keep)}, User: about, Site: at,
				Facts: map[string]string{"stays": string(keep), "retired": string(other)},
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
