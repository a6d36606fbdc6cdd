package member_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestAnUndoWaitsWhileSomebodyIsInactiveAndEndsWhenTheyHaveLeft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		status := func(to policy.Status) {
			t.Helper()
			if saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Status = to }); saved.Refused != "" {
				t.Fatalf("%s: %+v", to, saved)
			}
		}
		w.save(t, pat, w.kim, email("kim.by.pat@bayside.example"))
		link := w.sent(t, w.kim, message.LoginUndo)[0]
		view := func(what string, want login.Found) {
			t.Helper()
			if _, found, err := w.desk.Login.View(t.Context(), link); err != nil || found != want {
				t.Errorf("%s: %q, %v", what, found, err)
			}
		}
		for _, stop := range []policy.Status{policy.Inactive, policy.Blocked} {
			status(stop)
			view(string(stop), login.Over)
			if found, err := w.desk.Login.Undo(t.Context(), link, place); err != nil || found != login.Over {
				t.Errorf("undone while %s: %q, %v", stop, found, err)
			}
			status(policy.Active)
			view("active again", login.May)
		}
		if refused, err := w.desk.Left(t.Context(), pat, w.kim.ID); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		status(policy.Active)
		view("back after they left", login.Over)
	})
}

func TestAnUndoOfABlockedAndThenActiveMemberWorksForSevenDays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.by.pat@bayside.example"))
		link := w.sent(t, w.kim, message.LoginUndo)[0]
		for _, to := range []policy.Status{policy.Blocked, policy.Active} {
			w.save(t, w.in(t, w.pat, w.site), w.kim, func(f *member.Form) { f.Status = to })
		}
		w.db.Clock.Advance(user.UndoLife - time.Hour)
		if found, err := w.desk.Login.Undo(t.Context(), link, place); err != nil || found != login.Done || w.again(t, w.kim).Login != "kim@bayside.example" {
			t.Errorf("%q, %v", found, err)
		}
	})
}

// lee is somebody who has no password yet, and whose new address a stranger reads: they
// set the first password, and are the one who signs in.
func (w *world) lee(t *testing.T) (lee user.User, undo string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if lee, err = user.Add(ctx, tx, user.User{Login: "lee@bayside.example", FirstName: "Lee"}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: lee.ID, Kind: policy.Email, Address: "lee@bayside.example"})
		return err
	})
	w.join(t, lee, w.site, policy.GroupMechanic)
	w.save(t, w.in(t, w.pat, w.site), lee, email("le@bayside.example"))
	undo = w.sent(t, lee, message.LoginUndo)[0]
	now := w.again(t, lee)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return w.rescue.InviteFirst(ctx, tx, now, w.site.ID, audit.Actor{Kind: audit.ActorSystem, ID: "test"})
	})
	links := w.sent(t, lee, message.ResetLink)
	set, err := w.rescue.SetPassword(t.Context(), links[len(links)-1], secret.NewText("a stranger's long words"), place)
	if err != nil || set.Gone || set.Unfit != "" {
		t.Fatalf("%+v, %v", set, err)
	}
	return lee, undo
}

func TestAnUndoTakesThePasswordOfAStrangerAndTheOwnerSetsTheFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		lee, undo := w.lee(t)
		w.confirm(t, lee)
		theirs, before := w.in(t, lee, w.site), len(w.sent(t, lee, message.ResetLink))
		if found, err := w.desk.Login.Undo(t.Context(), undo, place); err != nil || found != login.Done {
			t.Fatalf("%q, %v", found, err)
		}
		if u := w.again(t, lee); u.Password.Encoded() != "" || !u.PasswordSetAt.IsZero() || u.Login != "lee@bayside.example" {
			t.Errorf("%+v", u)
		}
		if w.alive(t, theirs) {
			t.Error("the stranger's session goes on")
		}
		links := w.sent(t, lee, message.ResetLink)
		if len(links) != before+1 {
			t.Fatalf("%d links, %d before", len(links), before)
		}
		set, err := w.rescue.SetPassword(t.Context(), links[before], secret.NewText("words of Lee's own"), place)
		if err != nil || set.Gone || set.Unfit != "" {
			t.Fatalf("the owner's first: %+v, %v", set, err)
		}
		if u := w.again(t, lee); u.Password.Encoded() == "" || !u.ResetMarkAt.IsZero() {
			t.Errorf("%+v", u)
		}
	})
}

func TestAnUndoLeavesThePasswordOfWhoeverHadOneOrProvedAnotherWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		lee, undo := w.lee(t)
		w.prove(t, lee, policy.TOTP, "")
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.by.pat@bayside.example"))
		for whom, link := range map[string]string{string(lee.ID): undo, string(w.kim.ID): w.sent(t, w.kim, message.LoginUndo)[0]} {
			if found, err := w.desk.Login.Undo(t.Context(), link, place); err != nil || found != login.Done {
				t.Fatalf("%s: %q, %v", whom, found, err)
			}
		}
		for _, u := range []user.User{w.again(t, lee), w.again(t, w.kim)} {
			if u.Password.Encoded() == "" {
				t.Errorf("%s has no password", u.Login)
			}
		}
	})
}

func TestTheOldAddressOfWhoeverIsElsewhereTooIsNotShown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.do(t, func(ctx context.Context, tx *db.Tx) error { // Bo's own change, at the other site
			m, err := method.Link(ctx, tx, method.Method{User: w.bo.ID, Kind: policy.Email, Address: "bo@new.example", ProvedAt: tx.Now})
			if err != nil {
				return err
			}
			_, err = w.desk.Login.Make(ctx, tx, login.Change{
				User: w.bo, To: "bo@new.example", Site: w.twin.ID, Proved: m.ID, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(w.bo.ID)},
			})
			return err
		})
		w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.new@bayside.example"))
		for _, one := range []struct {
			at   site.Site
			by   user.User
			whom user.User
			old  string
		}{{w.site, w.pat, w.bo, ""}, {w.twin, w.twinPat, w.bo, ""}, {w.site, w.pat, w.kim, "kim@bayside.example"}} {
			card, err := w.desk.Card(t.Context(), w.in(t, one.by, one.at), one.whom.ID)
			if err != nil || card.Old != one.old || card.OldUntil.IsZero() != (one.old == "") {
				t.Errorf("%s reads of %s: %q until %s, %v", one.by.Login, one.whom.Login, card.Old, card.OldUntil, err)
			}
		}
	})
}
