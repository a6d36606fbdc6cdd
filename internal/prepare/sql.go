package prepare

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/readiness"
)

// mark notes what somebody is told, and says whether they are to be: of two nodes one
// does. Whoever is not ready is told once for each step before a date, whoever is ready
// once, and again where the date of the same site was moved.
func mark(ctx context.Context, tx *db.Tx, who id.User, about string, c coming, ready bool) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO countdowns (user_id, about, site_id, date_at, days, ready, told_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (user_id, about) DO UPDATE SET site_id = $3, date_at = $4, days = $5, ready = $6, told_at = $7
		 WHERE NOT $6 AND (countdowns.date_at <> $4 OR countdowns.days > $5)
		    OR $6 AND (NOT countdowns.ready OR countdowns.site_id = $3 AND countdowns.date_at <> $4)`,
		who, about, c.site.ID, db.Stamp(c.date), c.days, ready, db.Stamp(tx.Now))
	return n == 1, err
}

// told says whether everybody of a site was told for this step.
func told(ctx context.Context, from db.Reader, c coming) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM countdown_sites WHERE site_id = $1 AND date_at = $2 AND days <= $3`,
		c.site.ID, db.Stamp(c.date), c.days)
	return n > 0, err
}

// markSite notes it; false if another node has.
func markSite(ctx context.Context, tx *db.Tx, c coming) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO countdown_sites (site_id, date_at, days, done_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (site_id) DO UPDATE SET date_at = $2, days = $3, done_at = $4
		 WHERE countdown_sites.date_at <> $2 OR countdown_sites.days > $3`,
		c.site.ID, db.Stamp(c.date), c.days, db.Stamp(tx.Now))
	return n == 1, err
}

// uncounted lists the sites that were not counted since a moment, the longest ago first.
func uncounted(ctx context.Context, from db.Reader, since time.Time, limit int) ([]id.Site, error) {
	never, err := db.Many(ctx, from, scanSite, `
		SELECT s.site_id FROM sites s LEFT JOIN readiness_counts c ON c.site_id = s.site_id
		 WHERE c.site_id IS NULL ORDER BY s.site_id LIMIT $1`, limit)
	if err != nil || len(never) == limit {
		return never, err
	}
	old, err := db.Many(ctx, from, scanSite, `
		SELECT site_id FROM readiness_counts WHERE counted_at <= $1 ORDER BY counted_at, site_id LIMIT $2`,
		db.Stamp(since), limit-len(never))
	return append(never, old...), err
}

func scanSite(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) }

// putCount stores how ready a site is now.
func putCount(ctx context.Context, tx *db.Tx, s readiness.Site) error {
	return tx.Change(ctx, `
		INSERT INTO readiness_counts (site_id, ready, will_manage, needs_help, exempt, admins, admin_proved, counted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (site_id) DO UPDATE
		   SET ready = $2, will_manage = $3, needs_help = $4, exempt = $5, admins = $6, admin_proved = $7, counted_at = $8`,
		s.Site.ID, s.Ready, s.WillManage, s.NeedsHelp, s.Exempt, s.Admins, s.AdminProved, db.Stamp(tx.Now))
}

// totals adds up the counts by account manager.
func totals(ctx context.Context, from db.Reader) ([]Total, error) {
	return db.Many(ctx, from, func(r db.Row) (t Total, err error) {
		return t, r.Scan(&t.Manager, &t.Sites, &t.Uncounted, &t.Ready, &t.WillManage, &t.NeedsHelp, &t.Exempt, &t.Unproved, db.When(&t.Oldest))
	}, `
		SELECT s.account_manager, COUNT(c.site_id), COUNT(*) - COUNT(c.site_id),
		       COALESCE(SUM(c.ready), 0), COALESCE(SUM(c.will_manage), 0), COALESCE(SUM(c.needs_help), 0), COALESCE(SUM(c.exempt), 0),
		       COALESCE(SUM(CASE WHEN c.admin_proved THEN 0 WHEN c.site_id IS NULL THEN 0 ELSE 1 END), 0), MIN(c.counted_at)
		  FROM sites s LEFT JOIN readiness_counts c ON c.site_id = s.site_id
		 GROUP BY s.account_manager ORDER BY s.account_manager LIMIT 500`)
}
