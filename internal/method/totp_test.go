package method_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"pgregory.net/rapid"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

func base32Of(s method.TOTPSecret) string { return strings.ReplaceAll(s.Text(), " ", "") }

func codeAt(t testing.TB, s method.TOTPSecret, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(base32Of(s), at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestTOTPHoldsTheVectorsOfRFC6238(t *testing.T) {
	t.Parallel()
	s := method.TOTPOf([]byte("12345678901234567890"))
	// Appendix B has eight digits; six are its last six (RFC 4226 section 5.3).
	for unix, digits := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		step, ok := method.CheckTOTP(s, digits, 0, time.Unix(unix, 0))
		if !ok || step != unix/30 {
			t.Errorf("at %d %s is step %d, %v", unix, digits, step, ok)
		}
	}
}

func TestATOTPCodePassesInItsStepAndOneBesideAndOnlyOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := method.NewTOTPSecret()
		now := time.Unix(rapid.Int64Range(0, 1<<33).Draw(r, "now"), 0)
		off := rapid.Int64Range(-3, 3).Draw(r, "off")
		made := now.Unix()/30 + off
		if made < 0 {
			return
		}
		digits, err := totp.GenerateCode(base32Of(s), time.Unix(made*30, 0))
		if err != nil {
			r.Fatal(err)
		}
		step, ok := method.CheckTOTP(s, digits, -1, now)
		if inside := off >= -1 && off <= 1; ok && !inside && step == made || !ok && inside {
			r.Fatalf("%d steps off: %v", off, ok)
		}
		if !ok {
			return
		}
		if again, ok := method.CheckTOTP(s, digits, step, now); ok && again <= step {
			r.Fatal("the same step passed again")
		}
		if _, ok := method.CheckTOTP(s, digits, now.Unix()/30+1, now); ok {
			r.Fatal("a step before the last one passed")
		}
	})
}

func TestOfSeveralMatchingStepsTheSmallestIsTaken(t *testing.T) {
	t.Parallel()
	s := method.TOTPOf([]byte("12345678901234567890"))
	// Two neighbours of this secret with one code are rare, so they are searched for.
	seen := map[string]int64{}
	for step := int64(1); ; step++ {
		digits := codeAt(t, s, time.Unix(step*30, 0))
		first, twice := seen[digits]
		seen[digits] = step
		if !twice || step-first > 2 {
			if step > 5_000_000 {
				t.Fatal("no two near steps have one code")
			}
			continue
		}
		now := time.Unix((step-1)*30, 0)
		if got, ok := method.CheckTOTP(s, digits, 0, now); !ok || got != first {
			t.Errorf("it took %d and not %d", got, first)
		}
		if got, ok := method.CheckTOTP(s, digits, first, now); !ok || got != step {
			t.Errorf("after the first, it took %d and not %d", got, step)
		}
		return
	}
}

func TestNothingButSixDigitsOfASecretPasses(t *testing.T) {
	t.Parallel()
	s, now := method.NewTOTPSecret(), time.Unix(1_800_000_000, 0)
	right := codeAt(t, s, now)
	for _, typed := range []string{"", "12345", right + "0", " " + right, right[:5], "١٢٣٤٥٦", right + "\x00"} {
		if _, ok := method.CheckTOTP(s, typed, 0, now); ok {
			t.Errorf("%q passed", typed)
		}
	}
	if _, ok := method.CheckTOTP(method.TOTPSecret{}, "000000", 0, now); ok {
		t.Error("no secret matched")
	}
	empty, err := totp.GenerateCode("", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := method.CheckTOTP(method.TOTPSecret{}, empty, 0, now); ok {
		t.Error("the code of no secret matched")
	}
}

func TestTheURLSaysWhatAppsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := method.NewTOTPSecret()
		text := rapid.StringMatching(`[A-Za-z0-9 &?#%/+=@.ÄöŚ'"<>-]{1,40}`)
		issuer, account := strings.TrimSpace(text.Draw(r, "issuer"))+"x", strings.TrimSpace(text.Draw(r, "account"))+"x"
		key, err := otp.NewKeyFromURL(s.URL(issuer, account))
		if err != nil {
			r.Fatal(err)
		}
		if key.Type() != "totp" || key.Issuer() != issuer || key.AccountName() != account || key.Secret() != base32Of(s) ||
			key.Period() != 30 || key.Digits() != otp.DigitsSix || key.Algorithm() != otp.AlgorithmSHA1 {
			r.Fatalf("%q, %q: read as %q, %q", issuer, account, key.Issuer(), key.AccountName())
		}
		if strings.Contains(strings.SplitN(s.URL(issuer, account), "?", 2)[1], "+") {
			r.Fatal("a plus sign stands for a space")
		}
	})
	if key, err := otp.NewKeyFromURL(method.NewTOTPSecret().URL("Acme: Cars", "pat@x.example")); err != nil || key.AccountName() != "pat@x.example" {
		t.Error("a colon in the issuer cuts the account", err)
	}
}

