package signin_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

// miss types n wrong codes, each of which is looked at.
func (w *world) miss(t *testing.T, attempt, right string, n int) {
	t.Helper()
	for i := range n {
		if next := w.code(t, attempt, wrong(right, i+1)); next.Step != signin.AskCode || next.Wrong != signin.WrongCode {
			t.Fatalf("wrong code %d: %+v", i+1, next)
		}
	}
}

func (w *world) answers(t *testing.T, attempt, typed string, want signin.Wrong) signin.Next {
	t.Helper()
	next := w.code(t, attempt, typed)
	if next.Step != signin.AskCode || next.Wrong != want || next.Session != "" {
		t.Fatalf("the answer is %+v, not %q", next, want)
	}
	return next
}

// again types the password anew and gives the attempt and its code.
func (w *world) again(t *testing.T, who user.User, from session.Place) (attempt, digits string) {
	t.Helper()
	return w.begin(t, who, from), w.inbox.code(t, who)
}

func TestFiveWrongCodesKillACodeAndANewOneWorks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, home)
		attempt, digits := w.again(t, w.pat, home)
		w.miss(t, attempt, digits, limit.GuessesPerCode)
		w.answers(t, attempt, digits, signin.NoCode)
		if next := w.send(t, attempt); next.Wrong != signin.TooSoon {
			t.Fatalf("at once: %+v", next)
		}
		w.db.Clock.Advance(limit.CodeNext.Window)
		if next := w.send(t, attempt); next.Step != signin.AskCode || next.Wrong != "" {
			t.Fatalf("after half a minute: %+v", next)
		}
		fresh := w.inbox.code(t, w.pat)
		if fresh != digits {
			w.answers(t, attempt, digits, signin.StaleCode) // it was replaced: that costs nothing, whatever it bore
		}
		if next := w.code(t, attempt, fresh); next.Step != signin.In {
			t.Errorf("the new code: %+v", next)
		}
	})
}

func TestNewCodesAndNewAttemptsGiveNoNewGuessesAndOnlyTimeDoes(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t)
		w.in(t, w.pat, home)
		began := w.db.Clock.Now()
		first, one := w.again(t, w.pat, home)
		second, two := w.again(t, w.pat, home)
		third, three := w.again(t, w.pat, home)
		w.miss(t, first, one, 5)
		w.in(t, w.pat, home) // a success elsewhere refills nothing
		w.miss(t, second, two, 4)
		if got := w.times(t, w.pat, audit.MethodRested); got != 0 {
			t.Errorf("rested before the tenth")
		}
		w.miss(t, second, two, 1)
		if got := w.times(t, w.pat, audit.MethodRested); got != 1 {
			t.Errorf("the tenth wrong code left %d words that the method rests", got)
		}
		next := w.answers(t, third, three, signin.Resting)
		if wait := next.Retry.Sub(began); wait < time.Hour || wait > time.Hour+time.Minute {
			t.Errorf("to be tried again after %s", wait)
		}
		w.answers(t, third, wrong(three, 1), signin.Resting)
		if v := w.view(t, third); v.Step != signin.Rest {
			t.Errorf("the page shows %q", v.Step)
		}
		if next := w.send(t, third); next.Step != signin.Rest {
			t.Errorf("another code: %+v", next)
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, home); next.Step != signin.Rest || next.Attempt == "" {
			t.Errorf("another attempt: %+v", next)
		}
		if next := w.try(t, string(w.kim.Login), rightPassword, home); next.Step != signin.AskCode {
			t.Errorf("somebody else: %+v", next)
		}
		w.db.Clock.Advance(next.Retry.Sub(w.db.Clock.Now()))
		w.skipped(t, w.pat, "code", "2")
		attempt, digits := w.again(t, w.pat, home)
		w.miss(t, attempt, digits, 1)
		if next := w.code(t, attempt, digits); next.Step != signin.In {
			t.Errorf("when the window is free: %+v", next)
		}
	})
}

