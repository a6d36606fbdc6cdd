package sharing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// warning is how long before the day everybody is told.
	warning = 3 * 24 * time.Hour
	// late is how much less they may have, because a sweep has its own minute.
	late = time.Hour
	// keepPeople is for how long those who were named for a split are kept after its end: as
	// long as the trail.
	keepPeople = 400 * 24 * time.Hour
)

// bySystem is who retires logins.
var bySystem = audit.Actor{Kind: audit.ActorSystem, ID: "sharing"}

// Sweep tells of the logins whose day is near, retires those whose day has come, limit at
// most, and forgets where codes were typed when that says nothing any more. Each login is
// a transaction of its own. Any number of nodes may sweep at once.
func (d *Desk) Sweep(ctx context.Context, limit int) error {
	now := d.DB.Clock.Now()
	due, err := due(ctx, d.DB, now.Add(warning), limit)
	if err != nil {
		return fmt.Errorf("find the splits that are due: %w", err)
	}
	var all error
	for _, s := range due {
		err := d.DB.Do(ctx, func(tx *db.Tx) error { return d.step(ctx, tx, s.Site, s.ID) })
		if err != nil && !errors.Is(err, fault.Conflict) { // another node was first
			all = errors.Join(all, err)
		}
	}
	return errors.Join(all, d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := sweepPeople(ctx, tx, tx.Now.Add(-keepPeople), limit); err != nil {
			return fmt.Errorf("remove who was named for old splits: %w", err)
		}
		return sweepCrossings(ctx, tx, tx.Now.Add(-Window).Unix()/int64(time.Hour/time.Second), limit)
	}))
}

// step does what is next for one split.
func (d *Desk) step(ctx context.Context, tx *db.Tx, at id.Site, which id.Split) error {
	s, err := takeSplit(ctx, tx, at, which)
	if errors.Is(err, fault.NotFound) {
		return nil // it has ended meanwhile
	}
	if err != nil {
		return fmt.Errorf("take a split: %w", err)
	}
	who, err := user.ByID(ctx, tx, s.User)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	active, err := isActive(ctx, tx, s)
	if err != nil {
		return err
	}
	switch {
	case !active:
		return d.needless(ctx, tx, s)
	case s.ToldAt.IsZero():
		return d.announce(ctx, tx, s, who)
	case !tx.Now.Before(s.RetireAt):
		return d.retire(ctx, tx, s, who)
	}
	return nil
}

func isActive(ctx context.Context, tx *db.Tx, s Split) (bool, error) {
	all, err := site.MembershipsOf(ctx, tx, s.User)
	if err != nil {
		return false, fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range all {
		if m.Site == s.Site {
			return m.Status == policy.Active, nil
		}
	}
	return false, nil
}

func (d *Desk) needless(ctx context.Context, tx *db.Tx, s Split) error {
	if err := endSplit(ctx, tx, s, needless, ""); err != nil {
		return fmt.Errorf("end a split: %w", err)
	}
	return record(ctx, tx, audit.SplitNeedless, s)
}

// announce tells everybody, three days before. Where nothing ran for so long that they
// would have less, the day moves: nobody loses a login unheard.
func (d *Desk) announce(ctx context.Context, tx *db.Tx, s Split, who user.User) error {
	if s.RetireAt.Before(tx.Now.Add(warning - late)) {
		at, err := site.ByID(ctx, tx, s.Site)
		if err != nil {
			return fmt.Errorf("find a site: %w", err)
		}
		s.RetireAt = policy.NextFour(tx.Now.Add(warning), at.Zone)
	}
	if err := announceSplit(ctx, tx, s); err != nil {
		return fmt.Errorf("announce a split: %w", err)
	}
	if err := d.tellAll(ctx, tx, notice(message.SplitSoon, s, who), who); err != nil {
		return err
	}
	return record(ctx, tx, audit.SplitAnnounced, s)
}

// retire makes the membership inactive; that of the last Admin stays, and the admins are
// told once. It is retired as soon as there is another.
func (d *Desk) retire(ctx context.Context, tx *db.Tx, s Split, who user.User) error {
	last, err := site.Retire(ctx, tx, s.Site, s.User)
	if err != nil {
		return fmt.Errorf("retire a login: %w", err)
	}
	if last {
		if !s.HeldAt.IsZero() {
			return nil
		}
		if err := holdSplit(ctx, tx, s); err != nil {
			return fmt.Errorf("hold a split: %w", err)
		}
		if err := d.tellAdmins(ctx, tx, notice(message.SplitHeld, s, who)); err != nil {
			return err
		}
		return record(ctx, tx, audit.SplitHeld, s)
	}
	if err := endSplit(ctx, tx, s, retired, ""); err != nil {
		return fmt.Errorf("end a split: %w", err)
	}
	if err := login.EndForGood(ctx, tx, s.Site, s.User); err != nil {
		return fmt.Errorf("end what the login can reach: %w", err)
	}
	if err := d.tellAll(ctx, tx, notice(message.SplitDone, s, who), who); err != nil {
		return err
	}
	return record(ctx, tx, audit.MembershipRetired, s)
}

func notice(kind message.NoticeKind, s Split, who user.User) message.Notice {
	return message.Notice{Site: s.Site, Kind: kind, Words: map[string]string{
		"who": who.Name(), "at": s.RetireAt.Format(time.RFC3339),
	}}
}

func record(ctx context.Context, tx *db.Tx, kind audit.Kind, s Split) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: bySystem, User: s.User, Site: s.Site,
		Facts: map[string]string{"split": string(s.ID), "retire_at": s.RetireAt.Format(time.RFC3339)},
	})
}

// Forget wipes who they were from the splits that a person was named for, and why their
// login was said to be one person's.
func Forget(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := forget(ctx, tx, who); err != nil {
		return fmt.Errorf("forget somebody in splits: %w", err)
	}
	return nil
}
