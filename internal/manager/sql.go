package manager

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func contact(ctx context.Context, from db.Reader, who id.User) (phone, words string, err error) {
	type row struct{ phone, words string }
	one, err := db.One(ctx, from, func(r db.Row) (one row, err error) { return one, r.Scan(&one.phone, &one.words) },
		`SELECT phone, words FROM staff_contacts WHERE user_id = $1`, who)
	return one.phone, one.words, err
}

func setContact(ctx context.Context, tx *db.Tx, who id.User, phone, words string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO staff_contacts (user_id, phone, words) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET phone = $2, words = $3`, who, phone, words)
	return err
}

func staff(ctx context.Context, from db.Reader) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT user_id FROM users WHERE staff ORDER BY user_id LIMIT 50`)
}
