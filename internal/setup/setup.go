// Package setup changes what a site requires: its connection to Xero, and its company
// settings, with a preview by the policy of whom a change would leave at the door. Each change is one transaction with its audit event, and whoever is
// signed in at the site is decided again.
package setup

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
)

// Desk makes the changes.
type Desk struct {
	DB *db.DB
	// Post tells the admins, Standing reads the facts of previews. Both are needed for
	// company settings only.
	Post     *message.Post
	Standing standing.Source
}

// AddSite adds a site; fault.Conflict if its reference is taken.
func (d *Desk) AddSite(ctx context.Context, by audit.Actor, s site.Site) (added site.Site, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		added, err = add(ctx, tx, by, s)
		return err
	})
	return added, err
}

// Connection is what is connected: the organisation at Xero, and who did it, as people
// read it.
type Connection struct {
	Organisation string
	By           string
	// From is when it becomes live; zero is now.
	From time.Time
}

// ConnectXero connects a site on somebody's word; package connect does it with Xero's: from then on all of its office members pass 2FA, those
// included who are signed in. False says that it was connected already.
func (d *Desk) ConnectXero(ctx context.Context, by audit.Actor, at id.Site, c Connection) (done bool, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		done, err = integration.Join(ctx, tx, by, integration.Integration{
			Site: at, Kind: policy.Xero, Since: c.From, By: c.By, Organisation: c.Organisation,
		}, nil)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("connect to Xero: %w", err)
	}
	return done, nil
}

// DisconnectXero takes the connection away. What it required stays, until an admin
// lowers it. False says that the site was not connected.
func (d *Desk) DisconnectXero(ctx context.Context, by audit.Actor, at id.Site) (done bool, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		done, err = integration.Leave(ctx, tx, by, at, policy.Xero, nil)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("disconnect from Xero: %w", err)
	}
	return done, nil
}
