package connect

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/message"
	"keyturn/internal/policy"
)

// Report is what the host product says of a site's connection to Xero.
//
// A site is connected while either source says so: a link of its own, or the host product.
// So a report that it is not connected never ends a link that is kept here, and the end of
// such a link ends nothing while the host product says that the site is connected.
type Report struct {
	// Connected says that it is. The other fields are of a site that is.
	Connected bool
	// Since is when it was connected, from 2006 on and not in the future: five minutes are
	// forgiven, because clocks differ.
	Since time.Time
	// Organisation is what its people call it. May be empty.
	Organisation string
	// By is who did it, as people read it.
	By string
}

// aheadMost is how far clocks may differ.
const aheadMost = 5 * time.Minute

// earliest is the year in which Xero began: nothing was connected to it before.
var earliest = time.Date(2006, time.January, 1, 0, 0, 0, 0, time.UTC)

func (r Report) check(now time.Time) error {
	switch {
	case !r.Connected:
		return nil
	case r.Since.Before(earliest):
		return fmt.Errorf("connected_at must be given, and lie in 2006 or later: %w", fault.Invalid)
	case r.Since.After(now.Add(aheadMost)):
		return fmt.Errorf("connected_at lies in the future: %w", fault.Invalid)
	}
	return nil
}

// Report takes the host product's word; false where nothing came of it. A site that becomes
// connected is so from r.Since on, so that the policy knows it from one that connected after
// the rollout began: one that connected before it waits for its day in a wave. A site that
// was connected before is so never from before it was disconnected, and waits for nothing.
// A disconnect lowers nothing: what was required stays until an admin lowers it, seven days
// later at the earliest. All admins are told of either.
//
// fault.Invalid says what is wrong with the report.
func (d *Desk) Report(ctx context.Context, by audit.Actor, at id.Site, r Report) (changed bool, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := r.check(tx.Now); err != nil {
			return err
		}
		// Held, because either source is asked about the other: of two transactions that each
		// end one, the second must see the first.
		if err := integration.Hold(ctx, tx, at, policy.Xero); err != nil {
			return err
		}
		if r.Connected {
			changed, err = d.reportedOn(ctx, tx, by, at, r)
		} else {
			changed, err = d.reportedOff(ctx, tx, by, at, r)
		}
		return err
	})
	return changed, err
}

func (d *Desk) reportedOn(ctx context.Context, tx *db.Tx, by audit.Actor, at id.Site, r Report) (bool, error) {
	r.Since = r.Since.UTC().Truncate(time.Microsecond)
	n, err := putReport(ctx, tx, at, r)
	if err != nil {
		return false, fmt.Errorf("store a report: %w", err)
	}
	was, err := d.Status(ctx, tx, at)
	if err != nil {
		return false, err
	}
	if !was.Live() {
		return d.joinReported(ctx, tx, by, at, r, was)
	}
	if n == 0 {
		return false, nil
	}
	if was.Link == nil {
		if err := integration.Rename(ctx, tx, at, policy.Xero, r.Organisation); err != nil {
			return false, err
		}
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.XeroReported, Actor: by, Site: at, Facts: map[string]string{"state": string(policy.Connected), "organisation": r.Organisation},
	})
}

// joinReported makes a site a connected one.
func (d *Desk) joinReported(ctx context.Context, tx *db.Tx, by audit.Actor, at id.Site, r Report, was Status) (bool, error) {
	since := r.Since
	if since.After(tx.Now) {
		since = tx.Now
	}
	if was.Connection != nil && was.Connection.DisconnectedAt.After(since) {
		since = was.Connection.DisconnectedAt
	}
	done, err := integration.Join(ctx, tx, by, integration.Integration{
		Site: at, Kind: policy.Xero, Since: since, By: r.By, Organisation: r.Organisation,
	}, map[string]string{"reported": "yes"})
	if err != nil || !done {
		return false, err
	}
	n := message.Notice{
		Site: at, Kind: message.XeroConnected, Words: map[string]string{"by": r.By, "organisation": r.Organisation, "at": ""},
	}
	// Only a first connection: what one before it requires does not wait for a day.
	if was.Connection == nil && d.Await != nil {
		waits, err := d.Await(ctx, tx, at, since)
		if err != nil {
			return false, err
		}
		if waits {
			n.Words["date"] = "wave"
		}
	}
	return true, d.tellAdmins(ctx, tx, n)
}

func (d *Desk) reportedOff(ctx context.Context, tx *db.Tx, by audit.Actor, at id.Site, r Report) (bool, error) {
	n, err := dropReport(ctx, tx, at)
	if err != nil {
		return false, fmt.Errorf("drop a report: %w", err)
	}
	is, err := d.Status(ctx, tx, at)
	if err != nil {
		return false, err
	}
	if is.Live() && is.Link == nil {
		return d.leaveReported(ctx, tx, by, at, r)
	}
	if n == 0 {
		return false, nil
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.XeroReported, Actor: by, Site: at, Facts: map[string]string{"state": string(policy.Disconnected)},
	})
}

func (d *Desk) leaveReported(ctx context.Context, tx *db.Tx, by audit.Actor, at id.Site, r Report) (bool, error) {
	done, err := integration.Leave(ctx, tx, by, at, policy.Xero, map[string]string{"reported": "yes"})
	if err != nil || !done {
		return false, err
	}
	return true, d.tellAdmins(ctx, tx, message.Notice{
		Site: at, Kind: message.XeroDisconnected,
		Words: map[string]string{"by": r.By, "until": tx.Now.Add(policy.CoolingOff).Format(time.RFC3339)},
	})
}

// staysReported says whether a site whose link has just ended is connected still, because
// the host product says so. A link that failed fails no more.
func (d *Desk) staysReported(ctx context.Context, tx *db.Tx, l Link, by audit.Actor) (bool, error) {
	if err := integration.Hold(ctx, tx, l.Site, policy.Xero); err != nil {
		return false, err
	}
	stays, err := reported(ctx, tx, l.Site)
	if err != nil {
		return false, fmt.Errorf("read what was reported: %w", err)
	}
	if !stays {
		return false, nil
	}
	if _, err := integration.Heal(ctx, tx, l.Site, policy.Xero); err != nil {
		return false, err
	}
	return true, audit.Record(ctx, tx, audit.Event{
		Kind: audit.XeroUnlinked, Actor: by, Site: l.Site, Facts: map[string]string{"organisation": l.Organisation},
	})
}
