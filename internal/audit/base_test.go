package audit_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

func TestAPrunedChainVerifiesAndIsVouchedForBySignature(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, key := keys(t)
		_, other := keys(t)
		ten(t, d)
		before := checkpoint(t, d)
		cut := d.Clock.Now()
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			tx.Now = cut.Add(time.Hour)
			return audit.Record(ctx, tx, entered(bayside, pat))
		})
		var removed int64
		do(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
			removed, err = audit.Prune(ctx, tx, chainOf(bayside), cut.Add(time.Minute), by)
			return err
		})
		if removed != 10 {
			t.Fatalf("removed %d", removed)
		}
		var found []audit.Finding
		if _, err := audit.VerifySigned(t.Context(), d, key, &before, watch(&found)); err != nil {
			t.Fatal(err)
		}
		green(t, found)
		found = nil
		if _, err := audit.VerifySigned(t.Context(), d, other, nil, watch(&found)); err != nil {
			t.Fatal(err)
		}
		says(t, found, chainOf(bayside), -1, "is not signed by the key")

		lines := exported(t, d, by)
		green(t, fileVerified(t, lines, key, nil))
		says(t, fileVerified(t, lines, other, nil), chainOf(bayside), -1, "is not signed by the key")
		green(t, fileVerified(t, lines, key, &before)) // it has the ten that the base stands for
		early := audit.Heads{Chains: []audit.Head{{Chain: chainOf(bayside), Size: 9}}}
		says(t, fileVerified(t, lines, key, &early), chainOf(bayside), -1, "begins after the 9 events of the checkpoint")
		changed := audit.Heads{Chains: []audit.Head{{Chain: chainOf(bayside), Size: 10}}}
		says(t, fileVerified(t, lines, key, &changed), chainOf(bayside), -1, "not the one of the checkpoint")
		lines[0] = strings.Replace(lines[0], `"size":10`, `"size":9`, 1)
		says(t, fileVerified(t, lines, key, nil), chainOf(bayside), -1, "is not what was signed")
	})
}

func TestACheckpointIsFoundInTheTextOfAMail(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	by, key := keys(t)
	ten(t, d)
	msg, size, err := audit.SiteCheckpoint(t.Context(), d, d.Clock.Now(), bayside, by)
	if err != nil || size != 10 {
		t.Fatal(size, err)
	}
	mail := append([]byte("Hello Pat,\n\nMon 30 Nov\n\n"), bytes.TrimSuffix(msg, []byte("\n"))...)
	found := audit.FindCheckpoints(append(mail, "\n\nKeep this mail.\n"...))
	if len(found) != 1 {
		t.Fatalf("found %d", len(found))
	}
	if h, err := audit.OpenCheckpoint(found[0], key); err != nil || len(h.Chains) != 1 || h.Chains[0].Size != 10 {
		t.Errorf("%+v, %v", h, err)
	}
}
