package enrol_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func (w *world) joined(t *testing.T, keep, other user.User) (ok bool) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		ok, err = w.desk.Join(ctx, tx, keep.ID, other.ID)
		return err
	})
	return ok
}

func (w *world) sites(t *testing.T, who user.User) map[id.Site]site.Membership {
	t.Helper()
	all, err := site.MembershipsOf(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	at := map[id.Site]site.Membership{}
	for _, m := range all {
		at[m.Site] = m
	}
	return at
}

func TestTwoLoginsOfOnePersonBecomeOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, token := w.in(t, w.bo, freshEmail)
		_, second := w.in(t, w.twoBo, freshEmail)
		_, twin := w.in(t, w.twinKim, freshEmail)
		before := w.sites(t, w.twoBo)[w.view.ID]
		mine := len(w.methods(t, w.bo))
		next, err := w.door.JoinLogin(t.Context(), h.Session, w.try(w.twoBo))
		if err != nil || next.Step != signin.AskCode {
			t.Fatalf("the other login's password: %+v, %v", next, err)
		}
		digits := strings.ReplaceAll(shown.FindString(w.inbox.next(t, string(w.twoBo.Login))), " ", "")
		attempt := next.Attempt
		if next, err = w.door.Code(t.Context(), attempt, signin.Typed{Text: digits}); err != nil || next.Step != signin.Both || next.Session != "" {
			t.Fatalf("the other login's code: %+v, %v", next, err)
		}
		if next, err = w.door.FinishJoin(t.Context(), h.Session, attempt); err != nil || next.Step != signin.Both || next.Session == "" {
			t.Fatalf("in the session that asked: %+v, %v", next, err)
		}
		w.expect(t, token, check.Out)
		w.expect(t, second, check.Out)
		w.expect(t, twin, check.In)
		w.expect(t, next.Session, check.In)
		after := w.sites(t, w.bo)
		if moved := after[w.view.ID]; len(after) != 2 || moved.UserRef != before.UserRef || moved.Group != before.Group {
			t.Errorf("memberships: %+v", after)
		}
		if len(w.sites(t, w.twoBo)) != 0 || len(w.methods(t, w.bo)) != mine {
			t.Error("the other login has memberships, or its methods came over")
		}
		// The other name signs in nowhere, and is nobody else's.
		if got, err := w.door.Password(t.Context(), w.try(w.twoBo)); err != nil || got.Wrong != signin.WrongPassword {
			t.Errorf("the other login: %+v, %v", got, err)
		}
		for _, who := range []user.User{w.bo, w.twoBo} {
			if text := w.inbox.next(t, string(who.Login)); !strings.Contains(text, "one") {
				t.Errorf("the notice says %q", text)
			}
		}
		for _, s := range []site.Site{w.view, w.bay} {
			events, err := audit.List(t.Context(), w.db, audit.Filter{Site: s.ID}, 200)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, e := range events {
				if e.Kind == audit.LoginsJoined {
					n++
				}
			}
			if want := map[id.Site]int{w.view.ID: 1, w.bay.ID: 0}[s.ID]; n != want {
				t.Errorf("%s has %d events", s.Name, n)
			}
		}
	})
}

func TestWhoeverHoldsTheAttemptOfAJoinGetsNothingWithoutTheSessionThatBeganIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, token := w.in(t, w.bo, freshEmail)
		again, _ := w.in(t, w.bo, freshEmail)
		victim, _ := w.in(t, w.twoBo, freshEmail)
		for name, theirs := range map[string]session.Session{
			"no session": {}, "the other login's": victim.Session, "another of the same person's": again.Session,
		} {
			next, err := w.door.JoinLogin(t.Context(), h.Session, w.try(w.twoBo))
			if err != nil || next.Step != signin.AskCode {
				t.Fatalf("%s: the other login's password: %+v, %v", name, next, err)
			}
			attempt := next.Attempt
			digits := strings.ReplaceAll(shown.FindString(w.inbox.next(t, string(w.twoBo.Login))), " ", "")
			if next, err = w.door.Code(t.Context(), attempt, signin.Typed{Text: digits}); err != nil || next.Step != signin.Both || next.Session != "" {
				t.Fatalf("%s: the other login's code: %+v, %v", name, next, err)
			}
			if next, err = w.door.FinishJoin(t.Context(), theirs, attempt); err != nil || next.Step != signin.Gone || next.Session != "" {
				t.Errorf("with %s: %+v, %v", name, next, err)
			}
			if next, err = w.door.FinishJoin(t.Context(), h.Session, attempt); err != nil || next.Step != signin.Gone || next.Session != "" {
				t.Errorf("after %s, in the right session: %+v, %v", name, next, err)
			}
			w.db.Clock.Advance(31 * time.Second)
		}
		w.expect(t, token, check.In)
		if len(w.sites(t, w.bo)) != 1 || len(w.sites(t, w.twoBo)) != 1 {
			t.Error("the logins were joined")
		}
	})
}

