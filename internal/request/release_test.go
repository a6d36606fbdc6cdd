package request_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/request"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// holderOf is the id of who has an address; empty for nobody.
func (w *world) holderOf(t *testing.T, email string) id.User {
	t.Helper()
	who, err := user.ByLogin(t.Context(), w.db, address.Canonical(email))
	if err != nil {
		return ""
	}
	return who.ID
}

func (w *world) withdraw(t *testing.T, by user.User, ref request.Ref) {
	t.Helper()
	s := w.site
	if ref.Site == w.twin.ID {
		s = w.twin
	}
	if refused, err := w.desk.Withdraw(t.Context(), w.in(t, by, s), ref.ID); refused != "" || err != nil {
		t.Fatalf("withdrawing: %q, %v", refused, err)
	}
}

func TestAnInvitationThatEndsGivesItsAddressBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for name, end := range map[string]func(request.Ref){
			"withdrawn": func(ref request.Ref) { w.withdraw(t, w.pat, ref) },
			"run out": func(ref request.Ref) {
				w.change(t, `UPDATE requests SET expires_at = $2 WHERE request_id = $1`, ref.ID, db.Stamp(time.Now().Add(-time.Minute)))
				w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Sweep(ctx, tx, 100) })
			},
		} {
			ref, _ := w.invited(t, nia)
			made := w.holderOf(t, nia.Email)
			end(ref)
			if free, err := user.Free(t.Context(), w.db, time.Now(), w.kim.ID, address.Canonical(nia.Email)); err != nil || !free {
				t.Errorf("%s: the address is free: %v, %v", name, free, err)
			}
			shell, err := user.ByID(t.Context(), w.db, made)
			if err != nil || shell.FirstName+shell.LastName != "" {
				t.Errorf("%s: what is left of the user: %+v, %v", name, shell, err)
			}
			if _, err := address.Login(string(shell.Login)); err == nil {
				t.Errorf("%s: %q can be typed", name, shell.Login)
			}
		}
		// It may be asked for again, and is accepted like the first.
		_, token := w.invited(t, nia)
		if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || out.Gone {
			t.Errorf("accepting: %+v, %v", out, err)
		}
	})
}

func TestAnAddressThatIsSomebodysStaysTheirs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Email = string(w.twinKim.Login)
		ref, _ := w.invited(t, f)
		w.withdraw(t, w.pat, ref)
		if w.holderOf(t, f.Email) != w.twinKim.ID {
			t.Error("a user of the twin lost their login name")
		}

		// Somebody who was added in another way, and has no password yet.
		var added user.User
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			added, err = user.Add(ctx, tx, user.User{Login: "uma@vendor.example", FirstName: "Uma"})
			return err
		})
		f.Email = string(added.Login)
		ref, _ = w.invited(t, f)
		w.withdraw(t, w.pat, ref)
		if w.holderOf(t, f.Email) != added.ID {
			t.Error("who was not made for a request lost their login name")
		}

		// Two sites invite the same new person: the second keeps what the first gives up.
		first, _ := w.invited(t, nia)
		answer, err := w.desk.Ask(t.Context(), w.in(t, w.twinPat, w.twin), nia)
		if err != nil || !answer.Made() {
			t.Fatalf("asking: %+v, %v", answer, err)
		}
		second := request.Ref{Site: w.twin.ID, ID: answer.Request, Seen: request.Asked}
		if refused, err := w.desk.Approve(t.Context(), w.in(t, w.sam, site.Site{}), second); refused != "" || err != nil {
			t.Fatalf("approving: %q, %v", refused, err)
		}
		w.withdraw(t, w.pat, first)
		if w.holderOf(t, nia.Email) == "" {
			t.Fatal("the invitation of the twin lost its address")
		}
		w.withdraw(t, w.twinPat, second)
		if w.holderOf(t, nia.Email) != "" {
			t.Error("the address is held for nobody")
		}
	})
}
