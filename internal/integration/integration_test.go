package integration_test

import (
	"testing"
	"time"

	"keyturn/internal/audit"
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

func TestAFailingConnectionIsAConnectionStillAndHealsOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by := audit.Actor{Kind: audit.ActorCommand, ID: "test"}
		var all []site.Site
		state := func(s site.Site) integration.Integration {
			t.Helper()
			got, err := integration.Of(t.Context(), d, s.ID)
			if err != nil || len(got) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			return got[0]
		}
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			all = nil
			for _, ref := range []string{"S1", "S2"} {
				s, err := site.Add(t.Context(), tx, site.Site{Ref: ref, Name: "Bayside", Region: "AU", Zone: time.UTC})
				if err != nil {
					return err
				}
				all = append(all, s)
				if _, err := integration.Join(t.Context(), tx, by, integration.Integration{Site: s.ID, Kind: policy.Xero, By: "Pat"}, nil); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		since := state(all[0]).Since
		moves := []struct {
			name string
			do   func(tx *db.Tx) (bool, error)
			done bool
			want policy.State
		}{
			{"heal what is well", func(tx *db.Tx) (bool, error) { return integration.Heal(t.Context(), tx, all[0].ID, policy.Xero) }, false, policy.Connected},
			{"fail", func(tx *db.Tx) (bool, error) { return integration.Fail(t.Context(), tx, all[0].ID, policy.Xero) }, true, policy.Failing},
			{"fail again", func(tx *db.Tx) (bool, error) { return integration.Fail(t.Context(), tx, all[0].ID, policy.Xero) }, false, policy.Failing},
			{"join what is failing", func(tx *db.Tx) (bool, error) {
				return integration.Join(t.Context(), tx, by, integration.Integration{Site: all[0].ID, Kind: policy.Xero}, nil)
			}, false, policy.Failing},
			{"heal", func(tx *db.Tx) (bool, error) { return integration.Heal(t.Context(), tx, all[0].ID, policy.Xero) }, true, policy.Connected},
			{"leave", func(tx *db.Tx) (bool, error) {
				return integration.Leave(t.Context(), tx, by, all[0].ID, policy.Xero, nil)
			}, true, policy.Disconnected},
			{"fail what is gone", func(tx *db.Tx) (bool, error) { return integration.Fail(t.Context(), tx, all[0].ID, policy.Xero) }, false, policy.Disconnected},
		}
		for _, m := range moves {
			var done bool
			if err := d.Do(t.Context(), func(tx *db.Tx) (err error) { done, err = m.do(tx); return err }); err != nil {
				t.Fatal(err)
			}
			if got := state(all[0]); done != m.done || got.State != m.want || !got.Since.Equal(since) {
				t.Errorf("%s: %v, %+v", m.name, done, got)
			}
			if got := state(all[1]); got.State != policy.Connected {
				t.Errorf("%s: the twin is %s", m.name, got.State)
			}
		}
	})
}
