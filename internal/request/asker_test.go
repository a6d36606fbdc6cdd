package request_test

import (
	"context"
	"slices"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestAnInvitationEndsWithTheAdminWhoAsked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		jo := w.user(t, "jo@bayside.example", "Jo")
		w.join(t, jo, w.site, policy.GroupAdmin)
		invited, token := w.invited(t, nia)
		f := nia
		f.Email = "bo@books.example"
		mine, _ := w.invited(t, f)
		f.Email = "tia@pooles.example"
		asked := w.asked(t, f)
		f.Email = "mia@pooles.example"
		other, err := w.desk.Ask(t.Context(), w.in(t, jo, w.site), f)
		if err != nil || !other.Made() {
			t.Fatal(other, err)
		}
		w.change(t, `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`, w.site.ID, w.pat.ID)

		if _, ok, err := w.desk.View(t.Context(), token); err != nil || ok {
			t.Errorf("it still shows: %v", err)
		}
		if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || !out.Gone {
			t.Errorf("it is accepted: %+v, %v", out, err)
		}
		if all, err := w.desk.Mine(t.Context(), w.bo.ID); err != nil || len(all) != 0 {
			t.Errorf("somebody who signs in here is offered %v, %v", all, err)
		}
		if out, err := w.desk.Join(t.Context(), w.in(t, w.bo, site.Site{}), w.site.ID, mine.ID); err != nil || !out.Gone {
			t.Errorf("they join: %+v, %v", out, err)
		}
		if refused, err := w.desk.Resend(t.Context(), w.in(t, jo, w.site), invited.ID); err != nil || refused != request.Over {
			t.Errorf("sent again: %q, %v", refused, err)
		}
		before := len(w.told(t, jo))
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Sweep(ctx, tx, 10) })
		for _, ref := range []request.Ref{invited, mine, asked} {
			if state := w.state(t, ref); state != request.Expired {
				t.Errorf("it is %s", state)
			}
		}
		if state := w.state(t, request.Ref{Site: w.site.ID, ID: other.Request}); state != request.Asked {
			t.Errorf("that of an Admin who stays is %s", state)
		}
		if told := w.told(t, jo)[before:]; len(told) != 3 || slices.ContainsFunc(told, func(s string) bool { return s != "request_expired" }) {
			t.Errorf("the Admin who stays was told %v", told)
		}
	})
}

func TestNobodyReadsANameThatAnotherSiteTyped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.invited(t, nia)
		f := nia
		f.FirstName, f.LastName = "Antonia", "Poole-Smith"
		a, err := w.desk.Ask(t.Context(), w.in(t, w.twinPat, w.twin), f)
		if err != nil || !a.Made() {
			t.Fatal(a, err)
		}
		ref := request.Ref{Site: w.twin.ID, ID: a.Request, Seen: request.Asked}
		if refused, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), ref); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		if who, err := user.ByLogin(t.Context(), w.db, "nia@pooles.example"); err != nil || who.FirstName+who.LastName != "" {
			t.Errorf("before anybody accepted the user is called %q, %v", who.Name(), err)
		}
		if out, err := w.desk.Accept(t.Context(), w.token(t, f.Email), words, phone); err != nil || out.Gone {
			t.Fatal(out, err)
		}
		m, _ := w.membership(t, f.Email, w.twin)
		if who, err := user.ByID(t.Context(), w.db, m.User); err != nil || who.Name() != "Antonia Poole-Smith" {
			t.Errorf("the user is called %q, %v", who.Name(), err)
		}
	})
}
