package user

import (
	"context"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

func setLogin(ctx context.Context, tx *db.Tx, who id.User, from, to address.Canonical) error {
	return tx.Change(ctx, `
		UPDATE users SET login = $3 WHERE user_id = $1 AND login = $2`, who, string(from), string(to))
}

func setName(ctx context.Context, tx *db.Tx, who id.User, first, last string) error {
	return tx.Change(ctx, `UPDATE users SET first_name = $2, last_name = $3 WHERE user_id = $1`, who, first, last)
}

const changeColumns = ` user_id, change_id, old_login, new_login, made_at, expires_at, used_at, ended_at, no_password`

func scanChange(r db.Row) (c LoginChange, err error) {
	return c, r.Scan(&c.User, &c.ID, &c.Old, &c.New, db.When(&c.MadeAt), db.When(&c.ExpiresAt), db.When(&c.UsedAt), db.When(&c.EndedAt), &c.NoPassword)
}

func insertChange(ctx context.Context, tx *db.Tx, c LoginChange, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO login_changes (user_id, change_id, old_login, new_login, token_hash, made_at, expires_at, no_password)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.User, c.ID, string(c.Old), string(c.New), hash, db.Stamp(c.MadeAt), db.Stamp(c.ExpiresAt), c.NoPassword)
}

func changeByHash(ctx context.Context, from db.Reader, hash []byte) (LoginChange, error) {
	return db.One(ctx, from, scanChange, `SELECT`+changeColumns+` FROM login_changes WHERE token_hash = $1`, hash)
}

// keptFor gives whose an old name is still.
func keptFor(ctx context.Context, from db.Reader, login address.Canonical, now time.Time) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }, `
		SELECT DISTINCT user_id FROM login_changes
		 WHERE old_login = $1 AND expires_at > $2 AND used_at IS NULL AND ended_at IS NULL LIMIT 2`, string(login), db.Stamp(now))
}

func useChange(ctx context.Context, tx *db.Tx, c LoginChange) error {
	return tx.Change(ctx, `
		UPDATE login_changes SET used_at = $3
		 WHERE user_id = $1 AND change_id = $2 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $3`,
		c.User, c.ID, db.Stamp(tx.Now))
}

func endChangesAfter(ctx context.Context, tx *db.Tx, c LoginChange) error {
	_, err := tx.Exec(ctx, `
		UPDATE login_changes SET ended_at = $3
		 WHERE user_id = $1 AND change_id > $2 AND used_at IS NULL AND ended_at IS NULL`, c.User, c.ID, db.Stamp(tx.Now))
	return err
}

func endChangesFrom(ctx context.Context, tx *db.Tx, who id.User, old address.Canonical) error {
	_, err := tx.Exec(ctx, `
		UPDATE login_changes SET ended_at = $3
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL AND change_id >= (
		       SELECT MIN(change_id) FROM login_changes
		        WHERE user_id = $1 AND old_login = $2 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $3)`,
		who, string(old), db.Stamp(tx.Now))
	return err
}

func usedChanges(ctx context.Context, from db.Reader, who id.User, old address.Canonical, since time.Time) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM login_changes WHERE user_id = $1 AND old_login = $2 AND used_at > $3`, who, string(old), db.Stamp(since))
}

func endChanges(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE login_changes SET ended_at = $2
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL`, who, db.Stamp(tx.Now))
	return err
}

func sweepChanges(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM login_changes
		 WHERE (user_id, change_id) IN (
		       SELECT user_id, change_id FROM login_changes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}

func liveChange(ctx context.Context, from db.Reader, who id.User, now time.Time) (LoginChange, error) {
	return db.One(ctx, from, scanChange, `
		SELECT`+changeColumns+` FROM login_changes
		 WHERE user_id = $1 AND expires_at > $2 AND used_at IS NULL AND ended_at IS NULL
		 ORDER BY change_id DESC LIMIT 1`, who, db.Stamp(now))
}

func liveOld(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]address.Canonical, error) {
	return db.Many(ctx, from, func(r db.Row) (one address.Canonical, err error) { return one, r.Scan(&one) }, `
		SELECT old_login FROM login_changes
		 WHERE user_id = $1 AND expires_at > $2 AND used_at IS NULL AND ended_at IS NULL
		 ORDER BY change_id LIMIT 100`, who, db.Stamp(now))
}

func undone(ctx context.Context, from db.Reader, who User, since time.Time) (LoginChange, error) {
	return db.One(ctx, from, scanChange, `
		SELECT`+changeColumns+` FROM login_changes
		 WHERE user_id = $1 AND used_at > $2 AND old_login = $3
		 ORDER BY used_at DESC LIMIT 1`, who.ID, db.Stamp(since), string(who.Login))
}
