package rescue

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/message"
)

const recoveryColumns = `
	user_id, recovery_id, site_id, state, begun_by, begun_at, called, reason, confirmed_by, confirmed_at, ready_at,
	contested_at, decided_by, decided_at, papers, ended_at`

func scanRecovery(row db.Row) (r Recovery, err error) {
	return r, row.Scan(&r.User, &r.ID, &r.Site, &r.State, &r.BegunBy, db.When(&r.BegunAt), &r.Called, &r.Reason,
		&r.ConfirmedBy, db.When(&r.ConfirmedAt), db.When(&r.ReadyAt), db.When(&r.ContestedAt),
		&r.DecidedBy, db.When(&r.DecidedAt), &r.Papers, db.When(&r.EndedAt))
}

// insertRecovery stores one; fault.Conflict if the user has one that is open.
func insertRecovery(ctx context.Context, tx *db.Tx, r Recovery) error {
	return tx.Change(ctx, `
		INSERT INTO recoveries (user_id, recovery_id, site_id, state, begun_by, begun_at, called, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.User, r.ID, r.Site, string(r.State), r.BegunBy, db.Stamp(r.BegunAt), r.Called, r.Reason)
}

func recoveryByID(ctx context.Context, from db.Reader, who id.User, which id.Recovery) (Recovery, error) {
	return db.One(ctx, from, scanRecovery, `
		SELECT `+recoveryColumns+` FROM recoveries WHERE user_id = $1 AND recovery_id = $2`, who, which)
}

func recoveriesIn(ctx context.Context, from db.Reader, state RecoveryState) ([]Recovery, error) {
	return db.Many(ctx, from, scanRecovery, `
		SELECT `+recoveryColumns+` FROM recoveries WHERE state = $1 ORDER BY begun_at DESC, recovery_id DESC LIMIT 100`, string(state))
}

// takeRecovery holds the row: whoever changes the same recovery waits here.
func takeRecovery(ctx context.Context, tx *db.Tx, who id.User, which id.Recovery) (Recovery, error) {
	return db.One(ctx, tx, scanRecovery, `
		UPDATE recoveries SET state = state WHERE user_id = $1 AND recovery_id = $2
		RETURNING `+recoveryColumns, who, which)
}

// takeOpenRecovery is takeRecovery of the one that has not ended.
func takeOpenRecovery(ctx context.Context, tx *db.Tx, who id.User) (Recovery, error) {
	return db.One(ctx, tx, scanRecovery, `
		UPDATE recoveries SET state = state WHERE user_id = $1 AND ended_at IS NULL
		RETURNING `+recoveryColumns, who)
}

func confirmRecovery(ctx context.Context, tx *db.Tx, r Recovery) error {
	return tx.Change(ctx, `
		UPDATE recoveries SET state = 'waiting', confirmed_by = $3, confirmed_at = $4, ready_at = $5
		 WHERE user_id = $1 AND recovery_id = $2 AND state = 'open' AND begun_by <> $3`,
		r.User, r.ID, string(r.ConfirmedBy), db.Stamp(r.ConfirmedAt), db.Stamp(r.ReadyAt))
}

func contestRecovery(ctx context.Context, tx *db.Tx, r Recovery) error {
	return tx.Change(ctx, `
		UPDATE recoveries SET state = 'contested', contested_at = $3
		 WHERE user_id = $1 AND recovery_id = $2 AND state IN ('open', 'waiting') AND decided_at IS NULL AND ended_at IS NULL`,
		r.User, r.ID, db.Stamp(tx.Now))
}

func decideRecovery(ctx context.Context, tx *db.Tx, r Recovery) error {
	return tx.Change(ctx, `
		UPDATE recoveries SET state = $3, decided_by = $4, decided_at = $5, papers = $6, ended_at = $7
		 WHERE user_id = $1 AND recovery_id = $2 AND state = 'contested' AND begun_by <> $4`,
		r.User, r.ID, string(r.State), string(r.DecidedBy), db.Stamp(r.DecidedAt), r.Papers, db.Stamp(r.EndedAt))
}

func endRecovery(ctx context.Context, tx *db.Tx, r Recovery, to RecoveryState) error {
	return tx.Change(ctx, `
		UPDATE recoveries SET state = $3, ended_at = $4
		 WHERE user_id = $1 AND recovery_id = $2 AND state = $5 AND ended_at IS NULL`,
		r.User, r.ID, string(to), db.Stamp(tx.Now), string(r.State))
}

func insertStop(ctx context.Context, tx *db.Tx, r Recovery, hash []byte, by message.Channel) error {
	return tx.Change(ctx, `
		INSERT INTO recovery_stops (user_id, recovery_id, token_hash, channel) VALUES ($1, $2, $3, $4)`,
		r.User, r.ID, hash, string(by))
}

func stopByHash(ctx context.Context, from db.Reader, hash []byte) (stop, error) {
	return db.One(ctx, from, func(r db.Row) (s stop, err error) {
		return s, r.Scan(&s.user, &s.recovery, &s.hash, &s.channel)
	}, `SELECT user_id, recovery_id, token_hash, channel FROM recovery_stops WHERE token_hash = $1`, hash)
}

func useStop(ctx context.Context, tx *db.Tx, s stop) error {
	return tx.Change(ctx, `
		UPDATE recovery_stops SET used_at = $4
		 WHERE user_id = $1 AND recovery_id = $2 AND token_hash = $3 AND used_at IS NULL`,
		s.user, s.recovery, s.hash, db.Stamp(tx.Now))
}

// leftRecoveries ends those that nobody confirmed, decided or used for too long.
func leftRecoveries(ctx context.Context, tx *db.Tx, before time.Time, limit int) ([]Recovery, error) {
	return db.Many(ctx, tx, scanRecovery, `
		UPDATE recoveries SET state = 'over', ended_at = $1
		 WHERE ended_at IS NULL AND (user_id, recovery_id) IN (
		       SELECT user_id, recovery_id FROM recoveries
		        WHERE ended_at IS NULL
		          AND (state = 'open' AND COALESCE(decided_at, begun_at) < $2 OR state = 'waiting' AND ready_at < $2 AND (decided_at IS NULL OR decided_at < $2))
		        ORDER BY begun_at LIMIT $3)
		RETURNING `+recoveryColumns, db.Stamp(tx.Now), db.Stamp(before), limit)
}

func forget(ctx context.Context, tx *db.Tx, who id.User) error {
	_, err := tx.Exec(ctx, `
		UPDATE recoveries SET called = '', reason = '', papers = ''
		 WHERE user_id = $1 AND ended_at IS NOT NULL`, who)
	return err
}

func removeRecoveries(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	gone, err := db.Many(ctx, tx, scanRecovery, `
		DELETE FROM recoveries WHERE (user_id, recovery_id) IN (
		       SELECT user_id, recovery_id FROM recoveries WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)
		RETURNING `+recoveryColumns, db.Stamp(before), limit)
	if err != nil {
		return err
	}
	for _, r := range gone {
		_, err := tx.Exec(ctx, `DELETE FROM recovery_stops WHERE user_id = $1 AND recovery_id = $2`, r.User, r.ID)
		if err != nil {
			return err
		}
	}
	return nil
}
