package once

import (
	"context"
	"crypto/sha256"
	"time"

	"keyturn/internal/db"
)

type stored struct {
	asked  [sha256.Size]byte
	answer string
}

func find(ctx context.Context, from db.Reader, c Call, since time.Time) (stored, error) {
	name := hash(c.Name)
	return db.One(ctx, from, func(r db.Row) (s stored, err error) {
		var asked []byte
		err = r.Scan(&asked, &s.answer)
		copy(s.asked[:], asked)
		return s, err
	}, `SELECT request_hash, answer FROM api_once WHERE key_id = $1 AND name_hash = $2 AND made_at > $3`,
		c.Key, name[:], db.Stamp(since))
}

// take writes the row of a name that is not there, or whose time is over; false if it is
// there. It waits for whoever else writes it.
func take(ctx context.Context, tx *db.Tx, c Call) (bool, error) {
	name, asked := hash(c.Name), hash(c.Asked)
	n, err := tx.Exec(ctx, `
		INSERT INTO api_once (key_id, name_hash, request_hash, answer, made_at) VALUES ($1, $2, $3, '', $4)
		ON CONFLICT (key_id, name_hash) DO UPDATE SET request_hash = $3, answer = '', made_at = $4
		 WHERE api_once.made_at <= $5`, c.Key, name[:], asked[:], db.Stamp(tx.Now), db.Stamp(tx.Now.Add(-Life)))
	return n > 0, err
}

func keep(ctx context.Context, tx *db.Tx, c Call, answer string) error {
	name := hash(c.Name)
	return tx.Change(ctx, `
		UPDATE api_once SET answer = $3 WHERE key_id = $1 AND name_hash = $2 AND answer = ''`, c.Key, name[:], answer)
}

func drop(ctx context.Context, tx *db.Tx, c Call) error {
	name := hash(c.Name)
	return tx.Change(ctx, `DELETE FROM api_once WHERE key_id = $1 AND name_hash = $2 AND answer = ''`, c.Key, name[:])
}

func sweep(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM api_once WHERE (key_id, name_hash) IN (
		       SELECT key_id, name_hash FROM api_once WHERE made_at <= $1 ORDER BY made_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}
