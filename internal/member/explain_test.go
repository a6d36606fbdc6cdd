package member

import (
	"strings"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

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
			text, args := listText(id.New[id.Site](), f, 51)
			plan := dbtest.Explain(t, d, text, args...)
			if strings.Contains(plan, "SCAN m") || strings.Contains(plan, "SCAN u") || strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "site_id") {
				t.Errorf("%s is read by\n%s", name, plan)
			}
		}
	})
}
