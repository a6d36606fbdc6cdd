package method

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

const columns = `
	user_id, method_id, kind, name, address, linked_at, proved_at, last_used_at, awaits_proof, pending,
	unproved_sent, wrong_in_row, health, health_why, no_recovery`

func scan(r db.Row) (m Method, err error) {
	return m, r.Scan(&m.User, &m.ID, &m.Kind, &m.Name, &m.Address, db.When(&m.LinkedAt), db.When(&m.ProvedAt), db.When(&m.LastUsedAt),
		&m.AwaitsProof, &m.Pending, &m.UnprovedSent, &m.WrongInRow, &m.Health, &m.HealthWhy, &m.NoRecovery)
}

func insert(ctx context.Context, tx *db.Tx, m Method) error {
	return tx.Change(ctx, `
		INSERT INTO methods (user_id, method_id, kind, name, address, linked_at, proved_at, awaits_proof, pending, unproved_sent, health, health_why, no_recovery)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		m.User, m.ID, m.Kind, m.Name, m.Address, db.Stamp(m.LinkedAt), db.Stamp(m.ProvedAt), m.AwaitsProof, m.Pending, m.UnprovedSent, m.Health, m.HealthWhy, m.NoRecovery)
}

func of(ctx context.Context, from db.Reader, who id.User) ([]Method, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM methods WHERE user_id = $1 AND removed_at IS NULL ORDER BY method_id`, who)
}

func ofAll(ctx context.Context, from db.Reader, who []id.User) ([]Method, error) {
	return db.ManyIn(ctx, from, scan, who, func(places string) string {
		return `
		SELECT ` + columns + ` FROM methods WHERE user_id IN (` + places + `) AND removed_at IS NULL ORDER BY user_id, method_id`
	})
}

func removedSince(ctx context.Context, from db.Reader, who id.User, since time.Time) ([]Method, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM methods
		 WHERE user_id = $1 AND removed_at > $2 AND NOT pending ORDER BY method_id LIMIT 100`, who, db.Stamp(since))
}

func removedMailbox(ctx context.Context, from db.Reader, who id.User, mailbox string) (Method, error) {
	return db.One(ctx, from, scan, `
		SELECT `+columns+` FROM methods
		 WHERE user_id = $1 AND kind = 'email' AND address = $2 AND removed_at IS NOT NULL AND NOT pending
		 ORDER BY removed_at DESC, method_id DESC LIMIT 1`, who, mailbox)
}

func restore(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods SET removed_at = NULL
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NOT NULL`, who, which)
}

func distrust(ctx context.Context, tx *db.Tx, who id.User, which id.Method, awaits bool) error {
	return tx.Change(ctx, `
		UPDATE methods SET no_recovery = TRUE, awaits_proof = $3
		 WHERE user_id = $1 AND method_id = $2 AND kind = 'email' AND removed_at IS NULL`, who, which, awaits)
}

func entered(ctx context.Context, tx *db.Tx, who id.User, typed id.Method, withAnother bool) error {
	_, err := tx.Exec(ctx, `
		UPDATE methods SET no_recovery = (no_recovery AND method_id <> $3), awaits_proof = (awaits_proof AND NOT $2)
		 WHERE user_id = $1 AND kind = 'email' AND removed_at IS NULL AND (no_recovery OR awaits_proof)`, who, withAnother, typed)
	return err
}

func recoveryLeftOfAll(ctx context.Context, from db.Reader, who []id.User) ([]left, error) {
	return db.ManyIn(ctx, from, func(r db.Row) (l left, err error) { return l, r.Scan(&l.user, &l.codes) }, who, func(places string) string {
		return `
		SELECT c.user_id, COUNT(*)
		  FROM recovery_codes c JOIN methods m ON m.user_id = c.user_id AND m.method_id = c.method_id
		 WHERE c.user_id IN (` + places + `) AND c.used_at IS NULL AND m.removed_at IS NULL
		 GROUP BY c.user_id`
	})
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
		        WHERE health IN ('refused', 'bounced') AND health_at < $1 ORDER BY health_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}

