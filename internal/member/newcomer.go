package member

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/limit"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// newcomer asks whether somebody else may take the member's place. One place is taken once,
// by whoever is no Admin: an Admin, and anybody beyond those who are here, is asked for at
// the account manager.
func (d *Desk) newcomer(_ context.Context, tx *db.Tx, s *saving) (Saved, error) {
	saved := Saved{Sure: s.typed.Sure}
	switch {
	case !s.another():
		return Saved{}, nil
	case !s.member.Active(tx.Now):
		saved.Refused = NotActive
	case s.typed.Now.Group == policy.GroupAdmin:
		saved.Refused = AdminNewcomer
	}
	return saved, nil
}

// replace makes a user of their own for another person, and has the one before leave:
// nothing of theirs carries over, and the history stays with each.
func (d *Desk) replace(ctx context.Context, tx *db.Tx, s saving) (Saved, error) {
	now := s.typed.Now
	gone := s.member
	gone.Status = policy.Inactive
	if s.own() {
		return Saved{Refused: Oneself}, nil
	}
	if last, err := leaves(ctx, tx, s.member, gone); err != nil || last {
		return Saved{Refused: LastAdmin}, err
	}
	saved, err := within(ctx, tx, TooManyNewcomers, s.typed.Sure,
		limit.Charge{Budget: newcomers, Subject: limit.Subject(string(s.at.ID))})
	if err != nil || saved.Refused != "" {
		return saved, err
	}
	fresh, err := user.Add(ctx, tx, user.User{Login: s.to, FirstName: now.First, LastName: now.Last})
	if errors.Is(err, fault.Conflict) {
		return Saved{}, errUndo
	}
	if err != nil {
		return Saved{}, err
	}
	place := now.membership(s.member)
	place.User, place.UserRef = fresh.ID, string(fresh.ID)
	err = d.settle(ctx, tx, arrival{
		by: s.by, at: s.at, user: fresh, place: place, mobile: s.mobile, facts: map[string]string{"in_place_of": string(s.user.ID)},
	})
	if err != nil {
		return Saved{}, err
	}
	if err := d.leave(ctx, tx, s.subject, s.by); err != nil {
		return Saved{}, err
	}
	if err := insertReplaced(ctx, tx, s.at.ID, s.user.ID, fresh.ID, tx.Now); err != nil {
		return Saved{}, fmt.Errorf("note who took a place: %w", err)
	}
	return Saved{Newcomer: fresh.ID}, nil
}

// arrival is a new user who comes to a site.
type arrival struct {
	by     authority.Bearer
	at     site.Site
	user   user.User
	place  site.Membership
	mobile string
	facts  map[string]string
}

// settle gives a new user their place, where codes can go, and the invitation.
func (d *Desk) settle(ctx context.Context, tx *db.Tx, a arrival) error {
	fresh, place := a.user, a.place
	if err := site.Join(ctx, tx, place); err != nil {
		return err
	}
	for kind, to := range map[policy.MethodKind]string{policy.Email: string(fresh.Login), policy.SMS: a.mobile} {
		if to == "" {
			continue
		}
		// The invitation sets the first password, once; after it the mailbox that an admin
		// typed has no power of its own.
		m := method.Method{User: fresh.ID, Kind: kind, Address: to, NoRecovery: kind == policy.Email}
		if _, err := method.Link(ctx, tx, m); err != nil {
			return err
		}
	}
	err := audit.Record(ctx, tx, audit.Event{
		Kind: audit.UserAdded, Actor: a.by.Actor(), User: fresh.ID, Site: a.at.ID, Facts: a.facts,
		Personal: map[string]string{"login": string(fresh.Login), "name": fresh.Name(), "mobile": a.mobile},
	})
	if err != nil {
		return err
	}
	err = audit.Record(ctx, tx, audit.Event{
		Kind: audit.MembershipAdded, Actor: a.by.Actor(), User: fresh.ID, Site: a.at.ID,
		Facts: map[string]string{
			"user_ref": place.UserRef, "group": string(place.Group), "kind": string(place.Kind), "status": string(place.Status),
		},
	})
	if err != nil {
		return err
	}
	if err := d.Invite(ctx, tx, fresh, a.at.ID, a.by.Actor()); err != nil {
		return fmt.Errorf("invite somebody new: %w", err)
	}
	return nil
}
