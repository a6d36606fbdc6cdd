package method_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

func TestANameIsOneToSixtyPrintableRunes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m, twin := w.methods(t, w.pat, policy.Email)[0], w.methods(t, w.twn, policy.Email)[0]
		rename := func(name string) error {
			return w.try(t, func(ctx context.Context, tx *db.Tx) error { return method.Rename(ctx, tx, w.pat.ID, m.ID, name) })
		}
		for typed, want := range map[string]string{
			"my iPhone": "my iPhone", "  Żółty telefon\u00a0 ": "Żółty telefon", strings.Repeat("é", 60): strings.Repeat("é", 60), "📱": "📱",
		} {
			if err := rename(typed); err != nil || w.methods(t, w.pat, policy.Email)[0].Name != want {
				t.Errorf("%q: %v, %q", typed, err, w.methods(t, w.pat, policy.Email)[0].Name)
			}
		}
		for _, typed := range []string{"", "   ", strings.Repeat("é", 61), "a\nb", "a\x00b", "\xff", "a\u202eb", "a\u200bb"} {
			if err := rename(typed); !errors.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", typed, err)
			}
		}
		w.refuses(t, fault.Conflict, func(ctx context.Context, tx *db.Tx) error {
			return method.Rename(ctx, tx, w.pat.ID, twin.ID, "mine")
		})
		if w.methods(t, w.twn, policy.Email)[0].Name != "" {
			t.Error("the twin's is renamed")
		}
	})
}

func TestARemovedMethodIsGoneWithItsSecretsAndCannotBeRemovedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m, s := w.linkTOTP(t, w.pat)
		w.linkTOTP(t, w.twn)
		set, codes := w.makeRecovery(t, w.pat)
		w.makeRecovery(t, w.twn)
		for _, which := range []id.Method{m.ID, set.ID} {
			w.refuses(t, fault.Conflict, func(ctx context.Context, tx *db.Tx) error { return method.Remove(ctx, tx, w.twn.ID, which) })
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Remove(ctx, tx, w.pat.ID, which) })
			for _, change := range []func(context.Context, *db.Tx, id.User, id.Method) error{method.Remove, method.Prove} {
				w.refuses(t, fault.Conflict, func(ctx context.Context, tx *db.Tx) error { return change(ctx, tx, w.pat.ID, which) })
			}
		}
		if _, ok := w.tryTOTP(t, w.pat, codeAt(t, s, w.db.Clock.Now())); ok {
			t.Error("a removed authenticator lets in")
		}
		if _, ok := w.tryRecovery(t, w.pat, codes[0]); ok || w.left(t, w.pat) != 0 {
			t.Error("a removed recovery code lets in")
		}
		if w.rows(t, "totp_secrets") != 1 || w.rows(t, "recovery_codes") != 10 || w.left(t, w.twn) != 10 {
			t.Error("secrets are left, or the twin's are gone")
		}
	})
}

func TestProvingEndsWhatWasPendingAndKeepsTheFirstProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var m method.Method
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			m, err = method.Link(ctx, tx, method.Method{User: w.pat.ID, Kind: policy.SMS, Name: "work", Address: "+61400000001", Pending: true, AwaitsProof: true})
			return err
		})
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			for range 100 {
				if err := method.Missed(ctx, tx, w.pat.ID, m.ID); err != nil {
					return err
				}
			}
			return method.Prove(ctx, tx, w.pat.ID, m.ID)
		})
		first := w.methods(t, w.pat, policy.SMS)[0]
		if first.Pending || first.AwaitsProof || first.ProvedAt.IsZero() || first.Spent() || first.Name != "work" || first.Health != policy.HealthGood {
			t.Errorf("it is %+v", first)
		}
		w.db.Clock.Advance(time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Prove(ctx, tx, w.pat.ID, m.ID) })
		if again := w.methods(t, w.pat, policy.SMS)[0]; !again.ProvedAt.Equal(first.ProvedAt) {
			t.Error("the first proof is forgotten")
		}
	})
}

func TestABouncedAddressIsDeadForADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m := w.methods(t, w.pat, policy.Email)[0]
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			// News of the twin's message, with another's method in it, changes nothing.
			if err := method.Bounced(ctx, tx, w.twn.ID, m.ID, "5.1.1"); err != nil {
				return err
			}
			return method.Bounced(ctx, tx, w.pat.ID, m.ID, "5.1.1 no such user")
		})
		now := func(who user.User) method.Method { return w.methods(t, who, policy.Email)[0] }
		if got := now(w.pat); got.Health != policy.HealthBounced || got.HealthWhy != "5.1.1 no such user" || now(w.twn).Health != policy.HealthUnknown {
			t.Errorf("it is %+v", got)
		}
		sweep := func(ctx context.Context, tx *db.Tx) error { return method.Sweep(ctx, tx, 100) }
		w.db.Clock.Advance(23 * time.Hour)
		w.do(t, sweep)
		if now(w.pat).Health != policy.HealthBounced {
			t.Error("it is forgotten too early")
		}
		w.db.Clock.Advance(2 * time.Hour)
		w.do(t, sweep)
		if now(w.pat).Health != policy.HealthUnknown {
			t.Error("it is dead for ever")
		}
	})
}

func TestANewNumberReplacesUnprovedOnesAndStandsBesideAProvedOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		relink := func(who user.User, number string) (m method.Method) {
			w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
				m, err = method.Relink(ctx, tx, who.ID, policy.SMS, number, true)
				return err
			})
			return m
		}
		twin := relink(w.twn, "+61400000001")
		relink(w.pat, "+61400000001")
		second := relink(w.pat, "+61400000002")
		if got := w.methods(t, w.pat, policy.SMS); len(got) != 1 || got[0].ID != second.ID || !got[0].Pending {
			t.Fatalf("the numbers are %+v", got)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Sent(ctx, tx, w.pat.ID, second.ID) })
		if again := relink(w.pat, "+61400000002"); again.ID == second.ID || w.methods(t, w.pat, policy.SMS)[0].UnprovedSent != 1 {
			t.Error("to link it again buys codes")
		}
		proved := w.methods(t, w.pat, policy.SMS)[0]
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Prove(ctx, tx, w.pat.ID, proved.ID) })
		if same := relink(w.pat, "+61400000002"); same.ID != proved.ID {
			t.Error("a number that is theirs is linked twice")
		}
		third := relink(w.pat, "+61400000003")
		if got := w.methods(t, w.pat, policy.SMS); len(got) != 2 || got[0].ID != proved.ID || got[1].ID != third.ID {
			t.Errorf("the numbers are %+v", got)
		}
		if got := w.methods(t, w.twn, policy.SMS); len(got) != 1 || got[0].ID != twin.ID || len(w.methods(t, w.pat, policy.Email)) != 1 {
			t.Error("another's, or another kind, is touched")
		}
		w.refuses(t, fault.Invalid, func(ctx context.Context, tx *db.Tx) error {
			_, err := method.Relink(ctx, tx, w.pat.ID, policy.TOTP, "x", true)
			return err
		})
	})
}
