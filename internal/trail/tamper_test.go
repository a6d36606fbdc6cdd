package trail_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"keyturn/internal/audit"
	"keyturn/internal/db"
)

// says holds that some finding names a line and an event of it, in words. An event that is
// not there has no id to name.
func says(t *testing.T, found []audit.Finding, line, seq int64, event audit.Entry, words string) {
	t.Helper()
	ok := slices.ContainsFunc(found, func(f audit.Finding) bool {
		return f.Line == line && f.Seq == seq && f.Event == event.ID && strings.Contains(f.What, words)
	})
	if !ok {
		t.Errorf("nothing says %q of line %d, event %d (%q): %v", words, line, seq, event.ID, found)
	}
}

func TestATamperedCopyIsFoundWithItsLineAndEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat, w.kim, w.pat, w.kim)
		w.happens(t, w.twin, w.twinPat)
		lines := w.copied(t, w.site)
		all := w.events(t, audit.Filter{Site: w.site.ID}) // the newest first
		slices.Reverse(all)
		none := audit.Entry{}
		if found := w.fileVerified(t, lines, nil); len(found) > 0 || len(lines) != 5 {
			t.Fatalf("%d lines, found %v", len(lines), found)
		}
		changed := slices.Clone(lines)
		changed[1] = strings.Replace(changed[1], `"way":"email"`, `"way":"emaim"`, 1)
		says(t, w.fileVerified(t, changed, nil), 2, 1, all[1], "not the one whose hash is stored")

		removed := slices.Delete(slices.Clone(lines), 1, 2)
		says(t, w.fileVerified(t, removed, nil), 2, 1, none, "events 1 to 1 are missing")

		swapped := slices.Clone(lines)
		swapped[1], swapped[2] = swapped[2], swapped[1]
		says(t, w.fileVerified(t, swapped, nil), 2, 2, all[2], "moved or doubled")
	})
}

func TestANewestEventThatIsCutIsFoundAgainstACheckpointThatWasKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat, w.kim, w.pat, w.kim)
		w.pass(1)
		w.makes(t)
		_, then := w.last(t, w.site)
		w.cut(t, chain(w.site.ID), 3)
		w.green(t) // inside the database nothing tells of it
		found := w.verified(t, &then)
		if len(found) != 1 || found[0].Chain != chain(w.site.ID) || found[0].Seq != 3 || !strings.Contains(found[0].What, "the end was cut") {
			t.Errorf("the database: %v", found)
		}
		lines := w.copied(t, w.site) // by us, so that it is signed
		if found := w.fileVerified(t, lines, nil); len(found) > 0 {
			t.Errorf("the copy alone: %v", found)
		}
		says(t, w.fileVerified(t, lines, &then), 4, 3, audit.Entry{}, "the end was cut")

		// Another event in its place is not the one of the checkpoint either.
		w.happens(t, w.site, w.pat)
		lines = w.copied(t, w.site)
		newest := w.events(t, audit.Filter{Site: w.site.ID})[0]
		says(t, w.fileVerified(t, lines, &then), 4, 3, newest, "not the one of the checkpoint")
		says(t, w.verified(t, &then), 0, 3, newest, "not the one of the checkpoint")
	})
}

// cut removes the events of a chain from one on, with all that tells of them.
func (w *world) cut(t *testing.T, chain string, from int64) {
	t.Helper()
	guards := []string{`DROP TRIGGER audit_events_no_change`, `DROP TRIGGER audit_events_no_removal`}
	if w.db.Engine() == db.Postgres {
		guards = []string{`DROP TRIGGER audit_events_append_only ON audit_events`}
	}
	for _, statement := range guards {
		w.do(t, w.statement(statement))
	}
	w.do(t, w.statement(`DELETE FROM audit_personal WHERE chain = $1 AND seq >= $2`, chain, from))
	w.do(t, w.statement(`DELETE FROM audit_events WHERE chain = $1 AND seq >= $2`, chain, from))
	w.do(t, w.statement(`DELETE FROM audit_hashes WHERE chain = $1 AND pos >= $2`, chain, tlog.StoredHashIndex(0, from)))
	w.do(t, w.statement(`UPDATE audit_heads SET size = $2 WHERE chain = $1`, chain, from))
}
