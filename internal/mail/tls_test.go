package mail

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/fault"
)

// The whole way on a real network: the URL as configured, STARTTLS, AUTH, the letter.
func TestALetterArrivesOverSTARTTLSWithAPassword(t *testing.T) {
	t.Parallel()
	server, root := identity(t, "relay.example")
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, root, 0o600); err != nil {
		t.Fatal(err)
	}
	one := newOffice(t)
	one.server.TLSConfig = server
	one.server.AllowInsecureAuth = false
	one.user, one.password = "user@site", "pa:ss,w/rd"
	addr := one.listen(t)
	relays, err := ParseRelays("smtp://user%40site:pa%3Ass%2Cw%2Frd@" + addr + "?server_name=relay.example&ca=" + file)
	if err != nil {
		t.Fatal(err)
	}
	desk := carrier(t, Options{}, relays...)
	for i := range 3 {
		accepted(t, desk, fmt.Sprintf("k%d", i), addr)
	}
	if all, _ := one.connections(); all != 1 {
		t.Errorf("%d connections", all)
	}
	got := one.got()
	if len(got) != 3 || got[0].from != sender || got[0].to != "sam@bayside.example" {
		t.Errorf("got %+v", got)
	}
}

func TestALetterArrivesOverTLSFromTheFirstByte(t *testing.T) {
	t.Parallel()
	server, root := identity(t, "relay.example")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	one := newOffice(t)
	one.run(t, tls.NewListener(l, server))
	r := sealed(t, "127.0.0.1", root)
	r.privacy, r.serverName = implicit, "relay.example"
	_, r.port, _ = net.SplitHostPort(l.Addr().String())
	accepted(t, carrier(t, Options{}, r), "k1", r.Addr())
}

func TestNoRelayIsUsedWithoutThePrivacyAskedFor(t *testing.T) {
	t.Parallel()
	server, root := identity(t, "first.example")
	other, otherRoot := identity(t, "first.example")
	wrongName, wrongRoot := identity(t, "elsewhere.example")
	old := server.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	cases := map[string]struct {
		server *tls.Config
		root   []byte
		script func(net.Conn)
		reason Reason
	}{
		"no STARTTLS offered":        {nil, root, nil, TLS},
		"STARTTLS refused":           {nil, root, script("> 220 hi", "< EHLO", "> 250-hi", "> 250 STARTTLS", "< STARTTLS", "> 454 4.7.0 not now", "silence"), TLS},
		"EHLO unknown":               {nil, root, script("> 220 hi", "< EHLO", "> 502 what", "< HELO", "> 250 hi", "silence"), TLS},
		"another's certificate":      {other, root, nil, TLS},
		"a certificate for another":  {wrongName, wrongRoot, nil, TLS},
		"an unknown root":            {server, otherRoot, nil, TLS},
		"an old version":             {old, root, nil, TLS},
		"silence after STARTTLS":     {nil, root, script("> 220 hi", "< EHLO", "> 250-hi", "> 250 STARTTLS", "< STARTTLS", "> 220 go", "silence"), Timeout},
		"silence at STARTTLS":        {nil, root, script("> 220 hi", "< EHLO", "> 250-hi", "> 250 STARTTLS", "< STARTTLS", "silence"), Timeout},
		"plain words after STARTTLS": {nil, root, script("> 220 hi", "< EHLO", "> 250-hi", "> 250 STARTTLS", "< STARTTLS", "> 220 go", "sip", "> 250 no TLS here"), TLS},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, one := newNetwork(t), newOffice(t)
				if c.script != nil {
					n.host(first, c.script)
				} else {
					one.server.TLSConfig = c.server
					one.serve(t, n, first)
				}
				desk := carrier(t, Options{Dial: n.dial}, sealed(t, "first.example", c.root))
				began := time.Now()
				r, err := desk.Send(t.Context(), letter("k1"))
				if !is(err, fault.Busy) || r.Reason != c.reason || len(one.got()) != 0 {
					t.Errorf("got %+v, %v", r, err)
				}
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestAStolenPlaceInTheMiddleCannotAddWordsBeforeTLS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// What is said in the clear behind "220 go" must not be taken for the relay's
		// first words after the handshake (CVE-2011-0411 and its kin).
		server, root := identity(t, "first.example")
		n := newNetwork(t)
		n.host(first, func(c net.Conn) {
			defer c.Close() //nolint:errcheck // a test's own end of a pipe
			script("> 220 hi", "< EHLO", "> 250-hi", "> 250 STARTTLS", "< STARTTLS", "> 220 go\r\n250-planted\r\n250 AUTH PLAIN")(&unclosed{c})
			inner := tls.Server(c, server)
			script("< EHLO", "> 250 hi", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "< .", "> 250 ok")(inner)
		})
		r := sealed(t, "first.example", root)
		r.user, r.password = "u", secretWord
		got, err := carrier(t, Options{Dial: n.dial}, r).Send(t.Context(), letter("k1"))
		if !is(err, fault.Busy) || got.Reason != Auth {
			t.Errorf("the planted AUTH was believed: %+v, %v", got, err)
		}
	})
}

