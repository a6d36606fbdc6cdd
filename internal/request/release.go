package request

import (
	"context"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// release gives the address of an ended request back where it is nobody's: the user was
// made for a request, never had a password or a membership, and no other site invites
// them. The id stays for good, so that what names it says nothing of anybody else.
func (d *Desk) release(ctx context.Context, tx *db.Tx, r Request) error {
	if r.user == "" {
		return nil
	}
	who, err := user.Hold(ctx, tx, r.user)
	if err != nil {
		return fmt.Errorf("hold a user: %w", err)
	}
	if who.Login != r.Email || who.Staff || hasPassword(who) {
		return nil
	}
	memberships, err := site.MembershipsOf(ctx, tx, who.ID)
	if err != nil {
		return fmt.Errorf("read memberships: %w", err)
	}
	invited, err := ofUser(ctx, tx, who.ID)
	if err != nil {
		return fmt.Errorf("list invitations: %w", err)
	}
	made, err := madeFor(ctx, tx, who.ID, who.CreatedAt)
	if err != nil {
		return fmt.Errorf("find what a user was made for: %w", err)
	}
	if len(memberships) > 0 || len(invited) > 0 || !made {
		return nil
	}
	if err := user.GiveUp(ctx, tx, who); err != nil {
		return err
	}
	return epoch.Raise(ctx, tx, epoch.User(who.ID))
}

// hasPassword says whether somebody has, or had, a password.
func hasPassword(who user.User) bool {
	return who.Password.Encoded() != "" || !who.PasswordSetAt.IsZero()
}

// invitee finds who has the address, or makes them: a user without password and without
// any membership, who can do nothing until the invitation is accepted. Their row is kept
// until the transaction ends: nobody gives the address up meanwhile. fault.Conflict if
// somebody just did.
func invitee(ctx context.Context, tx *db.Tx, r Request) (user.User, error) {
	who, held, err := holder(ctx, tx, r.Email)
	if err != nil {
		return who, err
	}
	if !held {
		return user.Add(ctx, tx, user.User{Login: r.Email}) // named by the request that is accepted
	}
	if who, err = user.Hold(ctx, tx, who.ID); err != nil {
		return who, fmt.Errorf("hold a user: %w", err)
	}
	if who.Login != r.Email {
		return who, fmt.Errorf("the address is somebody else's by now: %w", fault.Conflict)
	}
	return who, nil
}
