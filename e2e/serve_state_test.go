package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// clientOf opens a product's database with the database's own client, as somebody would who
// goes round the product. Only tests of just that use it.
func clientOf(t *testing.T, p *e2etest.Product) *sql.DB {
	t.Helper()
	driver, name := "pgx", p.Get("KEYTURN_DATABASE_URL")
	if path, ok := strings.CutPrefix(name, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	d, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// mustExec runs one statement that must succeed.
func mustExec(t *testing.T, d *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// dump is everything in the tables whose names a test wants, as text, a row a line.
func dump(t *testing.T, p *e2etest.Product, want func(table string) bool) string {
	t.Helper()
	d := clientOf(t, p)
	names := `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
	if !p.OnSQLite() {
		names = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name`
	}
	var out strings.Builder
	for _, row := range query(t, d, names) {
		table := fmt.Sprint(row[0])
		if !want(table) {
			continue
		}
		for _, r := range query(t, d, `SELECT * FROM "`+table+`"`) {
			out.WriteString(table)
			for _, v := range r {
				if b, ok := v.([]byte); ok {
					fmt.Fprintf(&out, " | %s %x", b, b)
					continue
				}
				fmt.Fprintf(&out, " | %v", v)
			}
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// filesOf are the bytes of the database's files, where it has any.
func filesOf(t *testing.T, p *e2etest.Product) string {
	t.Helper()
	path, ok := strings.CutPrefix(p.Get("KEYTURN_DATABASE_URL"), "sqlite:")
	if !ok {
		return ""
	}
	var all strings.Builder
	for _, end := range []string{"", "-wal", "-shm"} {
		raw, err := os.ReadFile(path + end)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}

func query(t *testing.T, d *sql.DB, text string) [][]any {
	t.Helper()
	all, err := scanned(t.Context(), d, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return all
}

func scanned(ctx context.Context, d *sql.DB, text string) (all [][]any, err error) {
	rows, err := d.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
