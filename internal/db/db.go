package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"keyturn/internal/fault"
)

// Engine is which database is underneath.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// lockWait is how long a transaction waits for the storage before it gives up with
// fault.Busy. A person waits that long once, not twice.
const lockWait = 5 * time.Second

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	// Clock is the only source of time for everything that is written or decided.
	Clock *Clock

	engine  Engine
	write   *sql.DB
	read    *sql.DB
	pool    *pgxpool.Pool // PostgreSQL only
	listen  *pgxpool.Pool // PostgreSQL only: one connection for LISTEN
	measure func()        // stops the clock's measuring

	probing sync.Mutex
	probed  error // what the last write probe found
}

// Open opens the database that rawURL names: "sqlite:PATH" or "postgres://…". It
// makes an SQLite file that is not there, but never its tables: see Migrate.
//
// The clock starts at the database's own time where the database has one
// (PostgreSQL), and at the process's otherwise.
func Open(ctx context.Context, rawURL string) (*DB, error) {
	switch {
	case strings.HasPrefix(rawURL, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(rawURL, "sqlite:"))
	case strings.HasPrefix(rawURL, "postgres://"), strings.HasPrefix(rawURL, "postgresql://"):
		return openPostgres(ctx, rawURL)
	default:
		return nil, fmt.Errorf("the database URL must start with sqlite: or postgres://: %w", fault.Invalid)
	}
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.ContainsAny(path, "?#") {
		return nil, fmt.Errorf("the database URL must name a file, as in sqlite:/var/lib/keyturn/keyturn.db: %w", fault.Invalid)
	}
	if err := privateFile(path); err != nil {
		return nil, err
	}
	d := &DB{engine: SQLite, Clock: NewClock(), measure: func() {}}
	var err error
	// One writer, taken in the order of asking: SQLite allows no second one, and a
	// queue here is fairer than its busy handler, which lets the unlucky wait.
	if d.write, err = openFile(path, "immediate", false); err != nil {
		return nil, err
	}
	d.write.SetMaxOpenConns(1)
	d.write.SetMaxIdleConns(1)
	if err := d.write.PingContext(ctx); err != nil {
		_ = d.write.Close()
		return nil, fmt.Errorf("open the database file: %w", mind(err))
	}
	if d.read, err = openFile(path, "deferred", true); err != nil {
		_ = d.write.Close()
		return nil, err
	}
	d.read.SetMaxOpenConns(max(4, 2*runtime.GOMAXPROCS(0)))
	d.read.SetMaxIdleConns(max(4, 2*runtime.GOMAXPROCS(0)))
	return d, nil
}

// privateFile makes the file with the rights of its owner alone: it holds password
// hashes. One that is there keeps the rights it has.
func privateFile(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	return f.Close()
}

func openFile(path, lock string, readOnly bool) (*sql.DB, error) {
	pragmas := url.Values{"_txlock": {lock}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()),
		"journal_mode(WAL)",
		// FULL, because what was acknowledged must survive a power cut, too.
		"synchronous(FULL)",
		"foreign_keys(1)",
		"temp_store(MEMORY)",
	}}
	if readOnly {
		pragmas.Add("_pragma", "query_only(1)")
	}
	// A path may hold characters that mean something in a URI.
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas.Encode()
	d, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	return d, nil
}

func openPostgres(ctx context.Context, rawURL string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		// The driver's message may hold the password.
		return nil, fmt.Errorf("the database URL cannot be read; it looks like postgres://user:password@host:5432/keyturn: %w", fault.Invalid)
	}
	// Prepared statements do not survive a pooler in transaction mode; descriptions do.
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = fmt.Sprint(lockWait.Milliseconds())
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "keyturn"
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = lockWait
	}
	listen := cfg.Copy()
	listen.MinConns, listen.MaxConns = 0, 1
	d := &DB{engine: Postgres, Clock: NewClock()}
	if d.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open the database: %w", mind(err))
	}
	if d.listen, err = pgxpool.NewWithConfig(ctx, listen); err != nil {
		d.pool.Close()
		return nil, fmt.Errorf("open the database: %w", mind(err))
	}
	d.write = stdlib.OpenDBFromPool(d.pool)
	d.read = d.write
	if err := d.startMeasuring(ctx); err != nil {
		d.pool.Close()
		d.listen.Close()
		return nil, fmt.Errorf("open the database: %w", mind(err))
	}
	return d, nil
}

// Engine says which database is underneath, for words on a terminal; no statement may
// depend on it.
func (d *DB) Engine() Engine { return d.engine }

// Close gives everything back. Transactions that are under way are ended first by
// their own contexts.
func (d *DB) Close() error {
	d.measure()
	err := d.write.Close()
	if d.read != d.write {
		err = errors.Join(err, d.read.Close())
	}
	if d.pool != nil {
		d.listen.Close()
		d.pool.Close()
	}
	return err
}

// Ready says whether the database answers, and whether it can be written to.
func (d *DB) Ready(ctx context.Context) (reads, writes bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := One(ctx, d, number, `SELECT 1`); err != nil {
		return false, false
	}
	err := d.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE meta SET value = value WHERE name = $1`, metaOldestSchema)
		return err
	})
	d.probing.Lock()
	defer d.probing.Unlock()
	return true, err == nil && d.probed == nil
}

// Probe writes a row that differs each time, and keeps for Ready how that went: an
// engine skips a change that is none, so that a full disk would not show. Whoever serves
// calls it every few seconds.
func (d *DB) Probe(ctx context.Context) {
	err := d.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO meta (name, value) VALUES ('probe', $1)
			ON CONFLICT (name) DO UPDATE SET value = $1`, strconv.FormatInt(tx.Now.UnixMicro(), 10))
		return err
	})
	if ctx.Err() != nil {
		return
	}
	d.probing.Lock()
	defer d.probing.Unlock()
	d.probed = err
}

func number(r Row) (n int64, err error) { return n, r.Scan(&n) }

// mind turns what an engine says into the kinds of fault: a storage that is locked,
// full, gone or in recovery is fault.Busy, so that it can never read as an answer
// about a person.
func mind(err error) error {
	if err == nil || errors.Is(err, fault.Busy) {
		return err
	}
	if busyStorage(err) {
		return &fault.Wait{For: time.Second, Err: err}
	}
	return err
}

func busyStorage(err error) bool {
	if code, ok := liteCode(err); ok {
		return liteBusy(code)
	}
	if code, ok := pgCode(err); ok {
		return pgBusy(code)
	}
	// Anything else that PostgreSQL's driver says is about the line to it.
	return errors.Is(err, sql.ErrConnDone) || isNetwork(err)
}
