package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

func TestAnEventComesBackAsItWasRecorded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		want := entered(bayside, pat)
		record(t, d, want)
		got, err := audit.List(t.Context(), d, audit.Filter{Site: bayside}, 10)
		if err != nil || len(got) != 1 {
			t.Fatalf("listed %v, %v", got, err)
		}
		if diff := cmp.Diff(want, got[0].Event); diff != "" {
			t.Error(diff)
		}
		if _, err := id.Parse[id.Event](string(got[0].ID)); err != nil {
			t.Errorf("the event's id is %q", got[0].ID)
		}
		if off := d.Clock.Now().Sub(got[0].At).Seconds(); off < 0 || off > 60 {
			t.Errorf("recorded %v seconds ago", off)
		}
	})
}

func TestEachEventGoesToTheChainOfItsSubject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		person := entered("", pat)
		house := audit.Event{Kind: audit.ImportDone, Actor: audit.Actor{Kind: audit.ActorCommand, ID: "import"}}
		record(t, d, entered(bayside, pat), person, house)
		for chain, want := range map[string]int64{chainOf(bayside): 1, "people:%": 1, "house": 1, "%": 3} {
			if n := count(t, d, `SELECT COUNT(*) FROM audit_events WHERE chain LIKE $1`, chain); n != want {
				t.Errorf("%s has %d events, want %d", chain, n, want)
			}
		}
		green(t, verified(t, d))
	})
}

func TestUsersShareSixtyFourChains(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	do(t, d, func(ctx context.Context, tx *db.Tx) error {
		for range 600 {
			if err := audit.Record(ctx, tx, entered("", id.New[id.User]())); err != nil {
				return err
			}
		}
		return nil
	})
	shards := count(t, d, `SELECT COUNT(*) FROM audit_heads`)
	if shards < 48 || shards > 64 {
		t.Errorf("600 users are in %d chains", shards)
	}
	if n := count(t, d, `SELECT COUNT(*) FROM audit_heads WHERE chain >= 'people:00' AND chain <= 'people:3f'`); n != shards {
		t.Errorf("%d of %d chains have the name of a shard", n, shards)
	}
}

func TestTheEventsOfOneTransactionKeepTheirOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		var events []audit.Event
		for i := range 30 {
			e := entered(bayside, pat)
			e.Facts = map[string]string{"n": fmt.Sprint(i)}
			events = append(events, e, entered(twin, kim))
		}
		record(t, d, events...)
		got, err := audit.List(t.Context(), d, audit.Filter{Site: bayside}, 100)
		if err != nil || len(got) != 30 {
			t.Fatalf("listed %d, %v", len(got), err)
		}
		for i, e := range got {
			if want := fmt.Sprint(29 - i); e.Facts["n"] != want {
				t.Errorf("at %d stands %s, want %s", i, e.Facts["n"], want)
			}
		}
	})
}

func TestAnEventThatLacksSomethingFailsItsTransaction(t *testing.T) {
	t.Parallel()
	actor := audit.Actor{Kind: audit.ActorUser, ID: string(pat)}
	for name, e := range map[string]audit.Event{
		"no kind":                 {Actor: actor, Site: bayside},
		"no actor":                {Kind: audit.SiteEntered, Site: bayside},
		"an actor with no name":   {Kind: audit.SiteEntered, Actor: audit.Actor{Kind: audit.ActorSystem}, Site: bayside},
		"an actor of no kind":     {Kind: audit.SiteEntered, Actor: audit.Actor{ID: "x"}, Site: bayside},
		"no subject":              {Kind: audit.SiteEntered, Actor: actor},
		"a false actor's address": {Kind: audit.SiteEntered, Actor: actor, Site: bayside, Personal: map[string]string{"actor.network": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
			err := d.Do(t.Context(), func(tx *db.Tx) error {
				if err := audit.Record(t.Context(), tx, e); !errors.Is(err, fault.Invalid) {
					t.Errorf("recording: %v", err)
				}
				return db.SetMeta(t.Context(), tx, "effect", "done") // the error is dropped
			})
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("the transaction: %v", err)
			}
			if _, err := db.Meta(t.Context(), d, "effect"); !errors.Is(err, fault.NotFound) {
				t.Errorf("the effect happened: %v", err)
			}
		})
	}
}

