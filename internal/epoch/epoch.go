// Package epoch keeps a number for every user, site and membership.
//
// What is made for somebody (a session, a code, a remembered device, a link) carries
// the numbers it was made under. A change that must end such things raises the number,
// in the transaction of the change, and nobody has to find and delete rows of other
// packages: under an older number of the user or the membership a thing is dead, under
// an older number of the site the policy decides again.
package epoch

import (
	"context"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Owner is whose number it is.
type Owner string

// User owns the number that a change of password, method, email, mobile or standing
// of the person raises.
func User(who id.User) Owner { return Owner("user:" + who) }

// Site owns the number that a change of the site's settings or connections raises.
func Site(site id.Site) Owner { return Owner("site:" + site) }

// Member owns the number that a change of one membership raises.
func Member(site id.Site, who id.User) Owner {
	return Owner("member:" + string(site) + ":" + string(who))
}

// Now reads an owner's number; one that was never raised is 0.
func Now(ctx context.Context, from db.Reader, owner Owner) (int64, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) },
		`SELECT COALESCE((SELECT epoch FROM epochs WHERE owner = $1), 0)`, string(owner))
	if err != nil {
		return 0, fmt.Errorf("read an epoch: %w", err)
	}
	return n, nil
}

// Raise makes everything dead, or due, that was made under the owners' present
// numbers.
func Raise(ctx context.Context, tx *db.Tx, owners ...Owner) error {
	for _, owner := range owners {
		_, err := tx.Exec(ctx, `
			INSERT INTO epochs (owner, epoch) VALUES ($1, 1)
			ON CONFLICT (owner) DO UPDATE SET epoch = epochs.epoch + 1`, string(owner))
		if err != nil {
			return fmt.Errorf("raise an epoch: %w", err)
		}
	}
	return nil
}
