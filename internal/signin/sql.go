package signin

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
)

const attemptColumns = `
	user_id, attempt_id, purpose, client, COALESCE(site_id, ''), COALESCE(session_id, ''), return_to, reference,
	browser, network, agent, user_epoch, began_with, password_at, factor, factor_method, factor_at, acr, chosen,
	enrol_by, enrol_until, for_user, device_id, created_at, expires_at`

func scanAttempt(r db.Row) (a Attempt, err error) {
	return a, r.Scan(&a.User, &a.ID, &a.Purpose, &a.Client, &a.Site, &a.Session, &a.ReturnTo, &a.Reference,
		&a.Place.Browser, &a.Place.Network, &a.Place.Agent, &a.UserEpoch, &a.Began, db.When(&a.PasswordAt),
		&a.Factor, &a.FactorMethod, db.When(&a.FactorAt), &a.ACR, &a.Chosen,
		&a.EnrolBy, db.When(&a.EnrolUntil), &a.ForUser, &a.Device, db.When(&a.CreatedAt), db.When(&a.ExpiresAt))
}

func insertAttempt(ctx context.Context, tx *db.Tx, a Attempt, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO attempts (user_id, attempt_id, token_hash, purpose, client, site_id, session_id, return_to, reference,
		                      browser, network, agent, user_epoch, began_with, password_at, factor, factor_method, factor_at, acr,
		                      enrol_by, enrol_until, for_user, device_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, NULLIF($6, ''), NULLIF($7, ''), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
		        $20, $21, $22, $23, $24, $25)`,
		a.User, a.ID, hash, a.Purpose, a.Client, string(a.Site), string(a.Session), a.ReturnTo, a.Reference,
		a.Place.Browser, a.Place.Network, a.Place.Agent, a.UserEpoch, a.Began, db.Stamp(a.PasswordAt),
		a.Factor, a.FactorMethod, db.Stamp(a.FactorAt), a.ACR, a.EnrolBy, db.Stamp(a.EnrolUntil), a.ForUser, a.Device,
		db.Stamp(a.CreatedAt), db.Stamp(a.ExpiresAt))
}

// takeAttempt holds the row: a second step of the same attempt waits here.
func takeAttempt(ctx context.Context, tx *db.Tx, hash []byte) (Attempt, error) {
	return db.One(ctx, tx, scanAttempt, `
		UPDATE attempts SET expires_at = expires_at
		 WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $2
		RETURNING `+attemptColumns, hash, db.Stamp(tx.Now))
}

func attemptByHash(ctx context.Context, from db.Reader, hash []byte, now any) (Attempt, error) {
	return db.One(ctx, from, scanAttempt, `
		SELECT `+attemptColumns+` FROM attempts
		 WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $2`, hash, now)
}

// elsewhere gives the few latest sign-ins of a person that are under way in other browsers.
func elsewhere(ctx context.Context, tx *db.Tx, a Attempt) ([]Attempt, error) {
	return db.Many(ctx, tx, scanAttempt, `
		SELECT `+attemptColumns+` FROM attempts
		 WHERE user_id = $1 AND browser <> $2 AND ended_at IS NULL AND expires_at > $3
		 ORDER BY created_at DESC, attempt_id DESC LIMIT 5`, a.User, a.Place.Browser, db.Stamp(tx.Now))
}

func endAttempt(ctx context.Context, tx *db.Tx, a Attempt) error {
	return tx.Change(ctx, `
		UPDATE attempts SET ended_at = $3
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL`, a.User, a.ID, db.Stamp(tx.Now))
}

func chooseSite(ctx context.Context, tx *db.Tx, a Attempt) error {
	return tx.Change(ctx, `
		UPDATE attempts SET site_id = $3
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL AND site_id IS NULL`, a.User, a.ID, a.Site)
}

func storeFactor(ctx context.Context, tx *db.Tx, a Attempt) error {
	return tx.Change(ctx, `
		UPDATE attempts SET factor = $3, factor_method = $4, factor_at = $5
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL`,
		a.User, a.ID, a.Factor, a.FactorMethod, db.Stamp(a.FactorAt))
}

func storeChosen(ctx context.Context, tx *db.Tx, a Attempt) error {
	return tx.Change(ctx, `
		UPDATE attempts SET chosen = $3
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL`, a.User, a.ID, a.Chosen)
}

// openEnrol makes an attempt an enrol-only session, once: it leaves the state in which
// it is none, or is none any more.
func openEnrol(ctx context.Context, tx *db.Tx, a Attempt, until time.Time) error {
	return tx.Change(ctx, `
		UPDATE attempts
		   SET enrol_by = $3, enrol_until = $4, expires_at = CASE WHEN expires_at < $4 THEN $4 ELSE expires_at END
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL AND expires_at > $5
		   AND (enrol_until IS NULL OR enrol_until <= $5)
		   AND user_epoch = COALESCE((SELECT epoch FROM epochs WHERE owner = $6), 0)`,
		a.User, a.ID, a.EnrolBy, db.Stamp(until), db.Stamp(tx.Now), string(epoch.User(a.User)))
}

func enrols(ctx context.Context, from db.Reader, who id.User, which id.Attempt, now time.Time) (bool, error) {
	n, err := db.One(ctx, from, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM attempts
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL AND enrol_until > $3
		   AND user_epoch = COALESCE((SELECT epoch FROM epochs WHERE owner = $4), 0)`,
		who, which, db.Stamp(now), string(epoch.User(who)))
	return n > 0, err
}

