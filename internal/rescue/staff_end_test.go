package rescue_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/rescue"
	"keyturn/internal/user"
)

func TestWhoeverIsStaffNoMoreHasNothingLeftOfIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		umas, toni := w.onDuty(t, w.uma), w.onDuty(t, w.toni)
		for name, row := range map[string]struct {
			who    user.User
			reason string
			want   bool
		}{
			"a colleague": {w.uma, "has left the company", true}, "without a reason": {w.uma, "left", false},
			"oneself": {w.toni, "has left the company", false}, "a mechanic": {w.kim, "has left the company", false},
		} {
			if got, err := w.desk.MayEndStaff(t.Context(), w.db, toni, row.who.ID, row.reason); err != nil || got != row.want {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.EndStaff(ctx, tx, toni, w.uma.ID) })
		for _, by := range []authority.Bearer{umas, w.onDuty(t, w.uma)} {
			if err := authority.Staff(t.Context(), w.db, w.db.Clock.Now(), by); !errors.Is(err, fault.NotFound) {
				t.Errorf("Uma is staff: %v", err)
			}
		}
		if all := texts(t, w.db, `SELECT site_id FROM staff_sites WHERE user_id = '`+string(w.uma.ID)+`'`); len(all) != 0 {
			t.Errorf("Uma keeps %q", all)
		}
		list, err := w.desk.Colleagues(t.Context(), toni)
		if err != nil || slices.ContainsFunc(list, func(c rescue.Colleague) bool { return c.User.ID == w.uma.ID }) || len(list) != 2 {
			t.Errorf("staff are %+v, %v", list, err)
		}
		if w.count(t, w.uma, "", audit.StaffEnded) != 1 {
			t.Error("the trail")
		}
		for _, who := range []user.User{w.sam, w.toni, w.uma} {
			if got := w.told(t, who); !slices.Equal(got, []string{string(message.StaffEnded)}) {
				t.Errorf("%s was told %q", who.Login, got)
			}
		}
		err = w.db.Do(t.Context(), func(tx *db.Tx) error { return w.desk.EndStaff(t.Context(), tx, toni, w.uma.ID) })
		if !errors.Is(err, fault.Conflict) {
			t.Errorf("ended twice: %v", err)
		}
	})
}

func TestARecoveryIsSeenAtGivenSitesAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which := w.begin(t, w.sam, w.pat, "")
		vera := w.onDuty(t, w.staff(t, "vera"))
		if _, err := w.desk.ByID(t.Context(), vera, w.pat.ID, which); !errors.Is(err, fault.NotFound) {
			t.Errorf("Vera sees it: %v", err)
		}
		if _, err := w.desk.Confirm(t.Context(), vera, w.pat.ID, which); !errors.Is(err, fault.NotFound) {
			t.Errorf("Vera confirms it: %v", err)
		}
		if list, hidden, err := w.desk.List(t.Context(), vera, rescue.RecoveryOpen); err != nil || len(list) != 0 || hidden != 1 {
			t.Errorf("Vera's list: %+v and %d, %v", list, hidden, err)
		}
		if list, hidden, err := w.desk.List(t.Context(), w.onDuty(t, w.toni), rescue.RecoveryOpen); err != nil || len(list) != 1 || hidden != 0 {
			t.Errorf("Toni's list: %+v and %d, %v", list, hidden, err)
		}
	})
}
