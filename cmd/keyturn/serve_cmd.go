package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"time"

	"keyturn/internal/app"
	"keyturn/internal/config"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
	"keyturn/internal/mail"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/sms"
	"keyturn/internal/web"
)

type serveCmd struct {
	Migrate bool `help:"Bring the tables up to this release first."`
}

// Run implements the command.
func (s serveCmd) Run(w *world) error {
	c, err := w.settings()
	if err != nil {
		return err
	}
	if err := c.ForServe(); err != nil {
		return w.hint(err)
	}
	keys, err := secret.Open(c.KeysFile)
	if err != nil {
		return err
	}
	// Everything that can be wrong with the settings is found before the database is touched.
	relays, err := mail.ParseRelays(c.SMTPURL.Reveal())
	if err != nil {
		return fmt.Errorf("KEYTURN_SMTP_URL: %w", err)
	}
	if c.SMSURL.Reveal() != "" {
		if err := message.CheckTemplates(c.PublicURL.Hostname()); err != nil {
			return fmt.Errorf("KEYTURN_PUBLIC_URL: %w", err)
		}
	}
	if err := writable(c.CheckpointDir); err != nil {
		return fmt.Errorf("KEYTURN_CHECKPOINT_DIR: %w", err)
	}
	d, err := w.openDB(c)
	if err != nil {
		return err
	}
	return errors.Join(s.serve(w, c, d, keys, relays), d.Close())
}

func (s serveCmd) serve(w *world, c config.Config, d *db.DB, keys *secret.Keys, relays []mail.Relay) error {
	if s.Migrate {
		if _, err := d.Migrate(w.ctx); err != nil {
			return err
		}
	}
	if err := w.fit(d); err != nil {
		return err
	}
	if err := w.fitKeys(d, keys); err != nil {
		return err
	}
	d.Clock.Advance(c.ClockOffset)
	log := logger(w.err, c)
	d.Clock.Alarm = clockAlarm(log)
	watch := &delivery.Watch{DB: d, Log: log}
	carriers, stop, err := carriers(relays, c, d, watch)
	if err != nil {
		return err
	}
	defer stop()
	canaries, stop, err := canaries(relays, c, d)
	if err != nil {
		return err
	}
	defer stop()
	parts := app.Parts{
		Domains: member.Domains{Real: c.RealDomains, Look: member.LookUp},
		DB:      d, Keys: keys, Log: log, Carriers: carriers, PublicURL: c.PublicURL, Vendor: vendor(c),
		TrustedProxies: c.TrustedProxies, HashSlots: slots(c), CodeLife: c.CodeLifetime, Node: node(c.Addr),
		Countries: c.SMSCountries, BuySMS: c.SMSBuyURL, MailHook: c.MailHookSecret, Canaries: canaries, Watch: watch,
		Checkpoints: c.CheckpointDir, AuditKeep: c.AuditKeep,
		Xero: app.Xero{ClientID: c.XeroClientID, ClientSecret: c.XeroClientSecret, BaseURL: c.XeroBaseURL, Every: c.XeroPoll},
	}
	if texts, err := texter(c, d, keys, log, watch); err != nil {
		return err
	} else if texts != nil {
		parts.Carriers.Texts, parts.Receipts = texts, texts
	}
	a, err := app.New(parts)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	stopMetrics, err := serveMetrics(w.ctx, log, c.MetricsAddr, a.Metrics())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopMetrics()
	return serveHTTP(w.ctx, log, listener, a, a.Handler(), func() {
		log.InfoContext(w.ctx, "serving", "version", version, "address", listener.Addr().String(),
			"public_url", c.PublicURL.String(), "engine", string(d.Engine()), "keys", keys.Print())
	})
}

// writable makes sure that files can be made in a folder; none is given where it is empty.
func writable(dir string) error {
	if dir == "" {
		return nil
	}
	f, err := os.CreateTemp(dir, ".keyturn-*")
	if err != nil {
		return fmt.Errorf("the folder cannot be written to: %w: %w", fault.Invalid, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// carriers makes the ways out for mail: one of each queue, so that bulk never holds a
// connection that a code needs.
func carriers(all []mail.Relay, c config.Config, d *db.DB, watch *delivery.Watch) (message.Carriers, func(), error) {
	options := mail.Options{From: c.MailFrom, Now: d.Clock.Now, Behind: watch.SlowCarrier}
	codes, err := mail.New(all, options)
	if err != nil {
		return message.Carriers{}, nil, err
	}
	options.Behind = nil
	notices, err := mail.New(all, options)
	if err != nil {
		codes.Close()
		return message.Carriers{}, nil, err
	}
	return message.Carriers{Codes: codes, Notices: notices, Sender: c.VendorName, LinkBase: c.PublicURL}, func() { codes.Close(); notices.Close() }, nil
}

// canaries makes a way to the mailbox that reports what arrives, through each relay alone.
func canaries(all []mail.Relay, c config.Config, d *db.DB) (app.Canaries, func(), error) {
	sent := app.Canaries{To: c.MailCanary, Relays: map[string]message.Mailer{}}
	var stops []func()
	stop := func() {
		for _, one := range stops {
			one()
		}
	}
	if c.MailCanary == "" {
		return sent, stop, nil
	}
	for _, relay := range all {
		one, err := mail.New([]mail.Relay{relay}, mail.Options{From: c.MailFrom, Now: d.Clock.Now, MaxPerRelay: 1})
		if err != nil {
			stop()
			return app.Canaries{}, nil, err
		}
		sent.Relays[relay.Addr()], stops = one, append(stops, one.Close)
	}
	return sent, stop, nil
}

// texter makes the way out for SMS; nil where no provider is configured.
func texter(c config.Config, d *db.DB, keys *secret.Keys, log *slog.Logger, watch *delivery.Watch) (*sms.Carrier, error) {
	if c.SMSURL.Reveal() == "" {
		return nil, nil
	}
	texts, err := sms.Open([]secret.Text{c.SMSURL}, sms.Setup{
		Public: c.PublicURL, HookSecret: keys, Now: d.Clock.Now, Log: log, Slow: watch.SlowCarrier,
	})
	if err != nil {
		return nil, fmt.Errorf("KEYTURN_SMS_URL: %w", err)
	}
	return texts, nil
}

// node names this process among all that share a database: by its machine and where it
// listens, which no two have in common and a restart does not change.
func node(addr string) string {
	host, err := os.Hostname()
	if err != nil {
		return "" // the queue gives it a name by chance
	}
	const longest = 60
	return "node:" + host[:min(len(host), longest)] + "/" + addr + ";"
}

func vendor(c config.Config) web.Vendor {
	return web.Vendor{Name: c.VendorName, Accent: c.VendorAccent, Support: web.Contact{Name: c.VendorSupport}}
}

// slots is how many passwords are hashed at once: one core is left for those who are in.
func slots(c config.Config) int {
	if c.HashSlots > 0 {
		return c.HashSlots
	}
	return max(1, runtime.GOMAXPROCS(0)-1)
}

func logger(w io.Writer, c config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// clockAlarm tells of a clock that jumped while serving: it was not followed.
func clockAlarm(log *slog.Logger) func(time.Duration) {
	return func(off time.Duration) {
		log.Error("the database's clock has jumped; it is not followed until a restart", "off", off)
	}
}
