// Package login changes login names: what belongs to every change of one, whoever makes
// it, and its undo by the old address.
//
// The new address signs in from the moment of the change, the old one no more. Everything
// that was made for the user before is dead (epoch.User): sessions, sign-ins under way,
// codes, links, remembered devices. The old address is told, and may take the name back
// for 7 days; meanwhile nobody else can have it (package user).
//
// An address that an admin put there has no power of its own (I14): it recovers nothing
// until a code sent to it was typed in a sign-in that began with the password, where the
// user has a proved method other than email (be it that somebody else took it away in the
// last 30 days) it is none of theirs until that one was passed, and when it is replaced
// unconfirmed it undoes nothing. Somebody without a password sets their first one from it,
// once, and everybody who should know is told; the undo of that takes the password away.
package login

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// Invite promises somebody without a password the link for their first, in the caller's
	// transaction; nil: they ask for one at the door.
	Invite func(ctx context.Context, tx *db.Tx, who user.User, at id.Site, by audit.Actor) error
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
// address may undo it; zero: it may not, or no mail could be sent there. fault.Conflict,
// with which the transaction must end, if the name cannot be had.
func (d *Desk) Make(ctx context.Context, tx *db.Tx, c Change) (until time.Time, err error) {
	was, err := before(ctx, tx, c)
	if err != nil {
		return until, err
	}
	if err := user.SetLogin(ctx, tx, c.User, c.To); err != nil {
		return until, err
	}
	if err := mailbox(ctx, tx, c, was); err != nil {
		return until, err
	}
	if until, err = d.tellOld(ctx, tx, c, was); err != nil {
		return until, err
	}
	if err := ended(ctx, tx, c.User.ID); err != nil {
		return until, err
	}
	if err := d.tellNew(ctx, tx, c, was); err != nil {
		return until, err
	}
	e := audit.Event{
		Kind: audit.LoginChanged, Actor: c.Actor, User: c.User.ID, Site: c.Site,
		Personal: map[string]string{"from": string(c.User.Login), "to": string(c.To)},
	}
	if was.firstPassword(c) {
		e.Facts = map[string]string{"first_password": "from_the_new_address"}
	}
	return until, audit.Record(ctx, tx, e)
}

// past is what there was before a change.
type past struct {
	methods []method.Method
	// another says that a way other than email was proved, also one that somebody else took
	// from them lately.
	another bool
	// back says that the change gives a name back that its old address could take back now.
	back bool
	// unconfirmed says that the old address came from an admin, and nobody has shown since
	// that they read it; tookBack that it has undone a change lately.
	unconfirmed, tookBack bool
}

func before(ctx context.Context, from *db.Tx, c Change) (p past, err error) {
	if p.methods, err = method.Of(ctx, from, c.User.ID); err != nil {
		return p, fmt.Errorf("read methods: %w", err)
	}
	if p.another, err = provedOther(ctx, from, c.User.ID, p.methods); err != nil {
		return p, err
	}
	for _, m := range p.methods {
		p.unconfirmed = p.unconfirmed || m.Kind == policy.Email && m.Address == string(c.User.Login) && m.NoRecovery
	}
	if p.back, err = user.Returns(ctx, from, c.User.ID, c.To); err != nil {
		return p, err
	}
	p.tookBack, err = user.TookBack(ctx, from, c.User.ID, c.User.Login)
	return p, err
}

// firstPassword says that the change lets somebody set their first password from an
// address that an admin gave: they have no other start.
func (p past) firstPassword(c Change) bool {
	return c.Proved == "" && c.User.Password.Encoded() == "" && !p.another
}

// Awaits says whether the mailbox of a login name that an admin gives somebody would be
// none of their ways until another one was passed. It changes nothing.
func Awaits(ctx context.Context, from *db.Tx, who id.User, to address.Canonical) (bool, error) {
	all, err := method.Of(ctx, from, who)
	if err != nil {
		return false, fmt.Errorf("read methods: %w", err)
	}
	another, err := provedOther(ctx, from, who, all)
	if err != nil || !another {
		return false, err
	}
	back, err := user.Returns(ctx, from, who, to)
	if err != nil || !back {
		return true, err
	}
	old, err := method.Restorable(ctx, from, who, string(to))
	if errors.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a mailbox from before: %w", err)
	}
	return old.ProvedAt.IsZero() || old.AwaitsProof, nil
}

// provedOther says whether somebody proved a way other than email, be it that somebody else
// took it from them in the last 30 days: an admin who clears a number is not to make the
// mailbox of their choice a second factor by that.
func provedOther(ctx context.Context, from *db.Tx, who id.User, all []method.Method) (bool, error) {
	if slices.ContainsFunc(all, func(m method.Method) bool {
		return m.Kind != policy.Email && !m.ProvedAt.IsZero() && !m.Pending
	}) {
		return true, nil
	}
	return method.WasTaken(ctx, from, from.Now, who)
}

