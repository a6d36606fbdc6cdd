package method_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/method"
	"keyturn/internal/secret"
)

// second runs a try twice so that both read before either is written: the second begins
// while the first is not committed, and is waiting for it when it commits. Only an engine
// with several writers can do that.
func (w *world) second(t *testing.T, try func(ctx context.Context, tx *db.Tx) (bool, error)) (first, second bool) {
	t.Helper()
	do := func(ok *bool, then func()) error {
		return w.db.Do(t.Context(), func(tx *db.Tx) (err error) {
			if *ok, err = try(t.Context(), tx); err == nil && then != nil {
				then()
			}
			return err
		})
	}
	ended := make(chan error, 1)
	if err := do(&first, func() {
		go func() { ended <- do(&second, nil) }()
		w.somebodyWaits(t)
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return first, second
}

// somebodyWaits returns when a transaction of this database waits for another's row.
func (w *world) somebodyWaits(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `
			SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		if err != nil {
			t.Error(err)
			return
		}
		if n > 0 {
			return
		}
	}
	t.Error("nobody waits")
}

func TestWhoeverReadBeforeTheFirstWroteIsRefusedAllTheSame(t *testing.T) {
	t.Parallel()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: dbtest.Open(t, crowded(t, dbtest.Fresh(t, db.Postgres))), keys: keys}
	w.pat, w.twn = w.person(t, "bayside"), w.person(t, "bayview")
	_, s := w.linkTOTP(t, w.pat)
	_, codes := w.makeRecovery(t, w.pat)
	p := w.passkeys(t)
	f, _ := w.addPasskey(t, w.pat)
	f.key.Counter = 1 // two copies of one authenticator, each with a ceremony of its own
	var tokens, signed []string
	for range 2 {
		token, options := w.beginUse(t, w.pat.ID)
		tokens, signed = append(tokens, token), append(signed, f.signs(t, options))
	}
	synced, _ := w.addPasskey(t, w.pat) // counts nothing, so that the ceremony alone can tell
	single, options := w.beginUse(t, "")
	once := synced.signs(t, options)
	digits := codeAt(t, s, w.db.Clock.Now())
	n := 0
	for _, each := range []struct {
		name string
		try  func(ctx context.Context, tx *db.Tx) (bool, error)
	}{
		{"a code of an authenticator", func(ctx context.Context, tx *db.Tx) (bool, error) {
			_, ok, err := method.TryTOTP(ctx, tx, w.keys, w.pat.ID, digits)
			return ok, err
		}},
		{"a recovery code", func(ctx context.Context, tx *db.Tx) (bool, error) {
			_, _, ok, err := method.TryRecovery(ctx, tx, w.keys, w.pat.ID, codes[0])
			return ok, err
		}},
		{"a copied passkey", func(ctx context.Context, tx *db.Tx) (bool, error) {
			i := n
			n++
			_, _, ok, err := p.FinishUse(ctx, tx, w.pat.ID, tokens[i], signed[i])
			return ok, err
		}},
		{"a ceremony", func(ctx context.Context, tx *db.Tx) (bool, error) {
			_, _, ok, err := p.FinishUse(ctx, tx, "", single, once)
			return ok, err
		}},
	} {
		if first, second := w.second(t, each.try); !first || second {
			t.Errorf("%s: %v, then %v", each.name, first, second)
		}
	}
}
