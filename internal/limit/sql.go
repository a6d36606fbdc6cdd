package limit

import (
	"context"
	"strconv"
	"strings"

	"keyturn/internal/db"
)

// stored is a row as it lies in the database.
type stored struct {
	key, uses string
	idleAt    int64 // when a sweep may drop it
}

func scan(r db.Row) (s stored, err error) { return s, r.Scan(&s.key, &s.uses) }

// lock takes the rows in the order of the keys, making those that are not there, and
// reads them. Nobody else gets past this statement for any of them until the
// transaction ends. A new row that gets no use is idle at once.
func lock(ctx context.Context, tx *db.Tx, keys []string, now int64) ([]stored, error) {
	args := []any{now}
	for _, key := range keys {
		args = append(args, key)
	}
	return db.Many(ctx, tx, scan, `
		INSERT INTO budgets (subject, uses, turn, idle_at)
		VALUES `+list(len(keys), func(i int) string { return "($" + strconv.Itoa(i+2) + ", '', 0, $1)" })+`
		ON CONFLICT (subject) DO UPDATE SET turn = budgets.turn + 1
		RETURNING subject, uses`, args...)
}

// look reads the rows that are there.
func look(ctx context.Context, from db.Reader, keys []string) ([]stored, error) {
	var args []any
	for _, key := range keys {
		args = append(args, key)
	}
	return db.Many(ctx, from, scan, `
		SELECT subject, uses
		  FROM budgets
		 WHERE subject IN (`+list(len(keys), func(i int) string { return "$" + strconv.Itoa(i+1) })+`)`, args...)
}

// save writes rows that lock has taken.
func save(ctx context.Context, tx *db.Tx, rows []stored) error {
	var args []any
	for _, r := range rows {
		args = append(args, r.key, r.uses, r.idleAt)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO budgets (subject, uses, turn, idle_at)
		VALUES `+list(len(rows), func(i int) string {
		return "($" + strconv.Itoa(3*i+1) + ", $" + strconv.Itoa(3*i+2) + ", 0, $" + strconv.Itoa(3*i+3) + ")"
	})+`
		ON CONFLICT (subject) DO UPDATE SET uses = excluded.uses, idle_at = excluded.idle_at`, args...)
	return err
}

// sweep names the moment twice: a row that was used while this waited for it is looked
// at again by the outer condition, and stays.
func sweep(ctx context.Context, tx *db.Tx, limit int) (int64, error) {
	return tx.Exec(ctx, `
		DELETE FROM budgets
		 WHERE idle_at <= $1
		   AND subject IN (SELECT subject FROM budgets WHERE idle_at <= $1 ORDER BY idle_at LIMIT $2)`,
		tx.Now.UnixMicro(), limit)
}

// list writes n items with commas between: places for values, never values.
func list(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, ", ")
}
