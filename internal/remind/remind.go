// Package remind tells people who are not ready what they lack, and their admins how many
// they are: at most once a week each, whoever asks for it and at whatever number of sites.
package remind

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// again is how long nobody is reminded again: who did not follow two mails in a week does
// not follow three.
const again = 7 * 24 * time.Hour

// Lately gives when those of a site who were reminded within the week were.
func Lately(ctx context.Context, from db.Reader, now time.Time, at id.Site) (map[id.User]time.Time, error) {
	all, err := since(ctx, from, at, now.Add(-again))
	if err != nil {
		return nil, fmt.Errorf("read reminders: %w", err)
	}
	when := make(map[id.User]time.Time, len(all))
	for _, one := range all {
		when[one.who] = one.at
	}
	return when, nil
}

// Late is somebody who is not ready, and what stands in the way.
type Late struct {
	User id.User
	Mark policy.Mark
	// Alone says that what a lone Admin lacks is a second road.
	Alone bool
}

// Done says how many were told, and how many had been within the week.
type Done struct{ Told, Waited int }

// People tells those who lag at a site, in the caller's transaction. date is the site's, if
// it is to come; zero if not. They come in the order of their ids, in which two who do it
// at once wait for each other.
func People(ctx context.Context, tx *db.Tx, post *message.Post, at id.Site, late []Late, date time.Time) (did Done, err error) {
	for _, one := range late {
		first, err := mark(ctx, tx, one.User, "")
		if err != nil {
			return did, fmt.Errorf("note a reminder: %w", err)
		}
		if !first {
			did.Waited++
			continue
		}
		n := message.Notice{User: one.User, Site: at, Kind: message.GetReady, Words: map[string]string{"mark": string(one.Mark), "at": words(tx, date)}}
		if one.Alone {
			n.Words["alone"] = "yes"
		}
		if err := post.Tell(ctx, tx, n); err != nil {
			return did, fmt.Errorf("remind somebody: %w", err)
		}
		did.Told++
	}
	return did, nil
}

// Admins tells a site's admins how many lag there.
func Admins(ctx context.Context, tx *db.Tx, post *message.Post, at id.Site, late int, date time.Time) (did Done, err error) {
	admins, err := site.Admins(ctx, tx, tx.Now, at)
	if err != nil {
		return did, fmt.Errorf("read a site's admins: %w", err)
	}
	for _, one := range admins {
		first, err := mark(ctx, tx, one, string(at))
		if err != nil {
			return did, fmt.Errorf("note a reminder: %w", err)
		}
		if !first {
			did.Waited++
			continue
		}
		n := message.Notice{User: one, Site: at, Kind: message.SiteNotReady, Words: map[string]string{"left": strconv.Itoa(late), "at": words(tx, date)}}
		if err := post.Tell(ctx, tx, n); err != nil {
			return did, fmt.Errorf("remind an admin: %w", err)
		}
		did.Told++
	}
	return did, nil
}

// words is a date to come as a notice holds it; empty for one that has passed.
func words(tx *db.Tx, date time.Time) string {
	if !date.After(tx.Now) {
		return ""
	}
	return date.UTC().Format(time.RFC3339)
}
