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

func insertTest(ctx context.Context, tx *db.Tx, c testCode) error {
	return tx.Change(ctx, `
		INSERT INTO test_codes (user_id, code_id, site_id, method_id, message_id, kind, mac, user_epoch, member_epoch, made_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		c.user, c.id, c.site, c.method, c.message, string(c.kind), c.mac, c.userEpoch, c.memberEpoch, db.Stamp(c.madeAt), db.Stamp(c.expiresAt))
}

// testsOf gives the test codes of a member, the newest first.
func testsOf(ctx context.Context, from db.Reader, at id.Site, who id.User) ([]testCode, error) {
	return db.Many(ctx, from, func(r db.Row) (c testCode, err error) {
		c.user, c.site = who, at
		return c, r.Scan(&c.id, &c.method, &c.message, &c.kind, &c.mac, &c.userEpoch, &c.memberEpoch,
			db.When(&c.madeAt), db.When(&c.expiresAt), &c.wrong, &c.ended, db.When(&c.usedAt))
	}, `
		SELECT code_id, method_id, message_id, kind, mac, user_epoch, member_epoch, made_at, expires_at, wrong, ended_at IS NOT NULL, used_at
		  FROM test_codes
		 WHERE user_id = $1 AND site_id = $2
		 ORDER BY made_at DESC, code_id DESC LIMIT 50`, who, at)
}

// endTests ends the open test codes of a user, and gives the messages that carry them.
func endTests(ctx context.Context, tx *db.Tx, who id.User) ([]id.Message, error) {
	return db.Many(ctx, tx, func(r db.Row) (m id.Message, err error) { return m, r.Scan(&m) }, `
		UPDATE test_codes SET ended_at = $2
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL
		RETURNING message_id`, who, db.Stamp(tx.Now))
}

func countWrongTest(ctx context.Context, tx *db.Tx, c testCode) error {
	return tx.Change(ctx, `
		UPDATE test_codes SET wrong = wrong + 1
		 WHERE user_id = $1 AND code_id = $2 AND wrong = $3 AND used_at IS NULL AND ended_at IS NULL`, c.user, c.id, c.wrong)
}

// useTest uses the code up: it leaves the state in which it is live, once.
func useTest(ctx context.Context, tx *db.Tx, c testCode) error {
	return tx.Change(ctx, `
		UPDATE test_codes SET used_at = $4
		 WHERE user_id = $1 AND code_id = $2
		   AND used_at IS NULL AND ended_at IS NULL AND expires_at > $4 AND wrong = $3`, c.user, c.id, c.wrong, db.Stamp(tx.Now))
}

func sweepTests(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM test_codes
		 WHERE (user_id, code_id) IN (
		       SELECT user_id, code_id FROM test_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}
