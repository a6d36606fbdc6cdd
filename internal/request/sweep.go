package request

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// tellBefore is how long before the end of an access the admins are told.
	tellBefore = 3 * 24 * time.Hour
	// keepOver is how long a request is kept that is over: as long as the trail that names
	// it, and a little more.
	keepOver = 400 * 24 * time.Hour
)

var system = audit.Actor{Kind: audit.ActorSystem, ID: "request"}

// Sweep ends requests and invitations that ran out, or whose Admin is one no more, tidies up after access that has
// ended, and tells the admins of what ends soon; limit at most of each at once. That an
// access has ended does not wait for it: the policy knows the moment.
func (d *Desk) Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	late, err := expire(ctx, tx, limit)
	if err != nil {
		return fmt.Errorf("end requests that ran out: %w", err)
	}
	orphans, err := expireOrphans(ctx, tx, limit)
	if err != nil {
		return fmt.Errorf("end requests whose admin is gone: %w", err)
	}
	for _, r := range slices.Concat(late, orphans) {
		if err := d.endInvitations(ctx, tx, r); err != nil {
			return err
		}
		if err := d.release(ctx, tx, r); err != nil {
			return err
		}
		n := message.Notice{Site: r.Site, Kind: message.RequestExpired, Words: map[string]string{"who": r.Name()}}
		if err := d.tellAdmins(ctx, tx, n); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, r.event(audit.RequestExpired, system, nil)); err != nil {
			return err
		}
	}
	if err := d.endAccess(ctx, tx, limit); err != nil {
		return err
	}
	if err := removeOld(ctx, tx, tx.Now.Add(-keepOver), limit); err != nil {
		return fmt.Errorf("remove old requests: %w", err)
	}
	return nil
}

func (d *Desk) endAccess(ctx context.Context, tx *db.Tx, limit int) error {
	ended, err := site.End(ctx, tx, limit)
	if err != nil {
		return err
	}
	for _, m := range ended {
		if err := login.EndForGood(ctx, tx, m.Site, m.User); err != nil {
			return fmt.Errorf("end what somebody can reach: %w", err)
		}
		if err := d.tellEnd(ctx, tx, m, message.AccessEnded); err != nil {
			return err
		}
		err := audit.Record(ctx, tx, audit.Event{
			Kind: audit.AccessEnded, Actor: system, Site: m.Site, User: m.User,
			Facts: map[string]string{"until": m.Until.UTC().Format(time.RFC3339), "user_ref": m.UserRef},
		})
		if err != nil {
			return err
		}
	}
	soon, err := site.EndingBefore(ctx, tx, tx.Now.Add(tellBefore), limit)
	if err != nil {
		return err
	}
	for _, m := range soon {
		if err := d.tellEnd(ctx, tx, m, message.AccessEnding); err != nil {
			return err
		}
	}
	return nil
}

// tellEnd tells a site's admins of the end of somebody's access, with its last day.
func (d *Desk) tellEnd(ctx context.Context, tx *db.Tx, m site.Membership, kind message.NoticeKind) error {
	who, err := user.ByID(ctx, tx, m.User)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	at, err := site.ByID(ctx, tx, m.Site)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	words := map[string]string{"who": who.Name(), "at": m.LastDay(at.Zone).Format(time.RFC3339)}
	return d.tellAdmins(ctx, tx, message.Notice{Site: m.Site, Kind: kind, Words: words}, m.User)
}

// Forget wipes who they were from the requests about a person that are over; an open one
// ends by itself within 30 days. What was asked, decided and when stays until it is swept.
func Forget(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := forget(ctx, tx, who); err != nil {
		return fmt.Errorf("forget somebody in requests: %w", err)
	}
	return nil
}
