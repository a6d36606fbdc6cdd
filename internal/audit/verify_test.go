package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

// ten records ten events in each of two sites.
func ten(tb testing.TB, d *db.DB) {
	tb.Helper()
	for range 5 {
		record(tb, d, entered(bayside, pat), entered(twin, pat), entered(bayside, kim), entered(twin, kim))
	}
}

// tampers are what somebody with rights on the database could do to the seventh of ten
// events of one site, and what has to be said of it.
var tampers = []struct {
	name       string
	statements []string
	at         int64
	says       string
}{
	{"a changed body", []string{`UPDATE audit_events SET body = REPLACE(body, 'email', 'phone') WHERE chain = $1 AND seq = 6`}, 6, "not the one whose hash is stored"},
	{"a body that is no body", []string{`UPDATE audit_events SET body = 'none' WHERE chain = $1 AND seq = 6`}, 6, "cannot be read"},
	{"a changed time", []string{`UPDATE audit_events SET at = at - 1 WHERE chain = $1 AND seq = 6`}, 6, "column at"},
	{"a changed kind", []string{`UPDATE audit_events SET kind = 'site.added' WHERE chain = $1 AND seq = 6`}, 6, "column kind"},
	{"a changed site", []string{`UPDATE audit_events SET site_id = NULL WHERE chain = $1 AND seq = 6`}, 6, "column site"},
	{"a changed user", []string{`UPDATE audit_events SET user_id = 'nobody' WHERE chain = $1 AND seq = 6`}, 6, "column user"},
	{"a removed event", []string{`DELETE FROM audit_events WHERE chain = $1 AND seq = 6`}, 6, "missing"},
	{"a removed event with all that belongs to it", []string{
		`DELETE FROM audit_events WHERE chain = $1 AND seq = 6`,
		`DELETE FROM audit_personal WHERE chain = $1 AND seq = 6`,
		`DELETE FROM audit_hashes WHERE chain = $1 AND pos = 10`,
	}, 6, "missing"},
	{"two events in each other's place", []string{
		`UPDATE audit_events SET seq = 100 WHERE chain = $1 AND seq = 6`,
		`UPDATE audit_events SET seq = 6 WHERE chain = $1 AND seq = 2`,
		`UPDATE audit_events SET seq = 2 WHERE chain = $1 AND seq = 100`,
	}, 6, "column seq"},
	{"an event doubled at the end", []string{`
		INSERT INTO audit_events (chain, seq, at, kind, site_id, user_id, body)
		SELECT chain, 10, at, kind, site_id, user_id, body FROM audit_events WHERE chain = $1 AND seq = 6`}, 10, "not one of the 10"},
	{"an event doubled before the start", []string{`
		INSERT INTO audit_events (chain, seq, at, kind, site_id, user_id, body)
		SELECT chain, -2, at, kind, site_id, user_id, body FROM audit_events WHERE chain = $1 AND seq = 6`}, -2, "not one of the 10"},
	{"an event doubled and counted", []string{
		`
		INSERT INTO audit_events (chain, seq, at, kind, site_id, user_id, body)
		SELECT chain, 10, at, kind, site_id, user_id, body FROM audit_events WHERE chain = $1 AND seq = 6`,
		`UPDATE audit_heads SET size = 11 WHERE chain = $1`,
	}, 10, "column seq"},
	{"a cut end", []string{`DELETE FROM audit_events WHERE chain = $1 AND seq >= 7`}, 7, "the end was cut"},
	{"a head that counts too few", []string{`UPDATE audit_heads SET size = 9 WHERE chain = $1`}, 9, "not one of the 9"},
	{"a head that counts more than there can be", []string{`UPDATE audit_heads SET size = 9223372036854775807 WHERE chain = $1`}, 10, "the end was cut"},
	{"an event far beyond the end", []string{`UPDATE audit_events SET seq = 9223372036854775807 WHERE chain = $1 AND seq = 6`}, 6, "missing"},
	{"an event far beyond the end and no head", []string{
		`UPDATE audit_events SET seq = 9223372036854775807 WHERE chain = $1 AND seq = 6`,
		`DELETE FROM audit_heads WHERE chain = $1`,
	}, 6, "missing"},
	{"a removed head", []string{`DELETE FROM audit_heads WHERE chain = $1`}, -1, "head is missing"},
	{"a raised base", []string{`UPDATE audit_heads SET base = 3 WHERE chain = $1`}, -1, "below 3 were pruned"},
	{"a changed personal value", []string{`UPDATE audit_personal SET value = '192.0.2.1' WHERE chain = $1 AND seq = 6 AND field = 'actor.network'`}, 6, `"actor.network"`},
	{"a changed salt", []string{`UPDATE audit_personal SET salt = 'x' WHERE chain = $1 AND seq = 6 AND field = 'actor.network'`}, 6, `"actor.network"`},
	{"an added personal value", []string{`INSERT INTO audit_personal (chain, seq, field, salt, value) VALUES ($1, 6, 'name', 'x', 'Pat')`}, 6, `"name"`},
	{"a personal value of no event", []string{`INSERT INTO audit_personal (chain, seq, field, salt, value) VALUES ($1, 10, 'name', 'x', 'Pat')`}, -1, "personal values of more events"},
	{"a changed hash of an event", []string{`UPDATE audit_hashes SET hash = (SELECT hash FROM audit_hashes WHERE chain = $1 AND pos = 0) WHERE chain = $1 AND pos = 10`}, 6, "not the one whose hash is stored"},
	{"a changed hash above events", []string{`UPDATE audit_hashes SET hash = (SELECT hash FROM audit_hashes WHERE chain = $1 AND pos = 0) WHERE chain = $1 AND pos = 14`}, 7, "level 3 does not follow"},
	{"a removed hash", []string{`DELETE FROM audit_hashes WHERE chain = $1 AND pos = 14`}, 7, "level 3 is missing"},
	{"hashes of more events", []string{`INSERT INTO audit_hashes (chain, pos, hash) SELECT chain, 99, hash FROM audit_hashes WHERE chain = $1 AND pos = 0`}, -1, "hashes of more events"},
}

func TestEachTamperingIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		unguarded(t, d)
		for _, c := range tampers {
			site := id.New[id.Site]()
			for range 10 {
				record(t, d, entered(site, pat))
			}
			green(t, verified(t, d))
			named := event(t, d, site, c.at)
			for _, statement := range c.statements {
				raw(t, d, statement, chainOf(site))
			}
			found := verified(t, d)
			says(t, found, chainOf(site), c.at, c.says)
			for _, f := range found {
				if f.Chain != chainOf(site) {
					t.Errorf("%s: %v", c.name, f)
				}
				if c.at >= 0 && f.Seq == c.at && strings.Contains(c.name, "changed") && (f.Event == "" || f.Event != named) && c.says != "cannot be read" {
					t.Errorf("%s: %v does not name %s", c.name, f, named)
				}
			}
			wipe(t, d)
		}
	})
}

// event is the id of the event at a place, "" when there is none.
func event(tb testing.TB, d *db.DB, site id.Site, seq int64) id.Event {
	tb.Helper()
	all, err := audit.List(tb.Context(), d, audit.Filter{Site: site}, 200)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range all {
		if e.Seq == seq {
			return e.ID
		}
	}
	return ""
}

func wipe(tb testing.TB, d *db.DB) {
	tb.Helper()
	for _, table := range []string{"audit_events", "audit_hashes", "audit_personal", "audit_heads"} {
		raw(tb, d, `DELETE FROM `+table)
	}
}

func TestWhatIsFineInsideIsFoundAgainstACheckpoint(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		unguarded(t, d)
		for _, c := range []struct {
			name   string
			tamper func()
			at     int64
			says   string
		}{
			{"the end cut with its head", func() {
				raw(t, d, `DELETE FROM audit_events WHERE chain = $1 AND seq >= 7`, chainOf(bayside))
				raw(t, d, `DELETE FROM audit_personal WHERE chain = $1 AND seq >= 7`, chainOf(bayside))
				raw(t, d, `DELETE FROM audit_hashes WHERE chain = $1 AND pos >= 11`, chainOf(bayside))
				raw(t, d, `UPDATE audit_heads SET size = 7 WHERE chain = $1`, chainOf(bayside))
			}, 7, "the checkpoint has 10"},
			{"the chain gone", func() {
				for _, table := range []string{"audit_events", "audit_hashes", "audit_personal", "audit_heads"} {
					raw(t, d, `DELETE FROM `+table+` WHERE chain = $1`, chainOf(bayside))
				}
			}, -1, "the chain is gone"},
			{"the history rewritten", func() {
				wipe(t, d)
				ten(t, d)
			}, 9, "not the one of the checkpoint"},
		} {
			wipe(t, d)
			ten(t, d)
			then := checkpoint(t, d)
			record(t, d, entered(twin, pat))
			green(t, verifiedAgainst(t, d, then))
			c.tamper()
			green(t, verified(t, d))
			says(t, verifiedAgainst(t, d, then), chainOf(bayside), c.at, c.says)
		}
	})
}

