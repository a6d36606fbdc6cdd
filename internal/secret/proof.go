package secret

import (
	"encoding/base64"
	"fmt"
)

// proofPlace is where a proof is stored: a row of the database's own table.
var proofPlace = Place{Owner: "keyturn", Table: "meta", Row: "keys", Column: "value"}

// proofText is what a proof says, hashed with the mac keys and sealed with the others,
// so that no part of a keys file can be another's.
const proofText = "these keys belong to this database"

// Proof is a text to store in the database when it is made: later, only these keys, or
// a rotation of them, open it. It is made anew after a rotation, before the old keys
// are taken out of the file.
func (k *Keys) Proof() (string, error) {
	sealed, err := k.Seal(proofPlace, k.MAC(proofText, k.verifierText))
	if err != nil {
		return "", fmt.Errorf("prove that the keys belong to the database: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// ProofOpens says whether a stored proof was made with these keys. If it was not, the
// keys do not belong to this database, and the program must not start: it could open
// nothing that is in there, and what it would seal could not be opened with the right
// keys.
func (k *Keys) ProofOpens(proof string) bool {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(proof)
	if err != nil {
		return false
	}
	mac, err := k.Open(proofPlace, sealed)
	return err == nil && k.Matches(mac, proofText, k.verifierText)
}
