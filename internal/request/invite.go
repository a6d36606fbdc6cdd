package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// invitation is one link of a request.
type invitation struct {
	site      id.Site
	request   id.Request
	id        id.Invitation
	message   id.Message
	madeAt    time.Time
	expiresAt time.Time
}

// invite makes the link of an approved request, which ends those before it, and mails it.
func (d *Desk) invite(ctx context.Context, tx *db.Tx, by audit.Actor, r Request) error {
	if err := d.endInvitations(ctx, tx, r); err != nil {
		return err
	}
	at, err := site.ByID(ctx, tx, r.Site)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	asker, err := user.ByID(ctx, tx, r.AskedBy)
	if err != nil {
		return fmt.Errorf("find who asked: %w", err)
	}
	token, hash := secret.Token()
	i := invitation{
		site: r.Site, request: r.ID, id: id.New[id.Invitation](), message: id.New[id.Message](), expiresAt: tx.Now.Add(inviteLife),
	}
	if err := insertInvitation(ctx, tx, i, hash); err != nil {
		return fmt.Errorf("store an invitation: %w", err)
	}
	_, err = d.Post.Promise(ctx, tx, message.Message{
		ID: i.message, User: r.user, Site: r.Site, Kind: message.InvitationLink, Channel: message.Email,
		Address: string(r.Email), ExpiresAt: i.expiresAt,
		Words: message.Words{
			FirstName: r.FirstName, From: at.Name, Vendor: d.VendorName, Zone: at.Zone.String(),
			By: asker.Name(), Group: string(r.Group),
		},
	}, secret.NewText(token))
	if err != nil {
		return fmt.Errorf("promise an invitation: %w", err)
	}
	return audit.Record(ctx, tx, r.event(audit.InvitationSent, by, map[string]string{"invitation": string(i.id)}))
}

// endInvitations ends the live links of a request, and the mails that carry them.
func (d *Desk) endInvitations(ctx context.Context, tx *db.Tx, r Request) error {
	mails, err := endInvitations(ctx, tx, r)
	if err != nil {
		return fmt.Errorf("end invitations: %w", err)
	}
	for _, which := range mails {
		err := message.Drop(ctx, tx, r.user, which)
		if err != nil && !errors.Is(err, fault.NotFound) { // it may be swept by now
			return err
		}
	}
	return nil
}

// Resend sends another link, for seven more days; the one before works no more.
func (d *Desk) Resend(ctx context.Context, by authority.Bearer, which id.Request) (refused Refused, err error) {
	err = d.asAdmin(ctx, by, which, func(tx *db.Tx, r Request) error {
		if refused = ""; r.State != Approved || !r.open(tx.Now) {
			refused = Over
			return nil
		}
		if stays, err := site.IsAdmin(ctx, tx, tx.Now, r.Site, r.AskedBy); err != nil {
			return err
		} else if !stays { // as good as expired: whoever wants them asks in their own name
			refused = Over
			return nil
		}
		live, err := liveInvitation(ctx, tx, r)
		if err != nil {
			return fmt.Errorf("find an invitation: %w", err)
		}
		if tx.Now.Sub(live.madeAt) < resendAfter {
			refused = TooSoon
			return nil
		}
		r.ExpiresAt = tx.Now.Add(inviteLife)
		if err := prolong(ctx, tx, r); err != nil {
			return fmt.Errorf("prolong a request: %w", err)
		}
		return d.invite(ctx, tx, by.Actor(), r)
	})
	return refused, err
}

// Invitation is an invitation as the person who has it reads it.
type Invitation struct {
	Request Request
	Site    site.Site
	// By is the name of the Admin who asked.
	By string
	// New says that the person has no sign-in yet and sets a first password with the link;
	// Shut that they have a password, and no place where it lets them in on the web: they
	// accept with both. Otherwise they sign in and accept there.
	New, Shut bool

	who user.User
}

// View reads an invitation by the token of its link, and changes nothing: mail programs
// open links before people do. False if the link does not work, or not any more.
func (d *Desk) View(ctx context.Context, token string) (Invitation, bool, error) {
	i, err := invitationByHash(ctx, d.DB, secret.TokenHash(token))
	if err != nil {
		return Invitation{}, false, none(err)
	}
	v, err := d.offered(ctx, d.DB, i.site, i.request, d.DB.Clock.Now())
	if err != nil {
		return v, false, none(err)
	}
	return v, true, nil
}

