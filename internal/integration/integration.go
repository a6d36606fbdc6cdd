// Package integration keeps which outside systems a site is connected to: since when,
// by whom and how well. Xero is the one that makes 2FA required.
//
// A row stays after a disconnect, because the requirement does (see package policy).
package integration

import (
	"context"
	"fmt"
	"maps"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// Integration is a site's connection to one outside system, now or once.
type Integration struct {
	Site  id.Site
	Kind  string
	State policy.State
	// Since is when it became or becomes live; zero: longer ago than is known here.
	Since          time.Time
	By             string
	Organisation   string
	DisconnectedAt time.Time
	LoweredAt      time.Time
}

// Of gives the connections of a site, in the order of their kinds.
func Of(ctx context.Context, from db.Reader, site id.Site) ([]Integration, error) {
	return of(ctx, from, site)
}

// Connect stores that the site is connected from since on, or for longer than is known
// when since is zero. Whoever is signed in there is decided again: the site's number is
// raised. A site that is connected already keeps its own since, and false is the answer.
func Connect(ctx context.Context, tx *db.Tx, i Integration) (bool, error) {
	n, err := connect(ctx, tx, i)
	if err != nil {
		return false, fmt.Errorf("connect a site: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return true, epoch.Raise(ctx, tx, epoch.Site(i.Site))
}

// Join is Connect with its entry in the audit trail: from i.Since on, or from now on when
// that is zero. facts are what else is to be known; they may be nil.
func Join(ctx context.Context, tx *db.Tx, by audit.Actor, i Integration, facts map[string]string) (bool, error) {
	if i.Since.IsZero() {
		i.Since = tx.Now
	}
	done, err := Connect(ctx, tx, i)
	if err != nil || !done {
		return false, err
	}
	e := audit.Event{Kind: audit.XeroConnected, Actor: by, Site: i.Site, Facts: map[string]string{"organisation": i.Organisation}}
	if !i.Since.Equal(tx.Now) {
		e.Facts["since"] = i.Since.UTC().Format(time.RFC3339Nano)
	}
	maps.Copy(e.Facts, facts)
	return true, audit.Record(ctx, tx, e)
}

// Leave is Disconnect with its entry in the audit trail. facts may be nil.
func Leave(ctx context.Context, tx *db.Tx, by audit.Actor, site id.Site, kind string, facts map[string]string) (bool, error) {
	done, err := Disconnect(ctx, tx, site, kind)
	if err != nil || !done {
		return false, err
	}
	return true, audit.Record(ctx, tx, audit.Event{Kind: audit.XeroDisconnected, Actor: by, Site: site, Facts: facts})
}

// Fail stores that a connection does not work at the moment; false if that was known, or
// there is none. It is a connection still, and requires what it did: nobody is decided
// again.
func Fail(ctx context.Context, tx *db.Tx, site id.Site, kind string) (bool, error) {
	n, err := move(ctx, tx, Integration{Site: site, Kind: kind, State: policy.Connected}, policy.Failing)
	if err != nil {
		return false, fmt.Errorf("note a failing connection: %w", err)
	}
	return n > 0, nil
}

// Heal stores that a failing connection works again; false if it was not failing.
func Heal(ctx context.Context, tx *db.Tx, site id.Site, kind string) (bool, error) {
	n, err := move(ctx, tx, Integration{Site: site, Kind: kind, State: policy.Failing}, policy.Connected)
	if err != nil {
		return false, fmt.Errorf("note a healed connection: %w", err)
	}
	return n > 0, nil
}

// Rename stores what the organisation is called.
func Rename(ctx context.Context, tx *db.Tx, site id.Site, kind, organisation string) error {
	if err := rename(ctx, tx, site, kind, organisation); err != nil {
		return fmt.Errorf("rename what is connected: %w", err)
	}
	return nil
}

// Lower stores that an admin lowered what a disconnected system left behind, as it was
// when they looked: i is what Of gave. False if that is not so any more. Whether it is
// time is the policy's to say, and the caller's to have asked.
func Lower(ctx context.Context, tx *db.Tx, i Integration) (bool, error) {
	n, err := lower(ctx, tx, i)
	if err != nil {
		return false, fmt.Errorf("lower what a connection requires: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return true, epoch.Raise(ctx, tx, epoch.Site(i.Site))
}

// Hold has other transactions wait that change the connection of a site, until this one
// ends: for whoever decides by more than its row. Where there is no row it holds nothing.
func Hold(ctx context.Context, tx *db.Tx, site id.Site, kind string) error {
	if err := hold(ctx, tx, site, kind); err != nil {
		return fmt.Errorf("hold a connection: %w", err)
	}
	return nil
}

// Disconnect stores that the site is not connected any more; false if it was not. What
// the connection required stays, and what the one before it did where this one was to become
// live later.
func Disconnect(ctx context.Context, tx *db.Tx, site id.Site, kind string) (bool, error) {
	n, err := disconnect(ctx, tx, site, kind)
	if err != nil {
		return false, fmt.Errorf("disconnect a site: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return true, epoch.Raise(ctx, tx, epoch.Site(site))
}
