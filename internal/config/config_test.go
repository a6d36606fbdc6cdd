package config_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/config"
	"keyturn/internal/fault"
)

// good is an environment in which everything is given.
var good = map[string]string{
	"DATABASE_URL":       "postgres://keyturn:s3cr3t-db@db.example.com:5432/keyturn?sslmode=verify-full",
	"PUBLIC_URL":         "https://signin.example.com",
	"ADDR":               "0.0.0.0:8443",
	"METRICS_ADDR":       "127.0.0.1:9090",
	"KEYS_FILE":          "/etc/keyturn/keyturn.keys",
	"SMTP_URL":           "smtp://mailer:s3cr3t-mail@mail.example.com:587?tls=required,smtps://other:s3cr3t-two@mail2.example.com",
	"MAIL_FROM":          "no-reply@signin.example.com",
	"SMS_URL":            "twilio://AC123:s3cr3t-sms@?from=Keyturn&base=https://sms.example.com,webhook+https://hooks.example.com/sms?secret=s3cr3t-hook",
	"SMS_BUY_URL":        "https://vendor.example/buy-sms",
	"SMS_COUNTRIES":      "AU,NZ",
	"MAIL_HOOK_SECRET":   "whsec_s3cr3t-hook-of-mail",
	"MAIL_CANARY":        "canary@signin.example.com",
	"XERO_CLIENT_ID":     "0123456789ABCDEF",
	"XERO_CLIENT_SECRET": "s3cr3t-xero",
	"XERO_BASE_URL":      "http://127.0.0.1:8090/",
	"XERO_POLL":          "5m",
	"TRUSTED_PROXIES":    "10.0.0.5, 10.1.0.0/24,fd00::/8",
	"REAL_DOMAINS":       "example,Intranet.Example.com",
	"VENDOR_NAME":        "Workshop Software",
	"VENDOR_SUPPORT":     "support@vendor.example, 07 5550 0142",
	"VENDOR_ACCENT":      "#16458c",
	"LOG_LEVEL":          "warn",
	"LOG_FORMAT":         "json",
	"HASH_SLOTS":         "4",
	"CHECKPOINT_DIR":     "/var/lib/keyturn/checkpoints",
	"AUDIT_KEEP":         "500",
}

// environ is the good environment with changes: pairs of a name and its value. An
// absent value is written as "-".
func environ(changes ...string) []string {
	all := maps.Clone(good)
	for i := 0; i+1 < len(changes); i += 2 {
		all[changes[i]] = changes[i+1]
	}
	var list []string
	for name, v := range all {
		if v != "-" {
			list = append(list, "KEYTURN_"+name+"="+v)
		}
	}
	return append(list, "PATH=/bin", "HOME=/root", "KEYTURN_TEST_REQUIRE=all")
}

