package console

import (
	"context"
	"fmt"
	"strconv"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/remind"
)

// remindMost bounds the sites of one click.
const remindMost = 50

// Reminded says what a bulk reminder did.
type Reminded struct {
	// Sites is how many sites were looked at, People and Admins how many were told, Waited
	// how many had been reminded within the week.
	Sites, People, Admins, Waited int
}

// Remind has everybody told who is not ready at the sites, each in their own words, and
// the sites' admins how many there are. Nobody is told more than once in seven days,
// whatever number of sites and colleagues have it done.
//
// fault.NotFound if one of the sites is not given; then nobody at that site and at those
// after it was told. fault.Invalid for more than 50.
func (d *Desk) Remind(ctx context.Context, by authority.Bearer, sites []id.Site) (Reminded, error) {
	var sum Reminded
	if len(sites) > remindMost {
		return sum, fmt.Errorf("remind the people of %d sites at once: %w", len(sites), fault.Invalid)
	}
	for _, at := range sites {
		one, err := d.remind(ctx, by, at)
		if err != nil {
			return sum, err
		}
		sum.Sites++
		sum.People, sum.Admins, sum.Waited = sum.People+one.People, sum.Admins+one.Admins, sum.Waited+one.Waited
	}
	return sum, nil
}

// remind does it for one site, in one transaction. Who lags is asked before: it takes
// long, and what changes between is a reminder too many.
func (d *Desk) remind(ctx context.Context, by authority.Bearer, at id.Site) (did Reminded, err error) {
	now := d.DB.Clock.Now()
	if _, err := authority.StaffAt(ctx, d.DB, now, by, at); err != nil {
		return did, err
	}
	_, late, err := d.readiness(ctx, now, at)
	if err != nil || len(late) == 0 {
		return did, err
	}
	asked, err := d.asking(ctx, now, at)
	if err != nil {
		return did, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		did = Reminded{}
		if _, err := authority.StaffAt(ctx, tx, tx.Now, by, at); err != nil {
			return err
		}
		people, err := remind.People(ctx, tx, d.Post, at, late, asked.From)
		if err != nil {
			return err
		}
		admins, err := remind.Admins(ctx, tx, d.Post, at, len(late), asked.From)
		if err != nil {
			return err
		}
		did.People, did.Waited, did.Admins = people.Told, people.Waited, admins.Told
		if did.People+did.Admins == 0 {
			return nil
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.StaffReminded, Actor: by.Actor(), Site: at,
			Facts: map[string]string{"people": strconv.Itoa(did.People), "admins": strconv.Itoa(did.Admins)},
		})
	})
	return did, err
}
