package trail_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/trail"
	"keyturn/internal/user"
)

func TestACopyTakesAFreshProofAndTellsOfItself(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat)
		pat, kim, twinPat := w.in(t, w.pat, w.site), w.in(t, w.kim, w.site), w.in(t, w.twinPat, w.twin)
		if _, err := w.desk.Take(t.Context(), kim, trail.CSV); !errors.Is(err, fault.NotFound) {
			t.Errorf("a Mechanic takes a copy: %v", err)
		}
		fresh, err := w.desk.Take(t.Context(), pat, trail.JSONL)
		if !fresh || err != nil {
			t.Fatalf("Pat takes a copy: %v, %v", fresh, err)
		}
		if fresh, err := w.desk.Take(t.Context(), twinPat, trail.CSV); !fresh || err != nil {
			t.Fatalf("the other Pat takes a copy: %v, %v", fresh, err)
		}
		all := w.events(t, audit.Filter{Site: w.site.ID, Kind: audit.AuditExported})
		if len(all) != 1 || all[0].Actor.ID != string(w.pat.ID) || all[0].Facts["form"] != "jsonl" || all[0].Actor.Network != "203.0.113.7" {
			t.Errorf("the trail has %+v", all)
		}
		lines := w.copied(t, w.site)
		text := strings.Join(lines, "")
		if len(lines) != 3 || !strings.Contains(lines[1], "audit.exported") || strings.Contains(text, string(w.twin.ID)) || strings.Contains(text, string(w.twinPat.ID)) {
			t.Errorf("the copy is %s", text)
		}
		if found := w.fileVerified(t, lines, nil); len(found) > 0 {
			t.Errorf("found %v", found)
		}

		w.db.Clock.Advance(6 * time.Minute)
		if fresh, err := w.desk.Take(t.Context(), pat, trail.CSV); fresh || err != nil {
			t.Errorf("with a proof of six minutes ago: %v, %v", fresh, err)
		}
		if n := w.has(t, w.site, audit.AuditExported); n != 1 {
			t.Errorf("%d copies are in the trail", n)
		}
	})
}

func TestACopyInWordsHasEachEventOfTheSiteOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const pages = 3
		for range pages { // of exactly as many events as are read at once
			w.happens(t, w.site, slices.Repeat([]user.User{w.pat, w.kim}, 100)...)
		}
		w.happens(t, w.twin, w.twinPat)
		asked := 0
		rows := func(_ context.Context, page []audit.Entry) (all [][]string, err error) {
			asked = max(asked, len(page))
			for _, e := range page {
				all = append(all, []string{strconv.FormatInt(e.Seq, 10), string(e.User), "a, \"b\"\nc"})
			}
			return all, nil
		}
		var out bytes.Buffer
		if err := w.desk.WriteCSV(t.Context(), &out, w.site.ID, trail.Heading{"no", "about", "text"}, rows); err != nil {
			t.Fatal(err)
		}
		all, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 1+pages*200 || asked != 200 || all[0][0] != "no" || all[1][2] != "a, \"b\"\nc" {
			t.Fatalf("%d lines, %d at once", len(all), asked)
		}
		for i, row := range all[1:] {
			if row[0] != strconv.Itoa(pages*200-1-i) || row[1] == string(w.twinPat.ID) {
				t.Fatalf("line %d is %v", i+2, row)
			}
		}

		out.Reset()
		if err := w.desk.WriteCSV(t.Context(), &out, id.New[id.Site](), trail.Heading{"no"}, rows); err != nil || out.String() != "no\r\n" {
			t.Errorf("a site without events: %q, %v", out.String(), err)
		}
		broken := errors.New("a name cannot be read")
		none := func(context.Context, []audit.Entry) ([][]string, error) { return nil, broken }
		if err := w.desk.WriteCSV(t.Context(), &out, w.site.ID, trail.Heading{"no"}, none); !errors.Is(err, broken) {
			t.Errorf("rows that cannot be made: %v", err)
		}
	})
}

func TestPeopleOfEventsAreNamedOnce(t *testing.T) {
	t.Parallel()
	event := func(kind audit.ActorKind, by string, about id.User) audit.Entry {
		return audit.Entry{Event: audit.Event{Actor: audit.Actor{Kind: kind, ID: by}, User: about}}
	}
	got := trail.People([]audit.Entry{
		event(audit.ActorUser, "a", "b"), event(audit.ActorStaff, "c", "a"), event(audit.ActorSystem, "trail", ""), event(audit.ActorCommand, "erase", "b"),
	})
	if !slices.Equal(got, []id.User{"b", "a", "c"}) {
		t.Errorf("got %v", got)
	}
}

func TestAPersonIsFoundByAPartOfTheirNameAtTheirOwnSite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.do(t, retired(w.kim, w.site))
		for text, want := range map[string][]user.User{
			"Pat Lee": {w.pat}, "  at le ": {w.pat}, "KIM": {w.kim}, "bayside.EXAMPLE": {w.pat, w.kim, w.elodie},
			"bayview": nil, "nobody": nil, "bo": {w.bo}, "%": {w.elodie}, "_": {w.elodie}, `\`: nil,
			"élodie": {w.elodie}, "ÉLODIE": {w.elodie}, "": nil, "  ": nil, "a\x00b": nil, "\xff": nil,
		} {
			got, err := trail.Named(t.Context(), w.db, w.site.ID, text)
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			var ids []id.User
			for _, u := range want {
				ids = append(ids, u.ID)
			}
			slices.Sort(ids)
			if !slices.Equal(got, ids) {
				t.Errorf("%q finds %v, not %v", text, got, ids)
			}
		}
		if got, err := trail.Named(t.Context(), w.db, w.twin.ID, "Pat"); err != nil || !slices.Equal(got, []id.User{w.twinPat.ID}) {
			t.Errorf("at the other site: %v, %v", got, err)
		}
	})
}
