package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func insertRequest(ctx context.Context, tx *db.Tx, browser []byte, r Request) error {
	var age any
	if r.MaxAge != nil {
		age = int64(*r.MaxAge / time.Second)
	}
	return tx.Change(ctx, `
		INSERT INTO oidc_requests (browser_hash, request_id, client_id, redirect_uri, scopes, state, nonce, challenge,
		                           acr, max_age, prompt, login_hint, made_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		browser, r.ID, r.Client.ID, r.Redirect, spaced(r.Scopes), r.State, r.Nonce, r.Challenge,
		r.ACR, age, r.prompt, r.Hint, db.Stamp(r.MadeAt), db.Stamp(r.EndsAt))
}

func requestOf(ctx context.Context, from db.Reader, browser []byte, which id.Authorization) (Request, error) {
	return db.One(ctx, from, func(row db.Row) (r Request, err error) {
		var scopes string
		var age *int64
		err = row.Scan(&r.ID, &r.Client.ID, &r.Redirect, &scopes, &r.State, &r.Nonce, &r.Challenge,
			&r.ACR, &age, &r.prompt, &r.Hint, db.When(&r.MadeAt), db.When(&r.EndsAt), db.When(&r.DoneAt))
		r.Scopes = strings.Fields(scopes)
		if age != nil {
			seconds := time.Duration(*age) * time.Second
			r.MaxAge = &seconds
		}
		for word := range strings.FieldsSeq(r.prompt) {
			r.None = r.None || word == "none"
			r.Again = r.Again || word == "login" || word == "select_account"
		}
		return r, err
	}, `
		SELECT request_id, client_id, redirect_uri, scopes, state, nonce, challenge,
		       acr, max_age, prompt, login_hint, made_at, ends_at, done_at
		  FROM oidc_requests WHERE browser_hash = $1 AND request_id = $2`, browser, which)
}

func finish(ctx context.Context, tx *db.Tx, browser []byte, which id.Authorization) error {
	return tx.Change(ctx, `
		UPDATE oidc_requests SET done_at = $3
		 WHERE browser_hash = $1 AND request_id = $2 AND done_at IS NULL AND ends_at > $3`, browser, which, db.Stamp(tx.Now))
}

const grantColumns = `
	user_id, grant_id, client_id, sid, user_epoch, redirect_uri, scopes, nonce, challenge,
	code_until, code_used_at, made_at, ends_at, ended_at, back_channel`

func scanGrant(r db.Row) (g grant, err error) {
	var scopes string
	err = r.Scan(&g.User, &g.ID, &g.Client, &g.SID, &g.UserEpoch, &g.Redirect, &scopes, &g.Nonce, &g.Challenge,
		db.When(&g.CodeUntil), db.When(&g.CodeUsed), db.When(&g.MadeAt), db.When(&g.EndsAt), db.When(&g.EndedAt), &g.backChannel)
	g.Scopes = strings.Fields(scopes)
	return g, err
}

func insertGrant(ctx context.Context, tx *db.Tx, g grant, code []byte) error {
	return tx.Change(ctx, `
		INSERT INTO oidc_grants (user_id, grant_id, client_id, sid, user_epoch, redirect_uri, scopes, nonce, challenge,
		                         code_hash, code_until, made_at, ends_at, back_channel)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		g.User, g.ID, g.Client, g.SID, g.UserEpoch, g.Redirect, spaced(g.Scopes), g.Nonce, g.Challenge,
		code, db.Stamp(g.CodeUntil), db.Stamp(g.MadeAt), db.Stamp(g.EndsAt), g.backChannel)
}

func byCode(ctx context.Context, from db.Reader, code []byte) (grant, error) {
	return db.One(ctx, from, scanGrant, `SELECT `+grantColumns+` FROM oidc_grants WHERE code_hash = $1`, code)
}

