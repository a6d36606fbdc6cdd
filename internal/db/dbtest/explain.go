package dbtest

import (
	"strings"
	"testing"

	"keyturn/internal/db"
)

// Explain asks the engine how it would run a statement. PostgreSQL is told to do
// without a full scan if it can: small tables are scanned for good reason.
func Explain(t *testing.T, d *db.DB, text string, args ...any) string {
	t.Helper()
	ask := "EXPLAIN QUERY PLAN "
	scan := func(r db.Row) (s string, err error) {
		var a, b, c int64
		return s, r.Scan(&a, &b, &c, &s)
	}
	if d.Engine() == db.Postgres {
		ask, scan = "EXPLAIN ", func(r db.Row) (s string, err error) { return s, r.Scan(&s) }
	}
	var lines []string
	err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
		if d.Engine() == db.Postgres {
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
				return err
			}
		}
		lines, err = db.Many(t.Context(), tx, scan, ask+text, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
