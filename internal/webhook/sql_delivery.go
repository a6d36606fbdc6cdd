package webhook

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

const deliveryColumns = `
	webhook_id, delivery_id, event_id, type, made_at, state, attempts, due_at, tried_at, status, why, took, body`

func scanDelivery(r db.Row) (d Delivery, err error) {
	var took int64
	err = r.Scan(&d.Webhook, &d.ID, &d.Event, &d.Type, db.When(&d.MadeAt), &d.State, &d.Attempts, db.When(&d.DueAt), db.When(&d.TriedAt),
		&d.Status, &d.Why, &took, &d.body)
	d.Took = time.Duration(took) * time.Microsecond
	return d, err
}

func put(ctx context.Context, tx *db.Tx, d Delivery) error {
	return tx.Change(ctx, `
		INSERT INTO webhook_deliveries (webhook_id, delivery_id, event_id, type, body, made_at, state, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		d.Webhook, d.ID, d.Event, string(d.Type), d.body, db.Stamp(d.MadeAt), string(d.State), db.Stamp(d.DueAt))
}

// underWay counts what is being sent, and believed to be.
func underWay(ctx context.Context, tx *db.Tx, which id.Webhook) (int, error) {
	return db.One(ctx, tx, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
		SELECT COUNT(*) FROM webhook_deliveries
		 WHERE webhook_id = $1 AND state = 'sending' AND due_at > $2`, which, db.Stamp(tx.Now))
}

// claimable are deliveries to be sent now, those whose sender is not believed any more among
// them.
func claimable(ctx context.Context, tx *db.Tx, which id.Webhook, limit int) ([]Delivery, error) {
	return db.Many(ctx, tx, scanDelivery, `
		SELECT `+deliveryColumns+`
		  FROM webhook_deliveries
		 WHERE webhook_id = $1 AND state IN ('waiting', 'sending') AND due_at <= $2
		 ORDER BY due_at, delivery_id
		 LIMIT $3`, which, db.Stamp(tx.Now), limit)
}

func claimed(ctx context.Context, tx *db.Tx, d Delivery, until time.Time) error {
	return tx.Change(ctx, `
		UPDATE webhook_deliveries SET state = 'sending', due_at = $4
		 WHERE webhook_id = $1 AND delivery_id = $2 AND state = $3 AND due_at = $5`,
		d.Webhook, d.ID, string(d.State), db.Stamp(until), db.Stamp(d.DueAt))
}

// leased is a delivery that is being sent under one lease and no other.
func leased(ctx context.Context, from db.Reader, s Send) (Delivery, error) {
	return db.One(ctx, from, scanDelivery, `
		SELECT `+deliveryColumns+`
		  FROM webhook_deliveries
		 WHERE webhook_id = $1 AND delivery_id = $2 AND state = 'sending' AND due_at = $3`, s.Webhook, s.Delivery, s.Until)
}

func settled(ctx context.Context, tx *db.Tx, d Delivery, until int64) error {
	return tx.Change(ctx, `
		UPDATE webhook_deliveries
		   SET state = $3, attempts = $4, due_at = $5, tried_at = $6, status = $7, why = $8, took = $9
		 WHERE webhook_id = $1 AND delivery_id = $2 AND state = 'sending' AND due_at = $10`,
		d.Webhook, d.ID, string(d.State), d.Attempts, db.Stamp(d.DueAt), db.Stamp(d.TriedAt), d.Status, d.Why, d.Took.Microseconds(), until)
}

// replay has deliveries wait anew: the one that is named, or those since a moment.
func replay(ctx context.Context, tx *db.Tx, which id.Webhook, one id.Delivery, since time.Time) (int, error) {
	n, err := tx.Exec(ctx, `
		UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, due_at = $2
		 WHERE webhook_id = $1 AND state <> 'sending' AND (delivery_id = $3 OR $3 = '' AND made_at >= $4)`,
		which, db.Stamp(tx.Now), string(one), since.UnixMicro())
	return int(n), err
}

func logged(ctx context.Context, from db.Reader, which id.Webhook, state State, before id.Delivery, limit int) ([]Delivery, error) {
	return db.Many(ctx, from, scanDelivery, `
		SELECT `+deliveryColumns+`
		  FROM webhook_deliveries
		 WHERE webhook_id = $1 AND (state = $2 OR $2 = '') AND (delivery_id < $3 OR $3 = '')
		 ORDER BY delivery_id DESC
		 LIMIT $4`, which, string(state), string(before), limit)
}

type stateCount struct {
	state State
	n     int
}

func counted(ctx context.Context, from db.Reader, which id.Webhook) ([]stateCount, error) {
	return db.Many(ctx, from, func(r db.Row) (c stateCount, err error) { return c, r.Scan(&c.state, &c.n) }, `
		SELECT state, COUNT(*) FROM webhook_deliveries WHERE webhook_id = $1 GROUP BY state`, which)
}

func sweep(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM webhook_deliveries
		 WHERE delivery_id IN (SELECT delivery_id FROM webhook_deliveries WHERE made_at < $1 ORDER BY made_at LIMIT $2)`,
		db.Stamp(before), limit)
	return err
}
