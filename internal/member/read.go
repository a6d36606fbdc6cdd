package member

import (
	"context"
	"fmt"

	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// ByRefs chooses members in the order of the host product's references.
type ByRefs struct {
	// After is the reference after which the list goes on; empty: from the start.
	After  string
	Limit  int
	Group  policy.Group
	Kind   policy.Kind
	Status policy.Status
	// Email is a whole login name in its one form. It and those above may be empty: any.
	Email string
}

// ListByRef gives members of a site by the host product's references, whatever their
// status. Who may see them is the caller's to say.
func (d *Desk) ListByRef(ctx context.Context, at id.Site, q ByRefs) ([]Row, error) {
	all, err := byRefs(ctx, d.DB, at, q)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	rows := make([]Row, len(all))
	for i, m := range all {
		rows[i].Member = m
	}
	return d.fill(ctx, at, d.DB.Clock.Now(), rows)
}

// See gives one member of a site; fault.NotFound for whoever is none. Who may see them is
// the caller's to say.
func (d *Desk) See(ctx context.Context, at id.Site, whom id.User) (Row, error) {
	s, err := d.find(ctx, d.DB, site.Membership{Site: at}, whom)
	if err != nil {
		return Row{}, err
	}
	rows, err := d.fill(ctx, at, d.DB.Clock.Now(), []Row{{Member: s.member}})
	if err != nil {
		return Row{}, err
	}
	return rows[0], nil
}

// Elsewhere says that the user of a row is not the site's alone.
func (r Row) Elsewhere() bool { return len(r.Facts.Others) > 0 || r.User.Staff }

// Form is what a form about the member is filled with.
func (r Row) Form() Form {
	return subject{user: r.User, member: r.Member, methods: r.Methods}.form()
}
