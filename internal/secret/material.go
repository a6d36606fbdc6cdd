package secret

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/key"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac/hmac"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/mod/sumdb/note"
)

const (
	// keyBytes is the length of every key: 256 bits.
	keyBytes = 32
	// mostKeys bounds a keyset: each key of it costs time at every value that opens
	// with none.
	mostKeys = 32
	// signerName is the name in the checkpoints' signatures.
	signerName = "keyturn-audit"
)

// material is what a keys file holds.
type material struct {
	seal, mac *keyset.Handle
	note      string
}

// sealer is one key that seals, and hasher one that hashes. A keyset's factory of Tink
// would do the same, and link every kind of key that there is.
type (
	sealer struct{ aead tink.AEAD }
	hasher struct{ prefix, key []byte }
)

// What is wrong with keys: sentences for whoever looks after the file.
var (
	errSealKind  = errors.New(`"seal" holds a key that is not AES-256-GCM with Tink's prefix`)
	errSealShort = errors.New(`"seal" holds a key that is not 32 bytes long`)
	errMACKind   = errors.New(`"mac" holds a key that is not HMAC-SHA-256 with 32 bytes of output and Tink's prefix`)
	errMACShort  = errors.New(`"mac" holds a key that is not 32 bytes long`)
	errPattern   = errors.New("a key in it is one byte over and over: it is a placeholder, not a key")
	errMany      = errors.New("a keyset in it holds more than 32 keys")
	errTwice     = errors.New("a keyset in it holds two keys of one number")
	errNoPrimary = errors.New("a keyset in it has no primary key that is enabled")
	errNote      = errors.New(`"note" is not a signing key of the form PRIVATE+KEY+` + signerName + `+…`)
)

// fresh makes new keys.
func fresh() (material, error) {
	gcm, err := aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: keyBytes, IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantTink,
	})
	if err != nil {
		return material{}, fmt.Errorf("make a sealing key: %w", err)
	}
	hash, err := hmac.NewParameters(hmac.ParametersOpts{
		KeySizeInBytes: keyBytes, TagSizeInBytes: 32, HashType: hmac.SHA256, Variant: hmac.VariantTink,
	})
	if err != nil {
		return material{}, fmt.Errorf("make a hashing key: %w", err)
	}
	var m material
	if m.seal, err = single(gcm); err != nil {
		return material{}, fmt.Errorf("make a sealing key: %w", err)
	}
	if m.mac, err = single(hash); err != nil {
		return material{}, fmt.Errorf("make a hashing key: %w", err)
	}
	if m.note, _, err = note.GenerateKey(rand.Reader, signerName); err != nil {
		return material{}, fmt.Errorf("make a signing key: %w", err)
	}
	return m, nil
}

// single is a keyset of one new key.
func single(p key.Parameters) (*keyset.Handle, error) {
	m := keyset.NewManager()
	number, err := m.AddNewKeyFromParameters(p)
	if err != nil {
		return nil, err
	}
	if err := m.SetPrimary(number); err != nil {
		return nil, err
	}
	return m.Handle()
}

// keys checks everything and makes it ready for use.
func (m material) keys() (*Keys, error) {
	var k Keys
	print := sha256.New()
	err := each(m.seal, func(e *keyset.Entry) (err error) {
		var bytes []byte
		k.sealers, bytes, err = withSealer(k.sealers, e)
		_, _ = print.Write(join("seal", e.KeyStatus().String(), fmt.Sprint(e.KeyID(), e.IsPrimary()), string(bytes)))
		return err
	})
	if err != nil {
		return nil, err
	}
	err = each(m.mac, func(e *keyset.Entry) (err error) {
		var bytes []byte
		k.hashers, bytes, err = withHasher(k.hashers, e)
		_, _ = print.Write(join("mac", e.KeyStatus().String(), fmt.Sprint(e.KeyID(), e.IsPrimary()), string(bytes)))
		return err
	})
	if err != nil {
		return nil, err
	}
	if k.signer, k.verifierText, err = signing(m.note); err != nil {
		return nil, err
	}
	if k.verifier, err = note.NewVerifier(k.verifierText); err != nil {
		return nil, errNote
	}
	_, _ = print.Write(join("note", m.note))
	k.print = hex.EncodeToString(print.Sum(nil)[:16])
	return &k, nil
}

