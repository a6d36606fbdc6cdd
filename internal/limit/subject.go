package limit

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
)

// Subject makes a subject of parts that must not stand in a row as they are: login
// names, addresses, numbers, networks. The first part says what the rest is, so that a
// name and a network that are spelled alike stay two subjects:
//
//	limit.Subject("name and network", login, network)
//
// Parts are taken in their canonical form: this function does not know that two
// spellings are one name. Different lists of parts never make the same input, wherever
// their boundaries lie.
//
// The hash has no key. It keeps rows short and names out of casual sight; it is no
// secret: whoever reads the table can try the names they think of.
func Subject(parts ...string) string {
	h := sha256.New()
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		_, _ = h.Write(length[:]) // a hash never fails
		_, _ = h.Write([]byte(part))
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))
}

// shards is into how many rows a shared subject is spread.
const shards = 16

// Spread is a charge of the one budget of the whole system, for example of all sends.
// See Charge.Spread.
func Spread(b Budget, key string) Charge {
	return Charge{Budget: b, Subject: "system"}.Spread(key)
}

// Spread splits a subject that many transactions want at once (the system, a country)
// into 16 rows, each with a 16th of the budget, so that they seldom wait for each
// other. The key, for example the user's id, chooses the row: always the same one, so
// that a use can be given back.
//
// All rows together never allow more than Cap. A row may be full while others have
// room: such a budget is a brake for the system and no promise to one user. A budget
// of fewer than 16 unknown uses makes as many rows as it has of them.
func (c Charge) Spread(key string) Charge {
	open := c.Budget.Cap - c.Budget.Kept
	n := max(1, min(shards, open))
	sum := sha256.Sum256([]byte(key))
	c.Subject += "." + strconv.Itoa(int(sum[0])%n)
	c.Budget.Cap /= n
	c.Budget.Kept = c.Budget.Cap - open/n
	return c
}
