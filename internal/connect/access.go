package connect

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/xero"
)

// Access is a key to one organisation's books for a program of the vendor's. The refresh
// token is given to nobody.
type Access struct {
	// Refused is Nothing where the site has no link, NotAllowed where somebody has to connect
	// again, NotSetUp where nobody can.
	Refused Refused
	// Token lives until Until: five minutes at least, but where another node renews it just
	// now or Xero is out of reach.
	Token secret.Text
	Until time.Time
	// Organisation is Xero's id of the one organisation that it is for: the token itself opens
	// all that the person at Xero allowed, so whoever calls Xero names this one.
	Organisation string
}

// Access gives a fresh access token for a site, and records who got it. It is renewed by one
// node at a time; where another one is at it and there is no other, and where Xero is out of
// reach, the error is a *fault.Wait.
func (d *Desk) Access(ctx context.Context, by audit.Actor, at id.Site) (Access, error) {
	if d.Xero == nil {
		return Access{Refused: NotSetUp}, nil
	}
	l, found, err := linkOf(ctx, d.DB, at)
	if err != nil {
		return Access{}, fmt.Errorf("read a link: %w", err)
	}
	if !found {
		return Access{Refused: Nothing}, nil
	}
	one, answer, err := d.fresh(ctx, l.user, secret.Text{})
	if err != nil {
		return Access{}, err
	}
	if answer != xero.Done {
		return Access{Refused: NotAllowed}, nil
	}
	if err := d.at(handedOver); err != nil {
		return Access{}, err
	}
	got := Access{Token: one.token, Until: one.until, Organisation: l.organisation}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		still, found, err := linkOf(ctx, tx, at)
		if err != nil {
			return fmt.Errorf("read a link: %w", err)
		}
		if !found || still.connection != l.connection {
			got = Access{Refused: Nothing}
			return nil
		}
		return audit.Record(ctx, tx, audit.Event{Kind: audit.XeroTokenGiven, Actor: by, Site: at, Facts: map[string]string{"xero": l.organisation}})
	})
	return got, err
}
