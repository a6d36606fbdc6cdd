package member_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

func TestNobodyWhoseAccessHasAnEndBecomesAnAdmin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		tam := w.user(t, "tam@bayside.example", "Tam", "Temp", w.site, policy.GroupMechanic)
		w.until(t, tam.ID, 2*time.Hour)
		pat := w.in(t, w.pat, w.site)
		for _, now := range []policy.Status{policy.Active, policy.Inactive} {
			admin := func(f *member.Form) { f.Group, f.Status = policy.GroupAdmin, now }
			if saved := w.save(t, pat, tam, admin); saved.Refused != member.EndlessAdmin {
				t.Errorf("%s: %+v", now, saved)
			}
		}
		if saved := w.save(t, pat, tam, func(f *member.Form) { f.Group = policy.GroupManager }); saved.Refused != "" {
			t.Errorf("another group: %+v", saved)
		}
		if saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Group = policy.GroupAdmin }); saved.Refused != "" {
			t.Errorf("somebody who stays: %+v", saved)
		}
	})
}

func TestAnAdminWhoseAccessHasAnEndIsNotTheOneWhoStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.until(t, w.max.ID, 2*time.Hour) // stored before that was refused
		maxs := w.in(t, w.max, w.site)
		for _, change := range []func(*member.Form){
			func(f *member.Form) { f.Group = policy.GroupMechanic },
			func(f *member.Form) { f.Status = policy.Blocked },
		} {
			if saved := w.save(t, maxs, w.pat, change); saved.Refused != member.LastAdmin {
				t.Errorf("the one who stays: %+v", saved)
			}
		}
		if refused, err := w.desk.Left(t.Context(), maxs, w.pat.ID); err != nil || refused != member.LastAdmin {
			t.Errorf("has left: %q, %v", refused, err)
		}
		w.db.Clock.Advance(3 * time.Hour) // and nobody has tidied up
		admins, err := site.Admins(t.Context(), w.db, w.db.Clock.Now(), w.site.ID)
		if err != nil || !slices.Equal(admins, []id.User{w.pat.ID}) {
			t.Errorf("the Admins are %v, %v", admins, err)
		}
	})
}

// until gives somebody's access at the site an end.
func (w *world) until(t *testing.T, who id.User, in time.Duration) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return tx.Change(ctx, `UPDATE memberships SET access_until = $3 WHERE site_id = $1 AND user_id = $2`, w.site.ID, who, db.Stamp(tx.Now.Add(in)))
	})
}