func grantOf(ctx context.Context, from db.Reader, who id.User, which id.Grant) (grant, error) {
	return db.One(ctx, from, scanGrant, `SELECT `+grantColumns+` FROM oidc_grants WHERE user_id = $1 AND grant_id = $2`, who, which)
}

func useCode(ctx context.Context, tx *db.Tx, g grant) error {
	return tx.Change(ctx, `
		UPDATE oidc_grants SET code_used_at = $3
		 WHERE user_id = $1 AND grant_id = $2 AND code_used_at IS NULL`, g.User, g.ID, db.Stamp(tx.Now))
}

func endGrant(ctx context.Context, tx *db.Tx, g grant, why string) error {
	return tx.Change(ctx, `
		UPDATE oidc_grants SET ended_at = $3, ended_why = $4
		 WHERE user_id = $1 AND grant_id = $2 AND ended_at IS NULL`, g.User, g.ID, db.Stamp(tx.Now), why)
}

func insertToken(ctx context.Context, tx *db.Tx, k kept, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO oidc_tokens (token_hash, kind, client_id, user_id, grant_id, made_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		hash, k.Kind, k.Client, string(k.User), string(k.Grant), db.Stamp(tx.Now), db.Stamp(k.EndsAt))
}

func tokenOf(ctx context.Context, from db.Reader, hash []byte) (kept, error) {
	return db.One(ctx, from, func(r db.Row) (k kept, err error) {
		return k, r.Scan(&k.Kind, &k.Client, &k.User, &k.Grant, db.When(&k.EndsAt), db.When(&k.UsedAt), db.When(&k.EndedAt))
	}, `SELECT kind, client_id, user_id, grant_id, ends_at, used_at, ended_at FROM oidc_tokens WHERE token_hash = $1`, hash)
}

func useToken(ctx context.Context, tx *db.Tx, hash []byte) error {
	return tx.Change(ctx, `
		UPDATE oidc_tokens SET used_at = $2
		 WHERE token_hash = $1 AND used_at IS NULL AND ended_at IS NULL AND ends_at > $2`, hash, db.Stamp(tx.Now))
}

func endToken(ctx context.Context, tx *db.Tx, hash []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE oidc_tokens SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL`, hash, db.Stamp(tx.Now))
	return err
}

func sweep(ctx context.Context, tx *db.Tx, limit int) error {
	// A grant stays for a day after its end: a second use of what it gave is known for what
	// it is, and its client is told.
	for _, one := range []struct {
		text string
		over time.Time
	}{
		{`DELETE FROM oidc_requests WHERE (browser_hash, request_id) IN (
		         SELECT browser_hash, request_id FROM oidc_requests WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, tx.Now},
		{`DELETE FROM oidc_tokens WHERE token_hash IN (
		         SELECT token_hash FROM oidc_tokens WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, tx.Now},
		{`DELETE FROM oidc_grants WHERE (user_id, grant_id) IN (
		         SELECT user_id, grant_id FROM oidc_grants WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, tx.Now.Add(-24 * time.Hour)},
		{`DELETE FROM oidc_keys WHERE key_id IN (
		         SELECT key_id FROM oidc_keys WHERE retired_at < $1 ORDER BY retired_at LIMIT $2)`, tx.Now.Add(-keepFor)},
	} {
		if _, err := tx.Exec(ctx, one.text, db.Stamp(one.over), limit); err != nil {
			return err
		}
	}
	return nil
}

const keyColumns = `key_id, alg, public, sealed, made_at, active_at, retired_at`

func scanKey(r db.Row) (k SigningKey, err error) {
	var public string
	if err = r.Scan(&k.ID, &k.Alg, &public, &k.sealed, db.When(&k.MadeAt), db.When(&k.ActiveAt), db.When(&k.RetiredAt)); err != nil {
		return k, err
	}
	if err := json.Unmarshal([]byte(public), &k.public); err != nil {
		return k, fmt.Errorf("the public half of a signing key: %w", err)
	}
	return k, nil
}

