package evidence

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Refused is why something was not done; empty if it was. Nothing was changed.
type Refused string

// The refusals.
const (
	// NotFresh says that the member of staff must prove again who they are.
	NotFresh Refused = "not_fresh"
	// NoSite says that no site is given to them.
	NoSite Refused = "no_site"
	// TooMany says that more are given to them than one answer holds; the command line has no
	// such limit.
	TooMany Refused = "too_many"
	// WrongPeriod says that it ends before it begins.
	WrongPeriod Refused = "period"
)

// MostSites is how many sites a pack of the console holds: what is read while somebody
// waits. The command line has no limit.
const MostSites = 200

// Take records that a member of staff makes a pack of the sites that are given to them, in
// the trail of each, and gives what to ask for: those sites and no others. It takes a fresh
// proof. fault.NotFound for whoever is not staff.
func (d *Desk) Take(ctx context.Context, by authority.Bearer, ask Ask) (_ Ask, refused Refused, err error) {
	if !ask.From.IsZero() && !ask.Until.IsZero() && !ask.From.Before(ask.Until) {
		return ask, WrongPeriod, nil
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if ask.Sites, refused, err = d.may(ctx, tx, by); err != nil || refused != "" {
			return err
		}
		return d.note(ctx, tx, by.Actor(), ask)
	})
	if err != nil {
		return ask, "", fmt.Errorf("take evidence: %w", err)
	}
	return ask, refused, nil
}

func (d *Desk) may(ctx context.Context, tx *db.Tx, by authority.Bearer) ([]id.Site, Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return nil, "", err
	}
	given, err := authority.GivenTo(ctx, tx, tx.Now, by.User, authority.GivenQuery{Limit: MostSites + 1})
	switch {
	case err != nil:
		return nil, "", err
	case len(given) == 0:
		return nil, NoSite, nil
	case len(given) > MostSites:
		return nil, TooMany, nil
	}
	fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Readiness.Standing, by)
	if err != nil {
		return nil, "", err
	}
	if !fresh {
		return nil, NotFresh, nil
	}
	sites := make([]id.Site, len(given))
	for i, g := range given {
		sites[i] = g.Site.ID
	}
	return sites, "", nil
}

// Given says how many sites are given to a member of staff, MostSites+1 where there are more
// than that. fault.NotFound for whoever is not staff.
func (d *Desk) Given(ctx context.Context, by authority.Bearer) (int, error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return 0, err
	}
	given, err := authority.GivenTo(ctx, d.DB, now, by.User, authority.GivenQuery{Limit: MostSites + 1})
	return len(given), err
}

// Zip writes the three files of a pack as one. What is kept meanwhile is in the system's
// folder for such files, and is removed.
func (d *Desk) Zip(ctx context.Context, ask Ask, name string, w io.Writer) (_ Pack, err error) {
	spool, err := os.CreateTemp("", "keyturn-evidence-*")
	if err != nil {
		return Pack{}, fmt.Errorf("keep the sites of a pack: %w", err)
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	all := zip.NewWriter(w)
	file := func(end string) io.Writer { return &entry{in: all, name: name + end} }
	p, err := d.Write(ctx, ask, Out{Name: name, Pack: file(""), Page: file(".html"), Signature: file(".sig"), Spool: spool})
	if err != nil {
		return p, err
	}
	if err := all.Close(); err != nil {
		return p, fmt.Errorf("write the pack: %w", err)
	}
	return p, nil
}

// entry is a file of an archive that begins with its first byte: those of an archive are
// written one after the other.
type entry struct {
	in   *zip.Writer
	name string
	out  io.Writer
}

// Write implements io.Writer.
func (e *entry) Write(b []byte) (n int, err error) {
	if e.out == nil {
		if e.out, err = e.in.Create(e.name); err != nil {
			return 0, err
		}
	}
	return e.out.Write(b)
}
