// Package integration keeps which outside systems a site is connected to: since when,
// by whom and how well. Xero is the one that makes 2FA required.
//
// A row stays after a disconnect, because the requirement does (see package policy).
package integration

import (
	"context"
	"fmt"
	"time"

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

// Disconnect stores that the site is not connected any more; false if it was not. What
// the connection required stays.
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