func TestAFailedTransactionLeavesNoEvent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		record(t, d, entered(bayside, pat))
		boom := errors.New("boom")
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			if err := audit.Record(t.Context(), tx, entered(bayside, pat)); err != nil {
				return err
			}
			tx.Last("zz", func(context.Context) error { return boom }) // after the trail was written
			return nil
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if n := count(t, d, `SELECT COUNT(*) FROM audit_events`); n != 1 {
			t.Errorf("there are %d events", n)
		}
		record(t, d, entered(bayside, pat))
		green(t, verified(t, d))
	})
}

func TestManyAtOnceLeaveChainsWithoutGaps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		third := id.New[id.Site]()
		var all sync.WaitGroup
		for n := range 32 {
			all.Go(func() {
				events := []audit.Event{entered(bayside, pat), entered(twin, pat), entered(third, pat)}
				err := d.Do(t.Context(), func(tx *db.Tx) error {
					for i := range events { // each begins with another chain
						if err := audit.Record(t.Context(), tx, events[(n+i)%3]); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, site := range []id.Site{bayside, twin, third} {
			if n := count(t, d, `SELECT COUNT(*) + MIN(seq) + MAX(seq) FROM audit_events WHERE chain = $1`, chainOf(site)); n != 32+0+31 {
				t.Errorf("the chain of %s has gaps: %d", site, n)
			}
		}
		green(t, verified(t, d))
	})
}

func TestAReaderMayVerifyWhileOthersRecord(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		done := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			defer close(done)
			for range 60 {
				if err := d.Do(t.Context(), func(tx *db.Tx) error {
					return audit.Record(t.Context(), tx, entered(bayside, pat))
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			green(t, verified(t, d))
		}
		all.Wait()
	})
}

func TestTheTriggersRefuseToChangeAndToRemove(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		record(t, d, entered(bayside, pat))
		for _, statement := range []string{
			`UPDATE audit_events SET body = '{}'`,
			`UPDATE audit_events SET at = 0`,
			`DELETE FROM audit_events`,
		} {
			err := d.Do(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		green(t, verified(t, d))
	})
}

func TestHostileTextStaysOneRecord(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		e := entered(bayside, pat)
		e.Facts = map[string]string{
			"lines\n":  "one\r\ntwo\u2028three\u0085",
			"terminal": "\x1b[2J\u009b31m\a",
			"json":     `","kind":"forged"},{"`,
			"bytes":    "\xff\xfe",
			"turned":   "\u202egnp.exe",
		}
		e.Actor.Agent = "curl\x00\n\"\xf0\x28"
		e.Actor.Network = strings.Repeat("é", 4000)
		e.Personal = map[string]string{"name": "Robert'); DROP TABLE users;--\n\x00"}
		record(t, d, e)
		got, err := audit.List(t.Context(), d, audit.Filter{Site: bayside}, 10)
		if err != nil || len(got) != 1 {
			t.Fatalf("listed %v, %v", got, err)
		}
		want := e
		want.Facts["bytes"] = "\uFFFD"
		want.Actor.Agent = "curl\uFFFD\n\"\uFFFD("
		want.Actor.Network = strings.Repeat("é", 512)
		want.Personal = map[string]string{"name": "Robert'); DROP TABLE users;--\n\uFFFD"}
		if diff := cmp.Diff(want, got[0].Event); diff != "" {
			t.Error(diff)
		}
		green(t, verified(t, d))
	})
}

func TestPersonalValuesAreNotInTheBody(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	record(t, d, entered(bayside, pat), entered(bayside, pat))
	for _, secret := range []string{"203.0.113.7", "Firefox", "pat@bayside.example"} {
		if n := count(t, d, `SELECT COUNT(*) FROM audit_events WHERE body LIKE $1`, "%"+secret+"%"); n != 0 {
			t.Errorf("%s stands in %d bodies", secret, n)
		}
	}
	if n := count(t, d, `SELECT COUNT(DISTINCT salt) FROM audit_personal WHERE LENGTH(salt) >= 26`); n != 6 {
		t.Errorf("six values have %d salts of at least 128 bits", n)
	}
}

func TestErasureWipesAUserAndNobodyElseAndKeepsTheTrailGreen(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		byPat := entered(bayside, kim) // about Kim, from Pat's network
		byPat.Actor.ID = string(pat)
		byPat.Personal = map[string]string{"address": "kim@bayside.example"}
		record(t, d, entered(bayside, pat), entered(twin, pat), entered("", pat), entered(bayside, kim), byPat)
		then := checkpoint(t, d)
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			return audit.Erase(ctx, tx, audit.Actor{Kind: audit.ActorUser, ID: string(pat), Network: "203.0.113.7"}, pat)
		})
		green(t, verifiedAgainst(t, d, then))

		mine, err := audit.List(t.Context(), d, audit.Filter{User: pat}, 10)
		if err != nil || len(mine) != 6 || erasedOf(mine) != 11 {
			t.Fatalf("listed %v, %v", mine, err)
		}
		for _, e := range mine {
			if e.Actor.Network != "" || e.Actor.Agent != "" || len(e.Personal) > 0 {
				t.Errorf("%s still has %v %v", e.Kind, e.Actor, e.Personal)
			}
		}
		hers, err := audit.List(t.Context(), d, audit.Filter{User: kim}, 10)
		if err != nil || len(hers) != 2 {
			t.Fatalf("listed %v, %v", hers, err)
		}
		if hers[0].Actor.Network != "" || hers[0].Personal["address"] != "kim@bayside.example" {
			t.Errorf("of what Pat did to Kim there is %v %v", hers[0].Actor, hers[0].Personal)
		}
		if hers[1].Actor.Network == "" || hers[1].Personal["address"] == "" {
			t.Errorf("of what Kim did there is %v %v", hers[1].Actor, hers[1].Personal)
		}
	})
}