// closeEnrol ends an attempt that is an enrol-only session now.
func closeEnrol(ctx context.Context, tx *db.Tx, who id.User, which id.Attempt) error {
	return tx.Change(ctx, `
		UPDATE attempts SET ended_at = $3
		 WHERE user_id = $1 AND attempt_id = $2 AND ended_at IS NULL AND enrol_until > $3
		   AND user_epoch = COALESCE((SELECT epoch FROM epochs WHERE owner = $4), 0)`,
		who, which, db.Stamp(tx.Now), string(epoch.User(who)))
}

// shutEnrols ends every enrol-only session of somebody that one way opened.
func shutEnrols(ctx context.Context, tx *db.Tx, who id.User, by string) error {
	_, err := tx.Exec(ctx, `
		UPDATE attempts SET ended_at = $3
		 WHERE user_id = $1 AND enrol_by = $2 AND ended_at IS NULL AND enrol_until > $3`, who, by, db.Stamp(tx.Now))
	return err
}

// challengeOf gives the attempt's one challenge, made on first use.
func challengeOf(ctx context.Context, tx *db.Tx, a Attempt) (id.Challenge, error) {
	return db.One(ctx, tx, func(r db.Row) (c id.Challenge, err error) { return c, r.Scan(&c) }, `
		INSERT INTO challenges (user_id, challenge_id, attempt_id, made_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, attempt_id) DO UPDATE SET made_at = challenges.made_at
		RETURNING challenge_id`, a.User, id.New[id.Challenge](), a.ID, db.Stamp(tx.Now))
}

