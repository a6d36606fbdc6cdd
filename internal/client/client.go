// Package client keeps the applications that sign users in through Keyturn: web products,
// mobile apps, and services that call the API by tokens of their own.
//
// A client is named by its id, which is no secret. A web client and a service also have a
// secret of 256 random bits, shown once and stored as its SHA-256 (as with keys of the API,
// nobody tries enough of those for a slow hash to matter). A mobile app has none: what is
// in an app is everybody's (RFC 8252, section 8.5), and PKCE alone protects its codes.
//
// A client is read anew at each use, so that a disabled one is dead at once on every node.
package client

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

// Prefix is what every client's secret begins with, so that people and scanners of source
// code know one when they see it.
const Prefix = "ktc_"

// FormerFor is how long a secret goes on working after another took its place, so that a
// product with several servers can be told of the new one without a gap.
const FormerFor = 24 * time.Hour

// Kind is what sort of application it is. It is known by the credentials of the client and
// by nothing that a request says.
type Kind string

// The kinds of client.
const (
	// Web is a product in a browser whose server keeps a secret.
	Web Kind = "web"
	// Mobile is an app on a phone. It is public: it has no secret.
	Mobile Kind = "mobile"
	// Service is a program without people: it calls the API, or asks about tokens that the
	// vendor's mobile app sends it.
	Service Kind = "service"
)

// How ID tokens may be signed. RS256 is what every client can check (OpenID Connect Core,
// section 15.1).
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// Kinds are all there are.
func Kinds() []Kind { return []Kind{Web, Mobile, Service} }

// Client is one application, without its secret.
type Client struct {
	ID   id.Client
	Name string
	Kind Kind
	// Redirects are where an answer may go, each compared byte for byte (RFC 9700, section
	// 2.1). PostLogouts are where somebody may go who signed out.
	Redirects, PostLogouts []string
	// BackChannel is told of sessions that end (OpenID Connect Back-Channel Logout); may be
	// empty.
	BackChannel string
	// Origins are those whose pages stand behind forward auth: scheme://host[:port].
	Origins []string
	// Audiences are the names of the APIs that a mobile app's tokens are for, or that a
	// service answers for: it may ask about the tokens of those.
	Audiences []string
	// Scopes are what a service may do at the API.
	Scopes []apikey.Scope
	// IDTokenAlg is how its ID tokens are signed: RS256, or ES256.
	IDTokenAlg string
	// All says that it is for every site, of today and of later. Otherwise see Sites.
	All bool
	// MadeBy is who made it, as people read it.
	MadeBy string
	MadeAt time.Time
	// FormerUntil is until when an earlier secret works beside the present one; zero: there
	// is none.
	FormerUntil time.Time
	// DisabledAt is when it was disabled, for good; zero: it works.
	DisabledAt time.Time

	secret, former []byte
}

// Public says that it has no secret.
func (c Client) Public() bool { return c.Kind == Mobile }

// Disabled says that it was disabled.
func (c Client) Disabled() bool { return !c.DisabledAt.IsZero() }

// May says whether a service has a scope.
func (c Client) May(s apikey.Scope) bool { return slices.Contains(c.Scopes, s) }

// Redirect says whether an answer may go to an address: one that was registered, byte for
// byte. Two addresses that a browser takes for one are two here.
func (c Client) Redirect(to string) bool { return slices.Contains(c.Redirects, to) || c.gated(to) }

// GateEnter is the path at an origin behind the gate to which somebody comes back.
const GateEnter = "/.keyturn/enter"

// gated says whether an address is that of one of the origins.
func (c Client) gated(to string) bool {
	origin, is := strings.CutSuffix(to, GateEnter)
	return is && slices.Contains(c.Origins, origin)
}

// PostLogout is Redirect for somebody who signed out.
func (c Client) PostLogout(to string) bool { return slices.Contains(c.PostLogouts, to) }

// Actor is the client in the audit trail.
func (c Client) Actor() audit.Actor {
	return audit.Actor{Kind: audit.ActorClient, ID: string(c.ID)}
}

