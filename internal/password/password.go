// Package password makes and checks password hashes, and decides when and in what
// order they are computed.
//
// New hashes are argon2id with 19 MiB, two passes and one lane (the OWASP password
// storage cheat sheet's first choice for small machines). Hashes that an older system
// left behind are read and checked, never made: bcrypt, PBKDF2, scrypt and those of
// ASP.NET Identity. They are replaced at the next sign-in with the right password.
//
// Hashing is slow on purpose, so it is done with no transaction open, in one of the
// [Slots], and while old forms remain the answer waits for the [Floor] afterwards,
// when the slot is free again:
//
//	err := slots.Run(ctx, turn, func() { right = stored.Matches(plain) })
//	…
//	err = floor.Wait(ctx, started, now)
//
// What a person typed is taken as it is: every character counts, spaces too. New
// hashes are made over its Unicode form NFC, so that the same letters typed on another
// device match (RFC 8265 section 4.2, NIST SP 800-63B-4). Old systems hashed the
// bytes they were sent, so old hashes are checked over exactly those, and over
// nothing else: a second try would take twice the time and show by it that the name
// has an old hash.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"keyturn/internal/fault"
)

// MaxBytes is the longest password that can be right, in bytes of UTF-8. NIST
// SP 800-63B-4 asks for at least 64 characters, which are at most 256 bytes; the
// limit only keeps a megabyte from being hashed.
const MaxBytes = 1000

// maxEncoded is longer than any hash that Parse accepts.
const maxEncoded = 512

// Bounds of the keys and salts inside a hash, in bytes. A shorter key than 16 bytes
// could be matched by a wrong password; nobody makes longer ones than 64.
const (
	minKey  = 16
	maxKey  = 64
	maxSalt = 64
)

// Form names a way to hash, for reports and metrics. The names are stable.
type Form string

// The forms that Parse reads.
const (
	Argon2id Form = "argon2id"
	Bcrypt   Form = "bcrypt"
	PBKDF2   Form = "pbkdf2"
	Scrypt   Form = "scrypt"
	ASPNetV2 Form = "aspnet-v2"
	ASPNetV3 Form = "aspnet-v3"
)

// A hasher is one parsed hash.
type hasher interface {
	// matches computes the hash of plain and compares it, in a time that does not
	// depend on where they differ.
	matches(plain string) bool
	// cost estimates the time of matches.
	cost() time.Duration
}

// Stored is a password's hash as it is kept. It never prints itself: every verb of
// fmt, slog and encoding/json shows the form at most.
//
// The zero Stored belongs to a user without a password: it takes the time of a new
// hash and matches nothing.
type Stored struct {
	form    Form
	encoded string
	hasher  hasher
}

// TooLong reports whether a password is longer than MaxBytes. Say so when one is set;
// at sign-in such a password is an ordinary wrong one.
func TooLong(plain string) bool { return len(plain) > MaxBytes }

// Hash makes the hash of a new password in the form of [Stored.Encoded], with a fresh
// salt. It takes about 20 ms and 19 MiB. Whoever sets a password asks TooLong first:
// the hash of a longer one matches nothing.
func Hash(plain string) string {
	a := fresh()
	a.key = a.derive(plain)
	return a.encode()
}

// Dummy is a hash that no password matches and that takes the time of a new one: for
// names that nobody has, so that they take as long as the others.
func Dummy() Stored {
	a := fresh()
	a.key = random(keySize)
	return Stored{form: Argon2id, encoded: a.encode(), hasher: a}
}

// Parse reads a hash in one of these forms:
//
//   - argon2id as a PHC string, version 19, up to 64 MiB a pass and 512 MiB in all
//   - bcrypt, $2a$, $2b$ or $2y$, cost 4 to 14
//   - PBKDF2 of Django (pbkdf2_sha256$…, also sha1 and sha512) or passlib
//     ($pbkdf2-sha256$…), up to 1,000,000 iterations
//   - scrypt as a PHC string or of Django (scrypt$…), up to 64 MiB, r ≤ 32, p ≤ 16,
//     256 MiB in all
//   - ASP.NET Identity v2 and v3 in base64, up to 1,000,000 iterations
//
// Anything else, a damaged hash or one that would cost more is fault.Invalid, with a
// sentence that repeats nothing of the hash. White space is not trimmed.
func Parse(encoded string) (Stored, error) {
	form, h, err := parse(encoded)
	if err != nil {
		return Stored{}, fmt.Errorf("password hash: %w: %w", err, fault.Invalid)
	}
	return Stored{form: form, encoded: encoded, hasher: h}, nil
}

var (
	errUnknown = errors.New("this form is not known; leave it out, and the user sets a new password")
	errDamaged = errors.New("it is damaged or cut short; leave it out, and the user sets a new password")
	errCostly  = errors.New("checking it would cost too much; leave it out, and the user sets a new password")
)

func parse(s string) (Form, hasher, error) {
	switch {
	case s == "":
		return "", nil, errUnknown
	case len(s) > maxEncoded:
		return "", nil, errUnknown
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", nil, errDamaged // encoding/base64 would skip a line break
	case strings.HasPrefix(s, "$argon2id$"):
		h, err := parseArgon2id(s)
		return Argon2id, h, err
	case strings.HasPrefix(s, "$2a$"), strings.HasPrefix(s, "$2b$"), strings.HasPrefix(s, "$2y$"):
		h, err := parseBcrypt(s)
		return Bcrypt, h, err
	case strings.HasPrefix(s, "pbkdf2_"), strings.HasPrefix(s, "$pbkdf2"):
		h, err := parsePBKDF2(s)
		return PBKDF2, h, err
	case strings.HasPrefix(s, "scrypt$"), strings.HasPrefix(s, "$scrypt$"):
		h, err := parseScrypt(s)
		return Scrypt, h, err
	case !strings.Contains(s, "$"):
		return parseASPNet(s)
	default:
		return "", nil, errUnknown
	}
}

// Form names how the password was hashed; empty for the zero Stored.
func (s Stored) Form() Form { return s.form }

// Encoded is the hash as Parse reads it. It is for the database alone.
func (s Stored) Encoded() string { return s.encoded }

// Matches reports whether plain is the password. It takes as long as Cost says,
// whatever the answer, except that a password longer than MaxBytes is wrong at once,
// for every user alike.
func (s Stored) Matches(plain string) bool {
	if TooLong(plain) {
		return false
	}
	if s.hasher == nil {
		return Dummy().Matches(plain)
	}
	return s.hasher.matches(plain)
}

// NeedsRehash reports whether the hash is anything but what Hash makes, so that the
// next sign-in with the right password replaces it. A costlier argon2id is replaced
// too: all users having one form is what makes all answers take one time.
func (s Stored) NeedsRehash() bool {
	a, ok := s.hasher.(*argon2id)
	return s.hasher != nil && (!ok || !a.current())
}

// Cost estimates how long Matches takes on one core of a small server. It is good
// enough to find the slowest of many; a Floor is calibrated by the real time.
func (s Stored) Cost() time.Duration {
	if s.hasher == nil {
		return fresh().cost()
	}
	return s.hasher.cost()
}

// String names the form and nothing more.
func (s Stored) String() string {
	if s.form == "" {
		return "password(none)"
	}
	return "password(" + string(s.form) + ")"
}

// Format prints String for every verb.
func (s Stored) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Stored) LogValue() slog.Value { return slog.StringValue(s.String()) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
