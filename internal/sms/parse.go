package sms

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// Open reads providers in order of preference; each text may hold several, separated by
// commas:
//
//	twilio://SID:TOKEN@?from=+61…          an account and its auth token; from is a number,
//	                                       a name, or a messaging service (MG…)
//	messagemedia://KEY:SECRET@?from=…      from may be left out
//	clicksend://USER:KEY@?from=…           from may be left out
//	webhook+https://host/path?secret=…     our own form, signed; secret is base64
//
// A name is at most 11 letters, digits, spaces, dashes and underscores, one letter at
// least; a plus stands for itself. What holds one of ,:/?#[]@% or a space is
// percent-encoded. base=https://… after the question mark sets a provider's address; it
// must be https, or on loopback. webhook+http is for loopback.
//
// Nothing is connected to. An error wraps fault.Invalid, names a provider by its place in
// the list and never repeats what was given, because a slip of the pen moves a secret to
// any place.
func Open(urls []secret.Text, setup Setup) (*Carrier, error) {
	switch {
	case setup.Now == nil:
		return nil, fmt.Errorf("sms: the clock is missing: %w", fault.Invalid)
	case setup.HookSecret == nil:
		return nil, fmt.Errorf("sms: the keys are missing: %w", fault.Invalid)
	}
	if setup.Log == nil {
		setup.Log = slog.New(slog.DiscardHandler)
	}
	if setup.Slow == nil {
		setup.Slow = func(string) bool { return false }
	}
	c := &Carrier{setup: setup, client: newClient(setup.Client)}
	for _, text := range urls {
		if strings.TrimSpace(text.Reveal()) == "" {
			continue
		}
		for one := range strings.SplitSeq(text.Reveal(), ",") {
			if err := c.add(strings.TrimSpace(one)); err != nil {
				return nil, fmt.Errorf("SMS provider %d: %w: %w", len(c.lanes)+1, err, fault.Invalid)
			}
		}
	}
	if len(c.lanes) == 0 {
		return nil, fmt.Errorf("SMS providers: give at least one, such as twilio://SID:TOKEN@?from=+61…: %w", fault.Invalid)
	}
	return c, nil
}

// add reads one provider and puts it behind the others.
func (c *Carrier) add(one string) error {
	if len(c.lanes) == mostProviders {
		return fmt.Errorf("there may be %d at most", mostProviders)
	}
	g, err := parse(one)
	if err != nil {
		return err
	}
	kind, makes := "webhook", newWebhook
	switch g.scheme {
	case "twilio":
		kind, makes = "twilio", newTwilio
	case "messagemedia":
		kind, makes = "messagemedia", newMessageMedia
	case "clicksend":
		kind, makes = "clicksend", newClickSend
	}
	speaks, err := makes(&g)
	if err != nil {
		return err
	}
	l := &lane{name: c.freeName(kind), place: g.base.Host, speaks: speaks}
	l.hook = hook{name: l.name, keys: c.setup.HookSecret}
	if reaches(g.base, c.setup.Public) {
		l.hook.public = c.setup.Public
	}
	c.lanes = append(c.lanes, l)
	return nil
}

// freeName is the kind, with a number from the second one on.
func (c *Carrier) freeName(kind string) string {
	n := 1
	for _, l := range c.lanes {
		if l.name == kind || strings.HasPrefix(l.name, kind+"-") {
			n++
		}
	}
	if n == 1 {
		return kind
	}
	return fmt.Sprintf("%s-%d", kind, n)
}

// reaches says whether a provider can be asked to call us: nothing out there reaches a
// loopback address.
func reaches(provider, public *url.URL) bool {
	return public != nil && (!isLoopback(public.Hostname()) || isLoopback(provider.Hostname()))
}

// given is what an operator wrote, read but not yet understood.
type given struct {
	scheme   string
	user     string
	password secret.Text
	base     *url.URL
	from     string
	secret   secret.Text // of a webhook
}

var schemes = map[string]string{
	"twilio":       "https://api.twilio.com",
	"messagemedia": "https://api.messagemedia.com",
	"clicksend":    "https://rest.clicksend.com",
}

