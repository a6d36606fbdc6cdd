package db

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"keyturn/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// metaOldestSchema names the row that holds the oldest schema number a release must
// know to use this database: a release whose newest migration is older refuses it.
const metaOldestSchema = "oldest_schema"

// Schema is how a database's tables stand to this release.
type Schema struct {
	// Has is the newest migration in the database, 0 for an empty one.
	Has int64
	// Knows is the newest migration of this release.
	Knows int64
	// Oldest is the oldest release's number that may use the database.
	Oldest int64
	// Jobs says whether the job queue's own tables are up to date.
	Jobs bool
}

// Pending says whether Migrate has something to do.
func (s Schema) Pending() bool { return s.Has < s.Knows || !s.Jobs }

// Schema reads how the tables stand, changing nothing.
func (d *DB) Schema(ctx context.Context) (Schema, error) {
	p, err := d.provider()
	if err != nil {
		return Schema{}, err
	}
	s := Schema{}
	for _, source := range p.ListSources() {
		s.Knows = max(s.Knows, source.Version)
	}
	there, err := d.hasTable(ctx, "meta")
	if err != nil || !there {
		return s, err
	}
	if s.Has, err = One(ctx, d, number, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`); err != nil {
		return s, fmt.Errorf("read the schema's number: %w", err)
	}
	oldest, err := Meta(ctx, d, metaOldestSchema)
	if err != nil {
		return s, fmt.Errorf("read the oldest release: %w", err)
	}
	if s.Oldest, err = strconv.ParseInt(oldest, 10, 64); err != nil {
		return s, fmt.Errorf("read the oldest release: %w", err)
	}
	s.Jobs, err = d.jobTables(ctx)
	return s, err
}

// Usable says whether this release may work on the database as it is: neither newer
// than the release understands, nor older than it needs. The sentence says what to do.
func (d *DB) Usable(ctx context.Context) error {
	s, err := d.Schema(ctx)
	if err != nil {
		return err
	}
	switch {
	case s.Oldest > s.Knows:
		return fmt.Errorf("the database was made by a newer release (it needs schema %d, this release knows %d); run that release, or restore a backup from before: %w", s.Oldest, s.Knows, fault.Invalid)
	case s.Has == 0:
		return fmt.Errorf("the database has no tables yet; run: keyturn migrate up: %w", fault.Invalid)
	case s.Pending():
		return fmt.Errorf("the database is at schema %d, this release needs %d; run: keyturn migrate up: %w", s.Has, s.Knows, fault.Invalid)
	default:
		return d.checkCollation(ctx)
	}
}

// Migrate brings the tables up to this release. Each step is a transaction of its
// own: one that was cut short is simply run again. It refuses a database that only a
// newer release may use.
func (d *DB) Migrate(ctx context.Context) (applied int, err error) {
	s, err := d.Schema(ctx)
	if err != nil {
		return 0, err
	}
	if s.Oldest > s.Knows {
		return 0, d.Usable(ctx)
	}
	if err := d.checkCollation(ctx); err != nil {
		return 0, err
	}
	p, err := d.provider()
	if err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", mind(err))
	}
	jobs, err := rivermigrate.New(d.JobDriver(), nil)
	if err != nil {
		return len(done), fmt.Errorf("migrate the job queue: %w", err)
	}
	more, err := jobs.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return len(done), fmt.Errorf("migrate the job queue: %w", mind(err))
	}
	return len(done) + len(more.Versions), nil
}

// JobDriver is the job queue's way into the database; the queue's rows are written in
// the transactions of this package.
func (d *DB) JobDriver() riverdriver.Driver[*sql.Tx] {
	if d.engine == Postgres {
		return riverdatabasesql.NewWithPgxListener(d.write, d.listen)
	}
	return riversqlite.New(d.write)
}

// Meta reads one fact of the whole database; fault.NotFound if it is not set.
func Meta(ctx context.Context, from Reader, name string) (string, error) {
	return One(ctx, from, func(r Row) (v string, err error) { return v, r.Scan(&v) },
		`SELECT value FROM meta WHERE name = $1`, name)
}

// SetMeta sets one fact of the whole database that is not set yet; fault.Conflict if
// it is.
func SetMeta(ctx context.Context, tx *Tx, name, value string) error {
	return tx.Change(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)`, name, value)
}

func (d *DB) provider() (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	dialect, other := goose.DialectSQLite3, ".postgres.sql"
	if d.engine == Postgres {
		dialect, other = goose.DialectPostgres, ".sqlite.sql"
	}
	names, err := fs.Glob(folder, "*"+other)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	options := []goose.ProviderOption{
		goose.WithExcludeNames(names), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
	}
	if d.engine == Postgres {
		// Two nodes may be told to migrate at once: the second waits and finds it done.
		one, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(one))
	}
	p, err := goose.NewProvider(dialect, d.write, folder, options...)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return p, nil
}

func (d *DB) hasTable(ctx context.Context, name string) (bool, error) {
	text := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if d.engine == Postgres {
		text = `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1`
	}
	n, err := One(ctx, d, number, text, name)
	return n > 0, err
}

func (d *DB) jobTables(ctx context.Context) (bool, error) {
	there, err := d.hasTable(ctx, "river_migration")
	if err != nil || !there {
		return false, err
	}
	jobs, err := rivermigrate.New(d.JobDriver(), nil)
	if err != nil {
		return false, fmt.Errorf("job queue's tables: %w", err)
	}
	has, err := jobs.ExistingVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("job queue's tables: %w", mind(err))
	}
	return len(has) >= len(jobs.AllVersions()), nil
}

// checkCollation refuses a PostgreSQL database that sorts by a language's rules: the
// same list would come in another order than on SQLite, and an upgrade of the system's
// libraries can then break an index.
func (d *DB) checkCollation(ctx context.Context) error {
	if d.engine != Postgres {
		return nil
	}
	got, err := One(ctx, d, func(r Row) (c string, err error) { return c, r.Scan(&c) },
		`SELECT datcollate FROM pg_database WHERE datname = current_database()`)
	if err != nil {
		return fmt.Errorf("read the collation: %w", err)
	}
	if got == "C" || got == "POSIX" || strings.HasPrefix(got, "C.") {
		return nil
	}
	return fmt.Errorf("the database's collation must be C; make it with: CREATE DATABASE keyturn TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8': %w", fault.Invalid)
}
