package e2e_test

import (
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

func TestADryRunNamesTheSitesThatAnImportConnectsAndWhoIsLeftAtTheDoor(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p := e2etest.NewProduct(t, url)
		row := e2etest.Row{Site: "S9", Ref: "U1", Xero: "no", Email: "user12@myworkshop.invalid", First: "Pat", Last: "Ng"}
		imported(t, p, e2etest.WriteRoster(t, []e2etest.Row{row}))
		row.Xero = "yes"
		file := e2etest.WriteRoster(t, []e2etest.Row{row})
		before := dump(t, p, everyTable)
		for _, flags := range [][]string{{"--dry-run"}, nil} {
			said, report := imported(t, p, file, flags...)
			if !strings.Contains(said, "become connected to Xero, where 2FA is asked from then on: S9") || !strings.Contains(said, "put right: 1") {
				t.Errorf("with %v it says\n%s", flags, said)
			}
			got := report[0]
			if !strings.Contains(got["reasons"], "xero_connects") || got["name"] != "Pat Ng" || got["xero"] != "connected" || got["can_pass"] != "no" {
				t.Errorf("with %v the report has %v", flags, got)
			}
			if after := dump(t, p, everyTable); (after == before) != (flags != nil) {
				t.Errorf("with %v the database is the same: %v", flags, after == before)
			}
		}
		if said, report := imported(t, p, file); strings.Contains(said, "become connected") || strings.Contains(report[0]["reasons"], "xero_connects") {
			t.Errorf("a site that is connected is said to become so:\n%s", said)
		}
	})
}
