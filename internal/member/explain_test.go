package member

import (
	"strings"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// planOf is how an engine would run the list. On PostgreSQL a whole table is read only where
// there is no other way.
func planOf(t *testing.T, d *db.DB, f Filter) string {
	t.Helper()
	text, args := listText(id.New[id.Site](), f, 51)
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

// However many users there are in all, a page of the list reads the members of one site.
func TestAPageOfTheListReadsOneSiteAlone(t *testing.T) {
	t.Parallel()
	after := Cursor{First: "m", Last: "lee", ID: "0199f000-0000-7000-8000-000000000000"}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, f := range map[string]Filter{
			"the first page": {}, "a page after it": {After: after}, "a search": {Find: "lee"},
			"a group": {Group: policy.GroupMechanic}, "who is inactive": {Show: Inactives},
			"all of it": {Find: "lee", Group: policy.GroupMechanic, Show: Inactives, After: after},
		} {
			plan := planOf(t, d, f)
			if strings.Contains(plan, "SCAN m") || strings.Contains(plan, "SCAN u") || strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "site_id") {
				t.Errorf("%s is read by\n%s", name, plan)
			}
		}
	})
}
