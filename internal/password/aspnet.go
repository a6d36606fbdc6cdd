package password

import (
	"encoding/base64"
	"encoding/binary"
)

// The layouts of ASP.NET Identity's PasswordHasher, in base64 with padding:
//
//	v2: 0x00, salt (16 bytes), key (32 bytes): PBKDF2-HMAC-SHA1, 1000 iterations
//	v3: 0x01, PRF, iterations, salt length (big-endian uint32 each), salt, key
//
// where the PRF is 0 for SHA-1, 1 for SHA-256, 2 for SHA-512.
const (
	aspnetV2Size       = 1 + 16 + 32
	aspnetV2Iterations = 1000
	aspnetV3Header     = 1 + 3*4
)

func parseASPNet(s string) (Form, hasher, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) == 0 {
		return "", nil, errUnknown
	}
	switch b[0] {
	case 0x00:
		if len(b) != aspnetV2Size {
			return "", nil, errDamaged
		}
		h, err := newPBKDF2(hmacSHA1, aspnetV2Iterations, b[1:17], b[17:])
		return ASPNetV2, h, err
	case 0x01:
		h, err := parseASPNetV3(b)
		return ASPNetV3, h, err
	default:
		return "", nil, errUnknown
	}
}

func parseASPNetV3(b []byte) (*pbkdf2Hash, error) {
	if len(b) < aspnetV3Header {
		return nil, errDamaged
	}
	prf := binary.BigEndian.Uint32(b[1:])
	iterations := binary.BigEndian.Uint32(b[5:])
	saltLen := binary.BigEndian.Uint32(b[9:])
	body := b[aspnetV3Header:]
	// Identity itself refuses a salt under 128 bits.
	if saltLen < 16 || saltLen > maxSalt || int(saltLen) > len(body) {
		return nil, errDamaged
	}
	if iterations > maxIterations {
		return nil, errCostly
	}
	var d digest
	switch prf {
	case 0:
		d = hmacSHA1
	case 1:
		d = hmacSHA256
	case 2:
		d = hmacSHA512
	default:
		return nil, errDamaged
	}
	return newPBKDF2(d, int(iterations), body[:saltLen], body[saltLen:])
}
