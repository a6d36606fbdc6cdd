package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyturn/internal/config"
)

// bad are values that are refused wherever they are given, by setting.
var bad = map[string][]string{
	"DATABASE_URL": {
		"sqlite:", "sqlite://", "sqlite::memory:", "sqlite:data/", "sqlite:k.db?mode=ro", "sqlite:k.db#x", "k.db", "/var/lib/keyturn.db",
		"mysql://u:s3cr3t@h/d", "postgres:", "postgres:u:s3cr3t@h/d", "postgres://", "postgres:///keyturn", "postgres://u:s3cr3t@h",
		"postgres://u:s3cr3t@h/", "postgres://u:s3cr3t@h:0/d", "postgres://u:s3cr3t@h:99999/d", "postgres://u:s3/cr3t@h/d",
		"postgres://u:12/s3cr3t@h/d", "postgres://u:s3cr3t%@h/d", "postgres://u:s3cr3t@h/d#x", "postgres://u:s3cr3t@h/d?a=%zz",
		"host=h user=u password=s3cr3t", "POSTGRES", "http://h/d",
	},
	"PUBLIC_URL": {
		"signin.example.com", "//signin.example.com", "https://", "https:signin.example.com", "http://signin.example.com", "http://10.0.0.1",
		"ftp://signin.example.com", "https://signin.example.com/path", "https://signin.example.com//", "https://signin.example.com?", "https://signin.example.com?a=b",
		"https://signin.example.com#", "https://signin.example.com/#a", "https://u:s3cr3t@signin.example.com", "https://u@signin.example.com",
		"https://signin.example.com:", "https://signin.example.com:0", "https://signin.example.com:65536", "https://signin.example.com:08443",
		"https://signin.example.com:443", "http://localhost:80", "https://signin_example.com", "https://-signin.example.com",
		"https://signin..example.com", "https://signin.example.com.", "https://*.example.com", "https://signin.example.com\\x", "https://[::1",
		"https://[fe80::1%25eth0]", "https://1.2.3", "https://bücher.example", "http://localhost.example.com", "http://0.0.0.0:8080", "https://a.example.com,https://b.example.com",
	},
	"ADDR": {
		"8080", "127.0.0.1", "localhost", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80", "127.0.0.1:080",
		"127.0.0.1:8080:8080", "::1:8080", "[::1]", "http://127.0.0.1:8080", "127.0.0.1:8080/", "0.0.0.0:0", ":0", "host_name:80", "[fe80::1%eth0]:80",
		"127.0.0.1 :80", "300.0.0.1:80",
	},
	"AUDIT_KEEP":   {"365", "0", "-400", "36501", "400d", "a year", "1e3"},
	"METRICS_ADDR": {"9090", ":0", "127.0.0.1", "127.0.0.1:x", "http://127.0.0.1:9090", "0.0.0.0:8443"},
	"KEYS_FILE":    {"/etc/keyturn/", "kms://project/key", "keys\x00file", "keys\nfile", strings.Repeat("k", 9000)},
	"SMTP_URL": {
		"mail.example.com:587", "http://u:s3cr3t@mail.example.com", "smtp:mail.example.com", "smtp://", "smtp://u:s3cr3t@", "smtp://:587",
		"smtp://mail.example.com:0", "smtp://mail.example.com:99999", "smtp://mail.example.com:smtp", "smtp://u@mail.example.com", "smtp://u:@mail.example.com",
		"smtp://:s3cr3t@mail.example.com", "smtp://u:s3#cr3t@mail.example.com", "smtp://u:s3/cr3t@mail.example.com", "smtp://mail.example.com/path",
		"smtp://mail.example.com?tls=off", "smtp://mail.example.com?tls=", "smtp://mail.example.com?tls=%zz", "smtp://a.example.com,", ",smtp://a.example.com",
		"smtp://a.example.com,b.example.com", "smtp://a.example.com,smtp://a.example.com", "smtp://a.example.com smtp://b.example.com",
		"smtp://" + strings.Repeat("a.example.com,smtp://", 300) + "b.example.com",
	},
	"MAIL_FROM": {
		"no-reply", "no-reply@", "@example.com", "no-reply@localhost", "a@b@example.com", "Workshop <no-reply@example.com>", "<no-reply@example.com>",
		"a@example.com,b@example.com", "a b@example.com", "a@-example.com", "a@example..com", "a@[127.0.0.1]", "bücher@example.com", "a@bücher.example",
		"\"a b\"@example.com", strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com", "a@example.com.", "a@1.2.3.4",
	},
	"SMS_URL": {
		"twilio", "twilio:AC:s3cr3t@", "twilio://", "twilio://AC123@", "twilio://:s3cr3t@", "twilio://AC123:s3cr3t@?base=http://sms.example.com",
		"twilio://AC123:s3cr3t@?base=sms.example.com", "twilio://AC123:s3cr3t@?base=", "twilio://AC123:s3cr3t@?a=%zz", "nexmo://a:s3cr3t@",
		"https://hooks.example.com", "webhook+http://hooks.example.com", "webhook+https://", "messagemedia://a@", "clicksend://:@",
		"twilio://AC:s3cr3t@,twilio://AC:s3cr3t@", "twilio://AC:s3#cr3t@",
	},
	"SMS_COUNTRIES":      {"au", "AUS", "A", "AU;NZ", "AU,", "AU,,NZ", "AU,AU", "61", "AU NZ", "*"},
	"XERO_CLIENT_ID":     {"two words", "bücher-bücher", strings.Repeat("A", 600)},
	"XERO_CLIENT_SECRET": {"s3cr3t words", "s3cr3t\n", "s3cr3t-ü", strings.Repeat("s3cr3t", 100)},
	"XERO_POLL":          {"15", "59s", "24h1m", "-15m", "soon"},
	"XERO_BASE_URL": {
		"api.xero.example", "http://api.xero.example", "https://", "ftp://127.0.0.1", "https://u:s3cr3t@api.xero.example", "https://api.xero.example?a=b",
		"https://api.xero.example#x", "http://127.0.0.1:0", "http://127.0.0.1.example.com", "http://127.0.0.1@api.xero.example", "https://a_b.example",
	},
	"TRUSTED_PROXIES": {
		"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "2000::/3", "::/1", "10.0.0.5/24", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0",
		"proxy.example.com", "10.0.0.5:80", "::ffff:10.0.0.5", "::ffff:0.0.0.0/96", "fe80::1%eth0", "10.0.0.5,", "10.0.0.5,10.0.0.5", "10.0.0.5 10.0.0.6", "*", "all",
		"010.0.0.5", "fd00::1/8",
	},
	"REAL_DOMAINS": {
		"*.example.com", ".example.com", "example.com.", "example..com", "exa mple.com", "-example.com", "example-.com", "user@example.com", "https://example.com",
		"127.0.0.1", "example.com,", "example.com,EXAMPLE.com", "bücher.example", "_dmarc.example.com", strings.Repeat("a", 64) + ".com", strings.Repeat("abc.", 64) + "com",
	},
	"VENDOR_NAME":    {strings.Repeat("long name ", 7), "a\nb", "a\x1b[31mb", "<b>a</b>", "a\u202eb", "a\u200bb", " a", "a "},
	"VENDOR_SUPPORT": {strings.Repeat("long words ", 12), "call\tus", "<a href=x>", "a\x00", "a\xff"},
	"VENDOR_ACCENT":  {"16458c", "#16458", "#16458cc", "#16458g", "#fff", "blue", "rgb(0,0,0)", "#ffffff", "#ffff00", "#888888", "#-16458", "#+16458", "#0x1645", "#767676"},
	"LOG_LEVEL":      {"loud", "INFO", "warning", "0", "info,debug", "off"},
	"LOG_FORMAT":     {"JSON", "xml", "logfmt", "text,json"},
	"HASH_SLOTS":     {"0", "-1", "257", "100000", "1e2", "0x10", "04", "+4", "4.0", "four", "1_0", "99999999999999999999"},
	"CLOCK_OFFSET":   {"24", "tomorrow", "-1h", "0s", "1ms", "1000000h", "1d", "1h1"},
	"CODE_LIFETIME":  {"10", "0", "-5s", "999ms", "11m", "1h", "forever"},
	"GRACE":          {"7", "7d", "-1h", "0s", "8761h", "NaN"},
}

