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

// EndReach ends what reaches a site of somebody whose membership there has just ended, however
// it ended. Where that was the last that counted, all that was made for them is dead, and
// their old addresses undo nothing any more: the names are free. The vendor's staff go on.
func EndReach(ctx context.Context, tx *db.Tx, at id.Site, who id.User) error {
	u, err := user.ByID(ctx, tx, who)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	all, err := site.MembershipsOf(ctx, tx, who)
	if err != nil {
		return fmt.Errorf("read memberships: %w", err)
	}
	goesOn := u.Staff
	for _, m := range all {
		goesOn = goesOn || m.Site != at && m.Active(tx.Now)
	}
	if goesOn {
		return epoch.Raise(ctx, tx, epoch.Member(at, who))
	}
	if err := user.EndUndos(ctx, tx, who); err != nil {
		return err
	}
	return epoch.Raise(ctx, tx, epoch.Member(at, who), epoch.User(who))
}
