package prepare_test

import (
	"errors"
	"testing"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/readiness"
)

func TestTotalsAreByAccountManagerAndOfAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		sam := w.staff(t)
		totals := func() ([]prepare.Total, prepare.Total) {
			all, sum, err := w.desk.Totals(t.Context(), sam)
			if err != nil {
				t.Fatal(err)
			}
			return all, sum
		}
		if all, sum := totals(); len(all) != 2 || sum.Sites != 0 || sum.Uncounted != 2 {
			t.Errorf("before they were counted: %+v", sum)
		}
		count := func() {
			if err := w.desk.Count(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
		}
		count()
		all, sum := totals()
		want := readiness.Counts{Ready: 2, WillManage: 2}
		if sum.Counts != want || sum.Sites != 2 || sum.Uncounted != 0 || sum.Unproved != 0 || sum.Oldest.IsZero() {
			t.Errorf("the sum is %+v", sum)
		}
		if all[0].Manager != "bayside-manager@vendor.example" || all[0].Counts != (readiness.Counts{Ready: 1, WillManage: 1}) {
			t.Errorf("the first is %+v", all[0])
		}
		w.bounce(t, w.twinKimsMail)
		count()
		if _, sum := totals(); sum.Counts != want {
			t.Errorf("a count is made anew at once: %+v", sum)
		}
		w.db.Clock.Advance(11 * time.Minute)
		count()
		all, sum = totals()
		if sum.NeedsHelp != 1 || all[0].Manager != "bayview-manager@vendor.example" {
			t.Errorf("after a bounce the sum is %+v, and the first %s", sum, all[0].Manager)
		}
		if _, _, err := w.desk.Totals(t.Context(), w.bearer(t, w.pat, w.site)); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin read the totals: %v", err)
		}
	})
}

func TestASiteWithoutAProvedAdminIsCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		third := w.workshop(t, "airport", "Airport Auto")
		w.member(t, third, "jo@airport.example", policy.GroupAdmin, time.Time{})
		if err := w.desk.Count(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		_, sum, err := w.desk.Totals(t.Context(), w.staff(t))
		if err != nil || sum.Unproved != 1 {
			t.Errorf("%+v: %v", sum, err)
		}
	})
}
