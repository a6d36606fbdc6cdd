package delivery

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

func TestEveryReadingOfTheFactsGoesByAnIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for chunk := range 12 { // a transaction has its time
			err := d.Do(ctx, func(tx *db.Tx) error {
				for i := range 200 {
					which := id.Message(fmt.Sprintf("%d-%d", chunk, i))
					if err := HandedOver(ctx, tx, Email, fmt.Sprintf("relay-%d", i%3), which); err != nil {
						return err
					}
					if _, err := Launch(ctx, tx, "relay-1"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		explain := `EXPLAIN QUERY PLAN `
		if d.Engine() == db.Postgres {
			explain = `EXPLAIN `
			if err := d.Do(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, `ANALYZE`); return err }); err != nil {
				t.Fatal(err)
			}
		}
		hour := db.Stamp(d.Clock.Now().Add(-time.Hour))
		future := db.Stamp(d.Clock.Now().Add(time.Hour))
		for _, q := range []struct {
			text, index string
			args        []any
		}{
			{nextCarrierText, "delivery_handed_by_", []any{"relay-0"}},
			{handedText, "delivery_handed_by_", []any{"relay-1", hour, future, 10}},
			{arrivalsText, "delivery_handed_by_arrival", []any{"relay-1", hour, 10}},
			{canariesText, "canaries_by_time", []any{hour, 10}},
		} {
			lines, err := db.Many(ctx, d, func(r db.Row) (line string, err error) {
				if d.Engine() == db.Postgres {
					return line, r.Scan(&line)
				}
				var a, b, c int
				return line, r.Scan(&a, &b, &c, &line)
			}, explain+q.text, q.args...)
			plan := strings.Join(lines, "\n")
			if err != nil || !strings.Contains(plan, q.index) || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s\n%s\n%v", q.text, plan, err)
			}
		}
	})
}
