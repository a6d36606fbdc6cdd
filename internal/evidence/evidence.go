// Package evidence makes the evidence pack: what an auditor asks of a product that is
// connected to Xero, read in one snapshot, dated and signed.
//
// It decides nothing and writes no row. Whether a site requires a second factor, and did on
// a day, is asked of the policy; who would get in, of readiness; what was signed in with, of
// the audit trail. So the pack cannot disagree with the product, and its totals are those of
// the database at its moment.
//
// A pack is three files: the pack as JSON, the same as a page to print, and a signature of
// both. It is read and written a site at a time: 3,000 sites fit in the memory of one.
package evidence

import (
	"context"
	"io"
	"iter"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/readiness"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

// Desk makes packs. All fields are set, but for those that say so.
type Desk struct {
	DB        *db.DB
	Keys      *secret.Keys
	Readiness readiness.Source
	// Vendor is the name of the vendor, Version that of the release.
	Vendor, Version string
	// KeepDays is for how many days audit events are kept at least; 0: for good.
	KeepDays int
	// Shared says how many logins of a site several people may use, that nobody has looked at.
	Shared func(ctx context.Context, from db.Reader, now time.Time, at site.Site) (int, error)
	// Extended says why a site was given more time, and what gave it; empty where it was not,
	// or nobody knows. May be nil.
	Extended func(ctx context.Context, from db.Reader, at id.Site) (reason, by string, err error)
	// Gated says whether the date of a site was moved because no Admin was sure to get in. nil
	// says of none.
	Gated func(ctx context.Context, from db.Reader, at id.Site) (bool, error)
	// Page writes a pack as a page to print. The sites can be gone through once.
	Page func(w io.Writer, p Pack, sites iter.Seq2[Site, error]) error
}

// Ask is which pack is made.
type Ask struct {
	// From and Until bound the period whose sign-ins are counted: from the one on, and before
	// the other. The zero Until is the moment of the snapshot, the zero From 12 months before
	// Until, for which the ATO's framework has logs kept.
	From, Until time.Time
	// Sites are those that the pack is about; nil stands for all.
	Sites []id.Site
	// Progress is told how many sites are read. May be nil.
	Progress func(sites int64)
}

// Out is where the files of a pack are written, and where its sites are kept meanwhile.
type Out struct {
	// Name is what the pack is called; it stands in the signature.
	Name string
	// Pack and Page are written one after the other, Signature last.
	Pack, Page, Signature io.Writer
	// Spool is an empty file of about the size of the pack. It is nobody's when Write is done.
	Spool io.ReadWriteSeeker
}

// Write makes a pack and writes its files. What it gives is the pack without its sites.
func (d *Desk) Write(ctx context.Context, ask Ask, out Out) (Pack, error) {
	lines := &spool{file: out.Spool}
	p, err := d.gather(ctx, ask, lines.put)
	if err != nil {
		return p, err
	}
	return p, d.write(p, lines, out)
}
