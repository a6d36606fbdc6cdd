package signin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/limit"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

func (w *world) recoveryCodes(t *testing.T, who user.User) (codes []string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		_, codes, err = method.MakeRecovery(ctx, tx, w.keys, who.ID)
		return err
	})
	return codes
}

func TestASessionOfAMembershipThatChangedSinceIsNotRaised(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before := w.state(t, w.single(t, w.alex, home)).Session
		other := w.state(t, w.single(t, w.alex, elsewhere)).Session
		w.connect(t, w.free)
		attempt := w.raise(t, before).Attempt
		digits := w.inbox.code(t, w.alex)
		second := w.raise(t, other).Attempt
		moreDigits := w.inbox.code(t, w.alex)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return epoch.Raise(ctx, tx, epoch.Member(w.xero.ID, w.alex.ID)) // of another site: nothing to it
		})
		if next := w.code(t, second, moreDigits); next.Step != signin.In {
			t.Errorf("after a change in another site: %+v", next)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return epoch.Raise(ctx, tx, epoch.Member(w.free.ID, w.alex.ID))
		})
		if next := w.code(t, attempt, digits); next.Step != signin.Gone || next.Session != "" {
			t.Errorf("the session of a changed membership was raised: %+v", next)
		}
	})
}

func TestStrangersWaitAfterWrongRecoveryCodesAndTheOwnerDoesNot(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, w *world) {
		kims, twins := w.recoveryCodes(t, w.kim), w.recoveryCodes(t, w.twinKim)
		looked := 0
		tries := func(n int, network string) {
			// Codes by mail may have to wait by now; a recovery code needs none.
			attempt := w.try(t, string(w.kim.Login), rightPassword, at("stranger", network)).Attempt
			for range n {
				last := w.typed(t, attempt, signin.Typed{Kind: policy.Recovery, Text: twins[0]})
				if last.Wrong == signin.WrongCode {
					looked++
				} else if last.Wrong != signin.Resting || !last.Retry.After(w.db.Clock.Now()) {
					t.Fatalf("a wrong recovery code: %+v", last)
				}
			}
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return rememberAt(ctx, tx, w.kim) })
		own := w.begin(t, w.kim, home)
		if tries(7, "198.51.100.1"); looked != limit.RecoveriesPlace.Cap {
			t.Errorf("%d were looked at from one network", looked)
		}
		stranger := w.try(t, string(w.kim.Login), rightPassword, at("stranger", "198.51.100.1")).Attempt
		if next := w.typed(t, stranger, signin.Typed{Kind: policy.Recovery, Text: kims[0]}); next.Wrong != signin.Resting {
			t.Errorf("the right one while it rests: %+v", next)
		}
		w.db.Clock.Advance(time.Minute)
		for n := range 2 {
			tries(7, fmt.Sprintf("198.51.100.%d", n+2))
		}
		if most := limit.RecoveriesUser.Cap - limit.RecoveriesUser.Kept; looked != most {
			t.Errorf("%d were looked at from all of them, want %d", looked, most)
		}
		if next := w.typed(t, own, signin.Typed{Kind: policy.Recovery, Text: kims[1]}); next.Step != signin.In {
			t.Errorf("the owner where they are known: %+v", next)
		}
		w.db.Clock.Advance(15 * time.Minute)
		late := w.begin(t, w.kim, at("late", "198.51.100.1"))
		if next := w.typed(t, late, signin.Typed{Kind: policy.Recovery, Text: strings.ToLower(kims[2])}); next.Step != signin.In {
			t.Errorf("a quarter of an hour later: %+v", next)
		}
	})
}

// rememberAt makes home a place where the person is known.
func rememberAt(ctx context.Context, tx *db.Tx, who user.User) error {
	return session.Remember(ctx, tx, who.ID, home)
}