func TestAVerificationReadsMoreThanAPage(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	unguarded(t, d)
	for range 6 {
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			for range 200 {
				if err := audit.Record(ctx, tx, entered(bayside, pat)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	then := checkpoint(t, d)
	var seen []int64
	tally, err := audit.VerifyAgainst(t.Context(), d, then, audit.Watch{Progress: func(n int64) { seen = append(seen, n) }})
	if err != nil || tally != (audit.Tally{Chains: 1, Events: 1200, Compared: 1, Held: 1}) || fmt.Sprint(seen) != "[500 1000 1200]" {
		t.Errorf("%+v, progress %v, %v", tally, seen, err)
	}
	raw(t, d, `DELETE FROM audit_events WHERE seq >= 400 AND seq < 1100`)
	raw(t, d, `DELETE FROM audit_hashes WHERE pos >= 700 AND pos < 2180`)
	says(t, verified(t, d), chainOf(bayside), 400, "missing")
	says(t, verified(t, d), chainOf(bayside), 500, "events 500 to 1199 are missing")
}

// TestOneRandomTamperIsFound holds for random events and one random change to any row.
func TestOneRandomTamperIsFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		unguarded(t, d)
		rapid.Check(t, func(r *rapid.T) {
			wipe(t, d)
			for _, n := range rapid.SliceOfN(rapid.IntRange(1, 8), 1, 4).Draw(r, "transactions") {
				var events []audit.Event
				for range n {
					events = append(events, randomEvent(r))
				}
				record(t, d, events...)
			}
			if found := verified(t, d); len(found) > 0 {
				r.Fatalf("before: %v", found)
			}
			chain, seq := randomPlace(t, r, d)
			statement := rapid.SampledFrom([]string{
				`UPDATE audit_events SET body = REPLACE(body, '"at":1', '"at":2') WHERE chain = $1 AND seq = $2`,
				`UPDATE audit_events SET at = at + 1 WHERE chain = $1 AND seq = $2`,
				`UPDATE audit_events SET kind = kind || 'x' WHERE chain = $1 AND seq = $2`,
				`UPDATE audit_events SET user_id = 'x' WHERE chain = $1 AND seq = $2`,
				`UPDATE audit_events SET seq = -1 - seq WHERE chain = $1 AND seq = $2`,
				`UPDATE audit_events SET chain = 'elsewhere' WHERE chain = $1 AND seq = $2`,
				`DELETE FROM audit_events WHERE chain = $1 AND seq = $2`,
				`DELETE FROM audit_hashes WHERE chain = $1 AND pos = $2`,
				`UPDATE audit_hashes SET hash = (SELECT hash FROM audit_hashes WHERE chain <> $1 OR pos <> $2 ORDER BY chain, pos LIMIT 1)
				  WHERE chain = $1 AND pos = $2 AND (SELECT COUNT(*) FROM audit_hashes) > 1`,
				`UPDATE audit_personal SET value = value || 'x' WHERE chain = $1 AND seq = $2`,
				`UPDATE audit_heads SET size = $2 WHERE chain = $1`,
				`DELETE FROM audit_heads WHERE chain = $1 AND $2 >= 0`,
			}).Draw(r, "tamper")
			var changed int64
			do(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
				changed, err = tx.Exec(ctx, statement, chain, seq)
				return err
			})
			if changed == 0 {
				r.Skip("nothing was there to change")
			}
			found := verified(t, d)
			for _, f := range found {
				if f.Chain == chain {
					return
				}
			}
			r.Fatalf("%s at %s %d: found %v", statement, chain, seq, found)
		})
	})
}

func randomEvent(r *rapid.T) audit.Event {
	e := entered(rapid.SampledFrom([]id.Site{bayside, twin, ""}).Draw(r, "site"), rapid.SampledFrom([]id.User{pat, kim}).Draw(r, "user"))
	e.Facts = rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(r, "facts")
	e.Personal = map[string]string{"name": rapid.String().Draw(r, "name")}
	return e
}

func randomPlace(tb testing.TB, r *rapid.T, d *db.DB) (string, int64) {
	tb.Helper()
	type place struct {
		chain string
		seq   int64
	}
	all, err := db.Many(tb.Context(), d, func(r db.Row) (p place, err error) { return p, r.Scan(&p.chain, &p.seq) }, `SELECT chain, seq FROM audit_events ORDER BY chain, seq`)
	if err != nil {
		tb.Fatal(err)
	}
	p := rapid.SampledFrom(all).Draw(r, "place")
	return p.chain, p.seq
}

func TestAFindingReadsAsOneLine(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]audit.Finding{
		`chain "site:a", event 6 ("e"): it was changed`: {Chain: "site:a", Seq: 6, Event: "e", What: "it was changed"},
		`line 3, chain "a\n": its head is missing`:      {Chain: "a\n", Seq: -1, Line: 3, What: "its head is missing"},
	} {
		if f.String() != want {
			t.Errorf("got %s, want %s", f, want)
		}
	}
}

func TestABlankedActorWhichTheSearchByPersonMissesIsFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		ten(t, d)
		e := entered(bayside, kim)
		e.Actor.ID = string(pat)
		record(t, d, e)
		unguarded(t, d)
		raw(t, d, `UPDATE audit_events SET actor_id = '' WHERE actor_id = $1`, string(pat))
		after, err := audit.List(t.Context(), d, audit.Filter{Site: bayside, People: []id.User{pat}}, 200)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(after, func(e audit.Entry) bool { return e.User == kim }) {
			t.Fatal("the search does not need the column")
		}
		says(t, verified(t, d), chainOf(bayside), 10, "the column actor is not what the body says")
	})
}
