package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/site"
)

type smsCmd struct {
	TopUp     smsTopUp     `cmd:"" name:"top-up" help:"Add SMS to a site's balance."`
	Balance   smsBalance   `cmd:"" help:"Show a site's balance, and prove its ledger."`
	Statement smsStatement `cmd:"" help:"Write a site's statement as CSV."`
}

type smsTopUp struct {
	Site      string `arg:"" help:"The site's reference."`
	Parts     int    `arg:"" help:"How many SMS."`
	Reference string `required:"" help:"The number of the order: each counts once, however often it is given."`
}

// Run implements the command.
func (s smsTopUp) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	at, err := wholeSite(w, d, s.Site)
	if err != nil {
		return err
	}
	done := false
	err = d.Do(w.ctx, func(tx *db.Tx) error {
		var err error
		done, err = balance.TopUp(w.ctx, tx, balance.TopUpOrder{
			Site: at.ID, Parts: s.Parts, By: by(), ByName: by().ID, Reference: s.Reference,
		})
		return err
	})
	if errors.Is(err, fault.Invalid) {
		return errors.Join(errUsage, err)
	}
	if err != nil {
		return err
	}
	if !done {
		_, err = fmt.Fprintf(w.out, "%s: an order with this reference was added before; nothing was changed\n", at.Ref)
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s: %d SMS added\n", at.Ref, s.Parts)
	return err
}

type smsBalance struct {
	Site string `arg:"" help:"The site's reference."`
}

// Run implements the command.
func (s smsBalance) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	at, err := wholeSite(w, d, s.Site)
	if err != nil {
		return err
	}
	account, err := balance.Of(w.ctx, d, d.Clock.Now(), at.ID)
	if err != nil {
		return err
	}
	if err := balance.Audit(w.ctx, d, at.ID); err != nil {
		return fmt.Errorf("the ledger of %s does not add up: %w", at.Ref, err)
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "available\t%d\non their way\t%d\nkept for Admins\t%d\nledger\tadds up\n", account.Available, account.Held, account.Float)
	return table.Flush()
}

type smsStatement struct {
	Site string `arg:"" help:"The site's reference."`
	Out  string `help:"File to write; without it the statement goes to the terminal." type:"path"`
}

// Run implements the command.
func (s smsStatement) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	at, err := wholeSite(w, d, s.Site)
	if err != nil {
		return err
	}
	out := w.out
	if s.Out != "" {
		f, err := os.Create(s.Out)
		if err != nil {
			return fmt.Errorf("write a statement: %w", err)
		}
		defer func() { _ = f.Close() }()
		out = f
	}
	return balance.WriteCSV(w.ctx, d, at.ID, out, at.Zone)
}

func wholeSite(w *world, d *db.DB, ref string) (site.Site, error) {
	at, err := site.ByRef(w.ctx, d, ref)
	if errors.Is(err, fault.NotFound) {
		return at, fmt.Errorf("there is no site with the reference %q: %w", ref, fault.NotFound)
	}
	return at, err
}
