package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

type world struct {
	t     *testing.T
	db    *db.DB
	watch *delivery.Watch
	made  int
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		test(&world{t: t, db: d, watch: &delivery.Watch{DB: d}})
	})
}

func (w *world) do(fn func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Do(w.t.Context(), func(tx *db.Tx) error { return fn(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) hand(carrier string, n int) (all []id.Message) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		all = nil
		for i := range n {
			which := id.Message(fmt.Sprintf("m-%d-%d", w.made, i))
			all = append(all, which)
			if err := delivery.HandedOver(ctx, tx, delivery.Email, carrier, which); err != nil {
				return err
			}
		}
		return nil
	})
	w.made++
	return all
}

func (w *world) typed(stale bool, all ...id.Message) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		for _, which := range all {
			if err := delivery.Typed(ctx, tx, which, stale); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) later(d time.Duration) { w.db.Clock.Advance(d) }

func (w *world) is(carrier, channel delivery.Weather) {
	w.t.Helper()
	if err := w.watch.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	r := w.watch.Now()
	for what, pair := range map[string][2]delivery.Weather{
		"the relay": {r.Carriers[first], carrier}, "the channel": {r.Channels[delivery.Email], channel},
	} {
		got, want := pair[0], pair[1]
		if got.About = got.About.Truncate(time.Minute); got != want {
			w.t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	if w.watch.SlowCarrier(first) != carrier.Slow || w.watch.SlowCarrier("other") {
		w.t.Errorf("slow: %v, other %v", w.watch.SlowCarrier(first), w.watch.SlowCarrier("other"))
	}
}

var (
	good = delivery.Weather{}
	slow = delivery.Weather{Slow: true}
	down = delivery.Weather{Slow: true, Down: true}
)

func about(minutes int) delivery.Weather {
	return delivery.Weather{Slow: true, About: time.Duration(minutes) * time.Minute}
}

func TestCodesThatAreTypedSayHowLongMailTakes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.is(good, good)
		sent := w.hand(first, 12)
		w.later(30 * time.Second)
		w.typed(false, sent[:3]...)
		w.is(good, good)
		w.later(5 * time.Minute)
		w.typed(true, sent[3:10]...)
		w.is(about(5), about(5))
		w.later(16 * time.Minute)
		w.is(good, good)
	})
}

func TestCodesThatNobodyTypesAreARelayThatIsDownUntilOneArrives(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.hand(first, 9)
		w.is(good, good)
		w.later(3 * time.Minute)
		w.is(down, down)
		one := w.hand(first, 1)
		w.do(func(ctx context.Context, tx *db.Tx) error { return delivery.Arrived(ctx, tx, one[0]) })
		w.is(slow, slow)
		w.later(8 * time.Minute)
		w.is(good, good)
	})
}

func TestOnlyTheFirstNewsOfAnArrivalCounts(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		sent := w.hand(first, 3)
		w.later(10 * time.Second)
		w.do(func(ctx context.Context, tx *db.Tx) error {
			for _, which := range sent {
				if err := delivery.Arrived(ctx, tx, which); err != nil {
					return err
				}
			}
			return nil
		})
		w.later(6 * time.Minute)
		w.typed(true, sent...)
		w.typed(false, "never-handed-over")
		w.is(good, good)
	})
}

func TestAMessageThatIsHandedOverAgainCountsFromThenOn(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		sent := w.hand(second, 3)
		w.later(6 * time.Minute)
		w.do(func(ctx context.Context, tx *db.Tx) error {
			for _, which := range sent {
				if err := delivery.HandedOver(ctx, tx, delivery.Email, first, which); err != nil {
					return err
				}
			}
			return nil
		})
		w.later(5 * time.Second)
		w.typed(false, sent...)
		w.is(good, good)
		if w.watch.SlowCarrier(second) {
			t := w.watch.Now()
			w.t.Errorf("the relay that it did not come by: %+v", t)
		}
	})
}

