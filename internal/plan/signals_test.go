package plan_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/internal/brake"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
)

// world is two workshops whose people have the same names, in a zone whose clocks never
// change, at nine in the morning. The clock goes on, so what is said of a moment leaves
// minutes.
type world struct {
	db   *db.DB
	zone *time.Location
	nine time.Time
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		zone, err := time.LoadLocation("Australia/Brisbane")
		if err != nil {
			t.Fatal(err)
		}
		w := &world{db: d, zone: zone}
		w.nine = policy.NextFour(d.Clock.Now(), zone).Add(5 * time.Hour)
		w.at(0)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			for _, at := range []id.Site{"bayside", "bayview"} {
				if _, err := tx.Exec(ctx, `
					INSERT INTO sites (site_id, ref, name, region, time_zone, created_at) VALUES ($1, $1, 'Bay', 'AU', 'Australia/Brisbane', 0)`, at); err != nil {
					return err
				}
				for _, name := range []string{"pat", "kim"} {
					if err := w.join(ctx, tx, at, name+" of "+string(at)); err != nil {
						return err
					}
				}
			}
			return nil
		})
		test(t, w)
	})
}

func (w *world) join(ctx context.Context, tx *db.Tx, at id.Site, who string) error {
	if _, err := tx.Exec(ctx, `
		INSERT INTO users (user_id, login, first_name, last_name, created_at) VALUES ($1, $1, 'Pat', 'Lee', 0)`, who); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO memberships (site_id, user_id, user_ref, member_group, kind, status, created_at)
		VALUES ($1, $2, $2, 'Mechanic', 'office', 'active', 0)`, at, who)
	return err
}

// at moves the clock to so long after nine.
func (w *world) at(after time.Duration) {
	w.db.Clock.Advance(w.nine.Add(after).Sub(w.db.Clock.Now()))
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) place(at id.Site, name string) plan.Place {
	return plan.Place{Site: at, User: id.User(name + " of " + string(at)), Zone: w.zone}
}

// arrive types a right password so long after nine.
func (w *world) arrive(t *testing.T, after time.Duration, p plan.Place, phase policy.Phase, in bool) {
	t.Helper()
	w.at(after)
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return plan.Arrived(ctx, tx, plan.Arrival{Place: p, Phase: phase, Asked: !in, In: in})
	})
}

func (w *world) enter(t *testing.T, after time.Duration, p plan.Place) {
	t.Helper()
	w.at(after)
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return plan.Entered(ctx, tx, p) })
}

// outcomes are those until so long after nine, in words.
func (w *world) outcomes(t *testing.T, until time.Duration) []string {
	t.Helper()
	var all []string
	err := plan.Outcomes(t.Context(), w.db, w.nine.Add(-time.Hour), w.nine.Add(until), func(o plan.Outcome) error {
		word := "in time"
		if o.Failed() {
			word = "not in time"
		}
		all = append(all, fmt.Sprintf("%s, %s: %s", o.User, o.Phase, word))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPersonCountsOnceADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.place("bayside", "pat")
		w.arrive(t, 0, pat, policy.InWave, false)
		// The second try of the morning works, too late for the first.
		w.arrive(t, 5*time.Minute, pat, policy.InWave, false)
		w.enter(t, 6*time.Minute, pat)
		// In the afternoon all is well; it is the same day until four.
		w.arrive(t, 4*time.Hour, pat, policy.InWave, true)
		w.arrive(t, 19*time.Hour-5*time.Minute, pat, policy.Settled, true)
		if diff := cmp.Diff([]string{"pat of bayside, wave: not in time"}, w.outcomes(t, 48*time.Hour)); diff != "" {
			t.Error(diff)
		}
		w.arrive(t, 19*time.Hour+5*time.Minute, pat, policy.Settled, true)
		if got := w.outcomes(t, 48*time.Hour); len(got) != 2 || got[1] != "pat of bayside, settled: in time" {
			t.Errorf("after four: %v", got)
		}
	})
}

func TestThreeMinutesAreInTimeAndNotMore(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 10, 23, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		in     time.Time
		failed bool
	}{
		{at, false},
		{at.Add(plan.InTime), false},
		{at.Add(plan.InTime + time.Microsecond), true},
		{time.Time{}, true},
	} {
		if o := (plan.Outcome{At: at, InAt: row.in}); o.Failed() != row.failed {
			t.Errorf("in at %v: failed is %v", row.in, o.Failed())
		}
	}
}

func TestWhoIsInLaterThanThreeMinutesWasNotInInTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for i, name := range []string{"pat", "kim"} {
			p := w.place("bayside", name)
			w.arrive(t, time.Duration(i)*time.Hour, p, policy.InWave, false)
			w.enter(t, time.Duration(i)*time.Hour+time.Duration(1+4*i)*time.Minute, p)
		}
		if diff := cmp.Diff([]string{"pat of bayside, wave: in time", "kim of bayside, wave: not in time"}, w.outcomes(t, 3*time.Hour)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNobodyIsInAtTheTwin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.arrive(t, 0, w.place("bayside", "pat"), policy.InWave, false)
		w.arrive(t, time.Second, w.place("bayview", "pat"), policy.Preparing, false)
		w.arrive(t, 2*time.Second, w.place("bayside", "kim"), policy.InWave, false)
		w.enter(t, 10*time.Second, w.place("bayview", "pat"))
		want := []string{"pat of bayside, wave: not in time", "pat of bayview, preparing: in time", "kim of bayside, wave: not in time"}
		if diff := cmp.Diff(want, w.outcomes(t, time.Hour)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnEntryEndsTheSignInsOfADayAgoAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.place("bayside", "pat")
		w.arrive(t, 0, pat, policy.InWave, false)
		w.enter(t, 25*time.Hour, pat)
		if n := w.texts(t, `SELECT user_id FROM plan_outcomes WHERE in_at IS NULL`); len(n) != 1 {
			t.Error("a sign-in of yesterday was ended by today's")
		}
	})
}

// More than is read at once, many of one moment: none is left out and none comes twice.
func TestOutcomesAreReadInOrderAndInParts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const many = 5100
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $4)
				INSERT INTO plan_outcomes (site_id, user_id, day, began_at, phase, asked)
				SELECT p.site_id, p.user_id, CAST(n.i AS TEXT), CAST($1 AS BIGINT) + n.i / 3, $2, TRUE
				  FROM n, memberships p WHERE p.user_id = $3`,
				db.Stamp(w.nine), "wave", "pat of bayside", many)
			return err
		})
		w.arrive(t, time.Minute, w.place("bayview", "pat"), policy.Preparing, true)
		n, last := 0, plan.Outcome{}
		err := plan.Outcomes(t.Context(), w.db, w.nine, w.nine.Add(time.Hour), func(o plan.Outcome) error {
			if o.At.Before(last.At) {
				t.Fatalf("%v comes after %v", o.At, last.At)
			}
			n, last = n+1, o
			return nil
		})
		if err != nil || n != many+1 || last.Site != "bayview" {
			t.Errorf("%d were read, the last of them %+v: %v", n, last, err)
		}
	})
}

