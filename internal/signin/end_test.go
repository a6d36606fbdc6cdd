package signin_test

import (
	"context"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/password"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

func TestWhatWasSignedOutIsDeadAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token, other := w.in(t, w.pat, home), w.in(t, w.pat, elsewhere)
		s := w.expect(t, token, check.In).Session
		for range 2 {
			if err := w.desk.SignOut(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		w.expect(t, token, check.Out)
		w.expect(t, other, check.In)
		for _, near := range []string{"", token[:len(token)-1], token + "A", " " + token} {
			w.expect(t, near, check.Out)
		}
		if next := w.raise(t, s); next.Step != signin.Gone {
			t.Errorf("to raise it: %+v", next)
		}
		if got := w.times(t, w.pat, audit.SessionEnded); got != 1 {
			t.Errorf("ended %d times", got)
		}
	})
}

func TestANewPasswordEndsSessionsAttemptsAndCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token, twin := w.in(t, w.pat, home), w.single(t, w.twinPat, home)
		attempt, digits := w.again(t, w.pat, home)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			fresh, err := password.Parse(password.Hash("another password"))
			if err != nil {
				return err
			}
			return user.SetPassword(ctx, tx, w.pat.ID, fresh)
		})
		w.expect(t, token, check.Out)
		w.expect(t, twin, check.In)
		if next := w.code(t, attempt, digits); next.Step != signin.Gone {
			t.Errorf("the code of before: %+v", next)
		}
		if _, ok, err := w.desk.View(t.Context(), attempt); ok || err != nil {
			t.Errorf("the page of before: %t, %v", ok, err)
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, home); next != refused {
			t.Errorf("the old password: %+v", next)
		}
		if next := w.try(t, string(w.pat.Login), "another password", home); next.Step != signin.AskCode {
			t.Errorf("the new one: %+v", next)
		}
	})
}

func TestAChangeOfOneMembershipEndsOnlyWhatReachesThatSite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		here := w.choose(t, w.bookkeeper(t), w.free).Session
		there := w.choose(t, w.bookkeeper(t), w.twin).Session
		s := w.expect(t, here, check.In).Session
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return epoch.Raise(ctx, tx, epoch.Member(w.free.ID, w.bo.ID))
		})
		w.expect(t, here, check.Out)
		w.expect(t, there, check.In)
		if next := w.switchTo(t, s, w.twin); next.Step != signin.Gone {
			t.Errorf("from a session that is dead: %+v", next)
		}
	})
}
