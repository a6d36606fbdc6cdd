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

const columns = `
	user_id, message_id, COALESCE(site_id, ''), kind, channel, address, COALESCE(method_id, ''), words, sealed,
	reference, state, created_at, expires_at`

func scan(r db.Row) (m Message, err error) {
	var words string
	err = r.Scan(&m.User, &m.ID, &m.Site, &m.Kind, &m.Channel, &m.Address, &m.Method, &words, &m.sealed,
		&m.Reference, &m.State, db.When(&m.CreatedAt), db.When(&m.ExpiresAt))
	if err == nil {
		err = json.Unmarshal([]byte(words), &m.Words)
	}
	return m, err
}

func byID(ctx context.Context, from db.Reader, who id.User, which id.Message) (Message, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM messages WHERE user_id = $1 AND message_id = $2`, who, which)
}

// byKey finds a message by its id alone, which is what a bounce knows of it.
func byKey(ctx context.Context, from db.Reader, which id.Message) (Message, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM messages WHERE message_id = $1`, which)
}

// take reads a message and keeps others from changing it until the transaction ends.
func take(ctx context.Context, tx *db.Tx, who id.User, which id.Message) (Message, error) {
	return db.One(ctx, tx, scan, `
		UPDATE messages SET state = state WHERE user_id = $1 AND message_id = $2
		RETURNING `+columns, who, which)
}

// move brings a message that was taken into another state.
func move(ctx context.Context, tx *db.Tx, m Message, to State, carrier string) error {
	return tx.Change(ctx, `
		UPDATE messages
		   SET state = $4, ended_at = COALESCE(ended_at, $6), carrier = CASE WHEN $5 = '' THEN carrier ELSE $5 END
		 WHERE user_id = $1 AND message_id = $2 AND state = $3`,
		string(m.User), string(m.ID), string(m.State), string(to), carrier, db.Stamp(tx.Now))
}

// finish moves an open message to a final state; fault.Conflict if it has ended.
func finish(ctx context.Context, tx *db.Tx, m Message, to State, carrier string) error {
	return tx.Change(ctx, `
		UPDATE messages SET state = $3, carrier = $4, ended_at = $5
		 WHERE user_id = $1 AND message_id = $2 AND state = 'queued'`,
		m.User, m.ID, to, carrier, db.Stamp(tx.Now))
}

