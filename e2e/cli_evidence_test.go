package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

// evidence is what the test reads of a pack.
type evidence struct {
	Totals struct {
		Listed  int               `json:"sites_listed"`
		SignIns struct{ All int } `json:"sign_ins"`
	}
	Sites []struct {
		Ref     string
		SignIns struct {
			All     int
			Passed  int            `json:"second_factor"`
			Levels  map[string]int `json:"by_acr"`
			Without int            `json:"without_second_factor"`
		} `json:"sign_ins"`
	}
}

func TestTheEvidenceOfASignInIsMadeOnceAndVerifiedOffline(t *testing.T) {
	t.Parallel()
	lived(t, func(t *testing.T, p *e2etest.Product) {
		file := filepath.Join(p.Folder, "evidence.json")
		said := p.Run(t, "evidence", "--out", file)
		if said.Code != 0 || said.Err != "" || !strings.Contains(said.Out, "without a second factor at an enforced site: 0") {
			t.Fatalf("evidence ended with %d:\n%s%s", said.Code, said.Out, said.Err)
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var pack evidence
		if err := json.Unmarshal(whole, &pack); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, s := range pack.Sites {
			if s.Ref == e2etest.Connected {
				found = true
				if s.SignIns.All != 1 || s.SignIns.Passed != 1 || s.SignIns.Levels["urn:keyturn:2"] != 1 || s.SignIns.Without != 0 {
					t.Errorf("the one sign-in by an email code is %+v", s.SignIns)
				}
			}
		}
		if !found || pack.Totals.SignIns.All != 1 || len(pack.Sites) != pack.Totals.Listed {
			t.Errorf("the pack is of %d sites: %+v", len(pack.Sites), pack.Totals)
		}
		for _, name := range []string{file, file + ".html"} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), e2etest.Pat) || strings.Contains(string(text), e2etest.Password) {
				t.Errorf("%s holds an address in clear", filepath.Base(name))
			}
		}
		if events := p.MustRun(t, "audit", "export"); !strings.Contains(events, `"kind":"evidence.made"`) {
			t.Error("that evidence was made does not stand in the trail")
		}

		again := p.Run(t, "evidence", "--out", file)
		if after, err := os.ReadFile(file); again.Code != 1 || err != nil || string(after) != string(whole) || !strings.Contains(again.Err, "not written over") {
			t.Errorf("making it again ended with %d: %s", again.Code, again.Err)
		}
		other := filepath.Join(p.Folder, "other.json")
		if err := os.WriteFile(other+".html", []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := p.Run(t, "evidence", "--out", other); said.Code != 1 {
			t.Errorf("a page that is there ended with %d", said.Code)
		}
		if _, err := os.Stat(other); err == nil {
			t.Error("a pack that failed was left behind")
		}
		if mine, err := os.ReadFile(other + ".html"); err != nil || string(mine) != "mine" {
			t.Errorf("the page that was there is %q, %v", mine, err)
		}
		for _, wrong := range [][]string{{"evidence"}, {"evidence", "--out", other, "--from", "yesterday"}, {"evidence", "--out", other, "--from", "2026-02-01", "--until", "2026-01-01"}} {
			if said := p.Run(t, wrong...); said.Code != 2 {
				t.Errorf("%v ended with %d", wrong, said.Code)
			}
		}

		// The auditor has neither our settings, nor our database, nor our keys.
		key := strings.TrimSpace(p.MustRun(t, "audit", "key"))
		auditor := e2etest.NewProduct(t, "sqlite:"+filepath.Join(t.TempDir(), "none.db"))
		for _, name := range []string{"KEYTURN_DATABASE_URL", "KEYTURN_KEYS_FILE", "KEYTURN_PUBLIC_URL", "KEYTURN_SMTP_URL"} {
			auditor.Set(name, "")
		}
		auditor.MustRun(t, "evidence", "verify", file, "--key", key)
		auditor.MustRun(t, "evidence", "verify", file+".html", "--key", key)
		stranger := strings.TrimSpace(e2etest.NewProduct(t, dbtest.Fresh(t, "sqlite")).MustRun(t, "audit", "key"))
		if said := auditor.Run(t, "evidence", "verify", file, "--key", stranger); said.Code != 1 || !strings.Contains(said.Err, "not signed by the key") {
			t.Errorf("another installation's key ended with %d: %s", said.Code, said.Err)
		}
		if said := auditor.Run(t, "evidence", "verify", file, "--key", "no key"); said.Code != 2 {
			t.Errorf("a key that is none ended with %d", said.Code)
		}
		forged := strings.Replace(string(whole), `"second_factor":1`, `"second_factor":2`, 1)
		if forged == string(whole) {
			t.Fatal("the test forges nothing")
		}
		if err := os.WriteFile(file, []byte(forged), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := auditor.Run(t, "evidence", "verify", file, "--key", key); said.Code != 1 || !strings.Contains(said.Err, "changed, added or left out") {
			t.Errorf("a forged pack ended with %d: %s%s", said.Code, said.Out, said.Err)
		}
	})
}
