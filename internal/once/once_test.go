package once_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/once"
)

var errStopped = errors.New("stopped")

func key(t *testing.T, d *db.DB, name string) (which id.APIKey) {
	t.Helper()
	if err := d.Do(t.Context(), func(tx *db.Tx) error {
		k, _, err := apikey.Make(t.Context(), tx, audit.Actor{Kind: audit.ActorCommand, ID: "test"}, apikey.Order{
			Name: name, Scopes: []apikey.Scope{apikey.ReadSites}, All: true,
		})
		which = k.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return which
}

func TestANameStandsForOneCallOfOneKeyForADay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		mine, twin := key(t, d, "mine"), key(t, d, "twin")
		call := once.Call{Key: mine, Name: "n1", Asked: "add Eve"}
		// take runs a call, and says whether it was carried out and what is known of it.
		take := func(c once.Call, answer string, end error) (known once.Known) {
			t.Helper()
			err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
				if known, err = once.Take(t.Context(), tx, c); err != nil || known != (once.Known{}) {
					return err
				}
				if answer == "" {
					return errors.Join(once.Drop(t.Context(), tx, c), end)
				}
				return errors.Join(once.Keep(t.Context(), tx, c, answer), end)
			})
			if !errors.Is(err, end) {
				t.Fatal(err)
			}
			return known
		}
		look := func(c once.Call) once.Known {
			t.Helper()
			known, err := once.Look(t.Context(), d, d.Clock.Now(), c)
			if err != nil {
				t.Fatal(err)
			}
			return known
		}
		none := once.Known{}
		if take(call, "", nil) != none || take(call, "lost", errStopped) != none || look(call) != none {
			t.Error("a call that came to nothing is known")
		}
		if take(call, "done", nil) != none {
			t.Error("a first call is known")
		}
		if want := (once.Known{Before: true, Answer: "done"}); take(call, "again", nil) != want || look(call) != want {
			t.Errorf("sent again: %+v", look(call))
		}
		for name, c := range map[string]once.Call{"another key": {Key: twin, Name: "n1", Asked: "add Eve"}, "another name": {Key: mine, Name: "n2", Asked: "add Eve"}} {
			if look(c) != none {
				t.Errorf("%s: %+v", name, look(c))
			}
		}
		if other := (once.Call{Key: mine, Name: "n1", Asked: "add Eva"}); !look(other).Other || !take(other, "x", nil).Other {
			t.Error("something else under the same name")
		}
		if unnamed := (once.Call{Key: mine, Asked: "add Eve"}); take(unnamed, "x", nil) != none || look(unnamed) != none {
			t.Error("a call without a name is known")
		}
		d.Clock.Advance(once.Life + time.Second)
		if look(call) != none || take(call, "anew", nil) != none || look(call).Answer != "anew" {
			t.Errorf("a day later: %+v", look(call))
		}
		d.Clock.Advance(once.Life + time.Second)
		if err := d.Do(t.Context(), func(tx *db.Tx) error { return once.Sweep(t.Context(), tx, 10) }); err != nil {
			t.Fatal(err)
		}
		n, err := db.One(t.Context(), d, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM api_once`)
		if err != nil || n != 0 {
			t.Errorf("%d are left, %v", n, err)
		}
	})
}

func TestANameIsPrintableAndBounded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"": false, "a b": false, "é": false, "x\n": false, strings.Repeat("a", 256): false, strings.Repeat("a", 255): true, "8e03978e-40d5": true} {
		if once.Sound(name) != want {
			t.Errorf("%q", name)
		}
	}
}
