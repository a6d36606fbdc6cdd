package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// Config is every setting. What was not given and has no default is the zero value.
type Config struct {
	// DatabaseURL is "sqlite:PATH" or "postgres://…". ForDatabase says whether it is there.
	DatabaseURL secret.Text
	// PublicURL is the origin that browsers see, without a path: https, or http on
	// loopback. It is the issuer of tokens, too. nil if not given.
	PublicURL *url.URL
	// Addr is where to listen, host:port. Never empty.
	Addr string
	// MetricsAddr is where to serve metrics; empty is nowhere.
	MetricsAddr string
	// KeysFile is the path of the keys file.
	KeysFile string

	// SMTPURL is one or more mail relays, comma-separated, in order of preference.
	SMTPURL secret.Text
	// MailFrom is the one address that mail comes from.
	MailFrom string
	// MailHookSecret signs what is told of bounced mail. May be empty: nothing is told then.
	MailHookSecret secret.Text
	// MailCanary is the mailbox in which arriving mail is timed. May be empty.
	MailCanary string
	// SMSURL is one or more SMS providers, comma-separated, in order of preference.
	SMSURL secret.Text
	// SMSBuyURL is where an admin buys SMS. May be empty.
	SMSBuyURL string
	// SMSCountries are where SMS may go, as ISO 3166-1 alpha-2 codes. Never empty.
	SMSCountries []string

	// XeroClientID and XeroClientSecret are both there or neither.
	XeroClientID     string
	XeroClientSecret secret.Text
	// XeroBaseURL stands in for Xero's own addresses, for tests; empty is Xero's own.
	XeroBaseURL string
	// XeroPoll is how often connections are read, a minute to a day. Never 0.
	XeroPoll time.Duration

	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// RealDomains are domains that count as deliverable, with their subdomains, without
	// a DNS look-up. Lower case.
	RealDomains []string

	// ClockOffset, CodeLifetime and Grace are for tests of time, and given only where
	// public URL and listener are loopback. 0 means that time runs as it is, and the
	// usual numbers hold.
	ClockOffset, CodeLifetime, Grace time.Duration

	// VendorName stands at the top of each page. Never empty.
	VendorName string
	// VendorSupport is whom people ask at a dead end: words with a phone number or an
	// email address.
	VendorSupport string
	// VendorAccent is the colour of buttons and links, as "#16458c"; empty is the usual.
	VendorAccent string

	// CheckpointDir is the folder where the checkpoints of the audit trail are written. May
	// be empty: they stay in the database and in the admins' mail.
	CheckpointDir string
	// AuditKeep is for how many days events of the audit trail are kept, 366 or more.
	AuditKeep int

	// LogLevel is the least level that is logged.
	LogLevel slog.Level
	// LogFormat is "text" or "json".
	LogFormat string
	// HashSlots is how many passwords are hashed at once, 1 to 256; 0 is to be decided
	// from the number of cores.
	HashSlots int
}

// Load reads the settings. flags are those given on the command line, by the settings'
// names; environ is as os.Environ gives it; file is the path of a configuration file,
// or empty. The error holds everything that is wrong, each part wrapping fault.Invalid;
// with an error, the Config is the zero one.
func Load(flags map[string]string, environ []string, file string) (Config, error) {
	var r report
	found := []source{r.fromFlags(flags), r.fromEnviron(environ), r.fromFile(file)}
	var c Config
	given := map[string]place{}
	for _, s := range settings() {
		v, ok := r.pick(s, found)
		if !ok {
			if s.fallback != "" {
				r.apply(&c, s, value{text: s.fallback, place: place{name: s.name, where: "default"}})
			}
			continue
		}
		given[s.name] = v.place
		r.apply(&c, s, v)
	}
	r.together(c, given)
	if len(r.problems) > 0 {
		return Config{}, errors.Join(r.problems...)
	}
	return c, nil
}

// apply gives one value to its setting, after what holds for all values.
func (r *report) apply(c *Config, s setting, v value) {
	err := printable(v.text)
	if err == nil {
		err = s.set(c, v.text)
	}
	if err == nil && s.path {
		err = s.set(c, v.fromFolder(s))
	}
	if err != nil {
		r.add(v.place, err.Error(), s.example)
	}
}

