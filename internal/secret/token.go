package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// tokenBytes is the randomness of a token: 256 bits, four times what NIST SP 800-63B-4
// (section 5.1) asks of a session's secret.
const tokenBytes = 32

// Token makes the secret of a session, a device or a link: 43 characters of base64url
// with 256 random bits in them. The plain form goes to its holder and is never stored;
// hash, its SHA-256, is what is stored and looked up. A plain hash is enough, since
// nobody can try 2^256 tokens.
func Token() (plain string, hash []byte) {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // it ends the program rather than give less
	plain = base64.RawURLEncoding.EncodeToString(random)
	return plain, TokenHash(plain)
}

// TokenHash is what is stored of a token. Any text has one: one that is no token is
// found nowhere.
func TokenHash(plain string) []byte {
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}

// Digits makes n random decimal digits, zeros at the front included. Each of the 10^n
// texts is as likely as any other. None for n under 1.
func Digits(n int) string {
	// 250 is the largest multiple of ten in a byte: what is beyond it would make low
	// digits more likely, and is thrown away.
	const even = 250
	digits := make([]byte, 0, max(n, 0))
	random := make([]byte, 16)
	for len(digits) < n {
		_, _ = rand.Read(random) // it ends the program rather than give less
		for _, b := range random {
			if b < even && len(digits) < n {
				digits = append(digits, '0'+b%10)
			}
		}
	}
	return string(digits)
}
