package job

import (
	"context"

	"keyturn/internal/db"
)

// release makes a job available again that a node was working on when it ended without
// a word. The queue itself would wait until the job's time is over.
func release(ctx context.Context, tx *db.Tx, which int64) error {
	_, err := tx.Exec(ctx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running'`, which)
	return err
}
