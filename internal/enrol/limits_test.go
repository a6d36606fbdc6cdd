package enrol_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/limit"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestFiveWrongTriesEndACodeAndFourDoNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for tries, want := range map[int]enrol.Refused{4: "", 5: enrol.NoCode} {
			who := map[int]enrol.Holder{}
			who[4], _ = w.in(t, w.kim, freshEmail)
			who[5], _ = w.in(t, w.twinKim, freshEmail)
			to := fmt.Sprintf("+6149157015%d", tries)
			h := who[tries]
			must(t, answer(t)(w.desk.LinkMobile(t.Context(), h, to)), nil)
			digits := w.inbox.code(t, to)
			for n := range tries {
				refused(t, answer(t)(w.desk.ProveMobile(t.Context(), h, wrong(digits, n+1))), nil, enrol.WrongCode)
			}
			refused(t, answer(t)(w.desk.ProveMobile(t.Context(), h, digits)), nil, want)
		}
	})
}

func TestGuessesAtNewNumbersHaveOneBudget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		looked, rested := 0, 0
		for n := range 4 {
			h, _ := w.in(t, w.kim, freshEmail)
			to := fmt.Sprintf("+6149157%04d", 1000*n+5)
			done := answer(t)(w.desk.LinkMobile(t.Context(), h, to))
			if done.Refused != "" {
				continue
			}
			digits := w.inbox.code(t, to)
			for i := range 5 {
				done := answer(t)(w.desk.ProveMobile(t.Context(), h, wrong(digits, i+1)))
				if done.Refused == enrol.WrongCode {
					looked++
				} else {
					refused(t, done, nil, enrol.Resting)
					rested++
				}
			}
		}
		if looked != 5 || rested == 0 {
			t.Errorf("%d were looked at, %d were not", looked, rested)
		}
	})
}

func TestAnUnprovedNumberGetsThreeCodesInAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		sent := 0
		for range 8 {
			for _, to := range []string{number, nextNumber} { // each takes the other's place
				h, _ := w.in(t, w.kim, freshEmail)
				if done := answer(t)(w.desk.LinkMobile(t.Context(), h, to)); done.Refused != "" {
					refused(t, done, nil, enrol.NumberSpent)
					continue
				}
				sent++
				w.inbox.code(t, to)
			}
			w.db.Clock.Advance(24 * time.Hour)
		}
		if sent != 6 {
			t.Errorf("%d codes to two numbers", sent)
		}
		// The twin has codes of their own for one of them.
		twin, _ := w.in(t, w.twinKim, freshEmail)
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), twin, number)), nil)
	})
}

func TestAProvedNumberThatWasRemovedMayBeProvedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for range 4 {
			h, _ := w.in(t, w.kim, freshEmail)
			done := must(t, w.addMobile(t, h, number), nil)
			h, _ = w.in(t, w.kim, proof{factor: policy.SMS})
			must(t, answer(t)(w.desk.Remove(t.Context(), h, done.Method)), nil)
			w.db.Clock.Advance(time.Hour)
		}
	})
}

func TestWithoutAnSMSItSaysWhoCanMendIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.empty(t, w.bay)
		before, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), w.bay.ID)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := w.in(t, w.kim, freshEmail)
		if done := refused(t, answer(t)(w.desk.LinkMobile(t.Context(), h, number)), nil, enrol.NoBalance); done.Fix != policy.FixAdmin {
			t.Errorf("%q can", done.Fix)
		}
		// What is left is the float, which is Pat's.
		pat, _ := w.in(t, w.pat, freshEmail)
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), pat, number)), nil)
		w.inbox.code(t, number)
		after, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), w.bay.ID)
		if err != nil || after.Available != before.Available-1 || before.Available != balance.FloatPerAdmin {
			t.Errorf("%+v, then %+v, %v", before, after, err)
		}
		if err := balance.Audit(t.Context(), w.db, w.bay.ID); err != nil {
			t.Error(err)
		}
		w.desk.Standing.SMS = false
		pat, _ = w.in(t, w.pat, freshEmail)
		if done := refused(t, answer(t)(w.desk.LinkMobile(t.Context(), pat, nextNumber)), nil, enrol.NoBalance); done.Fix != policy.FixAccountManager {
			t.Errorf("%q can", done.Fix)
		}
	})
}

func (w *world) empty(t *testing.T, s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		all, err := balance.Of(ctx, tx, tx.Now, s.ID)
		if err != nil {
			return err
		}
		_, ok, err := balance.Reserve(ctx, tx, balance.Ask{Site: s.ID, User: w.pat.ID, Message: "spent", Try: 1, Parts: all.Available - all.Float})
		if !ok {
			t.Error("nothing to spend")
		}
		return err
	})
}

func TestARefusedSendCostsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		var all sync.WaitGroup
		got := make([]enrol.Done, 12)
		for i := range got {
			all.Go(func() {
				var err error
				if got[i], err = w.desk.LinkMobile(t.Context(), h, number); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		sent := 0
		for _, done := range got {
			if done.Refused == "" {
				sent++
			}
		}
		w.inbox.code(t, number)
		account, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), w.bay.ID)
		if err != nil || sent != 1 || account.Available != 499 {
			t.Errorf("%d were sent, %+v, %v", sent, account, err)
		}
		if n := len(w.methods(t, w.kim)); n != 2 {
			t.Errorf("%d methods", n)
		}
	})
}

