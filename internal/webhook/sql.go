package webhook

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

const columns = `
	webhook_id, name, url, types, all_sites, secret, secret_before, before_until, made_by, made_at, missed,
	failing_since, rest_until, off_at, off_why, ended_at`

func scan(r db.Row) (e Endpoint, err error) {
	var types string
	err = r.Scan(&e.ID, &e.Name, &e.URL, &types, &e.All, &e.secret, &e.before, db.When(&e.BeforeUntil), &e.MadeBy, db.When(&e.MadeAt),
		&e.missed, db.When(&e.FailingSince), db.When(&e.restUntil), db.When(&e.OffAt), &e.OffWhy, db.When(&e.EndedAt))
	e.Types = apart(types)
	return e, err
}

func insert(ctx context.Context, tx *db.Tx, e Endpoint) error {
	return tx.Change(ctx, `
		INSERT INTO webhooks (webhook_id, name, url, types, all_sites, secret, made_by, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.ID, e.Name, e.URL, joined(e.Types), e.All, e.secret, e.MadeBy, db.Stamp(e.MadeAt))
}

func reach(ctx context.Context, tx *db.Tx, at id.Site, which id.Webhook) error {
	return tx.Change(ctx, `INSERT INTO webhook_sites (site_id, webhook_id) VALUES ($1, $2)`, at, which)
}

func list(ctx context.Context, from db.Reader) ([]Endpoint, error) {
	return db.Many(ctx, from, scan, `SELECT `+columns+` FROM webhooks WHERE ended_at IS NULL ORDER BY made_at, webhook_id`)
}

func byID(ctx context.Context, from db.Reader, which id.Webhook) (Endpoint, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM webhooks WHERE webhook_id = $1 AND ended_at IS NULL`, which)
}

func sitesOf(ctx context.Context, from db.Reader, which id.Webhook) ([]id.Site, error) {
	return db.Many(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) },
		`SELECT site_id FROM webhook_sites WHERE webhook_id = $1 ORDER BY site_id`, which)
}

func change(ctx context.Context, tx *db.Tx, e Endpoint) error {
	return tx.Change(ctx, `
		UPDATE webhooks SET name = $2, url = $3, types = $4 WHERE webhook_id = $1 AND ended_at IS NULL`,
		e.ID, e.Name, e.URL, joined(e.Types))
}

func rotate(ctx context.Context, tx *db.Tx, e Endpoint, old []byte) error {
	return tx.Change(ctx, `
		UPDATE webhooks SET secret = $2, secret_before = $3, before_until = $4
		 WHERE webhook_id = $1 AND secret = $5 AND ended_at IS NULL`,
		e.ID, e.secret, e.before, db.Stamp(e.BeforeUntil), old)
}

// switchOff holds what waits, too.
func switchOff(ctx context.Context, tx *db.Tx, which id.Webhook, why Why) error {
	err := tx.Change(ctx, `
		UPDATE webhooks SET off_at = $2, off_why = $3, turn = turn + 1
		 WHERE webhook_id = $1 AND off_at IS NULL AND ended_at IS NULL`, which, db.Stamp(tx.Now), string(why))
	if err != nil {
		return err
	}
	return hold(ctx, tx, which)
}

func hold(ctx context.Context, tx *db.Tx, which id.Webhook) error {
	_, err := tx.Exec(ctx, `
		UPDATE webhook_deliveries SET state = 'held' WHERE webhook_id = $1 AND state IN ('waiting', 'sending')`, which)
	return err
}

func switchOn(ctx context.Context, tx *db.Tx, which id.Webhook) error {
	return tx.Change(ctx, `
		UPDATE webhooks SET off_at = NULL, off_why = '', missed = 0, failing_since = NULL, rest_until = NULL
		 WHERE webhook_id = $1 AND off_at IS NOT NULL AND ended_at IS NULL`, which)
}

func end(ctx context.Context, tx *db.Tx, which id.Webhook) error {
	err := tx.Change(ctx, `
		UPDATE webhooks SET ended_at = $2, secret = $3, secret_before = NULL, before_until = NULL, turn = turn + 1
		 WHERE webhook_id = $1 AND ended_at IS NULL`, which, db.Stamp(tx.Now), []byte{})
	if err != nil {
		return err
	}
	return hold(ctx, tx, which)
}

// takeTurn has everybody else wait who claims for the endpoint or stores an answer of it;
// fault.Conflict if it is off.
func takeTurn(ctx context.Context, tx *db.Tx, which id.Webhook) (Endpoint, error) {
	err := tx.Change(ctx, `
		UPDATE webhooks SET turn = turn + 1 WHERE webhook_id = $1 AND off_at IS NULL AND ended_at IS NULL`, which)
	if err != nil {
		return Endpoint{}, err
	}
	return byID(ctx, tx, which)
}

func answered(ctx context.Context, tx *db.Tx, e Endpoint) error {
	return tx.Change(ctx, `
		UPDATE webhooks SET missed = 0, failing_since = NULL, rest_until = NULL WHERE webhook_id = $1 AND off_at IS NULL`, e.ID)
}

func failing(ctx context.Context, tx *db.Tx, e Endpoint) error {
	return tx.Change(ctx, `
		UPDATE webhooks SET missed = $2, failing_since = $3, rest_until = $4 WHERE webhook_id = $1 AND off_at IS NULL`,
		e.ID, e.missed, db.Stamp(e.FailingSince), db.Stamp(e.restUntil))
}

func staffIDs(ctx context.Context, from db.Reader) ([]id.User, error) {
	return db.Many(ctx, from, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT user_id FROM users WHERE staff ORDER BY user_id`)
}

func sweepSecrets(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `
		UPDATE webhooks SET secret_before = NULL, before_until = NULL WHERE before_until <= $1`, db.Stamp(tx.Now))
	return err
}

// due are the endpoints that may be tried now, and have something to be sent.
func due(ctx context.Context, from db.Reader, now time.Time) ([]id.Webhook, error) {
	return db.Many(ctx, from, func(r db.Row) (w id.Webhook, err error) { return w, r.Scan(&w) }, `
		SELECT w.webhook_id
		  FROM webhooks w
		 WHERE w.off_at IS NULL AND w.ended_at IS NULL AND (w.rest_until IS NULL OR w.rest_until <= $1)
		   AND EXISTS (SELECT 1 FROM webhook_deliveries d
		                WHERE d.webhook_id = w.webhook_id AND d.state IN ('waiting', 'sending') AND d.due_at <= $1)
		 ORDER BY w.webhook_id`, db.Stamp(now))
}
