package e2e_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

// rowsOf reads a CSV file with a header.
func rowsOf(t *testing.T, path string) []map[string]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%s cannot be read: %v", path, err)
	}
	rows := make([]map[string]string, 0, len(all))
	for _, fields := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = fields[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// imported imports a file and gives what the command said and its report.
func imported(t *testing.T, p *e2etest.Product, file string, flags ...string) (said string, report []map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.csv")
	said = p.MustRun(t, append([]string{"import", file, "--report", path}, flags...)...)
	return said, rowsOf(t, path)
}

// counted says how many rows of a report there are of each verdict.
func counted(report []map[string]string) map[string]int {
	n := map[string]int{}
	for _, row := range report {
		n[row["verdict"]]++
	}
	return n
}

// thrice imports a file dry, in earnest and once more, which must change nothing before
// and after. It gives the report of the second run.
func thrice(t *testing.T, p *e2etest.Product, file string) []map[string]string {
	t.Helper()
	rows := len(rowsOf(t, file))
	empty := dump(t, p, everyTable)
	said, dry := imported(t, p, file, "--dry-run")
	if !strings.Contains(said, "nothing was written") || dump(t, p, everyTable) != empty {
		t.Errorf("a dry run wrote something, or does not say that it did not:\n%s", said)
	}
	said, report := imported(t, p, file)
	n := counted(report)
	if len(report) != rows || n["accepted"]+n["mended"]+n["refused"] != rows {
		t.Errorf("the report has %d rows, %v; the file has %d", len(report), n, rows)
	}
	if want := fmt.Sprintf("%d rows: %d accepted, %d mended, %d refused", rows, n["accepted"], n["mended"], n["refused"]); !strings.Contains(said, want) {
		t.Errorf("the command does not say %q:\n%s", want, said)
	}
	if d := counted(dry); fmt.Sprint(d) != fmt.Sprint(n) {
		t.Errorf("the dry run promised %v, and it came to %v", d, n)
	}
	full := dump(t, p, everyTable)
	said, again := imported(t, p, file)
	if after := dump(t, p, everyTable); after != full {
		t.Errorf("the second run changed the database:\n%s", changed(full, after))
	}
	if want := fmt.Sprintf("%d of them were here already", n["accepted"]+n["mended"]); !strings.Contains(said, want) {
		t.Errorf("the second run does not say %q:\n%s", want, said)
	}
	for i, row := range again {
		if row["verdict"] != report[i]["verdict"] {
			t.Errorf("line %s was %s, and the second time %s", row["line"], report[i]["verdict"], row["verdict"])
		}
	}
	return report
}

func TestEveryRowOfTheOwnSampleEndsAsItsLastColumnSays(t *testing.T) {
	t.Parallel()
	file := filepath.Join(e2etest.Root(t), "internal", "people", "testdata", "sample.csv")
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p := e2etest.NewProduct(t, url)
		report := thrice(t, p, file)
		for i, row := range rowsOf(t, file) {
			got := strings.TrimSpace(report[i]["verdict"] + " " + report[i]["reasons"])
			if got != row["expected"] {
				t.Errorf("line %s: the row ended as %q, and %q was expected", report[i]["line"], got, row["expected"])
			}
		}
	})
}

// legacyFile is the large sample, where it lies beside the repository.
func legacyFile(t *testing.T) string {
	t.Helper()
	for folder := e2etest.Root(t); ; folder = filepath.Dir(folder) {
		path := filepath.Join(folder, "shared", "data", "legacy-users.csv")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if folder == filepath.Dir(folder) {
			e2etest.Missing(t, "the sample export is not here")
		}
	}
}