// each walks over a keyset, the primary key first.
func each(set *keyset.Handle, do func(*keyset.Entry) error) error {
	if set.Len() > mostKeys {
		return errMany
	}
	primary, err := set.Primary()
	if err != nil || primary.KeyStatus() != keyset.Enabled {
		return errNoPrimary
	}
	if err := do(primary); err != nil {
		return err
	}
	seen := map[uint32]bool{primary.KeyID(): true}
	for i := range set.Len() {
		e, err := set.Entry(i)
		if err != nil {
			return fmt.Errorf("read a keyset: %w", err)
		}
		if e.IsPrimary() {
			continue
		}
		if seen[e.KeyID()] {
			return errTwice
		}
		seen[e.KeyID()] = true
		if err := do(e); err != nil {
			return err
		}
	}
	return nil
}

// withSealer adds a key, unless it is disabled: then it is only looked at.
func withSealer(to []sealer, e *keyset.Entry) ([]sealer, []byte, error) {
	k, ok := e.Key().(*aesgcm.Key)
	if !ok {
		return nil, nil, errSealKind
	}
	p, ok := k.Parameters().(*aesgcm.Parameters)
	if !ok || p.Variant() != aesgcm.VariantTink || p.IVSizeInBytes() != 12 || p.TagSizeInBytes() != 16 {
		return nil, nil, errSealKind
	}
	bytes := k.KeyBytes().Data(insecuresecretdataaccess.Token{})
	if len(bytes) != keyBytes {
		return nil, nil, errSealShort
	}
	if isPattern(bytes) {
		return nil, nil, errPattern
	}
	if e.KeyStatus() != keyset.Enabled {
		return to, bytes, nil
	}
	aead, err := aesgcm.NewAEAD(k)
	if err != nil {
		return nil, nil, errSealKind
	}
	return append(to, sealer{aead: aead}), bytes, nil
}

// withHasher adds a key, unless it is disabled: then it is only looked at.
func withHasher(to []hasher, e *keyset.Entry) ([]hasher, []byte, error) {
	k, ok := e.Key().(*hmac.Key)
	if !ok {
		return nil, nil, errMACKind
	}
	p, ok := k.Parameters().(*hmac.Parameters)
	if !ok || p.Variant() != hmac.VariantTink || p.HashType() != hmac.SHA256 || p.CryptographicTagSizeInBytes() != 32 {
		return nil, nil, errMACKind
	}
	bytes := k.KeyBytes().Data(insecuresecretdataaccess.Token{})
	if len(bytes) != keyBytes {
		return nil, nil, errMACShort
	}
	if isPattern(bytes) {
		return nil, nil, errPattern
	}
	if e.KeyStatus() != keyset.Enabled {
		return to, bytes, nil
	}
	return append(to, hasher{prefix: k.OutputPrefix(), key: bytes}), bytes, nil
}

// isPattern says that a key is one byte over and over.
func isPattern(key []byte) bool {
	return strings.Count(string(key), string(key[:1])) == len(key)
}

// signing reads the checkpoints' key and makes its public half.
func signing(text string) (note.Signer, string, error) {
	signer, err := note.NewSigner(text)
	if err != nil || signer.Name() != signerName {
		return nil, "", errNote
	}
	// PRIVATE, KEY, name, hash, and the key in base64, which may have a plus in it.
	part := strings.SplitN(text, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(part[len(part)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, "", errNote
	}
	if isPattern(raw[1:]) {
		return nil, "", errPattern
	}
	public, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, "", errNote
	}
	verifier, err := note.NewEd25519VerifierKey(signerName, public)
	if err != nil {
		return nil, "", errNote
	}
	return signer, verifier, nil
}