func TestATOTPSecretDoesNotPrintItself(t *testing.T) {
	t.Parallel()
	s := method.NewTOTPSecret()
	if len(base32Of(s)) != 32 || len(s.Text()) != 39 {
		t.Errorf("the secret has %d letters", len(base32Of(s)))
	}
	inside := struct{ s method.TOTPSecret }{s}
	raw, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).InfoContext(t.Context(), "x", slog.Any("s", s))
	for _, shown := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%v %+v %#v", inside, inside, inside),
		fmt.Sprint(&s), string(raw), log.String(),
	} {
		if strings.Contains(shown, base32Of(s)) || strings.Contains(strings.ToLower(shown), fmt.Sprintf("%x", base32Of(s))) {
			t.Errorf("it shows in %s", shown)
		}
	}
}

// linkTOTP sets an authenticator up to the end.
func (w *world) linkTOTP(t *testing.T, who user.User) (m method.Method, s method.TOTPSecret) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if m, s, err = method.LinkTOTP(ctx, tx, w.keys, who.ID, " my phone "); err != nil {
			return err
		}
		ok, err := method.ConfirmTOTP(ctx, tx, w.keys, who.ID, m.ID, codeAt(t, s, tx.Now.Add(-30*time.Second)))
		if !ok {
			t.Error("the first code does not confirm")
		}
		return err
	})
	return m, s
}

func (w *world) tryTOTP(t *testing.T, who user.User, digits string) (m method.Method, ok bool) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		m, ok, err = method.TryTOTP(ctx, tx, w.keys, who.ID, digits)
		return err
	})
	return m, ok
}

func TestAnAuthenticatorIsSetUpWithItsFirstCodeWhichThenIsUsed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var m method.Method
		var s method.TOTPSecret
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			m, s, err = method.LinkTOTP(ctx, tx, w.keys, w.pat.ID, "my phone")
			return err
		})
		if _, ok := w.tryTOTP(t, w.pat, codeAt(t, s, w.db.Clock.Now())); ok {
			t.Error("a pending one lets in")
		}
		again, shown, err := method.PendingTOTP(t.Context(), w.db, w.keys, w.pat.ID)
		if err != nil || again.ID != m.ID || shown.Text() != s.Text() || again.Name != "my phone" {
			t.Error("the set-up is not shown again", again, err)
		}
		if _, _, err := method.PendingTOTP(t.Context(), w.db, w.keys, w.twn.ID); err == nil {
			t.Error("the twin sees it")
		}
		var first string
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			if ok, err := method.ConfirmTOTP(ctx, tx, w.keys, w.pat.ID, m.ID, "abcdef"); ok || err != nil {
				t.Error("a wrong code confirms", err)
			}
			first = codeAt(t, s, tx.Now)
			ok, err := method.ConfirmTOTP(ctx, tx, w.keys, w.pat.ID, m.ID, first)
			if !ok {
				t.Error("the right code does not confirm")
			}
			return err
		})
		if got := w.methods(t, w.pat, policy.TOTP); len(got) != 1 || got[0].Pending || got[0].ProvedAt.IsZero() || got[0].Name != "my phone" {
			t.Errorf("the methods are %+v", got)
		}
		if _, ok := w.tryTOTP(t, w.pat, first); ok {
			t.Error("the code that confirmed lets in, too")
		}
		w.refuses(t, fault.NotFound, func(ctx context.Context, tx *db.Tx) error {
			_, err := method.ConfirmTOTP(ctx, tx, w.keys, w.pat.ID, m.ID, first)
			return err
		})
		w.db.Clock.Advance(time.Minute)
		if got, ok := w.tryTOTP(t, w.pat, codeAt(t, s, w.db.Clock.Now())); !ok || got.ID != m.ID {
			t.Error("the next code does not let in")
		}
	})
}

func TestACodeOfOneUserIsNoneOfTheTwin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, s := w.linkTOTP(t, w.pat)
		_, twin := w.linkTOTP(t, w.twn)
		at := w.db.Clock.Now()
		if codeAt(t, s, at) == codeAt(t, twin, at) {
			return // one in a million
		}
		if _, ok := w.tryTOTP(t, w.twn, codeAt(t, s, at)); ok {
			t.Error("Pat's code lets the twin in")
		}
		if _, ok := w.tryTOTP(t, w.pat, codeAt(t, s, at)); !ok {
			t.Error("Pat's own code does not let Pat in")
		}
	})
}

