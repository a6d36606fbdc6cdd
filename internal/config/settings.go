package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/secret"
)

// setting is one of them: what it is called, what it is for, how it is read and shown.
type setting struct {
	name  string
	about string // for the template; lines
	// example is right, and stands in the template.
	example  string
	fallback string // the default, in the form of a value
	// secret settings are hidden, and may be given as the path of a file.
	secret bool
	// testOnly settings are refused unless everything is loopback.
	testOnly bool
	// path says that the value is a path, or may hold one after sqlite:.
	path bool
	// start is what the template sets for a first try; the rest is commented out there.
	start string
	// set reads a value. What it returns says what the value must be, and never the value.
	set  func(*Config, string) error
	show func(Config) string
}

// settings are all of them, in the order in which people look for them.
func settings() []setting {
	all := append(placeSettings(), mailSettings()...)
	all = append(all, xeroSettings()...)
	all = append(all, looksSettings()...)
	all = append(all, runSettings()...)
	for i := range all {
		all[i].name = prefix + all[i].name
	}
	return all
}

func placeSettings() []setting {
	return []setting{
		{
			name: "DATABASE_URL", secret: true, path: true, start: "sqlite:keyturn.db",
			about:   "The database: sqlite:PATH, or postgres://user:password@host:5432/keyturn for many sites\nand several nodes.",
			example: "sqlite:/var/lib/keyturn/keyturn.db",
			set:     into(func(c *Config) *secret.Text { return &c.DatabaseURL }, databaseURL),
			show:    func(c Config) string { return showDatabase(c.DatabaseURL.Reveal()) },
		},
		{
			name: "PUBLIC_URL", start: "http://localhost:8080",
			about:   "The address that browsers see, without a path: https, or http on this machine only.",
			example: "https://signin.example.com",
			set:     into(func(c *Config) **url.URL { return &c.PublicURL }, publicURL),
			show:    func(c Config) string { return showURL(c.PublicURL) },
		},
		{
			name: "ADDR", fallback: "127.0.0.1:8080",
			about:   "Where to listen. Put TLS in front of it.",
			example: "127.0.0.1:8080",
			set:     into(func(c *Config) *string { return &c.Addr }, listener),
			show:    func(c Config) string { return c.Addr },
		},
		{
			name:    "METRICS_ADDR",
			about:   "Where to serve metrics, not for the public. Nowhere if it is not given.",
			example: "127.0.0.1:9090",
			set:     into(func(c *Config) *string { return &c.MetricsAddr }, listener),
			show:    func(c Config) string { return c.MetricsAddr },
		},
		{
			name: "KEYS_FILE", path: true, start: "keyturn.keys",
			about:   "The keys that seal what is stored. Keep a copy in a safe place, apart from the database.",
			example: "/etc/keyturn/keyturn.keys",
			set:     into(func(c *Config) *string { return &c.KeysFile }, keysFile),
			show:    func(c Config) string { return c.KeysFile },
		},
		{
			name:    "TRUSTED_PROXIES",
			about:   "The proxies whose X-Forwarded-For is believed: addresses and networks, comma-separated,\nand no more than them.",
			example: "10.0.0.5,10.1.0.0/24",
			set:     into(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, proxies),
			show:    func(c Config) string { return showList(c.TrustedProxies) },
		},
	}
}

