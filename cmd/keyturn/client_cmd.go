package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

type clientCmd struct {
	Add     clientAdd     `cmd:"" help:"Register an application that signs users in, or that calls the API by tokens. Its secret is shown once."`
	List    clientList    `cmd:"" help:"List the applications. Never their secrets."`
	Rotate  clientRotate  `cmd:"" help:"Give an application another secret. The one before works for a day more."`
	Disable clientDisable `cmd:"" help:"Disable an application, for good: it and what it was given are dead at once."`
}

type clientAdd struct {
	Name        string   `required:"" help:"What it is: \"workshop web, production\"."`
	Kind        string   `required:"" enum:"web,mobile,service" help:"web has a server that keeps a secret, mobile is an app, service has no people (${enum})."`
	Redirect    []string `help:"Where an answer may go, compared byte for byte. May be given several times." placeholder:"URI" sep:"none"`
	PostLogout  []string `help:"Where somebody may go who signed out. May be given several times." placeholder:"URI" sep:"none"`
	BackChannel string   `help:"Where a web client is told of sessions that end." placeholder:"URI"`
	Origin      []string `help:"An origin whose pages stand behind forward auth. May be given several times." placeholder:"ORIGIN" sep:"none"`
	Audience    []string `help:"The name of an API: that a mobile client's tokens are for, or that a service answers for. May be given several times." placeholder:"NAME" sep:"none"`
	Scope       []string `help:"What a service may do at the API, as with keyturn apikey. May be given several times."`
	IDTokenAlg  string   `enum:"RS256,ES256" default:"RS256" help:"How its ID tokens are signed (${enum})."`
	Site        []string `help:"The reference of a site that it is for. May be given several times." placeholder:"REF" xor:"sites"`
	AllSites    bool     `help:"It is for all sites, of today and of later: what a web or mobile client is for where no site is named." xor:"sites"`
	JSON        bool     `help:"One JSON object."`
}

func (a clientAdd) order(w *world, d *db.DB) (client.Order, error) {
	o := client.Order{
		Name: a.Name, Kind: client.Kind(a.Kind), Redirects: a.Redirect, PostLogouts: a.PostLogout, BackChannel: a.BackChannel,
		Origins: a.Origin, Audiences: a.Audience, IDTokenAlg: a.IDTokenAlg, All: a.AllSites,
	}
	if len(a.Site) == 0 && o.Kind != client.Service {
		o.All = true
	}
	for _, s := range a.Scope {
		o.Scopes = append(o.Scopes, apikey.Scope(s))
	}
	for _, ref := range a.Site {
		at, err := wholeSite(w, d, ref)
		if err != nil {
			return o, err
		}
		o.Sites = append(o.Sites, at.ID)
	}
	return o, nil
}

// Run implements the command.
func (a clientAdd) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	order, err := a.order(w, d)
	if err != nil {
		return err
	}
	var made client.Client
	var text secret.Text
	err = d.Do(w.ctx, func(tx *db.Tx) (err error) {
		made, text, err = client.Make(w.ctx, tx, by(), order)
		return err
	})
	switch {
	case errors.Is(err, fault.Invalid):
		return errors.Join(errUsage, err)
	case errors.Is(err, fault.Conflict):
		return fmt.Errorf("a client of this name, or with one of these origins, works already; disable it first, or choose another: %w", fault.Conflict)
	case err != nil:
		return err
	}
	return w.sayClient(made, text, a.JSON)
}

// sayClient shows a client with its secret, this once.
func (w *world) sayClient(c client.Client, text secret.Text, asJSON bool) (err error) {
	if asJSON {
		said := map[string]string{"id": string(c.ID), "name": c.Name, "kind": string(c.Kind)}
		if !c.Public() {
			said["secret"] = text.Reveal()
		}
		return json.NewEncoder(w.out).Encode(said)
	}
	if c.Public() {
		_, err = fmt.Fprintf(w.out, "client id: %s\n\nA mobile client has no secret: PKCE protects its codes.\n", c.ID)
		return err
	}
	_, err = fmt.Fprintf(w.out, "client id: %s\nsecret:    %s\n\nKeep the secret where the program finds it: it is not shown again.\n", c.ID, text.Reveal())
	return err
}

