package config_test

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"keyturn/internal/config"
	"keyturn/internal/fault"
)

func TestTheTemplateIsAGoodConfiguration(t *testing.T) {
	t.Parallel()
	c := load(t, nil, nil, conf(t, config.Template()))
	if err := c.ForDatabase(); err != nil {
		t.Error(err)
	}
	if c.PublicURL == nil || c.KeysFile == "" {
		t.Error("a first try has no public URL or keys")
	}
	for _, name := range []string{"KEYTURN_SMTP_URL", "KEYTURN_MAIL_FROM"} {
		if err := c.ForServe(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is made up", name)
		}
	}
}

func TestTheTemplateWithEveryCommentTakenAwayIsGood(t *testing.T) {
	t.Parallel()
	all := regexp.MustCompile(`(?m)^#(KEYTURN_[A-Z_]+=)`).ReplaceAllString(config.Template(), "$1")
	c := load(t, nil, nil, conf(t, all))
	if err := c.ForServe(); err != nil {
		t.Error(err)
	}
	for name := range good {
		if !strings.Contains(all, "\nKEYTURN_"+name+"=") {
			t.Errorf("KEYTURN_%s is not in the template", name)
		}
	}
	if n := len(c.Redacted()); n != len(good)+3 {
		t.Errorf("%d settings are shown, and %d given", n, len(good)+3)
	}
}

func TestAFileMayHaveCommentsBlankLinesAndSpaces(t *testing.T) {
	t.Parallel()
	const lines = "\ufeff# head\r\n\r\n  # more\n KEYTURN_VENDOR_NAME = Workshop = Software \r\n\tKEYTURN_VENDOR_ACCENT=#16458c\n\nKEYTURN_ADDR=127.0.0.1:1"
	c := load(t, nil, nil, conf(t, lines))
	if c.VendorName != "Workshop = Software" || c.VendorAccent != "#16458c" || c.Addr != "127.0.0.1:1" {
		t.Errorf("got %q, %q, %q", c.VendorName, c.VendorAccent, c.Addr)
	}
}