func TestTheBrakeIsCountedFromWhatIsStored(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		// Twenty mornings on which nobody of Bayside is in, of Bayview everybody.
		watch := plan.Watch{Wave: plan.Wave{Has: func(at id.Site) bool { return at == "bayside" }, Since: w.nine}}
		for day := range 20 {
			morning := time.Duration(day) * 24 * time.Hour
			for i, name := range []string{"pat", "kim"} {
				w.arrive(t, morning+time.Duration(20*i)*time.Minute, w.place("bayview", name), policy.Preparing, true)
				w.arrive(t, morning+time.Duration(20*i+10)*time.Minute, w.place("bayside", name), policy.InWave, false)
				if _, err := watch.Look(t.Context(), w.db, w.db.Clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		now := w.db.Clock.Now()
		wave := func(has id.Site) brake.Brake {
			b, err := plan.Brake(t.Context(), w.db, now, plan.Wave{Has: func(at id.Site) bool { return at == has }, Since: w.nine})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		b := wave("bayside")
		in, control := b.Groups()
		// The last one is not known yet.
		if !b.Stopped() || in != (brake.Group{SignIns: 39, Failed: 39}) || control != (brake.Group{SignIns: 40}) {
			t.Errorf("stopped %v by %+v and %+v", b.Stopped(), in, control)
		}
		if again := wave("bayside"); again != b {
			t.Errorf("counted again it is %+v, not %+v", again, b)
		}
		if looked, err := watch.Look(t.Context(), w.db, now); looked != b || err != nil {
			t.Errorf("looked at all the time it is %+v, not %+v: %v", looked, b, err)
		}
		if b := wave("harbour"); b.Stopped() {
			t.Errorf("sign-ins of another wave stopped %+v", b)
		}
		w.at(40 * 24 * time.Hour)
		now = w.db.Clock.Now()
		if in, _ := wave("bayside").Groups(); in.SignIns != 40 {
			t.Errorf("three minutes later %d are known", in.SignIns)
		}
	})
}

func TestCountsAreByDayAndSite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		day := func(n int) string { return w.nine.In(w.zone).AddDate(0, 0, n).Format(time.DateOnly) }
		w.arrive(t, 0, w.place("bayside", "pat"), policy.InWave, false)
		w.enter(t, time.Minute, w.place("bayside", "pat"))
		w.arrive(t, time.Minute, w.place("bayside", "kim"), policy.InWave, false)
		w.enter(t, time.Hour, w.place("bayside", "kim"))
		w.arrive(t, 2*time.Hour, w.place("bayview", "pat"), policy.Preparing, true)
		w.arrive(t, 24*time.Hour, w.place("bayside", "kim"), policy.InWave, false)
		w.arrive(t, 24*time.Hour+10*time.Minute, w.place("bayside", "pat"), policy.InWave, false) // not known yet
		got, err := plan.Counts(t.Context(), w.db, w.db.Clock.Now(), w.nine)
		if err != nil {
			t.Fatal(err)
		}
		want := []plan.Count{
			{Site: "bayside", Day: day(0), Phase: policy.InWave, SignIns: 2, Asked: 2, Passed: 1, Late: 1},
			{Site: "bayview", Day: day(0), Phase: policy.Preparing, SignIns: 1, Passed: 1},
			{Site: "bayside", Day: day(1), Phase: policy.InWave, SignIns: 1, Asked: 1, Stuck: 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		stuck, err := plan.StuckNow(t.Context(), w.db, w.db.Clock.Now(), w.nine, 10)
		if err != nil || len(stuck) != 1 || stuck[0].User != "kim of bayside" {
			t.Errorf("stuck are %+v, %v", stuck, err)
		}
		w.leave(t, "kim of bayside")
		if stuck, err := plan.StuckNow(t.Context(), w.db, w.db.Clock.Now(), w.nine, 10); err != nil || len(stuck) != 0 {
			t.Errorf("somebody who left is stuck: %+v, %v", stuck, err)
		}
	})
}

func TestWhoIsInAgainIsNotStuck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.place("bayside", "pat")
		w.arrive(t, 0, pat, policy.InWave, false)
		w.arrive(t, 48*time.Hour, pat, policy.InWave, true)
		w.at(49 * time.Hour)
		if stuck, err := plan.StuckNow(t.Context(), w.db, w.db.Clock.Now(), w.nine, 10); err != nil || len(stuck) != 0 {
			t.Errorf("stuck are %+v, %v", stuck, err)
		}
	})
}

