package user

import (
	"context"
	"fmt"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/password"
	"keyturn/internal/policy"
)

const columns = `
	user_id, login, first_name, last_name, staff, wants_twofa, usual_method, password, password_set_at,
	reset_mark_at, risk_at, created_at`

func scan(r db.Row) (u User, err error) {
	var encoded string
	err = r.Scan(&u.ID, &u.Login, &u.FirstName, &u.LastName, &u.Staff, &u.Wants2FA, &u.Usual, &encoded,
		db.When(&u.PasswordSetAt), db.When(&u.ResetMarkAt), db.When(&u.RiskAt), db.When(&u.CreatedAt))
	if err != nil || encoded == "" {
		return u, err
	}
	if u.Password, err = password.Parse(encoded); err != nil {
		return u, fmt.Errorf("the stored password of user %s: %w", u.ID, err)
	}
	return u, nil
}

func insert(ctx context.Context, tx *db.Tx, u User) error {
	return tx.Change(ctx, `
		INSERT INTO users (user_id, login, first_name, last_name, staff, wants_twofa, usual_method,
		                   password, password_form, password_cost, password_set_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		u.ID, string(u.Login), u.FirstName, u.LastName, u.Staff, u.Wants2FA, u.Usual,
		u.Password.Encoded(), string(u.Password.Form()), int64(u.Password.Cost()), db.Stamp(u.PasswordSetAt), db.Stamp(u.CreatedAt))
}

func byID(ctx context.Context, from db.Reader, who id.User) (User, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM users WHERE user_id = $1`, who)
}

func byIDs(ctx context.Context, from db.Reader, who []id.User) ([]User, error) {
	return db.ManyIn(ctx, from, scan, who, func(places string) string {
		return `SELECT ` + columns + ` FROM users WHERE user_id IN (` + places + `)`
	})
}

func hold(ctx context.Context, tx *db.Tx, who id.User) (User, error) {
	return db.One(ctx, tx, scan, `UPDATE users SET risk_at = risk_at WHERE user_id = $1 RETURNING `+columns, who)
}

func byLogin(ctx context.Context, from db.Reader, login address.Canonical) (User, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM users WHERE login = $1`, string(login))
}

func rehash(ctx context.Context, tx *db.Tx, who id.User, old, better password.Stored) error {
	return tx.Change(ctx, `
		UPDATE users SET password = $3, password_form = $4, password_cost = $5
		 WHERE user_id = $1 AND password = $2`, who, old.Encoded(), better.Encoded(), string(better.Form()), int64(better.Cost()))
}

func setPassword(ctx context.Context, tx *db.Tx, who id.User, fresh password.Stored) error {
	return tx.Change(ctx, `
		UPDATE users SET password = $2, password_form = $3, password_cost = $4, password_set_at = $5, risk_at = $5
		 WHERE user_id = $1`, who, fresh.Encoded(), string(fresh.Form()), int64(fresh.Cost()), db.Stamp(tx.Now))
}

func clearPassword(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `
		UPDATE users SET password = '', password_form = '', password_cost = 0, password_set_at = NULL, reset_mark_at = NULL, risk_at = $2
		 WHERE user_id = $1`, who, db.Stamp(tx.Now))
}

func markReset(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `
		UPDATE users SET reset_mark_at = $2 WHERE user_id = $1`, who, db.Stamp(tx.Now))
}

func clearResetMark(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `UPDATE users SET reset_mark_at = NULL WHERE user_id = $1`, who)
}

func risk(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `UPDATE users SET risk_at = $2 WHERE user_id = $1`, who, db.Stamp(tx.Now))
}

func setUsual(ctx context.Context, tx *db.Tx, who id.User, usual policy.MethodKind) error {
	return tx.Change(ctx, `UPDATE users SET usual_method = $2 WHERE user_id = $1`, who, string(usual))
}

func makeStaff(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `UPDATE users SET staff = TRUE WHERE user_id = $1 AND staff = FALSE`, who)
}

func endStaff(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `UPDATE users SET staff = FALSE WHERE user_id = $1 AND staff = TRUE`, who)
}

// slowest reads the dearest stored hash of a form.
func slowest(ctx context.Context, from db.Reader, form password.Form) (password.Stored, error) {
	return db.One(ctx, from, func(r db.Row) (password.Stored, error) {
		var encoded string
		if err := r.Scan(&encoded); err != nil {
			return password.Stored{}, err
		}
		return password.Parse(encoded)
	}, `SELECT password FROM users WHERE password_form = $1 ORDER BY password_cost DESC LIMIT 1`, string(form))
}
