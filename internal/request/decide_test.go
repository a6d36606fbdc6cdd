package request_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestOfTwoStaffAtOnceOneDecides(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref := w.asked(t, nia)
		w.let(t, w.toni, w.site)
		sam, toni := w.in(t, w.sam, site.Site{}), w.in(t, w.toni, site.Site{})
		got := together(t, 4, func(i int) (request.Refused, error) {
			switch i {
			case 0:
				return w.desk.Approve(t.Context(), sam, ref)
			case 1:
				return w.desk.Approve(t.Context(), toni, ref)
			case 2:
				return w.desk.Decline(t.Context(), toni, ref, "nobody knows them")
			}
			return w.desk.Decline(t.Context(), sam, ref, "nobody knows them")
		})
		if countOf(got, "") != 1 || countOf(got, request.Over) != 3 {
			t.Errorf("answers: %q", got)
		}
		if n := w.count(t, w.site.ID, audit.RequestApproved) + w.count(t, w.site.ID, audit.RequestDeclined); n != 1 {
			t.Errorf("%d decisions in the trail", n)
		}
		if told := w.told(t, w.pat); len(told) != 1 {
			t.Errorf("the admin was told %v", told)
		}
	})
}

func TestAnAdminTakesTwoMembersOfStaff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Group = policy.GroupAdmin
		ref := w.asked(t, f)
		w.let(t, w.toni, w.site)
		sam, toni := w.in(t, w.sam, site.Site{}), w.in(t, w.toni, site.Site{})
		// Both saw it undecided: the second does not confirm what they have not seen.
		got := together(t, 2, func(i int) (request.Refused, error) {
			if i == 0 {
				return w.desk.Approve(t.Context(), sam, ref)
			}
			return w.desk.Approve(t.Context(), toni, ref)
		})
		if countOf(got, "") != 1 || w.state(t, ref) != request.ApprovedOnce {
			t.Fatalf("answers %q, state %s", got, w.state(t, ref))
		}
		first, second := sam, toni
		if got[1] == "" {
			first, second = toni, sam
		}
		ref.Seen = request.ApprovedOnce
		if refused, err := w.desk.Approve(t.Context(), first, ref); err != nil || refused != request.SameMember {
			t.Errorf("the same member again: %q, %v", refused, err)
		}
		if refused, err := w.desk.Approve(t.Context(), second, ref); err != nil || refused != "" || w.state(t, ref) != request.Approved {
			t.Errorf("the second member: %q, %v, %s", refused, err, w.state(t, ref))
		}
		if n := w.count(t, w.site.ID, audit.RequestApproved); n != 2 {
			t.Errorf("%d approvals in the trail", n)
		}
	})
}

func TestTheFirstWordOfWhoIsStaffNoMoreCountsForNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Group = policy.GroupAdmin
		ref := w.asked(t, f)
		approve := func(who user.User) {
			t.Helper()
			if refused, err := w.desk.Approve(t.Context(), w.in(t, who, site.Site{}), ref); refused != "" || err != nil {
				t.Fatalf("approving: %q, %v", refused, err)
			}
		}
		ulla := w.staff(t, "ulla")
		w.let(t, w.toni, w.site)
		w.let(t, ulla, w.site)
		approve(w.sam)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.EndStaff(ctx, tx, w.sam.ID) })
		ref.Seen = request.ApprovedOnce
		approve(w.toni)
		r, err := w.desk.ByID(t.Context(), ref.Site, ref.ID)
		if err != nil || r.State != request.ApprovedOnce || r.FirstBy != w.toni.ID {
			t.Fatalf("%s, first approved by %s: %v", r.State, r.FirstBy, err)
		}
		if refused, err := w.desk.Approve(t.Context(), w.in(t, w.toni, site.Site{}), ref); refused != request.SameMember || err != nil {
			t.Errorf("both words are Toni's: %q, %v", refused, err)
		}
		approve(ulla)
		if w.state(t, ref) != request.Approved {
			t.Errorf("two who are staff have approved it: %s", w.state(t, ref))
		}
	})
}

func TestWhoMayNotApproveIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref := w.asked(t, nia)
		approve := func(who user.User, late ...time.Duration) (request.Refused, error) {
			return w.desk.Approve(t.Context(), w.in(t, who, site.Site{}, late...), ref)
		}
		if _, err := approve(w.pat); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin approves: %v", err)
		}
		if refused, err := approve(w.sam, 6*time.Minute); err != nil || refused != request.NotFresh {
			t.Errorf("an old proof: %q, %v", refused, err)
		}
		w.let(t, w.toni, w.site)
		w.join(t, w.toni, w.site, policy.GroupUser)
		if refused, err := approve(w.toni); err != nil || refused != request.OwnSite {
			t.Errorf("a member of the site: %q, %v", refused, err)
		}
		foreign := ref
		foreign.Site = w.twin.ID
		if _, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), foreign); !errors.Is(err, fault.NotFound) {
			t.Errorf("under another site: %v", err)
		}
		f := nia
		f.Email = "sam@vendor.example"
		staffs := w.asked(t, f)
		if refused, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), staffs); err != nil || refused != request.StaffAddress {
			t.Errorf("an address of staff: %q, %v", refused, err)
		}
		w.change(t, `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`, w.site.ID, w.pat.ID)
		if refused, err := approve(w.sam); err != nil || refused != request.AskerGone {
			t.Errorf("after the asker has left: %q, %v", refused, err)
		}
		if w.state(t, ref) != request.Asked {
			t.Errorf("it is %s", w.state(t, ref))
		}
	})
}

func TestADeclineNeedsWordsAndTheSiteReadsThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref := w.asked(t, nia)
		sam := w.in(t, w.sam, site.Site{})
		if refused, err := w.desk.Decline(t.Context(), sam, ref, " \n "); err != nil || refused != request.NoReason {
			t.Errorf("without words: %q, %v", refused, err)
		}
		if refused, err := w.desk.Decline(t.Context(), sam, ref, "Nia left in May."); err != nil || refused != "" {
			t.Fatalf("%q, %v", refused, err)
		}
		r, err := w.desk.ByID(t.Context(), ref.Site, ref.ID)
		if err != nil || r.State != request.Declined || r.Reason != "Nia left in May." || r.State.Open() {
			t.Errorf("%+v, %v", r, err)
		}
		if told := w.told(t, w.pat); !slices.Equal(told, []string{"request_declined"}) {
			t.Errorf("told %v", told)
		}
		w.asked(t, nia) // it may be asked for again
	})
}

func TestALookByStaffIsInTheSitesTrail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref := w.asked(t, nia)
		sight, err := w.desk.Look(t.Context(), w.in(t, w.sam, site.Site{}), ref.Site, ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		if sight.Asker.ID != w.pat.ID || sight.Counts[policy.GroupAdmin] != 1 || sight.Counts[policy.GroupMechanic] != 1 || sight.Second {
			t.Errorf("%+v", sight)
		}
		if w.count(t, w.site.ID, audit.StaffViewed) != 1 {
			t.Error("the look is not in the trail")
		}
		if _, err := w.desk.Look(t.Context(), w.in(t, w.twinPat, w.twin), ref.Site, ref.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin looks: %v", err)
		}
	})
}

// sweep runs the sweep once.
func (w *world) sweep(t *testing.T) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Sweep(ctx, tx, 100) })
}
