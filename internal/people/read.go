package people

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/fault"
)

// Bounds of a file. The longest field that means anything is a hash of 512 bytes.
const (
	maxRows   = 1_000_000
	maxField  = 4 << 10
	maxRecord = 64 << 10
)

// column is one that an import knows.
type column int

// The columns, the site's own first: these are merged over the rows of a site.
const (
	colSiteName column = iota
	colRegion
	colZone
	colXero
	colOrganisation
	colSMS
	colManager
	siteColumns // how many there are
)

// The other columns, in the order of the file's.
const (
	colSiteRef column = siteColumns + iota
	colUserRef
	colFirstName
	colLastName
	colEmail
	colMobile
	colGroup
	colKind
	colStatus
	colSales
	colIntelligence
	colHash
	columns // how many there are
)

// heading is a column as the file heads it, and whether every file has it.
type heading struct {
	name   string
	needed bool
}

var headings = [columns]heading{
	colSiteName: {"site_name", true}, colRegion: {"region", true}, colZone: {"timezone", true},
	// Without it a connected site would come in with no requirement, and nobody would see.
	colXero: {"xero_connected", true}, colOrganisation: {"xero_organisation", false},
	colSMS: {"sms_available", false}, colManager: {"account_manager", false},
	colSiteRef: {"site_ref", true}, colUserRef: {"user_ref", true},
	colFirstName: {"first_name", false}, colLastName: {"last_name", false},
	colEmail: {"email", true}, colMobile: {"mobile", false},
	colGroup: {"group", true}, colKind: {"kind", true}, colStatus: {"status", true},
	colSales: {"sales_dashboard", false}, colIntelligence: {"business_intelligence", false},
	colHash: {"password_hash", true},
}

// ignored are columns that are known and not read: a hint at a password is never kept.
var ignored = []string{"password_hint"}

// record is one row of the file, by its columns.
type record struct {
	line  int
	given []string
	at    *[columns]int
}

// get is what a column says; empty if the file does not have it.
func (r record) get(c column) string {
	if i := r.at[c]; i >= 0 {
		return r.given[i]
	}
	return ""
}

// file reads records.
type file struct {
	csv     *csv.Reader
	at      [columns]int
	unknown []string
	rows    int
}

// open reads the header. All errors of open and next are fault.Invalid with a line,
// unless the reader below failed.
func open(r io.Reader) (*file, error) {
	buffered := bufio.NewReader(r)
	if start, err := buffered.Peek(3); err == nil && bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(len(start)) // a byte order mark; the bytes are there
	}
	f := &file{csv: csv.NewReader(&guard{from: buffered, line: 1, began: 1})}
	f.csv.ReuseRecord = true
	first, err := f.fields()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the file is empty: %w", fault.Invalid)
	}
	if err != nil {
		return nil, err
	}
	return f, f.header(first)
}

func (f *file) header(first []string) error {
	if len(first) == 1 && strings.ContainsAny(first[0], ";\t") {
		return fmt.Errorf("line 1: the columns must be separated by commas: %w", fault.Invalid)
	}
	for c := range f.at {
		f.at[c] = -1
	}
	for i, head := range first {
		head = strings.ToLower(strings.TrimSpace(head))
		c := slices.IndexFunc(headings[:], func(h heading) bool { return h.name == head })
		switch {
		case c >= 0 && f.at[c] >= 0:
			return fmt.Errorf("line 1: there are two columns %s: %w", head, fault.Invalid)
		case c >= 0:
			f.at[c] = i
		case !slices.Contains(ignored, head):
			f.unknown = append(f.unknown, clip(head))
		}
	}
	var missing []string
	for c, h := range headings {
		if h.needed && f.at[c] < 0 {
			missing = append(missing, h.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("line 1: the file lacks the columns %s: %w", strings.Join(missing, ", "), fault.Invalid)
	}
	return nil
}

// next reads one record, which is good until the next call; io.EOF after the last.
func (f *file) next() (record, error) {
	given, err := f.fields()
	if err != nil {
		return record{}, err
	}
	line, _ := f.csv.FieldPos(0)
	if f.rows++; f.rows > maxRows {
		return record{}, fmt.Errorf("line %d: there are more than %d rows; cut the file between two sites: %w", line, maxRows, fault.Invalid)
	}
	return record{line: line, given: given, at: &f.at}, nil
}

func (f *file) fields() ([]string, error) {
	given, err := f.csv.Read()
	if err != nil {
		return nil, plain(err)
	}
	for i, field := range given {
		line, _ := f.csv.FieldPos(i)
		switch {
		case len(field) > maxField:
			return nil, fmt.Errorf("line %d: a field is longer than %d bytes: %w", line, maxField, fault.Invalid)
		case strings.ContainsRune(field, 0) || !utf8.ValidString(field):
			return nil, fmt.Errorf("line %d: this is not UTF-8 text; save the file as CSV UTF-8: %w", line, fault.Invalid)
		}
	}
	return given, nil
}

// plain says what is wrong with the CSV in words, and repeats nothing of it.
func plain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, fault.Invalid) {
		return err
	}
	wrong := (*csv.ParseError)(nil)
	if !errors.As(err, &wrong) {
		return fmt.Errorf("read the file: %w", err)
	}
	what := "a quote stands where none may be, or is not closed"
	if errors.Is(err, csv.ErrFieldCount) {
		what = "the number of columns is not that of the first line"
	}
	return fmt.Errorf("line %d: %s: %w", wrong.StartLine, what, fault.Invalid)
}

// guard bounds the length of a record before encoding/csv gathers it: behind a quote
// that is never closed it would keep the rest of the file in memory.
type guard struct {
	from   io.Reader
	line   int
	began  int // the line in which the record began
	size   int
	quoted bool
	err    error
}

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.from.Read(p)
	for i, b := range p[:n] {
		g.size++
		switch b {
		case '"':
			g.quoted = !g.quoted
		case '\n':
			g.line++
			if !g.quoted {
				g.began, g.size = g.line, 0
			}
		}
		if g.size > maxRecord {
			g.err = fmt.Errorf("line %d: the row is longer than %d bytes; perhaps a quote is not closed: %w", g.began, maxRecord, fault.Invalid)
			return i, g.err
		}
	}
	return n, err
}

// clip makes a text fit for a report: what can be seen of it, 64 characters at most.
func clip(s string) string {
	const most = 64
	out := make([]rune, 0, most)
	for _, r := range s {
		if !unicode.IsGraphic(r) || r == utf8.RuneError {
			continue
		}
		if len(out) == most {
			out[most-1] = '…'
			break
		}
		out = append(out, r)
	}
	return string(out)
}
