package enrol

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func insertCode(ctx context.Context, tx *db.Tx, s held, c code) error {
	return tx.Change(ctx, `
		INSERT INTO proof_codes (user_id, code_id, holder, method_id, message_id, mac, made_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.who.ID, c.id, s.holder(), c.method, c.message, c.mac, db.Stamp(c.madeAt), db.Stamp(c.expiresAt))
}

// codesOf gives the codes that are to be typed here, the newest first.
func codesOf(ctx context.Context, from db.Reader, s held) ([]code, error) {
	return db.Many(ctx, from, func(r db.Row) (c code, err error) {
		return c, r.Scan(&c.id, &c.method, &c.message, &c.mac, db.When(&c.madeAt), db.When(&c.expiresAt), &c.wrong, &c.ended)
	}, `
		SELECT code_id, method_id, message_id, mac, made_at, expires_at, wrong, (ended_at IS NOT NULL OR used_at IS NOT NULL)
		  FROM proof_codes
		 WHERE user_id = $1 AND holder = $2
		 ORDER BY made_at DESC, code_id DESC LIMIT 100`, s.who.ID, s.holder())
}

func countWrong(ctx context.Context, tx *db.Tx, who id.User, c code) error {
	return tx.Change(ctx, `
		UPDATE proof_codes SET wrong = wrong + 1
		 WHERE user_id = $1 AND code_id = $2 AND wrong = $3 AND used_at IS NULL AND ended_at IS NULL`, who, c.id, c.wrong)
}

// useCode uses the code up: it leaves the state in which it is live, once.
func useCode(ctx context.Context, tx *db.Tx, who id.User, c code) error {
	return tx.Change(ctx, `
		UPDATE proof_codes SET used_at = $4
		 WHERE user_id = $1 AND code_id = $2
		   AND used_at IS NULL AND ended_at IS NULL AND expires_at > $4 AND wrong = $3`, who, c.id, c.wrong, db.Stamp(tx.Now))
}

// endCodes ends the open codes of a user and gives them as they were.
func endCodes(ctx context.Context, tx *db.Tx, who id.User) ([]code, error) {
	return db.Many(ctx, tx, func(r db.Row) (c code, err error) {
		return c, r.Scan(&c.id, &c.method, &c.message, db.When(&c.madeAt), db.When(&c.expiresAt), &c.wrong)
	}, `
		UPDATE proof_codes SET ended_at = $2
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL
		RETURNING code_id, method_id, message_id, made_at, expires_at, wrong`, who, db.Stamp(tx.Now))
}

func sweep(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM proof_codes
		 WHERE (user_id, code_id) IN (
		       SELECT user_id, code_id FROM proof_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}