// none drops the error that says that there is nothing.
func none(err error) error {
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// offered reads what an approved request invites to; fault.NotFound if it does not any
// more: it is over, whoever asked is no Admin of the site any more, the address is another
// user's by now, or the person is a member.
func (d *Desk) offered(ctx context.Context, from db.Reader, at id.Site, which id.Request, now time.Time) (Invitation, error) {
	r, err := byID(ctx, from, at, which)
	if err != nil {
		return Invitation{}, fmt.Errorf("find a request: %w", err)
	}
	return d.invitation(ctx, from, r, now)
}

func (d *Desk) invitation(ctx context.Context, from db.Reader, r Request, now time.Time) (Invitation, error) {
	v := Invitation{Request: r}
	gone := fmt.Errorf("an invitation that is over: %w", fault.NotFound)
	if r.State != Approved || !r.open(now) || !r.Until.IsZero() && !now.Before(r.Until) {
		return v, gone
	}
	if stays, err := site.IsAdmin(ctx, from, now, r.Site, r.AskedBy); err != nil {
		return v, err
	} else if !stays {
		return v, gone
	}
	var err error
	if v.who, err = user.ByID(ctx, from, r.user); err != nil {
		return v, fmt.Errorf("find a user: %w", err)
	}
	memberships, err := site.MembershipsOf(ctx, from, r.user)
	if err != nil {
		return v, fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range memberships {
		if m.Site == r.Site && !m.Ended(now) {
			return v, gone
		}
	}
	if v.who.Login != r.Email || v.who.Staff {
		return v, gone
	}
	v.New = len(memberships) == 0 && !hasPassword(v.who)
	v.Shut = !v.New && !slices.ContainsFunc(memberships, func(m site.Membership) bool {
		return m.Active(now) && m.Kind != policy.Mobile
	})
	if v.New { // who is named by the request that they accept, whatever another site typed
		v.who.FirstName, v.who.LastName = r.FirstName, r.LastName
	}
	if v.Site, err = site.ByID(ctx, from, r.Site); err != nil {
		return v, fmt.Errorf("find a site: %w", err)
	}
	asker, err := user.ByID(ctx, from, r.AskedBy)
	if err != nil {
		return v, fmt.Errorf("find who asked: %w", err)
	}
	v.By = asker.Name()
	return v, nil
}

// Taken is what came of accepting.
type Taken struct {
	// Gone says that the invitation does not work any more.
	Gone bool
	// Unfit is why the password cannot be used; empty if it can. Wrong says that it is not
	// the person's. Either way the link is still good.
	Unfit string
	Wrong bool
	// Site is the site that the person is a member of now, Kind how.
	Site site.Site
	Kind policy.Kind
}

// Accept sets a first password by the link, which is used up by it, and makes the
// membership. Nobody is signed in, and nothing is proved: the address and the number are
// linked, and the first sign-in sends a code. Of somebody who has a password and can sign
// in nowhere (Invitation.Shut) it takes that one, and changes nothing else of theirs.
func (d *Desk) Accept(ctx context.Context, token string, typed secret.Text, at session.Place) (Taken, error) {
	v, ok, err := d.View(ctx, token)
	if err != nil {
		return Taken{}, err
	}
	if ok && v.Shut {
		return d.acceptShut(ctx, v, token, typed, at)
	}
	if !ok || !v.New {
		return Taken{Gone: true}, nil
	}
	if why := d.Unfit(typed.Reveal(), v.who); why != "" {
		return Taken{Unfit: why}, nil
	}
	var encoded string
	if err := d.Slots.Run(ctx, password.Turn{Network: at.Network, User: string(v.who.Login)}, func() { encoded = password.Hash(typed.Reveal()) }); err != nil {
		return Taken{}, err
	}
	fresh, err := password.Parse(encoded)
	if err != nil {
		return Taken{}, fmt.Errorf("read a fresh hash: %w", err)
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		return d.take(ctx, tx, v, secret.TokenHash(token), func(now Invitation) error {
			if !now.New {
				return fmt.Errorf("somebody who has a password: %w", fault.Conflict)
			}
			if err := user.SetPassword(ctx, tx, now.who.ID, fresh); err != nil {
				return err
			}
			if err := user.SetName(ctx, tx, now.who.ID, now.who.FirstName, now.who.LastName); err != nil {
				return err
			}
			return link(ctx, tx, now)
		}, audit.Actor{Kind: audit.ActorUser, ID: string(v.who.ID), Network: at.Network, Agent: at.Agent})
	})
	return taken(v, err)
}

// acceptShut makes the membership of somebody who reads the mail and knows the password. A
// password that was changed while it was compared is a wrong one.
func (d *Desk) acceptShut(ctx context.Context, v Invitation, token string, typed secret.Text, at session.Place) (Taken, error) {
	number, right, err := d.Knows(ctx, string(v.who.Login), typed, at)
	if err != nil || !right {
		return Taken{Wrong: err == nil}, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		return d.take(ctx, tx, v, secret.TokenHash(token), func(now Invitation) error {
			present, err := epoch.Now(ctx, tx, epoch.User(now.who.ID))
			if err != nil {
				return err
			}
			if !now.Shut || present != number {
				return fmt.Errorf("somebody who was changed meanwhile: %w", fault.Conflict)
			}
			return nil
		}, audit.Actor{Kind: audit.ActorUser, ID: string(v.who.ID), Network: at.Network, Agent: at.Agent})
	})
	return taken(v, err)
}