// wipe takes a message's code away, and ends one that is queued. It gives the channel;
// empty if there is no such message.
func wipe(ctx context.Context, tx *db.Tx, who id.User, which id.Message, to State) (Channel, error) {
	all, err := db.Many(ctx, tx, func(r db.Row) (c Channel, err error) { return c, r.Scan(&c) }, `
		UPDATE messages
		   SET sealed = NULL,
		       ended_at = COALESCE(ended_at, $4),
		       state = CASE WHEN state = 'queued' THEN $3 ELSE state END
		 WHERE user_id = $1 AND message_id = $2
		RETURNING channel`, who, which, string(to), db.Stamp(tx.Now))
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

// expire ends what has run out, wipes its code, and gives it. What a notice carries is
// taken up again instead.
func expire(ctx context.Context, tx *db.Tx, limit int) ([]Message, error) {
	return db.Many(ctx, tx, func(r db.Row) (m Message, err error) { return m, r.Scan(&m.User, &m.ID, &m.Channel) }, `
		UPDATE messages SET state = 'expired', sealed = NULL, ended_at = $1
		 WHERE (user_id, message_id) IN (
		       SELECT user_id, message_id FROM messages
		        WHERE expires_at <= $1 AND state = 'queued' AND kind <> 'notice'
		        ORDER BY expires_at LIMIT $2)
		RETURNING user_id, message_id, channel`, db.Stamp(tx.Now), limit)
}

// blank wipes the codes of messages that have run out.
func blank(ctx context.Context, tx *db.Tx, limit int) error {
	_, err := tx.Exec(ctx, `
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
		for _, text := range []string{
			`DELETE FROM message_steps WHERE user_id = $1 AND message_id = $2`,
			`DELETE FROM sms_tries WHERE user_id = $1 AND message_id = $2`,
			`DELETE FROM notices WHERE user_id = $1 AND message_id = $2`,
		} {
			if _, err := tx.Exec(ctx, text, m.User, m.ID); err != nil {
				return err
			}
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

func insertCopy(ctx context.Context, tx *db.Tx, c textCopy) error {
	return tx.Change(ctx, `
		INSERT INTO sms_tries (user_id, message_id, try_no, site_id, hold_id, admin, state, given_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.User, c.Message, c.No, c.site, c.hold, c.admin, c.state, db.Stamp(c.givenAt))
}

// copies are all the times that a message was or is to be given away, in their order.
func copies(ctx context.Context, from db.Reader, who id.User, which id.Message) ([]textCopy, error) {
	return db.Many(ctx, from, func(r db.Row) (c textCopy, err error) {
		return c, r.Scan(&c.User, &c.Message, &c.No, &c.site, &c.hold, &c.admin, &c.state, &c.carrier, &c.ref, db.When(&c.givenAt))
	}, `
		SELECT user_id, message_id, try_no, site_id, hold_id, admin, state, carrier, provider_ref, given_at
		  FROM sms_tries WHERE user_id = $1 AND message_id = $2 ORDER BY try_no LIMIT 1000`, who, which)
}

// moveCopy brings a copy of a message that was taken into another state, and notes who
// has it, where that was not known.
func moveCopy(ctx context.Context, tx *db.Tx, c textCopy, to copyState) error {
	return tx.Change(ctx, `
		UPDATE sms_tries
		   SET state = $5, carrier = $6, provider_ref = $7,
		       given_at = CASE WHEN $5 = 'given' THEN $8 ELSE given_at END,
		       ended_at = CASE WHEN $5 = 'given' THEN ended_at ELSE $8 END
		 WHERE user_id = $1 AND message_id = $2 AND try_no = $3 AND state = $4`,
		c.User, c.Message, c.No, string(c.state), string(to), c.carrier, c.ref, tx.Now.UnixMicro())
}

func insertNotice(ctx context.Context, tx *db.Tx, n told, words string) error {
	return tx.Change(ctx, `
		INSERT INTO notices (user_id, notice_id, site_id, kind, channel, address, words, made_at, due_at)
		VALUES ($1, $2, NULLIF($3, ''), $4, $5, $6, $7, $8, $9)`,
		n.User, n.ID, string(n.Site), n.Kind, n.Channel, n.Address, words, db.Stamp(n.MadeAt), db.Stamp(n.dueAt))
}

const noticeColumns = `
	user_id, notice_id, COALESCE(site_id, ''), kind, channel, address, words, made_at,
	COALESCE((SELECT s.name FROM sites s WHERE s.site_id = notices.site_id), '')`

func scanNotice(r db.Row) (n told, err error) {
	var words string
	err = r.Scan(&n.User, &n.ID, &n.Site, &n.Kind, &n.Channel, &n.Address, &words, db.When(&n.MadeAt), &n.SiteName)
	if err == nil {
		err = json.Unmarshal([]byte(words), &n.Words)
	}
	return n, err
}

func noticeByID(ctx context.Context, from db.Reader, who id.User, which id.Notice) (told, error) {
	return db.One(ctx, from, scanNotice, `
		SELECT `+noticeColumns+` FROM notices WHERE user_id = $1 AND notice_id = $2`, who, which)
}

// waiting are the notices of one person and address that no message carries yet, the
// oldest first; due is how many of them are due.
func waiting(ctx context.Context, from db.Reader, g group, now time.Time) (all []told, due int, err error) {
	all, err = db.Many(ctx, from, func(r db.Row) (n told, err error) {
		var words string
		var dueAt time.Time
		err = r.Scan(&n.User, &n.ID, &n.Site, &n.Kind, &n.Channel, &n.Address, &words, db.When(&n.MadeAt), &n.SiteName, db.When(&dueAt))
		if err == nil {
			err = json.Unmarshal([]byte(words), &n.Words)
		}
		if !dueAt.After(now) {
			due++
		}
		return n, err
	}, `
		SELECT `+noticeColumns+`, due_at FROM notices
		 WHERE user_id = $1 AND message_id = '' AND channel = $2 AND address = $3
		 ORDER BY made_at, notice_id LIMIT $4`, g.User, g.Channel, g.Address, noticesMost)
	return all, due, err
}

// groups are the people and addresses for whom something is due, the longest waiting
// first.
func groups(ctx context.Context, from db.Reader, now time.Time, limit int) ([]group, error) {
	return db.Many(ctx, from, func(r db.Row) (g group, err error) { return g, r.Scan(&g.User, &g.Channel, &g.Address) }, `
		SELECT user_id, channel, address FROM notices
		 WHERE message_id = '' AND due_at <= $1
		 GROUP BY user_id, channel, address
		 ORDER BY MIN(due_at), user_id LIMIT $2`, db.Stamp(now), limit)
}

// carry notes which message carries a notice; fault.Conflict if another does already.
func carry(ctx context.Context, tx *db.Tx, n told, by id.Message) error {
	return tx.Change(ctx, `
		UPDATE notices SET message_id = $3 WHERE user_id = $1 AND notice_id = $2 AND message_id = ''`, n.User, n.ID, string(by))
}

// postpone has all that waits for one address wait until then.
func postpone(ctx context.Context, tx *db.Tx, g group, until time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE notices SET due_at = $4
		 WHERE user_id = $1 AND message_id = '' AND channel = $2 AND address = $3 AND due_at < $4`,
		g.User, g.Channel, g.Address, db.Stamp(until))
	return err
}

// carried are the notices that a message carries, in the order of their making.
func carried(ctx context.Context, from db.Reader, m Message) ([]told, error) {
	return db.Many(ctx, from, scanNotice, `
		SELECT `+noticeColumns+` FROM notices
		 WHERE user_id = $1 AND message_id = $2 ORDER BY made_at, notice_id LIMIT $3`, m.User, string(m.ID), noticesMost)
}

// uncarry has the notices of a message wait again, from now on.
func uncarry(ctx context.Context, tx *db.Tx, m Message) error {
	_, err := tx.Exec(ctx, `
		UPDATE notices SET message_id = '', due_at = $3 WHERE user_id = $1 AND message_id = $2`,
		m.User, string(m.ID), db.Stamp(tx.Now))
	return err
}

// removeUntold removes the notices that could not be told since then.
func removeUntold(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM notices
		 WHERE (user_id, notice_id) IN (
		       SELECT user_id, notice_id FROM notices
		        WHERE made_at < $1 AND message_id = '' ORDER BY made_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}

// reroute sends what waits for one address to another one.
func reroute(ctx context.Context, tx *db.Tx, g group, channel Channel, address string) error {
	_, err := tx.Exec(ctx, `
		UPDATE notices SET channel = $4, address = $5
		 WHERE user_id = $1 AND message_id = '' AND channel = $2 AND address = $3`,
		string(g.User), string(g.Channel), g.Address, string(channel), address)
	return err
}

// forget removes what waits for one address.
func forget(ctx context.Context, tx *db.Tx, n told) error {
	_, err := tx.Exec(ctx, `DELETE FROM notices WHERE user_id = $1 AND notice_id = $2 AND message_id = ''`, n.User, n.ID)
	return err
}

// twins counts the same notice to the same person, made at the same moment, by a channel.
func twins(ctx context.Context, from db.Reader, n told, channel Channel) (int, error) {
	return db.One(ctx, from, func(r db.Row) (c int, err error) { return c, r.Scan(&c) }, `
		SELECT COUNT(*) FROM notices
		 WHERE user_id = $1 AND kind = $2 AND made_at = $3 AND channel = $4`, n.User, n.Kind, db.Stamp(n.MadeAt), channel)
}

// stalled are the messages of a kind that nobody took for so long that their job has
// given up.
func stalled(ctx context.Context, from db.Reader, kind Kind, before time.Time, limit int) ([]Message, error) {
	return db.Many(ctx, from, scan, `
		SELECT `+columns+` FROM messages
		 WHERE kind = $1 AND state = 'queued' AND created_at < $2
		 ORDER BY created_at LIMIT $3`, kind, db.Stamp(before), limit)
}
