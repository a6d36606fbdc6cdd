package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"keyturn/internal/config"
	"keyturn/internal/secret"
)

// The files that init writes.
const (
	confName = "keyturn.conf"
	keysName = "keyturn.keys"
)

type initCmd struct {
	Dir string `arg:"" optional:"" default:"." help:"The folder to write into." type:"path"`
}

// Run implements the command.
func (c initCmd) Run(w *world) error {
	conf, keys := filepath.Join(c.Dir, confName), filepath.Join(c.Dir, keysName)
	if err := secret.Create(keys); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Clean(conf), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the configuration (the keys are in %s): %w", keys, err)
	}
	_, err = f.WriteString(config.Template())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = fmt.Fprintf(w.out, `wrote %s   settings, each with a word on what it is for
wrote %s   keys: keep a copy in a safe place, apart from the database

next: fill in the settings, then
  keyturn --config %s migrate up
  keyturn --config %s serve
`, conf, keys, conf, conf)
	return err
}