func TestABadLineIsNamedByItsNumber(t *testing.T) {
	t.Parallel()
	rows := map[string]struct{ lines, where, says string }{
		"no equals sign":        {"# a\nKEYTURN_ADDR 127.0.0.1:1\n", "line 2 of", "no ="},
		"a secret alone":        {"s3cr3t-alone\n", "line 1 of", "no ="},
		"no name":               {"\n\n=s3cr3t\n", "line 3 of", "no name"},
		"quotation marks":       {"KEYTURN_VENDOR_NAME=\"s3cr3t\"\n", "line 1 of", "quotation mark"},
		"single ones":           {"KEYTURN_VENDOR_NAME='s3cr3t'\n", "line 1 of", "quotation mark"},
		"a comment behind":      {"KEYTURN_ADDR=127.0.0.1:1 # s3cr3t\n", "line 1 of", "line of its own"},
		"a name twice":          {"KEYTURN_ADDR=127.0.0.1:1\nKEYTURN_ADDR=127.0.0.1:1\n", "(line 2 of", "given twice"},
		"an unknown name":       {"\nKEYTURN_ADRR=127.0.0.1:1\n", "KEYTURN_ADRR (line 2 of", "is KEYTURN_ADDR meant?"},
		"a name without prefix": {"ADDR=127.0.0.1:1\n", "(line 1 of", "is KEYTURN_ADDR meant?"},
		"a name in small type":  {"keyturn_addr=127.0.0.1:1\n", "(line 1 of", "is KEYTURN_ADDR meant?"},
		"an export":             {"export KEYTURN_ADDR=127.0.0.1:1\n", "(line 1 of", "is not a setting"},
		"a secret as a name":    {"s3cr3tAQ==\n", "an unknown name (line 1 of", "is not a setting"},
		"a test's own name":     {"KEYTURN_TEST_REQUIRE=all\n", "KEYTURN_TEST_REQUIRE (line 1 of", "environment only"},
		"an empty value":        {"KEYTURN_ADDR=\n", "KEYTURN_ADDR (line 1 of", "is empty"},
		"a wrong value":         {"#\nKEYTURN_HASH_SLOTS=s3cr3t\n", "KEYTURN_HASH_SLOTS (line 2 of", "from 1 to 256"},
		"not UTF-8":             {"KEYTURN_VENDOR_NAME=\xff\n", "line 1 of", "UTF-8"},
		"a zero byte":           {"KEYTURN_VENDOR_NAME=a\x00b\n", "KEYTURN_VENDOR_NAME (line 1 of", "cannot be seen"},
		"old line ends":         {"KEYTURN_VENDOR_NAME=a\rKEYTURN_ADDR=b\n", "KEYTURN_VENDOR_NAME (line 1 of", "cannot be seen"},
		"a long value":          {"KEYTURN_VENDOR_NAME=" + strings.Repeat("a", 9000), "KEYTURN_VENDOR_NAME (line 1 of", "8 KiB"},
		"a large file":          {strings.Repeat("# s3cr3t\n", 9000), "the configuration file", "larger than"},
	}
	for name, row := range rows {
		_, err := config.Load(nil, nil, conf(t, row.lines))
		refused(t, name, err, row.where, row.says)
	}
	_, err := config.Load(nil, nil, filepath.Join(t.TempDir(), "none.conf"))
	refused(t, "a missing file", err, "none.conf", "is not there")
	_, err = config.Load(nil, nil, t.TempDir())
	refused(t, "a folder", err, "the configuration file", "is not a file")
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	path := conf(t, "KEYTURN_HASH_SLOTS=0\nnonsense\nKEYTURN_ADRR=x\n")
	c, err := config.Load(map[string]string{"KEYTURN_LOG_LEVEL": "loud"}, environ("PUBLIC_URL", "ftp://x", "HASH_SLOTS", "-", "GRACES", "1m"), path)
	if err == nil || c.PublicURL != nil || c.Addr != "" {
		t.Fatalf("accepted, or half of it given: %v", err)
	}
	for _, name := range []string{"HASH_SLOTS (line 1", "line 2 of", "ADRR (line 3", "LOG_LEVEL (command line)", "PUBLIC_URL (environment)", "KEYTURN_GRACES (environment) is not a setting; is KEYTURN_GRACE meant?"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not in\n%v", name, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 6 {
		t.Errorf("%d lines:\n%v", n, err)
	}
}

func FuzzAFileIsReadOrRefusedAndNeverRepeated(f *testing.F) {
	f.Add("KEYTURN_ADDR=127.0.0.1:1\n")
	f.Add(config.Template())
	f.Add("KEYTURN_SMTP_URL=smtp://u:qZ9xqZ9x@h\nKEYTURN_ADDR=\n")
	f.Add("\ufeffqZ9xqZ9x\n='")
	f.Add("KEYTURN_TRUSTED_PROXIES=::/0\r\nKEYTURN_PUBLIC_URL=https://[::1%25a]:1\n")
	f.Add("KEYTURN_DATABASE_URL=postgres://a:b@c/d\nKEYTURN_SMS_URL=twilio://a:b@?base=http://x\n")
	f.Fuzz(func(t *testing.T, lines string) {
		c, err := config.Load(nil, nil, conf(t, lines))
		if err != nil {
			if !errors.Is(err, fault.Invalid) || strings.Contains(err.Error(), "qZ9xqZ9x") {
				t.Fatalf("another kind of error, or a value in it: %v", err)
			}
			return
		}
		if c.Addr == "" || c.VendorName == "" || c.LogFormat == "" || len(c.SMSCountries) == 0 {
			t.Fatal("accepted without its defaults")
		}
		if c.PublicURL != nil && (c.PublicURL.Host == "" || c.PublicURL.Path != "") {
			t.Fatalf("a public URL of %s", c.PublicURL)
		}
		for _, p := range c.TrustedProxies {
			if p.Bits() == 0 {
				t.Fatal("everybody is a proxy")
			}
		}
	})
}
