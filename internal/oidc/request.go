package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
)

// longestParam bounds each parameter of a request, in bytes.
const longestParam = 2048

// Request is one time that a client sends somebody to sign in.
type Request struct {
	ID       id.Authorization
	Client   client.Client
	Redirect string
	Scopes   []string
	State    string
	Nonce    string
	// Challenge is the SHA-256 of the code's verifier (RFC 7636, S256 and no other).
	Challenge string
	// ACR is the least level that was asked for, 0 where none was.
	ACR int
	// MaxAge is how old the proof may be; nil: as old as it is.
	MaxAge *time.Duration
	// None says that nobody may be shown a page, Again that they have to sign in anew.
	None, Again bool
	// Hint fills the field of the login name. It comes from outside and proves nothing.
	Hint   string
	MadeAt time.Time
	EndsAt time.Time
	DoneAt time.Time

	prompt string
}

// Asked is what came at the authorization endpoint.
type Asked struct {
	// Request is whole where it was stored (its ID is there). Of a refusal it has the client,
	// the address and the state alone, and those only where the answer may go there.
	Request Request
	// Refused says why not; nil where it was stored.
	Refused *Refusal
	// Page says that the refusal goes to nobody's address: to a page of ours.
	Page bool
}

var (
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	numberForm    = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
)

// Begin reads what a client asks, and stores it for the browser of that id. It needs no
// session: what is stored opens nothing.
func (d *Desk) Begin(ctx context.Context, query url.Values, browser, network string) (a Asked, err error) {
	if a, err = d.read(ctx, query); err != nil || a.Refused != nil {
		return a, err
	}
	if err := d.ring.ensure(ctx, d); err != nil {
		return a, err
	}
	stored := a.Request
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		a.Refused = nil
		answer, err := limit.Take(ctx, tx, limit.Charge{Budget: limit.Authorizations, Subject: limit.Subject("authorize", network)})
		if err != nil {
			return err
		}
		if !answer.OK {
			a.Refused = refuse("temporarily_unavailable", "Too many sign-ins began in this network; try again in a while.")
			return nil
		}
		stored.ID, stored.MadeAt, stored.EndsAt = id.New[id.Authorization](), tx.Now, tx.Now.Add(requestLife)
		return insertRequest(ctx, tx, secret.TokenHash(browser), stored)
	})
	if err != nil {
		return a, fmt.Errorf("store an application's request: %w", err)
	}
	a.Request = stored
	return a, nil
}

// read checks the parameters. First those by which an answer could go astray: until the
// client and the address are known, a refusal is a page of ours (RFC 6749, section 4.1.2.1).
func (d *Desk) read(ctx context.Context, q url.Values) (Asked, error) {
	page := func(words string) (Asked, error) {
		return Asked{Refused: refuse(InvalidRequest, words), Page: true}, nil
	}
	which, redirect := q["client_id"], q["redirect_uri"]
	if len(which) != 1 || len(redirect) != 1 {
		return page("client_id and redirect_uri are needed, each once.")
	}
	parsed, err := id.Parse[id.Client](which[0])
	if err != nil {
		return page("There is no such client.")
	}
	c, err := client.Living(ctx, d.DB, parsed)
	if errors.Is(err, fault.NotFound) {
		return page("There is no such client.")
	}
	if err != nil {
		return Asked{}, err
	}
	if c.Kind == client.Service || !c.Redirect(redirect[0]) {
		return page("redirect_uri is not one of those that were registered, byte for byte.")
	}
	r := Request{Client: c, Redirect: redirect[0]}
	refused := r.read(q)
	return Asked{Request: r, Refused: refused}, nil
}

// read reads what is left; a refusal goes to the client.
func (r *Request) read(q url.Values) *Refusal {
	for name, values := range q {
		// RFC 6749, section 3.1: no parameter more than once.
		if len(values) != 1 || len(values[0]) > longestParam || !plain(name) || !plain(values[0]) {
			return refuse(InvalidRequest, "A parameter came twice, is too long, or is not text.")
		}
	}
	r.State, r.Nonce = q.Get("state"), q.Get("nonce")
	switch {
	case q.Has("request"):
		return refuse("request_not_supported", "Request objects are not supported.")
	case q.Has("request_uri"):
		return refuse("request_uri_not_supported", "Request objects are not supported.")
	case q.Get("response_type") != "code":
		return refuse(UnsupportedType, "response_type is code and nothing else.")
	case q.Has("response_mode") && q.Get("response_mode") != "query":
		return refuse(InvalidRequest, "response_mode is query and nothing else.")
	case q.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(q.Get("code_challenge")):
		return refuse(InvalidRequest, "PKCE is needed of every client: code_challenge, and code_challenge_method S256.")
	}
	r.Challenge = q.Get("code_challenge")
	for word := range strings.FieldsSeq(q.Get("scope")) {
		if slices.Contains(Scopes(), word) && !slices.Contains(r.Scopes, word) {
			r.Scopes = append(r.Scopes, word)
		}
	}
	if !slices.Contains(r.Scopes, ScopeOpenID) {
		return refuse(InvalidScope, "scope has to hold openid.")
	}
	if hint := q.Get("login_hint"); len(hint) <= 254 {
		r.Hint = hint
	}
	return r.readProof(q)
}