var (
	wouldAsk = policy.Decision{
		Outcome: policy.Ask, Default: policy.Email,
		Offered:    []policy.Offer{{ID: "e", Kind: policy.Email}, {ID: "p1", Kind: policy.Passkey}, {ID: "p2", Kind: policy.Passkey}},
		NotOffered: []policy.Withheld{{Kind: policy.TOTP, Key: policy.NotSetUp}, {Kind: policy.Recovery, Key: policy.NotSetUp}},
		Reasons:    []policy.Reason{{Key: policy.XeroConnected}, {Key: policy.EnforcedSince}},
	}
	wouldBeStuck = policy.Decision{
		Outcome:    policy.Enrol,
		NotOffered: []policy.Withheld{{Kind: policy.Email, Key: policy.EmailBounced}, {Kind: policy.SMS, Key: policy.NoMobile}},
		Reasons:    []policy.Reason{{Key: policy.XeroConnected}, {Key: policy.NoMethodCanWork}},
	}
)

func (w *world) see(t *testing.T, after time.Duration, p plan.Place, d policy.Decision) {
	t.Helper()
	w.at(after)
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return plan.Seen(ctx, tx, p, d) })
}

func TestTheLastSignInSaysWhoWouldBeStuck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat, kim, twin := w.place("bayside", "pat"), w.place("bayside", "kim"), w.place("bayview", "pat")
		w.see(t, 0, pat, wouldBeStuck)
		w.see(t, time.Minute, twin, wouldBeStuck)
		w.see(t, 2*time.Minute, kim, wouldBeStuck)
		w.see(t, time.Hour, twin, wouldAsk) // on the same day
		w.see(t, 24*time.Hour, kim, wouldAsk)
		stuck, err := plan.WouldBeStuck(t.Context(), w.db, "bayside", w.nine)
		if err != nil || len(stuck) != 1 || stuck[0].At.Before(w.nine) || stuck[0].At.After(w.nine.Add(time.Hour)) {
			t.Fatal(stuck, err)
		}
		stuck[0].At = time.Time{}
		want := []plan.Shadow{{
			Place: plan.Place{Site: "bayside", User: pat.User}, Day: w.nine.In(w.zone).Format(time.DateOnly), Outcome: "enrol",
			Lacks:   []policy.WithheldKey{policy.EmailBounced, policy.NoMobile},
			Reasons: []policy.ReasonKey{policy.XeroConnected, policy.NoMethodCanWork}, Stuck: true,
		}}
		if diff := cmp.Diff(want, stuck); diff != "" {
			t.Error(diff)
		}
		if stuck, err := plan.WouldBeStuck(t.Context(), w.db, "bayview", w.nine); err != nil || len(stuck) != 0 {
			t.Errorf("at the twin %+v would be stuck, %v", stuck, err)
		}
		fared, err := plan.Rehearsals(t.Context(), w.db, w.nine)
		if diff := cmp.Diff([]plan.Rehearsal{
			{Site: "bayside", People: 2, Asked: 2, Stuck: 1}, {Site: "bayview", People: 1, Asked: 1},
		}, fared); diff != "" || err != nil {
			t.Error(diff, err)
		}
		for _, want := range append(fared, plan.Rehearsal{Site: "harbour"}) {
			if one, err := plan.RehearsalOf(t.Context(), w.db, want.Site, w.nine); one != want || err != nil {
				t.Errorf("of one site it is %+v, not %+v: %v", one, want, err)
			}
		}
		later := w.nine.Add(12 * time.Hour)
		if stuck, err := plan.WouldBeStuck(t.Context(), w.db, "bayside", later); err != nil || len(stuck) != 0 {
			t.Errorf("a sign-in of before says %+v, %v", stuck, err)
		}
		if one, err := plan.RehearsalOf(t.Context(), w.db, "bayside", later); one != (plan.Rehearsal{Site: "bayside", People: 1, Asked: 1}) || err != nil {
			t.Errorf("lately they fared %+v, %v", one, err)
		}
		w.leave(t, string(pat.User))
		if stuck, err := plan.WouldBeStuck(t.Context(), w.db, "bayside", w.nine); err != nil || len(stuck) != 0 {
			t.Errorf("somebody who left would be stuck: %+v, %v", stuck, err)
		}
		kept := w.texts(t, `SELECT offered || '|' || usual || '|' || lacks || '|' || reasons FROM plan_shadows WHERE outcome = 'ask' AND site_id = 'bayview'`)
		if diff := cmp.Diff([]string{"email passkey|email|not_set_up|xero_connected enforced_since"}, kept); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatIsOldIsSweptAFewAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"pat", "kim"} {
			w.arrive(t, 0, w.place("bayside", name), policy.InWave, true)
			w.see(t, 0, w.place("bayside", name), wouldAsk)
		}
		sweep := func() {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return plan.Sweep(ctx, tx, 1) })
		}
		left := func(outcomes, shadows int) {
			t.Helper()
			o, s := w.texts(t, `SELECT user_id FROM plan_outcomes`), w.texts(t, `SELECT user_id FROM plan_shadows`)
			if len(o) != outcomes || len(s) != shadows {
				t.Errorf("%d outcomes and %d shadows are left, not %d and %d", len(o), len(s), outcomes, shadows)
			}
		}
		w.at(60*24*time.Hour - time.Hour)
		sweep()
		left(2, 2)
		w.at(60*24*time.Hour + time.Hour)
		sweep()
		left(2, 1)
		w.at(90*24*time.Hour + time.Hour)
		sweep()
		left(1, 0)
		sweep()
		left(0, 0)
	})
}

func (w *world) leave(t *testing.T, who string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return tx.Change(ctx, `UPDATE memberships SET status = 'inactive' WHERE user_id = $1`, who)
	})
}

func (w *world) texts(t *testing.T, query string) []string {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, query)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
