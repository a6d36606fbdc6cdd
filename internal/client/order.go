package client

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/apikey"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

const (
	// longestName bounds a client's name, in characters.
	longestName = 100
	// longestURI bounds each of its addresses and audiences, in bytes.
	longestURI = 512
	// mostURIs bounds each of its lists.
	mostURIs = 20
	// mostSites bounds how many sites one client names.
	mostSites = 500
)

// Order is what a new client is to be.
type Order struct {
	Name                   string
	Kind                   Kind
	Redirects, PostLogouts []string
	BackChannel            string
	Origins, Audiences     []string
	Scopes                 []apikey.Scope
	// IDTokenAlg may be empty: RS256.
	IDTokenAlg string
	// All or Sites: one of the two.
	All   bool
	Sites []id.Site
}

// Fault is what is wrong with an order.
type Fault string

// The faults.
const (
	WrongName        Fault = "name"
	WrongSites       Fault = "sites"
	AllTokens        Fault = "all_tokens"
	WrongKind        Fault = "kind"
	NeedsRedirect    Fault = "needs_redirect"
	NeedsAudience    Fault = "needs_audience"
	NeedsScope       Fault = "needs_scope"
	NotOfKind        Fault = "not_of_kind"
	WrongScope       Fault = "scope"
	WrongAlg         Fault = "alg"
	TooMany          Fault = "too_many"
	WrongRedirect    Fault = "redirect"
	WrongRedirectApp Fault = "redirect_app"
	WrongBack        Fault = "back_channel"
	WrongOrigin      Fault = "origin"
	WrongAudience    Fault = "audience"
)

// sentences say each fault on a terminal.
var sentences = map[Fault]string{
	WrongName:        "a client needs a name of at most 100 characters",
	WrongSites:       "a client is either for all sites or for those that it names, 500 at most",
	AllTokens:        "a client with the scope xero:token names its sites",
	WrongKind:        "a client is of the kind web, mobile or service",
	NeedsRedirect:    "a web client needs a redirect URI, or an origin for forward auth; a mobile one needs a redirect URI",
	NeedsAudience:    "a mobile client needs an audience: the name of the API that its tokens are for",
	NeedsScope:       "a service needs a scope of the API, or an audience that it answers for",
	NotOfKind:        "a web client has no audiences and no scopes; a mobile one no scopes, origins or back channel; a service nothing but audiences and scopes",
	WrongScope:       "there is no such scope",
	WrongAlg:         "ID tokens are signed with RS256 or ES256",
	TooMany:          "a client has 20 addresses of a sort at most",
	WrongRedirect:    "a redirect URI of a web client is https, or http on this machine (127.0.0.1, [::1] or localhost), without a fragment, a user name or dots for folders",
	WrongRedirectApp: "a redirect URI of a mobile client is https, or a scheme of the app's own with a dot in it, as in com.example.app:/signed-in, without a fragment and without a user name",
	WrongBack:        "the address of the back channel is https, or http on this machine, without a fragment and without a user name",
	WrongOrigin:      "an origin is scheme://host or scheme://host:port in lower case, https or http on this machine, and nothing behind it",
	WrongAudience:    "an audience is a name or an address of at most 200 letters, digits and the signs . _ ~ : / -",
}

// Error implements error.
func (f Fault) Error() string { return sentences[f] }

func (o Order) check() error {
	for _, wrong := range []Fault{o.wrongName(), o.wrongSites(), o.wrongKind(), o.wrongLists()} {
		if wrong != "" {
			return fmt.Errorf("%w: %w", wrong, fault.Invalid)
		}
	}
	return nil
}

func (o Order) wrongName() Fault {
	if strings.TrimSpace(o.Name) == "" || utf8.RuneCountInString(o.Name) > longestName || !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, unicode.IsControl) {
		return WrongName
	}
	return ""
}

func (o Order) wrongSites() Fault {
	switch {
	case o.All == (len(o.Sites) > 0), len(o.Sites) > mostSites:
		return WrongSites
	case o.All && slices.Contains(o.Scopes, apikey.XeroToken):
		return AllTokens
	}
	return ""
}

