package audit

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// newsRow is an event with its id in the news.
type newsRow struct {
	row

	event id.Event
}

func insertNews(ctx context.Context, tx *db.Tx, b body) error {
	return tx.Change(ctx, `INSERT INTO audit_news (event_id, chain, seq) VALUES ($1, $2, $3)`, b.ID, b.Chain, b.Seq)
}

func news(ctx context.Context, from db.Reader, limit int) ([]newsRow, error) {
	return db.Many(ctx, from, func(r db.Row) (n newsRow, err error) {
		return n, r.Scan(&n.event, &n.chain, &n.seq, &n.body)
	}, `
		SELECT n.event_id, n.chain, n.seq, COALESCE(e.body, '')
		  FROM audit_news n
		  LEFT JOIN audit_events e ON e.chain = n.chain AND e.seq = n.seq
		 ORDER BY n.event_id
		 LIMIT $1`, limit)
}

func takeNews(ctx context.Context, tx *db.Tx, which id.Event) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM audit_news WHERE event_id = $1`, which)
}
