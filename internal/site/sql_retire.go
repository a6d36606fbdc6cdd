package site

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func holdSite(ctx context.Context, tx *db.Tx, which id.Site) error {
	if err := tx.Change(ctx, `UPDATE sites SET ref = ref WHERE site_id = $1`, which); err != nil {
		return err
	}
	// The rows too: whoever removes an Admin without holding the site waits here.
	_, err := tx.Exec(ctx, `
		UPDATE memberships SET status = status
		 WHERE site_id = $1 AND member_group = 'Admin' AND kind = 'office' AND status = 'active'`, which)
	return err
}

func otherAdmins(ctx context.Context, from db.Reader, which id.Site, who id.User) (int64, error) {
	return db.One(ctx, from, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM memberships
		 WHERE site_id = $1 AND user_id <> $2 AND member_group = 'Admin' AND kind = 'office' AND status = 'active'
		   AND access_until IS NULL`, which, who)
}

func adminIs(ctx context.Context, from db.Reader, now time.Time, which id.Site, who id.User) (id.User, error) {
	return db.One(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }, `
		SELECT user_id FROM memberships
		 WHERE site_id = $1 AND user_id = $2 AND member_group = 'Admin' AND kind = 'office' AND status = 'active'
		   AND (access_until IS NULL OR access_until > $3)`, which, who, db.Stamp(now))
}

func retire(ctx context.Context, tx *db.Tx, which id.Site, who id.User) error {
	return tx.Change(ctx, `
		UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2 AND status = 'active'`, which, who)
}
