package people

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
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
// sentences. A spreadsheet takes no cell for a formula.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{to: w}
	out := csv.NewWriter(counted)
	if err := out.Write([]string{"line", "site_ref", "user_ref", "verdict", "reasons", "notes"}); err != nil {
		return counted.n, fmt.Errorf("write the report: %w", err)
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		keys, texts := make([]string, len(row.Notes)), make([]string, len(row.Notes))
		for n, note := range row.Notes {
			keys[n], texts[n] = string(note.Key), note.Text
		}
		if err := out.Write([]string{
			strconv.Itoa(row.Line), cell(row.SiteRef), cell(row.UserRef), string(row.Verdict),
			strings.Join(keys, " "), cell(strings.Join(texts, " ")),
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

// cell keeps a spreadsheet from calculating a text (OWASP, CSV injection).
func cell(text string) string {
	if first := strings.TrimLeft(text, " "); first != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(first)[0]) {
		return "'" + text
	}
	return text
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