// loopback is where settings for tests of time are looked at at all.
func loopback(setting string) []string {
	switch setting {
	case "CLOCK_OFFSET", "CODE_LIFETIME", "GRACE":
		return []string{"PUBLIC_URL", "http://localhost:8080", "ADDR", "127.0.0.1:8080"}
	}
	return nil
}

func TestABadValueIsRefusedByTheNameOfItsSetting(t *testing.T) {
	t.Parallel()
	rows := 0
	for setting, values := range bad {
		for _, v := range slices.Concat(values, []string{"", "\n", " ", "\t", "a\nKEYTURN_ADDR=b"}) {
			rows++
			env := environ(append(loopback(setting), setting, v)...)
			_, err := config.Load(nil, env, "")
			row := fmt.Sprintf("%s=%.60q", setting, v)
			refused(t, row, err, "KEYTURN_"+setting+" (environment) ", " ")
			if err == nil {
				continue
			}
			if n := strings.Count(err.Error(), "\n") + 1; n > 2 {
				t.Errorf("%s: %d complaints about one value:\n%v", row, n, err)
			}
			said, _, _ := strings.Cut(err.Error(), "; for example ")
			if len(v) >= 8 && !strings.HasSuffix(v, "://") && strings.Contains(said, v) {
				t.Errorf("%s: the value is repeated: %v", row, err)
			}
		}
	}
	if rows < 200 {
		t.Errorf("%d rows only", rows)
	}
}

