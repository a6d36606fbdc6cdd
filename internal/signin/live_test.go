package signin_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/integration"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/site"
)

func (w *world) choose(t *testing.T, attempt string, s site.Site) signin.Next {
	t.Helper()
	next, err := w.desk.Site(t.Context(), attempt, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (w *world) raise(t *testing.T, s session.Session) signin.Next {
	t.Helper()
	next, err := w.desk.Raise(t.Context(), s, "/me?y=2")
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (w *world) switchTo(t *testing.T, s session.Session, to site.Site) signin.Next {
	t.Helper()
	next, err := w.desk.Switch(t.Context(), s, to.ID)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (w *world) resume(t *testing.T, s session.Session, typed string, from session.Place) signin.Next {
	t.Helper()
	next, err := w.desk.Resume(t.Context(), s, secret.NewText(typed), from)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// bookkeeper types Bo's password and gives the attempt that waits for a site.
func (w *world) bookkeeper(t *testing.T) string {
	t.Helper()
	next := w.try(t, string(w.bo.Login), rightPassword, home)
	if next.Step != signin.AskSite || next.Wrong != "" || next.Attempt == "" {
		t.Fatalf("a person of three sites: %+v", next)
	}
	return next.Attempt
}

func TestABookkeeperChoosesASiteAndIsAskedForWhatItRequires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		other := w.site(t, "zenith", "Zenith Tyres")
		enforced := w.bookkeeper(t)
		var offered []string
		for _, c := range w.view(t, enforced).Choices {
			s := c.Site
			offered = append(offered, s.Name)
		}
		if want := []string{"Bayside Auto", "Bayview Auto", "Hilltop Motors"}; !slices.Equal(offered, want) {
			t.Errorf("to choose from: %q", offered)
		}
		for _, foreign := range []site.Site{other, {ID: "no-such-site"}, {}} {
			if next := w.choose(t, enforced, foreign); next != (signin.Next{Step: signin.AskSite, Wrong: signin.NotMember}) {
				t.Errorf("a site of others: %+v", next)
			}
		}
		for range 2 { // a second click does no harm
			if next := w.choose(t, enforced, w.xero); next != (signin.Next{Step: signin.AskCode}) {
				t.Fatalf("the site that requires a code: %+v", next)
			}
		}
		if next := w.choose(t, enforced, w.free); next.Wrong != signin.NotMember {
			t.Errorf("another site in the same attempt: %+v", next)
		}
		digits := w.inbox.code(t, w.bo)
		if w.inbox.left(w.bo) != 0 {
			t.Error("a second code was sent")
		}
		next := w.code(t, enforced, digits)
		if got := w.expect(t, next.Session, check.In).Session; got.Site != w.xero.ID || got.Factor != string(policy.Email) {
			t.Errorf("the session: %+v", got)
		}

		free := w.bookkeeper(t)
		next = w.choose(t, free, w.free)
		if got := w.expect(t, next.Session, check.In).Session; got.Site != w.free.ID || got.Factor != "" {
			t.Errorf("the session: %+v", got)
		}
		if next := w.choose(t, free, w.free); next.Step != signin.Gone {
			t.Errorf("a second click: %+v", next)
		}
	})
}

func TestGoingToAnotherSiteAsksForWhatThatOneRequiresAndMovesNoEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		first := w.choose(t, w.bookkeeper(t), w.free).Session
		w.db.Clock.Advance(20 * time.Minute)
		before := w.expect(t, first, check.In).Session
		if next := w.switchTo(t, before, w.site(t, "zenith", "Zenith Tyres")); next.Wrong != signin.NotMember {
			t.Errorf("to a site of others: %+v", next)
		}
		next := w.switchTo(t, before, w.twin)
		if next.Step != signin.In || next.Session == "" {
			t.Fatalf("to a site that requires nothing: %+v", next)
		}
		w.expect(t, first, check.Out)
		token := next.Session
		second := w.expect(t, token, check.In).Session
		if second.Site != w.twin.ID || second.ID == before.ID || !second.EndsAt.Equal(before.EndsAt) || !second.PasswordAt.Equal(before.PasswordAt) {
			t.Errorf("before %+v, after %+v", before, second)
		}
		if next := w.switchTo(t, before, w.twin); next.Step != signin.Gone {
			t.Errorf("from the session that has ended: %+v", next)
		}
		next = w.switchTo(t, second, w.xero)
		if next.Step != signin.AskCode || next.Session != "" {
			t.Fatalf("to a site that requires a code: %+v", next)
		}
		w.expect(t, token, check.In)
		next = w.code(t, next.Attempt, w.inbox.code(t, w.bo))
		third := w.expect(t, next.Session, check.In).Session
		if third.Site != w.xero.ID || third.EndsAt.After(second.EndsAt) {
			t.Errorf("before %+v, after %+v", second, third)
		}
		want := []audit.Kind{
			audit.AttemptStarted, audit.SessionStarted, audit.SiteEntered, audit.AttemptStarted, audit.SiteEntered,
			audit.AttemptStarted, audit.SignInAsked, audit.CodeSent, audit.CodeAccepted, audit.MethodProved, audit.SessionRaised, audit.SiteEntered,
		}
		if got := w.kinds(t, w.bo); !slices.Equal(got, want) {
			t.Errorf("the trail: %q", got)
		}
	})
}

