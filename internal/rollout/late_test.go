package rollout_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/rollout"
	"keyturn/internal/site"
)

// appears is a site that becomes known as connected since a moment, as a report has it.
func (w *world) appears(t *testing.T, ref string, since time.Time) (s site.Site, waits bool) {
	t.Helper()
	s = w.workshop(t, ref, "AU", "Australia/Perth")
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if err := tx.Change(ctx, `UPDATE integrations SET since = $2 WHERE site_id = $1`, s.ID, db.Stamp(since)); err != nil {
			return err
		}
		waits, err = w.desk.Await(ctx, tx, s.ID, since)
		return err
	})
	return s, waits
}

func TestALinkOlderThanTheRolloutThatIsReportedLateJoinsAWave(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		long := -300 * 24 * time.Hour
		if s, waits := w.appears(t, "before", w.db.Clock.Now().Add(long)); waits || !w.asked(t, s) {
			t.Errorf("without a rollout: waits %v, asked %v", waits, w.asked(t, s))
		}
		r := w.start(t, w.order())
		old, waits := w.appears(t, "older", r.BeganAt.Add(long))
		if !waits || w.asked(t, old) {
			t.Errorf("one that is older than the rollout: waits %v, asked %v", waits, w.asked(t, old))
		}
		young, waits := w.appears(t, "younger", r.BeganAt)
		if waits || !w.asked(t, young) {
			t.Errorf("one that is not: waits %v, asked %v", waits, w.asked(t, young))
		}
		// No rollout ends while somebody waits for a day of it.
		gone, _, err := rollout.Live(t.Context(), w.db)
		if got, ended := w.desk.End(t.Context(), command); got != rollout.Unfinished || ended != nil || err != nil {
			t.Errorf("%s ended with a site that waits: %q, %v", gone.Name, got, ended)
		}
		w.step(t)
		day := w.tuesday(2)
		if got := w.plan(t, old).Date(); !got.Equal(day.Morning(old.Zone)) {
			t.Errorf("its date is %s, not the morning of %s", got, day)
		}
		if n := w.events(t, old, audit.RolloutSitePlaced); n != 1 {
			t.Errorf("%d events of its place", n)
		}
		// Of a wave that has begun it gets a day of its own, a week off or more.
		w.until(t, day.Morning(old.Zone).Add(48*time.Hour))
		w.step(t)
		last, waits := w.appears(t, "last", r.BeganAt.Add(long))
		w.step(t)
		if date := w.plan(t, last).Date(); !waits || w.asked(t, last) || date.Before(w.db.Clock.Now().Add(6*24*time.Hour)) {
			t.Errorf("after its wave began: waits %v, asked %v, %s", waits, w.asked(t, last), date)
		}
		if !w.asked(t, old) || !w.asked(t, young) {
			t.Error("somebody who was asked is so no more")
		}
	})
}
