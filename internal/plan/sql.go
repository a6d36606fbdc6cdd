package plan

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

func of(ctx context.Context, from db.Reader, site id.Site) (Plan, error) {
	return db.One(ctx, from, func(r db.Row) (p Plan, err error) {
		return p, r.Scan(&p.Site, db.When(&p.BeganAt), db.When(&p.PrepareFrom), db.When(&p.EnforceAt), db.When(&p.ExtendedUntil))
	}, `SELECT site_id, began_at, prepare_from, enforce_at, extended_until FROM plans WHERE site_id = $1`, site)
}

func set(ctx context.Context, tx *db.Tx, p Plan) error {
	return tx.Change(ctx, `
		INSERT INTO plans (site_id, began_at, prepare_from, enforce_at, extended_until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site_id) DO UPDATE SET began_at = $2, prepare_from = $3, enforce_at = $4, extended_until = $5`,
		p.Site, db.Stamp(p.BeganAt), db.Stamp(p.PrepareFrom), db.Stamp(p.EnforceAt), db.Stamp(p.ExtendedUntil))
}

func coming(ctx context.Context, from db.Reader, in Span, after id.Site, limit int) ([]id.Site, error) {
	return db.Many(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) }, `
		SELECT site_id FROM plans
		 WHERE site_id > $3 AND (enforce_at > $1 AND enforce_at <= $2 OR extended_until > $1 AND extended_until <= $2)
		 ORDER BY site_id LIMIT $4`, db.Stamp(in.From), db.Stamp(in.Until), string(after), limit)
}