// Invited says whether a live invitation waits for somebody: they may have a link for a
// password, wherever else they have left.
func (d *Desk) Invited(ctx context.Context, from db.Reader, now time.Time, who id.User) (bool, error) {
	all, err := ofUser(ctx, from, who)
	if err != nil {
		return false, fmt.Errorf("list invitations: %w", err)
	}
	for _, r := range all {
		v, err := d.invitation(ctx, from, r, now)
		if none(err) != nil {
			return false, err
		}
		if err == nil && !v.New { // a first password is set by the invitation itself
			return true, nil
		}
	}
	return false, nil
}

func taken(v Invitation, err error) (Taken, error) {
	if errors.Is(err, fault.Conflict) || errors.Is(err, fault.NotFound) {
		return Taken{Gone: true}, nil
	}
	return Taken{Site: v.Site, Kind: v.Request.Kind}, err
}

// link links where codes can go. Neither is proved: the first code that is typed back
// proves its own ("First binding").
func link(ctx context.Context, tx *db.Tx, v Invitation) error {
	if _, err := method.Relink(ctx, tx, v.who.ID, policy.Email, string(v.Request.Email), false); err != nil {
		return err
	}
	if v.Request.Mobile == "" {
		return nil
	}
	_, err := method.Relink(ctx, tx, v.who.ID, policy.SMS, v.Request.Mobile, false)
	return err
}

// take accepts an invitation: the request first, then the link, in the order in which
// everybody takes them. token is the hash of the link that is used; nil uses whichever
// lives. more is done in the same transaction, by what is so now.
func (d *Desk) take(ctx context.Context, tx *db.Tx, v Invitation, token []byte, more func(Invitation) error, by audit.Actor) error {
	r, err := hold(ctx, tx, v.Request.Site, v.Request.ID)
	if err != nil {
		return fmt.Errorf("find a request: %w", err)
	}
	if _, err := user.Hold(ctx, tx, r.user); err != nil {
		return fmt.Errorf("hold a user: %w", err)
	}
	now, err := d.invitation(ctx, tx, r, tx.Now)
	if err != nil {
		return err
	}
	if err := useInvitation(ctx, tx, r, token); err != nil {
		return fmt.Errorf("use an invitation: %w", err)
	}
	if err := finish(ctx, tx, r, Accepted); err != nil {
		return fmt.Errorf("accept a request: %w", err)
	}
	if more != nil {
		if err := more(now); err != nil {
			return err
		}
	}
	place, err := settle(ctx, tx, r)
	if err != nil {
		return err
	}
	if err := epoch.Raise(ctx, tx, epoch.Member(r.Site, r.user)); err != nil {
		return err
	}
	n := message.Notice{Site: r.Site, Kind: message.InvitationAccepted, Words: map[string]string{"who": now.who.Name()}}
	if err := d.tellAdmins(ctx, tx, n, r.user); err != nil {
		return err
	}
	e := r.event(audit.InvitationAccepted, by, map[string]string{"group": string(r.Group), "kind": string(r.Kind), "user_ref": place.UserRef})
	e.User = r.user
	e.Personal = map[string]string{"login": string(now.who.Login), "name": now.who.Name()}
	return audit.Record(ctx, tx, e)
}

// settle makes the membership; of somebody whose access here is over it is renewed.
func settle(ctx context.Context, tx *db.Tx, r Request) (site.Membership, error) {
	place := site.Membership{
		Site: r.Site, User: r.user, UserRef: string(r.ID), Group: r.Group, Kind: r.Kind, Status: policy.Active, Until: r.Until,
	}
	before, err := site.MembershipIn(ctx, tx, r.Site, r.user)
	if errors.Is(err, fault.NotFound) {
		return place, site.Join(ctx, tx, place)
	}
	if err != nil {
		return place, fmt.Errorf("find a membership: %w", err)
	}
	place.UserRef = before.UserRef
	return place, site.Rejoin(ctx, tx, place)
}

// Mine lists the invitations of somebody who is signed in.
func (d *Desk) Mine(ctx context.Context, who id.User) ([]Invitation, error) {
	all, err := ofUser(ctx, d.DB, who)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	var mine []Invitation
	for _, r := range all {
		v, err := d.invitation(ctx, d.DB, r, d.DB.Clock.Now())
		if err != nil {
			if none(err) != nil {
				return nil, err
			}
			continue
		}
		mine = append(mine, v)
	}
	return mine, nil
}

// Join accepts an invitation in a full session of exactly the person who was invited. It
// adds the membership, and nothing else: what the site demands is asked at its door.
func (d *Desk) Join(ctx context.Context, by authority.Bearer, at id.Site, which id.Request) (Taken, error) {
	v, err := d.offered(ctx, d.DB, at, which, d.DB.Clock.Now())
	if err != nil {
		return taken(v, err)
	}
	if v.who.ID != by.User.ID {
		return Taken{Gone: true}, nil
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := authority.Present(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		return d.take(ctx, tx, v, nil, nil, by.Actor())
	})
	return taken(v, err)
}
