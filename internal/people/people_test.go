package people_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/people"
	"keyturn/internal/user"
)

// sample is the invented file: the column "expected" says of each row how it ends.
func sample(tb testing.TB) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "sample.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// legacy is the large sample that is shared between projects, where it is.
func legacy(tb testing.TB) []byte {
	tb.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		raw, err := os.ReadFile(filepath.Join(dir, "shared", "data", "legacy-users.csv"))
		if err == nil {
			return raw
		}
	}
	if os.Getenv("KEYTURN_TEST_REQUIRE") == "all" {
		tb.Fatal("the sample export is not here, and KEYTURN_TEST_REQUIRE=all demands it")
	}
	tb.Skip("the sample export is not here")
	return nil
}

// columnsOf gives the rows of a file as maps, in its order.
func columnsOf(tb testing.TB, raw []byte) []map[string]string {
	tb.Helper()
	all, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff")))).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var rows []map[string]string
	for _, given := range all[1:] {
		row := make(map[string]string)
		for i, head := range all[0] {
			row[head] = given[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func importer(d *db.DB) *people.Import {
	return &people.Import{DB: d, RealDomains: []string{"example"}, Countries: []string{"AU", "NZ", "GB", "US"}}
}

func judged(tb testing.TB, d *db.DB, raw []byte) *people.Report {
	tb.Helper()
	report, err := importer(d).Judge(tb.Context(), bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	return report
}

func imported(tb testing.TB, d *db.DB, raw []byte) *people.Report {
	tb.Helper()
	report := judged(tb, d, raw)
	if err := importer(d).Write(tb.Context(), report); err != nil {
		tb.Fatal(err)
	}
	return report
}

func keys(r people.Row) (all []string) {
	for _, note := range r.Notes {
		all = append(all, string(note.Key))
	}
	return all
}

// ended is a row's verdict and the keys of its notes in alphabetical order.
func ended(r people.Row) string {
	all := keys(r)
	slices.Sort(all)
	return strings.Join(append([]string{string(r.Verdict)}, all...), " ")
}

// file makes a CSV of the columns that every file has, and some more. A row lists what
// differs from an ordinary one.
func file(rows ...map[string]string) []byte {
	heads := []string{
		"site_ref", "user_ref", "site_name", "region", "timezone", "xero_connected", "xero_organisation", "first_name", "last_name",
		"email", "mobile", "group", "kind", "status", "password_hash",
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(heads)
	for _, row := range rows {
		given := make([]string, len(heads))
		for i, head := range heads {
			given[i] = map[string]string{
				"site_ref": "S1", "user_ref": "U1", "site_name": "Bayside", "region": "AU", "timezone": "Australia/Brisbane",
				"xero_connected": "no", "first_name": "Pat", "last_name": "Nguyen", "email": "pat@bayside.example",
				"group": "Admin", "kind": "office", "status": "Active",
			}[head]
			if other, ok := row[head]; ok {
				given[i] = other
			}
		}
		_ = w.Write(given)
	}
	w.Flush()
	return out.Bytes()
}

var tables = []string{
	"sites", "users", "memberships", "integrations", "methods", "epochs",
	"audit_heads", "audit_events", "audit_hashes", "audit_personal",
}

// counts says how many rows each table has.
func counts(tb testing.TB, d *db.DB) map[string]int64 {
	tb.Helper()
	all := make(map[string]int64)
	for _, table := range tables {
		n, err := db.One(tb.Context(), d, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
		if err != nil {
			tb.Fatal(err)
		}
		all[table] = n
	}
	return all
}

// state is all that an import made, without the ids, times and salts of one run.
func state(tb testing.TB, d *db.DB) []string {
	tb.Helper()
	var all []string
	for _, text := range []string{
		`SELECT 'site ' || ref || ' ' || name || ' ' || region || ' ' || time_zone || ' ' || CAST(sms_available AS TEXT) || ' ' || account_manager FROM sites`,
		`SELECT 'member ' || s.ref || ' ' || m.user_ref || ' ' || u.login || ' ' || u.first_name || ' ' || u.last_name || ' ' || u.password || ' '
		        || m.member_group || ' ' || m.kind || ' ' || m.status
		   FROM memberships m JOIN sites s ON s.site_id = m.site_id JOIN users u ON u.user_id = m.user_id`,
		`SELECT 'xero ' || s.ref || ' ' || i.state || ' ' || i.by_name || ' ' || i.organisation FROM integrations i JOIN sites s ON s.site_id = i.site_id`,
		`SELECT 'method ' || u.login || ' ' || m.kind || ' ' || m.address || ' ' || COALESCE(CAST(m.proved_at AS TEXT), 'unproved')
		   FROM methods m JOIN users u ON u.user_id = m.user_id`,
		`SELECT 'event ' || kind || ' ' || COALESCE(s.ref, '') FROM audit_events e JOIN sites s ON s.site_id = e.site_id`,
	} {
		rows, err := db.Many(tb.Context(), d, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, text)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, rows...)
	}
	slices.Sort(all)
	return all
}

func userOf(tb testing.TB, d *db.DB, typed string) user.User {
	tb.Helper()
	login, err := address.Login(typed)
	if err != nil {
		tb.Fatal(err)
	}
	who, err := user.ByLogin(tb.Context(), d, login)
	if err != nil {
		tb.Fatalf("find who signs in by that name: %v", err)
	}
	return who
}

func mustBe(tb testing.TB, err, kind error) {
	tb.Helper()
	if !errors.Is(err, kind) {
		tb.Fatalf("got %v; want %v", err, kind)
	}
}
