package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

type apikeyCmd struct {
	Add    apikeyAdd    `cmd:"" help:"Make a key with which a program calls the API. It is shown once."`
	List   apikeyList   `cmd:"" help:"List the keys, with their last use. Never their secrets."`
	Revoke apikeyRevoke `cmd:"" help:"End a key: it is dead at once."`
}

type apikeyAdd struct {
	Name     string   `required:"" help:"What it is for: \"workshop web, production\"."`
	Scope    []string `required:"" enum:"integrations:write,integrations:read,xero:token,readiness:read,sites:read,sites:write,users:read,users:write,requests:read,requests:write,balance:read,rollout:read,audit:read,decisions:read" help:"What it may do (${enum}). May be given several times."`
	Site     []string `help:"The reference of a site that it is for. May be given several times." placeholder:"REF" xor:"sites"`
	AllSites bool     `help:"It is for all sites, of today and of later. Not with xero:token." xor:"sites"`
	JSON     bool     `help:"One JSON object."`
}

// Run implements the command.
func (a apikeyAdd) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	order := apikey.Order{Name: a.Name, All: a.AllSites}
	for _, s := range a.Scope {
		order.Scopes = append(order.Scopes, apikey.Scope(s))
	}
	for _, ref := range a.Site {
		at, err := wholeSite(w, d, ref)
		if err != nil {
			return err
		}
		order.Sites = append(order.Sites, at.ID)
	}
	var made apikey.Key
	var token secret.Text
	err = d.Do(w.ctx, func(tx *db.Tx) (err error) {
		made, token, err = apikey.Make(w.ctx, tx, by(), order)
		return err
	})
	switch {
	case errors.Is(err, fault.Invalid):
		return errors.Join(errUsage, err)
	case errors.Is(err, fault.Conflict):
		return fmt.Errorf("a key of this name works already; revoke it first, or choose another name: %w", fault.Conflict)
	case err != nil:
		return err
	}
	if a.JSON {
		return json.NewEncoder(w.out).Encode(map[string]string{"id": string(made.ID), "name": made.Name, "key": token.Reveal()})
	}
	_, err = fmt.Fprintf(w.out, "%s\n\nKeep it where the program finds it: it is not shown again. Its id is %s.\n", token.Reveal(), made.ID)
	return err
}

type apikeyList struct {
	JSON bool `help:"One JSON object a line."`
}

// keyLine is what a list says of a key.
type keyLine struct {
	ID       id.APIKey      `json:"id"`
	Name     string         `json:"name"`
	Scopes   []apikey.Scope `json:"scopes"`
	AllSites bool           `json:"all_sites"`
	Sites    []string       `json:"sites,omitempty"`
	MadeBy   string         `json:"made_by"`
	MadeAt   time.Time      `json:"made_at"`
	UsedAt   *time.Time     `json:"used_at,omitempty"`
	EndedAt  *time.Time     `json:"ended_at,omitempty"`
}

// Run implements the command.
func (l apikeyList) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	all, err := apikey.List(w.ctx, d)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	if !l.JSON {
		_, _ = fmt.Fprintln(table, "NAME\tID\tMAY\tSITES\tMADE BY\tLAST USED\tENDED")
	}
	for _, k := range all {
		line, err := keyLineOf(w, d, k)
		if err != nil {
			return err
		}
		if l.JSON {
			err = json.NewEncoder(w.out).Encode(line)
		} else {
			err = line.row(table)
		}
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

func keyLineOf(w *world, d *db.DB, k apikey.Key) (keyLine, error) {
	line := keyLine{
		ID: k.ID, Name: k.Name, Scopes: k.Scopes, AllSites: k.All, MadeBy: k.MadeBy, MadeAt: k.MadeAt,
		UsedAt: unless(k.UsedAt), EndedAt: unless(k.EndedAt),
	}
	sites, err := apikey.Sites(w.ctx, d, k)
	if err != nil {
		return line, err
	}
	for _, s := range sites {
		at, err := site.ByID(w.ctx, d, s)
		if err != nil {
			return line, err
		}
		line.Sites = append(line.Sites, at.Ref)
	}
	return line, nil
}

// unless is nil for the zero time.
func unless(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (l keyLine) row(table *tabwriter.Writer) error {
	when := func(t *time.Time, none string) string {
		if t == nil {
			return none
		}
		return t.Format(time.RFC3339)
	}
	sites := "all"
	if !l.AllSites {
		sites = strings.Join(l.Sites, " ")
	}
	var may []string
	for _, s := range l.Scopes {
		may = append(may, string(s))
	}
	_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
		l.Name, l.ID, strings.Join(may, " "), sites, l.MadeBy, when(l.UsedAt, "never"), when(l.EndedAt, ""))
	return err
}

type apikeyRevoke struct {
	Key string `arg:"" help:"Its name or its id."`
}

// Run implements the command.
func (r apikeyRevoke) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var ended apikey.Key
	err = d.Do(w.ctx, func(tx *db.Tx) (err error) {
		ended, err = apikey.End(w.ctx, tx, by(), r.Key)
		return err
	})
	if errors.Is(err, fault.NotFound) {
		return fmt.Errorf("no key of this name or id works; keyturn apikey list has them all: %w", fault.NotFound)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s: revoked\n", ended.Name)
	return err
}
