package audit

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// walkOf is how many places of a chain one statement looks at.
const walkOf = 2000

// Walk hands over the events of one kind at a site, the oldest first, from a time on and
// before another. It holds a few at a time, and leaves out what is personal. What each
// returns ends it.
func Walk(ctx context.Context, from db.Reader, site id.Site, kind Kind, since, until time.Time, each func(Entry) error) error {
	chain := chainOf(site, "")
	e, err := extentOf(ctx, from, chain)
	if err != nil {
		return fmt.Errorf("walk a chain: %w", err)
	}
	for lo := max(e.first, 0); lo < e.size; lo += walkOf {
		rows, err := walked(ctx, from, chain, kind, lo, since.UnixMicro(), until.UnixMicro())
		if err != nil {
			return fmt.Errorf("walk a chain: %w", err)
		}
		for _, r := range rows {
			one, err := r.entry(nil)
			if err != nil {
				return fmt.Errorf("walk a chain: %s, event %d: %w", chain, r.seq, err)
			}
			if err := each(one); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckpointIn is Checkpoint of a snapshot: where the chains of some sites stood at its
// moment, or all chains where no site is named. It names no other chain. A site without
// events has none.
func CheckpointIn(ctx context.Context, from db.Reader, now time.Time, sites []id.Site, by note.Signer) ([]byte, error) {
	if len(sites) == 0 {
		sites = []id.Site{""}
	}
	var chains []Head
	for _, at := range sites {
		some, err := heads(ctx, from, at)
		if err != nil {
			return nil, fmt.Errorf("make a checkpoint: %w", err)
		}
		chains = append(chains, some...)
	}
	return sign(Heads{Origin: by.Name(), At: now, Chains: chains}, by)
}

// OpenNote reads a text that the key has signed, in the one spelling of the signature. It
// is for other signed papers than checkpoints; each begins with a title of its own, so that
// none is taken for another.
func OpenNote(msg []byte, key note.Verifier) (string, error) {
	n, err := openNote(msg, key)
	if err != nil {
		return "", err
	}
	return n.Text, nil
}
