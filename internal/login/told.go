package login

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/manager"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// tellOld tells the old address, and sends it the link to undo, if it may have one. None
// goes to an address that came from an admin and was never confirmed, none to one that the
// user has just left for the name before it, and none to one that has taken the name back
// lately: who else can help is in the notice.
func (d *Desk) tellOld(ctx context.Context, tx *db.Tx, c Change, was past) (time.Time, error) {
	old := c.User.Login
	if !address.IsDeliverable(old) {
		return time.Time{}, nil
	}
	if was.back || was.unconfirmed || was.tookBack {
		err := d.Post.Tell(ctx, tx, message.Notice{User: c.User.ID, Site: c.Site, Kind: message.LoginReplaced, Address: string(old)})
		if err != nil {
			return time.Time{}, fmt.Errorf("tell an old address: %w", err)
		}
		return time.Time{}, nil
	}
	kept, token, err := user.KeepOld(ctx, tx, c.User, c.To)
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

// tellNew tells the user of the new name; and, where a first password can be set from it
// now, everybody who could see that it is the wrong one.
func (d *Desk) tellNew(ctx context.Context, tx *db.Tx, c Change, was past) error {
	words := map[string]string{}
	if c.By != "" {
		words["by"] = c.By
	}
	err := d.Post.Tell(ctx, tx, message.Notice{User: c.User.ID, Site: c.Site, Kind: message.LoginChanged, Words: words, Changed: policy.Email})
	if err != nil {
		return fmt.Errorf("tell of a new login name: %w", err)
	}
	if !was.firstPassword(c) || c.Site == "" {
		return nil
	}
	others, err := d.others(ctx, tx, c)
	if err != nil {
		return err
	}
	n := message.Notice{Site: c.Site, Kind: message.FirstPasswordMoved, Words: map[string]string{"by": c.By, "who": c.User.Name()}}
	for _, n.User = range others {
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell where a first password can be set: %w", err)
		}
	}
	return nil
}

// tellAdmins tells the other Admins of a site that an old address took its name back;
// empty: there is no site that is the user's only one, and the change was not an Admin's.
func (d *Desk) tellAdmins(ctx context.Context, tx *db.Tx, at id.Site, about user.User) error {
	if at == "" {
		return nil
	}
	all, err := site.Admins(ctx, tx, tx.Now, at)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	n := message.Notice{Site: at, Kind: message.LoginUndone, Words: map[string]string{"who": about.Name()}}
	for _, n.User = range all {
		if n.User == about.ID {
			continue
		}
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin of an undo: %w", err)
		}
	}
	return nil
}

// others are the site's account manager, if there is one, and its Admins, without whoever
// makes the change and whom it is about.
func (d *Desk) others(ctx context.Context, from *db.Tx, c Change) ([]id.User, error) {
	at, err := site.ByID(ctx, from, c.Site)
	if err != nil {
		return nil, fmt.Errorf("find a site: %w", err)
	}
	all, err := site.Admins(ctx, from, from.Now, c.Site)
	if err != nil {
		return nil, fmt.Errorf("read a site's admins: %w", err)
	}
	contact, err := manager.Of(ctx, from, at)
	if err != nil {
		return nil, err
	}
	if contact.User != "" && !slices.Contains(all, contact.User) {
		all = append(all, contact.User)
	}
	return slices.DeleteFunc(all, func(one id.User) bool {
		return one == c.User.ID || c.Actor.Kind == audit.ActorUser && string(one) == c.Actor.ID
	}), nil
}
