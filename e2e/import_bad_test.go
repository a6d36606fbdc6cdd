package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

const header = "site_ref,user_ref,site_name,region,timezone,xero_connected,first_name,last_name,email,group,kind,status,password_hash\n"

const goodRow = "S1,U1,Bayside Auto,AU,Australia/Brisbane,yes,Pat,Ng,pat@bayside.example,Admin,office,Active,\n"

func TestAMalformedFileIsRefusedWithItsLineAndNothingIsDone(t *testing.T) {
	t.Parallel()
	files := map[string]struct {
		text string
		says []string
	}{
		"an empty file":               {"", []string{"empty"}},
		"a column less":               {strings.Replace(header, ",status", "", 1) + strings.Replace(goodRow, ",Active", "", 1), []string{"line 1", "status"}},
		"a column twice":              {strings.Replace(header, "first_name", "email", 1) + goodRow, []string{"line 1", "email"}},
		"semicolons":                  {strings.ReplaceAll(header+goodRow, ",", ";"), []string{"line 1", "commas"}},
		"a row that is short":         {header + goodRow + "S1,U2\n", []string{"line 3"}},
		"a row that is long":          {header + goodRow + strings.TrimSpace(goodRow) + ",x,y\n", []string{"line 3"}},
		"a quote that is not closed":  {header + goodRow + `S1,U2,"Bayside` + "\n" + goodRow, []string{"line 3", "quote"}},
		"a quote inside a field":      {header + goodRow + strings.Replace(goodRow, "Pat", `Pa"t`, 1), []string{"line 3", "quote"}},
		"another encoding":            {header + goodRow + strings.Replace(goodRow, "Ng", "Ngu\xfen", 1), []string{"line 3", "UTF-8"}},
		"a NUL":                       {header + strings.Replace(goodRow, "Ng", "N\x00g", 1), []string{"line 2"}},
		"a field of a megabyte":       {header + goodRow + strings.Replace(goodRow, "Ng", strings.Repeat("N", 1<<20), 1), []string{"line 3"}},
		"a spreadsheet and not a CSV": {"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", []string{"line 1"}},
	}
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p := e2etest.NewProduct(t, url)
		empty := dump(t, p, everyTable)
		for name, f := range files {
			path := filepath.Join(t.TempDir(), "people.csv")
			if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
				t.Fatal(err)
			}
			said := p.Run(t, "import", path)
			refused(t, said, 1, f.says...)
			if strings.Contains(said.Err, "Pat") || len(said.Err) > 400 {
				t.Errorf("%s: the sentence repeats the file: %.600s", name, said.Err)
			}
			if after := dump(t, p, everyTable); after != empty {
				t.Fatalf("%s: something was done:\n%s", name, changed(empty, after))
			}
		}
	})
}

func TestAHashOfUnknownFormOrAbsurdCostRefusesItsRowAlone(t *testing.T) {
	t.Parallel()
	const salt, sum = "MDEyMzQ1Njc4OWFiY2RlZg", "ksnN4TEpV0MqkgO+yravfq/t2G3sCOyZeR0M/EAyJAQ"
	hashes := map[string]string{
		"MD5": "5f4dcc3b5aa765d61d8327deb882cf99", "plain text": "Spanner22", "unknown crypt": "$9$abc$def", "NTLM": "8846F7EAEE8FB117AD06BDD830B7586C",
		"bcrypt, cost 31":     "$2b$31$k9p3iHNzTpR8zDHmpq94G.ME/gBcQNDpsFZrKw3cCtGV80CUFOJqm",
		"bcrypt, cut":         "$2b$10$k9p3iHNzTpR8zDHmpq94G",
		"argon2id, 4 GiB":     "$argon2id$v=19$m=4194304,t=1,p=1$" + salt + "$" + sum,
		"argon2id, for years": "$argon2id$v=19$m=19456,t=4000000000,p=1$" + salt + "$" + sum,
		"argon2i":             "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + sum,
		"PBKDF2, a billion":   "pbkdf2_sha256$1000000000$saltofdjango$50M8Ty3kl9cS5abeKRwYFRNQghO+Xawl8VZn06iX1k0=",
		"PBKDF2, none":        "pbkdf2_sha256$0$saltofdjango$50M8Ty3kl9cS5abeKRwYFRNQghO+Xawl8VZn06iX1k0=",
		"PBKDF2, below none":  "pbkdf2_sha256$-1$saltofdjango$50M8Ty3kl9cS5abeKRwYFRNQghO+Xawl8VZn06iX1k0=",
		"scrypt, 64 GiB":      "$scrypt$ln=26,r=8,p=1$" + salt + "$" + sum,
		"scrypt, wide":        "$scrypt$ln=4,r=1073741824,p=1$" + salt + "$" + sum,
		"ASP.NET, absurd":     "AQAAAAL/////AAAAEDAxMjM0NTY3ODlhYmNkZWaxk0YdWi7oHBJ0VLUrDAyczYWx9hbYTIWYbfDZwo3lrw==",
	}
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p := e2etest.NewProduct(t, url)
		rows := []e2etest.Row{{Ref: "good", Email: e2etest.TwinPat, Xero: "no", Site: "S9"}}
		for name, hash := range hashes {
			rows = append(rows, e2etest.Row{Ref: name, Site: "S9", Xero: "no", Email: fmt.Sprintf("u%d@tyres.example", len(rows)), Hash: hash})
		}
		_, report := imported(t, p, e2etest.WriteRoster(t, rows))
		for _, row := range report {
			if row["user_ref"] == "good" {
				if row["verdict"] != "accepted" {
					t.Errorf("the row beside is %s: %s", row["verdict"], row["notes"])
				}
				continue
			}
			if row["verdict"] != "refused" || row["reasons"] != "bad_hash" || row["notes"] == "" {
				t.Errorf("%s: the row is %s (%s) %s", row["user_ref"], row["verdict"], row["reasons"], row["notes"])
			}
			if strings.Contains(row["notes"], hashes[row["user_ref"]]) {
				t.Errorf("%s: the report repeats the hash", row["user_ref"])
			}
		}
		p.Start(t)
		p.Visitor(t).Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password).Leads(t, "/me")
	})
}

func TestAnImportNeverMergesPeople(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p, _ := installed(t, url)
		_, report := imported(t, p, e2etest.WriteRoster(t, []e2etest.Row{
			{Site: "S7", Ref: "U70", Email: strings.ToUpper(e2etest.Pat), First: "Pat", Last: "Ng"},
			{Site: "S7", Ref: "U71", Email: "new@seven.example"},
			{Site: "S7", Ref: "U72", Email: " New@Seven.example "},
		}))
		if got := report[0]; got["verdict"] != "refused" || !strings.Contains(got["notes"], "U1") || !strings.Contains(got["notes"], e2etest.Connected) {
			t.Errorf("a name that another user holds is %s: %s", got["verdict"], got["notes"])
		}
		if report[1]["verdict"] != "accepted" || report[2]["verdict"] != "refused" || !strings.Contains(report[2]["notes"], "Line 3") {
			t.Errorf("of two rows with one name: %v and %v", report[1], report[2])
		}
	})
}

func TestAReportThatCannotBeWrittenStopsTheImport(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p := e2etest.NewProduct(t, url)
		empty := dump(t, p, everyTable)
		file := e2etest.WriteRoster(t, e2etest.Crew())
		refused(t, p.Run(t, "import", file, "--report", filepath.Join(p.Folder, "none", "report.csv")), 1, "report")
		if after := dump(t, p, everyTable); after != empty {
			t.Errorf("the import went on without a report:\n%s", changed(empty, after))
		}
	})
}
