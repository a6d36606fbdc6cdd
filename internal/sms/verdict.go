package sms

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/message"
)

// maxText is the most of a provider's words that is kept, in bytes.
const maxText = 200

var digits = regexp.MustCompile(`\d(?:[\s.\-\x{a0}]?\d){5,}`)

// verdict is what an answer means.
type verdict struct {
	message.Receipt
	next  bool // another provider may be tried
	blame bool // the provider is to blame, not the text: it rests
}

// cause is what a provider's own code means.
type cause struct {
	why message.Reason
	// final says that the number is refused, and that no provider will do.
	final bool
	// blame says that it is about the account or the service, whatever the number.
	blame bool
}

// judge reads an answer, or why there is none.
func (l *lane) judge(a answer) verdict {
	switch {
	case a.status == 0 && !a.written:
		return verdict{Receipt: message.Receipt{Reason: troubleOf(a.err)}, next: true, blame: true}
	case a.status == 0:
		why := message.CarrierDown
		if isTimeout(a.err) {
			why = message.Timeout
		}
		return verdict{Receipt: message.Receipt{Unknown: true, Reason: why}, blame: true}
	}
	var v verdict
	switch {
	case a.status/100 == 2 && a.err != nil:
		v = garbled()
	case a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests:
		v = notTaken(cause{why: message.CarrierDown, blame: true}, "")
	case a.status >= http.StatusInternalServerError:
		v = verdict{Receipt: message.Receipt{Unknown: true, Reason: message.CarrierDown}, next: true, blame: true}
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		// Its words are left out: they may quote the credentials.
		v = notTaken(cause{why: message.Auth, blame: true}, "")
	case a.status/100 == 3:
		v = notTaken(cause{why: message.Other, blame: true}, "")
	default:
		v = l.speaks.judge(a)
	}
	v.Code = a.status
	return v
}

// troubleOf names what kept a request from being written.
func troubleOf(err error) message.Reason {
	switch {
	case isTimeout(err):
		return message.Timeout
	case isTLS(err):
		return message.TLS
	}
	return message.CarrierDown
}

// taken is a text that the provider took.
func taken(ref string, parts int) verdict {
	return verdict{Receipt: message.Receipt{Accepted: true, Ref: clip(ref), Parts: bounded(parts)}}
}

// notTaken is a text that the provider did not take.
func notTaken(c cause, said string) verdict {
	return verdict{
		Receipt: message.Receipt{Permanent: c.final, Reason: c.why, Text: words(said)},
		next:    !c.final, blame: c.blame,
	}
}

// garbled is a 2xx that cannot be read: it may have been taken.
func garbled() verdict {
	return verdict{Receipt: message.Receipt{Unknown: true, Reason: message.Other}, blame: true}
}

// bounded keeps a number of parts that could be one: the most that one text has is 255
// (3GPP TS 23.040, 9.2.3.24.1).
func bounded(parts int) int {
	if parts < 0 || parts > 255 {
		return 0
	}
	return parts
}

// clip makes a provider's name for a text fit to be stored.
func clip(ref string) string {
	const most = 100
	if len(ref) > most || !utf8.ValidString(ref) || strings.ContainsFunc(ref, notInRef) {
		return ""
	}
	return ref
}

func notInRef(c rune) bool { return c <= ' ' || !unicode.IsPrint(c) }

// words makes what a provider said fit to be shown: one line, printable, at most maxText
// bytes, with six or more digits masked, because it may quote the text or the number.
func words(said string) string {
	said = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(said, " "))
	said = digits.ReplaceAllString(strings.Join(strings.Fields(said), " "), "…")
	if len(said) > maxText {
		cut := maxText
		for !utf8.RuneStart(said[cut]) {
			cut--
		}
		said = said[:cut]
	}
	return said
}

// withCode puts a provider's own code before its words.
func withCode(code, said string) string {
	switch {
	case code == "":
		return said
	case said == "":
		return code
	}
	return code + ": " + said
}

// loose is what providers write as text here and as a number there; null is empty.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || string(raw) == "null" {
		*l = ""
		return nil
	}
	if raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*l = loose(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	*l = loose(n)
	return nil
}

// number is the value as a small number; 0 if it is none.
func (l loose) number() int {
	n := 0
	if len(l) > 4 {
		return 0
	}
	for _, c := range l {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}
