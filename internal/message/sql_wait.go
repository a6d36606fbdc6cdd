package message

import (
	"context"
	"time"

	"keyturn/internal/db"
)

// codesWait finds a code that was promised before a moment, can still be typed, and that no
// carrier has taken.
func codesWait(ctx context.Context, from db.Reader, now, before time.Time) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM messages
		 WHERE state = 'queued' AND created_at <= $1 AND expires_at > $2 AND kind IN ('signin_code', 'prove_code')`,
		db.Stamp(before), db.Stamp(now))
	return n > 0, err
}
