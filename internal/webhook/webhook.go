// Package webhook tells programs of the vendor's what happened: a request for each event,
// signed as Standard Webhooks has it (https://www.standardwebhooks.com).
//
// What is told stands in the news of the audit trail (audit.News), which the event itself
// wrote, in the transaction of the change. So no feature calls this package, a change by a
// command or another node is told like any other, and nothing is told that was rolled back.
// Once a second each node makes deliveries of the news, one for each endpoint that wants
// it, and has those that are due sent by jobs in a lane of their own.
//
//	waiting ──claimed──▶ sending ──2xx──▶ done
//	   ▲                    │ └──the last attempt──▶ failed
//	   └────tried again─────┘
//	held: the endpoint was switched off. A replay has any of them wait again.
//
// An endpoint gets each delivery at least once, in no certain order, under one webhook-id.
//
// Bodies are thin: ids, references, and what sort of thing changed. A receiver that wants
// to know more asks the API, where its key says what it may read.
package webhook

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/outward"
	"keyturn/internal/secret"
	"keyturn/internal/standing"
)

const (
	// longestName bounds an endpoint's name, in characters.
	longestName = 100
	// mostSites bounds how many sites one endpoint names.
	mostSites = 500
	// Most is how many endpoints there are at most: each is looked at once a second.
	Most = 50
	// overlap is how long the secret before signs too: a day, so that a receiver changes its
	// own in working hours.
	overlap = 24 * time.Hour
	// secretBytes is the length of a secret; Standard Webhooks asks for 24 to 64.
	secretBytes  = 32
	secretPrefix = "whsec_"
)

// Why says why an endpoint is off.
type Why string

// The reasons.
const (
	// ByStaff: somebody switched it off.
	ByStaff Why = "staff"
	// IsGone: it answered 410.
	IsGone Why = "gone"
	// IsFailing: it had failed for three days.
	IsFailing Why = "failing"
)

// Endpoint is one place where a program is told.
type Endpoint struct {
	ID   id.Webhook
	Name string
	URL  string
	// Types are those that it is told of; none: all.
	Types []Type
	// All says that it is for all sites, of today and of later. Otherwise see Sites.
	All    bool
	MadeBy string
	MadeAt time.Time
	// BeforeUntil is until when the secret before signs too; zero: there is none.
	BeforeUntil time.Time
	// FailingSince is since when no attempt succeeded; zero: the last one did.
	FailingSince time.Time
	// OffAt is since when it is switched off, and OffWhy for what; zero: it is on.
	OffAt  time.Time
	OffWhy Why
	// EndedAt is when it was removed; zero: it was not.
	EndedAt time.Time

	missed    int
	restUntil time.Time
	// secret and before are sealed.
	secret, before []byte
}

// On says whether it is told anything now.
func (e Endpoint) On() bool { return e.OffAt.IsZero() && e.EndedAt.IsZero() }

// Host is where it is, without what its address may hold of keys.
func (e Endpoint) Host() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Order is what an endpoint is to be.
type Order struct {
	Name, URL string
	// Types may be empty: all, those of later releases too.
	Types []Type
	// All or Sites: one of the two. A change of an endpoint leaves both out.
	All   bool
	Sites []id.Site
}

// Desk does it. All fields are set.
type Desk struct {
	DB       *db.DB
	Keys     *secret.Keys
	Post     *message.Post
	Standing standing.Source
	Log      *slog.Logger
	// Way is how endpoints are reached.
	Way *outward.Way
}

// Wrong is why an order cannot be; empty if it can.
type Wrong string

// What can be wrong.
const (
	WrongName  Wrong = "name"
	WrongURL   Wrong = "url"
	WrongTypes Wrong = "types"
	WrongSites Wrong = "sites"
	// TakenName says that another endpoint has the name.
	TakenName Wrong = "taken"
	// TooMany says that there are as many as there may be.
	TooMany Wrong = "many"
)

func (d *Desk) judge(o Order) Wrong {
	name := strings.TrimSpace(o.Name)
	switch {
	case name == "", name != o.Name, utf8.RuneCountInString(name) > longestName, !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return WrongName
	case !d.Way.Fits(o.URL):
		return WrongURL
	}
	for _, t := range o.Types {
		if !slices.Contains(Types(), t) {
			return WrongTypes
		}
	}
	return ""
}

