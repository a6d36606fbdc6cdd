package remind

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// mark says whether somebody may be reminded, and notes that they are: once a week, of two at
// once one is.
func mark(ctx context.Context, tx *db.Tx, who id.User, about string) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO reminders (user_id, about, reminded_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, about) DO UPDATE SET reminded_at = $3 WHERE reminders.reminded_at <= $4`,
		who, about, db.Stamp(tx.Now), db.Stamp(tx.Now.Add(-again)))
	return n == 1, err
}

// reminded is somebody, and when they were last reminded.
type reminded struct {
	who id.User
	at  time.Time
}

func since(ctx context.Context, from db.Reader, at id.Site, since time.Time) ([]reminded, error) {
	return db.Many(ctx, from, func(r db.Row) (one reminded, err error) { return one, r.Scan(&one.who, db.When(&one.at)) }, `
		SELECT r.user_id, r.reminded_at
		  FROM memberships m
		  JOIN reminders r ON r.user_id = m.user_id AND r.about = ''
		 WHERE m.site_id = $1 AND r.reminded_at > $2`, at, db.Stamp(since))
}
