package rescue

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
)

// Forgotten passwords.

func insertAsking(ctx context.Context, tx *db.Tx, a asking) error {
	return tx.Change(ctx, `
		INSERT INTO reset_askings (asking_id, login, network, agent, made_at) VALUES ($1, $2, $3, $4, $5)`,
		a.id, string(a.login), a.network, a.agent, db.Stamp(a.madeAt))
}

func takeAsking(ctx context.Context, tx *db.Tx, which id.Asking) (asking, error) {
	return db.One(ctx, tx, func(r db.Row) (a asking, err error) {
		return a, r.Scan(&a.id, &a.login, &a.network, &a.agent, db.When(&a.madeAt))
	}, `DELETE FROM reset_askings WHERE asking_id = $1 RETURNING asking_id, login, network, agent, made_at`, which)
}

func endResets(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE resets SET ended_at = $2
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL`, who, db.Stamp(tx.Now))
	return err
}

func insertReset(ctx context.Context, tx *db.Tx, r reset, hash []byte) error {
	return tx.Change(ctx, `
		INSERT INTO resets (user_id, reset_id, token_hash, user_epoch, made_at, expires_at, first_password)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.user, r.id, hash, r.epoch, db.Stamp(tx.Now), db.Stamp(r.expiresAt), r.first)
}

func resetByHash(ctx context.Context, from db.Reader, hash []byte, now any) (reset, error) {
	return db.One(ctx, from, func(r db.Row) (one reset, err error) {
		return one, r.Scan(&one.user, &one.id, &one.epoch, db.When(&one.expiresAt), &one.first)
	}, `
		SELECT user_id, reset_id, user_epoch, expires_at, first_password FROM resets
		 WHERE token_hash = $1 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $2`, hash, now)
}

func useReset(ctx context.Context, tx *db.Tx, r reset) error {
	return tx.Change(ctx, `
		UPDATE resets SET used_at = $3
		 WHERE user_id = $1 AND reset_id = $2 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $3`,
		r.user, r.id, db.Stamp(tx.Now))
}

// Asks.

const askColumns = `
	site_id, ask_id, user_id, attempt_id, number, agent, network, asked_at, expires_at, wrong, answer, answered_by, answered_at`

func scanAsk(r db.Row) (a ask, err error) {
	return a, r.Scan(&a.site, &a.id, &a.user, &a.attempt, &a.number, &a.place.Agent, &a.place.Network,
		db.When(&a.askedAt), db.When(&a.expiresAt), &a.wrong, &a.answer, &a.answeredBy, db.When(&a.answeredAt))
}

// endOldAsk ends the attempt's ask that has run out, so that there can be another.
func endOldAsk(ctx context.Context, tx *db.Tx, w Waiting) error {
	_, err := tx.Exec(ctx, `
		UPDATE asks SET answer = 'over', answered_at = $3
		 WHERE user_id = $1 AND attempt_id = $2 AND answer = '' AND expires_at <= $3`, w.User, w.Attempt, db.Stamp(tx.Now))
	return err
}

func openNumbers(ctx context.Context, tx *db.Tx, at id.Site) ([]string, error) {
	return db.Many(ctx, tx, func(r db.Row) (n string, err error) { return n, r.Scan(&n) }, `
		SELECT number FROM asks WHERE site_id = $1 AND answer = '' AND expires_at > $2 LIMIT 100`, at, db.Stamp(tx.Now))
}

// insertAsk says whether it was stored: the attempt may have an open one already.
func insertAsk(ctx context.Context, tx *db.Tx, a ask) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO asks (site_id, ask_id, user_id, attempt_id, number, agent, network, asked_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT DO NOTHING`,
		a.site, a.id, a.user, a.attempt, a.number, a.place.Agent, a.place.Network, db.Stamp(a.askedAt), db.Stamp(a.expiresAt))
	return n == 1, err
}

func latestAsk(ctx context.Context, from db.Reader, who id.User, attempt id.Attempt) (ask, error) {
	return db.One(ctx, from, scanAsk, `
		SELECT `+askColumns+` FROM asks
		 WHERE user_id = $1 AND attempt_id = $2 ORDER BY asked_at DESC, ask_id DESC LIMIT 1`, who, attempt)
}

func openAsks(ctx context.Context, from db.Reader, at id.Site, now any) ([]ask, error) {
	return db.Many(ctx, from, scanAsk, `
		SELECT `+askColumns+` FROM asks
		 WHERE site_id = $1 AND answer = '' AND expires_at > $2 ORDER BY asked_at, ask_id LIMIT 50`, at, now)
}

// takeAsk holds the row: a second answer to the same ask waits here.
func takeAsk(ctx context.Context, tx *db.Tx, at id.Site, which id.Ask) (ask, error) {
	return db.One(ctx, tx, scanAsk, `
		UPDATE asks SET wrong = wrong WHERE site_id = $1 AND ask_id = $2
		RETURNING `+askColumns, at, which)
}

func countNumber(ctx context.Context, tx *db.Tx, a ask) error {
	return tx.Change(ctx, `
		UPDATE asks SET wrong = wrong + 1
		 WHERE site_id = $1 AND ask_id = $2 AND answer = '' AND wrong = $3`, a.site, a.id, a.wrong)
}

func answerAsk(ctx context.Context, tx *db.Tx, a ask, answer AskState, by id.User) error {
	return tx.Change(ctx, `
		UPDATE asks SET answer = $3, answered_by = $4, answered_at = $5
		 WHERE site_id = $1 AND ask_id = $2 AND answer = ''`, a.site, a.id, string(answer), string(by), db.Stamp(tx.Now))
}

func endAsksOf(ctx context.Context, tx *db.Tx, at id.Site, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE asks SET answer = 'over', answered_at = $3
		 WHERE site_id = $1 AND user_id = $2 AND answer = ''`, at, who, db.Stamp(tx.Now))
	return err
}

