package method_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
)

func TestACeremonyIsOverAfterFiveMinutesOfOurClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		// Our clock stands a month from the process's, as it may in the demo.
		w.db.Clock.Advance(30 * 24 * time.Hour)
		f, _ := w.addPasskey(t, w.pat)
		for _, wait := range []time.Duration{4*time.Minute + 50*time.Second, 5 * time.Minute} {
			added, options := w.beginAdd(t, w.pat)
			made := phoneOf(t, w.pat).makes(t, options)
			token, options := w.beginUse(t, w.pat.ID)
			signed := f.signs(t, options)
			w.db.Clock.Advance(wait)
			if _, ok := w.finishAdd(t, w.pat, added, made); ok != (wait < 5*time.Minute) {
				t.Errorf("after %v, making: %v", wait, ok)
			}
			if _, _, ok := w.finishUse(t, w.pat.ID, token, signed); ok != (wait < 5*time.Minute) {
				t.Errorf("after %v, using: %v", wait, ok)
			}
		}
		w.beginUse(t, "")
		w.db.Clock.Advance(3 * time.Minute)
		w.beginUse(t, w.pat.ID)
		w.db.Clock.Advance(2 * time.Minute)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.SweepCeremonies(ctx, tx, 100) })
		if n := w.rows(t, "ceremonies"); n != 1 {
			t.Errorf("%d ceremonies are left by the sweep", n)
		}
	})
}

// A node whose own clock is an hour ahead of the database's judges by the database's.
func TestTheProcessesClockEndsNoCeremony(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f, _ := w.addPasskey(t, w.pat)
		added, made := w.beginAdd(t, w.pat)
		token, signed := w.beginUse(t, w.pat.ID)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			all, err := db.Many(ctx, tx, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT asked FROM ceremonies`)
			if err != nil {
				return err
			}
			for _, asked := range all {
				var fields map[string]any
				if err := json.Unmarshal([]byte(asked), &fields); err != nil {
					return err
				}
				fields["expires"] = "2001-01-01T00:00:00Z"
				ended, err := json.Marshal(fields)
				if err != nil {
					return err
				}
				if err := tx.Change(ctx, `UPDATE ceremonies SET asked = $2 WHERE asked = $1`, asked, string(ended)); err != nil {
					return err
				}
			}
			return nil
		})
		if _, ok := w.finishAdd(t, w.pat, added, phoneOf(t, w.pat).makes(t, made)); !ok {
			t.Error("making is over")
		}
		if _, _, ok := w.finishUse(t, w.pat.ID, token, f.signs(t, signed)); !ok {
			t.Error("using is over")
		}
	})
}

func TestOneOfManyAnswersAtOnceWins(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, w *world, rawURL string) {
		over := []*db.DB{w.db}
		if w.db.Engine() == db.Postgres {
			over = append(over, dbtest.Open(t, rawURL))
		}
		p := w.passkeys(t)
		f := phoneOf(t, w.pat)
		added, options := w.beginAdd(t, w.pat)
		made := f.makes(t, options)
		if wins := race(t, over, func(ctx context.Context, tx *db.Tx) (bool, error) {
			_, ok, err := p.FinishAdd(ctx, tx, w.pat.ID, added, made, "")
			return ok, err
		}); wins != 1 || len(w.methods(t, w.pat, policy.Passkey)) != 1 {
			t.Errorf("%d made one", wins)
		}
		for _, who := range []id.User{w.pat.ID, ""} {
			token, options := w.beginUse(t, who)
			signed := f.signs(t, options)
			if wins := race(t, over, func(ctx context.Context, tx *db.Tx) (bool, error) {
				_, _, ok, err := p.FinishUse(ctx, tx, who, token, signed)
				return ok, err
			}); wins != 1 {
				t.Errorf("%d passed for %q", wins, who)
			}
		}
	})
}

// Two copies of an authenticator that answer two ceremonies with one counter at the same
// moment read the same record; only one may be right.
func TestOfManyCopiesWithOneCounterAtOnceOneWins(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, w *world, rawURL string) {
		over := []*db.DB{w.db}
		if w.db.Engine() == db.Postgres {
			over = append(over, dbtest.Open(t, rawURL))
		}
		p := w.passkeys(t)
		f, _ := w.addPasskey(t, w.pat)
		f.key.Counter = 1
		type answer struct{ token, signed string }
		answers := make(chan answer, 32)
		for range cap(answers) {
			token, options := w.beginUse(t, w.pat.ID)
			answers <- answer{token, f.signs(t, options)}
		}
		if wins := race(t, over, func(ctx context.Context, tx *db.Tx) (bool, error) {
			a := <-answers
			_, _, ok, err := p.FinishUse(ctx, tx, w.pat.ID, a.token, a.signed)
			return ok, err
		}); wins != 1 {
			t.Errorf("%d passed", wins)
		}
	})
}

func TestGarbageIsNoErrorAndALongAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f, _ := w.addPasskey(t, w.pat)
		for _, response := range []string{
			"", "null", "[]", "{", `{"id":"!!"}`, `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, "\xff", strings.Repeat("[", 60_000),
		} {
			token, _ := w.beginAdd(t, w.pat)
			if _, ok := w.finishAdd(t, w.pat, token, response); ok {
				t.Errorf("%.20q makes one", response)
			}
			token, _ = w.beginUse(t, "")
			if _, _, ok := w.finishUse(t, "", token, response); ok {
				t.Errorf("%.20q passes", response)
			}
		}
		token, options := w.beginUse(t, w.pat.ID)
		if _, _, ok := w.finishUse(t, w.pat.ID, token, f.signs(t, options)+strings.Repeat(" ", 64<<10)); ok {
			t.Error("a long answer passes")
		}
		for _, token := range []string{"", "x", strings.Repeat("x", 1<<20)} {
			if _, _, ok := w.finishUse(t, "", token, "{}"); ok {
				t.Error("it passes without a ceremony")
			}
		}
		token, _ = w.beginAdd(t, w.pat)
		w.refuses(t, fault.Invalid, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := w.passkeys(t).FinishAdd(ctx, tx, w.pat.ID, token, "{}", "a\nb")
			return err
		})
	})
}

func TestAStorageThatFailsIsAnErrorAndNoRefusal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f, _ := w.addPasskey(t, w.pat)
		token, options := w.beginUse(t, "")
		signed := f.signs(t, options)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE passkeys SET credential = 'not JSON'`)
			return err
		})
		if err := w.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, _, _, err := w.passkeys(t).FinishUse(ctx, tx, "", token, signed)
			return err
		}); err == nil {
			t.Error("a broken record reads as a wrong answer")
		}
		gone, cancel := context.WithCancel(t.Context())
		if err := w.try(t, func(_ context.Context, tx *db.Tx) error {
			cancel()
			_, _, _, err := w.passkeys(t).FinishUse(gone, tx, "", token, signed)
			return err
		}); !errors.Is(err, context.Canceled) {
			t.Errorf("a lost database gives %v", err)
		}
	})
}
