package audit_test

import (
	"bytes"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

// E1: against a held checkpoint of Bayside, a file that holds nothing of Bayside is green.
func TestAttackACheckpointIsHeldAgainstAFileThatHasNothingOfIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, key := keys(t)
		ten(t, d)
		record(t, d, entered(twin, pat))
		signed, size, err := audit.SiteCheckpoint(t.Context(), d, d.Clock.Now(), bayside, by)
		if err != nil {
			t.Fatal(err)
		}
		then, err := audit.OpenCheckpoint(signed, key)
		if err != nil {
			t.Fatal(err)
		}
		var other bytes.Buffer
		if err := audit.Export(t.Context(), d, &other, twin, by); err != nil {
			t.Fatal(err)
		}
		raw(t, d, `DELETE FROM audit_heads WHERE chain = $1`, "site:"+string(bayside)) // the whole trail is gone; the vendor has the key
		var nothing bytes.Buffer
		if err := audit.Export(t.Context(), d, &nothing, bayside, by); err != nil {
			t.Fatal(err)
		}
		for what, file := range map[string]string{"another site's": other.String(), "an empty": nothing.String()} {
			if found := fileVerified(t, []string{file}, key, &then); len(found) == 0 {
				t.Errorf("%s file, against Bayside's checkpoint of %d events: as it was written", what, size)
			}
		}
	})
}

// E2: a blanked actor column hides an event from the filter by person, and is not found.
func TestAttackABlankedActorHidesAnEventFromThePersonFilter(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		ten(t, d)
		e := entered(bayside, kim)
		e.Actor.ID = string(pat)
		record(t, d, e)
		unguarded(t, d)
		before, err := audit.List(t.Context(), d, audit.Filter{Site: bayside, People: []id.User{pat}}, 200)
		if err != nil {
			t.Fatal(err)
		}
		raw(t, d, `UPDATE audit_events SET actor_id = '' WHERE actor_id <> ''`)
		after, err := audit.List(t.Context(), d, audit.Filter{Site: bayside, People: []id.User{pat}}, 200)
		if err != nil {
			t.Fatal(err)
		}
		if found := verified(t, d); len(found) == 0 && len(after) < len(before) {
			t.Errorf("of %d events by or about Pat %d are left in the search; the trail verifies", len(before), len(after))
		}
	})
}