// readProof reads what is asked of the proof.
func (r *Request) readProof(q url.Values) *Refusal {
	for word := range strings.FieldsSeq(q.Get("prompt")) {
		switch word {
		case "none":
			r.None = true
		case "login", "select_account":
			// Whoever signs in anew chooses who they are.
			r.Again = true
		case "consent":
			// The vendor's own applications: they have it.
		default:
			return refuse(InvalidRequest, "prompt is none, login, select_account or consent.")
		}
	}
	if r.None && len(strings.Fields(q.Get("prompt"))) > 1 {
		return refuse(InvalidRequest, "prompt=none stands alone.")
	}
	r.prompt = strings.Join(strings.Fields(q.Get("prompt")), " ")
	if q.Has("max_age") {
		if !numberForm.MatchString(q.Get("max_age")) {
			return refuse(InvalidRequest, "max_age is a number of seconds.")
		}
		seconds, _ := strconv.Atoi(q.Get("max_age")) // nine digits at most
		age := time.Duration(seconds) * time.Second
		r.MaxAge = &age
	}
	if !q.Has("acr_values") {
		return nil
	}
	for word := range strings.FieldsSeq(q.Get("acr_values")) {
		if level, known := policy.ParseURN(word); known && (r.ACR == 0 || level < r.ACR) {
			r.ACR = level
		}
	}
	if r.ACR == 0 {
		return refuse(UnmetLevel, "None of acr_values is a level that there is here.")
	}
	return nil
}

// plain says that a text can be stored and sent back: no control characters, which
// PostgreSQL takes in part only.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// Find finds a request of a browser that is not over. fault.NotFound for one that is
// another's, done, or too old, or whose client was disabled.
func (d *Desk) Find(ctx context.Context, which id.Authorization, browser string) (Request, error) {
	if browser == "" {
		return Request{}, fmt.Errorf("an application's request: %w", fault.NotFound)
	}
	r, err := requestOf(ctx, d.DB, secret.TokenHash(browser), which)
	if err != nil {
		return r, fmt.Errorf("find an application's request: %w", err)
	}
	if !r.DoneAt.IsZero() || !d.DB.Clock.Now().Before(r.EndsAt) {
		return r, fmt.Errorf("an application's request that is over: %w", fault.NotFound)
	}
	r.Client, err = client.Living(ctx, d.DB, r.Client.ID)
	return r, err
}

// Since is the moment before which no proof counts for a request; zero where any does. For a
// mobile app it is always the request's own: its sign-ins leave no session in the browser
// that another one could use.
func (r Request) Since() (at time.Time) {
	if r.Again || r.Client.Kind == client.Mobile {
		return r.MadeAt
	}
	if r.MaxAge != nil {
		return r.MadeAt.Add(-*r.MaxAge)
	}
	return at
}

// Continue is where somebody comes back to from a sign-in that an application asked for.
const Continue = "/oauth/continue"

// Back is the address by which a request goes on, a local path.
func (r Request) Back() string { return Continue + "?request=" + string(r.ID) }

// Asks finds the request that a sign-in goes back to; ok is false where it goes elsewhere,
// or the request is not this browser's or is over. So the kind of client is known by its
// credentials and the browser that it sent, and not by a field.
func (d *Desk) Asks(ctx context.Context, next, browser string) (r Request, ok bool, err error) {
	text, found := strings.CutPrefix(next, Continue+"?request=")
	if !found {
		return r, false, nil
	}
	which, err := id.Parse[id.Authorization](text)
	if err == nil {
		r, err = d.Find(ctx, which, browser)
	}
	if errors.Is(err, fault.NotFound) {
		return Request{}, false, nil
	}
	return r, err == nil, err
}
