package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

func TestAWrongSettingIsRefusedWithASentenceThatNamesIt(t *testing.T) {
	t.Parallel()
	keys := func(t *testing.T, p *e2etest.Product, change func(path string, raw []byte) error) {
		t.Helper()
		path := p.Get("KEYTURN_KEYS_FILE")
		raw, err := os.ReadFile(path)
		if err == nil {
			err = change(path, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, p *e2etest.Product)
		says  []string
	}{
		"a keys file that is not there": {func(t *testing.T, p *e2etest.Product) {
			t.Helper()
			keys(t, p, func(path string, _ []byte) error { return os.Remove(path) })
		}, []string{"keyturn.keys", "no such file", "keyturn init"}},
		"a keys file that was cut short": {func(t *testing.T, p *e2etest.Product) {
			t.Helper()
			keys(t, p, func(path string, raw []byte) error { return os.WriteFile(path, raw[:len(raw)/2], 0o600) })
		}, []string{"keyturn.keys", "cut short"}},
		"an empty keys file": {func(t *testing.T, p *e2etest.Product) {
			t.Helper()
			keys(t, p, func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) })
		}, []string{"keyturn.keys", "empty"}},
		"a keys file that others can read": {func(t *testing.T, p *e2etest.Product) {
			t.Helper()
			keys(t, p, func(path string, _ []byte) error { return os.Chmod(path, 0o644) })
		}, []string{"chmod 600"}},
		"no database":                {unset("KEYTURN_DATABASE_URL"), []string{"KEYTURN_DATABASE_URL"}},
		"no relay":                   {unset("KEYTURN_SMTP_URL"), []string{"KEYTURN_SMTP_URL"}},
		"no sender":                  {unset("KEYTURN_MAIL_FROM"), []string{"KEYTURN_MAIL_FROM"}},
		"no address for browsers":    {unset("KEYTURN_PUBLIC_URL"), []string{"KEYTURN_PUBLIC_URL"}},
		"a name that is no setting":  {set("KEYTURN_FROBNICATE", "yes"), []string{"KEYTURN_FROBNICATE", "not a setting"}},
		"a slip in a name":           {set("KEYTURN_SMTP_ULR", "x"), []string{"KEYTURN_SMTP_ULR", "KEYTURN_SMTP_URL"}},
		"an unknown database":        {set("KEYTURN_DATABASE_URL", "mysql://localhost/keyturn"), []string{"KEYTURN_DATABASE_URL", "sqlite:", "postgres://"}},
		"plain http for the world":   {set("KEYTURN_PUBLIC_URL", "http://signin.vendor.example"), []string{"KEYTURN_PUBLIC_URL", "https"}},
		"a path behind the address":  {set("KEYTURN_PUBLIC_URL", "https://vendor.example/signin"), []string{"KEYTURN_PUBLIC_URL", "path"}},
		"a port beyond all":          {set("KEYTURN_ADDR", "127.0.0.1:99999"), []string{"KEYTURN_ADDR"}},
		"a relay without TLS":        {set("KEYTURN_SMTP_URL", "smtp://mail.vendor.example?tls=none"), []string{"KEYTURN_SMTP_URL", "tls=none"}},
		"a proxy that is everybody":  {set("KEYTURN_TRUSTED_PROXIES", "0.0.0.0/0"), []string{"KEYTURN_TRUSTED_PROXIES"}},
		"a proxy that is no address": {set("KEYTURN_TRUSTED_PROXIES", "nginx"), []string{"KEYTURN_TRUSTED_PROXIES"}},
		"no hash slot":               {set("KEYTURN_HASH_SLOTS", "0"), []string{"KEYTURN_HASH_SLOTS"}},
		"a sender with a name":       {set("KEYTURN_MAIL_FROM", "Us <us@vendor.example>"), []string{"KEYTURN_MAIL_FROM"}},
		"a moved clock for the world": {func(_ *testing.T, p *e2etest.Product) {
			p.Set("KEYTURN_PUBLIC_URL", "https://signin.vendor.example")
			p.Set("KEYTURN_CLOCK_OFFSET", "1h")
		}, []string{"KEYTURN_CLOCK_OFFSET", "loopback"}},
		"short codes for the world": {func(_ *testing.T, p *e2etest.Product) {
			p.Set("KEYTURN_ADDR", "0.0.0.0:18999")
			p.Set("KEYTURN_CODE_LIFETIME", "5s")
		}, []string{"KEYTURN_CODE_LIFETIME", "loopback"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := e2etest.NewProduct(t, dbtest.Fresh(t, "sqlite"))
			before := dump(t, p, everyTable)
			url := p.Get("KEYTURN_DATABASE_URL")
			c.spoil(t, p)
			refused(t, p.Run(t, "serve"), 1, c.says...)
			p.Set("KEYTURN_DATABASE_URL", url)
			if after := dump(t, p, everyTable); after != before {
				t.Errorf("a refused start changed the database:\n%s", changed(before, after))
			}
		})
	}
}

