// Package dbtest gives every test a fresh database of its own, on both engines.
//
// PostgreSQL is a private cluster: the one that KEYTURN_TEST_POSTGRES names (the
// program dbtest/cluster starts one for a whole run), or one that the test process
// starts for itself. Where PostgreSQL is not installed its half is skipped, unless
// KEYTURN_TEST_REQUIRE is "all": then that is a failure.
package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver by which databases are made

	"keyturn/internal/db"
)

// Each runs a test on a fresh, migrated database of each engine.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		test(t, Open(t, rawURL))
	})
}

// EachURL is Each for tests that open the database themselves, several times or from
// another process.
func EachURL(t *testing.T, test func(t *testing.T, rawURL string)) {
	t.Helper()
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, Fresh(t, engine))
		})
	}
}

// Open opens the database for the length of the test.
func Open(t testing.TB, rawURL string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), rawURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// Fresh makes a migrated database that only this test uses, and gives its URL.
func Fresh(t testing.TB, engine db.Engine) string {
	t.Helper()
	if engine == db.SQLite {
		return freshFile(t)
	}
	return "postgres://" + strings.TrimPrefix(clone(t, template(t)), "postgres://")
}

// Empty makes a database with no tables.
func Empty(t testing.TB, engine db.Engine) string {
	t.Helper()
	if engine == db.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "keyturn.db")
	}
	return clone(t, "template0")
}

var fileTemplate = sync.OnceValues(func() ([]byte, error) {
	if given := os.Getenv(fileVariable); given != "" {
		return os.ReadFile(filepath.Clean(given))
	}
	return migratedFile()
})

func migratedFile() ([]byte, error) {
	dir, err := os.MkdirTemp("", "keyturn-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "keyturn.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Clean(path))
}

func freshFile(t testing.TB) string {
	t.Helper()
	raw, err := fileTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keyturn.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

func migrate(rawURL string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, rawURL)
	if err != nil {
		return err
	}
	_, err = d.Migrate(ctx)
	if shut := d.Close(); err == nil {
		err = shut
	}
	return err
}

var pgTemplate = sync.OnceValues(func() (string, error) {
	if given := os.Getenv(templateVariable); given != "" {
		return given, nil
	}
	server, err := Server()
	if err != nil {
		return "", err
	}
	return migratedTemplate(server)
})

func migratedTemplate(server string) (string, error) {
	name := "template_" + strings.ToLower(rand.Text())
	if err := create(server, name, "template0"); err != nil {
		return "", err
	}
	return name, migrate(at(server, name))
}

func template(t testing.TB) string {
	t.Helper()
	needServer(t)
	name, err := pgTemplate()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func clone(t testing.TB, from string) string {
	t.Helper()
	needServer(t)
	server, err := Server()
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	if err := create(server, name, from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run(server, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`)
	})
	return at(server, name)
}

// create copies a database file by file, which costs less than half of the other way,
// through the write-ahead log. A PostgreSQL before 15 knows this way alone, and has no
// word for it.
func create(server, name, from string) error {
	statement := fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`, name, from)
	err := run(server, statement+` STRATEGY FILE_COPY`)
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == syntaxError {
		return run(server, statement)
	}
	return err
}

// syntaxError is PostgreSQL's syntax_error: what an older one says of a newer word.
const syntaxError = "42601"

func run(server, statement string) error {
	d, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if _, err := d.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func at(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	u.Path = "/" + name
	return u.String()
}