func mailSettings() []setting {
	return []setting{
		{
			name: "SMTP_URL", secret: true,
			about:   "Mail relays in order of preference, comma-separated. Special characters in user and\npassword are percent-encoded.",
			example: "smtp://user:password@mail.example.com:587?tls=required",
			set:     into(func(c *Config) *secret.Text { return &c.SMTPURL }, relays),
			show:    func(c Config) string { return showSecret(c.SMTPURL) },
		},
		{
			name:    "MAIL_FROM",
			about:   "The address that mail comes from.",
			example: "no-reply@signin.example.com",
			set:     into(func(c *Config) *string { return &c.MailFrom }, mailFrom),
			show:    func(c Config) string { return c.MailFrom },
		},
		{
			name: "MAIL_HOOK_SECRET", secret: true,
			about:   "What signs the news of bounced mail at /hooks/mail, 24 characters or more. Without it\nthe address is not there.",
			example: "whsec_aVeryLongSecretOfYourOwn24",
			set:     into(func(c *Config) *secret.Text { return &c.MailHookSecret }, hookSecret),
			show:    func(c Config) string { return showSecret(c.MailHookSecret) },
		},
		{
			name:    "MAIL_CANARY",
			about:   "A mailbox that reports at /hooks/mail what arrives in it: each relay sends there every\nfew minutes, and how long that takes is measured.",
			example: "canary@signin.example.com",
			set:     into(func(c *Config) *string { return &c.MailCanary }, mailFrom),
			show:    func(c Config) string { return c.MailCanary },
		},
		{
			name:    "REAL_DOMAINS",
			about:   "Domains that count as deliverable, with their subdomains, without a DNS look-up.",
			example: "example,intranet.example.com",
			set:     into(func(c *Config) *[]string { return &c.RealDomains }, domains),
			show:    func(c Config) string { return strings.Join(c.RealDomains, ",") },
		},
		{
			name: "SMS_URL", secret: true,
			about:   "SMS providers in order of preference, comma-separated: twilio, messagemedia, clicksend,\nwebhook+https. Without one no code goes by SMS.",
			example: "twilio://SID:TOKEN@?from=Keyturn",
			set:     into(func(c *Config) *secret.Text { return &c.SMSURL }, providers),
			show:    func(c Config) string { return showSecret(c.SMSURL) },
		},
		{
			name:    "SMS_BUY_URL",
			about:   "Where an admin buys SMS: the link on the page of the SMS balance.",
			example: "https://vendor.example/buy-sms",
			set:     into(func(c *Config) *string { return &c.SMSBuyURL }, safeURL),
			show:    func(c Config) string { return c.SMSBuyURL },
		},
		{
			name: "SMS_COUNTRIES", fallback: "AU,NZ,GB,US",
			about:   "The countries whose mobile numbers are taken.",
			example: "AU,NZ",
			set:     into(func(c *Config) *[]string { return &c.SMSCountries }, countries),
			show:    func(c Config) string { return strings.Join(c.SMSCountries, ",") },
		},
	}
}

func xeroSettings() []setting {
	return []setting{
		{
			name:    "XERO_CLIENT_ID",
			about:   "The app at Xero that sites connect to: both, or neither, and then no site connects here.\nIts redirect URI is the public URL with /connect/xero/callback.",
			example: "0123456789ABCDEF0123456789ABCDEF",
			set:     into(func(c *Config) *string { return &c.XeroClientID }, credential),
			show:    func(c Config) string { return c.XeroClientID },
		},
		{
			name: "XERO_CLIENT_SECRET", secret: true,
			about:   "Better in a file of its own: KEYTURN_XERO_CLIENT_SECRET_FILE.",
			example: "from-the-page-of-the-app-at-xero",
			set: into(func(c *Config) *secret.Text { return &c.XeroClientSecret }, func(s string) (secret.Text, error) {
				s, err := credential(s)
				return secret.NewText(s), err
			}),
			show: func(c Config) string { return showSecret(c.XeroClientSecret) },
		},
		{
			name:    "XERO_BASE_URL",
			about:   "Stands in for Xero, in tests: https, or loopback.",
			example: "http://127.0.0.1:8090",
			set:     into(func(c *Config) *string { return &c.XeroBaseURL }, safeURL),
			show:    func(c Config) string { return c.XeroBaseURL },
		},
		{
			name: "XERO_POLL", fallback: "15m",
			about:   "How often it is looked at Xero whether connections are there still, 1m to 24h: so long\nit may take until a disconnect at Xero is seen. Xero allows 5,000 looks a day.",
			example: "15m",
			set:     into(func(c *Config) *time.Duration { return &c.XeroPoll }, between(time.Minute, 24*time.Hour)),
			show:    func(c Config) string { return showSpan(c.XeroPoll) },
		},
	}
}

