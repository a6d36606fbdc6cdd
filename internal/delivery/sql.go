package delivery

import (
	"context"
	"errors"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

const (
	// carriersMost bounds how many carriers are looked at.
	carriersMost = 32
	// factsMost bounds the facts of one sort of one carrier: enough for a share and a
	// median, whatever the load.
	factsMost = 200
)

func handOver(ctx context.Context, tx *db.Tx, channel, carrier string, which id.Message) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO delivery_handed (message_id, channel, carrier, handed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (message_id) DO UPDATE SET carrier = $3, handed_at = $4 WHERE delivery_handed.arrived_at IS NULL`,
		which, channel, carrier, db.Stamp(tx.Now))
	return err
}

func arrived(ctx context.Context, tx *db.Tx, which id.Message, by string) error {
	_, err := tx.Exec(ctx, `
		UPDATE delivery_handed SET arrived_at = $2, arrived_by = $3
		 WHERE message_id = $1 AND arrived_at IS NULL AND carrier <> ''`, which, db.Stamp(tx.Now), by)
	return err
}

func launch(ctx context.Context, tx *db.Tx, which id.Canary, carrier string) error {
	return tx.Change(ctx, `INSERT INTO canaries (canary_id, carrier, sent_at) VALUES ($1, $2, $3)`, which, carrier, db.Stamp(tx.Now))
}

func recall(ctx context.Context, tx *db.Tx, which id.Canary) error {
	_, err := tx.Exec(ctx, `DELETE FROM canaries WHERE canary_id = $1 AND seen_at IS NULL`, which)
	return err
}

func seen(ctx context.Context, tx *db.Tx, which id.Canary) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE canaries SET seen_at = $2 WHERE canary_id = $1 AND seen_at IS NULL`, which, db.Stamp(tx.Now))
	return n == 1, err
}

func sweep(ctx context.Context, tx *db.Tx, before time.Time, limit int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM delivery_handed
		 WHERE message_id IN (
		       SELECT message_id FROM delivery_handed WHERE handed_at < $1 ORDER BY handed_at LIMIT $2)`, db.Stamp(before), limit)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM canaries
		 WHERE canary_id IN (
		       SELECT canary_id FROM canaries WHERE sent_at < $1 ORDER BY sent_at LIMIT $2)`, db.Stamp(before), limit)
	return err
}

// row is a fact with the message that it is about, which may be read twice.
type row struct {
	message id.Message
	fact    Fact
}

const columns = `message_id, channel, carrier, handed_at, arrived_at`

func scan(r db.Row) (one row, err error) {
	return one, r.Scan(&one.message, &one.fact.Channel, &one.fact.Carrier, db.When(&one.fact.HandedAt), db.When(&one.fact.ArrivedAt))
}

const (
	nextCarrierText = `SELECT carrier FROM delivery_handed WHERE carrier > $1 ORDER BY carrier LIMIT 1`
	handedText      = `
		SELECT ` + columns + ` FROM delivery_handed
		 WHERE carrier = $1 AND handed_at > $2 AND handed_at <= $3 ORDER BY handed_at DESC LIMIT $4`
	arrivalsText = `
		SELECT ` + columns + ` FROM delivery_handed
		 WHERE carrier = $1 AND arrived_at > $2 ORDER BY arrived_at DESC LIMIT $3`
	canariesText = `
		SELECT carrier, sent_at, seen_at FROM canaries WHERE sent_at > $1 ORDER BY sent_at DESC LIMIT $2`
)

func load(ctx context.Context, from db.Reader, now time.Time) ([]Fact, error) {
	known, err := carriers(ctx, from)
	if err != nil {
		return nil, err
	}
	once := map[id.Message]Fact{}
	for _, carrier := range known {
		rows, err := ofCarrier(ctx, from, carrier, now)
		if err != nil {
			return nil, err
		}
		for _, one := range rows {
			once[one.message] = one.fact
		}
	}
	facts, err := canaries(ctx, from, now)
	if err != nil {
		return nil, err
	}
	for _, f := range once {
		facts = append(facts, f)
	}
	return facts, nil
}

// carriers are the names that facts stand under, and the empty one. They are found one
// after the other by the index, because few names stand in many rows.
func carriers(ctx context.Context, from db.Reader) ([]string, error) {
	all := []string{""}
	for len(all) < carriersMost {
		next, err := db.One(ctx, from, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, nextCarrierText, all[len(all)-1])
		if errors.Is(err, fault.NotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return all, nil
}

// ofCarrier reads the latest arrivals, the latest codes that had their two minutes and,
// with its own bound, those that did not: a storm of new codes must not hide the others.
func ofCarrier(ctx context.Context, from db.Reader, carrier string, now time.Time) ([]row, error) {
	rows, err := db.Many(ctx, from, scan, arrivalsText, carrier, db.Stamp(now.Add(-window)), factsMost)
	if err != nil {
		return nil, err
	}
	due := now.Add(-slowAfter)
	for _, between := range [][2]time.Time{{now.Add(-codeLife - time.Second), due}, {due, now}} {
		more, err := db.Many(ctx, from, scan, handedText, carrier, db.Stamp(between[0]), db.Stamp(between[1]), factsMost)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func canaries(ctx context.Context, from db.Reader, now time.Time) ([]Fact, error) {
	return db.Many(ctx, from, func(r db.Row) (f Fact, err error) {
		f.Channel, f.Canary = Email, true
		return f, r.Scan(&f.Carrier, db.When(&f.HandedAt), db.When(&f.ArrivedAt))
	}, canariesText, db.Stamp(now.Add(-window)), factsMost)
}