// mailbox removes the mailboxes before, and links the new one. The rows stay for the
// records that name them, and for the undo.
func mailbox(ctx context.Context, tx *db.Tx, c Change, was past) error {
	for _, m := range was.methods {
		if m.Kind != policy.Email || m.ID == c.Proved {
			continue
		}
		// Whoever sets a first password from the new address has not shown that they read
		// this one: it is not to take that password away, should it come back.
		if m.ProvedAt.IsZero() && c.User.Password.Encoded() == "" {
			if err := method.Distrust(ctx, tx, c.User.ID, m.ID, m.AwaitsProof); err != nil {
				return err
			}
		}
		if err := method.Remove(ctx, tx, c.User.ID, m.ID); err != nil {
			return err
		}
	}
	if c.Proved != "" {
		return nil
	}
	if was.back {
		if ok, err := restore(ctx, tx, c.User.ID, c.To, was.methods); err != nil || ok {
			return err
		}
	}
	// Somebody without a password has nothing that the address could take from them: it is
	// where the link for the first one goes, and after that it recovers no more than any.
	_, err := method.Link(ctx, tx, method.Method{
		User: c.User.ID, Kind: policy.Email, Address: string(c.To), AwaitsProof: was.another, NoRecovery: true,
	})
	return err
}

// restore puts the mailbox of an old name back as it was; false if there was none. One
// that nobody ever proved gets no power back over somebody who has proved another way
// since: it recovers nothing, and awaits a way that still is there, or that somebody else
// took. had are the user's methods until now.
func restore(ctx context.Context, tx *db.Tx, who id.User, old address.Canonical, had []method.Method) (bool, error) {
	m, err := method.Restore(ctx, tx, who, string(old))
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil || !m.ProvedAt.IsZero() {
		return err == nil, err
	}
	another, err := provedOther(ctx, tx, who, had)
	if err != nil {
		return false, err
	}
	if !another && !slices.ContainsFunc(had, func(m method.Method) bool { return !m.ProvedAt.IsZero() && !m.Pending }) {
		return true, nil
	}
	return true, method.Distrust(ctx, tx, who, m.ID, another)
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
	// Over says that it cannot be undone: its time is over, an older one was undone, its user
	// has left, or is no active member anywhere now.
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
		if m.Active(now) {
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
// addresses are told, and the Admins of a site that is the user's only one: they may have
// made the change.
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
	// What was proved stays so. Opening a mail proves nothing new.
	if _, err := restore(ctx, tx, who.ID, c.Old, all); err != nil {
		return err
	}
	if err := ended(ctx, tx, who.ID); err != nil {
		return err
	}
	home, err := onlySite(ctx, tx, who.ID)
	if err != nil {
		return err
	}
	// Whoever holds the link: the mailbox is known, the person is not.
	by := audit.Actor{Kind: audit.ActorUser, ID: string(who.ID), Network: at.Network, Agent: at.Agent}
	facts := map[string]string{"change": string(c.ID)}
	fresh, err := d.startAgain(ctx, tx, again{who: who, change: c, methods: all, home: home, by: by})
	if err != nil {
		return err
	}
	if fresh {
		facts["password"] = "cleared"
	}
	for _, to := range []address.Canonical{c.Old, who.Login} {
		err := d.Post.Tell(ctx, tx, message.Notice{User: who.ID, Site: home, Kind: message.LoginUndone, Address: string(to)})
		if err != nil {
			return fmt.Errorf("tell of an undo: %w", err)
		}
	}
	if err := d.tellAdmins(ctx, tx, home, who); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.LoginUndone, Actor: by, User: who.ID, Site: home, Facts: facts,
		Personal: map[string]string{"from": string(who.Login), "to": string(c.Old)},
	})
}

// again is somebody whose login name was given back, with the methods until then.
type again struct {
	who     user.User
	change  user.LoginChange
	methods []method.Method
	home    id.Site
	by      audit.Actor
}

// startAgain takes the password away that was set from the address that is undone, where
// there was none before and nothing but email was proved since, and sends the old address
// the link for a first one. false: the password stays.
func (d *Desk) startAgain(ctx context.Context, tx *db.Tx, a again) (bool, error) {
	if !a.change.NoPassword {
		return false, nil
	}
	another, err := provedOther(ctx, tx, a.who.ID, a.methods)
	if err != nil || another {
		return false, err
	}
	if err := user.ClearPassword(ctx, tx, a.who.ID); err != nil {
		return false, err
	}
	if d.Invite == nil || !address.IsDeliverable(a.change.Old) {
		return true, nil
	}
	now, err := user.ByID(ctx, tx, a.who.ID)
	if err != nil {
		return false, fmt.Errorf("find a user: %w", err)
	}
	if err := d.Invite(ctx, tx, now, a.home, a.by); err != nil {
		return false, fmt.Errorf("send the link for a first password: %w", err)
	}
	return true, nil
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
