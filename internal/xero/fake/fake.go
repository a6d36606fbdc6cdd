// Package fake is a Xero for tests and the demo: the page on which a person lets an app in,
// tokens, signing keys and connections, as package xero describes them. It keeps everything
// in memory.
//
// Where the real one's habit is not known it takes the harder one: whoever uses an old
// refresh token again, in its time of grace, kills the one that was made in its place.
package fake

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is who signs id tokens, and the paths are those at Xero's hosts. They stand here
// once more on purpose: package xero is held against them.
const (
	Issuer = "https://identity.xero.com"

	AuthorizePath   = "/identity/connect/authorize"
	TokenPath       = "/connect/token"
	KeysPath        = "/.well-known/openid-configuration/jwks"
	ConnectionsPath = "/connections"
)

// What Xero allows in calls of one person, and how long what it gives lives.
const (
	PerMinute, PerDay, AtOnce = 60, 5000, 5

	codeLife     = 5 * time.Minute
	accessLife   = 30 * time.Minute
	refreshGrace = 30 * time.Minute
	refreshLife  = 60 * 24 * time.Hour
)

// App is the one app that is registered.
type App struct {
	ClientID, ClientSecret, Redirect string
	// Path is what stands before Xero's own paths in the addresses of its page: where the
	// handler is mounted. May be empty.
	Path string
	// Now is needed.
	Now func() time.Time
}

// Person is somebody with a login at Xero.
type Person struct {
	ID, Name, Email string
	Organisations   []Organisation
}

// Organisation is one of a person's; several people may have it.
type Organisation struct{ ID, Name string }

// Xero is the fake. New makes one; it is safe for use by many goroutines.
type Xero struct {
	app App
	key *rsa.PrivateKey
	mux *http.ServeMux

	mu          sync.Mutex
	people      []Person
	codes       map[string]*code
	grants      []*grant
	refresh     map[string]*refreshToken
	access      map[string]*accessToken
	connections []*connection
	calls       map[string][]time.Time
	atOnce      map[string]int
	down        int
	lose        int
	forge       func(claims map[string]any) string
	counts      Counts
}

// Counts is what happened.
type Counts struct {
	// Renewed is how many refresh tokens were exchanged, Refused how many were not taken.
	Renewed, Refused int
	// Again is how many of those exchanged were old ones in their time of grace.
	Again int
	// Orphaned is how many grants gave no token to the last who asked, though nobody took
	// them back: whoever held them lost them.
	Orphaned int
	// Limited is how many calls were too many; AtOnce the most of one person at once.
	Limited, AtOnce int
	// Connections is how many there are.
	Connections int
}

type (
	code struct {
		redirect, challenge, nonce string
		person                     string
		event                      string
		until                      time.Time
	}
	// grant is one time that a person let the app in.
	grant struct {
		person         string
		broken, denied bool
	}
	refreshToken struct {
		grant *grant
		until time.Time
		// replaced is when the one in its place was first made, by is that one.
		replaced time.Time
		by       string
		dead     bool
	}
	accessToken struct {
		grant *grant
		until time.Time
	}
	connection struct {
		id, person, event string
		organisation      Organisation
		made              time.Time
	}
)

// signing is one key for all fakes of a process: making one is slow.
var signing = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// New makes a Xero where nobody has a login yet.
func New(app App) (*Xero, error) {
	key, err := signing()
	if err != nil {
		return nil, fmt.Errorf("make the fake Xero's key: %w", err)
	}
	x := &Xero{
		app: app, key: key, mux: http.NewServeMux(), codes: map[string]*code{}, refresh: map[string]*refreshToken{},
		access: map[string]*accessToken{}, calls: map[string][]time.Time{}, atOnce: map[string]int{},
	}
	x.mux.HandleFunc("GET "+AuthorizePath, x.authorizePage)
	x.mux.HandleFunc("POST "+AuthorizePath, x.authorize)
	x.mux.HandleFunc("POST "+TokenPath, x.token)
	x.mux.HandleFunc("GET "+KeysPath, x.keys)
	x.mux.HandleFunc("GET "+ConnectionsPath, x.listConnections)
	x.mux.HandleFunc("DELETE "+ConnectionsPath+"/{id}", x.endConnection)
	return x, nil
}

