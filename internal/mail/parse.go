package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"keyturn/internal/fault"
)

// ParseRelays reads relays in order of preference, separated by commas:
//
//	smtp://user:password@host:587?tls=required
//	smtps://user:password@host:465
//
// User name and password are percent-encoded where they hold one of ,:/?#[]@% and may
// be left out together. The port is 587 for smtp and 465 for smtps unless given.
//
// Settings after the question mark:
//
//   - tls=required is the default: smtp uses STARTTLS and refuses to go on without it.
//   - tls=none sends in the clear and must be said. It is for a relay on this machine
//     (localhost or a loopback address). For any other host insecure=yes must be said
//     as well, and no password may be given: it would be readable on the way.
//   - ca=FILE trusts the certificates of this PEM file instead of the system's.
//   - server_name=NAME is the name the certificate must hold, if it is not the host.
//
// An error wraps fault.Invalid, names a relay by its place in the list, and never
// repeats what was given, because a slip of the pen moves the password to any place.
func ParseRelays(s string) ([]Relay, error) {
	if strings.TrimSpace(s) == "" {
		return nil, fmt.Errorf("mail relays: give at least one, such as smtp://user:password@host:587: %w", fault.Invalid)
	}
	var relays []Relay
	for i, one := range strings.Split(s, ",") {
		r, err := parseRelay(strings.TrimSpace(one))
		if err != nil {
			return nil, fmt.Errorf("mail relay %d: %w: %w", i+1, err, fault.Invalid)
		}
		relays = append(relays, r)
	}
	return relays, nil
}

func parseRelay(s string) (Relay, error) {
	u, err := url.Parse(s)
	if err != nil {
		// The parser's error repeats the address, password and all.
		return Relay{}, errors.New("the address cannot be read; write smtp://user:password@host:port and percent-encode special characters in user and password")
	}
	if u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" || strings.Contains(s, "#") {
		return Relay{}, errors.New("nothing may stand between the host and the question mark; percent-encode special characters in user and password")
	}
	r := Relay{host: strings.ToLower(u.Hostname()), port: u.Port()}
	switch u.Scheme {
	case "smtp":
		r.privacy = starttls
	case "smtps":
		r.privacy = implicit
	default:
		return Relay{}, errors.New("the address must begin with smtp:// or smtps://")
	}
	if err := r.place(); err != nil {
		return Relay{}, err
	}
	if err := r.credentials(u.User); err != nil {
		return Relay{}, err
	}
	return r, r.settings(u.RawQuery)
}

// place checks host and port and fills in the usual port.
func (r *Relay) place() error {
	if r.host == "" {
		return errors.New("the host is missing")
	}
	if net.ParseIP(r.host) == nil && strings.ContainsFunc(r.host, notOfHost) {
		return errors.New("the host may hold letters, digits, dots and dashes only")
	}
	if r.port == "" {
		r.port = "587"
		if r.privacy == implicit {
			r.port = "465"
		}
	}
	if n, err := strconv.ParseUint(r.port, 10, 16); err != nil || n == 0 {
		return errors.New("the port must be a number from 1 to 65535")
	}
	return nil
}

func notOfHost(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_'
}

func (r *Relay) credentials(u *url.Userinfo) error {
	if u == nil {
		return nil
	}
	r.user = u.Username()
	r.password, _ = u.Password()
	if r.user == "" || r.password == "" {
		return errors.New("give both user name and password, or neither")
	}
	if strings.ContainsFunc(r.user+r.password, isControl) {
		return errors.New("user name and password cannot hold control characters")
	}
	return nil
}

// settings reads what stands after the question mark.
func (r *Relay) settings(raw string) error {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("the settings after the question mark cannot be read")
	}
	for name, values := range q {
		switch name {
		case "tls", "ca", "server_name", "insecure":
		default:
			return errors.New("the settings are tls, ca, server_name and insecure; there is another one after the question mark")
		}
		if len(values) != 1 || values[0] == "" {
			return fmt.Errorf("%s must be given once, with a value", name)
		}
	}
	if err := r.openness(q.Get("tls"), q.Get("insecure")); err != nil {
		return err
	}
	if r.privacy == plain && (q.Has("ca") || q.Has("server_name")) {
		return errors.New("ca and server_name mean nothing with tls=none")
	}
	r.serverName = strings.ToLower(q.Get("server_name"))
	if strings.ContainsFunc(r.serverName, notOfHost) {
		return errors.New("server_name may hold letters, digits, dots and dashes only")
	}
	if q.Has("ca") {
		r.roots, err = readRoots(q.Get("ca"))
	}
	return err
}

func (r *Relay) openness(mode, insecure string) error {
	if insecure != "" && (insecure != "yes" || mode != "none") {
		return errors.New("insecure may only be yes, beside tls=none")
	}
	switch mode {
	case "", "required":
		return nil
	case "none":
	default:
		return errors.New("tls must be required or none")
	}
	if r.privacy == implicit {
		return errors.New("smtps is always encrypted; write smtp with tls=none for a connection in the clear")
	}
	r.privacy = plain
	if isLoopback(r.host) {
		return nil
	}
	if insecure != "yes" {
		return errors.New("tls=none is for a relay on this machine; if the network between is yours, add insecure=yes")
	}
	if r.password != "" {
		return errors.New("with tls=none the password would be readable on the way; use tls=required, or leave user and password out")
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the path is the operator's own configuration
	if err != nil {
		if where, ok := errors.AsType[*fs.PathError](err); ok {
			err = where.Err // without the path
		}
		return nil, fmt.Errorf("the file that ca names cannot be read (%w)", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file that ca names holds no certificate in PEM form")
	}
	return roots, nil
}