func insertCode(ctx context.Context, tx *db.Tx, a Attempt, c code) error {
	return tx.Change(ctx, `
		INSERT INTO codes (user_id, challenge_id, code_id, method_id, message_id, mac, made_at, expires_at, wrong)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.User, c.challenge, c.id, c.method, c.message, c.mac, db.Stamp(c.madeAt), db.Stamp(c.expiresAt), c.wrong)
}

// codesOf gives the codes of an attempt, the newest first.
func codesOf(ctx context.Context, from db.Reader, a Attempt) ([]code, error) {
	return db.Many(ctx, from, func(r db.Row) (c code, err error) {
		return c, r.Scan(&c.id, &c.challenge, &c.method, &c.message, &c.mac,
			db.When(&c.madeAt), db.When(&c.expiresAt), &c.wrong, &c.ended)
	}, `
		SELECT c.code_id, c.challenge_id, c.method_id, c.message_id, c.mac, c.made_at, c.expires_at, c.wrong,
		       (c.replaced_at IS NOT NULL OR c.used_at IS NOT NULL)
		  FROM challenges h JOIN codes c ON c.user_id = h.user_id AND c.challenge_id = h.challenge_id
		 WHERE h.user_id = $1 AND h.attempt_id = $2
		 ORDER BY c.made_at DESC, c.code_id DESC LIMIT 100`, a.User, a.ID)
}

func countWrong(ctx context.Context, tx *db.Tx, a Attempt, c code) error {
	return tx.Change(ctx, `
		UPDATE codes SET wrong = wrong + 1
		 WHERE user_id = $1 AND challenge_id = $2 AND code_id = $3 AND wrong = $4 AND used_at IS NULL`,
		a.User, c.challenge, c.id, c.wrong)
}

// useCode uses the code up: it leaves the state in which it is live, once.
func useCode(ctx context.Context, tx *db.Tx, a Attempt, c code) error {
	err := tx.Change(ctx, `
		UPDATE codes SET used_at = $4
		 WHERE user_id = $1 AND challenge_id = $2 AND code_id = $3
		   AND used_at IS NULL AND replaced_at IS NULL AND expires_at > $4 AND wrong = $5`,
		a.User, c.challenge, c.id, db.Stamp(tx.Now), c.wrong)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE challenges SET passed_at = $3
		 WHERE user_id = $1 AND challenge_id = $2 AND passed_at IS NULL`, a.User, c.challenge, db.Stamp(tx.Now))
	return err
}

// replaceCodes ends the open codes of an attempt and gives them as they were.
func replaceCodes(ctx context.Context, tx *db.Tx, a Attempt) ([]code, error) {
	return db.Many(ctx, tx, func(r db.Row) (c code, err error) {
		return c, r.Scan(&c.id, &c.method, &c.message, db.When(&c.madeAt), db.When(&c.expiresAt), &c.wrong)
	}, `
		UPDATE codes SET replaced_at = $3
		 WHERE user_id = $1 AND used_at IS NULL AND replaced_at IS NULL
		   AND challenge_id IN (SELECT challenge_id FROM challenges WHERE user_id = $1 AND attempt_id = $2)
		RETURNING code_id, method_id, message_id, made_at, expires_at, wrong`, a.User, a.ID, db.Stamp(tx.Now))
}

func addSkipped(ctx context.Context, tx *db.Tx, who id.User, what, network string, hour int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO unevaluated (user_id, what, network, hour, tries) VALUES ($1, $2, $3, $4, 1)
		ON CONFLICT (user_id, what, network, hour) DO UPDATE SET tries = unevaluated.tries + 1`, who, what, network, hour)
	return err
}

// takeSkipped removes counts of hours that are over, and gives them.
func takeSkipped(ctx context.Context, tx *db.Tx, before int64, limit int) ([]count, error) {
	return db.Many(ctx, tx, func(r db.Row) (c count, err error) {
		return c, r.Scan(&c.user, &c.what, &c.network, &c.hour, &c.tries)
	}, `
		DELETE FROM unevaluated
		 WHERE (user_id, what, network, hour) IN (
		       SELECT user_id, what, network, hour FROM unevaluated WHERE hour < $1 ORDER BY hour LIMIT $2)
		RETURNING user_id, what, network, hour, tries`, before, limit)
}

// sweepAttempts removes attempts that ran out before a moment, with their challenges and
// codes: the audit trail has what is worth keeping.
func sweepAttempts(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	gone, err := db.Many(ctx, tx, func(r db.Row) (a Attempt, err error) { return a, r.Scan(&a.User, &a.ID) }, `
		DELETE FROM attempts
		 WHERE (user_id, attempt_id) IN (
		       SELECT user_id, attempt_id FROM attempts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)
		RETURNING user_id, attempt_id`, db.Stamp(before), limit)
	if err != nil {
		return err
	}
	for _, a := range gone {
		if _, err := tx.Exec(ctx, `
			DELETE FROM codes WHERE user_id = $1 AND challenge_id IN (
			       SELECT challenge_id FROM challenges WHERE user_id = $1 AND attempt_id = $2)`, a.User, a.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM challenges WHERE user_id = $1 AND attempt_id = $2`, a.User, a.ID); err != nil {
			return err
		}
	}
	return nil
}
