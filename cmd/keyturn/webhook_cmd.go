package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"keyturn/internal/config"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/outward"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/webhook"
)

type webhookCmd struct {
	Add     webhookAdd     `cmd:"" help:"Have a program told what happens. Its secret is shown once."`
	List    webhookList    `cmd:"" help:"List the programs that are told. Never their secrets."`
	Disable webhookDisable `cmd:"" help:"Switch one off: what it would be told is held for 30 days."`
	Enable  webhookEnable  `cmd:"" help:"Switch one on again. What is held is sent by a replay."`
	Log     webhookLog     `cmd:"" help:"Say how its requests went, the newest first."`
	Replay  webhookReplay  `cmd:"" help:"Send again what it was told: one request, or all since a time."`
}

// hooking does something with the desk that tells programs outside.
func (w *world) hooking(do func(desk *webhook.Desk, d *db.DB) error) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(&webhook.Desk{DB: d, Log: slog.New(slog.DiscardHandler), Way: outward.NewWay(c.PublicURL, outward.DNS, nil)}, d)
}

// sealing is hooking with the keys, where a secret is made.
func (w *world) sealing(do func(desk *webhook.Desk, d *db.DB) error) error {
	return w.hooking(func(desk *webhook.Desk, d *db.DB) (err error) {
		var c config.Config
		if c, err = w.settings(); err != nil {
			return err
		}
		if desk.Keys, err = w.keys(c); err != nil {
			return err
		}
		if err := w.fitKeys(d, desk.Keys); err != nil {
			return err
		}
		return do(desk, d)
	})
}

type webhookAdd struct {
	Name     string   `required:"" help:"What it is for: \"Workshop web, production\"."`
	URL      string   `required:"" name:"url" help:"Its address: https, at a public host."`
	Type     []string `help:"What it is told of, as user.changed. May be given several times; without one it is told of everything." placeholder:"TYPE"`
	Site     []string `help:"The reference of a site that it is told of. May be given several times." placeholder:"REF" xor:"sites"`
	AllSites bool     `help:"It is told of all sites, of today and of later." xor:"sites"`
	JSON     bool     `help:"One JSON object."`
}

// Run implements the command.
func (a webhookAdd) Run(w *world) error {
	return w.sealing(func(desk *webhook.Desk, d *db.DB) error {
		o := webhook.Order{Name: a.Name, URL: a.URL, All: a.AllSites}
		for _, t := range a.Type {
			o.Types = append(o.Types, webhook.Type(t))
		}
		for _, ref := range a.Site {
			at, err := wholeSite(w, d, ref)
			if err != nil {
				return err
			}
			o.Sites = append(o.Sites, at.ID)
		}
		var made webhook.Endpoint
		var key secret.Text
		var wrong webhook.Wrong
		err := d.Do(w.ctx, func(tx *db.Tx) (err error) {
			made, key, wrong, err = desk.Make(w.ctx, tx, by(), o)
			return err
		})
		switch {
		case err != nil:
			return err
		case wrong != "":
			return errors.Join(errUsage, fmt.Errorf("%s: %w", webhookFault(wrong), fault.Invalid))
		case a.JSON:
			return json.NewEncoder(w.out).Encode(map[string]string{"id": string(made.ID), "name": made.Name, "secret": key.Reveal()})
		}
		_, err = fmt.Fprintf(w.out, "%s\n\nKeep it where the program finds it: it is not shown again. The webhook's id is %s.\n", key.Reveal(), made.ID)
		return err
	})
}

func webhookFault(wrong webhook.Wrong) string {
	switch wrong {
	case webhook.WrongName:
		return "a webhook needs a name of at most 100 characters"
	case webhook.WrongURL:
		return "the address must begin with https:// and lead to a public host, without a user name and without #"
	case webhook.WrongTypes:
		words := make([]string, 0, len(webhook.Types()))
		for _, t := range webhook.Types() {
			words = append(words, string(t))
		}
		return "there is no such type; there are " + strings.Join(words, ", ")
	case webhook.WrongSites:
		return "a webhook is either for all sites (--all-sites) or for up to 500 that it names (--site)"
	case webhook.TakenName:
		return "another webhook has this name"
	case webhook.TooMany:
	}
	return "there are 50 webhooks already; remove one first"
}

