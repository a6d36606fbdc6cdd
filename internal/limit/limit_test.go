package limit_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
)

func take(t *testing.T, d *db.DB, charges ...limit.Charge) limit.Answer {
	t.Helper()
	answer, err := tryTake(t.Context(), d, charges...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func tryTake(ctx context.Context, d *db.DB, charges ...limit.Charge) (answer limit.Answer, err error) {
	err = d.Do(ctx, func(tx *db.Tx) error {
		answer, err = limit.Take(ctx, tx, charges...)
		return err
	})
	return answer, err
}

func giveBack(t *testing.T, d *db.DB, charges ...limit.Charge) {
	t.Helper()
	if err := d.Do(t.Context(), func(tx *db.Tx) error { return limit.GiveBack(t.Context(), tx, charges...) }); err != nil {
		t.Fatal(err)
	}
}

func peek(t *testing.T, d *db.DB, now time.Time, charges ...limit.Charge) limit.Answer {
	t.Helper()
	answer, err := limit.Peek(t.Context(), d, now, charges...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// takeUntilRefused says how many takes were accepted.
func takeUntilRefused(t *testing.T, d *db.DB, charges ...limit.Charge) int {
	t.Helper()
	for n := range 1000 {
		if !take(t, d, charges...).OK {
			return n
		}
	}
	t.Fatal("never refused")
	return 0
}

func charge(name string, most, kept int, subject string, known bool) limit.Charge {
	return limit.Charge{Budget: limit.Budget{Name: name, Cap: most, Window: time.Hour, Kept: kept}, Subject: subject, Known: known}
}

// inParallel runs every take at once, and says how many were accepted.
func inParallel(t *testing.T, d *db.DB, n int, charges func(i int) []limit.Charge) int {
	t.Helper()
	var accepted atomic.Int64
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			answer, err := tryTake(t.Context(), d, charges(i)...)
			if err != nil {
				t.Error(err)
			}
			if answer.OK {
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	return int(accepted.Load())
}

func TestOfTwoHundredTakesAtOnceExactlyTheCapIsAccepted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		got := inParallel(t, d, 200, func(int) []limit.Charge { return []limit.Charge{charge("guess", 10, 5, "pat", true)} })
		if got != 10 {
			t.Errorf("accepted %d", got)
		}
	})
}

func TestStrangersAtOnceLeaveWhatIsKeptForKnownPlaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		got := inParallel(t, d, 200, func(int) []limit.Charge { return []limit.Charge{charge("guess", 10, 5, "pat", false)} })
		if got != 5 {
			t.Errorf("strangers were accepted %d times", got)
		}
		if got := takeUntilRefused(t, d, charge("guess", 10, 5, "pat", true)); got != 5 {
			t.Errorf("then the owner was accepted %d times", got)
		}
	})
}

// Everybody wants the shared budget and one of two others, named so that the order of
// asking and the order of keys differ.
func TestSeveralBudgetsAtOnceAreTakenTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		shared := charge("m.shared", 100, 0, "all", false)
		mine := []limit.Charge{charge("z.own", 7, 0, "pat", false), charge("a.own", 9, 0, "kim", false)}
		got := inParallel(t, d, 60, func(i int) []limit.Charge {
			if i%2 == 0 {
				return []limit.Charge{mine[0], shared}
			}
			return []limit.Charge{shared, mine[1]}
		})
		if got != 7+9 {
			t.Errorf("accepted %d", got)
		}
		if left := takeUntilRefused(t, d, shared); left != 100-7-9 {
			t.Errorf("%d were left of the shared budget: refused takes were written", left)
		}
	})
}

func TestGivenBackUsesCanBeTakenAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		known, stranger := charge("password", 3, 1, "pat", true), charge("password", 3, 1, "pat", false)
		hour := charge("hour", 50, 0, "pat", true)
		first := take(t, d, known, hour)
		second := take(t, d, stranger)
		d.Clock.Advance(time.Minute)
		if third := take(t, d, known); !first.OK || !second.OK || !third.OK || take(t, d, known).OK {
			t.Fatal("three uses do not fill a budget of three")
		}
		known.At, hour.At = first.At, first.At
		giveBack(t, d, known, hour)
		if got := peek(t, d, d.Clock.Now(), stranger); !got.OK {
			t.Errorf("after giving back: %+v", got)
		}
		known.At = time.Time{}
		if !take(t, d, known).OK {
			t.Error("what was given back cannot be taken")
		}
		if got := peek(t, d, d.Clock.Now(), known); !got.Retry.Equal(second.At.Add(time.Hour)) {
			t.Errorf("the use of the first moment is still there: frees %v, second was at %v", got.Retry, second.At)
		}
		giveBack(t, d, stranger, stranger, stranger, stranger)
		if got := takeUntilRefused(t, d, known); got != 1 {
			t.Errorf("giving back as a stranger freed %d uses", got)
		}
	})
}

func TestTakingAndGivingBackInOneTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		ctx, c := t.Context(), charge("guess", 1, 0, "pat", false)
		for range 3 {
			err := d.Do(ctx, func(tx *db.Tx) error {
				if answer, err := limit.Take(ctx, tx, c); err != nil || !answer.OK {
					t.Errorf("%+v, %v", answer, err)
				}
				return limit.GiveBack(ctx, tx, c)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRetryIsTheVeryMomentAndTheLatestOfTheRefusing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		next := limit.Charge{Budget: limit.CodeNext, Subject: "pat"}
		many := limit.Charge{Budget: limit.CodesUser, Subject: "pat", Known: true}
		first := take(t, d, next, many)
		for range 4 {
			d.Clock.Advance(time.Minute)
			take(t, d, next, many)
		}
		refused := take(t, d, next, many)
		if refused.OK || refused.Budget != limit.CodesUser.Name || !refused.Retry.Equal(first.At.Add(15*time.Minute)) || !refused.At.IsZero() {
			t.Errorf("got %+v, first was at %v", refused, first.At)
		}
		if early := peek(t, d, refused.Retry.Add(-time.Microsecond), next, many); early.OK || !early.Retry.Equal(refused.Retry) {
			t.Errorf("a microsecond early: %+v", early)
		}
		if then := peek(t, d, refused.Retry, next, many); !then.OK {
			t.Errorf("at the moment itself: %+v", then)
		}
	})
}

func TestAskingAgainWhileRefusedDoesNotProlongTheWait(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		c := limit.Charge{Budget: limit.WrongPasswords, Subject: limit.Subject("name and network", "pat@bayside.example", "203.0.113.7/32")}
		takeUntilRefused(t, d, c)
		retry := peek(t, d, d.Clock.Now(), c).Retry
		for range 30 {
			d.Clock.Advance(20 * time.Second)
			if got := take(t, d, c); got.OK || !got.Retry.Equal(retry) {
				t.Fatalf("got %+v, want a wait until %v", got, retry)
			}
		}
		d.Clock.Advance(retry.Sub(d.Clock.Now()) + time.Minute)
		if got := takeUntilRefused(t, d, c); got != 5 {
			t.Errorf("after the wait %d are accepted", got)
		}
	})
}

func TestCountsSurviveARestartAndAreSeenByEveryNode(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		c := charge("guess", 3, 0, "pat", false)
		one := dbtest.Open(t, rawURL)
		takeUntilRefused(t, one, c)
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
		for _, node := range []*db.DB{dbtest.Open(t, rawURL), dbtest.Open(t, rawURL)} {
			if got := take(t, node, c); got.OK {
				t.Error("the count is gone")
			}
		}
	})
}

func TestATakeThatIsRolledBackWasNone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		ctx, c, boom := t.Context(), charge("guess", 1, 0, "pat", false), errors.New("boom")
		err := d.Do(ctx, func(tx *db.Tx) error {
			if _, err := limit.Take(ctx, tx, c); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || !take(t, d, c).OK {
			t.Errorf("the use was kept: %v", err)
		}
	})
}