func TestABadValueIsRefusedFromEverySource(t *testing.T) {
	t.Parallel()
	for setting, values := range bad {
		name := "KEYTURN_" + setting
		base := environ(append(loopback(setting), setting, "-")...)
		_, err := config.Load(map[string]string{name: values[0]}, base, "")
		refused(t, name+" as a flag", err, name+" (command line)", " ")
		_, err = config.Load(nil, base, conf(t, "# one\n"+name+"="+values[0]+"\n"))
		refused(t, name+" in the file", err, name+" (line 2 of", " ")
	}
}

func TestAComplaintGivesAnExampleThatIsRight(t *testing.T) {
	t.Parallel()
	for setting, values := range bad {
		_, err := config.Load(nil, environ(append(loopback(setting), setting, values[0])...), "")
		if err == nil {
			t.Errorf("%s: accepted", setting)
			continue
		}
		line, _, _ := strings.Cut(err.Error(), "\n")
		_, example, ok := strings.Cut(line, "; for example ")
		if !ok {
			t.Errorf("%s: no example in %s", setting, line)
			continue
		}
		if _, err := config.Load(nil, environ(append(loopback(setting), setting, example)...), ""); err != nil {
			t.Errorf("%s: the example is refused: %v", setting, err)
		}
	}
}

func TestSettingsThatContradictEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		changes    []string
		name, says string
	}{
		"a canary nobody hears":  {[]string{"MAIL_HOOK_SECRET", "-"}, "KEYTURN_MAIL_CANARY", "both or neither"},
		"a Xero id alone":        {[]string{"XERO_CLIENT_SECRET", "-"}, "KEYTURN_XERO_CLIENT_ID", "both or neither"},
		"a Xero secret alone":    {[]string{"XERO_CLIENT_ID", "-"}, "KEYTURN_XERO_CLIENT_SECRET", "both or neither"},
		"metrics for the public": {[]string{"METRICS_ADDR", "0.0.0.0:8443"}, "KEYTURN_METRICS_ADDR", "same as KEYTURN_ADDR"},
	}
	for name, row := range rows {
		_, err := config.Load(nil, environ(row.changes...), "")
		refused(t, name, err, row.name, row.says)
	}
}