type unclosed struct{ net.Conn }

func (unclosed) Close() error { return nil }

func TestAPasswordThatIsRefusedIsNotShownAndTheNextRelayIsUsed(t *testing.T) {
	t.Parallel()
	cases := map[string]func(net.Conn){
		"refused": script("> 220 hi", "< EHLO", "> 250-hi", "> 250 AUTH PLAIN LOGIN", "< AUTH", "> 535 5.7.8 no: "+secretWord, "< *", "> 500 what", "< QUIT", "> 221 bye"),
		"refused, then silence": script("> 220 hi", "< EHLO", "> 250-hi", "> 250 AUTH PLAIN", "< AUTH",
			"> 535 5.7.8 no: "+secretWord, "silence"),
		"not offered":         script("> 220 hi", "< EHLO", "> 250 hi", "silence"),
		"nothing known":       script("> 220 hi", "< EHLO", "> 250-hi", "> 250 AUTH GSSAPI", "silence"),
		"hangs up":            script("> 220 hi", "< EHLO", "> 250-hi", "> 250 AUTH LOGIN", "< AUTH"),
		"asks without an end": script("> 220 hi", "< EHLO", "> 250-hi", "> 250 AUTH LOGIN", "< AUTH", "> 334 VXNlcm5hbWU6", "< ", "> 334 UGFzc3dvcmQ6", "< ", "> 334 bW9yZQ==", "silence"),
	}
	for name, relay := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, two := newNetwork(t), newOffice(t)
				n.host(first, relay)
				two.serve(t, n, second)
				r := open("first.example")
				r.user, r.password = "u", secretWord
				desk := carrier(t, Options{Dial: n.dial}, r, open("second.example"))
				began := time.Now()
				accepted(t, desk, "k1", second)
				if took := time.Since(began); took > 400*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				alone := carrier(t, Options{Dial: n.dial}, r)
				got, err := alone.Send(t.Context(), letter("k2"))
				if !is(err, fault.Busy) || (got.Reason != Auth && got.Reason != Timeout) {
					t.Errorf("got %+v, %v", got, err)
				}
				if strings.Contains(fmt.Sprintf("%v %+v", err, got), secretWord) {
					t.Errorf("it shows the password: %v, %+v", err, got)
				}
			})
		})
	}
}

func TestThePasswordIsSentByWhicheverMeansTheRelayOffers(t *testing.T) {
	t.Parallel()
	rest := []string{"< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "< .", "> 250 ok"}
	cases := map[string][]string{
		"PLAIN": {"> 250 AUTH LOGIN PLAIN", "< AUTH PLAIN AHUAaHVudGVyMng=", "> 235 in"},
		"LOGIN": {"> 250 AUTH login XOAUTH2", "< AUTH LOGIN", "> 334 VXNlcm5hbWU6", "< dQ==", "> 334 UGFzc3dvcmQ6", "< aHVudGVyMng=", "> 235 in"},
	}
	for name, lines := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.host(first, script(append(append([]string{"> 220 hi", "< EHLO", "> 250-hi"}, lines...), rest...)...))
				r := open("first.example")
				r.user, r.password = "u", secretWord
				accepted(t, carrier(t, Options{Dial: n.dial}, r), "k1", first)
			})
		})
	}
}
