package xero

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// Issuer is who signs id tokens, wherever they are fetched.
const Issuer = "https://identity.xero.com"

// Xero's own hosts. A base URL stands in for all of them, with the same paths.
const (
	loginHost    = "https://login.xero.com"
	identityHost = "https://identity.xero.com"
	apiHost      = "https://api.xero.com"
)

// The paths at them.
const (
	AuthorizePath   = "/identity/connect/authorize"
	TokenPath       = "/connect/token"
	KeysPath        = "/.well-known/openid-configuration/jwks"
	ConnectionsPath = "/connections"
)

// RefreshGrace is for how long a refresh token works after the one that takes its place
// was made; RefreshLife for how long one works that is not used.
const (
	RefreshGrace = 30 * time.Minute
	RefreshLife  = 60 * 24 * time.Hour
)

const (
	// within bounds one call, its answer included.
	within = 10 * time.Second
	// connecting bounds the way to Xero.
	connecting = 5 * time.Second
	// most bounds an answer, in bytes: a person with 1,000 organisations stays under it.
	most = 1 << 20
	// keysFor is for how long Xero's signing keys are believed without a look.
	keysFor = time.Hour
)

// App is what is registered at Xero.
type App struct {
	ClientID     string
	ClientSecret secret.Text
	// Redirect is where a browser comes back to, byte for byte as it is registered.
	Redirect string
	// BaseURL stands in for Xero's hosts; empty: Xero's own.
	BaseURL string
	// HTTP makes the calls; nil: one of our own. It follows no redirect either way.
	HTTP *http.Client
	// Now is needed.
	Now func() time.Time
}

// Client speaks with Xero as one app. It is safe for use by many goroutines.
type Client struct {
	app      App
	http     *http.Client
	oauth    oauth2.Config
	keys     *keys
	verifier *oidc.IDTokenVerifier
	api      string
}

// New makes a client. It calls nobody. fault.Invalid if something is missing.
func New(a App) (*Client, error) {
	if a.ClientID == "" || a.ClientSecret.Reveal() == "" || a.Redirect == "" || a.Now == nil {
		return nil, fmt.Errorf("a client of Xero needs an id, a secret, a redirect and a clock: %w", fault.Invalid)
	}
	login, identity, api, err := hosts(a.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{app: a, http: client(a.HTTP), api: api}
	c.oauth = oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret.Reveal(), RedirectURL: a.Redirect,
		Endpoint: oauth2.Endpoint{
			AuthURL: login + AuthorizePath, TokenURL: identity + TokenPath, AuthStyle: oauth2.AuthStyleInHeader,
		},
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}
	c.keys = &keys{get: c.get, url: identity + KeysPath, now: a.Now}
	c.verifier = oidc.NewVerifier(Issuer, c.keys, &oidc.Config{
		ClientID: a.ClientID, SupportedSigningAlgs: []string{oidc.RS256}, Now: a.Now,
	})
	return c, nil
}

// hosts are where sign-ins, tokens and connections are.
func hosts(base string) (login, identity, api string, err error) {
	if base == "" {
		return loginHost, identityHost, apiHost, nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !loopback(u) {
		return "", "", "", fmt.Errorf("what stands in for Xero is not https or on this machine: %w", fault.Invalid)
	}
	at := u.JoinPath().String()
	for len(at) > 0 && at[len(at)-1] == '/' {
		at = at[:len(at)-1]
	}
	return at, at, at, nil
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func client(given *http.Client) *http.Client {
	c := &http.Client{}
	if given != nil {
		*c = *given
	} else {
		c.Transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connecting, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: connecting,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 5,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// Answer is what Xero says to something that was asked of it.
type Answer string

// The answers.
const (
	// Done is the answer that was hoped for.
	Done Answer = ""
	// Dead says that the code, the refresh token or the access token is not taken: it ran
	// out, was used, or the person took back what they allowed.
	Dead Answer = "dead"
	// Foreign says that what came is not what was asked for: an id token of somebody else's,
	// an old one, one without a person, or no refresh token.
	Foreign Answer = "foreign"
	// Gone says that there is no such connection any more.
	Gone Answer = "gone"
)

var (
	errUnread  = errors.New("the answer cannot be read")
	errClient  = errors.New("Xero does not take the client id and secret; look at KEYTURN_XERO_CLIENT_ID and KEYTURN_XERO_CLIENT_SECRET")
	errReach   = errors.New("Xero cannot be reached")
	errTooMany = errors.New("more was asked of Xero than it allows")
	errStatus  = errors.New("Xero answers with a failure")
)
