// Package login changes login names: what belongs to every change of one, whoever makes
// it, and its undo by the old address.
//
// The new address signs in from the moment of the change, the old one no more. Everything
// that was made for the user before is dead (epoch.User): sessions, sign-ins under way,
// codes, links, remembered devices. The old address is told, and may take the name back
// for 7 days; meanwhile nobody else can have it (package user).
//
// An address that an admin put there has no power of its own (I14): it recovers nothing
// until its owner signed in with their password, and where the user has a proved method
// other than email it is none of theirs until that one was passed.
package login

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Desk changes login names.
type Desk struct {
	DB   *db.DB
	Post *message.Post
	// VendorName speaks where no site does.
	VendorName string
}

// Change is one change of a login name.
type Change struct {
	// User is who gets another one, as they are held in the transaction.
	User user.User
	To   address.Canonical
	// Site is where it happens.
	Site  id.Site
	Actor audit.Actor
	// By is the name of whoever made it for the user; empty: they did it themselves.
	By string
	// Proved is the method that the user proved by a code sent to the new address; empty:
	// an admin put it there.
	Proved id.Method
}

// Make changes a login name in the caller's transaction. It gives until when the old
// address may undo it; zero: no mail could be sent there. fault.Conflict, with which the
// transaction must end, if the name cannot be had.
func (d *Desk) Make(ctx context.Context, tx *db.Tx, c Change) (until time.Time, err error) {
	if err := user.SetLogin(ctx, tx, c.User, c.To); err != nil {
		return until, err
	}
	if err := d.mailbox(ctx, tx, c); err != nil {
		return until, err
	}
	if until, err = d.tellOld(ctx, tx, c); err != nil {
		return until, err
	}
	if err := ended(ctx, tx, c.User.ID); err != nil {
		return until, err
	}
	words := map[string]string{}
	if c.By != "" {
		words["by"] = c.By
	}
	if err := d.Post.Tell(ctx, tx, message.Notice{User: c.User.ID, Site: c.Site, Kind: message.LoginChanged, Words: words, Changed: policy.Email}); err != nil {
		return until, fmt.Errorf("tell of a new login name: %w", err)
	}
	return until, audit.Record(ctx, tx, audit.Event{
		Kind: audit.LoginChanged, Actor: c.Actor, User: c.User.ID, Site: c.Site,
		Personal: map[string]string{"from": string(c.User.Login), "to": string(c.To)},
	})
}

// mailbox removes the mailboxes before, and links the new one. The rows stay for the
// records that name them, and for the undo.
func (d *Desk) mailbox(ctx context.Context, tx *db.Tx, c Change) error {
	all, err := method.Of(ctx, tx, c.User.ID)
	if err != nil {
		return fmt.Errorf("read methods: %w", err)
	}
	another := false
	for _, m := range all {
		switch {
		case m.Kind == policy.Email && m.ID != c.Proved:
			if err := method.Remove(ctx, tx, c.User.ID, m.ID); err != nil {
				return err
			}
		case m.Kind != policy.Email:
			another = another || !m.ProvedAt.IsZero() && !m.Pending
		}
	}
	if c.Proved != "" {
		return nil
	}
	_, err = method.Link(ctx, tx, method.Method{
		User: c.User.ID, Kind: policy.Email, Address: string(c.To), AwaitsProof: another,
		// Somebody without a password has nothing that the address could take from them: it
		// is where the link for the first one goes.
		NoRecovery: c.User.Password.Encoded() != "" || another,
	})
	return err
}

// tellOld tells the old address, and sends it the link to undo.
func (d *Desk) tellOld(ctx context.Context, tx *db.Tx, c Change) (time.Time, error) {
	old := c.User.Login
	if !address.IsDeliverable(old) {
		return time.Time{}, nil
	}
	kept, token, err := user.KeepOld(ctx, tx, c.User.ID, old, c.To)
	if err != nil {
		return time.Time{}, err
	}
	words := message.Words{FirstName: c.User.FirstName, From: d.VendorName, Vendor: d.VendorName, Zone: time.UTC.String()}
	if c.Site != "" {
		at, err := site.ByID(ctx, tx, c.Site)
		if err != nil {
			return time.Time{}, fmt.Errorf("find a site: %w", err)
		}
		words.From, words.Zone = at.Name, at.Zone.String()
	}
	_, err = d.Post.Promise(ctx, tx, message.Message{
		ID: id.New[id.Message](), User: c.User.ID, Site: c.Site, Kind: message.LoginUndo, Channel: message.Email,
		Address: string(old), Words: words, ExpiresAt: kept.ExpiresAt,
	}, secret.NewText(token))
	if err != nil {
		return time.Time{}, fmt.Errorf("tell an old address: %w", err)
	}
	return kept.ExpiresAt, nil
}

