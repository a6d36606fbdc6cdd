package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// finds is how often a member of staff may look somebody up by a login name: whoever tries
// names one after the other is not on the phone with a person.
var finds = limit.Budget{Name: "console.find", Cap: 30, Window: time.Hour}

// NoPerson says that nobody signs in with the name at a site that is given to the member of
// staff: whether somebody does elsewhere is not told.
const NoPerson Refused = "no_person"

// The pages on which staff see one person of a site.
const (
	// FoundPage is somebody who was looked up, to begin a recovery.
	FoundPage Page = "person"
	// NumberPage is a number of theirs as a whole, to call it.
	NumberPage Page = "number"
	// RecoveryPage is a recovery of theirs.
	RecoveryPage Page = "recovery"
)

// Person is somebody whom staff look up.
type Person struct {
	User user.User
	// Sites are those of their active memberships that are given to the member of staff.
	Sites []site.Site
}

// Find looks somebody up by their login name, 30 times an hour. It stands in the trail of
// each of their sites that is given. Refused is NoPerson or TooMany. fault.NotFound for
// whoever is not staff.
func (d *Desk) Find(ctx context.Context, by authority.Bearer, login address.Canonical) (p Person, refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		p, refused, err = find(ctx, tx, by, login)
		return err
	})
	return p, refused, err
}

func find(ctx context.Context, tx *db.Tx, by authority.Bearer, login address.Canonical) (Person, Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return Person{}, "", err
	}
	taken, err := limit.Take(ctx, tx, limit.Charge{Budget: finds, Subject: limit.Subject("console find", string(by.User.ID))})
	if err != nil {
		return Person{}, "", fmt.Errorf("take the budget of looking people up: %w", err)
	}
	if !taken.OK {
		return Person{}, TooMany, nil
	}
	who, err := user.ByLogin(ctx, tx, login)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return Person{}, "", fmt.Errorf("find a user: %w", err)
	}
	p, err := person(ctx, tx, by, who)
	if errors.Is(err, fault.NotFound) {
		return Person{}, NoPerson, nil
	}
	return p, "", err
}

// Person is Find of somebody who was found already, by their id, and costs no budget.
// fault.NotFound where none of their sites is given, and alike where there is nobody.
func (d *Desk) Person(ctx context.Context, by authority.Bearer, which id.User) (p Person, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		who, err := user.ByID(ctx, tx, which)
		if err != nil {
			return fmt.Errorf("find a user: %w", err)
		}
		p, err = person(ctx, tx, by, who)
		return err
	})
	return p, err
}

func person(ctx context.Context, tx *db.Tx, by authority.Bearer, who user.User) (Person, error) {
	p := Person{User: who}
	all, err := site.MembershipsOf(ctx, tx, who.ID)
	if err != nil {
		return p, fmt.Errorf("read memberships: %w", err)
	}
	for _, m := range all {
		if m.Status != policy.Active {
			continue
		}
		given, err := authority.StaffAt(ctx, tx, tx.Now, by, m.Site)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return p, err
		}
		p.Sites = append(p.Sites, given.Site)
		if err := seenPerson(ctx, tx, by, m.Site, who.ID, FoundPage); err != nil {
			return p, err
		}
	}
	if len(p.Sites) == 0 {
		return p, fmt.Errorf("a person of a site that is given: %w", fault.NotFound)
	}
	return p, nil
}

// See records that a member of staff looks at somebody of a site on a page: nothing is to
// be shown before. fault.NotFound where the site is not given.
func (d *Desk) See(ctx context.Context, by authority.Bearer, at id.Site, who id.User, page Page) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, at); err != nil {
			return err
		}
		return seenPerson(ctx, tx, by, at, who, page)
	})
}
