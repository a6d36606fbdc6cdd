package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"keyturn/internal/app"
	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/demo"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/setup"
	"keyturn/internal/web"
	webdemo "keyturn/internal/web/demo"
	"keyturn/internal/web/settings"
	"keyturn/internal/xero/fake"
)

type demoCmd struct {
	Addr string `default:"127.0.0.1:8080" help:"Where to listen; this machine only. The default gives way to another port where something listens there already."`
	Data string `help:"Keep the data in this folder, which the demo makes; without it they go when it stops." type:"path" placeholder:"DIR"`
	JSON bool   `help:"Print one line of JSON when it is ready, for scripts."`

	Example     string `help:"The program of a product to run beside the demo, as examples/workshop is one; it ends with the demo." type:"path" placeholder:"PROGRAM"`
	ExampleAddr string `default:"127.0.0.1:8090" help:"Where that product listens; this machine only."`
}

// The files of a demo's folder.
const (
	demoDB   = "keyturn.db"
	demoKeys = "keyturn.keys"
)

// Run implements the command. It reads no setting of the environment.
func (c demoCmd) Run(w *world) error {
	if err := errors.Join(loopbackOnly(c.Addr), loopbackOnly(c.ExampleAddr)); err != nil {
		return err
	}
	dir := c.Data
	if dir == "" {
		made, err := os.MkdirTemp("", "keyturn-demo-")
		if err != nil {
			return fmt.Errorf("make a temporary folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(made) }()
		dir = made
	}
	d, keys, people, err := c.open(w, dir)
	if err != nil {
		return err
	}
	return errors.Join(c.serve(w, d, keys, people), d.Close())
}

// open opens the demo of a folder, or makes one in a folder that is empty or not there.
func (c demoCmd) open(w *world, dir string) (*db.DB, *secret.Keys, []demo.Person, error) {
	path, keysPath := filepath.Join(dir, demoDB), filepath.Join(dir, demoKeys)
	fresh, err := empty(dir)
	if err != nil {
		return nil, nil, nil, err
	}
	if fresh {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, nil, fmt.Errorf("make the demo's folder: %w", err)
		}
		if err := secret.Create(keysPath); err != nil {
			return nil, nil, nil, err
		}
	}
	if !fresh && (!there(path) || !there(keysPath)) {
		return nil, nil, nil, fmt.Errorf("the folder holds something else than a demo; name an empty one: %w", errUsage)
	}
	keys, err := secret.Open(keysPath)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := db.Open(w.ctx, "sqlite:"+path)
	if err != nil {
		return nil, nil, nil, err
	}
	people, err := prepare(w, d, keys, fresh)
	if err != nil {
		return nil, nil, nil, errors.Join(err, d.Close())
	}
	return d, keys, people, nil
}

// there says whether there is such a file.
func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// empty says whether a folder is empty or not there.
func empty(dir string) (bool, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look into the demo's folder: %w", err)
	}
	return len(found) == 0, nil
}

// prepare makes the tables and the people of a fresh demo, and makes sure that an old
// one is a demo.
func prepare(w *world, d *db.DB, keys *secret.Keys, fresh bool) ([]demo.Person, error) {
	if fresh {
		if _, err := d.Migrate(w.ctx); err != nil {
			return nil, err
		}
		err := d.Do(w.ctx, func(tx *db.Tx) error { return db.SetMeta(w.ctx, tx, metaDemo, version) })
		if err != nil {
			return nil, fmt.Errorf("mark the demo: %w", err)
		}
		if err := demo.SeedStaff(w.ctx, d, keys); err != nil {
			return nil, err
		}
		people, err := demo.Seed(w.ctx, d)
		if err != nil {
			return nil, err
		}
		return people, demo.SeedRollout(w.ctx, d)
	}
	if err := d.Usable(w.ctx); err != nil {
		return nil, err
	}
	if _, err := db.Meta(w.ctx, d, metaDemo); err != nil {
		return nil, fmt.Errorf("the folder's database was not made by keyturn demo: %w", errUsage)
	}
	return demo.People(), nil
}

