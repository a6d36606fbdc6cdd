package password

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // read in old hashes, never made
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"
	"time"
)

const maxIterations = 1_000_000

// digest is a hash function that PBKDF2 is used with.
type digest struct {
	make func() hash.Hash
	size int           // bytes
	once time.Duration // estimated time of one iteration
}

var (
	hmacSHA1   = digest{sha1.New, sha1.Size, 140 * time.Nanosecond}
	hmacSHA256 = digest{sha256.New, sha256.Size, 140 * time.Nanosecond}
	hmacSHA512 = digest{sha512.New, sha512.Size, 360 * time.Nanosecond}
)

// pbkdf2Hash is a hash by RFC 8018 section 5.2.
type pbkdf2Hash struct {
	digest     digest
	iterations int
	salt       []byte
	key        []byte
}

// newPBKDF2 checks the bounds that all spellings share.
func newPBKDF2(d digest, iterations int, salt, key []byte) (*pbkdf2Hash, error) {
	if iterations < 1 || len(salt) == 0 || len(salt) > maxSalt || len(key) < minKey || len(key) > maxKey {
		return nil, errDamaged
	}
	if iterations > maxIterations {
		return nil, errCostly
	}
	return &pbkdf2Hash{digest: d, iterations: iterations, salt: salt, key: key}, nil
}

// parsePBKDF2 reads Django's pbkdf2_sha256$ITERATIONS$SALT$KEY, where the salt is
// text and the key padded base64, and passlib's $pbkdf2-sha256$ITERATIONS$SALT$KEY,
// where both are base64 without padding and with '.' for '+'.
func parsePBKDF2(s string) (*pbkdf2Hash, error) {
	if !strings.HasPrefix(s, "$") {
		return parseDjangoPBKDF2(strings.Split(s, "$"))
	}
	part := strings.Split(s[1:], "$")
	if len(part) != 4 {
		return nil, errDamaged
	}
	var d digest
	switch part[0] {
	case "pbkdf2", "pbkdf2-sha1":
		d = hmacSHA1
	case "pbkdf2-sha256":
		d = hmacSHA256
	case "pbkdf2-sha512":
		d = hmacSHA512
	default:
		return nil, errUnknown
	}
	n, err := number(strings.TrimPrefix(part[1], "i="))
	if err != nil {
		return nil, err
	}
	dots := strings.NewReplacer(".", "+")
	salt, key, err := saltAndKey(phc64, dots.Replace(part[2]), dots.Replace(part[3]))
	if err != nil {
		return nil, err
	}
	return newPBKDF2(d, n, salt, key)
}

func parseDjangoPBKDF2(part []string) (*pbkdf2Hash, error) {
	if len(part) != 4 {
		return nil, errDamaged
	}
	var d digest
	switch part[0] {
	case "pbkdf2_sha1":
		d = hmacSHA1
	case "pbkdf2_sha256":
		d = hmacSHA256
	case "pbkdf2_sha512":
		d = hmacSHA512
	default:
		return nil, errUnknown
	}
	n, err := number(part[1])
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.Strict().DecodeString(part[3])
	if err != nil {
		return nil, errDamaged
	}
	return newPBKDF2(d, n, []byte(part[2]), key)
}

func (p *pbkdf2Hash) matches(plain string) bool {
	key, err := pbkdf2.Key(p.digest.make, plain, p.salt, p.iterations, len(p.key))
	return err == nil && same(p.key, key)
}

func (p *pbkdf2Hash) cost() time.Duration {
	blocks := (len(p.key) + p.digest.size - 1) / p.digest.size
	return time.Duration(p.iterations) * time.Duration(blocks) * p.digest.once
}