func TestAnUnknownNameIsRefusedWithTheNearestKnownOne(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"KEYTURN_ADRR": "KEYTURN_ADDR", "KEYTURN_ADDRESS": "KEYTURN_ADDR", "KEYTURN_PUBLICURL": "KEYTURN_PUBLIC_URL",
		"KEYTURN_DATABASE_URI": "KEYTURN_DATABASE_URL", "KEYTURN_SMPT_URL": "KEYTURN_SMTP_URL", "KEYTURN_KEYFILE": "KEYTURN_KEYS_FILE",
		"KEYTURN_TRUSTED_PROXY": "KEYTURN_TRUSTED_PROXIES", "KEYTURN_SMTP_URL_FLIE": "KEYTURN_SMTP_URL_FILE", "KEYTURN_HASHSLOTS": "KEYTURN_HASH_SLOTS",
		"KEYTURN_addr": "KEYTURN_ADDR", "KEYTURN_LOGLEVEL": "KEYTURN_LOG_LEVEL", "KEYTURN__GRACE": "KEYTURN_GRACE",
		"KEYTURN_SOMETHING_ELSE": "", "KEYTURN_": "", "KEYTURN_ADDR_FILE": "", "KEYTURN_TESTING": "", "KEYTURN_SKIP_2FA": "", "KEYTURN_DEBUG": "",
		"KEYTURN_" + strings.Repeat("S3CR3T", 30): "",
	}
	for name, near := range rows {
		_, err := config.Load(nil, []string{name + "=s3cr3t"}, "")
		says := "is not a setting"
		if near != "" {
			says = "is " + near + " meant?"
		}
		refused(t, name, err, "(environment)", says)
		if err != nil && len(name) < 64 && strings.ToUpper(name) == name && !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
		_, err = config.Load(map[string]string{name: "s3cr3t"}, nil, "")
		refused(t, name+" as a flag", err, "(command line)", "is not a setting")
	}
	if _, err := config.Load(nil, []string{"KEYTURN_TEST_ANYTHING=1", "NOT_KEYTURN_X=1", "KEYTURNX=1", "=C:=x", "odd"}, ""); err != nil {
		t.Errorf("what is not ours is looked at: %v", err)
	}
	_, err := config.Load(nil, []string{"KEYTURN_ADDR=127.0.0.1:1", "KEYTURN_ADDR=127.0.0.1:2"}, "")
	refused(t, "a name twice", err, "KEYTURN_ADDR", "given twice")
}

func TestOddButRightValuesAreAccepted(t *testing.T) {
	t.Parallel()
	right := map[string][]string{
		"DATABASE_URL":    {"sqlite:k.db", "sqlite:///var/k.db", "sqlite:a b/ü.db", "postgresql://h/d", "postgres://u:p%40%2F%23@h:1/d", "postgres:///d?host=/run/postgresql", "postgres://u:p@a:5432,b:5432/d?target_session_attrs=any", "postgres://u:p@[::1]:5432/d"},
		"PUBLIC_URL":      {"https://signin.example.com/", "https://SIGNIN.example.com", "https://signin.example.com:8443", "http://localhost", "http://127.0.0.9:8080", "http://[::1]:8080", "https://10.0.0.1", "https://signin"},
		"ADDR":            {":8080", "[::]:8080", "[::1]:1", "localhost:65535", "127.0.0.1:0", "node-1.example.com:80"},
		"SMTP_URL":        {"smtp://127.0.0.1:25?tls=none", "smtps://u:p%2C%40@mail.example.com", "smtp://[::1]:2525", "smtp://a.example.com, smtp://b.example.com"},
		"MAIL_FROM":       {"a@b.c", "first.last+tag@mail.example.com", "no-reply@xn--bcher-kva.example"},
		"SMS_URL":         {"twilio://AC:T@?from=%2B61400000000", "clicksend://u:k@?base=http://127.0.0.1:9", "webhook+https://h.example.com/a?b=c", "messagemedia://u:k@"},
		"TRUSTED_PROXIES": {"10.0.0.0/8", "127.0.0.1", "::1", "fc00::/7", "192.168.1.0/24,2001:db8::/32"},
		"REAL_DOMAINS":    {"example", "a.b.c.example", "xn--bcher-kva.example", "3com.example"},
		"VENDOR_NAME":     {"Bücher & Söhne", "O'Neil", "a"},
		"VENDOR_ACCENT":   {"#000000", "#16458C", "#6b6b6b"},
		"HASH_SLOTS":      {"1", "256"},
		"XERO_BASE_URL":   {"https://api.xero.example/x/", "http://localhost:8090", "http://[::1]:8090"},
		"CODE_LIFETIME":   {"1s", "10m", "1m30s"},
	}
	for setting, values := range right {
		for _, v := range values {
			if _, err := config.Load(nil, environ(append(loopback(setting), setting, v)...), ""); err != nil {
				t.Errorf("%s=%s: %v", setting, v, err)
			}
		}
	}
}
