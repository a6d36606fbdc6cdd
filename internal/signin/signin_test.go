package signin_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

func TestAUserOfAXeroConnectedSiteSignsInWithAnEmailCode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		attempt := w.begin(t, w.pat, home)
		v := w.view(t, attempt)
		if v.Step != signin.AskCode || v.Site.ID != w.xero.ID || v.Code == nil || !v.Code.Live {
			t.Fatalf("the page would show %+v", v)
		}
		if got := v.Code.Until.Sub(v.Code.MadeAt); got != signin.CodeLife {
			t.Errorf("the code lives for %s", got)
		}
		l := w.inbox.letter(t, w.pat)
		digits := codeIn(t, l)
		next := w.code(t, attempt, digits)
		if next.Step != signin.In || next.Wrong != "" || next.Session == "" || next.ReturnTo != "/me?x=1" {
			t.Fatalf("after the right code: %+v", next)
		}
		w.stop(t)

		s := w.expect(t, next.Session, check.In).Session
		w.isWhole(t, s)
		m, err := method.ByID(t.Context(), w.db, w.pat.ID, v.Code.Method.ID)
		if err != nil || m.ProvedAt.IsZero() || m.LastUsedAt.IsZero() || m.Health != policy.HealthGood {
			t.Errorf("the method: %+v, %v", m, err)
		}
		for _, from := range []session.Place{home, at("home", "192.0.2.1"), at("other", home.Network)} {
			known, err := session.Known(t.Context(), w.db, w.pat.ID, from, w.db.Clock.Now())
			if err != nil || !known {
				t.Errorf("%+v is known: %t, %v", from, known, err)
			}
		}
		if known, err := session.Known(t.Context(), w.db, w.twinPat.ID, home, w.db.Clock.Now()); err != nil || known {
			t.Errorf("the place is the twin's, too: %t, %v", known, err)
		}
		if got := texts(t, w.db, `SELECT message_id FROM messages WHERE sealed IS NOT NULL`); len(got) != 0 {
			t.Errorf("%d messages still hold a code", len(got))
		}
		want := []audit.Kind{
			audit.AttemptStarted, audit.SignInAsked, audit.CodeSent, audit.CodeAccepted, audit.MethodProved, audit.SessionStarted, audit.SiteEntered,
		}
		if got := w.kinds(t, w.pat); !slices.Equal(got, want) {
			t.Errorf("the trail: %q", got)
		}
	})
}

// isWhole looks at each field of Pat's first session.
func (w *world) isWhole(t *testing.T, s session.Session) {
	t.Helper()
	now := w.db.Clock.Now()
	switch {
	case s.User != w.pat.ID, s.Site != w.xero.ID, s.Client != string(policy.ClientWeb):
		t.Errorf("whose and where: %+v", s)
	case s.Factor != string(policy.Email), s.FactorAt.IsZero(), s.PasswordAt.IsZero(), s.FactorAt.Before(s.PasswordAt), s.FactorAt.After(now):
		t.Errorf("what was proved: %+v", s)
	case !s.EndsAt.Equal(policy.NextFour(s.StartedAt, w.zone(t))):
		t.Errorf("it ends at %s", s.EndsAt)
	case s.Place != home, !s.EndedAt.IsZero(), s.SiteEpoch != 1, s.UserEpoch != 0:
		t.Errorf("place and numbers: %+v", s)
	}
}

func TestTheNextSignInProvesNothingAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, home)
		w.in(t, w.pat, home)
		if got := w.times(t, w.pat, audit.MethodProved); got != 1 {
			t.Errorf("proved %d times", got)
		}
	})
}

