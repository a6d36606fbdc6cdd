package password

import (
	"encoding/base64"
	"strings"
	"time"

	"golang.org/x/crypto/scrypt"
)

// What Parse accepts: OWASP's suggestions up to N=2^16 r=8 p=2 fit.
const (
	maxScryptMemory = 64 << 20  // bytes, 128·N·r
	maxScryptWork   = 256 << 20 // bytes, 128·N·r·p
	maxScryptR      = 32
	maxScryptP      = 16
)

// scryptHash is a hash by RFC 7914.
type scryptHash struct {
	n, r, p int
	salt    []byte
	key     []byte
}

// parseScrypt reads $scrypt$ln=14,r=8,p=1$SALT$KEY (PHC, passlib), where ln is the
// log2 of N, and Django's scrypt$N$SALT$r$p$KEY, where the salt is text and the key
// padded base64.
func parseScrypt(s string) (*scryptHash, error) {
	if !strings.HasPrefix(s, "$") {
		return parseDjangoScrypt(strings.Split(s, "$"))
	}
	part := strings.Split(s[1:], "$")
	if len(part) != 4 {
		return nil, errDamaged
	}
	n, err := numbers(part[1], "ln", "r", "p")
	if err != nil {
		return nil, err
	}
	if n[0] < 1 {
		return nil, errDamaged
	}
	if n[0] > 30 {
		return nil, errCostly
	}
	salt, key, err := saltAndKey(phc64, part[2], part[3])
	if err != nil {
		return nil, err
	}
	return newScrypt(1<<n[0], n[1], n[2], salt, key)
}

func parseDjangoScrypt(part []string) (*scryptHash, error) {
	if len(part) != 6 {
		return nil, errDamaged
	}
	var n [3]int
	for i, text := range []string{part[1], part[3], part[4]} {
		v, err := number(text)
		if err != nil {
			return nil, err
		}
		n[i] = v
	}
	key, err := base64.StdEncoding.Strict().DecodeString(part[5])
	if err != nil {
		return nil, errDamaged
	}
	return newScrypt(n[0], n[1], n[2], []byte(part[2]), key)
}

func newScrypt(n, r, p int, salt, key []byte) (*scryptHash, error) {
	if n < 2 || n&(n-1) != 0 || r < 1 || p < 1 ||
		len(salt) == 0 || len(salt) > maxSalt || len(key) < minKey || len(key) > maxKey {
		return nil, errDamaged
	}
	if n > maxScryptMemory || r > maxScryptR || p > maxScryptP ||
		128*n*r > maxScryptMemory || 128*n*r*p > maxScryptWork {
		return nil, errCostly
	}
	return &scryptHash{n: n, r: r, p: p, salt: salt, key: key}, nil
}

func (s *scryptHash) matches(plain string) bool {
	key, err := scrypt.Key([]byte(plain), s.salt, s.n, s.r, s.p, len(s.key))
	return err == nil && same(s.key, key)
}

func (s *scryptHash) cost() time.Duration {
	return time.Duration(s.n) * time.Duration(s.r) * time.Duration(s.p) * 235 * time.Nanosecond
}
