package oidc

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/authority"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

// Denied is why something was not done that staff wanted; empty if it was.
type Denied string

// The denials. A fault of the order is one too, by its own word (client.Fault).
const (
	// NotFresh says that the member of staff must prove again who they are.
	NotFresh Denied = "not_fresh"
	// Taken says that a client of this name, or with one of these origins, works already.
	Taken Denied = "taken"
	// NoSite says that one of the references is no site's.
	NoSite Denied = "no_site"
	// NoClient says that there is none any more.
	NoClient Denied = "no_client"
)

// Clients lists all clients for a member of staff; fault.NotFound for everybody else.
func (d *Desk) Clients(ctx context.Context, by authority.Bearer) ([]client.Client, error) {
	if err := authority.Staff(ctx, d.DB, d.DB.Clock.Now(), by); err != nil {
		return nil, err
	}
	return client.List(ctx, d.DB)
}

// Register makes a client for a member of staff who proved lately who they are. refs are the
// references of its sites.
func (d *Desk) Register(ctx context.Context, by authority.Bearer, o client.Order, refs []string) (c client.Client, text secret.Text, why Denied, err error) {
	why, err = d.staffDo(ctx, by, func(tx *db.Tx) error {
		order := o
		for _, ref := range refs {
			at, err := site.ByRef(ctx, tx, ref)
			if errors.Is(err, fault.NotFound) {
				return errNoSite
			}
			if err != nil {
				return fmt.Errorf("find a site: %w", err)
			}
			order.Sites = append(order.Sites, at.ID)
		}
		c, text, err = client.Make(ctx, tx, by.Actor(), order)
		return err
	})
	return c, text, why, err
}

// Rotate gives a client another secret, as Register makes one.
func (d *Desk) Rotate(ctx context.Context, by authority.Bearer, which id.Client) (c client.Client, text secret.Text, why Denied, err error) {
	why, err = d.staffDo(ctx, by, func(tx *db.Tx) (err error) {
		c, text, err = client.Rotate(ctx, tx, by.Actor(), string(which), false)
		return err
	})
	return c, text, why, err
}

// Disable disables a client, for good.
func (d *Desk) Disable(ctx context.Context, by authority.Bearer, which id.Client) (c client.Client, why Denied, err error) {
	why, err = d.staffDo(ctx, by, func(tx *db.Tx) (err error) {
		c, err = client.Disable(ctx, tx, by.Actor(), string(which))
		return err
	})
	return c, why, err
}

var errNoSite = errors.New("there is no such site")

// errNotFresh undoes what needs a fresh proof.
var errNotFresh = errors.New("the proof is too old")

// staffDo does what a member of staff may do with a fresh proof.
func (d *Desk) staffDo(ctx context.Context, by authority.Bearer, do func(*db.Tx) error) (Denied, error) {
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
		if err != nil {
			return err
		}
		if !fresh {
			return errNotFresh
		}
		if err := do(tx); errors.Is(err, fault.NotFound) {
			return errNoClient
		} else if err != nil {
			return err
		}
		return nil
	})
	wrong, faulty := errors.AsType[client.Fault](err)
	switch {
	case errors.Is(err, errNotFresh):
		return NotFresh, nil
	case errors.Is(err, errNoSite):
		return NoSite, nil
	case errors.Is(err, errNoClient):
		return NoClient, nil
	case faulty:
		return Denied(wrong), nil
	case errors.Is(err, fault.Conflict):
		return Taken, nil
	}
	return "", err
}

var errNoClient = errors.New("there is no such client")
