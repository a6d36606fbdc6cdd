package oidc

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

// gate1 is the kind of a token that stands for a grant at one origin behind the gate.
const gate1 = "gate"

// GatePrefix begins such a token.
const GatePrefix = "ktg_"

// Enter redeems the code with which somebody comes back to an origin behind the gate, as
// Redeem does, and gives the token that is that origin's cookie. It is good as long as the
// session behind it at the longest, and at that origin alone.
func (d *Desk) Enter(ctx context.Context, c client.Client, in Redemption) (text string, refused *Refusal, err error) {
	g, refused, err := d.redeem(ctx, c, in)
	if err != nil || refused != nil {
		return "", refused, err
	}
	l, ok, err := d.alive(ctx, g)
	if err != nil {
		return "", nil, err
	}
	if !ok {
		return "", overNow, nil
	}
	text = GatePrefix + token()
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = nil
		if still, err := d.still(ctx, tx, g, l); err != nil || !still {
			refused = overNow
			return err
		}
		return insertToken(ctx, tx, kept{Kind: gate1, Client: c.ID, User: g.User, Grant: g.ID, EndsAt: g.EndsAt}, secret.TokenHash(text))
	})
	if err != nil {
		return "", nil, fmt.Errorf("let somebody in behind the gate: %w", err)
	}
	return text, refused, nil
}

// Behind is who somebody is behind the gate: what a page there may know of them.
type Behind struct {
	Claims
	// Site is where their session is.
	Site Site
}

// Gate says who an origin's cookie stands for now; ok is false where it is worth nothing, any
// more or at this origin. Everything is read anew, as for an access token: the client, the
// session, the membership, the policy. It writes nothing.
func (d *Desk) Gate(ctx context.Context, origin, text string) (b Behind, ok bool, err error) {
	k, err := tokenOf(ctx, d.DB, secret.TokenHash(text))
	if errors.Is(err, fault.NotFound) || err == nil && (k.Kind != gate1 || !k.EndedAt.IsZero() || !d.DB.Clock.Now().Before(k.EndsAt)) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("find a token: %w", err)
	}
	g, err := grantOf(ctx, d.DB, k.User, k.Grant)
	if err != nil {
		return b, false, fmt.Errorf("find a grant: %w", err)
	}
	if g.Redirect != origin+client.GateEnter {
		return b, false, nil
	}
	l, ok, err := d.alive(ctx, g)
	if err != nil || !ok {
		return b, false, err
	}
	for _, s := range l.sites {
		if s.ID == l.answer.Session.Site && s.Kind == string(policy.Office) && s.Satisfied {
			b.Site = s
			b.Claims, err = d.claims(ctx, l, g.Scopes)
			return b, err == nil, err
		}
	}
	return b, false, nil
}

// Allows says whether somebody may pass a rule: one of the groups, and all of the
// permissions. A rule that names neither lets everybody pass.
func (b Behind) Allows(groups, permissions []string) bool {
	in := len(groups) == 0
	for _, g := range groups {
		for _, role := range b.Site.Roles {
			in = in || g == role
		}
	}
	for _, p := range permissions {
		has := false
		for _, held := range b.Site.Permissions {
			has = has || site.Permission(p) == held
		}
		in = in && has
	}
	return in
}
