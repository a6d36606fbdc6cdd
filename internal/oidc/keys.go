package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"keyturn/internal/audit"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

const (
	// rotateAfter is how long a key signs before the next takes its place by itself.
	rotateAfter = 90 * 24 * time.Hour
	// publishFor is how long a key is published after it signed last: longer than anything
	// that it signed is good for, and than anybody keeps the set.
	publishFor = 24 * time.Hour
	// keepFor is how long a key is kept after that, to know an old ID token again that comes
	// back as a hint.
	keepFor = 90 * 24 * time.Hour
	// rsaBits is what NIST SP 800-131A asks at least.
	rsaBits = 2048
)

// algorithms are those that clients may choose from.
var algorithms = []string{client.RS256, client.ES256}

// SigningKey is one key, without its private half.
type SigningKey struct {
	ID  id.SigningKey
	Alg string
	// MadeAt is when it was made, and published; ActiveAt when it began to sign, zero if it
	// is the next; RetiredAt when it ceased to, zero if it has not.
	MadeAt, ActiveAt, RetiredAt time.Time

	public jose.JSONWebKey
	sealed []byte
}

// ring is what of the keys is kept in memory: private halves by their ids.
type ring struct {
	mu    sync.Mutex
	ready bool
	keys  map[id.SigningKey]crypto.Signer
}

// ensure makes the keys that an installation begins with, one of each algorithm. Making them
// takes a while, so it is done when they are first needed and with no transaction open.
// Several nodes may do so at once; one wins.
func (r *ring) ensure(ctx context.Context, d *Desk) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready {
		return nil
	}
	for _, alg := range algorithms {
		if err := d.ensureKey(ctx, alg, true); err != nil {
			return fmt.Errorf("make the first keys that sign: %w", err)
		}
	}
	r.ready = true
	return nil
}

// PrepareKeys makes the keys that are next, where there are some that sign: they are in
// everybody's set of keys long before they do.
func (d *Desk) PrepareKeys(ctx context.Context) error {
	for _, alg := range algorithms {
		there, err := keyThere(ctx, d.DB, alg, true)
		if err != nil || !there {
			return err
		}
		if err := d.ensureKey(ctx, alg, false); err != nil {
			return fmt.Errorf("make the next keys that sign: %w", err)
		}
	}
	return nil
}

func (d *Desk) ensureKey(ctx context.Context, alg string, active bool) error {
	there, err := keyThere(ctx, d.DB, alg, active)
	if err != nil || there {
		return err
	}
	k, err := d.newKey(alg)
	if err != nil {
		return err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		k.MadeAt = tx.Now
		if active {
			k.ActiveAt = tx.Now
		}
		return insertKey(ctx, tx, k)
	})
	if errors.Is(err, fault.Conflict) {
		return nil // another node was quicker
	}
	return err
}