func rename(ctx context.Context, tx *db.Tx, who id.User, which id.Method, name string) error {
	return tx.Change(ctx, `
		UPDATE methods SET name = $3
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which, name)
}

func remove(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods SET removed_at = $3
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which, db.Stamp(tx.Now))
}

func markTaken(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods SET taken = TRUE
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NOT NULL`, who, which)
}

func countTaken(ctx context.Context, from db.Reader, who id.User, since time.Time) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM methods
		 WHERE user_id = $1 AND kind <> 'email' AND removed_at > $2 AND taken AND proved_at IS NOT NULL AND NOT pending`,
		who, db.Stamp(since))
}

// forget deletes what is secret of a method, whatever kind it is.
func forget(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	for _, text := range []string{
		`DELETE FROM totp_secrets WHERE user_id = $1 AND method_id = $2`,
		`DELETE FROM passkeys WHERE user_id = $1 AND method_id = $2`,
		`DELETE FROM recovery_codes WHERE user_id = $1 AND method_id = $2`,
	} {
		if _, err := tx.Exec(ctx, text, who, which); err != nil {
			return err
		}
	}
	return nil
}

func prove(ctx context.Context, tx *db.Tx, who id.User, which id.Method) error {
	return tx.Change(ctx, `
		UPDATE methods
		   SET pending = FALSE, awaits_proof = FALSE, proved_at = COALESCE(proved_at, $3), unproved_sent = 0,
		       wrong_in_row = CASE WHEN kind IN ('email', 'sms') THEN 0 ELSE wrong_in_row END,
		       health = 'good', health_why = '', health_at = $3
		 WHERE user_id = $1 AND method_id = $2 AND removed_at IS NULL`, who, which, db.Stamp(tx.Now))
}

func scanTOTP(r db.Row) (t totp, err error) { return t, r.Scan(&t.id, &t.sealed, &t.last) }

func insertTOTP(ctx context.Context, tx *db.Tx, m Method, sealed []byte) error {
	return tx.Change(ctx, `INSERT INTO totp_secrets (user_id, method_id, sealed) VALUES ($1, $2, $3)`, m.User, m.ID, sealed)
}

func totpByID(ctx context.Context, from db.Reader, who id.User, which id.Method) (totp, error) {
	return db.One(ctx, from, scanTOTP, `
		SELECT method_id, sealed, last_step FROM totp_secrets WHERE user_id = $1 AND method_id = $2`, who, which)
}

// advance is the compare-and-set that lets one of many equal codes pass.
func advance(ctx context.Context, tx *db.Tx, who id.User, which id.Method, step int64) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE totp_secrets SET last_step = $3
		 WHERE user_id = $1 AND method_id = $2 AND last_step < $3`, who, which, step)
}

// notFinished is an authenticator whose set-up nobody finished.
const notFinished = ` kind = 'totp' AND pending AND proved_at IS NULL AND removed_at IS NULL`

func unfinished(ctx context.Context, from db.Reader, who id.User) (Method, error) {
	return db.One(ctx, from, scan, `
		SELECT `+columns+` FROM methods WHERE user_id = $1 AND`+notFinished+` ORDER BY method_id DESC LIMIT 1`, who)
}

func unfinishedOf(ctx context.Context, from db.Reader, who id.User) ([]Method, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM methods WHERE user_id = $1 AND`+notFinished+` ORDER BY method_id LIMIT 100`, who)
}

func unfinishedBefore(ctx context.Context, from db.Reader, before time.Time, limit int) ([]Method, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM methods WHERE linked_at <= $1 AND`+notFinished+` ORDER BY linked_at LIMIT $2`, db.Stamp(before), limit)
}

func dropUnproved(ctx context.Context, tx *db.Tx, who id.User, which id.Method) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM methods WHERE user_id = $1 AND method_id = $2 AND`+notFinished, who, which)
}

func insertRecovery(ctx context.Context, tx *db.Tx, m Method, no int, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO recovery_codes (user_id, method_id, code_no, hash) VALUES ($1, $2, $3, $4)`, m.User, m.ID, no, hash)
}