func TestARowThatCannotBeReadLetsNobodyPassUntilItIsIdle(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		ctx, c := t.Context(), charge("guess", 3, 0, "pat", false)
		take(t, d, c)
		err := d.Do(ctx, func(tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE budgets SET uses = 'none' WHERE subject = $1`, "guess/pat")
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tryTake(ctx, d, c); err == nil || got.OK {
			t.Errorf("taken: %+v, %v", got, err)
		}
		if got, err := limit.Peek(ctx, d, d.Clock.Now(), c); err == nil || got.OK {
			t.Errorf("peeked: %+v, %v", got, err)
		}
		d.Clock.Advance(2 * time.Hour)
		if got := sweep(t, d, 10); got != 1 || !take(t, d, c).OK {
			t.Errorf("swept %d; the wait did not end by itself", got)
		}
	})
}

func sweep(t *testing.T, d *db.DB, most int) (n int) {
	t.Helper()
	err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
		n, err = limit.Sweep(t.Context(), tx, most)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSweepingDropsWhatIsIdleAndNothingElse(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		full := charge("guess", 1, 0, "full", false)
		take(t, d, full)
		for _, subject := range []string{"a", "b", "c"} { // refused with full: rows without a use
			take(t, d, full, charge("guess", 1, 0, subject, false))
		}
		if first, second, third := sweep(t, d, 2), sweep(t, d, 2), sweep(t, d, 2); first != 2 || second != 1 || third != 0 {
			t.Errorf("swept %d, %d and %d empty rows", first, second, third)
		}
		if take(t, d, full).OK {
			t.Error("a use in its window was swept")
		}
		d.Clock.Advance(time.Hour + time.Minute)
		if got := sweep(t, d, 2); got != 1 {
			t.Errorf("swept %d rows past their window", got)
		}
	})
}

func TestPeekingChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		c := charge("guess", 1, 0, "pat", false)
		for range 3 {
			if got := peek(t, d, d.Clock.Now(), c); !got.OK {
				t.Fatalf("got %+v", got)
			}
		}
		rows, err := db.One(t.Context(), d, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM budgets`)
		if err != nil || rows != 0 {
			t.Errorf("%d rows, %v", rows, err)
		}
	})
}

func TestChargesThatCannotBeKeptAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	budget := func(change func(*limit.Budget)) limit.Charge {
		c := charge("guess", 3, 1, "pat", false)
		change(&c.Budget)
		return c
	}
	long := make([]byte, 201)
	for i := range long {
		long[i] = 'x'
	}
	for name, c := range map[string]limit.Charge{
		"no name":                    budget(func(b *limit.Budget) { b.Name = "" }),
		"a slash in the name":        budget(func(b *limit.Budget) { b.Name = "guess/pat" }),
		"no uses":                    budget(func(b *limit.Budget) { b.Cap = 0 }),
		"everything kept":            budget(func(b *limit.Budget) { b.Kept = 3 }),
		"less than nothing kept":     budget(func(b *limit.Budget) { b.Kept = -1 }),
		"no window":                  budget(func(b *limit.Budget) { b.Window = 0 }),
		"a window of a millisecond":  budget(func(b *limit.Budget) { b.Window = time.Millisecond }),
		"a window with nanoseconds":  budget(func(b *limit.Budget) { b.Window++ }),
		"no subject":                 charge("guess", 3, 1, "", false),
		"a raw address":              charge("guess", 3, 1, "pat@bayside.example", false),
		"a raw number":               charge("guess", 3, 1, "+61400000000", false),
		"a subject that is too long": charge("guess", 3, 1, string(long), false),
		"a subject with a space":     charge("guess", 3, 1, "pat smith", false),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := tryTake(t.Context(), d, charge("other", 3, 1, "pat", false), c); err == nil || got.OK {
				t.Errorf("taken: %+v", got)
			}
			if got, err := limit.Peek(t.Context(), d, d.Clock.Now(), c); err == nil || got.OK {
				t.Errorf("peeked: %+v", got)
			}
		})
	}
}

func TestAnAnswerSaysHowManyAreLeftAndWhenThereAreMore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		narrow, wide := charge("narrow", 3, 0, "pat", false), charge("wide", 100, 0, "pat", false)
		first := take(t, d, wide, narrow)
		if first.Left != 2 || first.More.Sub(first.At) != time.Hour {
			t.Errorf("first: %+v", first)
		}
		d.Clock.Advance(10 * time.Minute)
		if second := take(t, d, narrow, wide); second.Left != 1 || second.More.Sub(second.At) > 50*time.Minute {
			t.Errorf("second: %+v", second)
		}
		stranger := charge("kept", 4, 2, "pat", false)
		if got := take(t, d, stranger); got.Left != 1 {
			t.Errorf("a stranger: %+v", got)
		}
	})
}