// Help codes.

// holdUser holds the row of a user until the transaction ends, and changes nothing.
func holdUser(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `UPDATE users SET user_id = user_id WHERE user_id = $1`, who)
}

func endHelpCodes(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE help_codes SET ended_at = $2
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL`, who, db.Stamp(tx.Now))
	return err
}

func endGivenBy(ctx context.Context, tx *db.Tx, at id.Site, by id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE help_codes SET ended_at = $3
		 WHERE site_id = $1 AND given_by = $2 AND origin = 'admin' AND used_at IS NULL AND ended_at IS NULL`, at, by, db.Stamp(tx.Now))
	return err
}

// letIn is somebody whom an admin let in, and the By word of how.
type letIn struct {
	user id.User
	by   string
}

// letInBy reads whom an admin of a site has let in since a moment.
func letInBy(ctx context.Context, tx *db.Tx, at id.Site, by id.User, since time.Time) ([]letIn, error) {
	return db.Many(ctx, tx, func(r db.Row) (one letIn, err error) { return one, r.Scan(&one.user, &one.by) }, `
		SELECT user_id, '`+ByApproval+`' FROM asks
		 WHERE site_id = $1 AND answered_by = $2 AND answer = 'approved' AND answered_at > $3
		UNION
		SELECT user_id, '`+ByHelpCode+`' FROM help_codes
		 WHERE site_id = $1 AND given_by = $2 AND origin = 'admin' AND used_at > $3
		 ORDER BY 1, 2`, at, by, db.Stamp(since))
}

func endStaffCodes(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE help_codes SET ended_at = $2
		 WHERE user_id = $1 AND origin = 'staff' AND used_at IS NULL AND ended_at IS NULL`, who, db.Stamp(tx.Now))
	return err
}

func insertHelpCode(ctx context.Context, tx *db.Tx, c helpCode) error {
	return tx.Change(ctx, `
		INSERT INTO help_codes (user_id, help_code_id, site_id, origin, given_by, mac, made_at, expires_at, user_epoch)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, COALESCE((SELECT epoch FROM epochs WHERE owner = $9), 0))`,
		c.user, c.id, c.site, string(c.origin), c.givenBy, c.mac, db.Stamp(c.madeAt), db.Stamp(c.expiresAt), string(epoch.User(c.user)))
}

// tryHelpCode counts a try at the user's live help code and gives it, in one step: of
// many tries at once no more than the code bears get to see it.
func tryHelpCode(ctx context.Context, tx *db.Tx, who id.User) (helpCode, error) {
	return db.One(ctx, tx, func(r db.Row) (c helpCode, err error) {
		return c, r.Scan(&c.user, &c.id, &c.site, &c.origin, &c.givenBy, &c.mac, db.When(&c.madeAt), db.When(&c.expiresAt))
	}, `
		UPDATE help_codes SET wrong = wrong + 1
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $2 AND wrong < $3
		   AND user_epoch = COALESCE((SELECT epoch FROM epochs WHERE owner = $4), 0)
		RETURNING user_id, help_code_id, COALESCE(site_id, ''), origin, given_by, mac, made_at, expires_at`,
		who, db.Stamp(tx.Now), helpCodeTries, string(epoch.User(who)))
}

// useHelpCode uses it up, and takes back the try that was right.
func useHelpCode(ctx context.Context, tx *db.Tx, c helpCode) error {
	return tx.Change(ctx, `
		UPDATE help_codes SET used_at = $3, wrong = wrong - 1
		 WHERE user_id = $1 AND help_code_id = $2 AND used_at IS NULL AND ended_at IS NULL`, c.user, c.id, db.Stamp(tx.Now))
}

// Staff.

// staffIDs reads who is staff, 50 at most.
func staffIDs(ctx context.Context, from db.Reader) ([]id.User, error) {
	return db.Many(ctx, from, scanUser, `SELECT user_id FROM users WHERE staff ORDER BY user_id LIMIT 50`)
}

func scanUser(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }

// colleague reads since when somebody is staff, from the code that was confirmed last.
func colleague(ctx context.Context, from db.Reader, who id.User) (Colleague, error) {
	all, err := db.Many(ctx, from, func(r db.Row) (c Colleague, err error) {
		return c, r.Scan(&c.ConfirmedBy, db.When(&c.Since))
	}, `
		SELECT confirmed_by, confirmed_at FROM staff_codes
		 WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY confirmed_at DESC LIMIT 1`, who)
	if err != nil || len(all) == 0 {
		return Colleague{}, err
	}
	return all[0], nil
}

func endStaffCode(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE staff_codes SET ended_at = $2
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL`, who, db.Stamp(tx.Now))
	return err
}

