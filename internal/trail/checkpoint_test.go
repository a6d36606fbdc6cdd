package trail_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/site"
	"keyturn/internal/trail"
	"keyturn/internal/user"
)

func (w *world) makes(t *testing.T) {
	t.Helper()
	if err := w.desk.MakeCheckpoints(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
}

// stored is how many checkpoints a site has.
func (w *world) stored(t *testing.T, s site.Site) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM checkpoints WHERE site_id = $1`, s.ID)
}

// told is how many notices of checkpoints somebody got.
func (w *world) told(t *testing.T, who user.User) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM notices WHERE user_id = $1 AND kind = 'trail_checkpoint'`, who.ID)
}

// kept are the lines of a site's file in the folder.
func (w *world) kept(t *testing.T, s site.Site) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.desk.Folder, string(s.ID)+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestASiteHasOneCheckpointForEachDayWithSomethingNew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.desk.Folder = t.TempDir()
		w.happens(t, w.site, w.pat, w.kim)
		w.happens(t, w.twin, w.twinPat)
		w.makes(t)
		if n := w.stored(t, w.site) + w.stored(t, w.twin); n != 0 {
			t.Fatalf("%d checkpoints of a day that is not over", n)
		}

		w.pass(1)
		w.happens(t, w.site, w.kim) // today: it is in the checkpoint, and makes no further one by itself
		w.makes(t)
		w.makes(t)
		if w.stored(t, w.site) != 1 || w.stored(t, w.twin) != 1 {
			t.Fatalf("%d and %d checkpoints", w.stored(t, w.site), w.stored(t, w.twin))
		}
		last, heads := w.last(t, w.site)
		if last.Size != 3 || last.Day != w.db.Clock.Now().Format(time.DateOnly) || len(heads.Chains) != 1 ||
			heads.Chains[0].Chain != chain(w.site.ID) || heads.Chains[0].Size != 3 {
			t.Errorf("%+v says %+v", last, heads)
		}
		if strings.Contains(last.Note, string(w.twin.ID)) {
			t.Error("a site's checkpoint names another site")
		}
		if w.told(t, w.pat) != 1 || w.told(t, w.bo) != 2 || w.told(t, w.twinPat) != 1 || w.told(t, w.kim) != 0 {
			t.Errorf("told: Pat %d, Bo %d, the other Pat %d, Kim %d", w.told(t, w.pat), w.told(t, w.bo), w.told(t, w.twinPat), w.told(t, w.kim))
		}
		if n := w.count(t, `SELECT COUNT(DISTINCT due_at) FROM notices WHERE user_id = $1`, w.bo.ID); n != 1 {
			t.Errorf("what Bo is told is due at %d times, and so goes in several mails", n)
		}
		lines := w.kept(t, w.site)
		var line struct{ Day, Checkpoint string }
		if len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &line) != nil || line.Day != last.Day || line.Checkpoint != last.Note {
			t.Errorf("the folder has %q", lines)
		}

		w.pass(1) // Kim's event of yesterday is in the checkpoint already
		w.makes(t)
		if w.stored(t, w.site) != 1 || w.stored(t, w.twin) != 1 {
			t.Error("a checkpoint of a day without anything new")
		}
		w.happens(t, w.site, w.pat)
		w.pass(1)
		w.makes(t)
		if w.stored(t, w.site) != 2 || w.stored(t, w.twin) != 1 || w.told(t, w.twinPat) != 1 || len(w.kept(t, w.site)) != 2 {
			t.Errorf("after a second day: %d and %d checkpoints, %d lines", w.stored(t, w.site), w.stored(t, w.twin), len(w.kept(t, w.site)))
		}
		w.green(t)
		whole := strings.Join(w.kept(t, w.site), "\n")
		then, err := trail.Open([]byte(whole), w.keys.CheckpointVerifier())
		if err != nil || len(then.Chains) != 2 {
			t.Fatalf("%+v, %v", then, err)
		}
		if found := w.verified(t, &then); len(found) > 0 {
			t.Errorf("against the folder's file: %v", found)
		}
	})
}

func TestTwoNodesMakeEachCheckpointOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat)
		w.happens(t, w.twin, w.twinPat)
		other, desk := w.node(t)
		w.pass(1)
		other.Clock.Advance(24 * time.Hour)
		w.desk.Folder = t.TempDir()
		desk.Folder = w.desk.Folder
		var all sync.WaitGroup
		for range 3 {
			for _, d := range []*trail.Desk{w.desk, desk} {
				all.Go(func() {
					if err := d.MakeCheckpoints(t.Context(), 100); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if w.stored(t, w.site) != 1 || w.stored(t, w.twin) != 1 || w.told(t, w.pat) != 1 || w.told(t, w.bo) != 2 {
			t.Errorf("%d and %d checkpoints, Pat told %d times, Bo %d", w.stored(t, w.site), w.stored(t, w.twin), w.told(t, w.pat), w.told(t, w.bo))
		}
		// Two nodes of one folder may both write the line, and never half of one.
		for _, line := range w.kept(t, w.site) {
			if line != w.kept(t, w.site)[0] {
				t.Errorf("the folder has %q", line)
			}
		}
	})
}

func TestCheckpointsOfManySitesAreMadeInParts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat)
		w.happens(t, w.twin, w.twinPat)
		w.pass(1)
		for i, want := range []int{1, 2, 2} {
			if err := w.desk.MakeCheckpoints(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if n := w.stored(t, w.site) + w.stored(t, w.twin); n != want {
				t.Errorf("%d checkpoints after run %d", n, i+1)
			}
			if i < 2 && w.told(t, w.bo) != 0 {
				t.Error("Bo is told before all checkpoints are made, and so gets several mails")
			}
		}
		if w.told(t, w.bo) != 1 { // the oldest; the next run tells the other
			t.Errorf("Bo is told %d times", w.told(t, w.bo))
		}
	})
}

func TestAFolderThatFailsLosesNoCheckpoint(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat)
		w.happens(t, w.twin, w.twinPat)
		w.pass(1)
		folder := t.TempDir()
		w.desk.Folder = filepath.Join(folder, "not there")
		if err := w.desk.MakeCheckpoints(t.Context(), 100); err == nil {
			t.Error("nobody hears of a folder that is not there")
		}
		if w.stored(t, w.site) != 1 || w.told(t, w.pat) != 1 {
			t.Errorf("%d checkpoints, Pat told %d times", w.stored(t, w.site), w.told(t, w.pat))
		}

		// One file that cannot be written keeps no other from being written.
		w.desk.Folder = folder
		first, second := w.site, w.twin
		if second.ID < first.ID {
			first, second = second, first
		}
		blocked := filepath.Join(folder, string(first.ID)+".jsonl")
		if err := os.Mkdir(blocked, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := w.desk.MakeCheckpoints(t.Context(), 100); err == nil {
			t.Error("nobody hears of a file that cannot be written")
		}
		if n := len(w.kept(t, second)); n != 1 {
			t.Errorf("the other site's file has %d lines", n)
		}
		if err := os.Remove(blocked); err != nil {
			t.Fatal(err)
		}
		// A node died in the midst of a line.
		if err := os.WriteFile(blocked, []byte(`{"day":"2026-`), 0o600); err != nil {
			t.Fatal(err)
		}
		w.makes(t)
		lines := w.kept(t, first)
		if len(lines) != 2 || !strings.HasPrefix(lines[1], `{"day":"`) || w.stored(t, w.site) != 1 || w.told(t, w.pat) != 1 {
			t.Errorf("the file has %q; %d checkpoints, Pat told %d times", lines, w.stored(t, w.site), w.told(t, w.pat))
		}
		then, err := trail.Open([]byte(strings.Join(lines, "\n")), w.keys.CheckpointVerifier())
		if err != nil || len(then.Chains) != 1 {
			t.Errorf("opened %+v, %v", then, err)
		}
	})
}

func TestTextWithoutASignedCheckpointIsNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat)
		w.pass(1)
		w.makes(t)
		last, _ := w.last(t, w.site)
		key := w.keys.CheckpointVerifier()
		for name, text := range map[string]string{
			"nothing":           "",
			"a letter":          "Dear Pat,\n\nall is well.\n",
			"a changed one":     strings.Replace(last.Note, " 1 ", " 2 ", 1),
			"a line without it": `{"day":"2026-11-29","checkpoint":""}`,
		} {
			if _, err := trail.Open([]byte(text), key); !errors.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, ok, err := trail.Last(t.Context(), w.db, w.twin.ID); ok || err != nil {
			t.Errorf("the other site's last checkpoint: %v, %v", ok, err)
		}
	})
}
