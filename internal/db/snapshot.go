package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Snapshot is the database as it was at one moment, to be read and never written, however
// long the reading takes and whatever is written meanwhile.
type Snapshot struct {
	// Now is that moment: what was committed before it is there. In whole microseconds, UTC.
	Now time.Time

	tx *sql.Tx
}

// Snapshot hands over the database as it is now. Nobody waits for it; each query is bounded
// as every other one is, the whole only by ctx. As long as it is open the engine keeps what
// is overwritten (SQLite in its WAL, PostgreSQL in its tables): nothing slow but reading is
// done in it. fn must not call Do, nor Snapshot.
func (d *DB) Snapshot(ctx context.Context, fn func(s *Snapshot) error) error {
	raw, err := d.read.BeginTx(ctx, d.oneMoment())
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", mind(err))
	}
	defer func() { _ = raw.Rollback() }() // nothing was written
	s := &Snapshot{tx: raw}
	// Either engine takes the moment with the first reading and not with the beginning.
	if _, err := One(ctx, s, number, `SELECT COUNT(*) FROM meta`); err != nil {
		return fmt.Errorf("take a snapshot: %w", err)
	}
	s.Now = d.Clock.Now()
	return fn(s)
}

// oneMoment is how an engine is asked for readings that agree with each other. SQLite's
// readers always do, on connections that cannot write.
func (d *DB) oneMoment() *sql.TxOptions {
	if d.engine == SQLite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (s *Snapshot) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, text, args...)
}
