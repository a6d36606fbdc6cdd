package mail

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
)

// privacy is how a connection to a relay is made private.
type privacy int

const (
	starttls privacy = iota // the upgrade of RFC 3207, required
	implicit                // TLS from the first byte (RFC 8314)
	plain                   // none; said explicitly
)

// Relay is one SMTP server that takes our mail, with what is needed to use it. It is
// made by ParseRelays and prints itself without user name and password.
type Relay struct {
	host, port     string
	user, password string
	privacy        privacy
	serverName     string         // the name the certificate must hold; host if empty
	roots          *x509.CertPool // nil: the system's
}

// Addr is the relay's host:port.
func (r Relay) Addr() string {
	return net.JoinHostPort(r.host, r.port)
}

// Private says whether the way to the relay is encrypted.
func (r Relay) Private() bool {
	return r.privacy != plain
}

// String is the relay as an operator may see it: no user name, no password.
func (r Relay) String() string {
	switch r.privacy {
	case implicit:
		return "smtps://" + r.Addr()
	case plain:
		return "smtp://" + r.Addr() + "?tls=none"
	case starttls:
	}
	return "smtp://" + r.Addr()
}

// GoString keeps %#v from showing the password.
func (r Relay) GoString() string {
	return "mail.Relay(" + r.String() + ")"
}

// LogValue implements slog.LogValuer.
func (r Relay) LogValue() slog.Value {
	return slog.StringValue(r.String())
}

func (r Relay) tlsConfig() *tls.Config {
	name := r.serverName
	if name == "" {
		name = r.host
	}
	return &tls.Config{ServerName: name, RootCAs: r.roots, MinVersion: tls.VersionTLS12}
}
