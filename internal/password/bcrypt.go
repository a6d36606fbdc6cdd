package password

import (
	"time"

	"golang.org/x/crypto/bcrypt"
)

// The highest cost read: about 0.8 s on one core.
const (
	minBcryptCost = 4
	maxBcryptCost = 14
)

// bcryptHash is a modular-crypt bcrypt hash. Like every bcrypt it looks at the first
// 72 bytes of a password only, so a longer one matches by those: that is what the
// system that made the hash did. The variants a, b and y differ in nothing that a
// present-day implementation computes; x (a known bug) is not read.
type bcryptHash struct {
	encoded []byte
	rounds  int // log2
}

// parseBcrypt reads $2b$10$ and 53 characters: 22 of salt, 31 of hash.
func parseBcrypt(s string) (*bcryptHash, error) {
	if len(s) != 60 || s[6] != '$' {
		return nil, errDamaged
	}
	for _, c := range []byte(s[7:]) {
		if c != '.' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return nil, errDamaged
		}
	}
	if s[4] < '0' || s[4] > '9' || s[5] < '0' || s[5] > '9' {
		return nil, errDamaged
	}
	rounds := int(s[4]-'0')*10 + int(s[5]-'0')
	if rounds < minBcryptCost {
		return nil, errDamaged
	}
	if rounds > maxBcryptCost {
		return nil, errCostly
	}
	return &bcryptHash{encoded: []byte(s), rounds: rounds}, nil
}

func (b *bcryptHash) matches(plain string) bool {
	return bcrypt.CompareHashAndPassword(b.encoded, []byte(plain)) == nil
}

func (b *bcryptHash) cost() time.Duration { return 47 * time.Microsecond << b.rounds }
