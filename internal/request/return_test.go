package request_test

import (
	"testing"
	"time"

	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
)

func TestATempWhoseAccessIsOverComesBackByARequestWithANewLastDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Email, f.Group = string(w.kim.Login), policy.GroupSales
		f.LastDay = w.db.Clock.Now().Add(10 * 24 * time.Hour).Format(time.DateOnly)
		ask := func(want request.Refused) {
			t.Helper()
			if answer, err := w.desk.Ask(t.Context(), w.in(t, w.pat, w.site), f); err != nil || answer.Refused != want {
				t.Errorf("%+v, %v", answer, err)
			}
		}
		ask(request.Member)
		w.change(t, `UPDATE memberships SET access_until = $3, status = 'blocked' WHERE site_id = $1 AND user_id = $2`,
			w.site.ID, w.kim.ID, w.db.Clock.Now().Add(-time.Hour).UnixMicro())
		ask(request.Member) // who was blocked does not come back by a new day
		w.change(t, `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`, w.site.ID, w.kim.ID)
		before, err := site.MembershipIn(t.Context(), w.db, w.site.ID, w.kim.ID)
		if err != nil {
			t.Fatal(err)
		}
		ref, token := w.invited(t, f)
		if out, err := w.desk.Accept(t.Context(), token, hers, phone); err != nil || out.Gone || out.Wrong {
			t.Fatalf("%+v, %v", out, err)
		}
		m, err := site.MembershipIn(t.Context(), w.db, w.site.ID, w.kim.ID)
		if err != nil || !m.Active(w.db.Clock.Now()) || m.UserRef != before.UserRef || m.Group != policy.GroupSales || w.state(t, ref) != request.Accepted {
			t.Errorf("%+v, %v", m, err)
		}
		ask(request.Member)
	})
}
