package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"keyturn/internal/fault"
)

// Bounds of a letter. Ours are a few kilobytes; these keep a mistake from becoming a
// megabyte, and a header line under the 998 bytes of RFC 5322.
const (
	maxKey     = 100
	maxName    = 200
	maxSubject = 400
	maxBody    = 1 << 20
)

// envelope is a letter in the form in which it travels.
type envelope struct {
	from, to string // in angle brackets
	utf8     bool   // needs SMTPUTF8
	content  []byte // CRLF lines, not dot-stuffed
	deadline time.Time
}

// address is one mail address, split and made ready for the wire.
type address struct {
	wire   string // local part @ ASCII domain
	domain string // ASCII
	utf8   bool   // the local part is not ASCII
}

// parseAddress reads exactly one bare address: no name, no comment, no quotes, no
// brackets, no address literal. The message never repeats what was given.
func parseAddress(s string) (address, error) {
	if strings.ContainsFunc(s, isControl) || !utf8.ValidString(s) {
		return address{}, errors.New("must be one address without control characters")
	}
	// The comparison leaves only a plain dot-atom: everything else the parser
	// understands (names, lists, quoted local parts, folding) it also rewrites.
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s {
		return address{}, errors.New("must be exactly one bare address, such as sam@bayside.example")
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], s[at+1:]
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || ascii == "" || strings.Contains(ascii, "[") {
		return address{}, errors.New("must have a domain name after the @")
	}
	// 64 and 254 are the limits of RFC 5321, 4.5.3.1, for local part and path.
	if len(local) > 64 || len(local)+1+len(ascii) > 254 {
		return address{}, errors.New("is too long for a mail address")
	}
	return address{wire: local + "@" + ascii, domain: ascii, utf8: !isASCII(local)}, nil
}

// pack checks a letter and writes it out once, so that every relay gets the same bytes.
// An error wraps fault.Invalid and names the field, never its content.
func pack(l Letter, from address, now time.Time) (envelope, error) {
	to, reply, err := check(l, from)
	if err != nil {
		return envelope{}, fmt.Errorf("mail letter: %w: %w", err, fault.Invalid)
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.SetMessageIDWithValue(l.Key + "@" + from.domain)
	m.SetDateWithValue(now.UTC())
	m.FromMailAddress(&netmail.Address{Name: literal(l.FromName), Address: from.wire})
	m.ToMailAddress(&netmail.Address{Address: to.wire})
	if l.ReplyTo != "" {
		m.ReplyToMailAddress(&netmail.Address{Address: reply.wire})
	}
	m.Subject(literal(l.Subject))
	if l.Auto {
		m.SetGenHeader("Auto-Submitted", "auto-generated")        // RFC 3834
		m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All") // the same for Exchange
	}
	m.SetBodyWriter(gomail.TypeTextPlain, write(l.Text))
	if l.HTML != "" {
		m.AddAlternativeWriter(gomail.TypeTextHTML, write(l.HTML))
	}
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		return envelope{}, fmt.Errorf("mail letter: writing it out: %w", err)
	}
	return envelope{
		from: "<" + from.wire + ">", to: "<" + to.wire + ">",
		utf8: to.utf8 || reply.utf8, content: out.Bytes(), deadline: l.Deadline,
	}, nil
}

// literal keeps plain text from being read as an encoded word (RFC 2047): a name such
// as "=?utf-8?q?…?=" would otherwise show whatever it encodes.
func literal(s string) string {
	return strings.ReplaceAll(s, "=?", "= ?")
}

func write(body string) func(io.Writer) (int64, error) {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	return func(w io.Writer) (int64, error) {
		n, err := io.WriteString(w, body)
		return int64(n), err
	}
}

func check(l Letter, from address) (to, reply address, err error) {
	if l.From != "" {
		if a, err := parseAddress(l.From); err != nil || a.wire != from.wire {
			return to, reply, errors.New("from must be the configured sender")
		}
	}
	if !isKey(l.Key) {
		return to, reply, fmt.Errorf("the key must be 1 to %d letters, digits, dots, dashes or underscores", maxKey)
	}
	if to, err = parseAddress(l.To); err != nil {
		return to, reply, fmt.Errorf("to %w", err)
	}
	if l.ReplyTo != "" {
		if reply, err = parseAddress(l.ReplyTo); err != nil {
			return to, reply, fmt.Errorf("the reply address %w", err)
		}
	}
	if !isLine(l.FromName, maxName) {
		return to, reply, fmt.Errorf("the sender's name must be one line of at most %d bytes without control characters", maxName)
	}
	if l.Subject == "" || !isLine(l.Subject, maxSubject) {
		return to, reply, fmt.Errorf("the subject must be one line of at most %d bytes without control characters", maxSubject)
	}
	if l.Text == "" {
		return to, reply, errors.New("the plain text is missing")
	}
	if !isBody(l.Text) || !isBody(l.HTML) {
		return to, reply, fmt.Errorf("the body must be text of at most %d bytes without control characters", maxBody)
	}
	return to, reply, nil
}

// isKey keeps the Message-ID a plain dot-atom (RFC 5322, 3.2.3).
func isKey(s string) bool {
	if s == "" || len(s) > maxKey || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_'
	})
}

func isLine(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, isControl)
}

// isBody allows tabs and line ends, but no carriage return on its own: a bare one is
// what mail smuggling is made of.
func isBody(s string) bool {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return len(s) <= maxBody && utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '\n' && c != '\t' && unicode.IsControl(c)
	})
}

// isControl finds control characters and the two line ends that Unicode adds.
func isControl(c rune) bool {
	return unicode.IsControl(c) || c == '\u2028' || c == '\u2029'
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII })
}