// newKey makes a key and seals it. Nothing is stored.
func (d *Desk) newKey(alg string) (k SigningKey, err error) {
	k = SigningKey{ID: id.New[id.SigningKey](), Alg: alg}
	var signer crypto.Signer
	if alg == client.RS256 {
		signer, err = rsa.GenerateKey(rand.Reader, rsaBits)
	} else {
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return k, fmt.Errorf("make a signing key: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return k, fmt.Errorf("write a signing key: %w", err)
	}
	k.public = jose.JSONWebKey{Key: signer.Public(), KeyID: string(k.ID), Algorithm: alg, Use: "sig"}
	k.sealed, err = d.Keys.Seal(placeOf(k.ID), raw)
	return k, err
}

func placeOf(which id.SigningKey) secret.Place {
	return secret.Place{Owner: "oidc", Table: "oidc_keys", Row: string(which), Column: "sealed"}
}

// RotateKeys has the next keys sign, and makes others that are next. What was signed before
// goes on: the keys before are published for a day. Whoever keeps the set of keys has the
// new ones in it already.
func (d *Desk) RotateKeys(ctx context.Context, by audit.Actor) error {
	if err := errors.Join(d.ring.ensure(ctx, d), d.PrepareKeys(ctx)); err != nil {
		return err
	}
	for _, alg := range algorithms {
		next, err := d.newKey(alg)
		if err != nil {
			return err
		}
		err = d.DB.Do(ctx, func(tx *db.Tx) error {
			next.MadeAt = tx.Now
			if err := turnKeys(ctx, tx, alg); err != nil {
				return err
			}
			if err := insertKey(ctx, tx, next); err != nil {
				return err
			}
			return audit.Record(ctx, tx, audit.Event{
				Kind: audit.SigningKeysRotated, Actor: by, Facts: map[string]string{"alg": alg, "next": string(next.ID)},
			})
		})
		if err != nil {
			return fmt.Errorf("rotate the keys that sign: %w", err)
		}
	}
	return nil
}

// RotateDueKeys rotates the keys once they have signed for 90 days. An installation that
// never signed anything has none.
func (d *Desk) RotateDueKeys(ctx context.Context) error {
	due, err := keysDue(ctx, d.DB, d.DB.Clock.Now().Add(-rotateAfter))
	if err != nil || !due {
		return err
	}
	err = d.RotateKeys(ctx, audit.Actor{Kind: audit.ActorSystem, ID: "oidc"})
	if errors.Is(err, fault.Conflict) {
		return nil // another node does it
	}
	return err
}

// SigningKeys lists the keys that are next, sign, or are kept, the newest first.
func SigningKeys(ctx context.Context, from db.Reader) ([]SigningKey, error) {
	all, err := keys(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("list the keys that sign: %w", err)
	}
	return all, nil
}

// Published says whether a key stands in the set that clients check with.
func (k SigningKey) Published(now time.Time) bool {
	return k.RetiredAt.IsZero() || now.Before(k.RetiredAt.Add(publishFor))
}

// KeySet is the set that clients check with: next, current, and those of the last day.
func (d *Desk) KeySet(ctx context.Context) (jose.JSONWebKeySet, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	all, err := SigningKeys(ctx, d.DB)
	for _, k := range all {
		if k.Published(d.DB.Clock.Now()) {
			set.Keys = append(set.Keys, k.public)
		}
	}
	return set, err
}

// sign makes a signed token of claims. kind is its typ; empty for an ID token.
func (d *Desk) sign(ctx context.Context, alg, kind string, claims any) (string, error) {
	k, err := currentKey(ctx, d.DB, alg)
	if err != nil {
		return "", fmt.Errorf("find the key that signs: %w", err)
	}
	private, err := d.ring.open(d.Keys, k)
	if err != nil {
		return "", err
	}
	options := &jose.SignerOptions{}
	if kind != "" {
		options = options.WithType(jose.ContentType(kind))
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(k.Alg), Key: jose.JSONWebKey{Key: private, KeyID: string(k.ID)},
	}, options)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text, nil
}

// open unseals a private key, once in the life of the process.
func (r *ring) open(keys *secret.Keys, k SigningKey) (crypto.Signer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if private, ok := r.keys[k.ID]; ok {
		return private, nil
	}
	raw, err := keys.Open(placeOf(k.ID), k.sealed)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("read a signing key: %w", err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("read a signing key: %w", fault.Invalid)
	}
	if r.keys == nil {
		r.keys = make(map[id.SigningKey]crypto.Signer)
	}
	r.keys[k.ID] = private
	return private, nil
}

// hint is what an ID token of ours says that comes back.
type hint struct {
	Subject  id.User
	Client   id.Client
	SID      string
	IssuedAt time.Time
}

// readHint reads an ID token that we signed, also one that ran out: it says who somebody
// was, and proves nothing of now. ok is false for anything else.
func (d *Desk) readHint(ctx context.Context, text string) (h hint, ok bool, err error) {
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil || len(parsed.Headers) != 1 {
		return h, false, nil //nolint:nilerr // what cannot be read is no hint, and no failure
	}
	// A logout token is signed by the same keys, and is no hint.
	if kind, typed := parsed.Headers[0].ExtraHeaders[jose.HeaderType]; typed && kind != "JWT" {
		return h, false, nil
	}
	k, err := keyOf(ctx, d.DB, id.SigningKey(parsed.Headers[0].KeyID))
	if errors.Is(err, fault.NotFound) || err == nil && k.Alg != parsed.Headers[0].Algorithm {
		return h, false, nil
	}
	if err != nil {
		return h, false, fmt.Errorf("find a key that signed: %w", err)
	}
	var claims struct {
		jwt.Claims
		SID string `json:"sid"`
	}
	signed := parsed.Claims(k.public.Key, &claims) == nil
	if !signed || claims.Issuer != d.Issuer || len(claims.Audience) != 1 || claims.Subject == "" {
		return h, false, nil
	}
	return hint{id.User(claims.Subject), id.Client(claims.Audience[0]), claims.SID, claims.IssuedAt.Time()}, true, nil
}

func publicText(k jose.JSONWebKey) (string, error) {
	text, err := json.Marshal(k)
	return string(text), err
}
