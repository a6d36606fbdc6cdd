package message

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// digestHour is when the mail of the day goes to an Admin of several sites: before the
// workshops open.
const digestHour = 7

// waits says that a notice is news of a site, and no alarm: for somebody who looks after
// several sites a mail a day is enough. Whatever is about the reader's own sign-in, about
// somebody who waits, about letting somebody in or about what a site requires goes at once.
func (k NoticeKind) waits() bool {
	switch k { //nolint:exhaustive // all others go at once
	case SMSLow, AddressDead:
		return true
	}
	return false
}

// digest says from when on a notice may be sent: now, or, for an Admin of several sites,
// with the mail of the day.
//
// That mail has one hour for each person, that of the site where they have been longest:
// by the hours of their sites it would be several a day.
func digest(ctx context.Context, tx *db.Tx, n told) (time.Time, error) {
	if !n.Kind.waits() {
		return tx.Now, nil
	}
	all, err := site.MembershipsOf(ctx, tx, n.User)
	if err != nil {
		return tx.Now, fmt.Errorf("read memberships: %w", err)
	}
	var first site.Membership
	sites := 0
	for _, m := range all {
		if m.Group != policy.GroupAdmin || m.Kind == policy.Mobile || m.Status != policy.Active {
			continue
		}
		if sites++; sites == 1 || m.CreatedAt.Before(first.CreatedAt) {
			first = m
		}
	}
	if sites < 2 {
		return tx.Now, nil
	}
	at, err := site.ByID(ctx, tx, first.Site)
	if err != nil {
		return tx.Now, fmt.Errorf("find a site: %w", err)
	}
	return nextHour(tx.Now, at.Zone, digestHour), nil
}

// nextHour is the next time that it is this hour in a zone.
func nextHour(now time.Time, zone *time.Location, hour int) time.Time {
	y, m, d := now.In(zone).Date()
	for days := 0; ; days++ {
		if at := time.Date(y, m, d+days, hour, 0, 0, 0, zone); at.After(now) {
			return at.UTC()
		}
	}
}

// severalSites says whether notices are about more than one site.
func severalSites(all []told) bool {
	for _, n := range all {
		if n.Site != "" && n.Site != all[0].Site {
			return true
		}
	}
	return false
}

// stillTheirs leaves out, and removes, the news of a site that waited for somebody who is no
// Admin of it any more. What is about themselves stays.
func stillTheirs(ctx context.Context, tx *db.Tx, all []told) ([]told, error) {
	var theirs []told
	for _, n := range all {
		runs := true
		if n.Kind.waits() && n.Site != "" {
			var err error
			if runs, err = site.IsAdmin(ctx, tx, tx.Now, n.Site, n.User); err != nil {
				return nil, fmt.Errorf("look whose news it is: %w", err)
			}
		}
		if runs {
			theirs = append(theirs, n)
			continue
		}
		if err := forget(ctx, tx, n); err != nil {
			return nil, fmt.Errorf("remove news of somebody who has left: %w", err)
		}
	}
	return theirs, nil
}
