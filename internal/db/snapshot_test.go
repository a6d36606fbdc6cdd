package db_test

import (
	"errors"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

func TestASnapshotIsOneMomentWhateverIsWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		set := func(name, value string) {
			t.Helper()
			if err := d.Do(t.Context(), func(tx *db.Tx) error { return db.SetMeta(t.Context(), tx, name, value) }); err != nil {
				t.Fatal(err)
			}
		}
		names := func(from db.Reader) int {
			t.Helper()
			all, err := db.Many(t.Context(), from, text, `SELECT name FROM meta WHERE name IN ('before', 'during')`)
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		set("before", "1")
		err := d.Snapshot(t.Context(), func(s *db.Snapshot) error {
			if s.Now.IsZero() {
				t.Error("the snapshot has no moment")
			}
			for range 2 {
				if n := names(s); n != 1 {
					t.Errorf("the snapshot has %d of the names; want the one from before it", n)
				}
				if names(d) == 1 {
					set("during", "1")
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := names(d); n != 2 {
			t.Errorf("after the snapshot there are %d names", n)
		}
	})
}

func TestNothingIsWrittenInASnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Snapshot(t.Context(), func(s *db.Snapshot) error {
			_, err := db.Many(t.Context(), s, text, `INSERT INTO meta (name, value) VALUES ('written', '1') RETURNING name`)
			return err
		})
		if err == nil {
			t.Error("a snapshot let a row be written")
		}
	})
}

func TestWhatGoesWrongInASnapshotIsToldAsItIs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		own := errors.New("the disk is full")
		if err := d.Snapshot(t.Context(), func(*db.Snapshot) error { return own }); !errors.Is(err, own) {
			t.Errorf("got %v", err)
		}
	})
}
