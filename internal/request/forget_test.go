package request_test

import (
	"context"
	"testing"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/request"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestErasingAPersonReachesTheRequestByWhichTheyCame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ref, token := w.invited(t, nia)
		if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || out.Gone {
			t.Fatalf("accepting: %+v, %v", out, err)
		}
		f := nia
		f.FirstName, f.Email = "Noa", "noa@pooles.example"
		other := w.asked(t, f)
		m, _ := w.membership(t, nia.Email, w.site)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			if err := request.Forget(ctx, tx, m.User); err != nil {
				return err
			}
			_, err := audit.EraseFor(ctx, tx, audit.Actor{Kind: audit.ActorCommand, ID: "test"}, m.User, "request")
			return err
		})
		all, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID}, 200)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, e := range all {
			switch {
			case e.Facts["request"] == string(other.ID):
				kept += len(e.Personal)
			case len(e.Personal) > 0:
				t.Errorf("%s still has %v", e.Kind, e.Personal)
			}
		}
		if kept != 3 {
			t.Errorf("of somebody else's request %d values are left", kept)
		}
		r, err := w.desk.ByID(t.Context(), ref.Site, ref.ID)
		if err != nil || r.FirstName+r.LastName+r.Mobile+string(r.Email) != "" || r.Name() == "" {
			t.Errorf("the request still has %+v, %v", r, err)
		}
		if r, err = w.desk.ByID(t.Context(), other.Site, other.ID); err != nil || r.Name() != "Noa Poole" {
			t.Errorf("somebody else's request: %+v, %v", r, err)
		}
	})
}

func TestErasingAPersonReachesRequestsUnderTheAddressesThatWereTheirs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		declined := func(email address.Canonical) request.Ref {
			f := nia
			f.Email = string(email)
			ref := w.asked(t, f)
			if refused, err := w.desk.Decline(t.Context(), w.in(t, w.sam, site.Site{}), ref, "Nobody knows them"); err != nil || refused != "" {
				t.Fatal(refused, err)
			}
			return ref
		}
		before, passedOn := declined("nia@pooles.example"), declined("ola@pooles.example")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			who, err := user.Add(ctx, tx, user.User{Login: "nia@home.example", FirstName: "Nia"})
			if err != nil {
				return err
			}
			for _, old := range []address.Canonical{"nia@pooles.example", "ola@pooles.example"} {
				if _, _, err := user.KeepOld(ctx, tx, user.User{ID: who.ID, Login: old}, who.Login); err != nil {
					return err
				}
			}
			if err := user.EndUndos(ctx, tx, who.ID); err != nil {
				return err
			}
			if _, err := user.Add(ctx, tx, user.User{Login: "ola@pooles.example", FirstName: "Ana"}); err != nil {
				return err
			}
			return request.Forget(ctx, tx, who.ID)
		})
		if r, err := w.desk.ByID(t.Context(), before.Site, before.ID); err != nil || r.FirstName+r.LastName+r.Mobile+r.Reason+string(r.Email) != "" {
			t.Errorf("under an earlier address: %+v, %v", r, err)
		}
		if r, err := w.desk.ByID(t.Context(), passedOn.Site, passedOn.ID); err != nil || r.Email != "ola@pooles.example" {
			t.Errorf("under an address that is another's by now: %+v, %v", r, err)
		}
	})
}
