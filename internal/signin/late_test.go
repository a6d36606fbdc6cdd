package signin_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

// late is one of two hundred people on a morning when all mail takes twelve minutes.
type late struct {
	who     user.User
	has     policy.MethodKind // besides email; empty: nothing
	attempt string
	number  string
	app     method.TOTPSecret
	codes   []string
	in      time.Duration // after the password; zero: not at all
}

func TestWithAllMailTwelveMinutesLateWhoeverHasAnotherWayIsInAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const many = 200
		sets := []policy.MethodKind{"", policy.SMS, policy.TOTP, policy.Recovery}
		w.topUp(t, w.xero, many)
		people := make([]*late, many)
		for n := range people {
			people[n] = w.latecomer(t, n, sets[n%len(sets)])
		}
		w.db.Clock.Advance(2 * time.Minute)
		for n, p := range people {
			p.attempt = w.begin(t, p.who, at(fmt.Sprintf("b%d", n), fmt.Sprintf("198.51.%d.%d", n/200+100, n%200+1)))
		}
		w.db.Clock.Advance(time.Minute) // they wait for the mail, and then for nothing more
		for _, p := range people {
			if w.passes(t, p) {
				p.in = time.Minute
			}
		}
		w.db.Clock.Advance(11 * time.Minute) // the mail is here, and its code is over
		free := 0
		for _, p := range people {
			if p.in != 0 {
				continue
			}
			if next := w.code(t, p.attempt, w.inbox.code(t, p.who)); next.Wrong == signin.StaleCode {
				free++
			}
			if left, err := method.RestingUntil(t.Context(), w.db, w.db.Clock.Now(), w.mailbox(t, p.who), false); err != nil || !left.IsZero() {
				t.Errorf("%s rests until %v, %v", p.who.Login, left, err)
			}
		}
		watch := &delivery.Watch{DB: w.db}
		if err := watch.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		weather := watch.Now().Channels["email"]
		if !weather.Slow {
			t.Errorf("nobody noticed that mail is slow: %+v", weather)
		}
		for _, has := range sets {
			got, soonest := 0, time.Duration(0)
			for _, p := range people {
				if p.has == has && p.in != 0 {
					got, soonest = got+1, p.in
				}
			}
			t.Logf("email and %-9q %d of %d are in, after %s", has, got, many/len(sets), soonest)
			if has != "" && got != many/len(sets) {
				t.Errorf("of those with email and %q only %d are in", has, got)
			}
		}
		t.Logf("of those with email alone %d typed the old code, were told that it had run out, and lost no guess; mail is measured at about %s", free, weather.About)
		if free != many/len(sets) {
			t.Errorf("%d of %d were told that the code had run out", free, many/len(sets))
		}
	})
}

func (w *world) mailbox(t *testing.T, who user.User) method.Method {
	t.Helper()
	all, err := method.Of(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Kind == policy.Email {
			return m
		}
	}
	t.Fatal("there is no mailbox")
	return method.Method{}
}

// latecomer is a mechanic of the Xero site with one way besides email, or none.
func (w *world) latecomer(t *testing.T, n int, has policy.MethodKind) *late {
	t.Helper()
	p := &late{who: w.user(t, fmt.Sprintf("late%d@bayside.example", n), "Kim", "Osei"), has: has}
	w.join(t, p.who, w.xero, policy.GroupMechanic, policy.Office, policy.Active)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return method.Passed(ctx, tx, p.who.ID, w.mailbox(t, p.who).ID)
	})
	switch has {
	case policy.SMS:
		p.number = fmt.Sprintf("+6149157%04d", 2000+n)
		w.number(t, p.who, p.number)
	case policy.TOTP:
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			m, made, err := method.LinkTOTP(ctx, tx, w.keys, p.who.ID, "")
			if err != nil {
				return err
			}
			p.app = made
			_, err = method.ConfirmTOTP(ctx, tx, w.keys, p.who.ID, m.ID, shows(t, made, tx.Now))
			return err
		})
	case policy.Recovery:
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			_, p.codes, err = method.MakeRecovery(ctx, tx, w.keys, p.who.ID)
			return err
		})
	case policy.Email, policy.Passkey:
	}
	return p
}

// passes takes the other way, where there is one.
func (w *world) passes(t *testing.T, p *late) bool {
	t.Helper()
	typed := signin.Typed{Kind: p.has}
	switch p.has {
	case policy.SMS:
		w.turn(t, p.attempt, policy.SMS)
		typed.Text = w.phone.code(t, p.number)
	case policy.TOTP:
		typed.Text = shows(t, p.app, w.db.Clock.Now())
	case policy.Recovery:
		typed.Text = p.codes[0]
	case policy.Email, policy.Passkey, "":
		return false
	}
	return w.typed(t, p.attempt, typed).Step == signin.In
}
