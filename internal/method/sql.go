package method

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

const columns = `
	user_id, method_id, kind, address, linked_at, proved_at, last_used_at, awaits_proof, pending,
	unproved_sent, wrong_in_row, health, health_why`

func scan(r db.Row) (m Method, err error) {
	return m, r.Scan(&m.User, &m.ID, &m.Kind, &m.Address, db.When(&m.LinkedAt), db.When(&m.ProvedAt), db.When(&m.LastUsedAt),
		&m.AwaitsProof, &m.Pending, &m.UnprovedSent, &m.WrongInRow, &m.Health, &m.HealthWhy)
}

func insert(ctx context.Context, tx *db.Tx, m Method) error {
	return tx.Change(ctx, `
		INSERT INTO methods (user_id, method_id, kind, address, linked_at, proved_at, awaits_proof, pending, health, health_why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		m.User, m.ID, m.Kind, m.Address, db.Stamp(m.LinkedAt), db.Stamp(m.ProvedAt), m.AwaitsProof, m.Pending, m.Health, m.HealthWhy)
}

func of(ctx context.Context, from db.Reader, who id.User) ([]Method, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM methods WHERE user_id = $1 AND removed_at IS NULL ORDER BY method_id`, who)
}

func byID(ctx context.Context, from db.Reader, who id.User, which id.Method) (Method, error) {
	return db.One(ctx, from, scan, `
		SELECT `+columns+` FROM methods WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which)
}

func passed(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods
		   SET proved_at = COALESCE(proved_at, $3), last_used_at = $3, wrong_in_row = 0, unproved_sent = 0,
		       health = 'good', health_why = '', health_at = $3
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which, db.Stamp(tx.Now))
}

func missed(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods SET wrong_in_row = wrong_in_row + 1
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which)
}

func sent(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods SET unproved_sent = CASE WHEN proved_at IS NULL THEN unproved_sent + 1 ELSE 0 END
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which)
}

func healthy(ctx context.Context, tx *db.Tx, who id.User, which id.Method, to policy.Health, why string) error {
	_, err := tx.Exec(ctx, `
		UPDATE methods SET health = $3, health_why = $4, health_at = $5
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which, string(to), why, db.Stamp(tx.Now))
	return err
}

func revive(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		UPDATE methods SET health = 'unknown'
		 WHERE (user_id, method_id) IN (
		       SELECT user_id, method_id FROM methods
		        WHERE health = 'refused' AND health_at < $1 ORDER BY health_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}