// skipped finds the one event of an hour, which is over, for tries that were not looked at.
func (w *world) skipped(t *testing.T, who user.User, what, tries string) {
	t.Helper()
	for range 2 {
		if err := w.desk.RecordSkipped(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
	}
	var got []map[string]string
	for _, e := range w.trail(t, who.ID) {
		if e.Kind == audit.TriesUnevaluated {
			got = append(got, e.Facts)
		}
	}
	if len(got) != 1 || got[0]["what"] != what || got[0]["tries"] != tries {
		t.Errorf("the trail says of tries that were not looked at: %v", got)
	}
}

func TestAStrangerHasFiveGuessesAnHourAndTheOwnerKeepsFive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, home)
		mine, right := w.again(t, w.pat, home)
		theirs, digits := w.again(t, w.pat, elsewhere)
		w.miss(t, theirs, digits, 5)
		if v := w.view(t, theirs); v.Step != signin.Rest {
			t.Errorf("the stranger's page shows %q", v.Step)
		}
		w.miss(t, mine, right, 4)
		if next := w.code(t, mine, right); next.Step != signin.In {
			t.Errorf("the owner: %+v", next)
		}
	})
}

func TestTwentyGuessesADayAreAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, home)
		began := w.db.Clock.Now()
		for range 4 {
			attempt, digits := w.again(t, w.pat, home)
			w.miss(t, attempt, digits, 5)
			w.db.Clock.Advance(61 * time.Minute)
		}
		if next := w.try(t, string(w.pat.Login), rightPassword, home); next.Step != signin.Rest {
			t.Fatalf("after twenty: %+v", next)
		}
		w.db.Clock.Advance(began.Add(24 * time.Hour).Sub(w.db.Clock.Now()))
		w.db.Clock.Advance(time.Minute)
		w.in(t, w.pat, home)
	})
}

func TestTheCountOfGuessesOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		w := open(t, rawURL, keys)
		w.people(t)
		w.start(t)
		w.in(t, w.pat, home)
		used, one := w.again(t, w.pat, home)
		waits, right := w.again(t, w.pat, home)
		w.miss(t, used, one, 5)
		w.miss(t, waits, right, 4)
		w.stop(t)
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		after := open(t, rawURL, keys)
		after.answers(t, waits, wrong(right, 9), signin.WrongCode)
		after.answers(t, waits, right, signin.NoCode)
		if v := after.view(t, used); v.Step != signin.Rest {
			t.Errorf("after the restart the page shows %q", v.Step)
		}
	})
}

func TestOfTwoHundredWrongCodesAtOnceOnlyTheBudgetIsLookedAt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.in(t, w.pat, home)
		var attempts, right []string
		for range 4 {
			attempt, digits := w.again(t, w.pat, home)
			attempts, right = append(attempts, attempt), append(right, digits)
		}
		var wrongOnes, others atomic.Int64
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				next, err := w.desk.Code(t.Context(), attempts[i%4], signin.Typed{Text: wrong(right[i%4], i+1)})
				switch {
				case err != nil:
					t.Error(err)
				case next.Step != signin.AskCode || next.Session != "":
					t.Errorf("%+v", next)
				case next.Wrong == signin.WrongCode:
					wrongOnes.Add(1)
				default:
					others.Add(1)
				}
			})
		}
		all.Wait()
		if wrongOnes.Load() != 10 || others.Load() != 190 {
			t.Errorf("%d were looked at, %d not", wrongOnes.Load(), others.Load())
		}
		if got := w.times(t, w.pat, audit.CodeWrong); got != 10 {
			t.Errorf("the trail holds %d wrong codes", got)
		}
		for i := range attempts {
			if next := w.code(t, attempts[i], right[i]); next.Step == signin.In {
				t.Errorf("the right code came in after the budget was used up: %+v", next)
			}
		}
	})
}

func TestAnOldCodeSaysSoAndCostsNoGuess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		attempt, old := w.again(t, w.pat, home)
		made := w.view(t, attempt).Code.MadeAt
		fresh := old
		for fresh == old { // once in a million times the same digits come again
			w.db.Clock.Advance(limit.CodeNext.Window)
			w.send(t, attempt)
			fresh = w.inbox.code(t, w.pat)
		}
		before := w.guesses(t)
		for range 12 {
			if next := w.answers(t, attempt, old, signin.StaleCode); !next.MadeAt.Equal(made) {
				t.Errorf("made at %s, not %s", next.MadeAt, made)
			}
		}
		w.db.Clock.Advance(signin.CodeLife)
		w.answers(t, attempt, fresh, signin.StaleCode)
		w.answers(t, attempt, wrong(fresh, 1), signin.NoCode)
		if after := w.guesses(t); !slices.Equal(before, after) {
			t.Errorf("guesses before %q, after %q", before, after)
		}
		if got := w.view(t, attempt).Code; got.Live || got.Wrong != 0 {
			t.Errorf("the page shows %+v", got)
		}
		if next := w.send(t, attempt); next.Wrong != "" {
			t.Fatalf("another code: %+v", next)
		}
		if next := w.code(t, attempt, w.inbox.code(t, w.pat)); next.Step != signin.In {
			t.Errorf("the newest code: %+v", next)
		}
		want := []audit.Kind{audit.AttemptStarted, audit.SignInAsked, audit.CodeSent, audit.CodeReplaced, audit.CodeSent}
		if got := w.kinds(t, w.pat); !slices.Equal(got[:5], want) || slices.Contains(got, audit.CodeWrong) {
			t.Errorf("the trail: %q", got)
		}
	})
}

