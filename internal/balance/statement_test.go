package balance_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

func TestAStatementIsReadPageByPageNewestFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, twin := aShop(t, d, 100), newShop(t, d, 100)
		for range 12 {
			s.holds(t, 1)
			twin.holds(t, 2)
		}
		var got []int64
		for before := int64(0); ; {
			page, err := balance.Statement(t.Context(), d, s.id, before, 5)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				got = append(got, e.No)
				if e.Kind == balance.Held && e.Parts != 1 {
					t.Error("an entry of the twin's")
				}
			}
			before = got[len(got)-1]
			s.topUp(t, 1, strconv.FormatInt(before, 10)) // what comes meanwhile moves nothing
		}
		if diff := cmp.Diff([]int64{13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheCSVHasEveryEntryAndNoFormula(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := aShop(t, d, 5)
		bad := []string{"=1+1", "+61", "-1", "@SUM(A1)", " =1", "＝1", "INV-1"}
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			for _, reference := range bad {
				o := s.order(1, reference)
				o.By, o.ByName = audit.Actor{Kind: audit.ActorClient, ID: "host"}, reference
				if _, err := balance.TopUp(ctx, tx, o); err != nil {
					return err
				}
			}
			return nil
		})
		for some := range 30 {
			do(t, d, func(ctx context.Context, tx *db.Tx) error {
				for i := range 20 { // more than a page in all
					o := s.order(1, "order "+strconv.Itoa(20*some+i))
					o.By, o.ByName = audit.Actor{Kind: audit.ActorClient, ID: "host"}, ""
					if _, err := balance.TopUp(ctx, tx, o); err != nil {
						return err
					}
				}
				return nil
			})
		}
		var out bytes.Buffer
		if err := balance.WriteCSV(t.Context(), d, s.id, &out, brisbane); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"no", "at", "kind", "parts", "available", "held", "who", "by", "reference"}, rows[0]); diff != "" {
			t.Error(diff)
		}
		if len(rows) != 1+1+len(bad)+600 {
			t.Fatalf("%d rows", len(rows))
		}
		for i, row := range rows[1:] {
			if row[0] != strconv.Itoa(len(rows)-1-i) {
				t.Fatalf("row %d has the number %s", i, row[0])
			}
			if at, err := time.Parse(time.RFC3339, row[1]); err != nil || !strings.HasSuffix(row[1], "+10:00") || at.After(d.Clock.Now()) {
				t.Fatalf("at %q: %v", row[1], err)
			}
			for _, cell := range row {
				if first := strings.TrimLeft(cell, " "); first != "" && strings.ContainsRune("=+-@\t\r＝", []rune(first)[0]) {
					t.Errorf("%q begins a formula", cell)
				}
			}
		}
		if diff := cmp.Diff([]string{"topup", "1", "612", "0", "", "host", "order 599"}, rows[1][2:]); diff != "" {
			t.Error(diff)
		}
		if row := rows[len(rows)-2]; row[7] != "'=1+1" || row[8] != "'=1+1" {
			t.Errorf("the first top-up is %q", row)
		}
	})
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestACSVThatCannotBeWrittenSaysSo(t *testing.T) {
	t.Parallel()
	s := aShop(t, dbtest.Open(t, dbtest.Fresh(t, db.SQLite)), 5)
	s.topUp(t, 1, "a")
	if err := balance.WriteCSV(t.Context(), s.d, s.id, full{}, brisbane); err == nil {
		t.Error("written to nowhere")
	}
}

func TestUseIsWhatWasChargedForEachPersonLessRefunds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, twin := aShop(t, d, 50), newShop(t, d, 50)
		twin.charge(t, twin.holds(t, 9), 9)
		old, _ := s.reserveFor(t, balance.Ask{User: s.sam, Parts: 5})
		s.charge(t, old, 5)
		d.Clock.Advance(time.Hour)
		since := d.Clock.Now()
		for _, a := range []balance.Ask{{User: s.pat, Parts: 1}, {User: s.kim, Parts: 3}, {User: s.pat, Parts: 1}} {
			hold, _ := s.reserveFor(t, a)
			s.charge(t, hold, a.Parts)
		}
		back, _ := s.reserveFor(t, balance.Ask{User: s.kim, Parts: 2})
		s.charge(t, back, 2)
		s.refund(t, back)
		s.release(t, s.holds(t, 4))
		s.topUp(t, 9, "a")
		got, err := balance.UseSince(t.Context(), d, s.id, since)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]balance.Use{{User: s.kim, Parts: 3}, {User: s.pat, Parts: 2}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheDaysOfASpanAreTheSitesOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, twin := aShop(t, d, 50), newShop(t, d, 50)
		now := d.Clock.Now().In(brisbane)
		d.Clock.Advance(time.Date(now.Year(), now.Month(), now.Day()+1, 23, 50, 0, 0, brisbane).Sub(now))
		first := d.Clock.Now()
		s.charge(t, s.holds(t, 2), 2)
		twin.charge(t, twin.holds(t, 9), 9)
		d.Clock.Advance(20 * time.Minute) // another day in Brisbane, and the same in UTC
		s.charge(t, s.holds(t, 1), 1)
		s.charge(t, s.holds(t, 3), 3)
		d.Clock.Advance(2 * day)
		s.charge(t, s.holds(t, 5), 5)
		for name, c := range map[string]struct {
			over balance.Span
			want []int
		}{
			"all of them":             {balance.Span{Until: d.Clock.Now(), Days: 5, Zone: brisbane}, []int{0, 2, 4, 0, 5}},
			"the last two":            {balance.Span{Until: d.Clock.Now(), Days: 2, Zone: brisbane}, []int{0, 5}},
			"those until the first":   {balance.Span{Until: first, Days: 2, Zone: brisbane}, []int{0, 2}},
			"a span of no days":       {balance.Span{Until: first, Zone: brisbane}, nil},
			"the calendar of another": {balance.Span{Until: first, Days: 1, Zone: time.UTC}, []int{6}},
		} {
			got, err := balance.Days(t.Context(), d, s.id, c.over)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}
