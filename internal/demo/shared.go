package demo

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
)

// desks are the computers at which several people use one login: two at the front of the
// shop, and one at another branch.
var desks = []session.Place{
	{Browser: "DEMOFRONTDESKAAAAAAAAAAAAA", Network: "203.0.113.20", Agent: "Chrome on Windows"},
	{Browser: "DEMOCOUNTERAAAAAAAAAAAAAAA", Network: "203.0.113.20", Agent: "Edge on Windows"},
	{Browser: "DEMOBRANCHAAAAAAAAAAAAAAAA", Network: "198.51.100.77", Agent: "Chrome on Windows"},
}

// sharedDays is how far back they did.
const sharedDays = 14

// share writes the sessions of a login that several people used on the working days of
// the last two weeks, from nine to twelve.
func share(ctx context.Context, tx *db.Tx, at site.Site, who id.User) error {
	for back := sharedDays; back > 0; back-- {
		morning := fourAM(tx.Now, at.Zone, -back).Add(5 * time.Hour)
		if day := morning.In(at.Zone).Weekday(); day == time.Saturday || day == time.Sunday {
			continue
		}
		for _, place := range desks {
			if err := sat(ctx, tx, at, who, place, morning); err != nil {
				return fmt.Errorf("a session of some days ago: %w", err)
			}
		}
	}
	return sharing.Noticed(ctx, tx, at.ID, who)
}

// sat writes one session of three hours.
func sat(ctx context.Context, tx *db.Tx, at site.Site, who id.User, place session.Place, from time.Time) error {
	s := session.Session{
		User: who, Client: string(policy.ClientWeb), Site: at.ID, PasswordAt: from, Place: place,
		StartedAt: from, SeenAt: from, EndsAt: policy.NextFour(from, at.Zone),
	}
	var err error
	if s.UserEpoch, err = epoch.Now(ctx, tx, epoch.User(who)); err != nil {
		return err
	}
	var uses []time.Time
	for used := time.Duration(0); used < 3*time.Hour; used += session.Ten {
		uses = append(uses, from.Add(used+time.Minute))
	}
	_, hash := secret.Token()
	return session.Keep(ctx, tx, s, hash, uses...)
}
