package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Head is where one chain stood.
type Head struct {
	Chain string    `json:"chain"`
	Size  int64     `json:"size"`
	Root  tlog.Hash `json:"root"`
}

// Heads is what a checkpoint says.
type Heads struct {
	// Origin is who signed it.
	Origin string
	At     time.Time
	Chains []Head
}

// byChain gathers the heads of each chain: several, where checkpoints of several days are
// held against a trail at once.
func (h Heads) byChain() map[string][]Head {
	all := make(map[string][]Head, len(h.Chains))
	for _, one := range h.Chains {
		all[one.Chain] = append(all[one.Chain], one)
	}
	return all
}

// title is a checkpoint's first line, and names its form.
const title = "keyturn audit checkpoint 1"

// Checkpoint signs where all chains stand now. It is a signed note
// (golang.org/x/mod/sumdb/note): a title, who and when, and a line for each chain with
// its name, its number of events and the root of its tree in base64. It is worth
// something only where the database's keeper cannot change it.
func Checkpoint(ctx context.Context, d *db.DB, by note.Signer) ([]byte, error) {
	chains, err := heads(ctx, d, "")
	if err != nil {
		return nil, fmt.Errorf("make a checkpoint: %w", err)
	}
	return sign(Heads{Origin: by.Name(), At: d.Clock.Now(), Chains: chains}, by)
}

// SiteCheckpoint signs where one site's chain stands now, and says how many events it
// has. It names no other chain. fault.NotFound for a site without events.
func SiteCheckpoint(ctx context.Context, from db.Reader, now time.Time, site id.Site, by note.Signer) (signed []byte, size int64, err error) {
	chains, err := heads(ctx, from, site)
	if err != nil {
		return nil, 0, fmt.Errorf("make a site's checkpoint: %w", err)
	}
	if len(chains) == 0 {
		return nil, 0, fmt.Errorf("make a site's checkpoint: %w", fault.NotFound)
	}
	signed, err = sign(Heads{Origin: by.Name(), At: now, Chains: chains}, by)
	return signed, chains[0].Size, err
}

func sign(h Heads, by note.Signer) ([]byte, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\norigin %s\nat %s\n", title, h.Origin, h.At.UTC().Format(time.RFC3339Nano))
	for _, c := range h.Chains {
		fmt.Fprintf(&text, "%s %d %s\n", c.Chain, c.Size, c.Root)
	}
	msg, err := note.Sign(&note.Note{Text: text.String()}, by)
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return msg, nil
}

// OpenCheckpoint reads a checkpoint that the key has signed. Anything else is
// fault.Invalid.
func OpenCheckpoint(msg []byte, key note.Verifier) (Heads, error) {
	n, err := openNote(msg, key)
	if err != nil {
		return Heads{}, fmt.Errorf("the checkpoint is not signed by the key %s: %w: %w", key.Name(), fault.Invalid, err)
	}
	lines := strings.Split(strings.TrimSuffix(n.Text, "\n"), "\n")
	if len(lines) < 3 || lines[0] != title {
		return Heads{}, fmt.Errorf("the signed text is not a checkpoint: %w", fault.Invalid)
	}
	h := Heads{Origin: strings.TrimPrefix(lines[1], "origin ")}
	if h.At, err = time.Parse(time.RFC3339Nano, strings.TrimPrefix(lines[2], "at ")); err != nil {
		return Heads{}, fmt.Errorf("the checkpoint's time cannot be read: %w", fault.Invalid)
	}
	for i, line := range lines[3:] {
		c, err := parseHead(line)
		if err != nil {
			return Heads{}, fmt.Errorf("line %d of the checkpoint cannot be read: %w", i+4, fault.Invalid)
		}
		h.Chains = append(h.Chains, c)
	}
	return h, nil
}

// openNote is note.Open for one key that takes one spelling of the signature only.
func openNote(msg []byte, key note.Verifier) (*note.Note, error) {
	n, err := note.Open(msg, note.VerifierList(key))
	if err != nil {
		return nil, err
	}
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// FindCheckpoints finds the checkpoints that stand in a longer text, such as that of a
// mail, each from its title to its last signature.
func FindCheckpoints(text []byte) (found [][]byte) {
	var now []byte
	signed := false
	for line := range bytes.Lines(text) {
		switch bare := bytes.TrimRight(line, " \n"); {
		case string(bare) == title:
			now, signed = append([]byte(nil), title...), false
			now = append(now, '\n')
			continue
		case now == nil:
			continue
		case signed && !bytes.HasPrefix(bare, []byte(signature)):
			found, now = append(found, now), nil
			continue
		default:
			signed = signed || bytes.HasPrefix(bare, []byte(signature))
			now = append(append(now, bare...), '\n')
		}
	}
	if now != nil {
		found = append(found, now)
	}
	return found
}

// signature begins the line of a signature in a signed note.
const signature = "\u2014 "

func parseHead(line string) (Head, error) {
	words := strings.Split(line, " ")
	if len(words) != 3 {
		return Head{}, fault.Invalid
	}
	size, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || size < 0 {
		return Head{}, fault.Invalid
	}
	root, err := tlog.ParseHash(words[2])
	return Head{Chain: words[0], Size: size, Root: root}, err
}

// heads reads where the chains stand: that of one site, or all in the order of their
// names. The roots come from the stored hashes.
func heads(ctx context.Context, from db.Reader, site id.Site) ([]Head, error) {
	if site != "" {
		one, err := sizeOf(ctx, from, chainOf(site, ""))
		if err != nil {
			return nil, err
		}
		return one, rooted(ctx, from, one)
	}
	var all []Head
	for after := ""; ; after = all[len(all)-1].Chain {
		page, err := sizes(ctx, from, after)
		if err != nil || len(page) == 0 {
			return all, err
		}
		if err := rooted(ctx, from, page); err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
}

func rooted(ctx context.Context, from db.Reader, page []Head) error {
	for i, h := range page {
		if h.Size < 0 || h.Size > farthest || h.Chain == "" || strings.ContainsFunc(h.Chain, obeyedOrSpace) {
			return fmt.Errorf("the head of the chain %q is damaged: verify the trail", h.Chain)
		}
		root, err := tlog.TreeHash(h.Size, hashReader(ctx, from, h.Chain))
		if err != nil {
			return err
		}
		page[i].Root = root
	}
	return nil
}

func obeyedOrSpace(r rune) bool { return r == ' ' || obeyed(r) }
