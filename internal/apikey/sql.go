package apikey

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

const columns = `key_id, name, scopes, all_sites, made_by, made_at, used_at, ended_at`

func scan(r db.Row) (k Key, err error) {
	var scopes string
	err = r.Scan(&k.ID, &k.Name, &scopes, &k.All, &k.MadeBy, db.When(&k.MadeAt), db.When(&k.UsedAt), db.When(&k.EndedAt))
	k.Scopes = apart(scopes)
	return k, err
}

func insert(ctx context.Context, tx *db.Tx, k Key, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO api_keys (key_id, name, secret_hash, scopes, all_sites, made_by, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		k.ID, k.Name, hash, joined(k.Scopes), k.All, k.MadeBy, db.Stamp(k.MadeAt))
}

func reach(ctx context.Context, tx *db.Tx, at id.Site, which id.APIKey) error {
	return tx.Change(ctx, `INSERT INTO api_key_sites (site_id, key_id) VALUES ($1, $2)`, at, which)
}

func byHash(ctx context.Context, from db.Reader, hash []byte) (Key, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM api_keys WHERE secret_hash = $1 AND ended_at IS NULL`, hash)
}

func byID(ctx context.Context, from db.Reader, which id.APIKey) (Key, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM api_keys WHERE key_id = $1 AND ended_at IS NULL`, which)
}

func reaches(ctx context.Context, from db.Reader, at id.Site, which id.APIKey) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM api_key_sites WHERE site_id = $1 AND key_id = $2`, at, which)
}

func sitesOf(ctx context.Context, from db.Reader, which id.APIKey) ([]id.Site, error) {
	return db.Many(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) },
		`SELECT site_id FROM api_key_sites WHERE key_id = $1 ORDER BY site_id`, which)
}

func used(ctx context.Context, tx *db.Tx, which id.APIKey, before time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE api_keys SET used_at = $2
		 WHERE key_id = $1 AND ended_at IS NULL AND (used_at IS NULL OR used_at <= $3)`, which, db.Stamp(tx.Now), db.Stamp(before))
	return err
}

func list(ctx context.Context, from db.Reader) ([]Key, error) {
	return db.Many(ctx, from, scan, `SELECT `+columns+` FROM api_keys ORDER BY made_at, key_id`)
}

func living(ctx context.Context, from db.Reader, which string) (Key, error) {
	return db.One(ctx, from, scan, `
		SELECT `+columns+` FROM api_keys
		 WHERE (key_id = $1 OR name = $1) AND ended_at IS NULL ORDER BY key_id LIMIT 1`, which)
}

func end(ctx context.Context, tx *db.Tx, which id.APIKey) error {
	return tx.Change(ctx, `UPDATE api_keys SET ended_at = $2 WHERE key_id = $1 AND ended_at IS NULL`, which, db.Stamp(tx.Now))
}
