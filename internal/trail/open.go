package trail

import (
	"bytes"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/audit"
	"keyturn/internal/fault"
)

// Open reads checkpoints that were kept elsewhere, in each form in which people have them:
// as the command printed it, as the text of a mail with one or several, and as a file of
// the folder, of whose every line the trail must be a continuation. Each must be signed by
// the key; anything else is fault.Invalid.
func Open(text []byte, key note.Verifier) (audit.Heads, error) {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	var notes [][]byte
	for line := range bytes.Lines(text) {
		var one kept
		if bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &one) == nil {
			notes = append(notes, []byte(one.Checkpoint))
		}
	}
	if notes == nil {
		notes = audit.FindCheckpoints(text)
	}
	var all audit.Heads
	for _, msg := range notes {
		one, err := audit.OpenCheckpoint(msg, key)
		if err != nil {
			return audit.Heads{}, err
		}
		one.Chains = append(all.Chains, one.Chains...)
		all = one
	}
	if len(notes) == 0 {
		return all, fmt.Errorf("there is no checkpoint in the file: %w", fault.Invalid)
	}
	return all, nil
}