func TestOneOfManyEqualCodesAtOnceWins(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, w *world, rawURL string) {
		over := []*db.DB{w.db}
		if w.db.Engine() == db.Postgres {
			over = append(over, dbtest.Open(t, rawURL)) // two nodes
		}
		_, s := w.linkTOTP(t, w.pat)
		digits := codeAt(t, s, w.db.Clock.Now())
		wins := race(t, over, func(ctx context.Context, tx *db.Tx) (bool, error) {
			_, ok, err := method.TryTOTP(ctx, tx, w.keys, w.pat.ID, digits)
			return ok, err
		})
		if wins != 1 {
			t.Errorf("%d won", wins)
		}
		// And one answer to many first codes.
		var m method.Method
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			m, s, err = method.LinkTOTP(ctx, tx, w.keys, w.twn.ID, "")
			return err
		})
		digits = codeAt(t, s, w.db.Clock.Now())
		wins = race(t, over, func(ctx context.Context, tx *db.Tx) (bool, error) {
			ok, err := method.ConfirmTOTP(ctx, tx, w.keys, w.twn.ID, m.ID, digits)
			if errors.Is(err, fault.NotFound) {
				return false, nil // somebody was first
			}
			return ok, err
		})
		if wins != 1 {
			t.Errorf("%d confirmed", wins)
		}
	})
}

func TestASecondSetUpReplacesTheUnfinishedFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kept, _ := w.linkTOTP(t, w.pat)
		link := func(who id.User) (m method.Method) {
			w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
				m, _, err = method.LinkTOTP(ctx, tx, w.keys, who, "")
				return err
			})
			return m
		}
		twin := link(w.twn.ID)
		link(w.pat.ID)
		second := link(w.pat.ID)
		if got := w.methods(t, w.pat, policy.TOTP); len(got) != 2 || got[0].ID != kept.ID || got[1].ID != second.ID {
			t.Errorf("the authenticators are %+v", got)
		}
		if got := w.methods(t, w.twn, policy.TOTP); len(got) != 1 || got[0].ID != twin.ID {
			t.Error("the twin's set-up is touched")
		}
		if n := w.rows(t, "totp_secrets"); n != 3 {
			t.Errorf("%d secrets are kept", n)
		}
	})
}

func TestASetUpLivesAnHourAndIsSweptAfterIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kept, _ := w.linkTOTP(t, w.twn)
		var m method.Method
		var s method.TOTPSecret
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			m, s, err = method.LinkTOTP(ctx, tx, w.keys, w.pat.ID, "")
			return err
		})
		sweep := func(ctx context.Context, tx *db.Tx) error { return method.Sweep(ctx, tx, 100) }
		w.db.Clock.Advance(50 * time.Minute)
		w.do(t, sweep)
		if len(w.methods(t, w.pat, policy.TOTP)) != 1 {
			t.Fatal("it was swept too early")
		}
		w.db.Clock.Advance(10 * time.Minute)
		w.refuses(t, fault.NotFound, func(ctx context.Context, tx *db.Tx) error {
			_, err := method.ConfirmTOTP(ctx, tx, w.keys, w.pat.ID, m.ID, codeAt(t, s, tx.Now))
			return err
		})
		w.do(t, sweep)
		if got := w.methods(t, w.twn, policy.TOTP); len(w.methods(t, w.pat, policy.TOTP)) != 0 || len(got) != 1 || got[0].ID != kept.ID || w.rows(t, "totp_secrets") != 1 {
			t.Error("the sweep left or took the wrong one")
		}
	})
}

func TestASpentAuthenticatorTakesNoCodeUntilItIsSetUpAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m, s := w.linkTOTP(t, w.pat)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			for range 100 {
				if err := method.Missed(ctx, tx, w.pat.ID, m.ID); err != nil {
					return err
				}
			}
			return method.Prove(ctx, tx, w.pat.ID, m.ID)
		})
		if _, ok := w.tryTOTP(t, w.pat, codeAt(t, s, w.db.Clock.Now())); ok {
			t.Error("a spent one lets in")
		}
		fresh, again := w.linkTOTP(t, w.pat)
		if got, ok := w.tryTOTP(t, w.pat, codeAt(t, again, w.db.Clock.Now())); !ok || got.ID != fresh.ID {
			t.Error("the new one does not let in")
		}
	})
}

func TestASecretMovedToAnotherRowDoesNotOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, s := w.linkTOTP(t, w.pat)
		w.linkTOTP(t, w.twn)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `
				UPDATE totp_secrets SET sealed = (SELECT sealed FROM totp_secrets WHERE user_id = $1) WHERE user_id = $2`, w.pat.ID, w.twn.ID)
			return err
		})
		if err := w.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := method.TryTOTP(ctx, tx, w.keys, w.twn.ID, codeAt(t, s, tx.Now))
			return err
		}); err == nil || strings.Contains(err.Error(), base32Of(s)) {
			t.Errorf("the moved secret gave %v", err)
		}
	})
}

func TestAUserHasTenAuthenticatorsAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range method.Most {
			w.linkTOTP(t, w.pat)
		}
		w.refuses(t, fault.Invalid, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := method.LinkTOTP(ctx, tx, w.keys, w.pat.ID, "")
			return err
		})
		w.linkTOTP(t, w.twn)
	})
}