func TestAJoinIsNotFinishedBeforeTheSecondLoginIsProved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.bo, freshEmail)
		next, err := w.door.JoinLogin(t.Context(), h.Session, w.try(w.twoBo))
		if err != nil || next.Step != signin.AskCode {
			t.Fatalf("the other login's password: %+v, %v", next, err)
		}
		if got, err := w.door.FinishJoin(t.Context(), h.Session, next.Attempt); err != nil || got.Step != signin.Gone {
			t.Errorf("with the password alone: %+v, %v", got, err)
		}
		if len(w.sites(t, w.bo)) != 1 || len(w.sites(t, w.twoBo)) != 1 {
			t.Error("the logins were joined")
		}
	})
}

func TestLoginsOfOneSiteOfStaffAndOfNobodyAreNotJoined(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		none := w.user(t, "none@books.example", "Bo", "Ng")
		inactive := w.user(t, "left@books.example", "Bo", "Ng")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return site.Join(ctx, tx, site.Membership{
				Site: w.bay.ID, User: inactive.ID, UserRef: "left", Group: policy.GroupSales, Kind: policy.Office, Status: policy.Inactive,
			})
		})
		for name, other := range map[string]user.User{"of one site": w.kim, "inactive in that site": inactive, "of nobody": none, "the same": w.bo} {
			if w.joined(t, w.bo, other) || w.joined(t, other, w.bo) {
				t.Errorf("a login %s is joined", name)
			}
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE users SET staff = TRUE WHERE user_id = $1`, w.twoBo.ID)
			return err
		})
		if w.joined(t, w.bo, w.twoBo) || w.joined(t, w.twoBo, w.bo) {
			t.Error("a login of staff is joined")
		}
		if len(w.sites(t, w.bo)) != 1 || len(w.sites(t, w.twoBo)) != 1 || w.times(t, w.bo, audit.LoginsJoined) != 0 {
			t.Error("something was changed")
		}
	})
}

func TestTwoJoinsTheOtherWayRoundLoseNoMembership(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var all sync.WaitGroup
		got := make([]bool, 8)
		for i := range got {
			one, two := w.bo, w.twoBo
			if i%2 == 1 {
				one, two = two, one
			}
			all.Go(func() {
				err := w.db.Do(t.Context(), func(tx *db.Tx) (err error) {
					got[i], err = w.desk.Join(t.Context(), tx, one.ID, two.ID)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		n := 0
		for _, ok := range got {
			if ok {
				n++
			}
		}
		if one, two := len(w.sites(t, w.bo)), len(w.sites(t, w.twoBo)); n != 1 || one+two != 2 || one == two {
			t.Errorf("%d were joined; one has %d memberships, the other %d", n, one, two)
		}
	})
}

func TestAJoinTakesAFreshProofOfTheLoginThatStaysWhenItIsMade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		const almost = policy.FreshFor - 10*time.Second
		h, _ := w.in(t, w.bo, freshEmail)
		w.db.Clock.Advance(almost) // fresh when it begins, and the attempt is young when it ends
		next, err := w.door.JoinLogin(t.Context(), h.Session, w.try(w.twoBo))
		if err != nil || next.Step != signin.AskCode {
			t.Fatalf("the other login's password: %+v, %v", next, err)
		}
		digits := strings.ReplaceAll(shown.FindString(w.inbox.next(t, string(w.twoBo.Login))), " ", "")
		attempt := next.Attempt
		w.db.Clock.Advance(almost)
		if next, err = w.door.Code(t.Context(), attempt, signin.Typed{Text: digits}); err != nil || next.Step != signin.Both {
			t.Fatalf("the other login's code: %+v, %v", next, err)
		}
		if next, err = w.door.FinishJoin(t.Context(), h.Session, attempt); err != nil || next.Step != signin.Gone || next.Session != "" {
			t.Errorf("with a proof of %v ago: %+v, %v", 2*almost, next, err)
		}
		if len(w.sites(t, w.bo)) != 1 || len(w.sites(t, w.twoBo)) != 1 {
			t.Error("the logins were joined")
		}
	})
}
