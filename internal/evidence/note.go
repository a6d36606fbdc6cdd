package evidence

import (
	"context"
	"fmt"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Note records that a pack is made, before it is: then the pack's own checkpoint tells of
// it. One of all sites stands in the chain of the house, one of some in the chain of each.
func (d *Desk) Note(ctx context.Context, by audit.Actor, ask Ask) error {
	err := d.DB.Do(ctx, func(tx *db.Tx) error { return d.note(ctx, tx, by, ask) })
	if err != nil {
		return fmt.Errorf("record that evidence is made: %w", err)
	}
	return nil
}

func (d *Desk) note(ctx context.Context, tx *db.Tx, by audit.Actor, ask Ask) error {
	p := d.head(ask, tx.Now)
	facts := map[string]string{"from": stamp(p.From), "until": stamp(p.Until), "version": d.Version}
	where := ask.Sites
	if where == nil {
		where = []id.Site{""}
	}
	for _, at := range where {
		if err := audit.Record(ctx, tx, audit.Event{Kind: audit.EvidenceMade, Actor: by, Site: at, Facts: facts}); err != nil {
			return err
		}
	}
	return nil
}
