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

func record(tb testing.TB, d *db.DB, events ...audit.Event) {
	tb.Helper()
	do(tb, d, func(ctx context.Context, tx *db.Tx) error {
		for _, e := range events {
			if err := audit.Record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func do(tb testing.TB, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) {
	tb.Helper()
	if err := d.Do(tb.Context(), func(tx *db.Tx) error { return fn(tb.Context(), tx) }); err != nil {
		tb.Fatal(err)
	}
}

// unguarded takes the triggers away, as somebody with rights on the database can.
func unguarded(tb testing.TB, d *db.DB) {
	tb.Helper()
	if d.Engine() == db.Postgres {
		raw(tb, d, `DROP TRIGGER audit_events_append_only ON audit_events`)
		return
	}
	raw(tb, d, `DROP TRIGGER audit_events_no_change`)
	raw(tb, d, `DROP TRIGGER audit_events_no_removal`)
}

func raw(tb testing.TB, d *db.DB, statement string, args ...any) {
	tb.Helper()
	do(tb, d, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
}

func count(tb testing.TB, d *db.DB, query string, args ...any) int64 {
	tb.Helper()
	n, err := db.One(tb.Context(), d, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, query, args...)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// verified are the findings of a verification.
func verified(tb testing.TB, d *db.DB) (found []audit.Finding) {
	tb.Helper()
	_, err := audit.Verify(tb.Context(), d, watch(&found))
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

func verifiedAgainst(tb testing.TB, d *db.DB, then audit.Heads) (found []audit.Finding) {
	tb.Helper()
	if _, err := audit.VerifyAgainst(tb.Context(), d, then, watch(&found)); err != nil {
		tb.Fatal(err)
	}
	return found
}

func watch(found *[]audit.Finding) audit.Watch {
	return audit.Watch{Found: func(f audit.Finding) { *found = append(*found, f) }}
}

func green(tb testing.TB, found []audit.Finding) {
	tb.Helper()
	if len(found) > 0 {
		tb.Errorf("found %v", found)
	}
}

func keys(tb testing.TB) (note.Signer, note.Verifier) {
	tb.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "audit.keyturn.example")
	if err != nil {
		tb.Fatal(err)
	}
	by, err := note.NewSigner(secret)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := note.NewVerifier(public)
	if err != nil {
		tb.Fatal(err)
	}
	return by, key
}

// checkpoint makes one and opens it.
func checkpoint(tb testing.TB, d *db.DB) audit.Heads {
	tb.Helper()
	by, key := keys(tb)
	msg, err := audit.Checkpoint(tb.Context(), d, by)
	if err != nil {
		tb.Fatal(err)
	}
	h, err := audit.OpenCheckpoint(msg, key)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func chainOf(site id.Site) string { return "site:" + string(site) }

// says asserts that some finding is at the place and has the words.
func says(tb testing.TB, found []audit.Finding, chain string, seq int64, words string) {
	tb.Helper()
	for _, f := range found {
		if f.Chain == chain && f.Seq == seq && strings.Contains(f.What, words) {
			return
		}
	}
	tb.Errorf("nothing says %q of event %d in %s: %v", words, seq, chain, found)
}

func erasing(user id.User) func(context.Context, *db.Tx) error {
	return func(ctx context.Context, tx *db.Tx) error {
		return audit.Erase(ctx, tx, audit.Actor{Kind: audit.ActorCommand, ID: "erase"}, user)
	}
}