// Make makes an endpoint, and gives the one text with which its receiver checks signatures;
// it is to be had nowhere else. With a Wrong nothing was changed.
func (d *Desk) Make(ctx context.Context, tx *db.Tx, by audit.Actor, o Order) (Endpoint, secret.Text, Wrong, error) {
	none := secret.Text{}
	if wrong := d.judge(o); wrong != "" {
		return Endpoint{}, none, wrong, nil
	}
	if o.All == (len(o.Sites) > 0) || len(o.Sites) > mostSites {
		return Endpoint{}, none, WrongSites, nil
	}
	all, err := List(ctx, tx)
	if err != nil {
		return Endpoint{}, none, "", err
	}
	switch {
	case len(all) >= Most:
		return Endpoint{}, none, TooMany, nil
	case slices.ContainsFunc(all, func(e Endpoint) bool { return e.Name == o.Name }):
		return Endpoint{}, none, TakenName, nil
	}
	e := Endpoint{
		ID: id.New[id.Webhook](), Name: o.Name, URL: o.URL, Types: tidy(o.Types), All: o.All, MadeBy: by.ID, MadeAt: tx.Now,
	}
	plain := newSecret()
	if e.secret, err = d.Keys.Seal(place(e.ID, columnSecret), plain); err != nil {
		return e, none, "", fmt.Errorf("seal a secret: %w", err)
	}
	if err := insert(ctx, tx, e); err != nil {
		return e, none, "", fmt.Errorf("make an endpoint: %w", err)
	}
	sites := tidy(o.Sites)
	for _, s := range sites {
		if err := reach(ctx, tx, s, e.ID); err != nil {
			return e, none, "", fmt.Errorf("name an endpoint's site: %w", err)
		}
	}
	return e, shown(plain), "", record(ctx, tx, audit.WebhookAdded, by, e, sites, nil)
}

// Change gives an endpoint another name, address and types. Its sites stay.
// fault.NotFound if there is none.
func (d *Desk) Change(ctx context.Context, tx *db.Tx, by audit.Actor, which id.Webhook, o Order) (Wrong, error) {
	if wrong := d.judge(o); wrong != "" {
		return wrong, nil
	}
	e, sites, err := whole(ctx, tx, which)
	if err != nil {
		return "", err
	}
	all, err := List(ctx, tx)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(all, func(other Endpoint) bool { return other.ID != which && other.Name == o.Name }) {
		return TakenName, nil
	}
	e.Name, e.URL, e.Types = o.Name, o.URL, tidy(o.Types)
	if err := change(ctx, tx, e); err != nil {
		return "", fmt.Errorf("change an endpoint: %w", err)
	}
	return "", record(ctx, tx, audit.WebhookChanged, by, e, sites, nil)
}

// Rotate gives an endpoint another secret, and gives it out once. For 24 hours the one
// before signs too; one that was before that is dead at once.
func (d *Desk) Rotate(ctx context.Context, tx *db.Tx, by audit.Actor, which id.Webhook) (secret.Text, error) {
	e, sites, err := whole(ctx, tx, which)
	if err != nil {
		return secret.Text{}, err
	}
	was, err := d.Keys.Open(place(e.ID, columnSecret), e.secret)
	if err != nil {
		return secret.Text{}, fmt.Errorf("open a secret: %w", err)
	}
	plain, old := newSecret(), e.secret
	if e.before, err = d.Keys.Seal(place(e.ID, columnBefore), was); err != nil {
		return secret.Text{}, fmt.Errorf("seal a secret: %w", err)
	}
	if e.secret, err = d.Keys.Seal(place(e.ID, columnSecret), plain); err != nil {
		return secret.Text{}, fmt.Errorf("seal a secret: %w", err)
	}
	e.BeforeUntil = tx.Now.Add(overlap)
	if err := rotate(ctx, tx, e, old); err != nil {
		return secret.Text{}, fmt.Errorf("change a secret: %w", err)
	}
	return shown(plain), record(ctx, tx, audit.WebhookRotated, by, e, sites, nil)
}

