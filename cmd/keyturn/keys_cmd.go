package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"keyturn/internal/oidc"
)

type keysCmd struct {
	Rotate keysRotate `cmd:"" help:"Have the next keys sign what applications are given, and make others that are next."`
	List   keysList   `cmd:"" help:"List the keys that sign what applications are given. Never their private halves."`
}

type keysRotate struct {
	Signing bool `required:"" help:"The keys that sign ID tokens: the next one is published already, the one before stays published for a day."`
}

// Run implements the command.
func (keysRotate) Run(w *world) (err error) {
	cfg, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	keys, err := w.keys(cfg)
	if err != nil {
		return err
	}
	if err := w.fitKeys(d, keys); err != nil {
		return err
	}
	desk := &oidc.Desk{DB: d, Keys: keys}
	if err := desk.RotateKeys(w.ctx, by()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.out, "the next keys sign from now on; `keyturn keys list` shows them")
	return err
}

type keysList struct {
	JSON bool `help:"One JSON object a line."`
}

// Run implements the command.
func (l keysList) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	all, err := oidc.SigningKeys(w.ctx, d)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	if !l.JSON {
		_, _ = fmt.Fprintln(table, "ID\tSIGNS\tSTATE\tMADE\tSINCE")
	}
	for _, k := range all {
		state, since := stateOf(k, d.Clock.Now())
		if l.JSON {
			err = json.NewEncoder(w.out).Encode(map[string]any{
				"id": k.ID, "alg": k.Alg, "state": state, "made_at": k.MadeAt, "since": since,
			})
		} else {
			_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Alg, state, k.MadeAt.Format(time.RFC3339), since.Format(time.RFC3339))
		}
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

// stateOf is where a key stands, and since when.
func stateOf(k oidc.SigningKey, now time.Time) (string, time.Time) {
	switch {
	case !k.RetiredAt.IsZero() && k.Published(now):
		return "previous", k.RetiredAt
	case !k.RetiredAt.IsZero():
		return "retired", k.RetiredAt
	case !k.ActiveAt.IsZero():
		return "current", k.ActiveAt
	}
	return "next", k.MadeAt
}
