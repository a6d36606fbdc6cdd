package setup_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// The time is printed and judged by nobody: machines differ.
func TestAPreviewReadsThePeopleOfALargeSiteInStepsAndLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const more = 1000
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			for i := range more {
				login := fmt.Sprintf("u%d@big.example", i)
				u, err := user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: "U", LastName: fmt.Sprint(i)})
				if err != nil {
					return err
				}
				if _, err := method.Link(ctx, tx, method.Method{User: u.ID, Kind: policy.Email, Address: login}); err != nil {
					return err
				}
				err = site.Join(ctx, tx, site.Membership{
					Site: w.site.ID, User: u.ID, UserRef: login, Group: policy.GroupUser, Kind: policy.Office, Status: policy.Active,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		to := w.company(t, w.site).Choice
		to.TwoFA = policy.SettingEveryone
		twin, err := w.desk.Preview(t.Context(), w.twin.ID, to)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		all, err := w.desk.Preview(t.Context(), w.site.ID, to)
		t.Logf("a preview of %d people took %v", len(all), time.Since(began))
		if err != nil || len(all) != len(twin)+more {
			t.Fatalf("%d people, at the twin %d: %v", len(all), len(twin), err)
		}
		seen := map[string]bool{}
		for _, p := range all {
			seen[string(p.User)] = true
			if !p.Asked || p.Group == "" || p.Name == "" {
				t.Errorf("foreseen: %+v", p)
			}
		}
		if len(seen) != len(all) {
			t.Errorf("%d of %d are there once", len(seen), len(all))
		}
	})
}

func TestAPreviewOfAConnectionIsWhatTheConnectionThenBrings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		forecast, date, err := w.desk.PreviewConnected(t.Context(), w.site.ID)
		if err != nil || len(forecast) != 4 || !date.IsZero() {
			t.Fatalf("foretold %+v, %v, %v", forecast, date, err)
		}
		if w.company(t, w.site).Held() {
			t.Fatal("a preview connected the site")
		}
		w.connect(t)
		for _, one := range forecast {
			who, err := user.ByID(t.Context(), w.db, one.User)
			if err != nil {
				t.Fatal(err)
			}
			now := w.db.Clock.Now()
			facts, err := w.desk.Standing.Of(t.Context(), w.db, now, standing.Asker{User: who, Client: policy.Client{Kind: policy.ClientWeb}})
			if err != nil {
				t.Fatal(err)
			}
			if outcome := policy.Decide(facts, now).Outcome; !one.Asked || one.WasAsked || (outcome == policy.Enrol) != one.Stuck() {
				t.Errorf("foretold %+v, and gets %s", one, outcome)
			}
		}
	})
}

func TestAPreviewOfAConnectionIsOfTheSitesDateWhereTheRolloutHasOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		want := w.db.Clock.Now().Add(12 * 24 * time.Hour).Truncate(time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return plan.Set(ctx, tx, plan.Plan{Site: w.site.ID, BeganAt: tx.Now.Add(24 * time.Hour), EnforceAt: want})
		})
		forecast, date, err := w.desk.PreviewConnected(t.Context(), w.site.ID)
		if err != nil || !date.Equal(want) || len(forecast) != 4 || !forecast[0].Asked {
			t.Errorf("foretold %+v on %v, %v; want %v", forecast, date, err, want)
		}
	})
}
