package audit_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

const (
	bayside = id.Site("0198f0a0-0000-7000-8000-00000000000a")
	twin    = id.Site("0198f0a0-0000-7000-8000-00000000000b") // of the same name
	pat     = id.User("0198f0a0-0000-7000-8000-0000000000a1")
	kim     = id.User("0198f0a0-0000-7000-8000-0000000000a2")
)

func entered(site id.Site, user id.User) audit.Event {
	return audit.Event{
		Kind:     audit.SiteEntered,
		Actor:    audit.Actor{Kind: audit.ActorUser, ID: string(user), Network: "203.0.113.7", Agent: "Firefox"},
		Site:     site,
		User:     user,
		Facts:    map[string]string{"way": "email", "client": "web"},
		Personal: map[string]string{"address": "pat@bayside.example"},
	}
}

func record(t testing.TB, d *db.DB, events ...audit.Event) {
	t.Helper()
	do(t, d, func(ctx context.Context, tx *db.Tx) error {
		for _, e := range events {
			if err := audit.Record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func do(t testing.TB, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := d.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// unguarded takes the triggers away, as somebody with rights on the database can.
func unguarded(t testing.TB, d *db.DB) {
	t.Helper()
	if d.Engine() == db.Postgres {
		raw(t, d, `DROP TRIGGER audit_events_append_only ON audit_events`)
		return
	}
	raw(t, d, `DROP TRIGGER audit_events_no_change`)
	raw(t, d, `DROP TRIGGER audit_events_no_removal`)
}

func raw(t testing.TB, d *db.DB, statement string, args ...any) {
	t.Helper()
	do(t, d, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
}

func count(t testing.TB, d *db.DB, query string, args ...any) int64 {
	t.Helper()
	n, err := db.One(t.Context(), d, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// verified are the findings of a verification.
func verified(t testing.TB, d *db.DB) (found []audit.Finding) {
	t.Helper()
	_, err := audit.Verify(t.Context(), d, watch(&found))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func verifiedAgainst(t testing.TB, d *db.DB, then audit.Heads) (found []audit.Finding) {
	t.Helper()
	if _, err := audit.VerifyAgainst(t.Context(), d, then, watch(&found)); err != nil {
		t.Fatal(err)
	}
	return found
}

func watch(found *[]audit.Finding) audit.Watch {
	return audit.Watch{Found: func(f audit.Finding) { *found = append(*found, f) }}
}

func green(t testing.TB, found []audit.Finding) {
	t.Helper()
	if len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "audit.keyturn.example")
	if err != nil {
		t.Fatal(err)
	}
	by, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return by, key
}

// checkpoint makes one and opens it.
func checkpoint(t testing.TB, d *db.DB) audit.Heads {
	t.Helper()
	by, key := keys(t)
	msg, err := audit.Checkpoint(t.Context(), d, by)
	if err != nil {
		t.Fatal(err)
	}
	h, err := audit.OpenCheckpoint(msg, key)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func chainOf(site id.Site) string { return "site:" + string(site) }

// says asserts that some finding is at the place and has the words.
func says(t testing.TB, found []audit.Finding, chain string, seq int64, words string) {
	t.Helper()
	for _, f := range found {
		if f.Chain == chain && f.Seq == seq && strings.Contains(f.What, words) {
			return
		}
	}
	t.Errorf("nothing says %q of event %d in %s: %v", words, seq, chain, found)
}

func erasing(user id.User) func(context.Context, *db.Tx) error {
	return func(ctx context.Context, tx *db.Tx) error {
		return audit.Erase(ctx, tx, audit.Actor{Kind: audit.ActorCommand, ID: "erase"}, user)
	}
}
