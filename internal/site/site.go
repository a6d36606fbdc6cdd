// Package site keeps the customer businesses: their settings, their groups and who is
// a member.
package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
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
	// Until is when an access with an end is over; zero: it has none. From then on the
	// membership counts for nothing, whatever its status still says.
	Until time.Time
}

// Active says whether the membership counts at a moment: it is active, and its access is
// not over.
func (m Membership) Active(now time.Time) bool {
	return m.Status == policy.Active && (m.Until.IsZero() || now.Before(m.Until))
}

// LastDay is the day that the access lasts to and includes, in the site's zone: access
// that is over at midnight lasts to the day before. The zero time stays one.
func (m Membership) LastDay(zone *time.Location) time.Time {
	return LastDay(m.Until, zone)
}

// LastDay is the last day before a moment at which an access is over, as a moment of it.
func LastDay(until time.Time, zone *time.Location) time.Time {
	if until.IsZero() {
		return until
	}
	return until.Add(-time.Nanosecond).In(zone)
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

// ByIDs finds many sites, in the order of their references, from the one after the given
// reference on, limit at most. Those that are not there are left out.
func ByIDs(ctx context.Context, from db.Reader, which []id.Site, after string, limit int) ([]Site, error) {
	all, err := byIDs(ctx, from, which)
	if err != nil {
		return nil, fmt.Errorf("find sites: %w", err)
	}
	all = slices.DeleteFunc(all, func(s Site) bool { return s.Ref <= after })
	slices.SortFunc(all, func(a, b Site) int { return strings.Compare(a.Ref, b.Ref) })
	return all[:min(len(all), max(limit, 0))], nil
}

// Describe stores what a site is called, where it is and who looks after it, in place of
// what it was. Whoever is signed in there is decided again: the site's days begin at another
// moment. fault.Conflict if it is not what it was.
func Describe(ctx context.Context, tx *db.Tx, was, is Site) error {
	if err := describe(ctx, tx, was, is); err != nil {
		return fmt.Errorf("describe a site: %w", err)
	}
	return epoch.Raise(ctx, tx, epoch.Site(was.ID))
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

// Ended says whether the membership had an end that is over. A blocked one is none of these:
// it does not come back by a new access.
func (m Membership) Ended(now time.Time) bool {
	return m.Status != policy.Blocked && !m.Until.IsZero() && !now.Before(m.Until)
}

// Rejoin makes a membership whose access is over an active one again, with the group, kind
// and end of m; zero: it has none. The host product's reference and the toggles stay.
// fault.Conflict if it is not over, or not there.
func Rejoin(ctx context.Context, tx *db.Tx, m Membership) error {
	if err := rejoin(ctx, tx, m); err != nil {
		return fmt.Errorf("renew a membership: %w", err)
	}
	return nil
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

// MembershipIn gives a user's membership in one site, whatever its status;
// fault.NotFound if there is none.
func MembershipIn(ctx context.Context, from db.Reader, which id.Site, who id.User) (Membership, error) {
	return membershipIn(ctx, from, which, who)
}

// MembershipByRef gives the membership that the host product calls so in one site, whatever
// its status; fault.NotFound if there is none.
func MembershipByRef(ctx context.Context, from db.Reader, which id.Site, userRef string) (Membership, error) {
	return membershipByRef(ctx, from, which, userRef)
}

// MembershipsOfAll gives the memberships of many users, each user's as MembershipsOf does.
func MembershipsOfAll(ctx context.Context, from db.Reader, who []id.User) (map[id.User][]Membership, error) {
	rows, err := membershipsOfAll(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	all := make(map[id.User][]Membership, len(who))
	for _, m := range rows {
		all[m.User] = append(all[m.User], m)
	}
	return all, nil
}

// Counts says how many active members each group of the site has.
func Counts(ctx context.Context, from db.Reader, which id.Site) (map[policy.Group]int, error) {
	return counts(ctx, from, which)
}

// Hold keeps the site's row until the transaction ends: changes of who runs the site are
// made one after the other, so that of two who remove each other one is too late.
// fault.Conflict if there is none.
func Hold(ctx context.Context, tx *db.Tx, which id.Site) error {
	if err := hold(ctx, tx, which); err != nil {
		return fmt.Errorf("hold a site: %w", err)
	}
	return nil
}

// Change stores what a membership has become: group, kind, status and toggles.
// fault.Conflict if it is not what it was. Its epochs are the caller's to raise.
func Change(ctx context.Context, tx *db.Tx, from, to Membership) error {
	if err := change(ctx, tx, from, to); err != nil {
		return fmt.Errorf("change a membership: %w", err)
	}
	return nil
}

// End makes the memberships inactive whose access is over, and gives them; limit at most.
// The epochs are the caller's to raise, and the events to record.
func End(ctx context.Context, tx *db.Tx, limit int) ([]Membership, error) {
	all, err := end(ctx, tx, limit)
	if err != nil {
		return nil, fmt.Errorf("end memberships: %w", err)
	}
	return all, nil
}

// EndingBefore gives the active memberships whose access is over before a moment, each
// once: it is noted that their admins are told. limit at most.
func EndingBefore(ctx context.Context, tx *db.Tx, before time.Time, limit int) ([]Membership, error) {
	all, err := endingBefore(ctx, tx, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read memberships that end soon: %w", err)
	}
	return all, nil
}

// Entered gives the sites that a user may enter on the web, in the order of their names.
func Entered(ctx context.Context, from db.Reader, who id.User) ([]Site, error) {
	return entered(ctx, from, who)
}

// Admins gives who are the site's active office Admins at a moment, the longest standing
// first, 20 at most. Whose access is over is none, whether it was tidied up or not.
func Admins(ctx context.Context, from db.Reader, now time.Time, which id.Site) ([]id.User, error) {
	return admins(ctx, from, now, which)
}

// IsAdmin says whether somebody is an active office Admin of a site at a moment.
func IsAdmin(ctx context.Context, from db.Reader, now time.Time, which id.Site, who id.User) (bool, error) {
	m, err := membershipIn(ctx, from, which, who)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find an admin's membership: %w", err)
	}
	return m.Group == policy.GroupAdmin && m.Kind == policy.Office && m.Active(now), nil
}
