package login

import (
	"context"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// EndReach ends what reaches a site of somebody whose membership there counts no more, for
// now at least. Where that was the last that counted, all that was made for them is dead; what
// their old addresses can undo waits until they are active again, as long as its time lasts.
// The vendor's staff go on.
func EndReach(ctx context.Context, tx *db.Tx, at id.Site, who id.User) error {
	goesOn, err := goesOn(ctx, tx, at, who)
	if err != nil {
		return err
	}
	if goesOn {
		return epoch.Raise(ctx, tx, epoch.Member(at, who))
	}
	return epoch.Raise(ctx, tx, epoch.Member(at, who), epoch.User(who))
}

// EndForGood is EndReach of somebody who has left: where that was the last membership that
// counted, their old addresses undo nothing any more, and the names are free.
func EndForGood(ctx context.Context, tx *db.Tx, at id.Site, who id.User) error {
	goesOn, err := goesOn(ctx, tx, at, who)
	if err != nil {
		return err
	}
	if !goesOn {
		if err := user.EndUndos(ctx, tx, who); err != nil {
			return err
		}
	}
	return EndReach(ctx, tx, at, who)
}

// goesOn says whether somebody can sign in without a site.
func goesOn(ctx context.Context, tx *db.Tx, at id.Site, who id.User) (bool, error) {
	u, err := user.ByID(ctx, tx, who)
	if err != nil {
		return false, fmt.Errorf("find a user: %w", err)
	}
	all, err := site.MembershipsOf(ctx, tx, who)
	if err != nil {
		return false, fmt.Errorf("read memberships: %w", err)
	}
	yes := u.Staff
	for _, m := range all {
		yes = yes || m.Site != at && m.Active(tx.Now)
	}
	return yes, nil
}
