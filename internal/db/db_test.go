package db_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
)

func text(r db.Row) (s string, err error) { return s, r.Scan(&s) }

func TestPlaceholdersMayRepeatAndComeInAnyOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		got, err := db.One(t.Context(), d, func(r db.Row) (v [3]string, err error) {
			return v, r.Scan(&v[0], &v[1], &v[2])
		}, `SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)`, "one", "two")
		if err != nil {
			t.Fatal(err)
		}
		if want := [3]string{"two", "one", "two"}; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestMigratingTwiceDoesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			d := dbtest.Open(t, dbtest.Empty(t, engine))
			if err := d.Usable(t.Context()); !errors.Is(err, fault.Invalid) {
				t.Fatalf("an empty database is usable: %v", err)
			}
			first, err := d.Migrate(t.Context())
			if err != nil || first == 0 {
				t.Fatalf("applied %d, %v", first, err)
			}
			if err := d.Usable(t.Context()); err != nil {
				t.Fatal(err)
			}
			if again, err := d.Migrate(t.Context()); err != nil || again != 0 {
				t.Fatalf("applied %d more, %v", again, err)
			}
		})
	}
}

func TestADatabaseOfANewerReleaseIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			return tx.Change(t.Context(), `UPDATE meta SET value = '9999' WHERE name = 'oldest_schema'`)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Usable(t.Context()); !errors.Is(err, fault.Invalid) {
			t.Errorf("used: %v", err)
		}
		if _, err := d.Migrate(t.Context()); !errors.Is(err, fault.Invalid) {
			t.Errorf("migrated: %v", err)
		}
	})
}

func TestAGuardedChangeIsWonByExactlyOne(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.Do(ctx, func(tx *db.Tx) error { return db.SetMeta(ctx, tx, "prize", "free") }); err != nil {
			t.Fatal(err)
		}
		var won, lost atomic.Int64
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				err := d.Do(ctx, func(tx *db.Tx) error {
					return tx.Change(ctx, `UPDATE meta SET value = 'taken' WHERE name = 'prize' AND value = 'free'`)
				})
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, fault.Conflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || lost.Load() != 31 {
			t.Errorf("won %d, lost %d", won.Load(), lost.Load())
		}
	})
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		err := d.Do(ctx, func(tx *db.Tx) error {
			if err := db.SetMeta(ctx, tx, "half", "done"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if _, err := db.Meta(ctx, d, "half"); !errors.Is(err, fault.NotFound) {
			t.Errorf("got %v, want nothing there", err)
		}
	})
}

func TestTimesAndNothingComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		moment := time.Date(2026, 11, 23, 7, 2, 4, 123456000, time.UTC)
		var never, then time.Time
		_, err := db.One(ctx, d, func(r db.Row) (int, error) { return 0, r.Scan(db.When(&then), db.When(&never)) },
			`SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)`, db.Stamp(moment), db.Stamp(time.Time{}))
		if err != nil {
			t.Fatal(err)
		}
		if !then.Equal(moment) || !never.IsZero() {
			t.Errorf("got %v and %v", then, never)
		}
	})
}

func TestWhatIsLastRunsOnceInTheOrderOfItsKeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var order string
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			order = ""
			for _, key := range []string{"b", "a", "b", "c"} {
				tx.Last(key, func(context.Context) error { order += key; return nil })
			}
			return nil
		})
		if err != nil || order != "abc" {
			t.Errorf("ran %q, %v", order, err)
		}
	})
}

func TestALockedFileIsBusyAndNoAnswer(t *testing.T) {
	t.Parallel()
	name := dbtest.Fresh(t, db.SQLite)
	one, two := dbtest.Open(t, name), dbtest.Open(t, name)
	ctx := t.Context()
	held, free := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = one.Do(ctx, func(tx *db.Tx) error {
			close(held)
			<-free
			return nil
		})
	})
	<-held
	err := two.Do(ctx, func(*db.Tx) error { return nil })
	close(free)
	all.Wait()
	if !errors.Is(err, fault.Busy) {
		t.Errorf("got %v, want busy", err)
	}
	if _, err := db.One(ctx, two, text, `SELECT value FROM meta WHERE name = 'oldest_schema'`); err != nil {
		t.Errorf("reading beside a lock: %v", err)
	}
}
