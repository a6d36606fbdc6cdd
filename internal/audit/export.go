package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// line is one line of an export: an event, or the end.
type line struct {
	// Body is canonical JSON. Its bytes are what is hashed.
	Body json.RawMessage `json:"body,omitempty"`
	// Hashes are those stored with the event: its own, then one for each subtree that
	// it completes.
	Hashes []tlog.Hash `json:"hashes,omitempty"`
	// Personal are the values that were not erased, by their fields.
	Personal map[string]sealed `json:"personal,omitempty"`
	// Base is in a line before the events of a chain whose oldest were removed.
	Base *base `json:"base,omitempty"`
	// End is in the last line only.
	End *trailer `json:"end,omitempty"`
}

type trailer struct {
	Heads      []Head `json:"heads"`
	Checkpoint string `json:"checkpoint"`
}

// Export writes a site's whole chain as JSON Lines, in its order, and nothing of any
// other. The last line says where the chain stood, signed unless by is nil, so that
// the file can be verified offline (VerifyFile).
func Export(ctx context.Context, d *db.DB, w io.Writer, site id.Site, by note.Signer) error {
	if site == "" {
		return fmt.Errorf("export the trail: a site must be named: %w", fault.Invalid)
	}
	return export(ctx, d, w, site, by)
}

// ExportAll is Export for every chain, one after the other.
func ExportAll(ctx context.Context, d *db.DB, w io.Writer, by note.Signer) error {
	return export(ctx, d, w, "", by)
}

func export(ctx context.Context, d *db.DB, w io.Writer, site id.Site, by note.Signer) error {
	chains, err := heads(ctx, d, site)
	if err != nil {
		return fmt.Errorf("export the trail: %w", err)
	}
	out := bufio.NewWriter(w)
	for _, h := range chains {
		first, err := writeBase(ctx, d, out, h.Chain)
		if err != nil {
			return fmt.Errorf("export the trail: %w", err)
		}
		for lo := first; lo < h.Size; lo += pageOf {
			s, err := spanOf(ctx, d, h.Chain, lo, min(lo+pageOf, h.Size))
			if err != nil {
				return fmt.Errorf("export the trail: %w", err)
			}
			for seq := lo; seq < min(lo+pageOf, h.Size); seq++ {
				if err := s.write(out, h.Chain, seq); err != nil {
					return fmt.Errorf("export the trail: %w", err)
				}
			}
		}
	}
	end := trailer{Heads: chains}
	if by != nil {
		signed, err := sign(Heads{Origin: by.Name(), At: d.Clock.Now(), Chains: chains}, by)
		if err != nil {
			return fmt.Errorf("export the trail: %w", err)
		}
		end.Checkpoint = string(signed)
	}
	if err := json.NewEncoder(out).Encode(line{End: &end}); err != nil {
		return fmt.Errorf("export the trail: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export the trail: %w", err)
	}
	return nil
}

// writeBase gives the beginning of a pruned chain its line, and says which event comes first.
func writeBase(ctx context.Context, from db.Reader, out *bufio.Writer, chain string) (first int64, err error) {
	b, err := baseOf(ctx, from, chain)
	if err != nil || b.Size == 0 {
		return 0, err
	}
	return b.Size, json.NewEncoder(out).Encode(line{Base: &b})
}

// write gives an event its line. The body goes out byte for byte, which an encoder of
// JSON would not promise.
func (s span) write(out *bufio.Writer, chain string, seq int64) error {
	r, ok := s.rows[seq]
	if !ok {
		return fmt.Errorf("the chain %q lacks event %d: verify the trail", chain, seq)
	}
	if _, err := decode(r.body); err != nil {
		return fmt.Errorf("the chain %q, event %d: verify the trail: %w", chain, seq, err)
	}
	hashes := make([]tlog.Hash, 0, 1+ones(seq))
	for i := range 1 + ones(seq) {
		hashes = append(hashes, s.hashes[tlog.StoredHashIndex(0, seq)+int64(i)])
	}
	values := make(map[string]sealed, len(s.personal[seq]))
	for _, v := range s.personal[seq] {
		values[v.field] = v.sealed
	}
	_, err := out.Write(append(eventLine(r.body, hashes, values), '\n'))
	return err
}

// eventLine spells an event's line: there is one spelling of it, by which a verifier finds
// any changed byte, also one that a lenient reader would not mind.
func eventLine(body string, hashes []tlog.Hash, values map[string]sealed) []byte {
	text := append([]byte(`{"body":`), body...)
	text = append(text, `,"hashes":[`...)
	for i, h := range hashes {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendText(text, h.String())
	}
	text = append(text, `],"personal":{`...)
	for i, field := range slices.Sorted(maps.Keys(values)) {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendText(text, field)
		text = append(text, ':')
		text = appendMap(text, map[string]string{"salt": values[field].Salt, "value": values[field].Value})
	}
	return append(text, "}}"...)
}

// spelled says whether a line is what an export writes, byte for byte.
func (l line) spelled(text []byte) bool {
	if l.Base == nil && l.End == nil {
		return bytes.Equal(text, eventLine(string(l.Body), l.Hashes, l.Personal))
	}
	own, err := json.Marshal(l)
	return err == nil && bytes.Equal(text, own)
}
