package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// maxReply is the most that a relay may say within one stage, in bytes; a TLS
// handshake with a long certificate chain fits.
const maxReply = 128 << 10

// wire is the connection below TLS, with a bound on what is read.
type wire struct {
	net.Conn
	left int
}

func (w *wire) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errEndless
	}
	n, err := w.Conn.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}

// Write refuses once too much was read: the client library would try HELO after a
// failed EHLO, and a peer that never stops talking may never read it.
func (w *wire) Write(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errEndless
	}
	return w.Conn.Write(p)
}

// session is one connection that is ready for a mail transaction. One goroutine at a
// time uses it.
type session struct {
	lane    *lane
	wire    *wire
	smtp    *smtp.Client
	letters int
	round   int         // of the relay's health when it was taken
	reused  bool        // it came from the pool
	spoiled bool        // its deadline may fire late: not to be used again
	expiry  *time.Timer // while idle
}

// step runs one stage within its budget and ctx. The context alone ends it: the
// network lives by the machine's time and not by the product's clock, and with one
// timer the letter's deadline and the socket's cannot disagree on who was first.
func (s *session) step(ctx context.Context, at stage, budget time.Duration, do func() error) error {
	if s.spoiled {
		return context.Canceled
	}
	ctx, stop := context.WithTimeout(ctx, budget)
	defer stop()
	s.wire.left = maxReply
	began := s.lane.opt.Now()
	if err := s.wire.SetDeadline(time.Time{}); err != nil {
		return err
	}
	release := context.AfterFunc(ctx, func() { _ = s.wire.SetDeadline(time.Unix(1, 0)) })
	err := do()
	if s.spoiled = !release(); s.spoiled && err == nil && at != stageAnswer {
		err = ctx.Err() // too late by a hair; an answer to the dot counts all the same
	}
	s.observe(at, began, err)
	return err
}

func (s *session) observe(at stage, began time.Time, err error) {
	s.lane.opt.Observe(s.lane.relay.Addr(), string(at), s.lane.opt.Now().Sub(began), err == nil)
}

// connect makes a session ready: dial, greeting, EHLO, STARTTLS, AUTH. If it cannot,
// it says at which stage.
func (l *lane) connect(life context.Context) (*session, stage, error) {
	ctx, stop := context.WithTimeout(life, l.opt.Connect)
	defer stop()
	s := &session{lane: l}
	began := l.opt.Now()
	conn, err := l.opt.Dial(ctx, "tcp", l.relay.Addr())
	s.observe(stageDial, began, err)
	if err != nil {
		return nil, stageDial, err
	}
	s.wire = &wire{Conn: conn}
	if at, err := s.open(ctx); err != nil {
		s.hangUp()
		return nil, at, err
	}
	return s, "", nil
}

func (s *session) open(ctx context.Context) (stage, error) {
	relay := s.lane.relay
	err := s.step(ctx, stageGreet, s.lane.opt.Connect, func() (err error) {
		var conn net.Conn = s.wire
		if relay.privacy == implicit {
			conn = tls.Client(s.wire, relay.tlsConfig())
		}
		s.smtp, err = smtp.NewClient(conn, relay.host)
		return err
	})
	if err != nil {
		return stageGreet, err
	}
	err = s.step(ctx, stageHello, s.lane.opt.Connect, func() error { return s.smtp.Hello(s.lane.hello) })
	if err != nil {
		return stageHello, err
	}
	if relay.privacy == starttls {
		if err := s.step(ctx, stageTLS, s.lane.opt.Connect, s.encrypt); err != nil {
			return stageTLS, err
		}
	}
	if relay.user != "" {
		if err := s.step(ctx, stageAuth, s.lane.opt.Connect, s.authenticate); err != nil {
			return stageAuth, err
		}
	}
	return "", nil
}

// encrypt never goes on without TLS: a relay that has stopped offering it may be
// somebody in between.
func (s *session) encrypt() error {
	if ok, _ := s.smtp.Extension("STARTTLS"); !ok {
		return errNoStartTLS
	}
	return s.smtp.StartTLS(s.lane.relay.tlsConfig())
}

// authenticate takes the first mechanism of ours that the relay offers. PLAIN comes
// first because it costs one round trip and the way is private: ParseRelays allows a
// password only with TLS or on this machine.
func (s *session) authenticate() error {
	r := s.lane.relay
	_, offered := s.smtp.Extension("AUTH")
	for mechanism := range strings.FieldsSeq("PLAIN LOGIN SCRAM-SHA-256") {
		if !hasWord(offered, mechanism) {
			continue
		}
		switch mechanism {
		case "PLAIN":
			return s.smtp.Auth(smtp.PlainAuth("", r.user, r.password, r.host, r.privacy == plain))
		case "LOGIN":
			return s.smtp.Auth(smtp.LoginAuth(r.user, r.password, r.host, r.privacy == plain))
		default:
			return s.smtp.Auth(smtp.ScramSHA256Auth(r.user, r.password))
		}
	}
	return errNoAuth
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// hangUp closes without a word.
func (s *session) hangUp() {
	_ = s.wire.Close()
}

// quit says goodbye (RFC 5321, 4.1.1.10), for a short moment.
func (s *session) quit() {
	ctx, stop := context.WithTimeout(context.Background(), s.lane.opt.Overtake)
	defer stop()
	limit, _ := ctx.Deadline()
	if s.wire.SetDeadline(limit) == nil {
		s.wire.left = maxReply
		_ = s.smtp.Quit()
	}
	s.hangUp()
}

// trouble is an error to be logged: which relay, at which stage, what. It holds a
// server's words only as far as a Receipt would.
func trouble(relay string, at stage, err error) error {
	var (
		reply   *textproto.Error
		garbled textproto.ProtocolError
	)
	switch {
	case errors.As(err, &reply):
		r := judge(relay, at, err)
		said := strings.Join(strings.Fields(fmt.Sprintf("%d %s %s", reply.Code, r.Status, r.Text)), " ")
		return fmt.Errorf("relay %s: %s: it answered %s", relay, at, said)
	case errors.As(err, &garbled):
		return fmt.Errorf("relay %s: %s: its answer is not SMTP", relay, at)
	}
	return fmt.Errorf("relay %s: %s: %w", relay, at, err)
}
