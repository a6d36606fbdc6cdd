package mail

import (
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stage is one step of the way to a relay; the name is the one Options.Observe gets.
type stage string

const (
	stageDial   stage = "dial"
	stageGreet  stage = "greet" // TLS from the first byte is part of it
	stageHello  stage = "hello"
	stageTLS    stage = "starttls"
	stageAuth   stage = "auth"
	stageMail   stage = "mail"
	stageRcpt   stage = "rcpt"
	stageData   stage = "data"
	stageBody   stage = "body"
	stageAnswer stage = "answer"
	stageReset  stage = "reset"
)

// maxText is the most of a server's words that is kept, in bytes.
const maxText = 200

var (
	errNoStartTLS = errors.New("the relay offers no STARTTLS")
	errNoAuth     = errors.New("the relay offers no authentication that we know")
	errNotData    = errors.New("the client library gave another writer than it documents")
	errEndless    = errors.New("the relay's answer does not end")

	enhanced = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)`)
	digits   = regexp.MustCompile(`\d(?:[ -]?\d){5,}`)
)

// isAnswer says whether err is a relay's proper refusal: a reply that begins with 4 or
// 5. Everything else means that the conversation is lost.
func isAnswer(err error) (*textproto.Error, bool) {
	var reply *textproto.Error
	if errors.As(err, &reply) && (reply.Code/100 == 4 || reply.Code/100 == 5) {
		return reply, true
	}
	return nil, false
}

// judge turns what went wrong at a stage into a receipt.
func judge(relay string, at stage, err error) Receipt {
	r := Receipt{Relay: relay}
	reply, ok := isAnswer(err)
	if !ok {
		r.Reason = troubleOf(at, err)
		return r
	}
	r.Code = reply.Code
	r.Permanent = reply.Code/100 == 5
	r.Status, r.Text = words(reply.Code, reply.Msg)
	if at == stageAuth {
		r.Text = ""
	}
	r.Reason = reasonOf(at, r.Code, r.Status)
	return r
}

// troubleOf names a failure that is not an answer.
func troubleOf(at stage, err error) Reason {
	var slow net.Error
	switch {
	case errors.As(err, &slow) && slow.Timeout():
		return Timeout
	case errors.Is(err, errNoStartTLS):
		return TLS
	case errors.Is(err, errNoAuth):
		return Auth
	case at == stageTLS || isTLS(err):
		return TLS
	case at == stageAuth:
		return Auth
	}
	return RelayDown
}

func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert)
}

// reasonOf reads a refusal: the enhanced status first (RFC 3463 and its registry), then
// the code (RFC 5321, 4.2.3) in the light of the stage.
func reasonOf(at stage, code int, status string) Reason {
	switch {
	case code == 421:
		return RelayDown
	case at == stageAuth, code == 530, code == 534, code == 535, code == 538:
		return Auth
	case at == stageTLS:
		return TLS
	case at == stageGreet || at == stageHello:
		return RelayDown // 554 here means "no SMTP service" (RFC 5321, 3.1)
	}
	if _, detail, ok := strings.Cut(status, "."); ok && !strings.HasSuffix(detail, ".0") {
		return reasonOfStatus(status[0] == '5', detail)
	}
	return reasonOfCode(at, code)
}

// reasonOfStatus reads subject and detail of an enhanced status, such as "2.2". An
// address that a server cannot look up just now (4.1.1) or that gets too much mail
// (4.2.1) is not one that does not exist.
func reasonOfStatus(permanent bool, detail string) Reason {
	subject, _, _ := strings.Cut(detail, ".")
	switch {
	case detail == "1.7" || detail == "1.8": // the sender's address, not the recipient's
		return Blocked
	case permanent && (subject == "1" || detail == "2.1"):
		return NoSuchMailbox
	case detail == "2.2":
		return MailboxFull
	case subject == "3" && detail != "3.4": // 3.4 is a letter too big for the system
		return RelayDown
	case subject == "7":
		return Blocked
	}
	return Other
}

func reasonOfCode(at stage, code int) Reason {
	switch code {
	case 422, 552:
		return MailboxFull
	case 550, 551, 553:
		if at == stageRcpt {
			return NoSuchMailbox
		}
		return Blocked
	case 554:
		return Blocked
	}
	return Other
}

// isFinal says whether another relay would say the same: a permanent refusal that is
// about the recipient or the letter, not about what this relay thinks of us. A bare 550
// at RCPT may be either ("relaying denied"), so that the next relay is asked, too.
func isFinal(at stage, r Receipt) bool {
	if !r.Permanent || (at != stageRcpt && at != stageData && at != stageAnswer) {
		return false
	}
	if r.Reason == NoSuchMailbox && !r.NamesMailbox() {
		return false
	}
	return r.Reason != Blocked && r.Reason != Auth
}

// words splits the enhanced status from a reply and makes the rest fit to be shown.
func words(code int, msg string) (status, text string) {
	var kept []string
	for line := range strings.Lines(msg) {
		line = strings.TrimSpace(line)
		if m := enhanced.FindStringSubmatch(line); m != nil && int(m[1][0]-'0') == code/100 {
			status, line = m[1], line[len(m[0]):] // every line of a reply repeats it
		}
		kept = append(kept, line)
	}
	text = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(strings.Join(kept, " "), " "))
	text = digits.ReplaceAllString(strings.Join(strings.Fields(text), " "), "…")
	if len(text) > maxText {
		cut := maxText
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	return status, text
}
