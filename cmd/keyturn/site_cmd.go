package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"text/tabwriter"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/integration"
	"keyturn/internal/policy"
	"keyturn/internal/setup"
	"keyturn/internal/site"
)

type siteCmd struct {
	Add        siteAdd        `cmd:"" help:"Add a site."`
	List       siteList       `cmd:"" help:"List the sites."`
	Connect    siteConnect    `cmd:"" help:"Record that a site is connected to Xero: 2FA is required there from now on."`
	Disconnect siteDisconnect `cmd:"" help:"Record that a site is not connected to Xero any more. What it required stays."`
}

// by is the person at the terminal, for the audit trail.
func by() audit.Actor {
	name := "unknown"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return audit.Actor{Kind: audit.ActorCommand, ID: name}
}

type siteAdd struct {
	Ref            string `required:"" help:"The host product's own reference."`
	Name           string `required:"" help:"The site's name, as its people know it."`
	Timezone       string `required:"" help:"IANA name, as in Australia/Brisbane."`
	Region         string `default:"AU" enum:"AU,NZ,GB,US" help:"The country whose numbers its people have (${enum})."`
	AccountManager string `help:"Address of the account manager." placeholder:"EMAIL"`
}

// Run implements the command.
func (s siteAdd) Run(w *world) (err error) {
	zone, err := site.Zone(s.Timezone)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	var manager address.Canonical
	if s.AccountManager != "" {
		if manager, err = address.Email(s.AccountManager); err != nil {
			return errors.Join(errUsage, fmt.Errorf("--account-manager: %w", err))
		}
	}
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	added, err := (&setup.Desk{DB: d}).AddSite(w.ctx, by(), site.Site{
		Ref: s.Ref, Name: s.Name, Region: s.Region, Zone: zone, AccountManager: string(manager),
	})
	if errors.Is(err, fault.Conflict) {
		return fmt.Errorf("a site with this reference is there already: %w", fault.Conflict)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s: added, its id is %s\n", added.Ref, added.ID)
	return err
}

// pageOfSites is how many sites are read at a time.
const pageOfSites = 500

type siteList struct {
	JSON bool `help:"One JSON object a line."`
}

// siteLine is what a list says of a site.
type siteLine struct {
	ID       string `json:"id"`
	Ref      string `json:"ref"`
	Name     string `json:"name"`
	Region   string `json:"region"`
	TimeZone string `json:"time_zone"`
	Xero     string `json:"xero"`
}

// Run implements the command.
func (s siteList) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	if !s.JSON {
		_, _ = fmt.Fprintln(table, "REF\tNAME\tREGION\tTIME ZONE\tXERO")
	}
	for after := ""; ; {
		page, err := site.List(w.ctx, d, after, pageOfSites)
		if err != nil {
			return err
		}
		for _, one := range page {
			line, err := lineOf(w, d, one)
			if err != nil {
				return err
			}
			if s.JSON {
				err = json.NewEncoder(w.out).Encode(line)
			} else {
				_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", line.Ref, line.Name, line.Region, line.TimeZone, line.Xero)
			}
			if err != nil {
				return err
			}
			after = one.Ref
		}
		if len(page) < pageOfSites {
			return table.Flush()
		}
	}
}

func lineOf(w *world, d *db.DB, s site.Site) (siteLine, error) {
	line := siteLine{
		ID: string(s.ID), Ref: s.Ref, Name: s.Name, Region: s.Region, TimeZone: s.Zone.String(), Xero: "never connected",
	}
	all, err := integration.Of(w.ctx, d, s.ID)
	for _, i := range all {
		if i.Kind == policy.Xero {
			line.Xero = string(i.State)
		}
	}
	return line, err
}

type siteConnect struct {
	Ref          string `arg:"" help:"The host product's own reference of the site."`
	Organisation string `help:"The organisation at Xero."`
	By           string `default:"the vendor" help:"Who connected it, as its people will read it."`
}

// Run implements the command.
func (s siteConnect) Run(w *world) error {
	return changeSite(w, s.Ref, "connected", "was connected already", func(d *setup.Desk, at site.Site) (bool, error) {
		return d.ConnectXero(w.ctx, by(), at.ID, setup.Connection{Organisation: s.Organisation, By: s.By})
	})
}

type siteDisconnect struct {
	Ref string `arg:"" help:"The host product's own reference of the site."`
}

// Run implements the command.
func (s siteDisconnect) Run(w *world) error {
	return changeSite(w, s.Ref, "disconnected; 2FA stays required there", "was not connected", func(d *setup.Desk, at site.Site) (bool, error) {
		return d.DisconnectXero(w.ctx, by(), at.ID)
	})
}

// errNoSite says that a reference names no site.
var errNoSite = fmt.Errorf("there is no site with this reference; keyturn site list has them all: %w", fault.NotFound)

func changeSite(w *world, ref, did, was string, change func(*setup.Desk, site.Site) (bool, error)) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	at, err := site.ByRef(w.ctx, d, ref)
	if errors.Is(err, fault.NotFound) {
		return errNoSite
	}
	if err != nil {
		return err
	}
	done, err := change(&setup.Desk{DB: d}, at)
	if err != nil {
		return err
	}
	word := did
	if !done {
		word = was
	}
	_, err = fmt.Fprintf(w.out, "%s: %s\n", at.Ref, word)
	return err
}
