package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/fault"
)

// Row is what a scan function reads one row from.
type Row interface {
	Scan(dest ...any) error
}

// Reader runs queries: a transaction, or the database itself for reads that need none.
type Reader interface {
	query(ctx context.Context, text string, args []any) (*sql.Rows, error)
}

// Tx is one transaction. Its time is read once, when it begins, so that everything
// that one change writes carries the same moment.
type Tx struct {
	// Now is the transaction's moment, in whole microseconds, UTC.
	Now time.Time

	tx   *sql.Tx
	last map[string]func(context.Context) error
}

// SQL is the standard library's transaction below, for libraries that put their own
// rows into it (the job queue). Features use Tx.
func (tx *Tx) SQL() *sql.Tx { return tx.tx }

// Do runs fn in one transaction: all of it is written, or nothing. fn may be run
// again when the engine asks for it (a deadlock), so it assigns results and adds
// nothing to them. fn must not call Do, nor wait for anything but the database.
//
// A storage that is locked, full or gone is fault.Busy.
func (d *DB) Do(ctx context.Context, fn func(tx *Tx) error) error {
	return d.DoWithin(ctx, lockWait+lockWait/4, fn)
}

// DoWithin is Do for what nobody waits for and that writes many rows: the transaction
// may live that long, its waiting included.
func (d *DB) DoWithin(ctx context.Context, limit time.Duration, fn func(tx *Tx) error) error {
	const tries = 4
	var err error
	for range tries {
		if err = d.once(ctx, limit, fn); !again(err) {
			break
		}
	}
	return mind(err)
}

func (d *DB) once(ctx context.Context, limit time.Duration, fn func(tx *Tx) error) error {
	// The whole transaction lives that long at most, its waiting included: what hangs must
	// not hold a row for others.
	begin, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	raw, err := d.write.BeginTx(begin, nil)
	if err != nil {
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return &fault.Wait{For: time.Second, Err: fmt.Errorf("begin: %w", err)}
		}
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{Now: d.Clock.Now(), tx: raw}
	defer func() { _ = raw.Rollback() }() // after Commit it does nothing
	// When its time is over that is so, whatever the driver calls it.
	return late(ctx, begin, tx.run(ctx, fn))
}

func (tx *Tx) run(ctx context.Context, fn func(tx *Tx) error) error {
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.runLast(ctx); err != nil {
		return err
	}
	if err := tx.tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Last has fn run at the end of the transaction, once per key, in the order of the
// keys. It is for rows that many transactions want (the heads of audit chains, shared
// budgets): taken last they are held shortest, and in one order they cannot deadlock.
func (tx *Tx) Last(key string, fn func(context.Context) error) {
	if tx.last == nil {
		tx.last = make(map[string]func(context.Context) error)
	}
	tx.last[key] = fn
}

func (tx *Tx) runLast(ctx context.Context) error {
	keys := make([]string, 0, len(tx.last))
	for key := range tx.last {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := tx.last[key](ctx); err != nil {
			return err
		}
	}
	return nil
}

// One reads the one row that the query names; fault.NotFound if there is none.
func One[T any](ctx context.Context, from Reader, scan func(Row) (T, error), text string, args ...any) (T, error) {
	var none T
	all, err := read(ctx, from, scan, 1, text, args)
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		return none, fault.NotFound
	}
	return all[0], nil
}

// Many reads all rows of the query, which must be bounded by its own LIMIT or by the
// nature of the thing (the memberships of one user).
func Many[T any](ctx context.Context, from Reader, scan func(Row) (T, error), text string, args ...any) ([]T, error) {
	return read(ctx, from, scan, 0, text, args)
}

// read reads at most rows, or all for 0. A storage that does not answer in time is
// fault.Busy: nobody waits for it without an end.
func read[T any](ctx context.Context, from Reader, scan func(Row) (T, error), most int, text string, args []any) (all []T, err error) {
	bounded, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	defer func() { err = late(ctx, bounded, err) }()
	rows, err := from.query(bounded, text, args)
	if err != nil {
		return nil, mind(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		if all = append(all, one); len(all) == most {
			break
		}
	}
	if err := rows.Close(); err != nil {
		return nil, mind(err)
	}
	return all, mind(rows.Err())
}

// late says that the time of a bounded context was over, and not that of whoever asked.
func late(ctx, bounded context.Context, err error) error {
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return &fault.Wait{For: time.Second, Err: err}
	}
	return err
}

// Exec runs a statement and says how many rows it changed. A row that a unique rule
// refuses is fault.Conflict.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	bounded, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	res, err := tx.tx.ExecContext(bounded, text, args...)
	if err != nil {
		if err := late(ctx, bounded, err); errors.Is(err, fault.Busy) {
			return 0, err
		}
		if isTaken(err) {
			return 0, fmt.Errorf("%w: %w", fault.Conflict, err)
		}
		return 0, mind(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("count changed rows: %w", err)
	}
	return n, nil
}

// Change runs a statement that must change exactly one row: the row is in the state
// that the statement names, or somebody else was first and it is fault.Conflict.
func (tx *Tx) Change(ctx context.Context, text string, args ...any) error {
	n, err := tx.Exec(ctx, text, args...)
	if err != nil {
		return err
	}
	if n != 1 {
		return fault.Conflict
	}
	return nil
}

func (tx *Tx) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	return tx.tx.QueryContext(ctx, text, args...)
}

func (d *DB) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	return d.read.QueryContext(ctx, text, args...)
}

// Stamp is a time as it is stored: microseconds since 1970, NULL for the zero time.
func Stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// When scans a stored time into t; NULL becomes the zero time.
func When(t *time.Time) sql.Scanner { return stamp{t} }

type stamp struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s stamp) Scan(src any) error {
	var n sql.NullInt64
	if err := n.Scan(src); err != nil {
		return fmt.Errorf("a stored time: %w", err)
	}
	*s.t = time.Time{}
	if n.Valid {
		*s.t = time.UnixMicro(n.Int64).UTC()
	}
	return nil
}
