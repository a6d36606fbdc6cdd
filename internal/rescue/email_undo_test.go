package rescue_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

// undo uses the newest link of somebody's that undoes a change.
func (w *world) undo(t *testing.T, who user.User) user.User {
	t.Helper()
	_, l := w.userSetup()
	links := w.secrets(t, who, message.LoginUndo)
	if found, err := l.Undo(t.Context(), links[len(links)-1], elsewhere); err != nil || found != login.Done {
		t.Fatalf("undo: %q, %v", found, err)
	}
	return w.reread(t, who.ID)
}

// An Admin who sends a colleague's name through a mailbox of their own, and back, has not
// bought that mailbox an undo.
func TestAChangeThereAndBackIsAnUndoAndLeavesNoneToTheNameInBetween(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const between = "kim.private@webmail.example"
		by := w.in(t, w.max, w.site)
		w.mailTo(t, by, w.kim, between)
		w.db.Clock.Advance(time.Second)
		kim := w.mailTo(t, by, w.kim, string(w.kim.Login))
		if n := len(w.secrets(t, kim, message.LoginUndo)); n != 1 {
			t.Errorf("%d links to undo: the name in between has one", n)
		}
		if told := w.toldAt(t, between); !slices.Contains(told, string(message.LoginReplaced)) {
			t.Errorf("the name in between is told %v", told)
		}
		if m := w.mailbox(t, kim); m.NoRecovery || m.AwaitsProof {
			t.Errorf("the mailbox is not as it was: %+v", m)
		}
		if _, err := user.LiveChange(t.Context(), w.db, w.db.Clock.Now(), kim.ID); err == nil {
			t.Error("something can still be undone")
		}
	})
}

func TestAnAddressThatAnAdminGaveAndNobodyConfirmedGetsNoLinkToUndo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const never = "max.private@webmail.example"
		by := w.in(t, w.max, w.site)
		saved := w.save(t, by, w.kim.ID, member.Another, func(f *member.Form) { f.Email, f.First, f.Last = never, "Rae", "Real" })
		rae := w.reread(t, saved.Newcomer)
		if m := w.mailbox(t, rae); !m.NoRecovery {
			t.Errorf("the newcomer's mailbox is %+v", m)
		}
		rae = w.mailTo(t, by, rae, "rae@bayside.example")
		if links := w.secrets(t, rae, message.LoginUndo); len(links) != 0 {
			t.Error("a mailbox that an Admin typed can take the name back")
		}
		if told := w.toldAt(t, never); !slices.Contains(told, string(message.LoginReplaced)) {
			t.Errorf("it is told %v", told)
		}
		// Their first password is set from there, once.
		if s := w.set(t, w.link(t, rae), newPassword); s.Gone || s.Unfit != "" {
			t.Fatalf("the first password: %+v", s)
		}
		if w.recovers(t, w.reread(t, rae.ID)) {
			t.Error("it recovers, and nobody has shown that they read it")
		}
	})
}

func TestAnUndoGivesAMailboxThatNobodyProvedNoPowerOverWhatWasProvedSince(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		// Kim proves an authenticator after the change; Vic's first password is set from the
		// new address, and goes with it.
		w.mailTo(t, w.in(t, w.max, w.site), w.kim, "kim.new@bayside.example")
		w.prove(t, w.kim, policy.TOTP, "")
		kim := w.undo(t, w.kim)
		if m := w.mailbox(t, kim); !m.NoRecovery || !m.AwaitsProof || w.recovers(t, kim) {
			t.Errorf("the mailbox is %+v", m)
		}
		vic := w.imported(t)
		vic = w.mailTo(t, w.in(t, w.max, w.site), vic, "vic.new@bayside.example")
		w.set(t, w.link(t, vic), newPassword)
		if vic = w.undo(t, vic); !w.mailbox(t, vic).NoRecovery || vic.Password.Encoded() != "" {
			t.Errorf("the mailbox is %+v", w.mailbox(t, vic))
		}
	})
}

func TestAnAddressTakesTheNameBackOnceInNinetyDays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		change := func() {
			w.mailTo(t, w.in(t, w.max, w.site), w.kim, "kim.new@bayside.example")
		}
		change()
		w.undo(t, w.kim)
		w.db.Clock.Advance(8 * 24 * time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.Sweep(ctx, tx, 10) })
		change()
		if n := len(w.secrets(t, w.kim, message.LoginUndo)); n != 1 {
			t.Errorf("%d links to undo", n)
		}
		if told := w.toldAt(t, string(w.kim.Login)); !slices.Contains(told, string(message.LoginReplaced)) {
			t.Errorf("the old address is told %v", told)
		}
	})
}

// imported is somebody who was brought in without a password, and their mailbox.
func (w *world) imported(t *testing.T) (who user.User) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		who, err = user.Add(ctx, tx, user.User{Login: "vic@bayside.example", FirstName: "Vic", LastName: "Tan"})
		if err == nil {
			_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: "vic@bayside.example"})
		}
		return err
	})
	w.join(t, who, w.site, policy.GroupMechanic)
	return who
}

// Somebody without a password has no other start than their email, so an Admin may mend
// it, and could name a mailbox of their own. It is not prevented; it is seen.
func TestAnEmailThatGetsAFirstPasswordIsToldToTheAccountManagerAndTheOtherAdmins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.change(t, `UPDATE sites SET account_manager = $2 WHERE site_id = $1`, w.site.ID, string(w.sam.Login))
		w.mailTo(t, w.in(t, w.max, w.site), w.kim, "kim.new@bayside.example") // who has a password
		vic := w.mailTo(t, w.in(t, w.max, w.site), w.imported(t), "vic.new@bayside.example")
		for _, who := range []struct {
			user user.User
			told bool
		}{{w.sam, true}, {w.pat, true}, {w.max, false}, {w.toni, false}, {w.twinPat, false}} {
			n := 0
			for _, kind := range w.told(t, who.user) {
				if kind == string(message.FirstPasswordMoved) {
					n++
				}
			}
			if n != map[bool]int{true: 1}[who.told] {
				t.Errorf("%s is told %d times", who.user.Login, n)
			}
		}
		all, err := audit.List(t.Context(), w.db, audit.Filter{User: vic.ID, Site: w.site.ID}, 50)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(all, func(e audit.Entry) bool {
			return e.Kind == audit.LoginChanged && e.Facts["first_password"] == "from_the_new_address"
		}) {
			t.Error("the trail does not say that a first password can be set from there")
		}
		if s := w.set(t, w.link(t, vic), newPassword); s.Gone || s.Unfit != "" {
			t.Errorf("the first password: %+v", s)
		}
	})
}
