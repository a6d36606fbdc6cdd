package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// hidden is what a secret looks like wherever it is printed.
const hidden = "[secret]"

// Text is a text that does not print itself: a password as typed, a code on its way, a
// setting with a password in it. The zero value is the empty text.
//
// Every way of printing gives "[secret]": all verbs of fmt, log/slog, JSON and every
// encoder that asks for text. Nothing reads it back from there, on purpose. Texts are
// compared with Equal; == asks whether two are copies of one, not whether they say the
// same.
type Text struct {
	// A pointer, because fmt calls no methods on unexported fields: printing a struct
	// that holds a Text in one would show a string, and shows an address.
	s *string
}

// NewText hides s.
func NewText(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{s: &s}
}

// Reveal gives the text itself. Each call is a place where a secret can get out.
func (t Text) Reveal() string {
	if t.s == nil {
		return ""
	}
	return *t.s
}

// Equal says whether both hold the same text. Its time tells nothing of either, but for
// how long they are.
func (t Text) Equal(other Text) bool {
	a, b := sha256.Sum256([]byte(t.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String implements fmt.Stringer.
func (Text) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (Text) GoString() string { return hidden }

// Format implements fmt.Formatter, for every verb alike.
func (Text) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, hidden) }

// LogValue implements slog.LogValuer.
func (Text) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON implements json.Marshaler.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }
