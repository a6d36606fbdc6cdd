package connect_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/policy"
)

func TestTonightIsTonightAtASiteWhoseRequirementWasLowered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		if refused, _, err := w.desk.Disconnect(t.Context(), w.in(t, w.pat, w.site, 0)); refused != "" || err != nil {
			t.Fatalf("%q, %v", refused, err)
		}
		w.db.Clock.Advance(8 * 24 * time.Hour)
		gone := w.is(t, w.site, policy.Disconnected)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := integration.Lower(ctx, tx, gone)
			return err
		})
		if got := w.meets(t, w.max); got == policy.Ask {
			t.Fatalf("after it was lowered: %s", got)
		}
		by := w.in(t, w.pat, w.site, 0)
		if done, err := w.desk.Finish(t.Context(), by, w.went(t, by, true, "books", "o-bayside")); err != nil || done.Refused != "" {
			t.Fatalf("%+v, %v", done, err)
		}
		i := w.is(t, w.site, policy.Connected)
		if !i.Since.After(w.db.Clock.Now()) {
			t.Fatalf("since %v", i.Since)
		}
		if got := w.meets(t, w.max); got == policy.Ask {
			t.Errorf("connected from %v on, and asked now, %v", i.Since, w.db.Clock.Now())
		}
		w.db.Clock.Advance(i.Since.Sub(w.db.Clock.Now()))
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("at 4 am: %s", got)
		}
		if refused, _, err := w.desk.Disconnect(t.Context(), w.in(t, w.pat, w.site, 0)); refused != "" || err != nil {
			t.Fatalf("%q, %v", refused, err)
		}
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("disconnected again: %s", got)
		}
	})
}

func TestATokenIsGivenWithTheEndThatItHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		first, err := w.desk.Access(t.Context(), command, w.site.ID)
		if err != nil || first.Refused != "" {
			t.Fatalf("%+v, %v", first, err)
		}
		// Another node renews between the token and its end.
		w.desk.Crash(func(m connect.Moment) error {
			if m == connect.HandedOver {
				w.desk.Crash(nil)
				w.do(t, func(ctx context.Context, tx *db.Tx) error {
					return tx.Change(ctx, `UPDATE xero_grants SET access_until = access_until + 1200000000, generation = generation + 1`)
				})
			}
			return nil
		})
		got, err := w.desk.Access(t.Context(), command, w.site.ID)
		if err != nil || !got.Token.Equal(first.Token) || !got.Until.Equal(first.Until) {
			t.Errorf("a token that ends at %v is given as one until %v, %v", first.Until, got.Until, err)
		}
	})
}

func TestTonightTakenBackBeforeFourIsNoConnectionThatEverWas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		if done, err := w.desk.Finish(t.Context(), by, w.went(t, by, true, "books", "o-bayside")); err != nil || done.Refused != "" {
			t.Fatalf("%+v, %v", done, err)
		}
		if refused, _, err := w.desk.Disconnect(t.Context(), w.in(t, w.pat, w.site, 0)); refused != "" || err != nil {
			t.Fatalf("%q, %v", refused, err)
		}
		if got := w.meets(t, w.max); got == policy.Ask {
			t.Errorf("taken back before it was live: %s", got)
		}
		by = w.in(t, w.pat, w.site, 0)
		if done, err := w.desk.Finish(t.Context(), by, w.went(t, by, true, "books", "o-bayside")); err != nil || done.Refused != "" {
			t.Fatalf("%+v, %v", done, err)
		}
		if got := w.meets(t, w.max); got == policy.Ask {
			t.Errorf("connected tonight again: %s now", got)
		}
	})
}

func TestTonightTakenBackLeavesWhatTheConnectionBeforeItRequires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		for range 2 {
			if refused, _, err := w.desk.Disconnect(t.Context(), w.in(t, w.pat, w.site, 0)); refused != "" || err != nil {
				t.Fatalf("%q, %v", refused, err)
			}
			if got := w.meets(t, w.max); got != policy.Ask {
				t.Fatalf("disconnected: %s", got)
			}
			by := w.in(t, w.pat, w.site, 0)
			if done, err := w.desk.Finish(t.Context(), by, w.went(t, by, true, "books", "o-bayside")); err != nil || done.Refused != "" {
				t.Fatalf("%+v, %v", done, err)
			}
			if got := w.meets(t, w.max); got != policy.Ask {
				t.Fatalf("connected tonight: %s", got)
			}
		}
	})
}

func TestOnlyAFirstReportedConnectionWaitsForItsDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		asked := map[id.Site]time.Time{}
		w.desk.Await = func(_ context.Context, _ *db.Tx, at id.Site, since time.Time) (bool, error) {
			asked[at] = since
			return true, nil
		}
		old := w.db.Clock.Now().Add(-300 * 24 * time.Hour).Truncate(time.Microsecond)
		w.report(t, w.site, w.on(old))
		if got := asked[w.site.ID]; !got.Equal(old) {
			t.Errorf("asked about %v", got)
		}
		clear(asked)
		w.report(t, w.site, off)
		w.report(t, w.site, w.on(old))
		if len(asked) != 0 {
			t.Error("a site that was connected before may wait")
		}
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("connected again: %s", got)
		}
	})
}
