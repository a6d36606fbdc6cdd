package authority

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Program is a key of the vendor's, or a service, in the place of a person: what it acts by.
type Program struct {
	Key   id.APIKey
	Scope apikey.Scope
	// Service says that Key is the id of a client of the kind service.
	Service bool
}

// ByKey is a program that acts at a site by a scope of its key. name is what the site's
// people read of who did it: the vendor's.
//
// Nothing that asks for an Admin, for staff or for somebody signed in lets it through
// (Admin, Staff, Present): only what asks for Manager does.
func ByKey(k apikey.Key, s apikey.Scope, at id.Site, name string) Bearer {
	return Bearer{
		Program: &Program{Key: k.ID, Scope: s, Service: k.Service}, Session: session.Session{Site: at}, User: user.User{FirstName: name},
	}
}

// Manager gives the membership by which somebody changes the members of a site: that of an
// Admin (Admin), or of a program whose key has the scope and is for the site. A program
// stands where an Owner does: nothing of an Admin's is its to change, and nobody becomes
// one by it. Its membership has no user, so that nobody is the program themselves.
// fault.NotFound for everybody else.
func Manager(ctx context.Context, from db.Reader, now time.Time, b Bearer) (site.Membership, error) {
	if b.Program == nil {
		return Admin(ctx, from, now, b)
	}
	ok, err := b.Program.holds(ctx, from, b.Session.Site)
	if err != nil {
		return site.Membership{}, fmt.Errorf("find a program's key: %w", err)
	}
	if !ok || b.Session.Site == "" {
		return site.Membership{}, fmt.Errorf("a program: %w", fault.NotFound)
	}
	return site.Membership{Site: b.Session.Site, Group: policy.GroupOwner, Kind: policy.Office, Status: policy.Active}, nil
}

// holds says whether the program still may do at a site what it acts by.
func (p Program) holds(ctx context.Context, from db.Reader, at id.Site) (bool, error) {
	if p.Service {
		return client.Holds(ctx, from, id.Client(p.Key), p.Scope, at)
	}
	return apikey.Holds(ctx, from, p.Key, p.Scope, at)
}