type webhookList struct {
	JSON bool `help:"One JSON object a line."`
}

// webhookLine is what a list says of an endpoint.
type webhookLine struct {
	ID           id.Webhook     `json:"id"`
	Name         string         `json:"name"`
	URL          string         `json:"url"`
	Types        []webhook.Type `json:"types,omitempty"`
	AllSites     bool           `json:"all_sites"`
	Sites        []string       `json:"sites,omitempty"`
	MadeBy       string         `json:"made_by"`
	MadeAt       time.Time      `json:"made_at"`
	FailingSince *time.Time     `json:"failing_since,omitempty"`
	OffAt        *time.Time     `json:"off_at,omitempty"`
	OffWhy       webhook.Why    `json:"off_why,omitempty"`
}

// Run implements the command.
func (l webhookList) Run(w *world) error {
	return w.hooking(func(_ *webhook.Desk, d *db.DB) error {
		all, err := webhook.List(w.ctx, d)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
		if !l.JSON {
			_, _ = fmt.Fprintln(table, "NAME\tID\tADDRESS\tTYPES\tSITES\tSTATE")
		}
		for _, e := range all {
			line := webhookLine{
				ID: e.ID, Name: e.Name, URL: e.URL, Types: e.Types, AllSites: e.All, MadeBy: e.MadeBy, MadeAt: e.MadeAt,
				FailingSince: unless(e.FailingSince), OffAt: unless(e.OffAt), OffWhy: e.OffWhy,
			}
			sites, err := webhook.Sites(w.ctx, d, e.ID)
			if err != nil {
				return err
			}
			for _, s := range sites {
				at, err := site.ByID(w.ctx, d, s)
				if err != nil {
					return err
				}
				line.Sites = append(line.Sites, at.Ref)
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
	})
}

func (l webhookLine) row(table *tabwriter.Writer) error {
	types, sites, state := "all", "all", "on"
	if len(l.Types) > 0 {
		words := make([]string, len(l.Types))
		for i, t := range l.Types {
			words[i] = string(t)
		}
		types = strings.Join(words, " ")
	}
	if !l.AllSites {
		sites = strings.Join(l.Sites, " ")
	}
	switch {
	case l.OffAt != nil:
		state = "off since " + l.OffAt.Format(time.RFC3339) + " (" + string(l.OffWhy) + ")"
	case l.FailingSince != nil:
		state = "failing since " + l.FailingSince.Format(time.RFC3339)
	}
	_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.ID, l.URL, types, sites, state)
	return err
}

// webhookCalled finds the endpoint that an argument names.
func webhookCalled(w *world, from db.Reader, which string) (webhook.Endpoint, error) {
	e, err := webhook.Called(w.ctx, from, which)
	if errors.Is(err, fault.NotFound) {
		return e, fmt.Errorf("there is no webhook of this name or id; keyturn webhook list has them all: %w", fault.NotFound)
	}
	return e, err
}

type webhookDisable struct {
	Webhook string `arg:"" help:"Its name or its id."`
}

// Run implements the command.
func (c webhookDisable) Run(w *world) error { return switchWebhook(w, c.Webhook, false) }

type webhookEnable struct {
	Webhook string `arg:"" help:"Its name or its id."`
}

// Run implements the command.
func (c webhookEnable) Run(w *world) error { return switchWebhook(w, c.Webhook, true) }

func switchWebhook(w *world, which string, on bool) error {
	word := map[bool]string{true: "on", false: "off"}[on]
	return w.hooking(func(desk *webhook.Desk, d *db.DB) error {
		err := d.Do(w.ctx, func(tx *db.Tx) error {
			e, err := webhookCalled(w, tx, which)
			if err != nil {
				return err
			}
			return desk.Switch(w.ctx, tx, by(), e.ID, on)
		})
		if errors.Is(err, fault.Conflict) {
			return fmt.Errorf("it is %s already: %w", word, fault.Conflict)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.out, "%s: %s\n", which, word)
		return err
	})
}

type webhookLog struct {
	Webhook string `arg:"" help:"Its name or its id."`
	State   string `help:"Only those that are ${enum}." enum:"waiting,sending,done,failed,held," default:""`
	Limit   int    `help:"How many, 200 at most." default:"50"`
	JSON    bool   `help:"One JSON object a line."`
}

// deliveryLine is what a log says of a delivery.
type deliveryLine struct {
	ID       id.Delivery   `json:"id"`
	Event    id.Event      `json:"webhook_id"`
	Type     webhook.Type  `json:"type"`
	MadeAt   time.Time     `json:"made_at"`
	State    webhook.State `json:"state"`
	Attempts int           `json:"attempts"`
	TriedAt  *time.Time    `json:"tried_at,omitempty"`
	Status   int           `json:"status,omitempty"`
	Why      string        `json:"why,omitempty"`
	TookMS   int64         `json:"took_ms"`
}

// Run implements the command.
func (l webhookLog) Run(w *world) error {
	return w.hooking(func(_ *webhook.Desk, d *db.DB) error {
		e, err := webhookCalled(w, d, l.Webhook)
		if err != nil {
			return err
		}
		all, err := webhook.Log(w.ctx, d, e.ID, webhook.State(l.State), "", l.Limit)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
		if !l.JSON {
			_, _ = fmt.Fprintln(table, "MADE\tTYPE\tSTATE\tATTEMPTS\tSTATUS\tWHY\tMS\tDELIVERY")
		}
		for _, one := range all {
			line := deliveryLine{
				ID: one.ID, Event: one.Event, Type: one.Type, MadeAt: one.MadeAt, State: one.State, Attempts: one.Attempts,
				TriedAt: unless(one.TriedAt), Status: one.Status, Why: one.Why, TookMS: one.Took.Milliseconds(),
			}
			if l.JSON {
				err = json.NewEncoder(w.out).Encode(line)
			} else {
				_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%d\t%s\n",
					line.MadeAt.Format(time.RFC3339), line.Type, line.State, line.Attempts, line.Status, line.Why, line.TookMS, line.ID)
			}
			if err != nil {
				return err
			}
		}
		return table.Flush()
	})
}