// fromFolder is the value, with a path in a configuration file read from its folder.
func (v value) fromFolder(s setting) string {
	if v.folder == "" {
		return v.text
	}
	head, path := "", v.text
	if rest, ok := strings.CutPrefix(path, sqliteScheme); ok {
		head, path = sqliteScheme, strings.TrimPrefix(rest, "//")
	} else if s.secret {
		return v.text // another engine's URL
	}
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, ":") {
		return v.text
	}
	return head + filepath.Join(v.folder, path)
}

// together checks what settings say to each other. given holds those that were given.
func (r *report) together(c Config, given map[string]place) {
	local := c.PublicURL != nil && isLoopback(c.PublicURL.Hostname()) && listensLocally(c.Addr)
	for _, s := range settings() {
		if at, ok := given[s.name]; ok && s.testOnly && !local {
			r.add(at, "is for tests of time, and refused unless KEYTURN_PUBLIC_URL and KEYTURN_ADDR are both loopback; leave it out", "")
		}
	}
	id, hasID := given[prefix+"XERO_CLIENT_ID"]
	key, hasKey := given[prefix+"XERO_CLIENT_SECRET"]
	if hasID && !hasKey {
		r.add(id, "is given without KEYTURN_XERO_CLIENT_SECRET; give both or neither", "")
	}
	if hasKey && !hasID {
		r.add(key, "is given without KEYTURN_XERO_CLIENT_ID; give both or neither", "")
	}
	if at, ok := given[prefix+"MAIL_CANARY"]; ok && c.MailCanary != "" && c.MailHookSecret.Reveal() == "" {
		r.add(at, "is given without KEYTURN_MAIL_HOOK_SECRET, so that nothing it reports would be heard; give both or neither", "")
	}
	if at, ok := given[prefix+"METRICS_ADDR"]; ok && c.MetricsAddr != "" && c.MetricsAddr == c.Addr && !strings.HasSuffix(c.Addr, ":0") {
		r.add(at, "is the same as KEYTURN_ADDR; metrics need an address of their own", "127.0.0.1:9090")
	}
}

// ForServe says whether everything is there that serving needs.
func (c Config) ForServe() error {
	return c.needs("serve", map[string]bool{
		"DATABASE_URL": c.DatabaseURL.Reveal() != "",
		"PUBLIC_URL":   c.PublicURL != nil,
		"KEYS_FILE":    c.KeysFile != "",
		"SMTP_URL":     c.SMTPURL.Reveal() != "",
		"MAIL_FROM":    c.MailFrom != "",
	})
}

// ForDatabase says whether everything is there that work on the database needs.
func (c Config) ForDatabase() error {
	return c.needs("use the database", map[string]bool{"DATABASE_URL": c.DatabaseURL.Reveal() != ""})
}

func (c Config) needs(to string, have map[string]bool) error {
	var r report
	for _, s := range settings() {
		if there, asked := have[strings.TrimPrefix(s.name, prefix)]; asked && !there {
			r.add(place{name: s.name}, "is not given, and is needed to "+to, s.example)
		}
	}
	return errors.Join(r.problems...)
}

// Redacted lists the settings in effect, defaults included, as NAME=value, with every
// secret hidden: for the log of a start, and for the doctor.
func (c Config) Redacted() []string {
	var list []string
	for _, s := range settings() {
		if shown := s.show(c); shown != "" {
			list = append(list, s.name+"="+shown)
		}
	}
	return list
}

// report gathers what is wrong.
type report struct{ problems []error }

// place is where a value was given, and by which of its names.
type place struct{ name, where string }

func (r *report) add(at place, wrong, example string) {
	where := ""
	if at.where != "" {
		where = " (" + at.where + ")"
	}
	if example != "" {
		wrong += "; for example " + example
	}
	r.problems = append(r.problems, problem(fmt.Sprintf("%s%s %s", at.name, where, wrong)))
}

// problem is one thing that is wrong with the settings.
type problem string

// Error implements error.
func (p problem) Error() string { return string(p) }

// Unwrap says that it is of the kind fault.Invalid, whose own words would add nothing.
func (problem) Unwrap() error { return fault.Invalid }
