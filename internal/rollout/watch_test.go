package rollout_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/brake"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/rollout"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// people makes so many users who sign in at a site.
func (w *world) people(t *testing.T, at site.Site, n int) (all []id.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		all = nil
		for i := range n {
			u, err := user.Add(ctx, tx, user.User{Login: address.Canonical(fmt.Sprintf("p%d@%s.example", i, at.Ref)), FirstName: "P"})
			if err != nil {
				return err
			}
			all = append(all, u.ID)
		}
		return nil
	})
	return all
}

// signIn has somebody type the right password at a site that is in a phase, and get in or
// not.
func (w *world) signIn(t *testing.T, at site.Site, who id.User, phase policy.Phase, in bool) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		place := plan.Place{Site: at.ID, User: who, Zone: at.Zone}
		if err := plan.Arrived(ctx, tx, plan.Arrival{Place: place, Phase: phase, Asked: phase == policy.InWave}); err != nil || !in {
			return err
		}
		return plan.Entered(ctx, tx, place)
	})
}

func TestTheBrakeTakesOutEveryDateToComeAndWhoIsAskedStaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		w.until(t, w.tuesday(1).Morning(w.site.Zone).Add(4*time.Hour))
		const n = 25
		stuck, fine := w.people(t, w.site, n), w.people(t, w.twin, n)
		for i := range n {
			w.signIn(t, w.site, stuck[i], policy.InWave, false)
			w.signIn(t, w.twin, fine[i], policy.Preparing, true)
		}
		w.step(t)
		if w.live(t).State != rollout.Running {
			t.Fatal("stopped before the three minutes were over")
		}
		w.db.Clock.Advance(plan.InTime + time.Minute)
		w.step(t)
		r := w.live(t)
		if r.State != rollout.Paused || r.PausedBy != rollout.Brake || r.PausedWhy == "" {
			t.Fatalf("%+v", r)
		}
		if !w.plan(t, w.twin).Date().IsZero() || !w.asked(t, w.site) || w.asked(t, w.twin) {
			t.Errorf("the twin's date is %s, the site is asked: %v", w.plan(t, w.twin).Date(), w.asked(t, w.site))
		}
		if n := w.told(t, w.toni.User.ID, message.RolloutStopped); n != 1 {
			t.Errorf("the owner was told %d times", n)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_events WHERE chain = 'house' AND kind = $1`, string(audit.RolloutPaused)); n != 1 {
			t.Errorf("%d events", n)
		}
		seen, err := rollout.History(t.Context(), w.db, r.ID, 10)
		if err != nil || len(seen) == 0 || seen[0].Stopped == "" || seen[0].Sites != (brake.Group{SignIns: n, Failed: n}) || seen[0].Control.Failed != 0 {
			t.Errorf("the history is %+v, %v", seen, err)
		}
		w.until(t, w.tuesday(2).Morning(w.twin.Zone).Add(time.Hour))
		w.step(t)
		if w.asked(t, w.twin) {
			t.Error("a date came after the brake")
		}
		if got, err := w.desk.Resume(t.Context(), command); got != "" || err != nil {
			t.Fatalf("resume: %q, %v", got, err)
		}
		w.db.Clock.Advance(2 * time.Minute)
		w.step(t)
		if w.live(t).State != rollout.Running || w.plan(t, w.twin).Date().IsZero() {
			t.Error("what stopped it once stopped it again")
		}
	})
}

func TestAHealthyWaveIsNotStopped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		w.until(t, w.tuesday(1).Morning(w.site.Zone).Add(4*time.Hour))
		const n = 40
		some, others := w.people(t, w.site, n), w.people(t, w.twin, n)
		for i := range n {
			w.signIn(t, w.site, some[i], policy.InWave, i%20 != 0)
			w.signIn(t, w.twin, others[i], policy.Preparing, i%20 != 1)
		}
		w.db.Clock.Advance(plan.InTime + time.Minute)
		w.step(t)
		if r := w.live(t); r.State != rollout.Running {
			t.Errorf("stopped: %+v", r)
		}
	})
}

// Every third sign-in of the wave fails: the usual tolerance bears 39 of them, the greatest
// 60. The brake looks in between, and what it saw then counts.
func TestTheToleranceOfThePlanIsWhatAWaveIsHeldTo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		o := w.order()
		o.Tolerance = rollout.MostTolerance
		w.start(t, o)
		w.until(t, w.tuesday(1).Morning(w.site.Zone).Add(4*time.Hour))
		const first, all = 45, 66
		some, others := w.people(t, w.site, all), w.people(t, w.twin, all)
		for i := range all {
			if i == first {
				w.db.Clock.Advance(plan.InTime + time.Minute)
				w.step(t)
				if r := w.live(t); r.State != rollout.Running {
					t.Fatalf("within its tolerance it is stopped: %s", r.PausedWhy)
				}
			}
			w.signIn(t, w.site, some[i], policy.InWave, i%3 != 0)
			w.signIn(t, w.twin, others[i], policy.Preparing, true)
		}
		w.db.Clock.Advance(plan.InTime + time.Minute)
		w.step(t)
		if r := w.live(t); r.State != rollout.Paused || r.PausedBy != rollout.Brake {
			t.Errorf("beyond its tolerance it is %s", r.State)
		}
		seen, err := rollout.History(t.Context(), w.db, w.live(t).ID, 10)
		if err != nil || len(seen) == 0 || seen[0].Sites.SignIns < 60 {
			t.Errorf("the history is %+v, %v", seen, err)
		}
	})
}
