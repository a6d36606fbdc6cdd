package integration

import (
	"context"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

func of(ctx context.Context, from db.Reader, site id.Site) ([]Integration, error) {
	return db.Many(ctx, from, func(r db.Row) (i Integration, err error) {
		return i, r.Scan(&i.Site, &i.Kind, &i.State, db.When(&i.Since), &i.By, &i.Organisation,
			db.When(&i.DisconnectedAt), db.When(&i.LoweredAt))
	}, `
		SELECT site_id, kind, state, since, by_name, organisation, disconnected_at, lowered_at
		  FROM integrations WHERE site_id = $1 ORDER BY kind`, site)
}

// connect forgets the connection before where it requires nothing any more: where an admin
// lowered that, and where it was taken back before it was live. Otherwise one that becomes
// live tonight would be asked for at once.
func connect(ctx context.Context, tx *db.Tx, i Integration) (int64, error) {
	return tx.Exec(ctx, `
		INSERT INTO integrations (site_id, kind, state, since, by_name, organisation)
		VALUES ($1, $2, 'connected', $3, $4, $5)
		ON CONFLICT (site_id, kind) DO UPDATE
		   SET state = 'connected', since = $3, by_name = $4, organisation = $5, lowered_at = NULL,
		       disconnected_at = CASE
		           WHEN integrations.lowered_at >= integrations.disconnected_at + $6 THEN NULL
		           WHEN integrations.since > integrations.disconnected_at AND integrations.since > $7 THEN NULL
		           ELSE integrations.disconnected_at END
		 WHERE integrations.state = 'disconnected'`,
		i.Site, i.Kind, db.Stamp(i.Since), i.By, i.Organisation, policy.CoolingOff.Microseconds(), db.Stamp(tx.Now))
}

// disconnect gives a connection that was never live the beginning of what the one before it
// requires, of which only the end is known: what was required goes on, without the hours
// until the new one would have been live.
func disconnect(ctx context.Context, tx *db.Tx, site id.Site, kind string) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE integrations
		   SET state = 'disconnected', disconnected_at = $3, lowered_at = NULL,
		       since = CASE WHEN since > $3 AND disconnected_at IS NOT NULL THEN disconnected_at ELSE since END
		 WHERE site_id = $1 AND kind = $2 AND state <> 'disconnected'`, site, kind, db.Stamp(tx.Now))
}

func lower(ctx context.Context, tx *db.Tx, i Integration) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE integrations SET lowered_at = $4
		 WHERE site_id = $1 AND kind = $2 AND state = 'disconnected' AND disconnected_at = $3 AND lowered_at IS NULL`,
		i.Site, i.Kind, db.Stamp(i.DisconnectedAt), db.Stamp(tx.Now))
}

func move(ctx context.Context, tx *db.Tx, from Integration, to policy.State) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE integrations SET state = $4
		 WHERE site_id = $1 AND kind = $2 AND state = $3`, from.Site, from.Kind, string(from.State), string(to))
}

func rename(ctx context.Context, tx *db.Tx, site id.Site, kind, organisation string) error {
	_, err := tx.Exec(ctx, `
		UPDATE integrations SET organisation = $3
		 WHERE site_id = $1 AND kind = $2 AND organisation <> $3`, site, kind, organisation)
	return err
}

func hold(ctx context.Context, tx *db.Tx, site id.Site, kind string) error {
	_, err := tx.Exec(ctx, `UPDATE integrations SET state = state WHERE site_id = $1 AND kind = $2`, site, kind)
	return err
}
