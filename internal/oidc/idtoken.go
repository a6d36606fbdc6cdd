package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"keyturn/internal/id"
)

// idClaims are those of an ID token (OpenID Connect Core, section 2).
type idClaims struct {
	Issuer   string    `json:"iss"`
	Audience id.Client `json:"aud"`
	Expires  int64     `json:"exp"`
	IssuedAt int64     `json:"iat"`
	Nonce    string    `json:"nonce,omitempty"`
	// Hash is that of the access token beside it.
	Hash string `json:"at_hash"`
	Claims
}

// idToken says who somebody is, to one client. That of a refresh has no nonce (section 12.2).
func (d *Desk) idToken(ctx context.Context, l live, g grant, access string, first bool) (string, error) {
	c, err := d.claims(ctx, l, g.Scopes)
	if err != nil {
		return "", err
	}
	if len(c.Sites) > sitesInToken {
		c.Sites = nil
	}
	now := d.DB.Clock.Now()
	half := sha256.Sum256([]byte(access)) // both algorithms hash with SHA-256
	claims := idClaims{
		Issuer: d.Issuer, Audience: l.client.ID, IssuedAt: now.Unix(), Expires: earliest(now.Add(accessLife), g.EndsAt).Unix(),
		Hash: base64.RawURLEncoding.EncodeToString(half[:len(half)/2]), Claims: c,
	}
	if first {
		claims.Nonce = g.Nonce
	}
	return d.sign(ctx, l.client.IDTokenAlg, "", claims)
}
