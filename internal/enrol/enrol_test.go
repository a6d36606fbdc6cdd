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
	"keyturn/internal/enrol"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

// way is one change, from what is typed first to what is there afterwards. Its answer is

// that of the first step that was refused.

// stand is somebody before a change. Kim has an authenticator, so that the highest level

// is 3.

func TestAChangeEndsWhatWasBeforeAndIsTold(t *testing.T) {
	t.Parallel()
	said := map[string]string{
		"add an authenticator": "authenticator", "add a passkey": "passkey", "add a mobile": "mobile number",
		"make recovery codes": "recovery codes", "remove a method": "authenticator", "change the password": "password",
	}
	for _, change := range ways() {
		if change.quiet {
			continue
		}
		t.Run(change.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				t.Helper()
				w.app(t, w.kim)
				h, token := w.in(t, w.kim, proof{factor: policy.TOTP, passed: time.Minute})
				_, elsewhere := w.inFrom(t, w.kim, freshEmail, away)
				_, twin := w.in(t, w.twinKim, freshEmail)
				_, remembered := w.device(t, w.kim)
				attempt := w.attempt(t, w.kim)
				done := must(t, change.do(t, w, h), nil)
				w.expect(t, token, check.Out)
				w.expect(t, elsewhere, check.Out)
				w.expect(t, twin, check.In)
				after := w.expect(t, done.Session, check.In).Session
				if after.ID == h.Session.ID || !after.EndsAt.Equal(h.Session.EndsAt) || !after.FactorAt.Equal(h.Session.FactorAt) {
					t.Errorf("it goes on as %+v", after)
				}
				if _, err := session.DeviceByTokens(t.Context(), w.db, w.kim.ID, []string{remembered}, w.db.Clock.Now()); err == nil {
					t.Error("a device is still remembered")
				}
				if _, ok, err := w.door.View(t.Context(), attempt); ok || err != nil {
					t.Errorf("a sign-in under way is still there: %v", err)
				}
				if change.free {
					return
				}
				if text := w.inbox.next(t, string(w.kim.Login)); !strings.Contains(strings.ToLower(text), strings.ToLower(said[change.name])) {
					// The sign-in under way has sent its code there, too.
					if text = w.inbox.next(t, string(w.kim.Login)); !strings.Contains(strings.ToLower(text), strings.ToLower(said[change.name])) {
						t.Errorf("the notice says %q", text)
					}
				}
				who, err := user.ByID(t.Context(), w.db, w.kim.ID)
				if err != nil || !who.RiskAt.Equal(after.StartedAt) {
					t.Errorf("risk at %v, %v", who.RiskAt, err)
				}
				if got := w.inbox.left(string(w.twinKim.Login)); got != 0 {
					t.Errorf("the twin was told %d times", got)
				}
			})
		})
	}
}

func TestAnEnrolOnlySessionAddsOneMethodAndClearsTheMark(t *testing.T) {
	t.Parallel()
	for _, change := range ways() {
		if !change.enrols {
			continue
		}
		t.Run(change.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				t.Helper()
				w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.MarkReset(ctx, tx, w.kim.ID) })
				h, token := w.enrolling(t, w.kim)
				done := must(t, change.do(t, w, h), nil)
				if !done.Ended || done.Session != "" {
					t.Errorf("%+v", done)
				}
				if _, _, ok, err := w.door.Enrolling(t.Context(), token); ok || err != nil {
					t.Errorf("it is open still: %v", err)
				}
				who, err := user.ByID(t.Context(), w.db, w.kim.ID)
				if err != nil || !who.ResetMarkAt.IsZero() {
					t.Errorf("marked at %v, %v", who.ResetMarkAt, err)
				}
				for kind, want := range map[audit.Kind]int{audit.ResetMarkCleared: 1, audit.MethodAdded: 1} {
					if got := w.times(t, w.kim, kind); got != want {
						t.Errorf("%s %d times", kind, got)
					}
				}
				// The next sign-in has a second way.
				if v := w.page(t, w.attempt(t, w.kim)); len(v.Decision.Offered) != 2 {
					t.Errorf("offered afterwards: %+v", v.Decision.Offered)
				}
			})
		})
	}
}

func (w *world) page(t *testing.T, attempt string) signin.View {
	t.Helper()
	v, ok, err := w.door.View(t.Context(), attempt)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return v
}