func load(t *testing.T, flags map[string]string, environ []string, file string) config.Config {
	t.Helper()
	c, err := config.Load(flags, environ, file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEverySettingIsRead(t *testing.T) {
	t.Parallel()
	c := load(t, nil, environ(), "")
	if c.DatabaseURL.Reveal() != good["DATABASE_URL"] || c.SMTPURL.Reveal() != good["SMTP_URL"] ||
		c.SMSURL.Reveal() != good["SMS_URL"] || c.XeroClientSecret.Reveal() != good["XERO_CLIENT_SECRET"] ||
		c.MailHookSecret.Reveal() != good["MAIL_HOOK_SECRET"] {
		t.Error("a secret is not what was given")
	}
	if c.PublicURL.String() != "https://signin.example.com" {
		t.Errorf("the public URL is %v", c.PublicURL)
	}
	got := fmt.Sprint(c.Addr, " ", c.MetricsAddr, " ", c.KeysFile, " ", c.MailFrom, " ", c.SMSCountries, " ", c.SMSBuyURL, " ", c.MailCanary, " ", c.XeroClientID, " ",
		c.XeroBaseURL, " ", c.RealDomains, " ", c.VendorName, " ", c.VendorSupport, " ", c.VendorAccent, " ", c.LogFormat, " ", c.HashSlots, " ", c.XeroPoll)
	want := "0.0.0.0:8443 127.0.0.1:9090 /etc/keyturn/keyturn.keys no-reply@signin.example.com [AU NZ] https://vendor.example/buy-sms canary@signin.example.com 0123456789ABCDEF " +
		"http://127.0.0.1:8090 [example intranet.example.com] Workshop Software support@vendor.example, 07 5550 0142 #16458c json 4 5m0s"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	wantProxies := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("fd00::/8"),
	}
	if !slices.Equal(c.TrustedProxies, wantProxies) || c.LogLevel != slog.LevelWarn {
		t.Errorf("proxies %v, level %v", c.TrustedProxies, c.LogLevel)
	}
	if err := errors.Join(c.ForServe(), c.ForDatabase()); err != nil {
		t.Error(err)
	}
}

func TestWithNothingGivenTheDefaultsHold(t *testing.T) {
	t.Parallel()
	c := load(t, nil, nil, "")
	got := fmt.Sprint(c.Addr, " ", c.SMSCountries, " ", c.VendorName, " ", c.LogLevel, " ", c.LogFormat, " ", c.HashSlots, c.ClockOffset, c.CodeLifetime, c.Grace)
	if want := "127.0.0.1:8080 [AU NZ GB US] Keyturn INFO text 0 0s 0s 0s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if c.DatabaseURL.Reveal() != "" || c.PublicURL != nil || c.MetricsAddr != "" || len(c.TrustedProxies) != 0 {
		t.Error("something is there that was not given")
	}
}