// ended ends everything that was made for the user before.
func ended(ctx context.Context, tx *db.Tx, who id.User) error {
	if err := epoch.Raise(ctx, tx, epoch.User(who)); err != nil {
		return err
	}
	return user.Risk(ctx, tx, who)
}

// Found is what a link to undo finds.
type Found string

// What it may find.
const (
	// Gone says that there is no such link.
	Gone Found = ""
	// May says that the change can be undone.
	May Found = "may"
	// Done says that it was undone.
	Done Found = "done"
	// Over says that it cannot be undone any more: its time is over, an older one was
	// undone, or its user is no active member anywhere.
	Over Found = "over"
)

// View says what a link would do now, and changes nothing: mail programs open links
// before people do.
func (d *Desk) View(ctx context.Context, token string) (user.LoginChange, Found, error) {
	c, err := user.ChangeByToken(ctx, d.DB, token)
	if errors.Is(err, fault.NotFound) {
		return c, Gone, nil
	}
	if err != nil {
		return c, Gone, fmt.Errorf("find a change of a login name: %w", err)
	}
	found, err := stands(ctx, d.DB, d.DB.Clock.Now(), c)
	return c, found, err
}

func stands(ctx context.Context, from db.Reader, now time.Time, c user.LoginChange) (Found, error) {
	switch {
	case !c.UsedAt.IsZero():
		return Done, nil
	case !c.Live(now):
		return Over, nil
	}
	all, err := site.MembershipsOf(ctx, from, c.User)
	if err != nil {
		return Gone, fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range all {
		if m.Status == policy.Active {
			return May, nil
		}
	}
	who, err := user.ByID(ctx, from, c.User)
	if err != nil {
		return Gone, fmt.Errorf("find a user: %w", err)
	}
	if who.Staff {
		return May, nil
	}
	return Over, nil
}

// Undo gives the old name back. It opens no session and makes nobody active. Both
// addresses are told.
func (d *Desk) Undo(ctx context.Context, token string, at session.Place) (found Found, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		c, err := user.ChangeByToken(ctx, tx, token)
		if errors.Is(err, fault.NotFound) {
			found = Gone
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a change of a login name: %w", err)
		}
		// Of two clicks the second waits here, and then finds it done.
		who, err := user.Hold(ctx, tx, c.User)
		if err != nil {
			return fmt.Errorf("hold a user: %w", err)
		}
		if c, err = user.ChangeByToken(ctx, tx, token); err != nil {
			return fmt.Errorf("find a change of a login name: %w", err)
		}
		if found, err = stands(ctx, tx, tx.Now, c); err != nil || found != May {
			return err
		}
		found = Done
		return d.undo(ctx, tx, who, c, at)
	})
	return found, err
}

func (d *Desk) undo(ctx context.Context, tx *db.Tx, who user.User, c user.LoginChange, at session.Place) error {
	if err := user.TakeBack(ctx, tx, who, c); err != nil {
		return err
	}
	all, err := method.Of(ctx, tx, who.ID)
	if err != nil {
		return fmt.Errorf("read methods: %w", err)
	}
	for _, m := range all {
		if m.Kind != policy.Email {
			continue
		}
		if err := method.Remove(ctx, tx, who.ID, m.ID); err != nil {
			return err
		}
	}
	// As it was: what was proved stays so. Opening a mail proves nothing new.
	if _, err := method.Restore(ctx, tx, who.ID, string(c.Old)); err != nil {
		return err
	}
	if err := ended(ctx, tx, who.ID); err != nil {
		return err
	}
	home, err := onlySite(ctx, tx, who.ID)
	if err != nil {
		return err
	}
	for _, to := range []address.Canonical{c.Old, who.Login} {
		err := d.Post.Tell(ctx, tx, message.Notice{User: who.ID, Site: home, Kind: message.LoginUndone, Address: string(to)})
		if err != nil {
			return fmt.Errorf("tell of an undo: %w", err)
		}
	}
	return audit.Record(ctx, tx, audit.Event{
		// Whoever holds the link: the mailbox is known, the person is not.
		Kind: audit.LoginUndone, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(who.ID), Network: at.Network, Agent: at.Agent},
		User: who.ID, Site: home, Facts: map[string]string{"change": string(c.ID)},
		Personal: map[string]string{"from": string(who.Login), "to": string(c.Old)},
	})
}

// onlySite is the site of somebody who has one; empty for all others.
func onlySite(ctx context.Context, from db.Reader, who id.User) (id.Site, error) {
	all, err := site.MembershipsOf(ctx, from, who)
	if err != nil {
		return "", fmt.Errorf("read memberships: %w", err)
	}
	if len(all) != 1 {
		return "", nil
	}
	return all[0].Site, nil
}
