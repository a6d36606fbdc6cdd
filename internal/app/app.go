// Package app puts the parts together: it is the one place that knows all of them.
package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"keyturn/internal/check"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/job"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/password"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/user"
	"keyturn/internal/web"
	"keyturn/internal/web/api"
	"keyturn/internal/web/door"
	"keyturn/internal/web/gate"
	"keyturn/internal/web/help"
	"keyturn/internal/web/hooks"
	"keyturn/internal/web/me"
	"keyturn/internal/web/oidc"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/staff"
	"keyturn/internal/webhook"
)

// Parts are what an App is made of.
type Parts struct {
	DB   *db.DB
	Keys *secret.Keys
	Log  *slog.Logger
	// Carriers take the mail.
	Carriers message.Carriers
	// PublicURL is the origin that browsers see.
	PublicURL *url.URL
	Vendor    web.Vendor
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// HashSlots is how many passwords are hashed at once; 0 is one per core, less one
	// where there are several.
	HashSlots int
	// CodeLife shortens the life of codes, for tests; 0 is ten minutes.
	CodeLife time.Duration
	// Receipts reads what SMS providers tell of texts; nil where there is none.
	Receipts hooks.Receipts
	// Countries are those whose mobiles may get codes, as two letters.
	Countries []string
	// Domains says which domains take mail, before an address is saved.
	Domains member.Domains
	// BuySMS is where an admin buys SMS. May be empty.
	BuySMS string
	// MailHook signs the news of bounced mail. Empty: none is taken.
	MailHook secret.Text
	// Canaries time the mail of each relay. May be zero.
	Canaries Canaries
	// Watch measures how long messages take; nil: nobody does.
	Watch *delivery.Watch
	// Checkpoints is the folder where the checkpoints of the audit trail are written. May be
	// empty.
	Checkpoints string
	// AuditKeep is for how many days audit events are kept at least; 0 keeps them for good.
	AuditKeep int
	// Xero is the app that sites are connected with. May be zero.
	Xero Xero
	// Version is that of the release, for evidence. May be empty.
	Version string
	// Node names this process among those that share the database, the same after a
	// restart. May be empty.
	Node string
	// Faces and Routes are what a demo adds. May be empty.
	Faces  []web.Face
	Routes func(*web.Kit) []Extra
}

// Extra is a route that a demo adds.
type Extra struct {
	Method, Path string
	Handler      http.Handler
}

// App is the whole product, ready to serve.
type App struct {
	parts Parts
	kit   *web.Kit
	jobs  *job.Queue
	desk  *signin.Desk
	check *check.Checker
	door  *door.Door
	me    *me.Me
	help  help.Help
	log   *slog.Logger

	settings *settings.Settings
	staff    *staff.Staff
	hooks    *hooks.Hooks
	api      *api.API
	provider *oidc.Provider
	gate     *gate.Gate
	// told tells programs outside what happened.
	told *webhook.Desk

	metrics metrics
}

// New wires the parts. It starts nothing.
func New(p Parts) (*App, error) {
	kit, err := web.New(web.Setup{
		Log: p.Log, PublicURL: p.PublicURL, Vendor: p.Vendor, TrustedProxies: p.TrustedProxies, Now: p.DB.Clock.Now,
		Faces: append([]web.Face{door.Face(), me.Face(), help.Face(), settings.Face(), staff.Face(), oidc.Face(), api.Face()}, p.Faces...),
	})
	if err != nil {
		return nil, fmt.Errorf("put the pages together: %w", err)
	}
	f, err := newFlows(p)
	if err != nil {
		return nil, err
	}
	programs, err := api.New(api.Parts{
		Kit: kit, DB: p.DB, Keys: p.Keys, Connect: f.connect, Ready: f.prepare.Ready, Members: f.members, Requests: f.request, Setup: f.setup,
	})
	if err != nil {
		return nil, err
	}
	checker := f.check
	a := &App{
		parts: p, kit: kit, jobs: f.post.Jobs, desk: f.desk, check: checker, log: p.Log, metrics: f.numbers,
		door: &door.Door{
			Kit: kit, Desk: f.desk, Check: checker, Enrol: f.enrol, Rescue: f.rescue, Requests: f.request,
			Login: f.login, Apps: f.apps,
		},
		me: &me.Me{
			Kit: kit, Desk: f.desk, Check: checker, Enrol: f.enrol, Requests: f.request, Prepare: f.prepare,
		},
		help: help.Help{Kit: kit, Searched: f.numbers.searched(p.Log)},
		settings: &settings.Settings{
			Kit: kit, DB: p.DB, Check: checker, Rescue: f.rescue, Requests: f.request, Sharing: f.sharing,
			Members: f.members, Trail: f.trail, Setup: f.setup, Prepare: f.prepare, Connect: f.connect, Pages: settings.Paths(routed),
			BuyURL: p.BuySMS,
		},
		staff: &staff.Staff{
			Kit: kit, DB: p.DB, Check: checker, Rescue: f.rescue, Requests: f.request, Console: f.console,
			Second: f.second, Prepare: f.prepare, Rollout: f.rollout, Packs: f.evidence, Hooks: f.webhook, Apps: f.apps,
		},
		hooks: &hooks.Hooks{Kit: kit, Post: f.post, DB: p.DB, Texts: p.Receipts, MailKey: p.MailHook},
		api:   programs, told: f.webhook,
	}
	a.gate = &gate.Gate{Kit: kit, Desk: f.apps, Authorize: kit.Public(oidc.Authorize)}
	a.provider = &oidc.Provider{Kit: kit, Desk: f.apps, Check: checker, SignIn: f.desk, Proceed: a.door.Proceed}
	return a, nil
}

