package request_test

import (
	"errors"
	"testing"

	"keyturn/internal/fault"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
)

func TestStaffSeeAndDecideOnlyWhatSitesGivenToThemAskFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Group = policy.GroupAdmin
		ref := w.asked(t, f)
		toni := w.in(t, w.toni, site.Site{})
		waits := func(seen, hidden int) {
			t.Helper()
			all, n, err := w.desk.Waiting(t.Context(), toni, 10)
			if err != nil || len(all) != seen || n != hidden {
				t.Errorf("%d wait and %d are hidden, %v", len(all), n, err)
			}
		}
		absent := func() {
			t.Helper()
			if s, err := w.desk.Look(t.Context(), toni, ref.Site, ref.ID); !errors.Is(err, fault.NotFound) {
				t.Errorf("looking: %+v, %v", s, err)
			}
			if refused, err := w.desk.Approve(t.Context(), toni, ref); !errors.Is(err, fault.NotFound) {
				t.Errorf("approving: %q, %v", refused, err)
			}
			if refused, err := w.desk.Decline(t.Context(), toni, ref, "nobody knows them"); !errors.Is(err, fault.NotFound) {
				t.Errorf("declining: %q, %v", refused, err)
			}
		}
		waits(0, 1)
		absent()
		w.let(t, w.toni, w.twin) // whose people have the same names
		waits(0, 1)
		absent()
		if refused, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), ref); err != nil || refused != "" {
			t.Fatalf("the account manager: %q, %v", refused, err)
		}
		ref.Seen = request.ApprovedOnce
		absent() // the second word takes the site as well
		w.let(t, w.toni, w.site)
		waits(1, 0)
		if refused, err := w.desk.Approve(t.Context(), toni, ref); err != nil || refused != "" || w.state(t, ref) != request.Approved {
			t.Errorf("with the site: %q, %v, %s", refused, err, w.state(t, ref))
		}
		if _, _, err := w.desk.Waiting(t.Context(), w.in(t, w.pat, w.site), 10); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin lists what waits: %v", err)
		}
	})
}