func looksSettings() []setting {
	return []setting{
		{
			name: "VENDOR_NAME", fallback: "Keyturn",
			about:   "Whose product this is: at the top of each page and in mails.",
			example: "Workshop Software",
			set:     into(func(c *Config) *string { return &c.VendorName }, words(60)),
			show:    func(c Config) string { return c.VendorName },
		},
		{
			name:    "VENDOR_SUPPORT",
			about:   "Whom people ask when nobody at their site can help: a phone number, an email address.",
			example: "support@vendor.example, 07 5550 0142",
			set:     into(func(c *Config) *string { return &c.VendorSupport }, words(120)),
			show:    func(c Config) string { return c.VendorSupport },
		},
		{
			name:    "VENDOR_ACCENT",
			about:   "The colour of buttons and links, dark enough to be read on white.",
			example: "#16458c",
			set:     into(func(c *Config) *string { return &c.VendorAccent }, accent),
			show:    func(c Config) string { return c.VendorAccent },
		},
	}
}

func runSettings() []setting {
	return []setting{
		{
			name: "LOG_LEVEL", fallback: "info",
			about:   "The least that is logged: debug, info, warn or error.",
			example: "info",
			set:     into(func(c *Config) *slog.Level { return &c.LogLevel }, level),
			show:    func(c Config) string { return strings.ToLower(c.LogLevel.String()) },
		},
		{
			name: "LOG_FORMAT", fallback: "text",
			about:   "text for people, json for machines.",
			example: "json",
			set:     into(func(c *Config) *string { return &c.LogFormat }, oneOf("text", "json")),
			show:    func(c Config) string { return c.LogFormat },
		},
		{
			name:    "HASH_SLOTS",
			about:   "How many passwords are hashed at once, each with one core and 19 MiB. Without it, one\nless than there are cores.",
			example: "4",
			set:     into(func(c *Config) *int { return &c.HashSlots }, number(1, 256)),
			show: func(c Config) string {
				if c.HashSlots == 0 {
					return ""
				}
				return strconv.Itoa(c.HashSlots)
			},
		},
		{
			name: "CHECKPOINT_DIR", path: true,
			about:   "A folder that is there, where the signed checkpoints of the audit trail are written\neach day, a file for each site. Best on a disk that the database's keeper cannot change.",
			example: "/var/lib/keyturn/checkpoints",
			set:     into(func(c *Config) *string { return &c.CheckpointDir }, folder),
			show:    func(c Config) string { return c.CheckpointDir },
		},
		{
			name: "AUDIT_KEEP", fallback: "400",
			about:   "For how many days events of the audit trail are kept at least: 366 or more, because 12\nmonths can have a leap day.",
			example: "400",
			set:     into(func(c *Config) *int { return &c.AuditKeep }, number(366, 36500)),
			show:    func(c Config) string { return strconv.Itoa(c.AuditKeep) },
		},
		{
			name: "CLOCK_OFFSET", testOnly: true,
			about:   "For tests of time, on loopback only: how far the clock goes ahead.",
			example: "24h",
			set:     into(func(c *Config) *time.Duration { return &c.ClockOffset }, between(time.Second, 10*year)),
			show:    func(c Config) string { return showSpan(c.ClockOffset) },
		},
		{
			name: "CODE_LIFETIME", testOnly: true,
			about:   "For tests of time, on loopback only: how long a code lives, instead of 10 minutes.",
			example: "5s",
			set:     into(func(c *Config) *time.Duration { return &c.CodeLifetime }, between(time.Second, 10*time.Minute)),
			show:    func(c Config) string { return showSpan(c.CodeLifetime) },
		},
		{
			name: "GRACE", testOnly: true,
			about:   "For tests of time, on loopback only: how long the usual periods of grace are.\nNot used by this release.",
			example: "1m",
			set:     into(func(c *Config) *time.Duration { return &c.Grace }, between(time.Second, year)),
			show:    func(c Config) string { return showSpan(c.Grace) },
		},
	}
}
