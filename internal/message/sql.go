package message

import (
	"context"
	"encoding/json"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func insert(ctx context.Context, tx *db.Tx, m Message, words string) error {
	return tx.Change(ctx, `
		INSERT INTO messages (user_id, message_id, site_id, kind, channel, address, method_id, words, sealed,
		                      reference, state, created_at, expires_at)
		VALUES ($1, $2, NULLIF($3, ''), $4, $5, $6, NULLIF($7, ''), $8, $9, $10, $11, $12, $13)`,
		m.User, m.ID, string(m.Site), m.Kind, m.Channel, m.Address, string(m.Method), words, m.sealed,
		m.Reference, m.State, db.Stamp(m.CreatedAt), db.Stamp(m.ExpiresAt))
}

func byID(ctx context.Context, from db.Reader, who id.User, which id.Message) (Message, error) {
	return db.One(ctx, from, func(r db.Row) (m Message, err error) {
		var words string
		err = r.Scan(&m.User, &m.ID, &m.Site, &m.Kind, &m.Channel, &m.Address, &m.Method, &words, &m.sealed,
			&m.Reference, &m.State, db.When(&m.CreatedAt), db.When(&m.ExpiresAt))
		if err == nil {
			err = json.Unmarshal([]byte(words), &m.Words)
		}
		return m, err
	}, `
		SELECT user_id, message_id, COALESCE(site_id, ''), kind, channel, address, COALESCE(method_id, ''), words, sealed,
		       reference, state, created_at, expires_at
		  FROM messages WHERE user_id = $1 AND message_id = $2`, who, which)
}

// finish moves an open message to a final state; fault.Conflict if it has ended.
func finish(ctx context.Context, tx *db.Tx, m Message, to State, carrier string) error {
	return tx.Change(ctx, `
		UPDATE messages SET state = $3, carrier = $4, ended_at = $5
		 WHERE user_id = $1 AND message_id = $2 AND state = 'queued'`,
		m.User, m.ID, to, carrier, db.Stamp(tx.Now))
}

func wipe(ctx context.Context, tx *db.Tx, who id.User, which id.Message, to State) error {
	_, err := tx.Exec(ctx, `
		UPDATE messages
		   SET sealed = NULL,
		       ended_at = COALESCE(ended_at, $4),
		       state = CASE WHEN state = 'queued' THEN $3 ELSE state END
		 WHERE user_id = $1 AND message_id = $2`, who, which, string(to), db.Stamp(tx.Now))
	return err
}

// sweep ends what has run out, with its step, and wipes the codes.
func sweep(ctx context.Context, tx *db.Tx, limit int) error {
	over, err := db.Many(ctx, tx, func(r db.Row) (m Message, err error) { return m, r.Scan(&m.User, &m.ID) }, `
		UPDATE messages SET state = 'expired', sealed = NULL, ended_at = $1
		 WHERE (user_id, message_id) IN (
		       SELECT user_id, message_id FROM messages
		        WHERE expires_at <= $1 AND state = 'queued'
		        ORDER BY expires_at LIMIT $2)
		RETURNING user_id, message_id`, db.Stamp(tx.Now), limit)
	if err != nil {
		return err
	}
	for _, m := range over {
		if err := addStep(ctx, tx, m, Step{Kind: StepExpired, At: tx.Now}); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `
		UPDATE messages SET sealed = NULL
		 WHERE (user_id, message_id) IN (
		       SELECT user_id, message_id FROM messages
		        WHERE expires_at <= $1 AND sealed IS NOT NULL
		        ORDER BY expires_at LIMIT $2)`, db.Stamp(tx.Now), limit)
	return err
}

func remove(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	gone, err := db.Many(ctx, tx, func(r db.Row) (m Message, err error) { return m, r.Scan(&m.User, &m.ID) }, `
		DELETE FROM messages
		 WHERE (user_id, message_id) IN (
		       SELECT user_id, message_id FROM messages WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)
		RETURNING user_id, message_id`, db.Stamp(before), limit)
	if err != nil {
		return err
	}
	for _, m := range gone {
		if _, err := tx.Exec(ctx, `DELETE FROM message_steps WHERE user_id = $1 AND message_id = $2`, m.User, m.ID); err != nil {
			return err
		}
	}
	return nil
}

func addStep(ctx context.Context, tx *db.Tx, m Message, s Step) error {
	return tx.Change(ctx, `
		INSERT INTO message_steps (user_id, message_id, step_no, step, why, said, carrier, at)
		SELECT $1, $2, COALESCE(MAX(step_no), 0) + 1, $3, $4, $5, $6, $7
		  FROM message_steps WHERE user_id = $1 AND message_id = $2`,
		string(m.User), string(m.ID), string(s.Kind), string(s.Why), s.Said, s.Carrier, db.Stamp(s.At))
}

func steps(ctx context.Context, from db.Reader, who id.User, which id.Message) ([]Step, error) {
	return db.Many(ctx, from, func(r db.Row) (s Step, err error) {
		return s, r.Scan(&s.Kind, &s.Why, &s.Said, &s.Carrier, db.When(&s.At))
	}, `
		SELECT step, why, said, carrier, at FROM message_steps
		 WHERE user_id = $1 AND message_id = $2 ORDER BY step_no LIMIT 100`, who, which)
}