func TestTheLegacyFileIsImportedAndItsPeopleSignIn(t *testing.T) {
	t.Parallel()
	file := legacyFile(t)
	dbtest.EachURL(t, func(t *testing.T, url string) {
		post := e2etest.StartMailpit(t)
		p := e2etest.NewProduct(t, url)
		p.Set("KEYTURN_SMTP_URL", post.URL)
		report := thrice(t, p, file)
		if len(report) != 732 {
			t.Errorf("the report has %d rows, and the file 732", len(report))
		}
		// A site is made unless all of its rows are refused; every one is accounted for.
		sites, shut := sitesOf(report)
		if list := p.MustRun(t, "site", "list", "--json"); strings.Count(list, "\n") != len(sites) || len(sites)+len(shut) != 120 {
			t.Errorf("the file has %d sites with a row that was taken and %d without; the list has %d", len(sites), len(shut), strings.Count(list, "\n"))
		}
		for _, ref := range shut {
			if said := p.MustRun(t, "import", file, "--dry-run"); !strings.Contains(said, ref) {
				t.Errorf("the command does not say that the site %s was not made:\n%s", ref, said)
			}
		}
		p.Start(t)
		for _, kind := range hashKinds {
			row := firstOf(t, rowsOf(t, file), report, kind)
			t.Logf("%s: line %s", kind.name, row["line"])
			email := strings.ToLower(strings.TrimSpace(row["email"]))
			v, before := p.Visitor(t), rehashedFrom(t, p, kind.form)
			v.Post(t, "/signin", "email", row["email"], "password", row["password_hint"]+"x").Is(t, http.StatusUnprocessableEntity)
			v.SignIn(t, post, email, row["password_hint"])
			if n := rehashedFrom(t, p, kind.form); n != before+1 {
				t.Errorf("%s: the trail has %d passwords rehashed from %s to argon2id, and had %d", kind.name, n, kind.form, before)
			}
			p.Visitor(t).SignIn(t, post, email, row["password_hint"])
		}
		if n := e2etest.Count(p.Trail(t), "password.rehashed"); n != len(hashKinds) {
			t.Errorf("%d passwords were rehashed; once for each of %d people is enough", n, len(hashKinds))
		}
		p.MustRun(t, "audit", "verify")
	})
}

// rehashedFrom counts the passwords that were rehashed from a form to argon2id.
func rehashedFrom(t *testing.T, p *e2etest.Product, form string) int {
	t.Helper()
	n := 0
	for _, e := range p.Trail(t) {
		if e.Kind == "password.rehashed" && e.Facts["from"] == form && e.Facts["to"] == "argon2id" {
			n++
		}
	}
	return n
}

// sitesOf are the sites of a report with a row that was taken, and those without.
func sitesOf(report []map[string]string) (made, shut []string) {
	for _, row := range report {
		if ref := row["site_ref"]; row["verdict"] != "refused" && !slices.Contains(made, ref) {
			made = append(made, ref)
		}
	}
	for _, row := range report {
		if ref := row["site_ref"]; !slices.Contains(made, ref) && !slices.Contains(shut, ref) {
			shut = append(shut, ref)
		}
	}
	return made, shut
}

// hashKind is one of the forms of hash in the large sample.
type hashKind struct {
	name, form string
	is         func(hash string) bool
}

var hashKinds = []hashKind{
	{"bcrypt", "bcrypt", func(h string) bool { return strings.HasPrefix(h, "$2") }},
	{"PBKDF2 as Django writes it", "pbkdf2", func(h string) bool { return strings.HasPrefix(h, "pbkdf2_sha256$") }},
	{"ASP.NET Identity v2", "aspnet-v2", func(h string) bool {
		return strings.HasPrefix(h, "A") && !strings.HasPrefix(h, "AQAAAA") && len(h) == 68
	}},
	{"ASP.NET Identity v3 with SHA-256", "aspnet-v3", func(h string) bool { return strings.HasPrefix(h, "AQAAAAEA") }},
	{"ASP.NET Identity v3 with SHA-512", "aspnet-v3", func(h string) bool { return strings.HasPrefix(h, "AQAAAAIA") }},
}

// firstOf is the first row of a kind whose user can sign in with a code: taken, active,
// in the office of a connected site, with an address that mail reaches.
func firstOf(t *testing.T, rows, report []map[string]string, kind hashKind) map[string]string {
	t.Helper()
	i := slices.IndexFunc(rows, func(row map[string]string) bool { return kind.is(row["password_hash"]) && canGetMail(row) })
	for ; i >= 0 && i < len(rows); i++ {
		if kind.is(rows[i]["password_hash"]) && canGetMail(rows[i]) && report[i]["verdict"] != "refused" {
			rows[i]["line"] = report[i]["line"]
			return rows[i]
		}
	}
	t.Fatalf("the file has nobody with a hash of %s who can sign in", kind.name)
	return nil
}

func canGetMail(row map[string]string) bool {
	return row["kind"] == "office" && row["status"] == "Active" && row["xero_connected"] == "yes" &&
		strings.HasSuffix(strings.TrimSpace(row["email"]), ".example") && row["password_hint"] != ""
}
