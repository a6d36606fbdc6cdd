package main

import (
	"errors"
	"fmt"

	"keyturn/internal/config"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// errDemo says that a database is a demo's.
var errDemo = errors.New("this database was made by keyturn demo: its people and passwords are public")

// settings reads the configuration: flags, environment, file.
func (w *world) settings() (config.Config, error) {
	return config.Load(w.set, w.environ, w.file)
}

// keys opens the configured keys file.
func (w *world) keys(c config.Config) (*secret.Keys, error) {
	if c.KeysFile == "" {
		return nil, w.hint(fmt.Errorf("KEYTURN_KEYS_FILE is not given, and is needed to sign and to check: %w", fault.Invalid))
	}
	return secret.Open(c.KeysFile)
}

// hint says where settings come from, to somebody who gave no file.
func (w *world) hint(err error) error {
	if w.file != "" {
		return err
	}
	return fmt.Errorf("%w\nsettings come from a file (--config FILE), the environment, or --set", err)
}

// openDB opens the configured database, whatever the state of its tables.
func (w *world) openDB(c config.Config) (*db.DB, error) {
	if err := c.ForDatabase(); err != nil {
		return nil, w.hint(err)
	}
	return db.Open(w.ctx, c.DatabaseURL.Reveal())
}

// useDB opens the configured database and makes sure that this release may use it.
func (w *world) useDB() (config.Config, *db.DB, error) {
	c, err := w.settings()
	if err != nil {
		return c, nil, err
	}
	d, err := w.openDB(c)
	if err != nil {
		return c, nil, err
	}
	if err := w.fit(d); err != nil {
		return c, nil, errors.Join(err, d.Close())
	}
	return c, d, nil
}

func (w *world) fit(d *db.DB) error {
	if err := d.Usable(w.ctx); err != nil {
		return err
	}
	_, err := db.Meta(w.ctx, d, metaDemo)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the demo's mark: %w", err)
	}
	return errDemo
}

// metaDemo marks a demo's database, metaKeys holds the proof that keys fit.
const (
	metaDemo = "demo"
	metaKeys = "keys"
)

// fitKeys makes sure that the keys are those of this database: the first start stores
// a proof of them, and any other set is refused from then on.
func (w *world) fitKeys(d *db.DB, keys *secret.Keys) error {
	proof, err := db.Meta(w.ctx, d, metaKeys)
	if errors.Is(err, fault.NotFound) {
		fresh, err := keys.Proof()
		if err != nil {
			return err
		}
		err = d.Do(w.ctx, func(tx *db.Tx) error { return db.SetMeta(w.ctx, tx, metaKeys, fresh) })
		if err == nil {
			return nil
		}
		if !errors.Is(err, fault.Conflict) {
			return fmt.Errorf("store the proof of the keys: %w", err)
		}
		proof, err = db.Meta(w.ctx, d, metaKeys) // another node was first
		if err != nil {
			return fmt.Errorf("read the proof of the keys: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("read the proof of the keys: %w", err)
	}
	if !keys.ProofOpens(proof) {
		return fmt.Errorf("the keys in KEYTURN_KEYS_FILE do not belong to this database; use the file it was first started with: %w", fault.Invalid)
	}
	return nil
}

// anyDB runs something on the configured database, whatever the state of its tables.
func (w *world) anyDB(do func(*db.DB) error) error {
	c, err := w.settings()
	if err != nil {
		return err
	}
	d, err := w.openDB(c)
	if err != nil {
		return err
	}
	return errors.Join(do(d), d.Close())
}

type migrateCmd struct {
	Up     migrateUp     `cmd:"" help:"Apply what is missing. Safe to run again."`
	Status migrateStatus `cmd:"" help:"Say how the tables stand to this release."`
}

type migrateUp struct{}

// Run implements the command.
func (migrateUp) Run(w *world) error {
	var n int
	err := w.anyDB(func(d *db.DB) (err error) { n, err = d.Migrate(w.ctx); return err })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%d steps applied\n", n)
	return err
}

type migrateStatus struct{}

// Run implements the command.
func (migrateStatus) Run(w *world) error {
	var s db.Schema
	var engine db.Engine
	err := w.anyDB(func(d *db.DB) (err error) { engine = d.Engine(); s, err = d.Schema(w.ctx); return err })
	if err != nil {
		return err
	}
	word := "nothing to do"
	switch {
	case s.Oldest > s.Knows:
		word = "made by a newer release; this one may not use it"
	case s.Pending():
		word = "run: keyturn migrate up"
	}
	_, err = fmt.Fprintf(w.out, "engine   %s\nschema   %d\nrelease  %d\n%s\n", engine, s.Has, s.Knows, word)
	return err
}
