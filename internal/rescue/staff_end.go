package rescue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/user"
)

// Colleague is a member of staff as the others see them.
type Colleague struct {
	User user.User
	// Since is when they became staff, ConfirmedBy who confirmed them: both are empty for
	// one who was there before codes were, ConfirmedBy for the first of all.
	Since       time.Time
	ConfirmedBy id.User
}

// Colleagues lists who is staff, 50 at most; fault.NotFound for whoever is not.
func (d *Desk) Colleagues(ctx context.Context, by authority.Bearer) ([]Colleague, error) {
	if err := authority.Staff(ctx, d.DB, d.DB.Clock.Now(), by); err != nil {
		return nil, err
	}
	ids, err := staffIDs(ctx, d.DB)
	if err != nil {
		return nil, fmt.Errorf("read who is staff: %w", err)
	}
	all := make([]Colleague, 0, len(ids))
	for _, one := range ids {
		c, err := colleague(ctx, d.DB, one)
		if err != nil {
			return nil, fmt.Errorf("read since when somebody is staff: %w", err)
		}
		if c.User, err = user.ByID(ctx, d.DB, one); err != nil {
			return nil, fmt.Errorf("find a user: %w", err)
		}
		all = append(all, c)
	}
	return all, nil
}

// reasonLeast is how many characters a reason has at least: whoever is second must be
// able to judge it.
const reasonLeast = 10

// MayEndStaff says whether somebody can be ended as a member of staff, with a part of this
// member in it: they are staff, it is somebody else, and there is a reason.
func (d *Desk) MayEndStaff(ctx context.Context, from db.Reader, by authority.Bearer, who id.User, reason string) (bool, error) {
	said, ok := written(reason)
	if !ok || len(said) < reasonLeast || who == by.User.ID {
		return false, nil
	}
	u, err := user.ByID(ctx, from, who)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a user: %w", err)
	}
	return u.Staff, nil
}

// EndStaff makes somebody staff no more, in the caller's transaction, which has the word
// of two others: their sessions are dead within five seconds on every node, codes that
// they may still hold are over, and so is what was given to them. Who they are stays, and
// so does what they did. fault.Conflict if they are not staff.
func (d *Desk) EndStaff(ctx context.Context, tx *db.Tx, by authority.Bearer, who id.User) error {
	if err := epoch.Raise(ctx, tx, house); err != nil {
		return err
	}
	if err := user.EndStaff(ctx, tx, who); err != nil {
		return err
	}
	if err := endStaffCode(ctx, tx, who); err != nil {
		return fmt.Errorf("end a code: %w", err)
	}
	if err := authority.TakeAll(ctx, tx, who); err != nil {
		return err
	}
	if err := epoch.Raise(ctx, tx, epoch.User(who)); err != nil {
		return err
	}
	gone, err := user.ByID(ctx, tx, who)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	rest, err := staffIDs(ctx, tx)
	if err != nil {
		return fmt.Errorf("read who is staff: %w", err)
	}
	for _, one := range append(rest, who) {
		n := message.Notice{User: one, Kind: message.StaffEnded, Words: map[string]string{"who": gone.Name(), "by": by.User.Name()}}
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell staff: %w", err)
		}
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.StaffEnded, Actor: by.Actor(), User: who})
}
