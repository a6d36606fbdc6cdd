package message

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

// try names one hand-over of an SMS to a provider.
type try struct {
	User    id.User
	Message id.Message
	No      int
}

const (
	// tokenVersion is the first byte of a token, so that another form can be told apart.
	tokenVersion = 1
	// tokenHead is the length of what is authenticated: the version, two ids, a number.
	tokenHead = 1 + 16 + 16 + 2
	// tokenMost is the most characters that is looked at of what claims to be a token.
	tokenMost = 200
	// tryMost is how often one message is handed over at the most.
	tryMost    = 1<<16 - 1
	tokenMACOf = "sms receipt"
)

// token is what a provider gives back with its receipts: it names the try, and nobody
// can make one without the keys. It is about 96 characters of base64url.
func (t try) token(keys *secret.Keys) (string, error) {
	user, err := uuid.Parse(string(t.User))
	if err != nil {
		return "", fmt.Errorf("name a text: its user's id: %w", err)
	}
	message, err := uuid.Parse(string(t.Message))
	if err != nil {
		return "", fmt.Errorf("name a text: its message's id: %w", err)
	}
	if t.No < 1 || t.No > tryMost {
		return "", fmt.Errorf("name a text: it is the %dth time: %w", t.No, fault.Invalid)
	}
	raw := append([]byte{tokenVersion}, user[:]...)
	raw = append(raw, message[:]...)
	raw = binary.BigEndian.AppendUint16(raw, uint16(t.No))
	raw = append(raw, keys.MAC(tokenMACOf, t.parts()...)...)
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func (t try) parts() []string {
	return []string{string(t.User), string(t.Message), strconv.Itoa(t.No)}
}

// readToken says which try a token names; fault.NotFound if we did not make it.
func readToken(keys *secret.Keys, token string) (try, error) {
	if len(token) > tokenMost {
		return try{}, errForged
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= tokenHead || raw[0] != tokenVersion {
		return try{}, errForged
	}
	t := try{
		User:    id.User(uuid.UUID(raw[1:17]).String()),
		Message: id.Message(uuid.UUID(raw[17:33]).String()),
		No:      int(binary.BigEndian.Uint16(raw[33:tokenHead])),
	}
	if !keys.Matches(raw[tokenHead:], tokenMACOf, t.parts()...) {
		return try{}, errForged
	}
	return t, nil
}

var errForged = fmt.Errorf("a receipt's token is none of ours: %w", fault.NotFound)
