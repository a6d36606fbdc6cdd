package xero

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"keyturn/internal/secret"
)

// keys are those with which Xero signs id tokens, fetched when one is needed. It is an
// oidc.KeySet; the library's own one cannot tell a token that does not hold from keys that
// could not be fetched.
type keys struct {
	get func(ctx context.Context, method, url string, access secret.Text) (reply, error)
	url string
	now func() time.Time

	mu      sync.Mutex
	kept    []jose.JSONWebKey
	fetched time.Time
}

// missing is the key under which a context holds a place for the trouble with keys.
type missing struct{}

var errSignature = errors.New("no key of Xero's made this signature")

// leastBits is the shortest RSA key whose signature is believed (NIST SP 800-131A).
const leastBits = 2048

// VerifySignature implements oidc.KeySet. The keys are fetched again where none of them
// made the signature, at most once a minute.
func (k *keys) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(signed.Signatures) != 1 {
		return nil, errSignature
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.now().Sub(k.fetched)
	if k.fetched.IsZero() || age > keysFor || age < 0 {
		if err := k.fetch(ctx); err != nil {
			return nil, err
		}
		age = 0
	}
	if payload, ok := k.check(signed); ok {
		return payload, nil
	}
	if age < time.Minute {
		return nil, errSignature
	}
	if err := k.fetch(ctx); err != nil {
		return nil, err
	}
	if payload, ok := k.check(signed); ok {
		return payload, nil
	}
	return nil, errSignature
}

func (k *keys) check(signed *jose.JSONWebSignature) ([]byte, bool) {
	for _, one := range k.kept {
		if id := signed.Signatures[0].Header.KeyID; id != "" && id != one.KeyID {
			continue
		}
		if payload, err := signed.Verify(one.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// fetch reads the keys. What is no RSA key for signatures is left out.
func (k *keys) fetch(ctx context.Context) (err error) {
	defer func() {
		if place, ok := ctx.Value(missing{}).(*error); ok && err != nil {
			*place = err
		}
	}()
	r, err := k.get(ctx, http.MethodGet, k.url, secret.Text{})
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		return wait(r.header, k.now(), errStatus)
	}
	var all struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(r.body, &all) != nil {
		return wait(r.header, k.now(), errUnread)
	}
	var kept []jose.JSONWebKey
	for _, text := range all.Keys {
		var one jose.JSONWebKey
		if json.Unmarshal(text, &one) != nil {
			continue // of a kind that is not known here
		}
		key, ok := one.Key.(*rsa.PublicKey)
		if ok && key.N.BitLen() >= leastBits && (one.Use == "" || one.Use == "sig") && (one.Algorithm == "" || one.Algorithm == string(jose.RS256)) {
			kept = append(kept, one)
		}
	}
	if len(kept) == 0 {
		return wait(r.header, k.now(), errUnread)
	}
	k.kept, k.fetched = kept, k.now()
	return nil
}
