package integration_test

import (
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/integration"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

func TestAConnectionKeepsItsOwnSinceEvenWhenThatIsNotKnown(t *testing.T) {
	t.Parallel()
	for name, since := range map[string]time.Time{
		"known":     time.Date(2026, time.March, 12, 1, 0, 0, 0, time.UTC),
		"not known": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				t.Helper()
				var first, again bool
				var at site.Site
				if err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
					if at, err = site.Add(t.Context(), tx, site.Site{Ref: "S1", Name: "Bayside", Region: "AU", Zone: time.UTC}); err != nil {
						return err
					}
					i := integration.Integration{Site: at.ID, Kind: policy.Xero, Since: since, Organisation: "Bayside Pty Ltd"}
					if first, err = integration.Connect(t.Context(), tx, i); err != nil {
						return err
					}
					i.Since = tx.Now
					again, err = integration.Connect(t.Context(), tx, i)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				all, err := integration.Of(t.Context(), d, at.ID)
				if err != nil || len(all) != 1 || !first || again {
					t.Fatalf("connecting twice gave %v, %v and %+v, %v", first, again, all, err)
				}
				if got := all[0]; !got.Since.Equal(since) || got.State != policy.Connected || got.Organisation != "Bayside Pty Ltd" {
					t.Errorf("the connection is %+v; want since %v", got, since)
				}
			})
		})
	}
}
