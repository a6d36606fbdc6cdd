package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/readiness"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/web/reason"
)

type readinessCmd struct {
	Site   string `help:"The host product's own reference of one site; without it, all of them." placeholder:"REF"`
	Format string `default:"table" enum:"table,csv,json" help:"How it is written (${enum}). csv has a line a person, json an object a site and line."`
}

// Run implements the command.
func (r readinessCmd) Run(w *world) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	source := readiness.Source{Standing: standing.Source{SMS: c.SMSURL.Reveal() != "", Countries: c.SMSCountries}}
	now := d.Clock.Now()
	out := r.writer(w, now)
	if r.Site != "" {
		at, err := site.ByRef(w.ctx, d, r.Site)
		if errors.Is(err, fault.NotFound) {
			return errNoSite
		}
		if err != nil {
			return err
		}
		one, err := source.OfSite(w.ctx, d, now, at.ID)
		if err != nil {
			return err
		}
		return errors.Join(out.site(one), out.end())
	}
	if err := r.all(w, d, source, now, out); err != nil {
		return err
	}
	return out.end()
}

// all hands every site over, in the order of their references.
func (r readinessCmd) all(w *world, d *db.DB, source readiness.Source, now time.Time, out readyWriter) error {
	progress, read := w.progress("asked at", "sites"), int64(0)
	defer w.progressEnd()
	for after := ""; ; {
		page, err := site.List(w.ctx, d, after, pageOfSites)
		if err != nil {
			return err
		}
		for _, one := range page {
			ready, err := source.OfSite(w.ctx, d, now, one.ID)
			if err != nil {
				return err
			}
			if err := out.site(ready); err != nil {
				return err
			}
			if read++; progress != nil {
				progress(read)
			}
			after = one.Ref
		}
		if len(page) < pageOfSites {
			return nil
		}
	}
}

// readyWriter writes sites in one of the formats.
type readyWriter interface {
	site(readiness.Site) error
	end() error
}

func (r readinessCmd) writer(w *world, now time.Time) readyWriter {
	switch r.Format {
	case "json":
		return &readyJSON{to: json.NewEncoder(w.out), now: now}
	case "csv":
		return &readyCSV{to: csv.NewWriter(w.out)}
	}
	return &readyTable{world: w, table: tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0), people: r.Site != ""}
}

type readyJSON struct {
	to  *json.Encoder
	now time.Time
}

func (j *readyJSON) site(s readiness.Site) error { return j.to.Encode(reason.ForPrograms(s, j.now)) }
func (*readyJSON) end() error                    { return nil }

type readyCSV struct {
	to    *csv.Writer
	begun bool
}

func (c *readyCSV) head() error {
	if c.begun {
		return nil
	}
	c.begun = true
	return c.to.Write(reason.SheetHead())
}

func (c *readyCSV) site(s readiness.Site) error {
	return errors.Join(c.head(), reason.Sheet(c.to, s))
}

func (c *readyCSV) end() error {
	err := c.head()
	c.to.Flush()
	return errors.Join(err, c.to.Error())
}

// readyTable is for a person at a terminal: a site person by person, or a line a site.
type readyTable struct {
	world  *world
	table  *tabwriter.Writer
	people bool
	sites  int
	// unproved is how many sites have no Admin who would surely get in.
	unproved int
	sum      readiness.Counts
}

func (t *readyTable) site(s readiness.Site) error {
	if t.people {
		return t.one(s)
	}
	if t.sites == 0 {
		_, _ = fmt.Fprintln(t.table, "REF\tNAME\tREADY\tWILL MANAGE\tNEEDS HELP\tNOT ASKED\tAN ADMIN IS READY")
	}
	t.sites++
	t.sum = t.sum.Plus(s.Counts)
	admin := "yes"
	switch {
	case s.Admins == 0:
		admin = "there is none"
		t.unproved++
	case !s.AdminProved:
		admin = "no"
		t.unproved++
	}
	_, err := fmt.Fprintf(t.table, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n", s.Site.Ref, s.Site.Name, s.Ready, s.WillManage, s.NeedsHelp, s.Exempt, admin)
	return err
}

func (t *readyTable) one(s readiness.Site) error {
	_, err := fmt.Fprintf(t.world.out, "%s (%s): %s\n\n", s.Site.Name, s.Site.Ref, getIn(s.Counts))
	_, _ = fmt.Fprintln(t.table, "NAME\tLOGIN\tGROUP\tREADINESS\tWHAT IS LACKING\tWHAT TO DO")
	for _, p := range s.People {
		lacks := ""
		if all := reason.Unready(p); len(all) > 0 {
			lacks = all[0]
		}
		_, _ = fmt.Fprintf(t.table, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Login, p.Group, reason.Mark(p.Mark), lacks, reason.Mend(p.Do))
	}
	return err
}

func (t *readyTable) end() error {
	err := t.table.Flush()
	if t.people {
		return err
	}
	_, printed := fmt.Fprintf(t.world.out, "\n%d sites: %s\n%d of them have no Admin who is sure to get in\n", t.sites, getIn(t.sum), t.unproved)
	return errors.Join(err, printed)
}

// getIn is the one number, of those who proved it, and how many others should.
func getIn(c readiness.Counts) string {
	need := "need"
	if c.NeedsHelp == 1 {
		need = "needs"
	}
	return fmt.Sprintf("%d of %d office members will get in, %d should, %d %s help", c.Ready, c.Office(), c.WillManage, c.NeedsHelp, need)
}