func TestServingSaysAtOnceAllThatItNeeds(t *testing.T) {
	t.Parallel()
	c := load(t, nil, nil, "")
	needed := []string{"KEYTURN_DATABASE_URL", "KEYTURN_PUBLIC_URL", "KEYTURN_KEYS_FILE", "KEYTURN_SMTP_URL", "KEYTURN_MAIL_FROM"}
	err := c.ForServe()
	for _, name := range needed {
		if err == nil || !strings.Contains(err.Error(), name+" is not given, and is needed to serve; for example ") {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
	if !errors.Is(err, fault.Invalid) || strings.Count(err.Error(), "\n") != len(needed)-1 {
		t.Errorf("the error is %v", err)
	}
	if err := c.ForDatabase(); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "KEYTURN_DATABASE_URL") || strings.Contains(err.Error(), "\n") {
		t.Errorf("for the database: %v", err)
	}
	for _, name := range needed {
		short := strings.TrimPrefix(name, "KEYTURN_")
		err := load(t, nil, environ(short, "-"), "").ForServe()
		if err == nil || !strings.HasPrefix(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestFlagsGoBeforeTheEnvironmentAndThatBeforeTheFile(t *testing.T) {
	t.Parallel()
	path := conf(t, "KEYTURN_ADDR=127.0.0.1:1\nKEYTURN_VENDOR_NAME=File\nKEYTURN_LOG_LEVEL=debug\nKEYTURN_SMTP_URL=smtp://file.example.com\n")
	flags := map[string]string{"KEYTURN_ADDR": "127.0.0.1:3"}
	env := []string{
		"KEYTURN_ADDR=127.0.0.1:2", "KEYTURN_VENDOR_NAME=Environment",
		"KEYTURN_SMTP_URL_FILE=" + text(t, "smtp://secretfile.example.com\n"),
	}
	c := load(t, flags, env, path)
	if c.Addr != "127.0.0.1:3" || c.VendorName != "Environment" || c.LogLevel != slog.LevelDebug {
		t.Errorf("got %s, %s, %s", c.Addr, c.VendorName, c.LogLevel)
	}
	if c.SMTPURL.Reveal() != "smtp://secretfile.example.com" {
		t.Error("the environment's file does not go before the file's value")
	}
	flags["KEYTURN_SMTP_URL"] = "smtp://flag.example.com"
	if c := load(t, flags, env, path); c.SMTPURL.Reveal() != "smtp://flag.example.com" {
		t.Error("a flag does not go before the environment's file")
	}
}

func TestASecretIsReadFromItsFile(t *testing.T) {
	t.Parallel()
	const url = "smtp://u:s3cr3t@mail.example.com"
	for name, content := range map[string]string{
		"as it is": url, "a line break": url + "\n", "one of Windows": url + "\r\n",
	} {
		c := load(t, nil, []string{"KEYTURN_SMTP_URL_FILE=" + text(t, content)}, "")
		if c.SMTPURL.Reveal() != url {
			t.Errorf("%s: it was read as something else", name)
		}
	}
	dir := t.TempDir()
	rows := map[string]struct {
		path, says string
	}{
		"missing":         {filepath.Join(dir, "none"), "is not there"},
		"a folder":        {dir, "is not a file"},
		"below a file":    {filepath.Join(text(t, url), "x"), "cannot be read"},
		"empty":           {text(t, ""), "is empty"},
		"a line break":    {text(t, "\n"), "is empty"},
		"two line breaks": {text(t, url+"\n\n"), "cannot be seen"},
		"two lines":       {text(t, url+"\nmore"), "cannot be seen"},
		"large":           {text(t, strings.Repeat("s3cr3t", 20_000)), "larger than"},
		"no UTF-8":        {text(t, "s3cr3t\xff"), "UTF-8"},
	}
	for name, row := range rows {
		_, err := config.Load(nil, []string{"KEYTURN_SMTP_URL_FILE=" + row.path}, "")
		refused(t, name, err, "KEYTURN_SMTP_URL_FILE", row.says)
	}
}

func TestBothFormsOfASecretInOneSourceAreAnError(t *testing.T) {
	t.Parallel()
	at := text(t, "sqlite:a.db")
	for _, name := range []string{"KEYTURN_DATABASE_URL", "KEYTURN_SMTP_URL", "KEYTURN_SMS_URL", "KEYTURN_XERO_CLIENT_SECRET"} {
		both := map[string]string{name: "s3cr3t", name + "_FILE": at}
		lines := name + "=s3cr3t\n" + name + "_FILE=" + at + "\n"
		_, flags := config.Load(both, nil, "")
		_, env := config.Load(nil, strings.Split(strings.TrimSpace(lines), "\n"), "")
		_, file := config.Load(nil, nil, conf(t, lines))
		for where, err := range map[string]error{"flags": flags, "environment": env, "file": file} {
			refused(t, name+" in "+where, err, name, "both given")
		}
	}
	_, err := config.Load(nil, []string{"KEYTURN_KEYS_FILE_FILE=" + at}, "")
	refused(t, "a path is no secret", err, "KEYTURN_KEYS_FILE_FILE", "is not a setting")
}

func TestPathsInAFileBeginAtItsFolder(t *testing.T) {
	t.Parallel()
	path := conf(t, "KEYTURN_DATABASE_URL=sqlite:data/k.db\nKEYTURN_KEYS_FILE=k.keys\nKEYTURN_SMTP_URL_FILE=smtp\n")
	dir := filepath.Dir(path)
	if err := os.WriteFile(filepath.Join(dir, "smtp"), []byte("smtp://mail.example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, nil, nil, path)
	if c.DatabaseURL.Reveal() != "sqlite:"+filepath.Join(dir, "data/k.db") || c.KeysFile != filepath.Join(dir, "k.keys") ||
		c.SMTPURL.Reveal() != "smtp://mail.example.com" {
		t.Errorf("got %s, %s", c.DatabaseURL.Reveal(), c.KeysFile)
	}
	c = load(t, nil, nil, conf(t, "KEYTURN_DATABASE_URL=sqlite:///var/k.db\nKEYTURN_KEYS_FILE=/etc/k.keys\n"))
	if c.DatabaseURL.Reveal() != "sqlite:///var/k.db" || c.KeysFile != "/etc/k.keys" {
		t.Errorf("got %s, %s", c.DatabaseURL.Reveal(), c.KeysFile)
	}
	c = load(t, nil, []string{"KEYTURN_DATABASE_URL=sqlite:k.db", "KEYTURN_KEYS_FILE=k.keys"}, "")
	if c.DatabaseURL.Reveal() != "sqlite:k.db" || c.KeysFile != "k.keys" {
		t.Errorf("got %s, %s", c.DatabaseURL.Reveal(), c.KeysFile)
	}
}

func TestSettingsForTestsOfTimeNeedLoopback(t *testing.T) {
	t.Parallel()
	local := []string{"PUBLIC_URL", "http://localhost:8080", "ADDR", "127.0.0.1:8080"}
	c := load(t, nil, environ(append(local, "CLOCK_OFFSET", "24h", "CODE_LIFETIME", "5s", "GRACE", "1m")...), "")
	if c.ClockOffset != 24*time.Hour || c.CodeLifetime != 5*time.Second || c.Grace != time.Minute {
		t.Errorf("got %v, %v, %v", c.ClockOffset, c.CodeLifetime, c.Grace)
	}
	places := map[string][]string{
		"a public address":             {"ADDR", "127.0.0.1:8080"},
		"a listener for all":           {"PUBLIC_URL", "http://localhost:8080"},
		"a listener with no host":      {"PUBLIC_URL", "http://localhost:8080", "ADDR", ":8080"},
		"a listener in the network":    {"PUBLIC_URL", "http://127.0.0.1:8080", "ADDR", "10.0.0.1:8080"},
		"no public address":            {"PUBLIC_URL", "-", "ADDR", "127.0.0.1:8080"},
		"a name that only looks local": {"PUBLIC_URL", "https://localhost.example.com", "ADDR", "127.0.0.1:8080"},
	}
	for name, at := range places {
		for setting, v := range map[string]string{"CLOCK_OFFSET": "24h", "CODE_LIFETIME": "5s", "GRACE": "1m"} {
			_, err := config.Load(nil, environ(append(slices.Clone(at), setting, v)...), "")
			refused(t, name, err, "KEYTURN_"+setting, "loopback")
		}
	}
}

func TestNoSecretIsInAListing(t *testing.T) {
	t.Parallel()
	c := load(t, nil, environ(), "")
	list := strings.Join(c.Redacted(), "\n")
	quiet(t, list)
	quiet(t, fmt.Sprintf("%v %+v %#v", c, c, c))
	for _, line := range []string{
		"KEYTURN_DATABASE_URL=postgres://[secret]", "KEYTURN_SMTP_URL=[secret]", "KEYTURN_SMS_URL=[secret]", "KEYTURN_XERO_CLIENT_SECRET=[secret]",
		"KEYTURN_PUBLIC_URL=https://signin.example.com", "KEYTURN_ADDR=0.0.0.0:8443", "KEYTURN_TRUSTED_PROXIES=10.0.0.5/32,10.1.0.0/24,fd00::/8",
		"KEYTURN_REAL_DOMAINS=example,intranet.example.com", "KEYTURN_LOG_LEVEL=warn", "KEYTURN_HASH_SLOTS=4", "KEYTURN_XERO_CLIENT_ID=0123456789ABCDEF",
	} {
		if !slices.Contains(c.Redacted(), line) {
			t.Errorf("%s is missing in:\n%s", line, list)
		}
	}
	if n := len(c.Redacted()); n != len(good) {
		t.Errorf("%d lines for %d settings", n, len(good))
	}
	few := load(t, nil, []string{"KEYTURN_DATABASE_URL=sqlite:/var/k.db"}, "").Redacted()
	if !slices.Contains(few, "KEYTURN_DATABASE_URL=sqlite:/var/k.db") || !slices.Contains(few, "KEYTURN_ADDR=127.0.0.1:8080") || len(few) != 8 {
		t.Errorf("the listing is %v", few)
	}
}

// quiet fails when a value of a secret can be read.
func quiet(t *testing.T, said string) {
	t.Helper()
	if strings.Contains(said, "s3cr3t") {
		t.Errorf("a secret is in %q", said)
	}
}

// refused fails unless the error names the setting, says what is wrong, and repeats
// nothing secret.
func refused(t *testing.T, row string, err error, name, says string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: accepted", row)
		return
	}
	if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v: should name %s and say %q", row, err, name, says)
	}
	quiet(t, err.Error())
}

// conf is a configuration file with this text.
func conf(tb testing.TB, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keyturn.conf")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func text(tb testing.TB, content string) string {
	tb.Helper()
	return conf(tb, content)
}
