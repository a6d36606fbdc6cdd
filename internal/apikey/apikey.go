// Package apikey keeps the keys by which programs of the vendor's call the API: what each
// may do, at which sites, who made it and when it was last used.
//
// A key is shown once, when it is made, and stored as the SHA-256 of its secret: of 256
// random bits nobody tries enough for a slow hash to matter (NIST SP 800-63B-4, section
// 3.1.2.2, asks for one where a secret has fewer than 112). It is looked up by that hash,
// so how long a look-up takes says nothing that a caller could steer. It is read anew at
// every request: one that was ended is dead at once on every node.
package apikey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

// Prefix is what every key begins with, so that people and scanners of source code know
// one when they see it.
const Prefix = "ktk_"

// length is that of a whole key: the prefix and 256 bits in base64url.
const length = len(Prefix) + 43

const (
	// longestName bounds a key's name, in characters.
	longestName = 100
	// mostSites bounds how many sites one key names.
	mostSites = 500
)

// Scope is one thing that a key may do.
type Scope string

// The scopes.
const (
	// WriteIntegrations may report which outside system a site is connected to.
	WriteIntegrations Scope = "integrations:write"
	// ReadIntegrations may read it.
	ReadIntegrations Scope = "integrations:read"
	// XeroToken may fetch access tokens for a site's books at Xero. A key that has it names
	// its sites.
	XeroToken Scope = "xero:token"
	// ReadReadiness may read who of a site is ready, and a member's banner.
	ReadReadiness Scope = "readiness:read"
	// ReadSites may read what sites are, WriteSites name them anew, and add some where the
	// key is for all sites.
	ReadSites  Scope = "sites:read"
	WriteSites Scope = "sites:write"
	// ReadUsers may read a site's members, with email and mobile, and what groups may do;
	// WriteUsers may add, change and end them.
	ReadUsers  Scope = "users:read"
	WriteUsers Scope = "users:write"
	// ReadRequests may read a site's requests for users; WriteRequests may make them in the
	// name of one of its Admins.
	ReadRequests  Scope = "requests:read"
	WriteRequests Scope = "requests:write"
	// ReadBalance may read a site's SMS balance and its statement.
	ReadBalance Scope = "balance:read"
	// ReadRollout may read a site's place in the rollout, and with a key for all sites the
	// rollout itself.
	ReadRollout Scope = "rollout:read"
	// ReadAudit may read a site's audit trail.
	ReadAudit Scope = "audit:read"
	// AskDecision may ask whether a member would have to pass a second factor, and why.
	AskDecision Scope = "decisions:read"
)

// Scopes are all there are.
func Scopes() []Scope {
	return []Scope{
		WriteIntegrations, ReadIntegrations, XeroToken, ReadReadiness, ReadSites, WriteSites, ReadUsers, WriteUsers,
		ReadRequests, WriteRequests, ReadBalance, ReadRollout, ReadAudit, AskDecision,
	}
}

// Key is one key, without its secret.
type Key struct {
	ID     id.APIKey
	Name   string
	Scopes []Scope
	// All says that it is for every site, of today and of later. Otherwise see Sites.
	All bool
	// MadeBy is who made it, as people read it.
	MadeBy string
	MadeAt time.Time
	// UsedAt is when it was last used, to about a minute; zero: never.
	UsedAt time.Time
	// EndedAt is when it was ended; zero: it works.
	EndedAt time.Time
	// Service says that it is no key but a service (package client) whose token was sent in
	// place of one; ID is that of the client.
	Service bool
}

// May says whether the key has a scope.
func (k Key) May(s Scope) bool { return slices.Contains(k.Scopes, s) }

// Actor is the key in the audit trail.
func (k Key) Actor() audit.Actor {
	return audit.Actor{Kind: audit.ActorClient, ID: string(k.ID)}
}

// Order is what a new key is to be.
type Order struct {
	Name   string
	Scopes []Scope
	// All or Sites: one of the two.
	All   bool
	Sites []id.Site
}

func (o Order) check() error {
	wrong := func(why string) error { return fmt.Errorf("%s: %w", why, fault.Invalid) }
	switch {
	case strings.TrimSpace(o.Name) == "" || utf8.RuneCountInString(o.Name) > longestName || strings.ContainsFunc(o.Name, unicode.IsControl) || !utf8.ValidString(o.Name):
		return wrong("a key needs a name of at most 100 characters")
	case len(o.Scopes) == 0:
		return wrong("a key needs a scope")
	case o.All == (len(o.Sites) > 0):
		return wrong("a key is either for all sites or for those that it names")
	case o.All && slices.Contains(o.Scopes, XeroToken):
		return wrong("a key with the scope xero:token names its sites")
	case len(o.Sites) > mostSites:
		return wrong("a key names 500 sites at most; several keys may share them")
	}
	for _, s := range o.Scopes {
		if !slices.Contains(Scopes(), s) {
			return wrong("there is no such scope")
		}
	}
	return nil
}

