package method

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"unicode"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
)

const (
	// recoveryCodes is how many a set has.
	recoveryCodes = 10
	// recoveryBytes is the randomness of each: 80 bits, where NIST 800-63B-4 section 4.2
	// asks for 64 at least.
	recoveryBytes = 10
	// recoveryLetters is how many symbols that makes, of five bits each.
	recoveryLetters = recoveryBytes * 8 / 5
	recoveryPurpose = "recovery code"
)

// recoveryAlphabet is Crockford's base32: digits and capitals without I, L, O and U. So a
// letter O can only be a zero, and I and L only a one.
const recoveryAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var recoveryText = base32.NewEncoding(recoveryAlphabet).WithPadding(base32.NoPadding)

// MakeRecovery makes a new set of ten recovery codes, which is one method, and removes the
// set before it. The codes are given in four groups of four, this once: what is kept is
// their keyed hash. fault.Conflict if another set was made at the same moment.
func MakeRecovery(ctx context.Context, tx *db.Tx, keys *secret.Keys, who id.User) (Method, []string, error) {
	all, err := of(ctx, tx, who)
	if err != nil {
		return Method{}, nil, fmt.Errorf("read the methods to make recovery codes: %w", err)
	}
	for _, old := range all {
		if old.Kind != policy.Recovery {
			continue
		}
		if err := Remove(ctx, tx, who, old.ID); err != nil {
			return Method{}, nil, err
		}
	}
	m, err := Link(ctx, tx, Method{User: who, Kind: policy.Recovery, ProvedAt: tx.Now})
	if err != nil {
		return Method{}, nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryBytes)
		_, _ = rand.Read(raw) // it ends the program rather than give less
		code := recoveryText.EncodeToString(raw)
		if err := insertRecovery(ctx, tx, m, i+1, recoveryMAC(keys, m, code)); err != nil {
			return Method{}, nil, fmt.Errorf("store a recovery code: %w", err)
		}
		codes[i] = inGroups(code, 4, "-")
	}
	return m, codes, nil
}

// TryRecovery uses one of the user's recovery codes up. ok says that the code was one of
// them and unused, and that this call was the first; left is how many are left then.
// Recovery codes have so many bits that guesses need no budget of their own.
func TryRecovery(ctx context.Context, tx *db.Tx, keys *secret.Keys, who id.User, typed string) (m Method, left int, ok bool, err error) {
	code, formed := ReadRecovery(typed)
	if !formed {
		return Method{}, 0, false, nil
	}
	all, err := of(ctx, tx, who)
	if err != nil {
		return Method{}, 0, false, fmt.Errorf("read the recovery codes: %w", err)
	}
	for _, each := range all {
		if each.Kind != policy.Recovery || each.Pending {
			continue
		}
		if left, ok, err = trySet(ctx, tx, keys, each, code); err != nil || ok {
			return each, left, ok, err
		}
	}
	return Method{}, 0, false, nil
}

func trySet(ctx context.Context, tx *db.Tx, keys *secret.Keys, m Method, code string) (left int, ok bool, err error) {
	unused, err := recoveryUnused(ctx, tx, m.User, m.ID)
	if err != nil {
		return 0, false, fmt.Errorf("read the recovery codes: %w", err)
	}
	found := int64(0)
	for _, c := range unused {
		if keys.Matches(c.hash, recoveryPurpose, string(m.User), string(m.ID), code) {
			found = c.no
		}
	}
	if found == 0 {
		return len(unused), false, nil
	}
	n, err := useRecovery(ctx, tx, m, found)
	if err != nil {
		return 0, false, fmt.Errorf("use a recovery code: %w", err)
	}
	if n != 1 {
		return 0, false, nil // somebody else was first
	}
	left, err = RecoveryLeft(ctx, tx, m.User)
	return left, err == nil, err
}

// RecoveryLeft counts the recovery codes of a user that were not used.
func RecoveryLeft(ctx context.Context, from db.Reader, who id.User) (int, error) {
	n, err := recoveryLeft(ctx, from, who)
	if err != nil {
		return 0, fmt.Errorf("count recovery codes: %w", err)
	}
	return n, nil
}

// left is how many recovery codes a user has.
type left struct {
	user  id.User
	codes int
}

// RecoveryLeftOfAll is RecoveryLeft for many users; who has none is left out.
func RecoveryLeftOfAll(ctx context.Context, from db.Reader, who []id.User) (map[id.User]int, error) {
	rows, err := recoveryLeftOfAll(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("count recovery codes: %w", err)
	}
	all := make(map[id.User]int, len(rows))
	for _, l := range rows {
		all[l.user] = l.codes
	}
	return all, nil
}

// ReadRecovery reads a recovery code as people type it, in its one form, sixteen symbols:
// small letters, spaces and dashes anywhere, O for 0, I and L for 1. false: it has not the
// form of one at all.
func ReadRecovery(typed string) (string, bool) {
	code, ok := squeeze(typed, recoveryLetters, func(r rune) rune {
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, recoveryAlphabet)
	return code, ok
}

// squeeze reads exactly n letters of an alphabet out of what was typed.
func squeeze(typed string, n int, turn func(rune) rune, alphabet string) (string, bool) {
	const mostTyped = 200 // enough for any spaces
	if len(typed) > mostTyped {
		return "", false
	}
	var b strings.Builder
	for _, r := range typed {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			continue
		}
		if r > unicode.MaxASCII {
			return "", false // also what only looks like a letter, or has a capital that is one
		}
		r = turn(unicode.ToUpper(r))
		if !strings.ContainsRune(alphabet, r) || b.Len() == n {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), b.Len() == n
}

func recoveryMAC(keys *secret.Keys, m Method, code string) []byte {
	return keys.MAC(recoveryPurpose, string(m.User), string(m.ID), code)
}

// recoveryCode is a stored one.
type recoveryCode struct {
	no   int64
	hash []byte
}
