package remind

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// mark says whether somebody may be reminded, and notes that they are: once a
// week, of two at once one is.
func mark(ctx context.Context, tx *db.Tx, who id.User, about string) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO reminders (user_id, about, reminded_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, about) DO UPDATE SET reminded_at = $3 WHERE reminders.reminded_at <= $4`,
		who, about, db.Stamp(tx.Now), db.Stamp(tx.Now.Add(-again)))
	return n == 1, err
}
