package apikey_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

func sites(t *testing.T, d *db.DB) (here, twin site.Site) {
	t.Helper()
	if err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
		if here, err = site.Add(t.Context(), tx, site.Site{Ref: "S1", Name: "Bayside", Region: "AU", Zone: time.UTC}); err != nil {
			return err
		}
		twin, err = site.Add(t.Context(), tx, site.Site{Ref: "S2", Name: "Bayside", Region: "AU", Zone: time.UTC})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return here, twin
}

func try(t *testing.T, d *db.DB, o apikey.Order) (k apikey.Key, token secret.Text, err error) {
	t.Helper()
	err = d.Do(t.Context(), func(tx *db.Tx) (err error) {
		k, token, err = apikey.Make(t.Context(), tx, command, o)
		return err
	})
	return k, token, err
}

func events(t *testing.T, d *db.DB, chain string, kind audit.Kind) int {
	t.Helper()
	n, err := db.One(t.Context(), d, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, chain, string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAKeyIsFoundByItsTextAloneAndReachesTheSitesItNames(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		here, twin := sites(t, d)
		k, token, err := try(t, d, apikey.Order{Name: "web", Scopes: []apikey.Scope{apikey.XeroToken, apikey.ReadReadiness}, Sites: []id.Site{here.ID, here.ID}})
		if err != nil {
			t.Fatal(err)
		}
		plain := token.Reveal()
		if !strings.HasPrefix(plain, "ktk_") || len(plain) != 47 {
			t.Errorf("a key has %d characters", len(plain))
		}
		got, err := apikey.ByToken(t.Context(), d, plain)
		if err != nil || got.ID != k.ID || got.Name != "web" || !got.May(apikey.XeroToken) || got.May(apikey.WriteIntegrations) {
			t.Errorf("%+v, %v", got, err)
		}
		for name, wrong := range map[string]string{
			"nothing": "", "its prefix": "ktk_", "without its prefix": plain[4:], "cut": plain[:46], "longer": plain + "A",
			"another case": strings.ToUpper(plain), "another": "ktk_" + strings.Repeat("A", 43), "its id": string(k.ID), "with a NUL": plain[:46] + "\x00",
		} {
			if _, err := apikey.ByToken(t.Context(), d, wrong); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for at, want := range map[id.Site]bool{here.ID: true, twin.ID: false, "": false} {
			if yes, err := apikey.Reaches(t.Context(), d, k, at); yes != want || err != nil {
				t.Errorf("reaches %q: %v, %v", at, yes, err)
			}
		}
		stored, err := db.One(t.Context(), d, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT secret_hash FROM api_keys`)
		if err != nil || len(stored) != 32 || strings.Contains(plain, string(stored)) {
			t.Errorf("what is stored has %d bytes, %v", len(stored), err)
		}
		if h, w := events(t, d, string(here.ID), audit.APIKeyMade), events(t, d, string(twin.ID), audit.APIKeyMade); h != 1 || w != 0 {
			t.Errorf("%d events here, %d at the twin", h, w)
		}
	})
}

func TestAnEndedKeyIsDeadAtOnceAndItsNameIsFree(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		here, _ := sites(t, d)
		order := apikey.Order{Name: "web", Scopes: []apikey.Scope{apikey.ReadReadiness}, Sites: []id.Site{here.ID}}
		_, token, err := try(t, d, order)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := try(t, d, order); !errors.Is(err, fault.Conflict) {
			t.Errorf("a second one of the name: %v", err)
		}
		end := func() error {
			return d.Do(t.Context(), func(tx *db.Tx) error {
				_, err := apikey.End(t.Context(), tx, command, "web")
				return err
			})
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := apikey.ByToken(t.Context(), d, token.Reveal()); !errors.Is(err, fault.NotFound) {
			t.Errorf("an ended key: %v", err)
		}
		if err := end(); !errors.Is(err, fault.NotFound) {
			t.Errorf("ended twice: %v", err)
		}
		if _, _, err := try(t, d, order); err != nil {
			t.Errorf("the name again: %v", err)
		}
		all, err := apikey.List(t.Context(), d)
		if err != nil || len(all) != 2 || all[0].EndedAt.IsZero() || !all[1].EndedAt.IsZero() {
			t.Errorf("%+v, %v", all, err)
		}
		if n := events(t, d, string(here.ID), audit.APIKeyEnded); n != 1 {
			t.Errorf("%d events of the end", n)
		}
	})
}

func TestTheLastUseIsKeptToAMinute(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		_, token, err := try(t, d, apikey.Order{Name: "web", Scopes: []apikey.Scope{apikey.ReadReadiness}, All: true})
		if err != nil {
			t.Fatal(err)
		}
		var seen []time.Time
		for range 4 {
			d.Clock.Advance(31 * time.Second)
			k, err := apikey.ByToken(t.Context(), d, token.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Do(t.Context(), func(tx *db.Tx) error { return apikey.Used(t.Context(), tx, k) }); err != nil {
				t.Fatal(err)
			}
			if k, err = apikey.ByToken(t.Context(), d, token.Reveal()); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, k.UsedAt)
		}
		if len(slices.Compact(seen)) != 2 || seen[0].IsZero() {
			t.Errorf("four uses within two minutes were written as %v", seen)
		}
	})
}

func TestAKeyIsRefusedThatCouldDoTooMuchOrNothing(t *testing.T) {
	t.Parallel()
	read := []apikey.Scope{apikey.ReadReadiness}
	for name, o := range map[string]apikey.Order{
		"without a name":           {Scopes: read, All: true},
		"a name of blanks":         {Name: "  ", Scopes: read, All: true},
		"a name too long":          {Name: strings.Repeat("n", 101), Scopes: read, All: true},
		"a name of two lines":      {Name: "a\nb", Scopes: read, All: true},
		"without a scope":          {Name: "web", All: true},
		"a scope that is not":      {Name: "web", Scopes: []apikey.Scope{"everything"}, All: true},
		"for nothing":              {Name: "web", Scopes: read},
		"for all and for some":     {Name: "web", Scopes: read, All: true, Sites: []id.Site{"s"}},
		"tokens of all sites":      {Name: "web", Scopes: []apikey.Scope{apikey.ReadReadiness, apikey.XeroToken}, All: true},
		"more sites than one sees": {Name: "web", Scopes: read, Sites: make([]id.Site, 501)},
	} {
		// Nothing is asked of the database: a transaction is not needed to say no.
		if _, _, err := apikey.Make(t.Context(), &db.Tx{}, command, o); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
