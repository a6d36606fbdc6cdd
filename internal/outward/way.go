// Package outward calls addresses that somebody typed: an endpoint of webhooks, the back
// channel of an application. They are never taken at their word. A call goes to addresses of
// the public internet alone, follows no redirect, uses no proxy, and nothing of its answer
// is kept but the status (OWASP ASVS 5.0, 1.3.6).
package outward

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// patience is how long a receiver has for one attempt, from the look-up of its name to
	// the end of its answer.
	patience = 10 * time.Second
	// dialFor is how long one address of it has to answer a connection.
	dialFor = 4 * time.Second
	// mostHeader and mostAnswer bound what is read of an answer, in bytes. Nothing of it is
	// kept but the status.
	mostHeader, mostAnswer = 16 << 10, 8 << 10
	// mostAddresses is how many addresses of one name are tried.
	mostAddresses = 4
	// longestURL bounds an address, in bytes, and longestRest what a receiver may ask for.
	longestURL, longestRest = 500, time.Hour
)

// LookUp gives the addresses of a host's name.
type LookUp func(ctx context.Context, host string) ([]netip.Addr, error)

// DNS looks names up as the machine does.
func DNS(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("look a name up: %w", err)
	}
	return all, nil
}

// Way is how endpoints are reached. It calls addresses of the public internet alone, judged
// when a connection is made and on the very address that is called: a name that leads
// somewhere else a moment later gains nothing. It follows no redirect, uses no proxy and
// speaks TLS 1.2 or later.
type Way struct {
	loopback bool
	client   *http.Client
}

// NewWay makes one. Where the product's own public URL is loopback, so that this is a trial
// on one machine, loopback may be called too, and without TLS; nowhere else. roots are
// whose certificates are believed; nil: those of the machine.
func NewWay(public *url.URL, look LookUp, roots *x509.CertPool) *Way {
	w := &Way{loopback: public != nil && loopbackHost(public.Hostname())}
	dialer := &net.Dialer{Timeout: dialFor, Control: w.control}
	transport := &http.Transport{
		Proxy: nil, // a proxy would resolve names itself
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, dialer, look, network, address)
		},
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience,
		MaxResponseHeaderBytes: mostHeader, MaxIdleConnsPerHost: 2, MaxIdleConns: 50, IdleConnTimeout: 30 * time.Second,
		DisableCompression: true, // nothing that is read is looked at
	}
	w.client = &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// errAddress says that an address may not be called.
var errAddress = errors.New("the address is not one of the public internet")

// control judges the address that is about to be called.
func (w *Way) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !w.callable(at.Addr()) {
		return errAddress
	}
	return nil
}

func (w *Way) callable(a netip.Addr) bool {
	return Public(a) || w.loopback && a.Zone() == "" && a.Unmap().IsLoopback()
}

func dial(ctx context.Context, dialer *net.Dialer, look LookUp, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	if literal, err := netip.ParseAddr(host); err == nil {
		all = []netip.Addr{literal}
	} else if all, err = look(ctx, host); err != nil {
		return nil, err
	}
	err = errors.New("the name has no address")
	for _, a := range all[:min(len(all), mostAddresses)] {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// closed are networks within the rest that are nobody's on the public internet: the special
// purpose registries of IANA (RFC 6890 and its updates). What carries an IPv4 address within
// an IPv6 one (6to4, Teredo, NAT64) is closed whole, whatever it carries.
var closed = networks(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/3",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

// global is what of IPv6 is given out at all: loopback, unique local, link-local, multicast,
// IPv4 within IPv6 and 64:ff9b::/96 (RFC 6052) are all outside.
var global = netip.MustParsePrefix("2000::/3")

func networks(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// Public says whether an address is one of the public internet. An IPv4 address that is
// written as an IPv6 one is judged as what it is.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() && !global.Contains(a) {
		return false
	}
	for _, network := range closed {
		if network.Contains(a) {
			return false
		}
	}
	return true
}

// loopbackHost says whether a host is this machine by its name.
func loopbackHost(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// Fits says whether a text can be such an address: https, a host, no user, no
// fragment. Where it leads is judged again at each call; what is plainly not public is
// refused here already, so that whoever types it is told. At most 500 bytes.
func (w *Way) Fits(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > longestURL || u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Hostname() == "" {
		return false
	}
	for _, r := range text {
		if r <= ' ' || r > '~' || strings.ContainsRune(`\#"<>`, r) {
			return false
		}
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return false
	}
	local := loopbackHost(u.Hostname())
	if local {
		return w.loopback && (u.Scheme == "http" || u.Scheme == "https")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !Public(a) {
		return false
	}
	return u.Scheme == "https"
}

// Answer is what became of one attempt.
type Answer struct {
	// Status is the receiver's; 0 where there was none.
	Status int
	// Why is what failed, empty for a success.
	Why Why
	// After is how long the receiver asks to be left alone, at most an hour; 0: it did not
	// say.
	After time.Duration
}

// Gone says that the receiver wants no more, ever.
func (a Answer) Gone() bool { return a.Status == http.StatusGone }

// Refused says that the receiver refused what it was sent, and would again: not that it is
// busy or broken.
func (a Answer) Refused() bool {
	return a.Status >= http.StatusBadRequest && a.Status < http.StatusInternalServerError &&
		a.Status != http.StatusTooManyRequests && a.Status != http.StatusRequestTimeout && a.After == 0
}

// Why says what failed of an attempt.
type Why string

// What can fail. Address: the name leads to something that is not of the public internet.
const (
	Timeout  Why = "timeout"
	Address  Why = "address"
	TLS      Why = "tls"
	Connect  Why = "connect"
	Status   Why = "status"
	Redirect Why = "redirect"
)

// Post makes one attempt, which has 10 s.
func (w *Way) Post(ctx context.Context, to string, header map[string]string, body []byte) Answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return Answer{Why: Connect}
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	got, err := w.client.Do(r)
	if err != nil {
		return Answer{Why: whyOf(ctx, err)}
	}
	defer func() { _ = got.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(got.Body, mostAnswer)) // the status is what counts
	a := Answer{Status: got.StatusCode}
	switch {
	case got.StatusCode >= 200 && got.StatusCode < 300:
	case got.StatusCode >= 300 && got.StatusCode < 400:
		a.Why = Redirect
	default:
		a.Why, a.After = Status, after(got.Header)
	}
	return a
}

func whyOf(ctx context.Context, err error) Why {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var slow net.Error
	switch {
	case errors.Is(err, errAddress):
		return Address
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return TLS
	case ctx.Err() != nil, errors.As(err, &slow) && slow.Timeout():
		return Timeout
	}
	return Connect
}

// after reads a Retry-After (RFC 9110, section 10.2.3): seconds, or a date, which is read by
// the receiver's own clock. At most longestRest.
func after(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(n, 0), int(longestRest/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), longestRest)
}