// Make makes a key, and gives the one text that its holder keeps; it is to be had nowhere
// else. fault.Invalid says what is wrong with the order, fault.Conflict that a key of this
// name works already.
func Make(ctx context.Context, tx *db.Tx, by audit.Actor, o Order) (Key, secret.Text, error) {
	if err := o.check(); err != nil {
		return Key{}, secret.Text{}, err
	}
	plain, _ := secret.Token()
	token := Prefix + plain
	k := Key{ID: id.New[id.APIKey](), Name: o.Name, Scopes: tidy(o.Scopes), All: o.All, MadeBy: by.ID, MadeAt: tx.Now}
	if err := insert(ctx, tx, k, secret.TokenHash(token)); err != nil {
		return Key{}, secret.Text{}, fmt.Errorf("make a key: %w", err)
	}
	sites := tidy(o.Sites)
	for _, s := range sites {
		if err := reach(ctx, tx, s, k.ID); err != nil {
			return Key{}, secret.Text{}, fmt.Errorf("name a key's site: %w", err)
		}
	}
	return k, secret.NewText(token), record(ctx, tx, audit.APIKeyMade, by, k, sites)
}

func tidy[T ~string](all []T) []T {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
}

// record writes what happened to a key into the trail of each site that it names, or, for
// all sites, into the house's own.
func record(ctx context.Context, tx *db.Tx, kind audit.Kind, by audit.Actor, k Key, sites []id.Site) error {
	facts := map[string]string{"key": string(k.ID), "name": k.Name, "scopes": joined(k.Scopes)}
	if k.All {
		return audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Facts: facts})
	}
	for _, s := range sites {
		if err := audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Site: s, Facts: facts}); err != nil {
			return err
		}
	}
	return nil
}

// ByToken finds the key that somebody holds; fault.NotFound for one that never was, and
// for one that was ended.
func ByToken(ctx context.Context, from db.Reader, token string) (Key, error) {
	if len(token) != length || !strings.HasPrefix(token, Prefix) {
		return Key{}, fmt.Errorf("a key: %w", fault.NotFound)
	}
	return byHash(ctx, from, secret.TokenHash(token))
}

// Reaches says whether a key is for a site.
func Reaches(ctx context.Context, from db.Reader, k Key, at id.Site) (bool, error) {
	if k.All {
		return true, nil
	}
	n, err := reaches(ctx, from, at, k.ID)
	if err != nil {
		return false, fmt.Errorf("read a key's sites: %w", err)
	}
	return n > 0, nil
}

// Holds says whether a key still works, has a scope, and is for a site. It is asked inside
// the transaction of a change, about what is stored: a key that was ended a moment ago
// changes nothing.
func Holds(ctx context.Context, from db.Reader, which id.APIKey, s Scope, at id.Site) (bool, error) {
	k, err := byID(ctx, from, which)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a key: %w", err)
	}
	if !k.May(s) {
		return false, nil
	}
	return Reaches(ctx, from, k, at)
}

// Sites are those that a key names, at most 500; none for one that is for all.
func Sites(ctx context.Context, from db.Reader, k Key) ([]id.Site, error) {
	return sitesOf(ctx, from, k.ID)
}

// usedEvery is how exactly the last use is kept: a key that is used all the time is
// written once in that time.
const usedEvery = time.Minute

// Used notes that a key is used, once a minute at most. It belongs into the transaction
// that counts the request.
func Used(ctx context.Context, tx *db.Tx, k Key) error {
	if tx.Now.Sub(k.UsedAt) < usedEvery {
		return nil
	}
	if err := used(ctx, tx, k.ID, tx.Now.Add(-usedEvery)); err != nil {
		return fmt.Errorf("note a key's use: %w", err)
	}
	return nil
}

// List gives all keys, those that were ended too, in the order in which they were made.
func List(ctx context.Context, from db.Reader) ([]Key, error) { return list(ctx, from) }

// End ends the key of a name or an id. fault.NotFound if no key of that name works.
func End(ctx context.Context, tx *db.Tx, by audit.Actor, which string) (Key, error) {
	k, err := living(ctx, tx, which)
	if err != nil {
		return k, fmt.Errorf("find a key: %w", err)
	}
	sites, err := sitesOf(ctx, tx, k.ID)
	if err != nil {
		return k, fmt.Errorf("read a key's sites: %w", err)
	}
	if err := end(ctx, tx, k.ID); err != nil {
		return k, fmt.Errorf("end a key: %w", err)
	}
	k.EndedAt = tx.Now
	return k, record(ctx, tx, audit.APIKeyEnded, by, k, sites)
}

func joined(all []Scope) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

func apart(text string) (all []Scope) {
	for word := range strings.FieldsSeq(text) {
		all = append(all, Scope(word))
	}
	return all
}
