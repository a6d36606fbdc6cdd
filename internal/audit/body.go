package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"

	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// bodyVersion is the form of the body that is written. A body of another version is
// read by the rules of that version.
const bodyVersion = 1

// body is what a leaf is the hash of.
type body struct {
	Actor struct {
		ID   string    `json:"id"`
		Kind ActorKind `json:"kind"`
	} `json:"actor"`
	At       int64             `json:"at"` // microseconds since 1970
	Chain    string            `json:"chain"`
	Facts    map[string]string `json:"facts"`
	ID       id.Event          `json:"id"`
	Kind     Kind              `json:"kind"`
	Personal map[string]string `json:"personal"` // field to commitment
	Seq      int64             `json:"seq"`
	Site     id.Site           `json:"site"`
	User     id.User           `json:"user"`
	V        int64             `json:"v"`
}

// encode writes the body as canonical JSON: one line, sorted keys, no spaces, every
// field, and one spelling of each text.
func (b body) encode() string {
	var out []byte
	text := func(key, value string) { out = appendText(append(out, key...), value) }
	number := func(key string, value int64) { out = strconv.AppendInt(append(out, key...), value, 10) }
	text(`{"actor":{"id":`, b.Actor.ID)
	text(`,"kind":`, string(b.Actor.Kind))
	number(`},"at":`, b.At)
	text(`,"chain":`, b.Chain)
	out = appendMap(append(out, `,"facts":`...), b.Facts)
	text(`,"id":`, string(b.ID))
	text(`,"kind":`, string(b.Kind))
	out = appendMap(append(out, `,"personal":`...), b.Personal)
	number(`,"seq":`, b.Seq)
	text(`,"site":`, string(b.Site))
	text(`,"user":`, string(b.User))
	number(`,"v":`, b.V)
	return string(append(out, '}'))
}

// decode reads a body and takes no other spelling than encode's: there are no two
// texts for one event, and nothing in a body that this release does not understand.
func decode(text string) (body, error) {
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return body{}, fmt.Errorf("an event's body: %w: %w", fault.Invalid, err)
	}
	if b.V != bodyVersion || b.encode() != text {
		return body{}, fmt.Errorf("an event's body is not in its canonical form: %w", fault.Invalid)
	}
	return b, nil
}

func appendMap(out []byte, m map[string]string) []byte {
	out = append(out, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(out, key)
		out = append(out, ':')
		out = appendText(out, m[key])
	}
	return append(out, '}')
}

func appendText(out []byte, s string) []byte {
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case obeyed(r):
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		default:
			out = append(out, string(r)...)
		}
	}
	return append(out, '"')
}

// obeyed are the characters that a terminal, an editor or a line reader acts on instead
// of showing them: controls, line separators, marks that turn the direction of text,
// and those of no width. The list is fixed, because a body is spelled the same forever.
func obeyed(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f, r == 0xad, r == 0x61c, r == 0xfeff:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	case r >= 0xe0000 && r <= 0xe007f:
		return true
	default:
		return false
	}
}

// sealed is a personal value with the salt that its commitment was made with.
type sealed struct {
	Salt  string `json:"salt"`
	Value string `json:"value"`
}

// seal salts the value with 130 random bits.
func seal(value string) sealed { return sealed{Salt: rand.Text(), Value: value} }

// commitment binds the value to the field without saying it.
func (s sealed) commitment(field string) string {
	mac := hmac.New(sha256.New, []byte(s.Salt))
	mac.Write([]byte(field + "\x00" + s.Value))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// idIn reads the event's id out of a body that may be damaged, to name it.
func idIn(text []byte) id.Event {
	var b struct {
		ID id.Event `json:"id"`
	}
	if json.NewDecoder(bytes.NewReader(text)).Decode(&b) != nil {
		return ""
	}
	return b.ID
}
