package plan

import (
	"context"
	"time"

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

func move(ctx context.Context, tx *db.Tx, from, to Plan) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE plans SET prepare_from = $2, enforce_at = $3, extended_until = $4
		 WHERE site_id = $1 AND COALESCE(enforce_at, 0) = $5 AND COALESCE(extended_until, 0) = $6`,
		from.Site, db.Stamp(to.PrepareFrom), db.Stamp(to.EnforceAt), db.Stamp(to.ExtendedUntil),
		micros(from.EnforceAt), micros(from.ExtendedUntil))
}

// micros is a stored time where NULL is compared as 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