// guesses are the stored budgets of guesses.
func (w *world) guesses(t *testing.T) []string {
	t.Helper()
	return texts(t, w.db, `SELECT subject || ' ' || uses FROM budgets WHERE subject LIKE 'guess%' AND uses <> '' ORDER BY subject`)
}

func TestACodeWorksUntilJustBeforeTenMinutes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		early, digits := w.again(t, w.pat, home)
		w.db.Clock.Advance(signin.CodeLife - time.Minute)
		if next := w.code(t, early, digits); next.Step != signin.In {
			t.Errorf("after nine minutes: %+v", next)
		}
		late, digits := w.again(t, w.pat, home)
		until := w.view(t, late).Code.Until
		w.db.Clock.Advance(until.Sub(w.db.Clock.Now()))
		w.answers(t, late, digits, signin.StaleCode)
	})
}

func TestAnotherCodeWaitsHalfAMinuteAndFiveAreAllInAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		attempt := w.begin(t, w.pat, home)
		digits := w.inbox.code(t, w.pat)
		w.refusesToSend(t, attempt, w.view(t, attempt).Code.MadeAt.Add(30*time.Second))
		if next := w.code(t, attempt, digits); next.Step != signin.In {
			t.Fatalf("a refused send ended the code: %+v", next)
		}
		attempt = w.begin(t, w.pat, home)
		first := w.view(t, attempt).Code.MadeAt
		for range 3 {
			w.db.Clock.Advance(30 * time.Second)
			if next := w.send(t, attempt); next.Wrong != "" {
				t.Fatalf("after half a minute: %+v", next)
			}
		}
		w.db.Clock.Advance(30 * time.Second)
		next := w.refusesToSend(t, attempt, time.Time{})
		if wait := next.Retry.Sub(first); wait > 15*time.Minute || wait < 14*time.Minute {
			t.Errorf("the sixth may be sent %s after the first", wait)
		}
		w.db.Clock.Advance(next.Retry.Sub(w.db.Clock.Now()))
		if next := w.send(t, attempt); next.Wrong != "" {
			t.Errorf("when the window is free: %+v", next)
		}
	})
}

// refusesToSend asks for another code, is told when, and finds everything as it was.
func (w *world) refusesToSend(t *testing.T, attempt string, until time.Time) signin.Next {
	t.Helper()
	before := w.sent(t)
	next := w.send(t, attempt)
	if next.Step != signin.AskCode || next.Wrong != signin.TooSoon || next.Retry.IsZero() {
		t.Fatalf("another code: %+v", next)
	}
	if !until.IsZero() && !next.Retry.Equal(until) {
		t.Errorf("it may be sent at %s, not at %s", next.Retry, until)
	}
	if after := w.sent(t); !slices.Equal(before, after) {
		t.Errorf("a refused send left %q, before it were %q", after, before)
	}
	return next
}

func (w *world) sent(t *testing.T) []string {
	t.Helper()
	return slices.Concat(
		texts(t, w.db, `SELECT code_id || COALESCE(CAST(replaced_at AS TEXT), '') FROM codes ORDER BY code_id`),
		texts(t, w.db, `SELECT message_id FROM messages ORDER BY message_id`),
		texts(t, w.db, `SELECT subject || ' ' || uses FROM budgets WHERE uses <> '' ORDER BY subject`),
		texts(t, w.db, `SELECT CAST(id AS TEXT) FROM river_job ORDER BY id`),
		texts(t, w.db, `SELECT body FROM audit_events ORDER BY chain, seq`),
	)
}