func TestLiveSessionsMeetTheSecondStepWhenTheirSiteIsConnected(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var tokens []string
		for i := range 25 {
			tokens = append(tokens,
				w.single(t, w.twinPat, at(fmt.Sprint("pc", i), home.Network)), w.single(t, w.twinKim, at(fmt.Sprint("pc", i), home.Network)))
		}
		others := []string{w.single(t, w.alex, home), w.in(t, w.pat, home)}
		w.connect(t, w.twin)
		for _, token := range tokens {
			w.expect(t, token, check.More)
		}
		for _, token := range others {
			w.expect(t, token, check.In)
		}
		before := w.expect(t, tokens[0], check.More).Session
		next := w.raise(t, before)
		if next.Step != signin.AskCode || next.Session != "" || next.Attempt == "" {
			t.Fatalf("the second step: %+v", next)
		}
		w.expect(t, tokens[0], check.More)
		digits := w.inbox.code(t, w.twinPat)
		w.answers(t, next.Attempt, wrong(digits, 1), signin.WrongCode)
		w.expect(t, tokens[0], check.More)
		next = w.code(t, next.Attempt, digits)
		if next.Step != signin.In || next.ReturnTo != "/me?y=2" {
			t.Fatalf("the right code: %+v", next)
		}
		after := w.expect(t, next.Session, check.In).Session
		if after.ID == before.ID || after.EndsAt.After(before.EndsAt) || after.Site != w.twin.ID {
			t.Errorf("before %+v, after %+v", before, after)
		}
		w.expect(t, tokens[0], check.Out)
		for _, token := range tokens[1:] {
			w.expect(t, token, check.More)
		}
		if got := w.times(t, w.twinPat, audit.SessionRaised); got != 1 {
			t.Errorf("raised %d times", got)
		}
	})
}

func TestADateThatArrivesIsEnoughToAskForMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		now := w.db.Clock.Now()
		date := now.Add(25 * time.Minute)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := integration.Connect(ctx, tx, integration.Integration{
				Site: w.twin.ID, Kind: policy.Xero, Since: now.Add(-1000 * time.Hour), By: "Pat Lee",
			})
			if err != nil {
				return err
			}
			return plan.Set(ctx, tx, plan.Plan{
				Site: w.twin.ID, BeganAt: now.Add(-500 * time.Hour), PrepareFrom: now.Add(-400 * time.Hour), EnforceAt: date,
			})
		})
		token := w.single(t, w.twinPat, home)
		w.expect(t, token, check.In)
		w.db.Clock.Advance(20 * time.Minute)
		w.expect(t, token, check.In)
		w.db.Clock.Advance(date.Sub(w.db.Clock.Now()))
		answer := w.expect(t, token, check.More)
		if answer.Decision.Outcome != policy.Ask {
			t.Errorf("the policy says %s", answer.Decision.Outcome)
		}
		next := w.raise(t, answer.Session)
		w.expect(t, w.code(t, next.Attempt, w.inbox.code(t, w.twinPat)).Session, check.In)
	})
}