func insertStaffCode(ctx context.Context, tx *db.Tx, c staffCode) error {
	return tx.Change(ctx, `
		INSERT INTO staff_codes (user_id, staff_code_id, mac, made_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		c.user, c.id, c.mac, db.Stamp(c.madeAt), db.Stamp(c.expiresAt))
}

func hasStaffCode(ctx context.Context, from db.Reader, who id.User) (bool, error) {
	all, err := db.Many(ctx, from, scanUser, `SELECT user_id FROM staff_codes WHERE user_id = $1 LIMIT 1`, who)
	return len(all) > 0, err
}

// tryStaffCode counts a try at the live code of somebody and gives it, in one step.
func tryStaffCode(ctx context.Context, tx *db.Tx, who id.User) (staffCode, error) {
	return db.One(ctx, tx, func(r db.Row) (c staffCode, err error) {
		return c, r.Scan(&c.user, &c.id, &c.mac, db.When(&c.madeAt), db.When(&c.expiresAt))
	}, `
		UPDATE staff_codes SET wrong = wrong + 1
		 WHERE user_id = $1 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $2
		RETURNING user_id, staff_code_id, mac, made_at, expires_at`, who, db.Stamp(tx.Now))
}

func useStaffCode(ctx context.Context, tx *db.Tx, c staffCode) error {
	return tx.Change(ctx, `
		UPDATE staff_codes SET used_at = $3, wrong = wrong - 1
		 WHERE user_id = $1 AND staff_code_id = $2 AND used_at IS NULL AND ended_at IS NULL`, c.user, c.id, db.Stamp(tx.Now))
}

// enrolledStaff notes it on the latest code that was used; fault.Conflict if there is
// none.
func enrolledStaff(ctx context.Context, tx *db.Tx, who id.User) error {
	return tx.Change(ctx, `
		UPDATE staff_codes SET enrolled_at = $2
		 WHERE user_id = $1 AND enrolled_at IS NULL
		   AND staff_code_id = (SELECT MAX(staff_code_id) FROM staff_codes
		                         WHERE user_id = $1 AND used_at IS NOT NULL AND confirmed_at IS NULL)`,
		string(who), db.Stamp(tx.Now))
}

func waitsForStaff(ctx context.Context, from db.Reader, who id.User) (bool, error) {
	all, err := db.Many(ctx, from, scanUser, `
		SELECT user_id FROM staff_codes
		 WHERE user_id = $1 AND enrolled_at IS NOT NULL AND confirmed_at IS NULL LIMIT 1`, who)
	return len(all) > 0, err
}

// confirmStaffCode confirms what somebody has enrolled by; fault.Conflict if there is
// nothing to confirm.
func confirmStaffCode(ctx context.Context, tx *db.Tx, who, by id.User) error {
	return tx.Change(ctx, `
		UPDATE staff_codes SET confirmed_by = $2, confirmed_at = $3
		 WHERE user_id = $1 AND confirmed_at IS NULL
		   AND staff_code_id = (SELECT MAX(staff_code_id) FROM staff_codes
		                         WHERE user_id = $1 AND enrolled_at IS NOT NULL)`,
		string(who), string(by), db.Stamp(tx.Now))
}

func waitingStaff(ctx context.Context, from db.Reader) ([]id.User, error) {
	return db.Many(ctx, from, scanUser, `
		SELECT DISTINCT c.user_id FROM staff_codes c JOIN users u ON u.user_id = c.user_id
		 WHERE c.enrolled_at IS NOT NULL AND c.confirmed_at IS NULL AND NOT u.staff ORDER BY c.user_id LIMIT 50`)
}

// removeOld removes what ran out before a moment.
func removeOld(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	for _, text := range []string{
		`DELETE FROM reset_askings WHERE asking_id IN (
		        SELECT asking_id FROM reset_askings WHERE made_at < $1 ORDER BY made_at LIMIT $2)`,
		`DELETE FROM resets WHERE (user_id, reset_id) IN (
		        SELECT user_id, reset_id FROM resets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
		`DELETE FROM asks WHERE (site_id, ask_id) IN (
		        SELECT site_id, ask_id FROM asks WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
		`DELETE FROM help_codes WHERE (user_id, help_code_id) IN (
		        SELECT user_id, help_code_id FROM help_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
	} {
		if _, err := tx.Exec(ctx, text, db.Stamp(before), limit); err != nil {
			return err
		}
	}
	return nil
}