// Switch switches an endpoint off or on. What it would be told while it is off is held, and
// sent only by a replay. fault.Conflict if it is so already.
func (d *Desk) Switch(ctx context.Context, tx *db.Tx, by audit.Actor, which id.Webhook, on bool) error {
	e, sites, err := whole(ctx, tx, which)
	if err != nil {
		return err
	}
	if !on {
		return off(ctx, tx, by, e, sites, ByStaff)
	}
	if err := switchOn(ctx, tx, which); err != nil {
		return fmt.Errorf("switch an endpoint on: %w", err)
	}
	return record(ctx, tx, audit.WebhookOn, by, e, sites, nil)
}

func off(ctx context.Context, tx *db.Tx, by audit.Actor, e Endpoint, sites []id.Site, why Why) error {
	if err := switchOff(ctx, tx, e.ID, why); err != nil {
		return fmt.Errorf("switch an endpoint off: %w", err)
	}
	return record(ctx, tx, audit.WebhookOff, by, e, sites, map[string]string{"why": string(why)})
}

// End removes an endpoint for good: its secrets are wiped, nothing is sent any more, and its
// log is kept for what is left of its 30 days.
func (d *Desk) End(ctx context.Context, tx *db.Tx, by audit.Actor, which id.Webhook) error {
	e, sites, err := whole(ctx, tx, which)
	if err != nil {
		return err
	}
	if err := end(ctx, tx, which); err != nil {
		return fmt.Errorf("remove an endpoint: %w", err)
	}
	return record(ctx, tx, audit.WebhookEnded, by, e, sites, nil)
}

// List gives the endpoints that were not removed, in the order in which they were made.
func List(ctx context.Context, from db.Reader) ([]Endpoint, error) {
	all, err := list(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	return all, nil
}

// ByID finds an endpoint that was not removed; fault.NotFound otherwise.
func ByID(ctx context.Context, from db.Reader, which id.Webhook) (Endpoint, error) {
	e, err := byID(ctx, from, which)
	if err != nil {
		return e, fmt.Errorf("find an endpoint: %w", err)
	}
	return e, nil
}

// Called finds an endpoint by its name or its id; fault.NotFound if there is none.
func Called(ctx context.Context, from db.Reader, which string) (Endpoint, error) {
	all, err := List(ctx, from)
	if err != nil {
		return Endpoint{}, err
	}
	for _, e := range all {
		if e.Name == which || string(e.ID) == which {
			return e, nil
		}
	}
	return Endpoint{}, fmt.Errorf("find an endpoint: %w", fault.NotFound)
}

// Sites are those that an endpoint names, at most 500; none for one that is for all.
func Sites(ctx context.Context, from db.Reader, which id.Webhook) ([]id.Site, error) {
	all, err := sitesOf(ctx, from, which)
	if err != nil {
		return nil, fmt.Errorf("read an endpoint's sites: %w", err)
	}
	return all, nil
}

func whole(ctx context.Context, from db.Reader, which id.Webhook) (Endpoint, []id.Site, error) {
	e, err := ByID(ctx, from, which)
	if err != nil {
		return e, nil, err
	}
	sites, err := Sites(ctx, from, which)
	return e, sites, err
}

// record writes what happened to an endpoint into the trail of each site that it names, or,
// for all sites, into the house's own. Of its address it names the host alone.
func record(ctx context.Context, tx *db.Tx, kind audit.Kind, by audit.Actor, e Endpoint, sites []id.Site, more map[string]string) error {
	facts := map[string]string{"webhook": string(e.ID), "name": e.Name, "host": e.Host(), "types": joined(e.Types)}
	maps.Copy(facts, more)
	if e.All {
		return audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Facts: facts})
	}
	for _, s := range sites {
		if err := audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Site: s, Facts: facts}); err != nil {
			return err
		}
	}
	return nil
}

func newSecret() []byte {
	plain := make([]byte, secretBytes)
	_, _ = rand.Read(plain) // it ends the program rather than give less
	return plain
}

// shown is a secret as its holder keeps it.
func shown(plain []byte) secret.Text {
	return secret.NewText(secretPrefix + base64.StdEncoding.EncodeToString(plain))
}

const columnSecret, columnBefore = "secret", "secret_before"

func place(which id.Webhook, column string) secret.Place {
	return secret.Place{Owner: "webhook", Table: "webhooks", Row: string(which), Column: column}
}

func tidy[T ~string](all []T) []T {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
}