func (c demoCmd) serve(w *world, d *db.DB, keys *secret.Keys, people []demo.Person) error {
	log := slog.New(slog.NewTextHandler(w.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	inbox := demo.NewInbox(d.Clock.Now)
	// The listener is opened first, because the public URL names its port.
	listener, err := listenNear(w.ctx, c.Addr, demoAddr)
	if err != nil {
		return err
	}
	public := demoURL(listener.Addr())
	desk := &webdemo.Desk{DB: d, Inbox: inbox, Setup: &setup.Desk{DB: d}, People: people, Kept: c.Data != ""}
	plug, err := demoXero(d, public, desk)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a, err := app.New(app.Parts{
		Domains: member.Domains{Real: []string{"example"}},
		DB:      d, Keys: keys, Log: log, PublicURL: public,
		Carriers:  message.Carriers{Codes: inbox, Notices: inbox, Texts: inbox, Sender: demoVendor, LinkBase: public},
		Countries: []string{"AU", "NZ", "GB", "US"}, Watch: &delivery.Watch{DB: d, Log: log},
		Vendor: web.Vendor{Name: demoVendor, Support: web.Contact{Name: "Workshop Desk support", Phone: "07 5550 0100", Hours: "Mon to Fri, 7 am to 6 pm"}},
		Node:   "node:demo;", AuditKeep: 400, Xero: plug, Version: version,
		Faces:  []web.Face{webdemo.Face()},
		Routes: func(kit *web.Kit) []app.Extra { desk.Kit = kit; return extras(desk) },
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	desk.Connect = a.Connect()
	product, err := c.product(w, d, keys, public)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	desk.Example = product.url
	err = serveHTTP(w.ctx, log, listener, a, webdemo.Guard(a.Handler()), func() { c.ready(w, public, people, product) })
	return errors.Join(err, product.stop())
}

// demoXero is the stand-in for Xero, which the demo serves itself. It forgets everything when
// the demo stops: a link that is kept in a folder fails then, until somebody connects again.
func demoXero(d *db.DB, public *url.URL, desk *webdemo.Desk) (app.Xero, error) {
	key, _ := secret.Token()
	plug := app.Xero{ClientID: "demo", ClientSecret: secret.NewText(key), BaseURL: public.JoinPath(webdemo.XeroPath).String()}
	stand, err := fake.New(fake.App{
		ClientID: plug.ClientID, ClientSecret: key, Redirect: public.JoinPath(settings.XeroBack).String(), Path: webdemo.XeroPath, Now: d.Clock.Now,
	})
	if err != nil {
		return app.Xero{}, err
	}
	webdemo.Logins(stand, desk.People)
	desk.Fake = stand
	return plug, nil
}

// demoVendor is whose product the demo is.
const demoVendor = "Workshop Desk"

// demoURL is the address that browsers are told: passkeys belong to a name and not to a
// number, so where it can be it is that of this machine.
func demoURL(at net.Addr) *url.URL {
	host, port, err := net.SplitHostPort(at.String())
	if err == nil && net.ParseIP(host).Equal(net.IPv4(127, 0, 0, 1)) {
		return &url.URL{Scheme: "http", Host: net.JoinHostPort("localhost", port)}
	}
	return &url.URL{Scheme: "http", Host: at.String()}
}

func extras(desk *webdemo.Desk) []app.Extra {
	var all []app.Extra
	for _, r := range desk.Routes() {
		all = append(all, app.Extra{Method: r.Method, Path: r.Path, Handler: r.Handler})
	}
	return all
}

// readyLine is what scripts read when the demo is ready.
type readyLine struct {
	URL      string        `json:"url"`
	Inbox    string        `json:"inbox"`
	Password string        `json:"password"`
	Users    []demo.Person `json:"users"`
	// Clients are the applications that may sign people in.
	Clients []demo.Application `json:"clients"`
	// Example is where the product beside the demo answers, if there is one.
	Example string `json:"example,omitempty"`
}

func (c demoCmd) ready(w *world, public *url.URL, people []demo.Person, product demoProduct) {
	if c.JSON {
		_ = json.NewEncoder(w.out).Encode(readyLine{ //nolint:gosec // the demo's one password is public
			URL: public.String(), Inbox: public.String() + "/demo/inbox.json", Password: demo.Password,
			Users: people, Clients: product.clients, Example: product.url,
		})
		return
	}
	kept := "The data go when it stops."
	if c.Data != "" {
		kept = "The data stay in " + c.Data + "."
	}
	beside := "a client    " + product.clients[0].ID + "   secret " + product.clients[0].Secret
	if product.url != "" {
		beside = "a product   " + product.url + "   which signs in there"
	}
	_, _ = fmt.Fprintf(w.out, `Keyturn's demo is ready.

  the desk    %s/demo
  sign in     %s/signin   as %s
  password    %s
  the inbox   %s/demo/inbox
  %s

Everything in it is invented. %s Ctrl+C stops it.
`, public, public, people[0].Email, demo.Password, public, beside, kept)
}