func insertKey(ctx context.Context, tx *db.Tx, k SigningKey) error {
	public, err := publicText(k.public)
	if err != nil {
		return err
	}
	return tx.Change(ctx, `
		INSERT INTO oidc_keys (key_id, alg, public, sealed, made_at, active_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.Alg, public, k.sealed, db.Stamp(k.MadeAt), db.Stamp(k.ActiveAt))
}

func keyThere(ctx context.Context, from db.Reader, alg string, active bool) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM oidc_keys
		 WHERE alg = $1 AND retired_at IS NULL AND (CASE WHEN active_at IS NULL THEN 0 ELSE 1 END) = $2`, alg, one(active))
	return n > 0, err
}

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func currentKey(ctx context.Context, from db.Reader, alg string) (SigningKey, error) {
	return db.One(ctx, from, scanKey, `
		SELECT `+keyColumns+` FROM oidc_keys WHERE alg = $1 AND active_at IS NOT NULL AND retired_at IS NULL`, alg)
}

func keyOf(ctx context.Context, from db.Reader, which id.SigningKey) (SigningKey, error) {
	return db.One(ctx, from, scanKey, `SELECT `+keyColumns+` FROM oidc_keys WHERE key_id = $1`, which)
}

func keys(ctx context.Context, from db.Reader) ([]SigningKey, error) {
	return db.Many(ctx, from, scanKey, `SELECT `+keyColumns+` FROM oidc_keys ORDER BY made_at DESC, key_id DESC`)
}

func keysDue(ctx context.Context, from db.Reader, before time.Time) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM oidc_keys WHERE retired_at IS NULL AND active_at < $1`, db.Stamp(before))
	return n > 0, err
}

// turnKeys has the next key of an algorithm sign in place of the current one.
func turnKeys(ctx context.Context, tx *db.Tx, alg string) error {
	if err := tx.Change(ctx, `
		UPDATE oidc_keys SET retired_at = $2
		 WHERE alg = $1 AND active_at IS NOT NULL AND retired_at IS NULL`, alg, db.Stamp(tx.Now)); err != nil {
		return err
	}
	return tx.Change(ctx, `UPDATE oidc_keys SET active_at = $2 WHERE alg = $1 AND active_at IS NULL`, alg, db.Stamp(tx.Now))
}

// ended finds the grants of clients with a back channel whose session is over by now: ended,
// run out, or made under a number of the user or the membership that is not the present one
// any more.
func ended(ctx context.Context, from db.Reader, now time.Time, limit int) ([]grant, error) {
	return db.Many(ctx, from, scanGrant, `
		SELECT `+grantColumns+` FROM oidc_grants g
		 WHERE g.back_channel AND g.told_at IS NULL AND g.code_used_at IS NOT NULL
		   AND (g.user_epoch <> COALESCE((SELECT e.epoch FROM epochs e WHERE e.owner = 'user:' || g.user_id), 0)
		        OR NOT EXISTS (
		           SELECT 1 FROM sessions s
		            WHERE s.user_id = g.user_id AND (s.sid = g.sid OR (s.sid = '' AND s.session_id = g.sid))
		              AND s.ended_at IS NULL AND s.ends_at > $1 AND s.user_epoch = g.user_epoch
		              AND (s.site_id IS NULL OR s.member_epoch = COALESCE((
		                   SELECT e.epoch FROM epochs e WHERE e.owner = 'member:' || s.site_id || ':' || s.user_id), 0))))
		 ORDER BY g.grant_id LIMIT $2`, db.Stamp(now), limit)
}

func noteTold(ctx context.Context, tx *db.Tx, g grant) error {
	return tx.Change(ctx, `
		UPDATE oidc_grants SET told_at = $3
		 WHERE user_id = $1 AND grant_id = $2 AND told_at IS NULL`, g.User, g.ID, db.Stamp(tx.Now))
}
