package balance

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/sheet"
)

// EntryKind is what an entry tells of. The words stand in statements that were given
// away, so they are never renamed.
type EntryKind string

// The kinds of entry. Parts are what the kind moves: Charged takes them from the account,
// Opened, ToppedUp and Refunded bring them, Held and Released move them within.
const (
	Opened   EntryKind = "opening"
	ToppedUp EntryKind = "topup"
	Held     EntryKind = "hold"
	Charged  EntryKind = "charge"
	Released EntryKind = "release"
	Refunded EntryKind = "refund"
)

// Entry is one line of a site's statement.
type Entry struct {
	// No is 1 for the opening, and goes on without a gap.
	No   int64
	Kind EntryKind
	// Parts is never negative: the kind says which way.
	Parts int
	// AvailableAfter and HeldAfter are how the account stood then.
	AvailableAfter, HeldAfter int
	// Hold is what was held or settled; empty for an opening and a top-up.
	Hold id.Hold
	// User is whom the message was for, or who topped up.
	User id.User
	// ByName is who topped up, in words.
	ByName string
	// Reference is that of a top-up. Of a charge it is empty, or NoAnswer, or says how
	// many parts of how many were taken.
	Reference string
	At        time.Time
}

// Statement gives a site's entries, the newest first: those with a number below before,
// or from the newest on with 0, limit at most.
func Statement(ctx context.Context, from db.Reader, which id.Site, before int64, limit int) ([]Entry, error) {
	all, err := page(ctx, from, which, before, limit)
	if err != nil {
		return nil, fmt.Errorf("the SMS statement: %w", err)
	}
	return all, nil
}

func page(ctx context.Context, from db.Reader, which id.Site, no int64, limit int) ([]Entry, error) {
	if no <= 0 {
		no = math.MaxInt64
	}
	return before(ctx, from, which, no, limit)
}

// csvPage is how many entries are read at once, so that a long statement takes no more
// memory than a short one.
const csvPage = 500

// WriteCSV writes a site's whole statement as CSV (RFC 4180), the newest first, with the
// times in the given zone. Entries that are made meanwhile are not in it.
func WriteCSV(ctx context.Context, from db.Reader, which id.Site, w io.Writer, zone *time.Location) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write([]string{"no", "at", "kind", "parts", "available", "held", "who", "by", "reference"}); err != nil {
		return fmt.Errorf("write the SMS statement: %w", err)
	}
	for no := int64(0); ; {
		entries, err := Statement(ctx, from, which, no, csvPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := out.Write(e.row(zone)); err != nil {
				return fmt.Errorf("write the SMS statement: %w", err)
			}
			no = e.No
		}
		out.Flush()
		if err := out.Error(); err != nil {
			return fmt.Errorf("write the SMS statement: %w", err)
		}
		if len(entries) < csvPage || no == 1 {
			return nil
		}
	}
}

func (e Entry) row(zone *time.Location) []string {
	return []string{
		strconv.FormatInt(e.No, 10), e.At.In(zone).Format(time.RFC3339), string(e.Kind), strconv.Itoa(e.Parts),
		strconv.Itoa(e.AvailableAfter), strconv.Itoa(e.HeldAfter), sheet.Cell(string(e.User)), sheet.Cell(e.ByName), sheet.Cell(e.Reference),
	}
}

// Use is how many parts were charged for one person.
type Use struct {
	User  id.User
	Parts int
}

// usersMost is how many people a list of use has.
const usersMost = 1000

// UseSince says for whom parts were charged since then, less what was refunded: the
// most first, 1,000 people at most.
func UseSince(ctx context.Context, from db.Reader, which id.Site, since time.Time) ([]Use, error) {
	all, err := useSince(ctx, from, which, since, usersMost)
	if err != nil {
		return nil, fmt.Errorf("the use of SMS: %w", err)
	}
	return all, nil
}
