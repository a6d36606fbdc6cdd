package trail

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Format is the form of a copy.
type Format string

// The forms.
const (
	// CSV is for a spreadsheet, in words.
	CSV Format = "csv"
	// JSONL is the signed export that verifies (audit.VerifyFile).
	JSONL Format = "jsonl"
)

// Take records that an admin takes a copy of their site's trail, so that the copy itself
// tells of it. fresh is false, and nothing is recorded, if the admin's proof is older than
// policy.FreshFor. fault.NotFound for whoever is no admin of the site of their session.
func (d *Desk) Take(ctx context.Context, by authority.Bearer, form Format) (fresh bool, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		fresh = false
		at, err := authority.Admin(ctx, tx, tx.Now, by)
		if err != nil {
			return err
		}
		if fresh, err = authority.Fresh(ctx, tx, tx.Now, d.Standing, by); err != nil || !fresh {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.AuditExported, Actor: by.Actor(), Site: at.Site, Facts: map[string]string{"form": string(form)},
		})
	})
	return fresh, err
}

// WriteJSONL writes a site's whole trail as the signed export.
func (d *Desk) WriteJSONL(ctx context.Context, w io.Writer, at id.Site) error {
	return audit.Export(ctx, d.DB, w, at, d.Keys.CheckpointSigner())
}

// csvPage is how many events are read at once, so that a long trail takes no more memory
// than a short one.
const csvPage = 200

// Heading and Row make a line of a copy in words; each cell must be fit for a spreadsheet
// (package sheet).
type Heading []string

// Rows puts a page of events into the cells of a heading, a row each.
type Rows func(context.Context, []audit.Entry) ([][]string, error)

// WriteCSV writes a site's whole trail as CSV (RFC 4180), the newest first. Events that
// are recorded meanwhile are not in it.
func (d *Desk) WriteCSV(ctx context.Context, w io.Writer, at id.Site, head Heading, rows Rows) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(head); err != nil {
		return fmt.Errorf("write the trail: %w", err)
	}
	for f := (audit.Filter{Site: at}); ; {
		page, err := audit.List(ctx, d.DB, f, csvPage)
		if err != nil {
			return err
		}
		cells, err := rows(ctx, page)
		if err != nil {
			return err
		}
		if err := out.WriteAll(cells); err != nil { // it flushes
			return fmt.Errorf("write the trail: %w", err)
		}
		if len(page) < csvPage {
			return nil
		}
		f.Before = page[len(page)-1].Place
	}
}

// People are everybody whom some events name as actor or subject, each once.
func People(all []audit.Entry) []id.User {
	var people []id.User
	add := func(who id.User) {
		if who != "" && !slices.Contains(people, who) {
			people = append(people, who)
		}
	}
	for _, e := range all {
		add(e.User)
		if e.Actor.Kind == audit.ActorUser || e.Actor.Kind == audit.ActorStaff {
			add(id.User(e.Actor.ID))
		}
	}
	return people
}
