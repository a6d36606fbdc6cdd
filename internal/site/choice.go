package site

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// Choice is what a site itself says of 2FA.
type Choice struct {
	TwoFA    policy.Setting
	Remember policy.Remember
	Weakest  policy.MethodKind
}

// Choice is the site's present one.
func (s Site) Choice() Choice { return Choice{s.TwoFA, s.Remember, s.Weakest} }

// Choose stores the settings that s has, in place of was. Whoever is signed in there is
// decided again: the site's number is raised. False says that the site does not have
// was any more: somebody else was first.
func Choose(ctx context.Context, tx *db.Tx, s Site, was Choice) (bool, error) {
	err := choose(ctx, tx, s, was)
	if errors.Is(err, fault.Conflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store a site's settings: %w", err)
	}
	return true, epoch.Raise(ctx, tx, epoch.Site(s.ID))
}

// Count gives the number of active members of each group.
func Count(ctx context.Context, from db.Reader, which id.Site) (map[policy.Group]int, error) {
	all, err := groups(ctx, from, which)
	if err != nil {
		return nil, fmt.Errorf("count the members of groups: %w", err)
	}
	return all, nil
}

// Office lists the active office members of a site in the order of their ids, limit at
// most, from the one after the given user on.
func Office(ctx context.Context, from db.Reader, which id.Site, after id.User, limit int) ([]id.User, error) {
	return office(ctx, from, which, after, limit)
}

// Working lists the active members of a site, those of the office and the mobile ones, in
// the order of their ids, limit at most, from the one after the given user on.
func Working(ctx context.Context, from db.Reader, which id.Site, after id.User, limit int) ([]id.User, error) {
	return working(ctx, from, which, after, limit)
}