// wrongKind says what a client of this kind must have or cannot have.
func (o Order) wrongKind() Fault {
	switch o.Kind {
	case Web:
		switch {
		case len(o.Redirects)+len(o.Origins) == 0:
			return NeedsRedirect
		case len(o.Audiences)+len(o.Scopes) > 0:
			return NotOfKind
		}
	case Mobile:
		switch {
		case len(o.Redirects) == 0:
			return NeedsRedirect
		case len(o.Audiences) == 0:
			return NeedsAudience
		case len(o.Scopes)+len(o.Origins)+len(o.BackChannel) > 0:
			return NotOfKind
		}
	case Service:
		switch {
		case len(o.Redirects)+len(o.PostLogouts)+len(o.Origins)+len(o.BackChannel) > 0:
			return NotOfKind
		case len(o.Scopes)+len(o.Audiences) == 0:
			return NeedsScope
		}
	default:
		return WrongKind
	}
	return ""
}

func (o Order) wrongLists() Fault {
	for _, s := range o.Scopes {
		if !slices.Contains(apikey.Scopes(), s) {
			return WrongScope
		}
	}
	if !slices.Contains([]string{"", RS256, ES256}, o.IDTokenAlg) {
		return WrongAlg
	}
	for _, list := range [][]string{o.Redirects, o.PostLogouts, o.Origins, o.Audiences} {
		if len(list) > mostURIs {
			return TooMany
		}
	}
	for _, uri := range slices.Concat(o.Redirects, o.PostLogouts) {
		if !redirectFits(o.Kind, uri) {
			if o.Kind == Mobile {
				return WrongRedirectApp
			}
			return WrongRedirect
		}
	}
	switch {
	case o.BackChannel != "" && !redirectFits(Web, o.BackChannel):
		return WrongBack
	case slices.ContainsFunc(o.Origins, func(s string) bool { return !originFits(s) }):
		return WrongOrigin
	case slices.ContainsFunc(o.Audiences, func(s string) bool { return !audience.MatchString(s) }):
		return WrongAudience
	}
	return ""
}

var (
	// visible are the characters of a URI (RFC 3986, section 2) without those that browsers
	// mend on their own.
	visible = regexp.MustCompile(`^[A-Za-z0-9._~:/?&=+,;!$()@%\[\]-]+$`)
	// ownScheme is a private-use scheme by the domain of its owner, read backwards (RFC 8252,
	// section 7.1).
	ownScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)
	host      = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	audience  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~:/-]{0,199}$`)
)

// redirectFits says whether an address may be registered: one that every browser reads as
// it stands.
func redirectFits(kind Kind, uri string) bool {
	if len(uri) > longestURI || !visible.MatchString(uri) {
		return false
	}
	u, err := url.Parse(uri)
	if err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "" || strings.Contains(uri, "#") || dotted(u.EscapedPath()) {
		return false
	}
	// The scheme as it was typed: url.Parse makes it small.
	if !strings.HasPrefix(uri, u.Scheme+":") {
		return false
	}
	if kind == Mobile && ownScheme.MatchString(u.Scheme) {
		return u.Path != "" || u.Host != ""
	}
	return hostFits(u) && (u.Scheme == "https" || kind == Web && u.Scheme == "http" && loopback(u))
}

// originFits says whether a text is the origin of pages as a browser writes it (RFC 6454).
func originFits(text string) bool {
	u, err := url.Parse(text)
	if err != nil || text != u.Scheme+"://"+u.Host || !hostFits(u) || len(text) > longestURI {
		return false
	}
	if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return false // browsers leave them out
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u)
}

func hostFits(u *url.URL) bool {
	name := u.Hostname()
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.String() == name && addr.Zone() == ""
	}
	return host.MatchString(name) && !strings.Contains(name, "..")
}

func loopback(u *url.URL) bool {
	if u.Hostname() == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}

// dotted says that a path has a folder that means another place.
func dotted(path string) bool {
	for part := range strings.SplitSeq(strings.ToLower(path), "/") {
		switch strings.ReplaceAll(part, "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}
