package audit_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

// seqs are the places of events in their chain, in the order of the list.
func seqs(tb testing.TB, d *db.DB, f audit.Filter, limit int) (all []int64) {
	tb.Helper()
	page, err := audit.List(tb.Context(), d, f, limit)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range page {
		all = append(all, e.Seq)
	}
	return all
}

func TestAFilterLetsThroughWhatFitsAllOfIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		stranger := id.User("0198f0a0-0000-7000-8000-0000000000a3") // of the other site alone
		by := func(who id.User, kind audit.Kind, about id.User) audit.Event {
			return audit.Event{Kind: kind, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(who)}, Site: bayside, User: about}
		}
		day := d.Clock.Now().Truncate(time.Second)
		for i, e := range []audit.Event{
			by(pat, audit.SiteEntered, pat),               // 0
			by(kim, audit.CodeWrong, kim),                 // 1
			by(pat, audit.HelpApproved, kim),              // 2
			by(kim, audit.RecoveryCodeUsed, kim),          // 3
			by(pat, audit.AuditExported, ""),              // 4
			by(pat, audit.SiteChanged, ""),                // 5
			by(kim, audit.Kind("thing.of_tomorrow"), kim), // 6
			by(kim, audit.Kind("thing.of_nobody"), ""),    // 7
		} {
			do(t, d, func(ctx context.Context, tx *db.Tx) error {
				tx.Now = day.Add(time.Duration(i) * time.Hour)
				return audit.Record(ctx, tx, e)
			})
		}
		record(t, d, entered(twin, stranger), entered(twin, pat))

		at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
		for name, c := range map[string]struct {
			f    audit.Filter
			want []int64
		}{
			"everything":                    {audit.Filter{}, []int64{7, 6, 5, 4, 3, 2, 1, 0}},
			"what Pat did or is about Pat":  {audit.Filter{People: []id.User{pat}}, []int64{5, 4, 2, 0}},
			"what Kim did or is about Kim":  {audit.Filter{People: []id.User{kim}}, []int64{7, 6, 3, 2, 1}},
			"both":                          {audit.Filter{People: []id.User{pat, kim, stranger}}, []int64{7, 6, 5, 4, 3, 2, 1, 0}},
			"a person of another site":      {audit.Filter{People: []id.User{stranger}}, nil},
			"signing in":                    {audit.Filter{Group: audit.OfSigningIn}, []int64{1}},
			"sessions":                      {audit.Filter{Group: audit.OfSessions}, []int64{0}},
			"methods":                       {audit.Filter{Group: audit.OfMethods}, []int64{3}},
			"help":                          {audit.Filter{Group: audit.OfHelp}, []int64{2}},
			"messages":                      {audit.Filter{Group: audit.OfMessages}, nil},
			"the trail":                     {audit.Filter{Group: audit.OfTheTrail}, []int64{4}},
			"the site, and what is new":     {audit.Filter{Group: audit.OfTheSite}, []int64{7, 6, 5}},
			"from an hour on, with it":      {audit.Filter{From: at(5)}, []int64{7, 6, 5}},
			"until an hour, without it":     {audit.Filter{Until: at(2)}, []int64{1, 0}},
			"between":                       {audit.Filter{From: at(2), Until: at(4)}, []int64{3, 2}},
			"an empty time":                 {audit.Filter{From: at(4), Until: at(4)}, nil},
			"all of it":                     {audit.Filter{People: []id.User{kim}, Group: audit.OfHelp, From: at(1), Until: at(3), Before: audit.Place{Seq: 7}}, []int64{2}},
			"all of it, and another person": {audit.Filter{User: pat, People: []id.User{kim}, Group: audit.OfHelp}, nil},
		} {
			c.f.Site = bayside
			if got := seqs(t, d, c.f, 200); !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
		groups := 0
		for _, g := range audit.Groups() {
			groups += len(seqs(t, d, audit.Filter{Site: bayside, Group: g}, 200))
		}
		if groups != 8 {
			t.Errorf("the groups have %d of 8 events", groups)
		}
	})
}

func TestPagesFollowEachOtherWhereTimesAreEqual(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		var events []audit.Event
		for range 7 { // of one transaction, and so of one time
			events = append(events, entered(bayside, pat), entered(twin, pat), entered("", pat), entered(bayside, kim))
		}
		record(t, d, events...)
		for name, f := range map[string]audit.Filter{
			"a site":             {Site: bayside},
			"a person of a site": {Site: bayside, People: []id.User{pat}},
			"a person's chains":  {User: pat},
		} {
			all, err := audit.List(t.Context(), d, f, 200)
			if err != nil {
				t.Fatal(err)
			}
			var paged []id.Event
			for {
				page, err := audit.List(t.Context(), d, f, 3)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					paged = append(paged, e.ID)
				}
				if len(page) < 3 {
					break
				}
				f.Before = page[len(page)-1].Place
			}
			if len(paged) != len(all) || len(all) < 7 {
				t.Fatalf("%s: %d events in pages of %d", name, len(paged), len(all))
			}
			for i, e := range all {
				if e.ID != paged[i] {
					t.Errorf("%s: event %d is another one in pages", name, i)
				}
			}
		}
	})
}

func TestTheExtentIsThatOfTheSiteAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		before := d.Clock.Now()
		ten(t, d)
		oldest, size, err := audit.Extent(t.Context(), d, bayside)
		if err != nil || size != 10 || oldest.Before(before) || oldest.After(d.Clock.Now()) {
			t.Errorf("%s, %d, %v", oldest, size, err)
		}
		if oldest, size, err := audit.Extent(t.Context(), d, id.New[id.Site]()); err != nil || size != 0 || !oldest.IsZero() {
			t.Errorf("a site without events: %s, %d, %v", oldest, size, err)
		}
	})
}