func TestNumbersNextToEachOtherRaiseAnAlarmAndStop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		sent, stopped := 0, 0
		for n := range 16 {
			// Sixteen people, so that nobody's own budget is the one that stops it.
			who := w.user(t, fmt.Sprintf("p%d@bayside.example", n), "Pat", "Lee")
			w.join(t, who, w.bay, policy.GroupMechanic)
			h, _ := w.in(t, who, freshEmail)
			to := fmt.Sprintf("+614915701%02d", 50+n)
			if done := answer(t)(w.desk.LinkMobile(t.Context(), h, to)); done.Refused != "" {
				refused(t, done, nil, enrol.Adjacent)
				stopped++
				continue
			}
			sent++
		}
		if sent != 10 || stopped != 6 || w.bursts != 6 {
			t.Errorf("%d were sent, %d stopped, %d alarms", sent, stopped, w.bursts)
		}
		// One event an hour for a row of numbers.
		events, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.bay.ID}, 200)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range events {
			if e.Kind == audit.SMSBurst {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d events", n)
		}
		// Another row is nobody's neighbour, and a number that had a code may have the next.
		twin, _ := w.in(t, w.twinKim, freshEmail)
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), twin, "+61491572665")), nil)
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), twin, "+61491570150")), nil)
		// After an hour it goes on.
		w.db.Clock.Advance(time.Hour)
		twin, _ = w.in(t, w.twinKim, freshEmail)
		must(t, answer(t)(w.desk.LinkMobile(t.Context(), twin, "+61491570199")), nil)
	})
}

func TestAUserPutsFiveNewNumbersOnFileADayAndIsToldWhenTheNextIsTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		link := func(who user.User, n int) enrol.Done {
			h, _ := w.in(t, who, freshEmail)
			return answer(t)(w.desk.LinkMobile(t.Context(), h, fmt.Sprintf("+6149157%04d", 1000*n+5)))
		}
		for n := range limit.NewNumbers.Cap {
			must(t, link(w.kim, n), nil)
			w.db.Clock.Advance(16 * time.Minute) // the codes of a quarter of an hour are another budget
		}
		done := refused(t, link(w.kim, 6), nil, enrol.TooMany)
		if wait := done.Retry.Sub(w.db.Clock.Now()); wait < 22*time.Hour || wait > 24*time.Hour {
			t.Errorf("it says to wait %s", wait)
		}
		must(t, link(w.twinKim, 6), nil) // the twin's are the twin's
	})
}

func TestPasskeysAreAskedForSoOftenAndNoMoreInOneSignInAndByOnePerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		first, done, err := w.desk.BeginPasskey(t.Context(), h)
		must(t, done, err)
		for range limit.PasskeysAsked.Cap - 1 {
			_, done, err := w.desk.BeginPasskey(t.Context(), h)
			must(t, done, err)
		}
		_, done, err = w.desk.BeginPasskey(t.Context(), h)
		if refused(t, done, err, enrol.TooSoon).Retry.IsZero() {
			t.Error("not told when")
		}
		must(t, answer(t)(w.desk.FinishPasskey(t.Context(), h, enrol.Made{Token: first.Token, Response: makes(t, h.User, first)})), nil)
		next, err := w.door.Password(t.Context(), w.try(w.kim))
		if err != nil || next.Attempt == "" {
			t.Fatal(next, err)
		}
		asked := 0
		for range limit.PasskeysAsked.Cap + 2 {
			o, err := w.door.AskPasskey(t.Context(), next.Attempt)
			if err != nil {
				t.Fatal(err)
			}
			if o.Ceremony != "" {
				asked++
			} else if o.Next.Wrong != signin.TooSoon || o.Next.Retry.IsZero() {
				t.Fatalf("refused with %+v", o.Next)
			}
		}
		if asked != limit.PasskeysAsked.Cap {
			t.Errorf("%d were begun in one sign-in", asked)
		}
	})
}

func TestStrangersOfANetworkLeavePasskeysToWhoeverIsKnownThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		h, _ := w.in(t, w.kim, freshEmail)
		first, done, err := w.desk.BeginPasskey(t.Context(), h)
		must(t, done, err)
		must(t, answer(t)(w.desk.FinishPasskey(t.Context(), h, enrol.Made{Token: first.Token, Response: makes(t, h.User, first)})), nil)
		try := w.try(w.kim)
		begun := 0
		for range limit.PasskeysNetwork.Cap {
			o, err := w.door.BeginPasskey(t.Context(), session.Place{Browser: "thief", Network: try.Place.Network})
			if err != nil {
				t.Fatal(err)
			}
			if o.Ceremony == "" {
				break
			}
			begun++
		}
		if begun != limit.PasskeysNetwork.Cap-limit.PasskeysNetwork.Kept {
			t.Errorf("strangers began %d", begun)
		}
		ask := func() signin.PasskeyOptions {
			next, err := w.door.Password(t.Context(), try)
			if err != nil || next.Attempt == "" {
				t.Fatal(next, err)
			}
			o, err := w.door.AskPasskey(t.Context(), next.Attempt)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return session.Remember(ctx, tx, w.kim.ID, try.Place) })
		if o := ask(); o.Ceremony == "" {
			t.Errorf("Kim, who is known there, is refused with %+v", o.Next)
		}
	})
}