func TestOneOfSixteenConfirmsAnAuthenticator(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		setup, done, err := w.desk.BeginTOTP(t.Context(), h)
		must(t, done, err)
		digits := w.shows(t, setup)
		got := make([]enrol.Done, 16)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() {
				var err error
				if got[i], err = w.desk.ConfirmTOTP(t.Context(), h, digits, ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		right := 0
		for _, one := range got {
			if one.Refused == "" {
				right++
			} else if one.Refused != enrol.Gone {
				t.Errorf("%+v", one)
			}
		}
		if right != 1 || w.times(t, w.kim, audit.MethodAdded) != 1 || w.has(t, w.kim, policy.TOTP) != 1 {
			t.Errorf("%d were right", right)
		}
		open, err := session.Open(t.Context(), w.db, w.kim.ID, w.db.Clock.Now())
		if err != nil || len(open) != 1 {
			t.Errorf("%d sessions, %v", len(open), err)
		}
	})
}

func TestAWrongCodeOfASetUpCostsAGuessWhateverIsBegunAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		looked := 0
		for range 30 {
			setup, done, err := w.desk.BeginTOTP(t.Context(), h)
			must(t, done, err)
			done, err = w.desk.ConfirmTOTP(t.Context(), h, wrong(w.shows(t, setup), 7), "")
			if err != nil {
				t.Fatal(err)
			}
			if done.Refused == enrol.WrongCode {
				looked++
			} else if done.Refused != enrol.Resting || done.Retry.IsZero() {
				t.Fatalf("%+v", done)
			}
		}
		if looked != 5 { // of ten an hour, half is kept for known places
			t.Errorf("%d guesses were looked at", looked)
		}
		if w.has(t, w.kim, policy.TOTP) != 0 || len(w.methods(t, w.kim)) != 2 {
			t.Errorf("methods: %+v", w.methods(t, w.kim))
		}
	})
}

func TestASetUpIsShownToItsOwnerWhileItIsFresh(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		_, done, err := w.desk.ViewTOTP(t.Context(), h)
		refused(t, done, err, enrol.NoCode)
		first, done, err := w.desk.BeginTOTP(t.Context(), h)
		must(t, done, err)
		second, done, err := w.desk.BeginTOTP(t.Context(), h)
		must(t, done, err)
		seen, done, err := w.desk.ViewTOTP(t.Context(), h)
		must(t, done, err)
		if seen.URL() != second.URL() || seen.URL() == first.URL() || !strings.Contains(seen.URL(), "kim@bayside.example") {
			t.Error("another set-up than the last one begun")
		}
		twin, _ := w.in(t, w.twinKim, freshEmail)
		_, done, err = w.desk.ViewTOTP(t.Context(), twin)
		refused(t, done, err, enrol.NoCode)
		done, err = w.desk.ConfirmTOTP(t.Context(), h, w.shows(t, first), "")
		refused(t, done, err, enrol.WrongCode)
		done, err = w.desk.ConfirmTOTP(t.Context(), h, "12345", "")
		refused(t, done, err, enrol.WrongForm)
		done, err = w.desk.ConfirmTOTP(t.Context(), h, w.shows(t, second), strings.Repeat("x", 61))
		refused(t, done, err, enrol.BadName)
		w.db.Clock.Advance(5 * time.Minute)
		_, done, err = w.desk.ViewTOTP(t.Context(), h)
		refused(t, done, err, enrol.NotFresh)
		done, err = w.desk.ConfirmTOTP(t.Context(), h, w.shows(t, second), "")
		refused(t, done, err, enrol.NotFresh)
	})
}

func TestAPasskeysCeremonyIsUsedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		c, done, err := w.desk.BeginPasskey(t.Context(), h)
		must(t, done, err)
		good := enrol.Made{Token: c.Token, Response: makes(t, w.kim, c)}
		done, err = w.desk.FinishPasskey(t.Context(), h, enrol.Made{Token: c.Token, Response: "{}"})
		refused(t, done, err, enrol.WrongPasskey)
		done, err = w.desk.FinishPasskey(t.Context(), h, good)
		refused(t, done, err, enrol.WrongPasskey)
		twin, _ := w.in(t, w.twinKim, freshEmail)
		c, done, err = w.desk.BeginPasskey(t.Context(), h)
		must(t, done, err)
		done, err = w.desk.FinishPasskey(t.Context(), twin, enrol.Made{Token: c.Token, Response: makes(t, w.kim, c)})
		refused(t, done, err, enrol.WrongPasskey)
		done, err = w.desk.FinishPasskey(t.Context(), h, enrol.Made{Token: c.Token, Response: makes(t, w.kim, c), Name: "\n"})
		if err != nil || done.Refused != "" || w.has(t, w.kim, policy.Passkey) != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