func parse(s string) (given, error) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || strings.Contains(s, "#") {
		// The parser's error repeats the address, secrets and all.
		return given{}, errors.New("the address cannot be read; write it such as twilio://SID:TOKEN@?from=+61…, and percent-encode special characters")
	}
	g := given{scheme: u.Scheme}
	settings, err := parseSettings(u.RawQuery)
	if err != nil {
		return given{}, err
	}
	if strings.HasPrefix(u.Scheme, "webhook+") {
		return g, g.webhook(u, settings)
	}
	usual, known := schemes[u.Scheme]
	if !known {
		return given{}, errors.New("the address must begin with twilio://, messagemedia://, clicksend:// or webhook+https://")
	}
	return g, g.account(u, settings, usual)
}

// webhook reads an address of our own form: where it goes, and its secret.
func (g *given) webhook(u *url.URL, settings url.Values) error {
	if err := only(settings, "secret"); err != nil {
		return err
	}
	if u.User != nil {
		return errors.New("a webhook is signed with secret and has no user name")
	}
	to := *u
	to.Scheme, to.RawQuery = strings.TrimPrefix(u.Scheme, "webhook+"), ""
	if err := private(&to); err != nil {
		return err
	}
	g.base, g.secret = &to, secret.NewText(settings.Get("secret"))
	return nil
}

// account reads an address that is an account with a provider.
func (g *given) account(u *url.URL, settings url.Values, usual string) error {
	if u.Host != "" || u.Path != "" {
		return errors.New("nothing may stand between the @ and the question mark; base= sets the provider's address; percent-encode special characters")
	}
	if err := only(settings, "from", "base"); err != nil {
		return err
	}
	var password string
	if u.User != nil {
		g.user = u.User.Username()
		password, _ = u.User.Password()
	}
	if g.user == "" || password == "" {
		return errors.New("both user and password must stand before the @")
	}
	g.password = secret.NewText(password)
	if strings.ContainsFunc(g.user+password, unicode.IsControl) || strings.Contains(g.user, ":") {
		return errors.New("user and password cannot hold control characters, nor the user a colon")
	}
	at := usual
	if settings.Has("base") {
		at = settings.Get("base")
	}
	base, err := url.Parse(at)
	if err != nil || base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Opaque != "" {
		return errors.New("base must be an address such as https://api.example.com")
	}
	g.base, g.from = base, settings.Get("from")
	return private(base)
}

// private checks that a way is encrypted or does not leave this machine.
func private(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return errors.New("the host is missing")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("a provider must be reached by https; http is for this machine (localhost or a loopback address)")
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// parseSettings reads what stands after the question mark. A plus is a plus, as in a phone
// number and in base64, and not a space.
func parseSettings(raw string) (url.Values, error) {
	settings, err := url.ParseQuery(strings.ReplaceAll(raw, "+", "%2B"))
	if err != nil {
		return nil, errors.New("the settings after the question mark cannot be read")
	}
	return settings, nil
}

// only checks that nothing but these settings is given, each once.
func only(settings url.Values, names ...string) error {
	found := 0
	for _, name := range names {
		values, has := settings[name]
		if !has {
			continue
		}
		found++
		if len(values) != 1 || values[0] == "" {
			return fmt.Errorf("%s must be given once, with a value", name)
		}
	}
	if found != len(settings) {
		return fmt.Errorf("after the question mark there may be %s; there is something else", strings.Join(names, " and "))
	}
	return nil
}

// An alphanumeric sender has 11 characters at most (3GPP TS 23.040, 9.1.2.5: ten octets
// of septets).
var (
	senderName    = regexp.MustCompile(`^[A-Za-z0-9 _-]{1,11}$`)
	senderLetter  = regexp.MustCompile(`[A-Za-z]`)
	senderService = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)

	errFrom = errors.New("from must be a number such as +61…, or a name of at most 11 letters and digits with a letter in it")
)

// isSender says whether from is a number or a name.
func isSender(from string) bool {
	return e164.MatchString(from) ||
		senderName.MatchString(from) && senderLetter.MatchString(from) && strings.TrimSpace(from) == from
}

// basic is HTTP's basic authentication.
func (g *given) basic(r *http.Request) { r.SetBasicAuth(g.user, g.password.Reveal()) }
