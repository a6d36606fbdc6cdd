package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

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
	text := append([]byte(`{"body":`), r.body...)
	text = append(text, `,"hashes":[`...)
	for i := range 1 + ones(seq) {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendText(text, s.hashes[tlog.StoredHashIndex(0, seq)+int64(i)].String())
	}
	text = append(text, `],"personal":{`...)
	for i, v := range s.personal[seq] {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendText(text, v.field)
		text = append(text, ':')
		text = appendMap(text, map[string]string{"salt": v.Salt, "value": v.Value})
	}
	_, err := out.Write(append(text, "}}\n"...))
	return err
}
