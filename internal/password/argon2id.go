package password

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// What Hash makes: OWASP's "m=19 MiB, t=2, p=1" with the salt and key of RFC 9106.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltSize  = 16
	keySize   = 32
)

// What Parse accepts: the second choice of RFC 9106 (64 MiB, 3 passes, 4 lanes) and
// the defaults of PHP and Python's argon2-cffi fit.
const (
	maxMemoryKiB = 64 * 1024
	maxWorkKiB   = 512 * 1024 // memory × passes
	maxLanes     = 16
)

var phc64 = base64.RawStdEncoding.Strict()

// argon2id is a hash by RFC 9106.
type argon2id struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
	salt   []byte
	key    []byte
}

// fresh is what Hash makes, still without a key.
func fresh() *argon2id {
	return &argon2id{memory: memoryKiB, passes: passes, lanes: lanes, salt: random(saltSize)}
}

// parseArgon2id reads $argon2id$v=19$m=19456,t=2,p=1$SALT$KEY.
func parseArgon2id(s string) (*argon2id, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[2] != "v=19" {
		return nil, errDamaged
	}
	n, err := numbers(part[3], "m", "t", "p")
	if err != nil {
		return nil, err
	}
	m, t, p := n[0], n[1], n[2]
	if t < 1 || p < 1 || m < 8*p { // RFC 9106 section 3.1
		return nil, errDamaged
	}
	if m > maxMemoryKiB || m*t > maxWorkKiB || p > maxLanes {
		return nil, errCostly
	}
	salt, key, err := saltAndKey(phc64, part[4], part[5])
	if err != nil {
		return nil, err
	}
	if len(salt) < 8 { // RFC 9106 section 3.1
		return nil, errDamaged
	}
	return &argon2id{memory: uint32(m), passes: uint32(t), lanes: uint8(p), salt: salt, key: key}, nil //nolint:gosec // bounded above
}

func (a *argon2id) encode() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		a.memory, a.passes, a.lanes, phc64.EncodeToString(a.salt), phc64.EncodeToString(a.key))
}

// current reports whether Hash makes such hashes.
func (a *argon2id) current() bool {
	return a.memory == memoryKiB && a.passes == passes && a.lanes == lanes &&
		len(a.salt) == saltSize && (len(a.key) == keySize || a.key == nil)
}

// derive computes the key of a password: of its NFC form if the hash is one of ours,
// of its bytes if another system made it.
func (a *argon2id) derive(plain string) []byte {
	if a.current() {
		plain = norm.NFC.String(plain)
	}
	size := uint32(keySize)
	if a.key != nil {
		size = uint32(len(a.key)) //nolint:gosec // at most maxKey
	}
	return argon2.IDKey([]byte(plain), a.salt, a.passes, a.memory, a.lanes, size)
}

func (a *argon2id) matches(plain string) bool { return same(a.key, a.derive(plain)) }

func (a *argon2id) cost() time.Duration {
	return time.Duration(a.memory) * time.Duration(a.passes) * 560 * time.Nanosecond
}
