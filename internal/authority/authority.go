// Package authority says whether somebody who is signed in may act for others: as an
// Admin of the site that their session is in, or as one of the vendor's staff; and
// whether they proved lately enough who they are.
//
// It is asked inside the transaction of the change, about what is stored and not about
// what the request was let in with: whoever was removed a moment ago changes nothing.
package authority

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Bearer is somebody who is signed in and acts for others.
type Bearer struct {
	Session session.Session
	User    user.User
	Place   session.Place
	// Program is the key by which a program acts in place of a person; nil for people. Then
	// the session has a site and nothing else, and the user the name by which a site's
	// people read who did it.
	Program *Program
}

// Actor is the bearer as the audit trail names them.
func (b Bearer) Actor() audit.Actor {
	if b.Program != nil {
		return audit.Actor{Kind: audit.ActorClient, ID: string(b.Program.Key)}
	}
	by := audit.Actor{Kind: audit.ActorUser, ID: string(b.User.ID), Network: b.Place.Network, Agent: b.Place.Agent}
	if b.User.Staff {
		by.Kind = audit.ActorStaff
	}
	return by
}

// Admin gives the membership by which somebody acts: that of an active office Admin, in
// the site that their session is in. fault.NotFound for everybody else.
func Admin(ctx context.Context, from db.Reader, now time.Time, b Bearer) (site.Membership, error) {
	none := site.Membership{}
	ok, err := alive(ctx, from, now, b)
	if err != nil {
		return none, err
	}
	if !ok || b.Session.Site == "" {
		return none, fmt.Errorf("an admin: %w", fault.NotFound)
	}
	all, err := site.MembershipsOf(ctx, from, b.User.ID)
	if err != nil {
		return none, fmt.Errorf("read memberships: %w", err)
	}
	i := slices.IndexFunc(all, func(m site.Membership) bool {
		return m.Site == b.Session.Site && m.Group == policy.GroupAdmin && m.Kind == policy.Office && m.Active(now)
	})
	if i < 0 {
		return none, fmt.Errorf("an admin: %w", fault.NotFound)
	}
	return all[i], nil
}

// Present checks that somebody is signed in still, and no more; fault.NotFound if they
// are not.
func Present(ctx context.Context, from db.Reader, now time.Time, b Bearer) error {
	ok, err := alive(ctx, from, now, b)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("somebody signed in: %w", fault.NotFound)
	}
	return nil
}

// Staff checks that somebody is one of the vendor's own people now; fault.NotFound for
// everybody else.
func Staff(ctx context.Context, from db.Reader, now time.Time, b Bearer) error {
	ok, err := alive(ctx, from, now, b)
	if err != nil {
		return err
	}
	who, err := user.ByID(ctx, from, b.User.ID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return fmt.Errorf("find a member of staff: %w", err)
	}
	if !ok || !who.Staff {
		return fmt.Errorf("a member of staff: %w", fault.NotFound)
	}
	return nil
}

// Fresh says whether the bearer proved their strongest way in the last minutes
// (policy.FreshFor), by the session as it is stored and the same facts as their own page
// to prove it (I10).
func Fresh(ctx context.Context, from db.Reader, now time.Time, facts standing.Source, b Bearer) (bool, error) {
	kept, err := session.ByID(ctx, from, b.User.ID, b.Session.ID)
	if err != nil {
		return false, fmt.Errorf("find a session: %w", err)
	}
	who, err := user.ByID(ctx, from, b.User.ID)
	if err != nil {
		return false, fmt.Errorf("find a user: %w", err)
	}
	asker := standing.Asker{User: who, Client: policy.Client{Kind: policy.ClientKind(kept.Client)}, Place: kept.Place}
	if kept.Site != "" {
		asker.Sites = []id.Site{kept.Site}
	}
	if kept.Factor != "" {
		asker.Passed = []policy.Pass{{Kind: policy.MethodKind(kept.Factor), At: kept.FactorAt}}
	}
	f, err := facts.Of(ctx, from, now, asker)
	if err != nil {
		return false, fmt.Errorf("read the facts of a bearer: %w", err)
	}
	proof := policy.Proof{PasswordAt: kept.PasswordAt, Passed: f.Passed}
	ok, _ := policy.MayChange(f, proof, policy.OtherChange, now)
	return ok, nil
}

// alive says that the session is one still, at the moment of the change and not only at
// that of the request.
func alive(ctx context.Context, from db.Reader, now time.Time, b Bearer) (bool, error) {
	kept, err := session.ByID(ctx, from, b.User.ID, b.Session.ID)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a session: %w", err)
	}
	if kept.Over(now) || kept.Site != b.Session.Site {
		return false, nil
	}
	present, err := session.Under(ctx, from, kept)
	if err != nil {
		return false, err
	}
	return present.UserEpoch == kept.UserEpoch && present.MemberEpoch == kept.MemberEpoch, nil
}