func TestASessionLocksWhenItRestsAndGoesOnAfterThePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token := w.in(t, w.pat, home)
		first := w.expect(t, token, check.In).Session
		w.db.Clock.Advance(29 * time.Minute)
		w.expect(t, token, check.In)
		w.db.Clock.Advance(29 * time.Minute) // a use in between counts, though nothing has written it yet
		w.expect(t, token, check.In)
		w.db.Clock.Advance(30 * time.Minute)
		locked := w.expect(t, token, check.Locked).Session
		if next := w.resume(t, locked, "wrong", home); next != refused {
			t.Errorf("with a wrong password: %+v", next)
		}
		w.expect(t, token, check.Locked)
		next := w.resume(t, locked, rightPassword, elsewhere)
		if next.Step != signin.In {
			t.Fatalf("with the right one: %+v", next)
		}
		w.expect(t, token, check.Out)
		after := w.expect(t, next.Session, check.In).Session
		if after.ID == first.ID || !after.EndsAt.Equal(first.EndsAt) || after.Factor != first.Factor || !after.FactorAt.Equal(first.FactorAt) || after.Place != elsewhere {
			t.Errorf("before %+v, after %+v", first, after)
		}
		if next := w.resume(t, locked, rightPassword, home); next.Step != signin.Gone {
			t.Errorf("the old one once more: %+v", next)
		}
	})
}

func TestWrongPasswordsAtALockedSessionCountAtTheDoorToo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token := w.single(t, w.alex, home)
		w.db.Clock.Advance(session.IdleLimit)
		locked := w.expect(t, token, check.Locked).Session
		for range 3 {
			w.resume(t, locked, "wrong", home)
		}
		for range 2 {
			w.try(t, string(w.alex.Login), "wrong", home)
		}
		if next := w.resume(t, locked, rightPassword, home); next != refused {
			t.Errorf("the right one at the lock: %+v", next)
		}
		if next := w.try(t, string(w.alex.Login), rightPassword, home); next != refused {
			t.Errorf("the right one at the door: %+v", next)
		}
		if next := w.resume(t, locked, rightPassword, elsewhere); next.Step != signin.In {
			t.Errorf("from another network: %+v", next)
		}
	})
}

func TestASessionEndsAtItsMomentWhateverIsDone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		required, free := w.in(t, w.pat, home), w.single(t, w.alex, home)
		r, f := w.expect(t, required, check.In).Session, w.expect(t, free, check.In).Session
		if four := policy.NextFour(r.StartedAt, w.zone(t)); !r.EndsAt.Equal(four) {
			t.Errorf("where it is required it ends at %s", r.EndsAt)
		}
		if !f.EndsAt.Equal(f.StartedAt.Add(24 * time.Hour)) {
			t.Errorf("elsewhere it ends at %s", f.EndsAt)
		}
		for w.db.Clock.Now().Before(r.EndsAt.Add(-25 * time.Minute)) {
			w.expect(t, required, check.In)
			w.db.Clock.Advance(20 * time.Minute)
		}
		w.expect(t, required, check.In)
		w.db.Clock.Advance(r.EndsAt.Sub(w.db.Clock.Now()))
		w.expect(t, required, check.Out)
		if next := w.resume(t, r, rightPassword, home); next.Step != signin.Gone {
			t.Errorf("to resume it then: %+v", next)
		}
	})
}

func TestWhatCannotBeWrittenLocksNobodyOutOfASessionInUse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token := w.single(t, w.alex, home)
		release := w.hold(t, w.expect(t, token, check.In).Session)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for range 2 {
			w.db.Clock.Advance(20 * time.Minute)
			w.expect(t, token, check.In)
			w.check.Run(over) // writes once more, for a second at most
		}
		release()
		w.db.Clock.Advance(20 * time.Minute)
		w.expect(t, token, check.In)
		w.check.Run(over)
		w.db.Clock.Advance(session.IdleLimit)
		if got := w.expect(t, token, check.Locked).Session; got.SeenAt.Sub(got.StartedAt) < time.Hour {
			t.Errorf("the last use that was written is that of %s", got.SeenAt)
		}
	})
}

// hold keeps a session's row from being written until release is called.
func (w *world) hold(t *testing.T, s session.Session) (release func()) {
	t.Helper()
	held, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := w.db.Do(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE sessions SET client = client WHERE session_id = $1`, string(s.ID))
			close(held)
			<-end
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}()
	<-held
	return func() { close(end); <-done }
}
