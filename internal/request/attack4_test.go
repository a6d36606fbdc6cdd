package request_test

import (
	"context"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// D1: somebody who has left one workshop is invited by another, and can never accept.
func TestAttackWhoLeftOneWorkshopCannotAcceptAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.change(t, `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`, w.twin.ID, w.twinKim.ID)
		f := nia
		f.Email = string(w.twinKim.Login)
		_, token := w.invited(t, f) // staff approve it without a word
		v, ok, err := w.desk.View(t.Context(), token)
		if err != nil || !ok {
			t.Fatalf("%t %v", ok, err)
		}
		door := &signin.Desk{
			DB: w.db, Keys: w.keys, Post: w.desk.Post, Slots: &password.Slots{Size: 2}, Floor: &password.Floor{}, Pace: &password.Floor{},
			VendorName: "Workshop Software", Standing: standing.Source{},
		}
		next, err := door.Password(t.Context(), signin.Try{Login: f.Email, Password: secret.NewText("grease under every nail"), Place: phone, Client: policy.ClientWeb})
		if err != nil {
			t.Fatal(err)
		}
		if !v.New && next.Wrong != "" {
			t.Errorf("the invitation says sign in (new: %t); the right password is answered %q", v.New, next.Wrong)
		}
	})
}

// D2: what was asked under an address that somebody had before stays after they are erased.
func TestAttackARequestUnderAnEarlierAddressIsNotForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Email = string(w.twinKim.Login)
		ref := w.asked(t, f)
		if refused, err := w.desk.Withdraw(t.Context(), w.in(t, w.pat, w.site), ref.ID); err != nil || refused != "" {
			t.Fatalf("%q %v", refused, err)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			if err := user.SetLogin(ctx, tx, w.twinKim, "kim.new@bayview.example"); err != nil {
				return err
			}
			return request.Forget(ctx, tx, w.twinKim.ID)
		})
		r, err := w.desk.ByID(t.Context(), ref.Site, ref.ID)
		if err == nil && r.Email != "" {
			t.Errorf("Kim is erased, and Bayside's page of requests still shows %s %s %s", r.Name(), r.Email, r.Mobile)
		}
		_ = site.Site{}
	})
}