type webhookReplay struct {
	Webhook  string `arg:"" help:"Its name or its id."`
	Delivery string `help:"One request, by the id that the log shows." xor:"what" required:""`
	Since    string `help:"All that were made since then, as 2026-11-30T08:00:00Z." xor:"what" required:""`
}

// Run implements the command.
func (c webhookReplay) Run(w *world) error {
	var since time.Time
	if c.Since != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, c.Since); err != nil {
			return errors.Join(errUsage, fmt.Errorf("--since is a time as 2026-11-30T08:00:00Z: %w", fault.Invalid))
		}
	}
	return w.hooking(func(desk *webhook.Desk, d *db.DB) error {
		var n int
		err := d.Do(w.ctx, func(tx *db.Tx) error {
			e, err := webhookCalled(w, tx, c.Webhook)
			if err != nil {
				return err
			}
			n, err = desk.Replay(w.ctx, tx, by(), e.ID, id.Delivery(c.Delivery), since)
			return err
		})
		switch {
		case errors.Is(err, fault.Conflict):
			return fmt.Errorf("it is off; switch it on first (keyturn webhook enable): %w", fault.Conflict)
		case err != nil:
			return err
		}
		_, err = fmt.Fprintf(w.out, "%d sent again\n", n)
		return err
	})
}
