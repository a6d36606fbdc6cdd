package session

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// seen notes a use and its ten minutes. Their bit is found by whole divisions, which both
// engines round alike: the number of the use's ten minutes less that of the start's.
func seen(ctx context.Context, tx *db.Tx, who id.User, which id.Session, at time.Time) error {
	const ten = `(CAST($3 AS BIGINT) / 600000000 - started_at / 600000000)`
	_, err := tx.Exec(ctx, `
		UPDATE sessions
		   SET seen_at = $3,
		       uses_1 = uses_1 | CASE WHEN `+ten+` BETWEEN 0 AND 59 THEN CAST(1 AS BIGINT) << CAST(`+ten+` AS INTEGER) ELSE 0 END,
		       uses_2 = uses_2 | CASE WHEN `+ten+` BETWEEN 60 AND 119 THEN CAST(1 AS BIGINT) << CAST(`+ten+` - 60 AS INTEGER) ELSE 0 END,
		       uses_3 = uses_3 | CASE WHEN `+ten+` BETWEEN 120 AND 179 THEN CAST(1 AS BIGINT) << CAST(`+ten+` - 120 AS INTEGER) ELSE 0 END
		 WHERE user_id = $1 AND session_id = $2 AND ended_at IS NULL AND seen_at < $3`, who, which, db.Stamp(at))
	return err
}

func usesAt(ctx context.Context, from db.Reader, at id.Site, who id.User, since time.Time, limit int) ([]Uses, error) {
	return db.Many(ctx, from, func(r db.Row) (u Uses, err error) {
		var started, last time.Time
		var bits [3]int64
		err = r.Scan(&u.User, &u.Place.Browser, &u.Place.Network, &u.Place.Agent,
			db.When(&started), db.When(&last), &bits[0], &bits[1], &bits[2])
		u.Tens = spread(TenOf(started), TenOf(last), bits)
		return u, err
	}, `
		SELECT s.user_id, s.browser, s.network, s.agent, s.started_at, s.seen_at, s.uses_1, s.uses_2, s.uses_3
		  FROM memberships m JOIN sessions s ON s.user_id = m.user_id
		 WHERE m.site_id = $1 AND m.status = 'active' AND s.site_id = $1 AND s.started_at > $3 AND ($2 = '' OR m.user_id = $2)
		 ORDER BY s.started_at DESC LIMIT $4`, at, string(who), db.Stamp(since), limit)
}
