package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"keyturn/internal/db"
	"keyturn/internal/fault"
)

// kept is one line of a file of checkpoints.
type kept struct {
	Day        string `json:"day"`
	Checkpoint string `json:"checkpoint"`
}

// keep writes what is not yet written into the folder: a file for each site, a line for
// each day. A node that has no folder leaves it to one that has.
func (d *Desk) keep(ctx context.Context, limit int) error {
	if d.Folder == "" {
		return nil
	}
	all, err := unkept(ctx, d.DB, limit)
	if err != nil {
		return fmt.Errorf("look for checkpoints to keep: %w", err)
	}
	var failed error
	for _, c := range all {
		failed = errors.Join(failed, d.keepOne(ctx, c)) // one site's file holds up no other's
	}
	return failed
}

func (d *Desk) keepOne(ctx context.Context, c Checkpoint) error {
	if err := d.write(c); err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	err := d.DB.Do(ctx, func(tx *db.Tx) error { return keep(ctx, tx, c) })
	if err != nil && !errors.Is(err, fault.Conflict) { // another node was quicker, with the same line
		return fmt.Errorf("note that a checkpoint is kept: %w", err)
	}
	return nil
}

// write adds a checkpoint's line to its site's file, unless it is there: whoever was killed
// between the file and the database does it again. It is on the disk when write is done.
func (d *Desk) write(c Checkpoint) error {
	line, err := json.Marshal(kept{c.Day, c.Note})
	if err != nil {
		return fmt.Errorf("write the line: %w", err)
	}
	line = append(line, '\n')
	// A site's id is made here and is letters, digits and dashes.
	path := filepath.Join(d.Folder, string(c.Site)+".jsonl")
	before, err := os.ReadFile(path) //nolint:gosec // the folder is the operator's
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the file: %w", err)
	}
	if bytes.Contains(before, line) {
		return nil
	}
	if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		line = append([]byte("\n"), line...) // a line that was cut short stays by itself
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	_, err = f.Write(line)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	return nil
}