// Connect is what connects sites to Xero, for the demo's desk.
func (a *App) Connect() *connect.Desk { return a.settings.Connect }

// Handler serves every route, behind the kit.
func (a *App) Handler() http.Handler {
	var more []Route
	if a.parts.Routes != nil {
		for _, e := range a.parts.Routes(a.kit) {
			more = append(more, Route{e.Method, e.Path, "demo", anyState, func(*App) http.Handler { return e.Handler }})
		}
	}
	return a.kit.Wrap(a.mux(more...))
}

// Run works until ctx ends, then lets what is under way finish: jobs, and the writing of
// last uses. It is ready to serve when started is called.
func (a *App) Run(ctx context.Context, started func()) error {
	if err := a.Calibrate(ctx); err != nil {
		return err
	}
	if err := a.jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	aside := make(chan struct{})
	go func() { defer close(aside); a.check.Run(ctx) }()
	go a.told.Run(ctx)
	go a.recalibrate(ctx)
	if a.parts.Watch != nil {
		go a.parts.Watch.Run(ctx)
	}
	go a.probe(ctx)
	started()
	<-ctx.Done()
	<-aside
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return a.jobs.Stop(last)
}

// Calibrate measures how long old password hashes take, so that every answer to a
// password can leave at one time.
func (a *App) Calibrate(ctx context.Context) error {
	kept, err := user.DearestHashes(ctx, a.parts.DB)
	if err != nil {
		return err
	}
	a.calibrate(kept)
	return nil
}

// paceLeast is the least time at which a wrong password's answer leaves: it covers a
// hash and two small transactions on a machine that is not busy.
const paceLeast = 100 * time.Millisecond

func (a *App) calibrate(kept []password.Stored) {
	began := a.parts.DB.Clock.Now()
	_ = password.Hash("a password of common length")
	a.desk.Pace.Set(max(paceLeast, 3*a.parts.DB.Clock.Now().Sub(began)))
	a.desk.Floor.Calibrate(a.parts.DB.Clock.Now, slices.Values(kept))
}

// calibrateEvery is how often it is looked whether the stored hashes have changed: an
// import brings old ones, and sign-ins replace them.
const calibrateEvery = 5 * time.Second

// recalibrate measures again when the dearest stored hashes are others than before.
func (a *App) recalibrate(ctx context.Context) {
	tick := time.NewTicker(calibrateEvery)
	defer tick.Stop()
	var before []time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			kept, err := user.DearestHashes(ctx, a.parts.DB)
			if err != nil {
				a.log.WarnContext(ctx, "the dearest password hashes were not found", "error", err.Error())
				continue
			}
			var costs []time.Duration
			for _, one := range kept {
				costs = append(costs, one.Cost())
			}
			if !slices.Equal(costs, before) {
				a.calibrate(kept)
				before = costs
			}
		}
	}
}

// probeEvery is how often it is looked whether the storage can be written to.
const probeEvery = 3 * time.Second

func (a *App) probe(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.parts.DB.Probe(ctx)
		}
	}
}

// home answers "GET /": whoever is in goes to their page, everybody else to the door.
func (a *App) home(w http.ResponseWriter, r *http.Request) error {
	return web.Go(w, r, "/me")
}

// healthz says that the process answers.
func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	status(w, http.StatusOK, map[string]string{"process": "ok"})
}

// readyz says apart whether sessions can be checked, which needs reading, and whether
// people can sign in, which needs writing: a database that can only be read stops the
// second and not the first.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	reads, writes := a.parts.DB.Ready(r.Context())
	word := map[bool]string{true: "ok", false: "unavailable"}
	code := http.StatusOK
	if !reads || !writes {
		code = http.StatusServiceUnavailable
	}
	status(w, code, map[string]string{"checks": word[reads], "signin": word[writes]})
}

func status(w http.ResponseWriter, code int, what map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(what) // the client has gone away
}
