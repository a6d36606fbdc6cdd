package e2etest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Letter is one mail that arrived.
type Letter struct {
	To, MessageID, Subject string
	// Text is the plain part, Raw the whole mail as it came.
	Text, Raw string
	At        time.Time
}

// Code is the code in a letter.
func (l Letter) Code(t testing.TB) string {
	t.Helper()
	found := sixDigits.FindStringSubmatch(l.Subject)
	if found == nil {
		t.Fatalf("there is no code in the subject %q", l.Subject)
	}
	return found[1] + found[2]
}

// Mailbox is where mails arrive.
type Mailbox interface {
	// Letters are those to an address, the oldest first.
	Letters(t testing.TB, to string) []Letter
}

// NextLetter waits until an address has more letters than it had, and gives the first
// of those that are new.
func NextLetter(t testing.TB, box Mailbox, to string, had int) Letter {
	t.Helper()
	var all []Letter
	Until(t, fmt.Sprintf("letter %d to %s", had+1, to), func() bool {
		all = box.Letters(t, to)
		return len(all) > had
	})
	return all[had]
}

// Sink is a mail server that takes every mail and keeps it.
type Sink struct {
	// URL is what KEYTURN_SMTP_URL takes.
	URL string

	mu      sync.Mutex
	letters []Letter
	hold    chan struct{} // nil: mails are answered at once
	dead    func(to string) bool
	refused map[string]int
}

// StartSink starts a mail server of its own for a test.
func StartSink(t testing.TB) *Sink {
	t.Helper()
	l := listen(t)
	s := &Sink{URL: relayURL(l)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{to: s}, nil }))
	server.Domain, server.EnableSMTPUTF8 = "sink.example", true
	// What clients do that are killed is no matter for the log.
	server.ErrorLog = quietLog{}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }() // it ends with Close
	t.Cleanup(func() { s.Answer(); _ = server.Close(); <-done })
	return s
}

// Letters implements Mailbox.
func (s *Sink) Letters(_ testing.TB, to string) []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Letter
	for _, l := range s.letters {
		if to == "" || l.To == to {
			found = append(found, l)
		}
	}
	return found
}

// Refuse has the sink refuse for good every mailbox that is dead, as a mail server does
// where nobody has that name.
func (s *Sink) Refuse(dead func(to string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead, s.refused = dead, map[string]int{}
}

// Refused says how many mails to an address were refused.
func (s *Sink) Refused(to string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[to]
}

// refuses says whether a mailbox is dead, and counts.
func (s *Sink) refuses(to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead == nil || !s.dead(to) {
		return false
	}
	s.refused[to]++
	return true
}

// Hold has the sink take mails without saying so: the answer to a mail waits for
// Answer.
func (s *Sink) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold == nil {
		s.hold = make(chan struct{})
	}
}

// Answer ends Hold.
func (s *Sink) Answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold != nil {
		close(s.hold)
		s.hold = nil
	}
}

func (s *Sink) take(to string, raw []byte) error {
	l, err := readLetter(to, string(raw))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.letters = append(s.letters, l)
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return nil
}

type sinkSession struct {
	to   *Sink
	rcpt []string
}

// Reset implements smtp.Session.
func (s *sinkSession) Reset() { s.rcpt = nil }

// Logout implements smtp.Session.
func (*sinkSession) Logout() error { return nil }

// Mail implements smtp.Session.
func (*sinkSession) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.to.refuses(to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}
	}
	s.rcpt = append(s.rcpt, to)
	return nil
}

// Data implements smtp.Session.
func (s *sinkSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range s.rcpt {
		if err := s.to.take(to, raw); err != nil {
			return err
		}
	}
	return nil
}

func readLetter(to, raw string) (Letter, error) {
	l := Letter{To: to, Raw: raw, At: time.Now()}
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return l, fmt.Errorf("read a mail: %w", err)
	}
	l.MessageID = m.Header.Get("Message-ID")
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, fmt.Errorf("read a subject: %w", err)
	}
	l.Text, err = plainPart(m)
	return l, err
}

// plainPart finds the text/plain part of a mail, whole or the first of several.
func plainPart(m *mail.Message) (string, error) {
	kind, words, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", fmt.Errorf("read a content type: %w", err)
	}
	body, encoding := m.Body, m.Header.Get("Content-Transfer-Encoding")
	if strings.HasPrefix(kind, "multipart/") {
		part, err := multipart.NewReader(m.Body, words["boundary"]).NextRawPart()
		if err != nil {
			return "", fmt.Errorf("read the parts of a mail: %w", err)
		}
		body, encoding = part, part.Header.Get("Content-Transfer-Encoding")
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	return string(text), err
}

// RelayDown is a relay that nobody runs: connections to it are refused.
func RelayDown(t testing.TB) string {
	t.Helper()
	return "smtp://" + FreeAddr(t) + "?tls=none"
}

// Silent is a relay that takes connections and never says a word.
type Silent struct {
	// URL is what KEYTURN_SMTP_URL takes.
	URL string

	mu    sync.Mutex
	conns []net.Conn
}

// StartSilent starts a silent relay for the length of a test.
func StartSilent(t testing.TB) *Silent {
	t.Helper()
	l := listen(t)
	s := &Silent{URL: relayURL(l)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, c := range s.conns {
			_ = c.Close()
		}
	})
	return s
}

// Callers is how many have connected so far.
func (s *Silent) Callers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func relayURL(l net.Listener) string { return "smtp://" + l.Addr().String() + "?tls=none" }

// quietLog drops what a mail server says of its clients.
type quietLog struct{}

// Printf implements smtp.Logger.
func (quietLog) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (quietLog) Println(...any) {}

var errNoPost = errors.New("the mail server's own interface does not answer")