type clientList struct {
	JSON bool `help:"One JSON object a line."`
}

// clientLine is what a list says of a client.
type clientLine struct {
	ID          id.Client      `json:"id"`
	Name        string         `json:"name"`
	Kind        client.Kind    `json:"kind"`
	Redirects   []string       `json:"redirect_uris,omitempty"`
	PostLogouts []string       `json:"post_logout_redirect_uris,omitempty"`
	BackChannel string         `json:"backchannel_logout_uri,omitempty"`
	Origins     []string       `json:"origins,omitempty"`
	Audiences   []string       `json:"audiences,omitempty"`
	Scopes      []apikey.Scope `json:"scopes,omitempty"`
	AllSites    bool           `json:"all_sites"`
	Sites       []string       `json:"sites,omitempty"`
	MadeBy      string         `json:"made_by"`
	MadeAt      time.Time      `json:"made_at"`
	FormerUntil *time.Time     `json:"former_secret_until,omitempty"`
	DisabledAt  *time.Time     `json:"disabled_at,omitempty"`
}

// Run implements the command.
func (l clientList) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	all, err := client.List(w.ctx, d)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	if !l.JSON {
		_, _ = fmt.Fprintln(table, "NAME\tKIND\tID\tSITES\tADDRESSES\tMADE BY\tDISABLED")
	}
	for _, c := range all {
		line, err := clientLineOf(w, d, c)
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

func clientLineOf(w *world, d *db.DB, c client.Client) (clientLine, error) {
	line := clientLine{
		ID: c.ID, Name: c.Name, Kind: c.Kind, Redirects: c.Redirects, PostLogouts: c.PostLogouts, BackChannel: c.BackChannel,
		Origins: c.Origins, Audiences: c.Audiences, Scopes: c.Scopes, AllSites: c.All, MadeBy: c.MadeBy, MadeAt: c.MadeAt,
		FormerUntil: unless(c.FormerUntil), DisabledAt: unless(c.DisabledAt),
	}
	sites, err := client.Sites(w.ctx, d, c)
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

func (l clientLine) row(table *tabwriter.Writer) error {
	sites, ended := "all", ""
	if !l.AllSites {
		sites = strings.Join(l.Sites, " ")
	}
	if l.DisabledAt != nil {
		ended = l.DisabledAt.Format(time.RFC3339)
	}
	addresses := strings.Join(append(append([]string{}, l.Redirects...), l.Origins...), " ")
	_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Kind, l.ID, sites, addresses, l.MadeBy, ended)
	return err
}

type clientRotate struct {
	Client string `arg:"" help:"Its name or its id."`
	AtOnce bool   `help:"The secret before it ends at once: somebody has seen it."`
	JSON   bool   `help:"One JSON object."`
}

// Run implements the command.
func (r clientRotate) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var c client.Client
	var text secret.Text
	err = d.Do(w.ctx, func(tx *db.Tx) (err error) {
		c, text, err = client.Rotate(w.ctx, tx, by(), r.Client, r.AtOnce)
		return err
	})
	if err != nil {
		return noClient(err)
	}
	return w.sayClient(c, text, r.JSON)
}

type clientDisable struct {
	Client string `arg:"" help:"Its name or its id."`
}

// Run implements the command.
func (r clientDisable) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var c client.Client
	err = d.Do(w.ctx, func(tx *db.Tx) (err error) {
		c, err = client.Disable(w.ctx, tx, by(), r.Client)
		return err
	})
	if err != nil {
		return noClient(err)
	}
	_, err = fmt.Fprintf(w.out, "%s: disabled\n", c.Name)
	return err
}

func noClient(err error) error {
	switch {
	case errors.Is(err, fault.NotFound):
		return fmt.Errorf("no client of this name or id works; keyturn client list has them all: %w", fault.NotFound)
	case errors.Is(err, fault.Invalid):
		return errors.Join(errUsage, err)
	}
	return err
}
