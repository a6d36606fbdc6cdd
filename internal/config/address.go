package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"keyturn/internal/secret"
)

// sqliteScheme begins the URL of a database in a file.
const sqliteScheme = "sqlite:"

// isLoopback says whether a host, without a port, is this machine. Other names than
// localhost are not looked up.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// listensLocally says whether an address to listen at is this machine's alone. No host
// means every network.
func listensLocally(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && isLoopback(host)
}

// isPort says whether a text is a port that somebody can be called at.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == text
}

// isHost says whether a text is a domain name or an address.
func isHost(text string) bool {
	a, err := netip.ParseAddr(text)
	return isDomain(strings.ToLower(text)) || (err == nil && a.Zone() == "")
}

func listener(text string) (string, error) {
	wrong := errors.New("must be host:port, with a port from 1 to 65535 in digits")
	host, port, err := net.SplitHostPort(text)
	if err != nil || (host != "" && !isHost(host)) {
		return "", wrong
	}
	if port == "0" {
		if !isLoopback(host) {
			return "", errors.New("may have port 0, which takes any that is free, on loopback only")
		}
		return text, nil
	}
	if !isPort(port) {
		return "", wrong
	}
	return text, nil
}

func publicURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" || !isHost(u.Hostname()) {
		return nil, errors.New("must be https:// and a host")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https://")
	case u.Scheme == "http" && !isLoopback(strings.ToLower(u.Hostname())):
		return nil, errors.New("must begin with https://, because http is for this machine only")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || len(u.Path) > 1 || strings.ContainsAny(text, "?#"):
		return nil, errors.New("must be a host alone, with no user, path or query")
	case strings.HasSuffix(u.Host, ":") || (u.Port() != "" && !isPort(u.Port())):
		return nil, errors.New("must have a port from 1 to 65535, or none")
	case (u.Scheme == "https" && u.Port() == "443") || (u.Scheme == "http" && u.Port() == "80"):
		return nil, errors.New("must leave out the usual port, as browsers do")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// safeURL is the address of a service: https, or anything on loopback.
func safeURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || !isHost(u.Hostname()) || (u.Port() != "" && !isPort(u.Port())) {
		return "", errors.New("must be an address that begins with https://")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(strings.ToLower(u.Hostname()))) {
		return "", errors.New("must begin with https://, or be http on loopback")
	}
	if u.User != nil || strings.ContainsAny(text, "?#") {
		return "", errors.New("must have no user and no query")
	}
	return strings.TrimSuffix(text, "/"), nil
}

func databaseURL(text string) (secret.Text, error) {
	if path, ok := strings.CutPrefix(text, sqliteScheme); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" || strings.HasSuffix(path, "/") || strings.HasPrefix(path, ":") || strings.ContainsAny(path, "?#") {
			return secret.Text{}, errors.New("must name a file after sqlite:, without ? and #")
		}
		return secret.NewText(text), nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Opaque != "" || u.Fragment != "" {
		return secret.Text{}, errors.New("must be sqlite:PATH or postgres://user:password@host:5432/name, with special characters in the password percent-encoded")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || strings.Contains(u.Path, "@") {
		return secret.Text{}, errors.New("cannot be read; special characters in the password are percent-encoded")
	}
	if u.Host == "" && !q.Has("host") {
		return secret.Text{}, errors.New("must name a host")
	}
	if u.Port() != "" && !isPort(u.Port()) && !strings.Contains(u.Host, ",") {
		return secret.Text{}, errors.New("must have a port from 1 to 65535")
	}
	if strings.Trim(u.Path, "/") == "" && !q.Has("dbname") {
		return secret.Text{}, errors.New("must name a database after the host")
	}
	return secret.NewText(text), nil
}

// relays looks at the form only; the carrier for mail reads them in full.
func relays(text string) (secret.Text, error) {
	list, err := items(text)
	if err != nil {
		return secret.Text{}, err
	}
	for _, one := range list {
		u, err := url.Parse(one)
		if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Opaque != "" || strings.Trim(u.Path, "/") != "" || strings.Contains(one, "#") {
			return secret.Text{}, errors.New("must be smtp://user:password@host:port, comma-separated, with special characters in user and password percent-encoded")
		}
		if u.Hostname() == "" || (u.Port() != "" && !isPort(u.Port())) {
			return secret.Text{}, errors.New("must have a host, and a port from 1 to 65535 or none")
		}
		if p, _ := u.User.Password(); u.User != nil && (u.User.Username() == "" || p == "") {
			return secret.Text{}, errors.New("must have both user and password, or neither")
		}
		q, err := url.ParseQuery(u.RawQuery)
		if mode := q.Get("tls"); err != nil || (q.Has("tls") && mode != "required" && mode != "none") {
			return secret.Text{}, errors.New("must have tls=required or tls=none, if it has tls")
		}
	}
	return secret.NewText(text), nil
}

// providers looks at the form only; the carrier for SMS reads them in full.
func providers(text string) (secret.Text, error) {
	list, err := items(text)
	if err != nil {
		return secret.Text{}, err
	}
	for _, one := range list {
		u, err := url.Parse(one)
		if err != nil || u.Opaque != "" || strings.Contains(one, "#") || !strings.Contains(one, "://") {
			return secret.Text{}, errors.New("must be provider://user:secret@, comma-separated, with special characters percent-encoded")
		}
		switch u.Scheme {
		case "twilio", "messagemedia", "clicksend":
			if p, _ := u.User.Password(); u.User.Username() == "" || p == "" {
				return secret.Text{}, errors.New("must have the provider's user and secret before the @")
			}
		case "webhook+https", "webhook+http":
			if _, err := safeURL(strings.TrimPrefix(u.Scheme, "webhook+") + "://" + u.Host); err != nil {
				return secret.Text{}, errors.New("must have a host after webhook+https://, or loopback after webhook+http://")
			}
		default:
			return secret.Text{}, errors.New("must begin with twilio://, messagemedia://, clicksend:// or webhook+https://")
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil {
			return secret.Text{}, errors.New("has a part after the question mark that cannot be read")
		}
		if q.Has("base") {
			if _, err := safeURL(q.Get("base")); err != nil {
				return secret.Text{}, errors.New("must have a base= that is https, or loopback")
			}
		}
	}
	return secret.NewText(text), nil
}

func proxies(text string) ([]netip.Prefix, error) {
	list, err := items(text)
	if err != nil {
		return nil, err
	}
	var found []netip.Prefix
	for _, one := range list {
		p, err := proxy(one)
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

// proxy reads one address or network. Everybody is never a proxy, nor is half of
// everybody: the widest are a /8 of IPv4, and fc00::/7, the private addresses of IPv6.
func proxy(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if a, failed := netip.ParseAddr(text); failed == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("must be addresses or networks, comma-separated")
	case p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("must have IPv4 addresses in their own form, not in that of IPv6")
	case p != p.Masked():
		return netip.Prefix{}, errors.New("has a network with bits set beyond its length; write its first address")
	case (p.Addr().Is4() && p.Bits() < 8) || (p.Addr().Is6() && p.Bits() < 7):
		return netip.Prefix{}, errors.New("has a network so wide that anybody could lie about their address; name the proxies alone")
	}
	return p, nil
}