func TestOneRightCodePostedByThirtyTwoAtOnceOpensOneSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		attempt := w.begin(t, w.pat, home)
		digits := w.inbox.code(t, w.pat)
		var in, gone atomic.Int64
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				next, err := w.desk.Code(t.Context(), attempt, signin.Typed{Text: digits})
				switch {
				case err != nil:
					t.Error(err)
				case next.Step == signin.In && next.Session != "":
					in.Add(1)
				case next == signin.Next{Step: signin.Gone}:
					gone.Add(1)
				default:
					t.Errorf("%+v", next)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 || gone.Load() != 31 {
			t.Errorf("%d came in, %d were told that it is over", in.Load(), gone.Load())
		}
		sessions, err := session.Recent(t.Context(), w.db, w.pat.ID, 100)
		if err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
		if got := w.times(t, w.pat, audit.CodeAccepted); got != 1 {
			t.Errorf("accepted %d times", got)
		}
		if next := w.code(t, attempt, digits); next != (signin.Next{Step: signin.Gone}) {
			t.Errorf("the same code once more: %+v", next)
		}
	})
}

func TestSixtyFourPeopleSignInAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		people := make([]user.User, 64)
		for i := range people {
			people[i] = w.user(t, "mechanic"+string(rune('a'+i/26))+string(rune('a'+i%26))+"@bayside.example", "Sam", "Day")
			w.join(t, people[i], w.xero, policy.GroupMechanic, policy.Office, policy.Active)
		}
		var all sync.WaitGroup
		for i, who := range people {
			all.Go(func() {
				if err := w.through(t.Context(), who, at("", "10.0.0."+string(rune('a'+i%4)))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestOnePersonSignsInFromSixtyFourPlacesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var sent, soon atomic.Int64
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				next := w.try(t, string(w.pat.Login), rightPassword, at("", "10.0.1."+string(rune('0'+i))))
				switch {
				case next.Step == signin.AskCode && next.Wrong == "":
					sent.Add(1)
				case next.Step == signin.AskCode && next.Wrong == signin.TooSoon && next.Attempt != "" && !next.Retry.IsZero():
					soon.Add(1)
				default:
					t.Errorf("%+v", next)
				}
			})
		}
		all.Wait()
		if sent.Load() != 3 || soon.Load() != 61 { // strangers: two of the five are kept
			t.Errorf("%d codes were sent, %d refused", sent.Load(), soon.Load())
		}
	})
}

func TestACodeOpensOnlyItsOwnAttempt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, home)
		w.in(t, w.twinKim2(t), home)
		type place struct{ attempt, digits string }
		var all []place
		for _, who := range []user.User{w.pat, w.pat, w.twinKim, w.twinKim} {
			all = append(all, place{w.begin(t, who, home), w.inbox.code(t, who)})
		}
		for i, to := range all {
			for j, from := range all {
				if i == j || from.digits == to.digits {
					continue
				}
				if next := w.code(t, to.attempt, from.digits); next.Step != signin.AskCode || next.Wrong != signin.WrongCode {
					t.Errorf("code %d in attempt %d: %+v", j, i, next)
				}
			}
		}
		for i, own := range all {
			if next := w.code(t, own.attempt, own.digits); next.Step != signin.In {
				t.Errorf("its own code in attempt %d: %+v", i, next)
			}
		}
		if next := w.code(t, "no such attempt", all[0].digits); next.Step != signin.Gone {
			t.Errorf("in no attempt: %+v", next)
		}
	})
}

// twinKim2 is the twin's Kim, whose site now requires a second factor, too.
func (w *world) twinKim2(t *testing.T) user.User {
	t.Helper()
	w.connect(t, w.twin)
	return w.twinKim
}

func TestAnAttemptEndsByItselfAndWhenItIsAbandoned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		left := w.begin(t, w.pat, home)
		digits := w.inbox.code(t, w.pat)
		if err := w.desk.Abandon(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		if err := w.desk.Abandon(t.Context(), left); err != nil {
			t.Errorf("once more: %v", err)
		}
		if next := w.code(t, left, digits); next.Step != signin.Gone {
			t.Errorf("abandoned: %+v", next)
		}
		late := w.begin(t, w.pat, home)
		w.db.Clock.Advance(30 * time.Minute)
		if next := w.send(t, late); next.Step != signin.Gone {
			t.Errorf("half an hour later: %+v", next)
		}
		if _, ok, err := w.desk.View(t.Context(), late); ok || err != nil {
			t.Errorf("half an hour later the page shows: %t, %v", ok, err)
		}
	})
}
