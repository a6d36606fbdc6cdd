// Package site keeps the customer businesses: their settings, their groups and who is
// a member.
package site

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// Site is one customer business, the tenant.
type Site struct {
	ID id.Site
	// Ref is the host product's own reference; it is unique and never changes.
	Ref  string
	Name string
	// Region is the country whose numbers its people have: AU, NZ, GB, US.
	Region string
	// Zone is where its days begin and its times are said.
	Zone *time.Location
	// TwoFA, Remember and Weakest are the site's own 2FA settings; TwoFASince is since when
	// the first of them holds (zero: longer than is known), TwoFABy who chose it.
	TwoFA      policy.Setting
	TwoFASince time.Time
	TwoFABy    string
	Remember   policy.Remember
	Weakest    policy.MethodKind
	// SMSAvailable is the number of SMS parts it can send.
	SMSAvailable int
	// AccountManager is the address of the member of staff who looks after it.
	AccountManager string
	CreatedAt      time.Time
}

// Membership is a user's place in one site.
type Membership struct {
	Site id.Site
	User id.User
	// UserRef is the host product's own reference of this membership.
	UserRef              string
	Group                policy.Group
	Kind                 policy.Kind
	Status               policy.Status
	SalesDashboard       bool
	BusinessIntelligence bool
	// TwoFA is the member's toggle in User Setup.
	TwoFA     bool
	CreatedAt time.Time
}

// Add stores a new site; fault.Conflict if its reference is taken.
func Add(ctx context.Context, tx *db.Tx, s Site) (Site, error) {
	s.ID, s.CreatedAt = id.New[id.Site](), tx.Now
	if s.TwoFA == "" {
		s.TwoFA = policy.SettingOff
	}
	if s.Remember == "" {
		s.Remember = policy.RememberOff
	}
	if s.Weakest == "" {
		s.Weakest = policy.Email
	}
	if err := insert(ctx, tx, s); err != nil {
		return s, fmt.Errorf("add a site: %w", err)
	}
	return s, nil
}

// ByID finds a site; fault.NotFound if there is none.
func ByID(ctx context.Context, from db.Reader, which id.Site) (Site, error) {
	return byID(ctx, from, which)
}

// ByRef finds a site by the host product's reference; fault.NotFound if there is none.
func ByRef(ctx context.Context, from db.Reader, ref string) (Site, error) {
	return byRef(ctx, from, ref)
}

// List gives the sites in the order of their references, limit at most, from the one
// after the given reference on.
func List(ctx context.Context, from db.Reader, after string, limit int) ([]Site, error) {
	return list(ctx, from, after, limit)
}

// Zone finds a time zone by its IANA name. A name that is unknown, and the server's own
// "Local", cannot be used.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("the time zone must be an IANA name, as in Australia/Brisbane: %w", fault.Invalid)
	}
	return zone, nil
}

// Join stores a new membership; fault.Conflict if the user is a member already or the
// reference is taken in the site.
func Join(ctx context.Context, tx *db.Tx, m Membership) error {
	m.CreatedAt = tx.Now
	if err := join(ctx, tx, m); err != nil {
		return fmt.Errorf("add a membership: %w", err)
	}
	return nil
}

// Move makes one user's membership another's: two logins of one person became one. What
// it is, and the host product's reference, stay. fault.Conflict if it is not there, or the
// other is a member already. The epochs of both memberships are the caller's to raise.
func Move(ctx context.Context, tx *db.Tx, which id.Site, from, to id.User) error {
	if err := move(ctx, tx, which, from, to); err != nil {
		return fmt.Errorf("move a membership: %w", err)
	}
	return nil
}

// MembershipsOf gives a user's memberships, whatever their status, in the order of the
// sites' names.
func MembershipsOf(ctx context.Context, from db.Reader, who id.User) ([]Membership, error) {
	return membershipsOf(ctx, from, who)
}

// Entered gives the sites that a user may enter on the web, in the order of their names.
func Entered(ctx context.Context, from db.Reader, who id.User) ([]Site, error) {
	return entered(ctx, from, who)
}

// Admins gives the site's active office Admins, the longest standing first, 20 at most.
func Admins(ctx context.Context, from db.Reader, which id.Site) ([]id.User, error) {
	return admins(ctx, from, which)
}
