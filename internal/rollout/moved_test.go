package rollout_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/rollout"
)

func TestAWaveThatIsRolledBackIsSoAtEverySiteBeforeItGetsAnotherDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := w.start(t, w.order())
		w.until(t, w.tuesday(1).Morning(w.site.Zone).Add(48*time.Hour))
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.RollBack(ctx, tx, w.toni, r.ID, 1) })
		got, err := w.desk.Move(t.Context(), command, 1, w.tuesday(4)) // before the step came by
		if err != nil {
			t.Fatal(err)
		}
		w.step(t)
		if w.asked(t, w.site) || got != rollout.GoingBack {
			t.Errorf("the wave was rolled back, moved (%q), and its site is asked still: %v", got, w.asked(t, w.site))
		}
		if got, err := w.desk.Move(t.Context(), command, 1, w.tuesday(4)); got != "" || err != nil {
			t.Errorf("when it is done: %q, %v", got, err)
		}
	})
}

func TestARolloutDoesNotEndBeforeItsRollBackIsDone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := w.start(t, w.order())
		w.until(t, w.tuesday(2).Morning(w.twin.Zone).Add(time.Hour))
		w.step(t)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.RollBack(ctx, tx, w.toni, r.ID, 2) })
		got, err := w.desk.End(t.Context(), command) // before the step came by
		if err != nil {
			t.Fatal(err)
		}
		w.step(t)
		if w.asked(t, w.twin) || got != rollout.GoingBack {
			t.Errorf("the wave was rolled back, the rollout ended (%q), and its site is asked still", got)
		}
	})
}

func TestAnExtensionEndsOnNoClosedDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		to := calendar.Rules{Region: "AU"}.First(w.tuesday(1).Add(7))
		if got, err := w.desk.Extend(t.Context(), command, w.site.ID, to, "Their only Admin is in hospital"); got != "" || err != nil {
			t.Fatalf("extend: %q, %v", got, err)
		}
		if got, err := w.desk.Close(t.Context(), command, w.site.ID, []calendar.Day{to}); got != "" || err != nil {
			t.Fatalf("close: %q, %v", got, err)
		}
		w.step(t)
		if on := calendar.On(w.plan(t, w.site).Date(), w.site.Zone); on == to {
			t.Errorf("2FA begins on %s, on which the site is closed", on)
		}
	})
}

func TestClosedDaysPutASiteOffForThirtyDaysAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		first := w.tuesday(1)
		for range 6 {
			var days []calendar.Day
			on := calendar.On(w.plan(t, w.site).Date(), w.site.Zone)
			for d := on; len(days) < rollout.MostClosed; d = d.Add(1) {
				if (calendar.Rules{}).Allows(d) {
					days = append(days, d)
				}
			}
			w.until(t, on.Morning(w.site.Zone).Add(-25*time.Hour))
			if got, err := w.desk.Close(t.Context(), command, w.site.ID, days); got != "" || err != nil {
				t.Fatalf("close: %q, %v", got, err)
			}
			w.step(t)
			if w.asked(t, w.site) {
				return
			}
			if by := first.Until(calendar.On(w.plan(t, w.site).Date(), w.site.Zone)); by > 2*rollout.MostDelay+7 {
				t.Fatalf("closed days put the site off by %d days", by)
			}
			if next := calendar.On(w.plan(t, w.site).Date(), w.site.Zone); next == on {
				return
			}
		}
	})
}

func TestSlowMailGivesNobodyThirtyMoreDaysToBeHeldBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.unprove(t, w.site)
		w.start(t, w.order())
		first := w.tuesday(1)
		moved := 0 // by the weather
		for range 30 {
			at := w.plan(t, w.site).Date()
			if !at.After(w.db.Clock.Now()) {
				break
			}
			on := calendar.On(at, w.site.Zone)
			if moved == 0 && first.Until(on) >= 21 {
				w.until(t, at.Add(-9*time.Hour))
				w.step(t) // the gate in the evening
				if at = w.plan(t, w.site).Date(); at.After(w.db.Clock.Now().Add(10 * time.Hour)) {
					on = calendar.On(at, w.site.Zone)
				}
				w.until(t, at.Add(-30*time.Minute))
				w.weather = "email"
				w.step(t)
				w.weather = ""
				moved = on.Until(calendar.On(w.plan(t, w.site).Date(), w.site.Zone))
				continue
			}
			w.until(t, at.Add(-9*time.Hour))
			w.step(t)
			if w.plan(t, w.site).Date().Equal(at) {
				w.until(t, at.Add(-30*time.Minute))
				w.step(t)
				if w.plan(t, w.site).Date().Equal(at) {
					break
				}
			}
		}
		if by := first.Until(calendar.On(w.plan(t, w.site).Date(), w.site.Zone)); by-moved > rollout.MostDelay+3 {
			t.Errorf("held back for %d days, of which the weather moved it %d", by, moved)
		}
	})
}

func TestNothingThatIsClosedPutsASiteOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		at := w.plan(t, w.site).Date()
		w.until(t, at.Add(-19*time.Hour))
		if got, err := w.desk.Close(t.Context(), command, w.site.ID, nil); got != "" || err != nil {
			t.Fatalf("close: %q, %v", got, err)
		}
		w.step(t)
		if got := w.plan(t, w.site).Date(); !got.Equal(at) {
			t.Errorf("a list without a day moved the date from %s to %s", at, got)
		}
	})
}