func TestCodesThatNoRelayTakesAreAChannelThatIsDownUntilOneIsTaken(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var waiting []id.Message
		for i := range 4 {
			waiting = append(waiting, id.Message(fmt.Sprintf("waiting-%d", i)))
			w.do(func(ctx context.Context, tx *db.Tx) error {
				return delivery.NotTaken(ctx, tx, delivery.Email, waiting[i])
			})
		}
		w.is(good, down)
		w.later(time.Second)
		w.do(func(ctx context.Context, tx *db.Tx) error {
			return delivery.HandedOver(ctx, tx, delivery.Email, first, waiting[0])
		})
		w.is(good, good)
		err := w.db.Do(w.t.Context(), func(tx *db.Tx) error { return delivery.HandedOver(w.t.Context(), tx, delivery.Email, "", "m") })
		if !errors.Is(err, fault.Invalid) {
			w.t.Errorf("handed over to nobody: %v", err)
		}
	})
}

func TestACanaryIsSeenOnceAndOneThatIsNotSeenIsSlowMail(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var lost, quick id.Canary
		launch := func(which *id.Canary) {
			w.do(func(ctx context.Context, tx *db.Tx) (err error) {
				*which, err = delivery.Launch(ctx, tx, first)
				return err
			})
		}
		see := func(which id.Canary) (first bool) {
			w.do(func(ctx context.Context, tx *db.Tx) (err error) {
				first, err = delivery.Seen(ctx, tx, which)
				return err
			})
			return first
		}
		launch(&lost)
		w.later(3 * time.Minute)
		w.is(good, good) // it may be that nobody reads the mailbox
		var beside id.Canary
		w.do(func(ctx context.Context, tx *db.Tx) (err error) {
			beside, err = delivery.Launch(ctx, tx, second)
			return err
		})
		see(beside)
		w.is(about(3), good)
		launch(&quick)
		w.later(5 * time.Second)
		if !see(quick) || see(quick) || see("no such canary") {
			w.t.Error("a canary is not seen exactly once")
		}
		w.is(good, good)
		w.later(time.Minute)
		if !see(lost) {
			w.t.Error("a late canary is not seen")
		}
		w.is(good, good)
	})
}

func TestASweepTakesFactsOfOverAnHourAndNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		count := func() (n int) {
			for _, table := range []string{"delivery_handed", "canaries"} {
				one, err := db.One(w.t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
				if err != nil {
					w.t.Fatal(err)
				}
				n += one
			}
			return n
		}
		put := func() {
			w.hand(first, 3)
			w.do(func(ctx context.Context, tx *db.Tx) error { _, err := delivery.Launch(ctx, tx, first); return err })
		}
		put()
		w.later(61 * time.Minute)
		put()
		w.do(func(ctx context.Context, tx *db.Tx) error { return delivery.Sweep(ctx, tx, 2) })
		if n := count(); n != 5 {
			w.t.Errorf("%d left after a bounded sweep", n)
		}
		w.do(func(ctx context.Context, tx *db.Tx) error { return delivery.Sweep(ctx, tx, 100) })
		if n := count(); n != 4 {
			w.t.Errorf("%d left", n)
		}
	})
}

func TestABusyRelayDoesNotHideWhatASilentOneShowed(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.hand(first, 9)
		w.later(3 * time.Minute)
		w.typed(false, w.hand(second, 1000)...)
		w.is(down, good)
	})
}

func TestAWatchThatCannotReadSaysNothingAfterAMinuteAndNeverWaits(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	w := &world{t: t, db: d, watch: &delivery.Watch{DB: d}}
	w.hand(first, 9)
	w.later(3 * time.Minute)
	w.is(down, down)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.watch.Refresh(t.Context()); err == nil {
		t.Error("a closed database was read")
	}
	if !w.watch.SlowCarrier(first) {
		t.Error("the report was lost at once")
	}
	w.later(61 * time.Second)
	if w.watch.SlowCarrier(first) || len(w.watch.Now().Channels) != 0 {
		t.Error("a report of over a minute ago is still believed")
	}
}

func TestRunMakesTheReportAnewUntilItIsTold(t *testing.T) {
	t.Parallel()
	// A closed database answers at once: what is looked at is the loop.
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	_ = d.Close()
	synctest.Test(t, func(t *testing.T) {
		w := &delivery.Watch{DB: d}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		time.Sleep(time.Minute)
		stop()
		<-done
		if len(w.Now().Carriers) != 0 {
			t.Error("a report came from nowhere")
		}
	})
}