// SecretIs says whether a text is the client's secret, or the one before it while that
// still works. A public client has none, so that nothing is.
func (c Client) SecretIs(text string, now time.Time) bool {
	hash := secret.TokenHash(text)
	present := len(c.secret) > 0 && subtle.ConstantTimeCompare(c.secret, hash) == 1
	former := len(c.former) > 0 && now.Before(c.FormerUntil) && subtle.ConstantTimeCompare(c.former, hash) == 1
	return present || former
}

// Make makes a client, and gives its secret, which is to be had nowhere else; none for a
// mobile app. fault.Invalid says what is wrong with the order, fault.Conflict that a client
// of this name, or with one of these origins, works already.
func Make(ctx context.Context, tx *db.Tx, by audit.Actor, o Order) (Client, secret.Text, error) {
	if err := o.check(); err != nil {
		return Client{}, secret.Text{}, err
	}
	c := Client{
		ID: id.New[id.Client](), Name: o.Name, Kind: o.Kind, Redirects: o.Redirects, PostLogouts: o.PostLogouts,
		BackChannel: o.BackChannel, Origins: tidy(o.Origins), Audiences: tidy(o.Audiences), Scopes: tidy(o.Scopes),
		IDTokenAlg: o.IDTokenAlg, All: o.All, MadeBy: by.ID, MadeAt: tx.Now,
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = RS256
	}
	var plain string
	if !c.Public() {
		plain, c.secret = fresh()
	}
	if err := insert(ctx, tx, c); err != nil {
		return Client{}, secret.Text{}, fmt.Errorf("make a client: %w", err)
	}
	for _, origin := range c.Origins {
		if err := stand(ctx, tx, c.ID, origin); err != nil {
			return Client{}, secret.Text{}, fmt.Errorf("register a client's origin: %w", err)
		}
	}
	sites := tidy(o.Sites)
	for _, s := range sites {
		if err := reach(ctx, tx, s, c.ID); err != nil {
			return Client{}, secret.Text{}, fmt.Errorf("name a client's site: %w", err)
		}
	}
	return c, secret.NewText(plain), record(ctx, tx, audit.ClientMade, by, c, sites)
}

func fresh() (plain string, hash []byte) {
	random, _ := secret.Token()
	plain = Prefix + random
	return plain, secret.TokenHash(plain)
}

func tidy[T ~string](all []T) []T {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
}

// record writes what happened to a client into the trail of each site that it names, or,
// for all sites, into the house's own.
func record(ctx context.Context, tx *db.Tx, kind audit.Kind, by audit.Actor, c Client, sites []id.Site) error {
	facts := map[string]string{"client": string(c.ID), "name": c.Name, "client_kind": string(c.Kind)}
	if c.All {
		return audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Facts: facts})
	}
	for _, s := range sites {
		if err := audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Site: s, Facts: facts}); err != nil {
			return err
		}
	}
	return nil
}

// Living finds a client that works; fault.NotFound for one that never was, and for one that
// was disabled.
func Living(ctx context.Context, from db.Reader, which id.Client) (Client, error) {
	c, err := ByID(ctx, from, which)
	if err == nil && c.Disabled() {
		return Client{}, fmt.Errorf("a disabled client: %w", fault.NotFound)
	}
	return c, err
}

// ByID finds a client, disabled or not; fault.NotFound if there never was one.
func ByID(ctx context.Context, from db.Reader, which id.Client) (Client, error) {
	c, err := byID(ctx, from, which)
	if err != nil {
		return Client{}, fmt.Errorf("find a client: %w", err)
	}
	return whole(ctx, from, c)
}

// ByOrigin finds the client behind whose origin a page stands; fault.NotFound if no living
// client registered it.
func ByOrigin(ctx context.Context, from db.Reader, origin string) (Client, error) {
	c, err := byOrigin(ctx, from, origin)
	if err != nil {
		return Client{}, fmt.Errorf("find the client of an origin: %w", err)
	}
	return whole(ctx, from, c)
}