func everyTable(string) bool { return true }

func unset(name string) func(*testing.T, *e2etest.Product) { return set(name, "") }

func set(name, value string) func(*testing.T, *e2etest.Product) {
	return func(_ *testing.T, p *e2etest.Product) { p.Set(name, value) }
}

// refused fails the test unless a command ended so, with a sentence on what is wrong and
// nothing that a person cannot use.
func refused(t *testing.T, said e2etest.Said, code int, words ...string) {
	t.Helper()
	if said.Code != code {
		t.Errorf("the command ended with %d, not %d:\n%s%s", said.Code, code, said.Out, said.Err)
	}
	for _, w := range words {
		if !strings.Contains(said.Err, w) {
			t.Errorf("the command does not say %q:\n%s", w, said.Err)
		}
	}
	for _, never := range []string{"panic", "goroutine", "runtime error", "%!"} {
		if strings.Contains(said.Err, never) {
			t.Errorf("the command says %q:\n%s", never, said.Err)
		}
	}
}

func TestADatabaseKeepsTheKeysThatItWasFirstStartedWith(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p, _ := installed(t, url)
		p.Start(t)
		p.Stop(t)
		other := e2etest.NewProduct(t, url)
		refused(t, other.Run(t, "serve"), 1, "keys", "do not belong to this database")
		p.Start(t)
	})
}

func TestInitNeverWritesOverKeys(t *testing.T) {
	t.Parallel()
	p := e2etest.NewProduct(t, dbtest.Fresh(t, "sqlite"))
	before, err := os.ReadFile(p.Get("KEYTURN_KEYS_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, p.Run(t, "init", p.Folder), 1, "never overwritten")
	after, err := os.ReadFile(p.Get("KEYTURN_KEYS_FILE"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the keys were changed (%v)", err)
	}
	info, err := os.Stat(p.Get("KEYTURN_KEYS_FILE"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys have the rights %v (%v)", info.Mode(), err)
	}
}

func TestANewerReleasesDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p, _ := installed(t, url)
		mustExec(t, clientOf(t, p), `UPDATE meta SET value = '999' WHERE name = 'oldest_schema'`)
		before := dump(t, p, everyTable)
		file := e2etest.WriteRoster(t, []e2etest.Row{{Email: "new@bayside.example"}})
		for _, args := range [][]string{
			{"serve"}, {"serve", "--migrate"}, {"migrate", "up"}, {"import", file}, {"site", "connect", e2etest.Twin}, {"audit", "export"}, {"audit", "verify"},
		} {
			refused(t, p.Run(t, args...), 1, "newer release")
		}
		if said := p.MustRun(t, "migrate", "status"); !strings.Contains(said, "newer release") {
			t.Errorf("the status does not tell:\n%s", said)
		}
		if after := dump(t, p, everyTable); after != before {
			t.Errorf("a release that is too old changed the database:\n%s", changed(before, after))
		}
	})
}

func TestWrongUsageEndsWithTwo(t *testing.T) {
	t.Parallel()
	p := e2etest.NewProduct(t, dbtest.Fresh(t, "sqlite"))
	for _, args := range [][]string{
		{"frobnicate"},
		{"serve", "--no-such-flag"},
		{"import"},
		{"import", filepath.Join(p.Folder, "none.csv")},
		{"site", "add"},
		{"site", "add", "--ref", "S9", "--name", "Nine", "--timezone", "Mars/Olympus"},
		{"migrate", "sideways"},
		{},
		{"demo", "--addr", "0.0.0.0:0"},
		{"demo", "--addr", ":0"},
		{"demo", "--addr", "192.0.2.1:8080"},
		{"demo", "--addr", "example.com:80"},
	} {
		refused(t, p.Run(t, args...), 2)
	}
	if p.MustRun(t, "version") == "" || !strings.Contains(p.MustRun(t, "--help"), "serve") {
		t.Error("version and help say nothing")
	}
}
