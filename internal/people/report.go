package people

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"keyturn/internal/sheet"
)

// Report is how the rows of a file ended, in the order of the file.
type Report struct {
	Rows []Row
	// Unknown are columns of the file that an import does not know and left alone.
	Unknown []string
	// NoAdmin are the references of the sites in which no active Admin is.
	NoAdmin []string
	// NotMade are the references of the sites that are not in the database and will not
	// be, because all of their rows are refused.
	NotMade []string
	// Connects are the references of the sites that are here and become connected to Xero
	// by this run.
	Connects []string
	// NewConnected is how many sites are made that are connected to Xero.
	NewConnected int

	places []*place
}

// Sum counts the verdicts. The three numbers add up to the number of rows.
func (r *Report) Sum() (accepted, mended, refused int) {
	for i := range r.Rows {
		switch r.Rows[i].Verdict {
		case Accepted:
			accepted++
		case Mended:
			mended++
		case Refused:
			refused++
		}
	}
	return accepted, mended, refused
}

// Here counts the rows that the database had before.
func (r *Report) Here() int {
	n := 0
	for i := range r.Rows {
		if r.Rows[i].Here {
			n++
		}
	}
	return n
}

// Summary is the report in a few lines, for a terminal.
func (r *Report) Summary() []string {
	accepted, mended, refused := r.Sum()
	lines := []string{
		fmt.Sprintf("%d rows: %d accepted, %d mended, %d refused", len(r.Rows), accepted, mended, refused),
	}
	if n := r.Here(); n > 0 {
		lines = append(lines, fmt.Sprintf("%d of them were here already and are left as they are", n))
	}
	lines = append(lines, r.reasons()...)
	if n := r.count(func(row *Row) bool { return row.Stuck }); n > 0 {
		lines = append(lines, fmt.Sprintf("people who are asked for a code that cannot reach them (can_pass is no in the report), and do not get in until their email is put right: %d", n))
	}
	if n := r.count(func(row *Row) bool { return row.has(NoPassword) }); n > 0 {
		lines = append(lines, fmt.Sprintf("people who have no password yet, and cannot sign in until one is set: %d", n))
	}
	if len(r.Connects) > 0 {
		lines = append(lines, "sites that become connected to Xero, where 2FA is asked from then on: "+strings.Join(r.Connects, ", ")) // each of them: nobody asked for it by hand
	}
	if r.NewConnected > 0 {
		lines = append(lines, fmt.Sprintf("new sites that are connected to Xero, where 2FA is asked from the import on: %d", r.NewConnected))
	}
	if len(r.NoAdmin) > 0 {
		lines = append(lines, "sites without an active Admin: "+several(r.NoAdmin))
	}
	if len(r.NotMade) > 0 {
		lines = append(lines, "sites that are not made, because all of their rows are refused: "+several(r.NotMade))
	}
	if len(r.Unknown) > 0 {
		lines = append(lines, "unknown columns, left alone: "+several(r.Unknown))
	}
	return lines
}

// count counts the rows of a kind.
func (r *Report) count(of func(*Row) bool) int {
	n := 0
	for i := range r.Rows {
		if of(&r.Rows[i]) {
			n++
		}
	}
	return n
}

func (r *Row) has(key Key) bool {
	return slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Key == key })
}

// reasons is a small table of how many rows each note stands in, the most frequent
// first.
func (r *Report) reasons() []string {
	rows := make(map[Key]int)
	for i := range r.Rows {
		notes := r.Rows[i].Notes
		for n, note := range notes {
			if !slices.ContainsFunc(notes[:n], func(o Note) bool { return o.Key == note.Key }) {
				rows[note.Key]++
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b Key) int {
		return cmp.Or(cmp.Compare(rows[b], rows[a]), cmp.Compare(a, b))
	})
	lines := make([]string, 0, len(keys))
	for _, key := range keys {
		lines = append(lines, fmt.Sprintf("  %6d  %s", rows[key], key))
	}
	return lines
}

// several lists the first of many.
func several(names []string) string {
	const most = 20
	shown := names[:min(len(names), most)]
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// WriteTo writes the report as CSV, with one line a row: where it stands in the file,
// its references, the verdict, the keys of the notes separated by spaces, and their
// sentences; then, of a row that is taken, the name as the file has it, and the status,
// the site's connection and whether the person can pass as they are after the import. A
// spreadsheet takes no cell for a formula.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{to: w}
	out := csv.NewWriter(counted)
	if err := out.Write([]string{"line", "site_ref", "user_ref", "verdict", "reasons", "notes", "name", "status", "xero", "can_pass"}); err != nil {
		return counted.n, fmt.Errorf("write the report: %w", err)
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		keys, texts := make([]string, len(row.Notes)), make([]string, len(row.Notes))
		for n, note := range row.Notes {
			keys[n], texts[n] = string(note.Key), note.Text
		}
		if err := out.Write([]string{
			strconv.Itoa(row.Line), sheet.Cell(row.SiteRef), sheet.Cell(row.UserRef), string(row.Verdict),
			strings.Join(keys, " "), sheet.Cell(strings.Join(texts, " ")),
			sheet.Cell(row.name()), row.state(), row.xero(), row.canPass(),
		}); err != nil {
			return counted.n, fmt.Errorf("write the report: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return counted.n, fmt.Errorf("write the report: %w", err)
	}
	return counted.n, nil
}

type counter struct {
	to io.Writer
	n  int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// What the report says of a person who is taken; nothing of one who is refused.

func (r *Row) name() string {
	if r.refused() {
		return ""
	}
	return strings.TrimSpace(r.draft.first + " " + r.draft.last)
}

func (r *Row) state() string {
	if r.refused() {
		return ""
	}
	return string(r.status)
}

func (r *Row) xero() string {
	switch {
	case r.refused():
		return ""
	case r.draft.at.willConnect():
		return "connected"
	default:
		return "not connected"
	}
}

func (r *Row) canPass() string {
	switch {
	case r.refused():
		return ""
	case r.Stuck:
		return "no"
	default:
		return "yes"
	}
}
