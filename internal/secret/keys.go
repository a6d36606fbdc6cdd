package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/mod/sumdb/note"
)

// Keys are the keys of one installation, read once. They are safe for use by many
// goroutines. Open, Create and Memory make them; the zero value is of no use. Like a
// Text, they do not print themselves.
type Keys struct {
	sealers  []sealer // the primary one first
	hashers  []hasher // the primary one first
	signer   note.Signer
	verifier note.Verifier
	// verifierText is the public half of the checkpoints' key.
	verifierText string
	print        string
}

// Place is where a sealed value is stored. All four are needed, and each is bound to
// the value: it does not open in another place.
type Place struct {
	// Owner is the id of the site or the user that the row belongs to, or the name of
	// a part of the program that owns rows itself.
	Owner string
	// Table, Row and Column say the rest; Row is the row's id.
	Table, Row, Column string
}

var (
	errPlace  = errors.New("a place needs owner, table, row and column")
	errClosed = errors.New("it was changed, or belongs to another place, or to other keys")
)

// Seal makes a value unreadable and unchangeable without these keys, and bound to its
// place. Two seals of one value differ. The result is 33 bytes longer than the value.
func (k *Keys) Seal(at Place, plain []byte) ([]byte, error) {
	bound, err := at.bytes()
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", at.Table, at.Column, err)
	}
	sealed, err := k.sealers[0].aead.Encrypt(plain, bound)
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", at.Table, at.Column, err)
	}
	return sealed, nil
}

// Open gives back what Seal was given, if the value is unchanged, in its place, and
// sealed with one of these keys.
func (k *Keys) Open(at Place, sealed []byte) ([]byte, error) {
	bound, err := at.bytes()
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", at.Table, at.Column, err)
	}
	for _, s := range k.sealers {
		// Each key looks at its own number first, in front of what it sealed.
		if plain, err := s.aead.Decrypt(sealed, bound); err == nil {
			return plain, nil
		}
	}
	return nil, fmt.Errorf("open %s.%s: %w", at.Table, at.Column, errClosed)
}

// bytes is the place as the AEAD's associated data.
func (p Place) bytes() ([]byte, error) {
	if p.Owner == "" || p.Table == "" || p.Row == "" || p.Column == "" {
		return nil, errPlace
	}
	return join("keyturn place 1", p.Owner, p.Table, p.Row, p.Column), nil
}

// MAC is the keyed hash of parts, for what is too short to be stored as a plain hash:
// a code of six digits. purpose keeps the hashes of different things apart. The same
// purpose and parts give the same 37 bytes while the primary key stays: the key's
// number, and HMAC-SHA-256.
func (k *Keys) MAC(purpose string, parts ...string) []byte {
	return k.hashers[0].mac(join(purpose, parts...))
}

// Matches says whether mac is the keyed hash of parts under any of these keys, so that
// what was hashed before a rotation still matches. Its time does not tell how much of
// it is right.
func (k *Keys) Matches(mac []byte, purpose string, parts ...string) bool {
	text, found := join(purpose, parts...), false
	for _, h := range k.hashers {
		if hmac.Equal(mac, h.mac(text)) {
			found = true
		}
	}
	return found
}

func (h hasher) mac(text []byte) []byte {
	hash := hmac.New(sha256.New, h.key)
	_, _ = hash.Write(text) // a hash takes everything
	return hash.Sum(append([]byte(nil), h.prefix...))
}

// join puts texts behind each other, each after its length, so that no two lists make
// the same bytes.
func join(first string, rest ...string) []byte {
	var b []byte
	for _, s := range append([]string{first}, rest...) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// CheckpointSigner signs checkpoints of the audit trail.
func (k *Keys) CheckpointSigner() note.Signer { return k.signer }

// CheckpointVerifier checks what CheckpointSigner signed.
func (k *Keys) CheckpointVerifier() note.Verifier { return k.verifier }

// VerifierText is the verifier as a line that may be shown and given away:
// note.NewVerifier reads it, here or at a customer's.
func (k *Keys) VerifierText() string { return k.verifierText }

// Print names these keys, all of the file, in 32 hexadecimal digits. It reveals nothing
// of them and may be shown and stored. Other keys, or a rotation, have another print;
// spaces in the file do not matter.
func (k *Keys) Print() string { return k.print }

// String implements fmt.Stringer.
func (Keys) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (Keys) GoString() string { return hidden }

// Format implements fmt.Formatter, for every verb alike.
func (Keys) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, hidden) }

// LogValue implements slog.LogValuer.
func (Keys) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON implements json.Marshaler.
func (Keys) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (Keys) MarshalText() ([]byte, error) { return []byte(hidden), nil }
