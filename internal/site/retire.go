package site

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Retire makes an active membership inactive, unless it is that of the site's last active
// office Admin: then it changes nothing, and last is true. fault.Conflict if it is not
// active. The epoch of the membership is the caller's to raise.
//
// Two who retire the last two Admins at once do it one after the other.
func Retire(ctx context.Context, tx *db.Tx, which id.Site, who id.User) (last bool, err error) {
	alone, err := LastAdmin(ctx, tx, which, who)
	if err != nil || alone {
		return alone, err
	}
	if err := retire(ctx, tx, which, who); err != nil {
		return false, fmt.Errorf("retire a membership: %w", err)
	}
	return false, nil
}

// LastAdmin says whether somebody is the active office Admin without whom a site would have
// none that stays, and holds the site until the transaction ends, so that this stays so.
// An Admin whose access has an end is not one who stays: the site would lose them later.
func LastAdmin(ctx context.Context, tx *db.Tx, which id.Site, who id.User) (bool, error) {
	if err := holdSite(ctx, tx, which); err != nil {
		return false, fmt.Errorf("hold a site: %w", err)
	}
	others, err := otherAdmins(ctx, tx, which, who)
	if err != nil {
		return false, fmt.Errorf("count a site's admins: %w", err)
	}
	if others > 0 {
		return false, nil
	}
	_, err = adminIs(ctx, tx, tx.Now, which, who)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}
