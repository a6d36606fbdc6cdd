package enrol_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

func TestAChangedPasswordIsTheOneThatSignsIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		const fresh = "eine Treppe aus Glas"
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.MarkReset(ctx, tx, w.kim.ID) })
		w.app(t, w.kim)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { // proved before the reset
			_, err := tx.Exec(ctx, `UPDATE methods SET proved_at = $2 WHERE user_id = $1 AND kind = 'totp'`,
				w.kim.ID, db.Stamp(tx.Now.Add(-time.Hour)))
			return err
		})
		h, _ := w.in(t, w.kim, proof{factor: policy.TOTP})
		must(t, answer(t)(w.desk.ChangePassword(t.Context(), h, secret.NewText(fresh))), nil)
		old := w.try(w.kim)
		if next, err := w.door.Password(t.Context(), old); err != nil || next.Wrong != signin.WrongPassword {
			t.Errorf("the old one: %+v, %v", next, err)
		}
		old.Password = secret.NewText(fresh)
		if next, err := w.door.Password(t.Context(), old); err != nil || next.Step != signin.AskCode {
			t.Errorf("the new one: %+v, %v", next, err)
		}
		twin := w.try(w.twinKim)
		if next, err := w.door.Password(t.Context(), twin); err != nil || next.Step != signin.AskCode {
			t.Errorf("the twin's: %+v, %v", next, err)
		}
		who, err := user.ByID(t.Context(), w.db, w.kim.ID)
		if err != nil || who.ResetMarkAt.IsZero() || who.Password.Form() != password.Argon2id {
			t.Errorf("marked at %v, %s, %v", who.ResetMarkAt, who.Password, err)
		}
		if w.times(t, w.kim, audit.PasswordChanged) != 1 {
			t.Error("the trail does not say so")
		}
	})
}

func TestAPasswordThatCannotBeUsedChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		for typed, why := range map[string]string{
			"": "short", "seven77": "short", "ééééééé": "short", strings.Repeat("a", password.MaxBytes+1): "long",
		} {
			done := refused(t, answer(t)(w.desk.ChangePassword(t.Context(), h, secret.NewText(typed))), nil, enrol.BadPassword)
			if done.Why != why {
				t.Errorf("%d letters: %q", len(typed), done.Why)
			}
		}
		w.desk.Unfit = func(_ context.Context, plain string, who user.User) (string, error) {
			if plain == "kimkimkim" && who.FirstName == "Kim" {
				return "common", nil
			}
			return "", nil
		}
		done := refused(t, answer(t)(w.desk.ChangePassword(t.Context(), h, secret.NewText("kimkimkim"))), nil, enrol.BadPassword)
		if done.Why != "common" || w.times(t, w.kim, audit.PasswordChanged) != 0 {
			t.Errorf("%+v", done)
		}
		must(t, answer(t)(w.desk.ChangePassword(t.Context(), h, secret.NewText("8letters"))), nil)
	})
}

func TestWithoutASecondFactorAFreshPasswordIsTheProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.do(t, func(ctx context.Context, tx *db.Tx) error { // a mailbox that is no method
			_, err := tx.Exec(ctx, `UPDATE methods SET awaits_proof = TRUE WHERE user_id = $1`, w.kim.ID)
			return err
		})
		stale, _ := w.in(t, w.kim, proof{password: 6 * time.Minute})
		if done := refused(t, w.addApp(t, stale), nil, enrol.NotFresh); done.Level != 1 {
			t.Errorf("asks for level %d", done.Level)
		}
		h, _ := w.in(t, w.kim, proof{password: time.Minute})
		must(t, w.addApp(t, h), nil)
	})
}

func TestTheUsualWayIsOneThatThePersonHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		for _, kind := range []policy.MethodKind{policy.SMS, policy.TOTP, policy.Passkey, policy.Recovery, "carrier pigeon"} {
			refused(t, answer(t)(w.desk.SetUsual(t.Context(), h, kind)), nil, enrol.NoSuch)
		}
		w.number(t, w.kim, number)
		h, _ = w.in(t, w.kim, proof{factor: policy.SMS})
		must(t, answer(t)(w.desk.SetUsual(t.Context(), h, policy.SMS)), nil)
		if v := w.page(t, w.attempt(t, w.kim)); v.Decision.Default != policy.SMS {
			t.Errorf("the default is %q", v.Decision.Default)
		}
		must(t, answer(t)(w.desk.SetUsual(t.Context(), h, "")), nil)
		who, err := user.ByID(t.Context(), w.db, w.kim.ID)
		if err != nil || who.Usual != "" {
			t.Errorf("the usual way is %q, %v", who.Usual, err)
		}
		if w.times(t, w.kim, audit.UsualChanged) != 2 {
			t.Error("the trail does not say so")
		}
	})
}

func TestANameIsItsOwnersAndNotInTheFacts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		mine, theirs := w.app(t, w.kim), w.app(t, w.twinKim)
		h, token := w.in(t, w.kim, proof{factor: policy.TOTP})
		refused(t, answer(t)(w.desk.Rename(t.Context(), h, theirs.ID, "mine now")), nil, enrol.NoSuch)
		for _, bad := range []string{"", "  ", strings.Repeat("x", 61), "two\nlines", "turned\u202earound"} {
			refused(t, answer(t)(w.desk.Rename(t.Context(), h, mine.ID, bad)), nil, enrol.BadName)
		}
		must(t, answer(t)(w.desk.Rename(t.Context(), h, mine.ID, " Kim's Pixel ")), nil)
		for _, m := range w.methods(t, w.kim) {
			if m.ID == mine.ID && m.Name != "Kim's Pixel" {
				t.Errorf("it is called %q", m.Name)
			}
		}
		for _, e := range w.events(t, w.kim) {
			for _, value := range e.Facts {
				if strings.Contains(value, "Pixel") {
					t.Errorf("a name in the facts of %s", e.Kind)
				}
			}
		}
		w.expect(t, token, "in")
	})
}

func TestNewRecoveryCodesReplaceTheOldAndAreInNoRow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		old, done, err := w.desk.MakeRecovery(t.Context(), h)
		done = must(t, done, err)
		codes, done, err := w.desk.MakeRecovery(t.Context(), w.again(t, h, done.Session))
		must(t, done, err)
		attempt := w.attempt(t, w.kim)
		if next, err := w.door.Code(t.Context(), attempt, signin.Typed{Kind: policy.Recovery, Text: old[0]}); err != nil || next.Wrong != signin.WrongCode {
			t.Errorf("an old one: %+v, %v", next, err)
		}
		if next, err := w.door.Code(t.Context(), attempt, signin.Typed{Kind: policy.Recovery, Text: codes[3]}); err != nil || next.Step != signin.In {
			t.Errorf("a new one: %+v, %v", next, err)
		}
		if w.has(t, w.kim, policy.Recovery) != 1 || w.times(t, w.kim, audit.RecoveryCodesMade) != 2 {
			t.Error("not one set, made twice")
		}
	})
}
