package mail

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

// network is a small internet in memory: inside a synctest bubble its time is the
// bubble's, so a relay may be silent for minutes and the test takes none.
type network struct {
	mu    sync.Mutex
	hosts map[string]func(net.Conn)
	dials map[string]int
	busy  sync.WaitGroup
}

func newNetwork(tb testing.TB) *network {
	tb.Helper()
	n := &network{hosts: map[string]func(net.Conn){}, dials: map[string]int{}}
	tb.Cleanup(n.busy.Wait)
	return n
}

// host answers connections to addr with serve; nil refuses them.
func (n *network) host(addr string, serve func(net.Conn)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[addr] = serve
}

func (n *network) dialled(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[addr]
}

func (n *network) dial(_ context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials[addr]++
	serve := n.hosts[addr]
	if serve == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	n.busy.Go(func() { serve(server) })
	return client, nil
}

// received is a letter as a relay got it.
type received struct {
	from, to string
	utf8     bool
	raw      string
}

// office is a real SMTP server whose answers a test may choose.
type office struct {
	server *gosmtp.Server

	mu      sync.Mutex
	letters []received
	conns   int
	most    int // connections open at once
	open    int
	refuse  map[stage]error

	user, password string
}

func newOffice(tb testing.TB) *office {
	tb.Helper()
	o := &office{refuse: map[stage]error{}}
	o.server = gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) {
		return &visit{office: o}, nil
	}))
	o.server.Domain = "relay.example"
	o.server.AllowInsecureAuth = true
	o.server.ErrorLog = silent{}
	return o
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// refusing makes the server answer with err at a stage; nil ends it.
func (o *office) refusing(at stage, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuse[at] = err
}

func (o *office) answer(at stage) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refuse[at]
}

func (o *office) got() []received {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]received(nil), o.letters...)
}

func (o *office) connections() (all, most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.conns, o.most
}

// serve listens in memory, at addr of n.
func (o *office) serve(tb testing.TB, n *network, addr string) {
	tb.Helper()
	l := &pipes{arriving: make(chan net.Conn), closed: make(chan struct{})}
	n.host(addr, func(c net.Conn) {
		select {
		case l.arriving <- c:
		case <-l.closed:
			_ = c.Close()
		}
	})
	o.run(tb, l)
}

// listen listens on loopback and gives the address.
func (o *office) listen(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	o.run(tb, l)
	return l.Addr().String()
}

func (o *office) run(tb testing.TB, l net.Listener) {
	tb.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = o.server.Serve(counting{l, o})
	}()
	tb.Cleanup(func() {
		_ = o.server.Close()
		<-ended
	})
}

type counting struct {
	net.Listener
	office *office
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.office.mu.Lock()
	defer l.office.mu.Unlock()
	l.office.conns++
	l.office.open++
	l.office.most = max(l.office.most, l.office.open)
	return &counted{Conn: c, office: l.office}, nil
}

type counted struct {
	net.Conn
	once   sync.Once
	office *office
}

func (c *counted) Close() error {
	c.once.Do(func() {
		c.office.mu.Lock()
		defer c.office.mu.Unlock()
		c.office.open--
	})
	return c.Conn.Close()
}

type pipes struct {
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.arriving:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// visit is one connection to an office.
type visit struct {
	office *office
	now    received
	known  bool
}

func (v *visit) Reset()        { v.now = received{} }
func (v *visit) Logout() error { return nil }

func (v *visit) AuthMechanisms() []string {
	if v.office.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != v.office.user || password != v.office.password {
			return gosmtp.ErrAuthFailed
		}
		v.known = true
		return nil
	}), nil
}

func (v *visit) Mail(from string, o *gosmtp.MailOptions) error {
	if v.office.user != "" && !v.known {
		return gosmtp.ErrAuthRequired
	}
	v.now = received{from: from, utf8: o.UTF8}
	return v.office.answer(stageMail)
}

func (v *visit) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	v.now.to = to
	return v.office.answer(stageRcpt)
}

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := v.office.answer(stageAnswer); err != nil {
		return err
	}
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.now.raw = string(raw)
	v.office.letters = append(v.office.letters, v.now)
	return nil
}

// says is an SMTP refusal.
func says(code int, a, b, c int, text string) error {
	return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.EnhancedCode{a, b, c}, Message: text}
}

// script is a relay that follows lines: "> x" is said, "< X" is a command awaited by
// its beginning, "silence" waits until the client gives up, "deaf" does not even read,
// "sip" reads whatever comes, and the end hangs up.
func script(lines ...string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close() //nolint:errcheck // a test's own end of a pipe
		r := bufio.NewReader(c)
		for _, line := range lines {
			word, rest, _ := strings.Cut(line, " ")
			switch word {
			case ">":
				if _, err := io.WriteString(c, rest+"\r\n"); err != nil {
					return
				}
			case "<":
				for {
					got, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if strings.HasPrefix(got, rest) {
						break
					}
				}
			case "silence":
				_, _ = io.Copy(io.Discard, r)
				return
			case "sip":
				_, _ = r.ReadByte()
			case "deaf":
				time.Sleep(time.Minute) // the bubble's time
				return
			}
		}
	}
}

// The lines with which a scripted relay gets as far as a stage.
var (
	greeted   = []string{"> 220 relay.example", "< EHLO", "> 250 relay.example"}
	announced = append(slices.Clip(greeted), "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go on")
)

func after(begin []string, rest ...string) func(net.Conn) {
	return script(append(slices.Clip(begin), rest...)...)
}

// identity is a certificate for names, and the file that holds its root.
func identity(tb testing.TB, names ...string) (server *tls.Config, pemFile []byte) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		// A synctest bubble begins in the year 2000.
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	server = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func open(host string) Relay { return Relay{host: host, port: "587", privacy: plain} }

func sealed(tb testing.TB, host string, root []byte) Relay {
	tb.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		tb.Fatal("no certificate")
	}
	return Relay{host: host, port: "587", roots: pool}
}

func relayAt(tb testing.TB, addr string) Relay {
	tb.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		tb.Fatal(err)
	}
	return Relay{host: host, port: port, privacy: plain}
}

const sender = "codes@keyturn.example"

func carrier(tb testing.TB, o Options, relays ...Relay) *Carrier {
	tb.Helper()
	o.From = sender
	if o.Now == nil {
		o.Now = time.Now
	}
	c, err := New(relays, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

func letter(key string) Letter {
	return Letter{Key: key, To: "sam@bayside.example", Subject: "Your code", Text: "Your code is 482 913\n"}
}

func send(tb testing.TB, c *Carrier, l Letter) Receipt {
	tb.Helper()
	r, err := c.Send(tb.Context(), l)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func accepted(tb testing.TB, c *Carrier, key, relay string) {
	tb.Helper()
	r := send(tb, c, letter(key))
	if !r.Accepted || r.Unknown || r.Reason != "" || r.Relay != relay {
		tb.Fatalf("letter %s: want it accepted by %s, got %+v", key, relay, r)
	}
}

func parsed(tb testing.TB, raw string) *netmail.Message {
	tb.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func is(err error, kinds ...error) bool {
	for _, k := range kinds {
		if !errors.Is(err, k) {
			return false
		}
	}
	return err != nil
}

// slowTo dials n, and addr only after a while.
func slowTo(n *network, addr string, wait time.Duration) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		if to == addr {
			select {
			case <-time.After(wait): // the bubble's time
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return n.dial(ctx, network, to)
	}
}