func recoveryUnused(ctx context.Context, from db.Reader, who id.User, which id.Method) ([]recoveryCode, error) {
	return db.Many(ctx, from, func(r db.Row) (c recoveryCode, err error) { return c, r.Scan(&c.no, &c.hash) }, `
		SELECT code_no, hash FROM recovery_codes
		 WHERE user_id = $1 AND method_id = $2 AND used_at IS NULL ORDER BY code_no LIMIT 100`, who, which)
}

func useRecovery(ctx context.Context, tx *db.Tx, m Method, no int64) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE recovery_codes SET used_at = $4
		 WHERE user_id = $1 AND method_id = $2 AND code_no = $3 AND used_at IS NULL`, m.User, m.ID, no, db.Stamp(tx.Now))
}

func recoveryLeft(ctx context.Context, from db.Reader, who id.User) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM recovery_codes c
		  JOIN methods m ON m.user_id = c.user_id AND m.method_id = c.method_id
		 WHERE c.user_id = $1 AND c.used_at IS NULL AND m.removed_at IS NULL`, who)
}

func scanPasskey(r db.Row) (k passkey, err error) {
	return k, r.Scan(&k.method, &k.credential, &k.record)
}

// insertPasskey says how many rows it made: none if the credential is somebody's already.
func insertPasskey(ctx context.Context, tx *db.Tx, who id.User, k passkey) (int64, error) {
	return tx.Exec(ctx, `
		INSERT INTO passkeys (user_id, method_id, credential_id, credential) VALUES ($1, $2, $3, $4)
		ON CONFLICT (credential_id) DO NOTHING`, who, k.method, k.credential, k.record)
}

func passkeysOf(ctx context.Context, from db.Reader, who id.User) ([]passkey, error) {
	return db.Many(ctx, from, scanPasskey, `
		SELECT p.method_id, p.credential_id, p.credential FROM passkeys p
		  JOIN methods m ON m.user_id = p.user_id AND m.method_id = p.method_id
		 WHERE p.user_id = $1 AND m.removed_at IS NULL AND m.proved_at IS NOT NULL AND NOT m.pending
		 ORDER BY p.method_id LIMIT 100`, who)
}

// usePasskey stores a credential after its use, if nobody else used it meanwhile.
func usePasskey(ctx context.Context, tx *db.Tx, who id.User, k passkey, after string) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE passkeys SET credential = $4
		 WHERE user_id = $1 AND method_id = $2 AND credential = $3`, who, k.method, k.record, after)
}

func insertCeremony(ctx context.Context, tx *db.Tx, c ceremony) error {
	return tx.Change(ctx, `
		INSERT INTO ceremonies (token_hash, user_id, purpose, asked, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		c.hash, c.user, c.purpose, c.asked, db.Stamp(c.expiresAt))
}

func ceremonyByHash(ctx context.Context, from db.Reader, who id.User, purpose string, hash []byte) (ceremony, error) {
	return db.One(ctx, from, func(r db.Row) (c ceremony, err error) {
		return c, r.Scan(&c.hash, &c.user, &c.purpose, &c.asked, db.When(&c.expiresAt))
	}, `
		SELECT token_hash, user_id, purpose, asked, expires_at FROM ceremonies
		 WHERE user_id = $1 AND purpose = $2 AND token_hash = $3`, who, purpose, hash)
}

func endCeremony(ctx context.Context, tx *db.Tx, c ceremony) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM ceremonies WHERE user_id = $1 AND token_hash = $2`, c.user, c.hash)
}

func sweepCeremonies(ctx context.Context, tx *db.Tx, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM ceremonies
		 WHERE token_hash IN (SELECT token_hash FROM ceremonies WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
		db.Stamp(tx.Now), limit)
	return err
}

// unlink takes back what link put there in the same transaction.
func unlink(ctx context.Context, tx *db.Tx, m Method) error {
	return tx.Change(ctx, `DELETE FROM methods WHERE user_id = $1 AND method_id = $2 AND linked_at = $3`, m.User, m.ID, db.Stamp(tx.Now))
}
