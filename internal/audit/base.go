package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// baseTitle is the first line of a base, and names its form. It is not that of a
// checkpoint: a checkpoint that was once given away must not do for a base, or whoever has
// the database alone could cut off all that was before it.
const baseTitle = "keyturn audit base 1"

// base is where a chain begins after events past their keeping time were removed: how
// many, and the hashes that the tree goes on from. The note signs both.
type base struct {
	Chain string      `json:"chain"`
	Size  int64       `json:"size"`
	Edge  []tlog.Hash `json:"edge"` // from the largest whole subtree to the smallest
	Note  string      `json:"note"`
}

// prunedMost bounds what one transaction removes of a chain.
const prunedMost = 1000

// Prune removes the oldest events of a chain, those before a moment, a thousand at most,
// and says how many. What they were stays in the tree: a signed base takes their place,
// and what is left is verified as before. The newest event always stays. One event tells
// of it, in the same chain if that is a site's, else in the chain of the house.
func Prune(ctx context.Context, tx *db.Tx, chain string, before time.Time, by note.Signer) (removed int64, err error) {
	e, err := extentOf(ctx, tx, chain)
	if err != nil {
		return 0, fmt.Errorf("prune a chain: %w", err)
	}
	to, err := firstSince(ctx, tx, chain, before, e.size-1)
	if err != nil {
		return 0, fmt.Errorf("prune a chain: %w", err)
	}
	to = min(to, e.base+prunedMost)
	if e.size < 0 || to <= e.base {
		return 0, nil
	}
	b := base{Chain: chain, Size: to}
	if b.Edge, err = edgeOf(ctx, tx, chain, to); err != nil {
		return 0, fmt.Errorf("prune a chain: %w", err)
	}
	if b.Note, err = b.sign(tx.Now, by); err != nil {
		return 0, err
	}
	if err := rebase(ctx, tx, b, e.base); err != nil {
		return 0, fmt.Errorf("prune a chain: %w", err)
	}
	removed = to - e.base
	event := Event{
		Kind: AuditPruned, Actor: Actor{Kind: ActorSystem, ID: "trail"},
		Facts: map[string]string{"events": fmt.Sprint(removed), "chain": chain, "before": before.UTC().Format(time.RFC3339)},
	}
	if site, ok := strings.CutPrefix(chain, "site:"); ok {
		event.Site = id.Site(site)
	}
	return removed, Record(ctx, tx, event)
}

// Prunable are chains whose oldest event was before a moment, in the order of their names,
// limit at most.
func Prunable(ctx context.Context, from db.Reader, before time.Time, limit int) ([]string, error) {
	all, err := chainsBefore(ctx, from, before, limit)
	if err != nil {
		return nil, fmt.Errorf("look for events past their keeping time: %w", err)
	}
	return all, nil
}

// edgeOf reads the whole subtrees of the first so many events of a chain.
func edgeOf(ctx context.Context, from db.Reader, chain string, size int64) ([]tlog.Hash, error) {
	var at []int64
	for level := 62; level >= 0; level-- {
		if size>>level&1 == 1 {
			at = append(at, tlog.StoredHashIndex(level, size>>level-1))
		}
	}
	return hashReader(ctx, from, chain).ReadHashes(at)
}

// grown is the edge as a tree grows on from it. ok is false where the hashes are not as
// many as the size needs.
func (b base) grown() (e edge, ok bool) {
	e = edge{size: b.Size}
	rest := b.Edge
	for level := 62; level >= 0; level-- {
		if b.Size>>level&1 == 0 {
			continue
		}
		if len(rest) == 0 {
			return e, false
		}
		if e.left == nil {
			e.left = make([]tlog.Hash, level+1)
		}
		e.left[level], rest = rest[0], rest[1:]
	}
	return e, len(rest) == 0 && b.Size > 0 && b.Size < farthest
}

// kept is the edge as a link remembers it.
func (e edge) kept() []*tlog.Hash {
	all := make([]*tlog.Hash, len(e.left))
	for level := range e.left {
		if e.size>>level&1 == 1 {
			all[level] = &e.left[level]
		}
	}
	return all
}

func (b base) text(origin string, at time.Time) (string, error) {
	e, ok := b.grown()
	if !ok {
		return "", errors.New("the hashes of a chain's base do not fit its size")
	}
	return fmt.Sprintf("%s\norigin %s\nat %s\n%s %d %s\n", baseTitle, origin, at.UTC().Format(time.RFC3339Nano), b.Chain, b.Size, e.root()), nil
}

func (b base) sign(at time.Time, by note.Signer) (string, error) {
	text, err := b.text(by.Name(), at)
	if err != nil {
		return "", err
	}
	msg, err := note.Sign(&note.Note{Text: text}, by)
	if err != nil {
		return "", fmt.Errorf("sign a chain's base: %w", err)
	}
	return string(msg), nil
}

// wrong says what is the matter with a base; empty if it holds. Without a key the
// signature is not looked at, and all else is.
func (b base) wrong(key note.Verifier) string {
	e, ok := b.grown()
	if !ok {
		return "the hashes at the base do not fit its size"
	}
	text, _, _ := strings.Cut(b.Note, "\n\n")
	if key != nil {
		n, err := openNote([]byte(b.Note), key)
		if err != nil {
			return fmt.Sprintf("that events below %d were removed on purpose is not signed by the key %s", b.Size, key.Name())
		}
		text = n.Text
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 4 || lines[0] != baseTitle || lines[3] != fmt.Sprintf("%s %d %s", b.Chain, b.Size, e.root()) {
		return fmt.Sprintf("that events below %d were removed on purpose is not what was signed", b.Size)
	}
	return ""
}

// baseOf is where a chain begins; the zero base for one from which nothing was removed.
func baseOf(ctx context.Context, from db.Reader, chain string) (base, error) {
	b, err := readBase(ctx, from, chain)
	if errors.Is(err, fault.NotFound) {
		return base{}, nil
	}
	return b, err
}

func scanBase(r db.Row) (b base, err error) {
	var edge string
	if err = r.Scan(&b.Chain, &b.Size, &edge, &b.Note); err != nil {
		return b, err
	}
	if json.Unmarshal([]byte(edge), &b.Edge) != nil {
		b.Edge = nil // what cannot be read fits no size, and is found by that
	}
	return b, nil
}
