package balance

import (
	"strings"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

func TestNoListReadsAWholeTable(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]struct {
		text string
		args []any
		by   string // the columns that it must be found by
	}{
		"the statement":         {statementSQL, []any{"s", int64(9), 5}, "entry_no"},
		"the audit":             {onwardSQL, []any{"s", int64(9), 5}, "entry_no"},
		"holds that are due":    {dueSQL, []any{int64(9), 5}, "settle_by"},
		"an admin's float":      {floatUsedSQL, []any{"s", "u", int64(9)}, "user_id"},
		"charges of four weeks": {paceSQL, []any{"s", int64(9)}, "site_id"},
		"charges by day":        {chargesSQL, []any{"s", int64(9), int64(99), 5}, "site_id"},
		"use by person":         {useSQL, []any{"s", int64(9), 5}, "site_id"},
		"a top-up's reference":  {referenceSQL, []any{"s", "r"}, "reference"},
		"the account":           {standSQL, []any{"s"}, "site_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				plan := dbtest.Explain(t, d, q.text, q.args...)
				if strings.Contains(plan, "SCAN sms_") || strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, q.by) {
					t.Error(plan)
				}
				if d.Engine() == db.Postgres && !strings.Contains(plan, "Index Cond") {
					t.Error(plan)
				}
			})
		})
	}
}