// erasedOf is how many values the event outside of any site says were erased; each site
// whose chain held one has an event of its own.
func erasedOf(all []audit.Entry) (n int) {
	for _, e := range all {
		if e.Kind == audit.AuditErased && e.Site == "" {
			n, _ = strconv.Atoi(e.Facts["values"])
		}
	}
	return n
}

func TestAListIsReadPageByPageNewestFirst(t *testing.T) {
	t.Parallel()
	filters := map[string]audit.Filter{
		"of a site":                {Site: bayside},
		"of a user":                {User: pat},
		"of a user in a site":      {Site: bayside, User: pat},
		"of a user, of one kind":   {User: pat, Kind: audit.SiteEntered},
		"of a site, of rare kinds": {Site: bayside, Kind: audit.SessionStarted},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		want := make(map[string]int)
		for i := range 24 {
			e := entered([]id.Site{bayside, twin, ""}[i%3], []id.User{pat, kim}[i/3%2])
			if i%5 == 0 {
				e.Kind = audit.SessionStarted
			}
			again := e
			again.Facts = nil
			record(t, d, e, again) // two of the same moment
			for name, f := range filters {
				if (f.Site == "" || f.Site == e.Site) && (f.User == "" || f.User == e.User) && (f.Kind == "" || f.Kind == e.Kind) {
					want[name] += 2
				}
			}
		}
		for name, f := range filters {
			seen := make(map[id.Event]bool)
			var last audit.Entry
			for {
				page, err := audit.List(t.Context(), d, f, 3)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, e := range page {
					if seen[e.ID] || (last.ID != "" && e.At.After(last.At)) {
						t.Errorf("%s: %v after %v", name, e.Place, last.Place)
					}
					seen[e.ID], last = true, e
				}
				f.Before = last.Place
			}
			if len(seen) != want[name] || want[name] == 0 {
				t.Errorf("%s: saw %d events, want %d", name, len(seen), want[name])
			}
		}
		if _, err := audit.List(t.Context(), d, audit.Filter{Kind: audit.SiteEntered}, 3); !errors.Is(err, fault.Invalid) {
			t.Errorf("a list of everybody's: %v", err)
		}
	})
}