func whole(ctx context.Context, from db.Reader, c Client) (_ Client, err error) {
	if c.Origins, err = originsOf(ctx, from, c.ID); err != nil {
		return Client{}, fmt.Errorf("read a client's origins: %w", err)
	}
	return c, nil
}

// Authenticate finds the client of an id and a secret. ok is false, and nothing else is
// said, for a client that is not, is disabled, is public, or has another secret.
func Authenticate(ctx context.Context, from db.Reader, which id.Client, text string, now time.Time) (c Client, ok bool, err error) {
	c, err = Living(ctx, from, which)
	if errors.Is(err, fault.NotFound) {
		return Client{}, false, nil
	}
	if err != nil || !c.SecretIs(text, now) {
		return Client{}, false, err
	}
	return c, true, nil
}

// Reaches says whether a client is for a site.
func Reaches(ctx context.Context, from db.Reader, c Client, at id.Site) (bool, error) {
	if c.All {
		return true, nil
	}
	n, err := reaches(ctx, from, at, c.ID)
	if err != nil {
		return false, fmt.Errorf("read a client's sites: %w", err)
	}
	return n > 0, nil
}

// Holds says whether a service still works, has a scope, and is for a site.
func Holds(ctx context.Context, from db.Reader, which id.Client, s apikey.Scope, at id.Site) (bool, error) {
	c, err := Living(ctx, from, which)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil || c.Kind != Service || !c.May(s) {
		return false, err
	}
	return Reaches(ctx, from, c, at)
}

// Sites are those that a client names, at most 500; none for one that is for all.
func Sites(ctx context.Context, from db.Reader, c Client) ([]id.Site, error) {
	return sitesOf(ctx, from, c.ID)
}

// List gives all clients, the disabled ones too, in the order in which they were made.
func List(ctx context.Context, from db.Reader) ([]Client, error) {
	all, err := list(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	for i := range all {
		if all[i], err = whole(ctx, from, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Disable ends the client of a name or an id, for good: what it was given is dead with it.
// fault.NotFound if none of that name works.
func Disable(ctx context.Context, tx *db.Tx, by audit.Actor, which string) (Client, error) {
	c, sites, err := living(ctx, tx, which)
	if err != nil {
		return c, err
	}
	if err := disable(ctx, tx, c.ID); err != nil {
		return c, fmt.Errorf("disable a client: %w", err)
	}
	c.DisabledAt, c.Origins = tx.Now, nil
	return c, record(ctx, tx, audit.ClientDisabled, by, c, sites)
}

// Rotate gives the client of a name or an id another secret. The one before goes on for
// FormerFor, or ends at once where atOnce says so; one before that has ended. fault.NotFound
// if none of that name works, fault.Invalid for a public one.
func Rotate(ctx context.Context, tx *db.Tx, by audit.Actor, which string, atOnce bool) (Client, secret.Text, error) {
	c, sites, err := living(ctx, tx, which)
	if err != nil {
		return c, secret.Text{}, err
	}
	if c.Public() {
		return c, secret.Text{}, fmt.Errorf("a mobile client has no secret: %w", fault.Invalid)
	}
	before := c.secret
	plain, hash := fresh()
	c.secret, c.former, c.FormerUntil = hash, before, tx.Now.Add(FormerFor)
	if atOnce {
		c.former, c.FormerUntil = nil, time.Time{}
	}
	if err := rotate(ctx, tx, c, before); err != nil {
		return c, secret.Text{}, fmt.Errorf("change a client's secret: %w", err)
	}
	return c, secret.NewText(plain), record(ctx, tx, audit.ClientSecretChanged, by, c, sites)
}

func living(ctx context.Context, tx *db.Tx, which string) (Client, []id.Site, error) {
	c, err := byName(ctx, tx, which)
	if err != nil {
		return c, nil, fmt.Errorf("find a client: %w", err)
	}
	sites, err := sitesOf(ctx, tx, c.ID)
	if err != nil {
		return c, nil, fmt.Errorf("read a client's sites: %w", err)
	}
	return c, sites, nil
}
