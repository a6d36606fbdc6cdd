package limit_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
)

func TestPartsWithOtherBoundariesAreOtherSubjects(t *testing.T) {
	t.Parallel()
	seen := make(map[string][]string)
	for _, parts := range [][]string{
		{},
		{""},
		{"", ""},
		{"ab"},
		{"a", "b"},
		{"", "ab"},
		{"ab", ""},
		{"a", "", "b"},
		{"\x00\x00\x00\x00\x00\x00\x00\x01a"},
	} {
		got := limit.Subject(parts...)
		if before, taken := seen[got]; taken {
			t.Errorf("%q and %q are one subject", before, parts)
		}
		seen[got] = parts
		if !regexp.MustCompile(`^[A-Z2-7]{52}$`).MatchString(got) {
			t.Errorf("%q became %q", parts, got)
		}
	}
}

func TestTheSameNameIsTheSameSubjectOnEveryNodeAndInEveryRelease(t *testing.T) {
	t.Parallel()
	const want = "DUKWFSDJJAQB6XH4STGLEJL3JQKLINPFO7CKMXMHV7GPZD7JM4SA"
	if got := limit.Subject("login", "pat@bayside.example"); got != want {
		t.Errorf("got %s: counts of the release before are forgotten", got)
	}
}

func TestShardsTogetherAllowNoMoreThanTheWhole(t *testing.T) {
	t.Parallel()
	for _, whole := range []limit.Budget{
		limit.CodesSystem,
		limit.ResetsSystem,
		{Name: "odd", Cap: 48, Window: time.Hour, Kept: 15},
		{Name: "few", Cap: 5, Window: time.Hour},
		{Name: "one for strangers", Cap: 17, Window: time.Hour, Kept: 16},
	} {
		t.Run(whole.Name, func(t *testing.T) {
			t.Parallel()
			rows := make(map[string]limit.Budget)
			for i := range 2000 {
				c := limit.Spread(whole, fmt.Sprint("user ", i))
				rows[c.Subject] = c.Budget
			}
			total, unknown := 0, 0
			for _, b := range rows {
				total, unknown = total+b.Cap, unknown+b.Cap-b.Kept
				if b.Cap < 1 || b.Kept < 0 || b.Kept >= b.Cap {
					t.Errorf("a shard is %+v", b)
				}
			}
			if total > whole.Cap || unknown > whole.Cap-whole.Kept || len(rows) > 16 {
				t.Errorf("%d rows allow %d uses, %d unknown, of %+v", len(rows), total, unknown, whole)
			}
			if total < whole.Cap-len(rows) && len(rows) == 16 {
				t.Errorf("%d rows allow only %d of %d", len(rows), total, whole.Cap)
			}
		})
	}
}

func TestASpreadBudgetIsExactUnderLoad(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		whole := limit.Budget{Name: "system", Cap: 32, Window: time.Hour}
		got := inParallel(t, d, 300, func(i int) []limit.Charge { return []limit.Charge{limit.Spread(whole, fmt.Sprint(i))} })
		if got != 32 {
			t.Errorf("accepted %d of 32", got)
		}
		home := limit.Charge{Budget: whole, Subject: "AU"}
		if a, b := home.Spread("pat"), home.Spread("pat"); a != b || !take(t, d, a).OK {
			t.Errorf("%+v, then %+v", a, b)
		}
	})
}
