package people

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/standing"
)

// Import brings in the sites and users of a host product.
type Import struct {
	DB *db.DB
	// RealDomains are domains that count as real although they are reserved, with their
	// subdomains: "example" in tests and with sample data.
	RealDomains []string
	// Countries are those whose mobiles get codes, in two letters; without any, no
	// mobile number is taken.
	Countries []string
	// Standing is how the facts of those who are here already are read; give it what
	// sign-in has, so that both judge alike.
	Standing standing.Source
	// Progress, when set, is told now and then how many rows of all are done. It is
	// called by Write, between transactions.
	Progress func(done, total int)
}

// Judge reads the whole file and decides every row, with what the database has now. It
// writes nothing.
//
// A file that is not CSV in UTF-8, lacks a column, or has a field beyond all measure is
// fault.Invalid with the line, and nothing of it is judged. At most 1,000,000 rows are
// read.
func (i *Import) Judge(ctx context.Context, from io.Reader) (*Report, error) {
	f, err := open(from)
	if err != nil {
		return nil, err
	}
	j := &judging{
		im: i, places: make(map[string]*place),
		zones: make(map[string]*time.Location), regions: make(map[string]bool),
	}
	for {
		in, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("judge an import: %w", err)
		}
		j.row(in)
	}
	if err := j.ask(ctx); err != nil {
		return nil, fmt.Errorf("judge an import: %w", err)
	}
	j.settle()
	report := &Report{Rows: j.rows, Unknown: f.unknown, places: j.order}
	j.sites(report)
	if err := j.reach(ctx); err != nil {
		return nil, fmt.Errorf("judge an import: %w", err)
	}
	return report, nil
}

// ask reads what the database has of the file's sites and login names. The names come
// first: who is found by name has a membership, and what is read afterwards has it too,
// even when another import writes meanwhile. The other way round a person would be
// refused for having their own name.
func (j *judging) ask(ctx context.Context) (err error) {
	logins := make(map[address.Canonical]bool)
	for i := range j.rows {
		if d := j.rows[i].draft; d != nil {
			logins[d.login] = true
		}
	}
	if j.holders, err = holdersOf(ctx, j.im.DB, j.im.DB.Clock.Now(), logins); err != nil {
		return fmt.Errorf("look for the login names: %w", err)
	}
	refs := make([]string, 0, len(j.order))
	for _, p := range j.order {
		refs = append(refs, p.ref)
	}
	there, err := sitesByRef(ctx, j.im.DB, refs)
	if err != nil {
		return fmt.Errorf("look for the sites: %w", err)
	}
	known := make([]string, 0, len(there))
	for _, p := range j.order {
		if s, ok := there[p.ref]; ok {
			p.there = &s
			known = append(known, p.ref)
		}
	}
	if j.members, err = membersOf(ctx, j.im.DB, known); err != nil {
		return fmt.Errorf("look for the memberships: %w", err)
	}
	return nil
}