// ServeHTTP implements http.Handler, at Xero's own paths.
func (x *Xero) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	down := x.down
	x.mu.Unlock()
	if down != 0 {
		w.Header().Set("Retry-After", "7")
		answer(w, down, map[string]string{"Title": "An error occurred"})
		return
	}
	x.mux.ServeHTTP(w, r)
}

// Add gives somebody a login.
func (x *Xero) Add(p Person) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.people = append(x.people, p)
}

// Down has everything answer with this status, as 503; 0 ends it.
func (x *Xero) Down(status int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.down = status
}

// Lose has the answers of the next n renewals be lost on the way: tokens are made, and
// whoever asked gets a failure.
func (x *Xero) Lose(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lose = n
}

// Forge makes the id tokens from their claims; nil: the ordinary ones, by Sign.
func (x *Xero) Forge(by func(claims map[string]any) string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forge = by
}

// Break has every grant of a person die when it is used next, as by a changed password.
func (x *Xero) Break(person string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, g := range x.grants {
		if g.person == person {
			g.broken = true
		}
	}
}

// BreakOrganisation does so with the grants of everybody who let the app into it.
func (x *Xero) BreakOrganisation(organisation string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.connections {
		for _, g := range x.grants {
			if c.organisation.ID == organisation && g.person == c.person {
				g.broken = true
			}
		}
	}
}

// End takes an organisation away from the app, as a person does at Xero: nobody is told.
// Empty: all of them.
func (x *Xero) End(organisation string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keep(func(c *connection) bool { return organisation != "" && c.organisation.ID != organisation })
}

// keep drops connections. The lock is held.
func (x *Xero) keep(ok func(*connection) bool) {
	var kept []*connection
	for _, c := range x.connections {
		if ok(c) {
			kept = append(kept, c)
		}
	}
	x.connections = kept
}

// Counts is what happened so far.
func (x *Xero) Counts() Counts {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.counts
	c.Connections = len(x.connections)
	for _, g := range x.grants {
		if g.denied && !g.broken {
			c.Orphaned++
		}
	}
	return c
}

// Connected is the organisations that a person lets the app into.
func (x *Xero) Connected(person string) (all []Organisation) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.connections {
		if c.person == person {
			all = append(all, c.organisation)
		}
	}
	return all
}

// Sign signs claims as the id tokens are.
func (x *Xero) Sign(claims map[string]any) string {
	return sign(jose.RS256, jose.JSONWebKey{Key: x.key, KeyID: keyID}, claims)
}

// allowed counts a call of a person against the limits; false: it was answered with 429.
// done is called at its end.
func (x *Xero) allowed(w http.ResponseWriter, person string) (done func(), ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.app.Now()
	var day []time.Time
	minute := 0
	for _, at := range x.calls[person] {
		if now.Sub(at) < 24*time.Hour {
			day = append(day, at)
		}
		if now.Sub(at) < time.Minute {
			minute++
		}
	}
	wait := 0
	switch {
	case len(day) >= PerDay:
		wait = int(24*time.Hour-now.Sub(day[0]))/int(time.Second) + 1
	case minute >= PerMinute:
		wait = int(time.Minute-now.Sub(day[len(day)-minute]))/int(time.Second) + 1
	case x.atOnce[person] >= AtOnce:
		wait = 1
	}
	if wait > 0 {
		x.counts.Limited++
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		answer(w, http.StatusTooManyRequests, map[string]string{"Title": "Rate limit exceeded"})
		return nil, false
	}
	x.calls[person] = append(day, now)
	x.atOnce[person]++
	x.counts.AtOnce = max(x.counts.AtOnce, x.atOnce[person])
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.atOnce[person]--
	}, true
}
