package trail_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/trail"
)

func (w *world) prunes(t *testing.T) {
	t.Helper()
	if err := w.desk.Prune(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
}

func TestNothingYoungerThanTheKeepingTimeIsRemoved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.desk.KeepDays = 366
		w.happens(t, w.site, w.pat, w.kim) // day 0
		w.happens(t, w.twin, w.twinPat)
		w.pass(1)
		w.makes(t)
		_, then := w.last(t, w.site)
		w.pass(39)
		young := w.db.Clock.Now() // day 40
		w.happens(t, w.site, w.pat)
		w.happens(t, w.twin, w.twinPat)

		w.pass(366 + 29 - 40) // the oldest is 395 days old: not yet a month too old
		w.prunes(t)
		if w.has(t, w.site, audit.SiteEntered) != 3 {
			t.Fatal("events went before the month was over")
		}
		w.pass(5) // and now 400; the younger one 360
		other, desk := w.node(t)
		other.Clock.Advance(w.db.Clock.Now().Sub(other.Clock.Now()))
		desk.KeepDays = w.desk.KeepDays
		var both sync.WaitGroup
		for _, d := range []*trail.Desk{w.desk, desk} {
			both.Go(func() {
				if err := d.Prune(t.Context(), 20); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		left := w.events(t, audit.Filter{Site: w.site.ID, Kind: audit.SiteEntered})
		if len(left) != 1 || left[0].At.Before(young) || left[0].Seq != 2 {
			t.Fatalf("left are %+v", left)
		}
		said := w.events(t, audit.Filter{Site: w.site.ID, Kind: audit.AuditPruned})
		if len(said) != 1 || said[0].Facts["events"] != "2" || said[0].Actor.ID != "trail" {
			t.Errorf("the trail says %+v", said)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_personal WHERE chain = $1 AND seq < 2`, chain(w.site.ID)); n != 0 {
			t.Errorf("%d personal values of removed events are left", n)
		}
		if found := w.verified(t, &then); len(found) > 0 {
			t.Errorf("against the checkpoint of before: %v", found)
		}
		lines := w.copied(t, w.site)
		if !strings.HasPrefix(lines[0], `{"base":`) || strings.Contains(strings.Join(lines, ""), string(w.twin.ID)) {
			t.Errorf("the copy begins with %s", lines[0])
		}
		if found := w.fileVerified(t, lines, &then); len(found) > 0 {
			t.Errorf("the copy: %v", found)
		}
		oldest, size, err := audit.Extent(t.Context(), w.db, w.site.ID)
		if err != nil || size != 4 || oldest.Before(young) {
			t.Errorf("the trail reaches back to %s, %d events: %v", oldest, size, err)
		}

		heads := w.count(t, `SELECT SUM(size) FROM audit_heads`)
		w.prunes(t)
		if n := w.count(t, `SELECT SUM(size) FROM audit_heads`); n != heads {
			t.Errorf("a second run recorded %d events", n-heads)
		}
		w.pass(200)
		w.prunes(t) // a base on a base
		if w.has(t, w.site, audit.SiteEntered) != 0 {
			t.Error("the younger event stays for good")
		}
		if found := w.verified(t, &then); len(found) > 0 {
			t.Errorf("pruned twice: %v", found)
		}
		w.happens(t, w.site, w.pat)
		w.green(t)
	})
}

func TestALongChainIsPrunedInPartsAndAnUnsignedBaseIsFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range 6 {
			w.do(t, w.many(w.site, w.pat, 200))
		}
		w.desk.KeepDays = 0
		w.db.Clock.Advance(600 * 24 * time.Hour)
		w.prunes(t)
		if n := w.count(t, `SELECT COUNT(*) FROM audit_events`); n != 1200 {
			t.Fatalf("%d events are left where they are kept for good", n)
		}
		w.desk.KeepDays = 366
		w.prunes(t)
		// The newest event of a chain stays, whatever its age; the first cut made a newer one.
		if n := w.has(t, w.site, audit.SiteEntered); n != 0 {
			t.Errorf("%d old events are left", n)
		}
		if n := w.has(t, w.site, audit.AuditPruned); n != 2 {
			t.Errorf("1200 events went in %d parts", n)
		}
		w.green(t)
		w.do(t, w.statement(`UPDATE audit_bases SET note = REPLACE(note, 'origin', 'from') WHERE chain = $1`, chain(w.site.ID)))
		found := w.verified(t, nil)
		if len(found) == 0 || !strings.Contains(found[0].What, "not signed") || found[0].Chain != chain(w.site.ID) {
			t.Errorf("found %v", found)
		}
	})
}
