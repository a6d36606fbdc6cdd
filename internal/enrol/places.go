package enrol

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/session"
)

// ForgetDevice has a remembered device asked again. Like all that only takes power away it
// needs no fresh proof: whoever finds a stranger's device must not be held up.
func (d *Desk) ForgetDevice(ctx context.Context, h Holder, which id.Device) (Done, error) {
	return d.change(ctx, h, nil, func(tx *db.Tx, s held) (Done, error) {
		err := session.ForgetDevice(ctx, tx, s.who.ID, which)
		if errors.Is(err, fault.Conflict) {
			return Done{Refused: NoSuch}, nil
		}
		if err != nil {
			return Done{}, fmt.Errorf("forget a device: %w", err)
		}
		return Done{}, d.record(ctx, tx, s, effect{kind: audit.DeviceForgotten, facts: map[string]string{"device": string(which)}})
	})
}

// EndSession ends another session of the person. Their own is ended by signing out.
func (d *Desk) EndSession(ctx context.Context, h Holder, which id.Session) (Done, error) {
	return d.change(ctx, h, nil, func(tx *db.Tx, s held) (Done, error) {
		if which == s.session.ID {
			return Done{Refused: NoSuch}, nil
		}
		err := session.End(ctx, tx, session.Session{User: s.who.ID, ID: which})
		if errors.Is(err, fault.Conflict) {
			return Done{Refused: NoSuch}, nil
		}
		if err != nil {
			return Done{}, fmt.Errorf("end a session: %w", err)
		}
		return Done{}, d.record(ctx, tx, s, effect{kind: audit.SessionEnded, facts: map[string]string{"ended": string(which)}})
	})
}

// EndOthers signs the person out everywhere else: sessions, remembered devices, sign-ins
// under way, codes and links end. This session goes on under a new id.
func (d *Desk) EndOthers(ctx context.Context, h Holder) (Done, error) {
	return d.change(ctx, h, nil, func(tx *db.Tx, s held) (Done, error) {
		if err := d.leave(ctx, tx, s); err != nil {
			return Done{}, err
		}
		if _, err := d.closeCodes(ctx, tx, s.who.ID); err != nil {
			return Done{}, err
		}
		if err := epoch.Raise(ctx, tx, epoch.User(s.who.ID)); err != nil {
			return Done{}, err
		}
		if err := d.record(ctx, tx, s, effect{kind: audit.SessionEnded, facts: map[string]string{"ended": "all others"}}); err != nil {
			return Done{}, err
		}
		return d.goOn(ctx, tx, s)
	})
}
