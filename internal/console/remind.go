package console

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/site"
)

const (
	// remindAgain is how long nobody is reminded again: who did not follow two mails in a
	// week does not follow three.
	remindAgain = 7 * 24 * time.Hour
	// remindMost bounds the sites of one click.
	remindMost = 50
)

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
		words := map[string]string{}
		if asked.From.After(tx.Now) {
			words["at"] = asked.From.UTC().Format(time.RFC3339)
		}
		if err := d.remindPeople(ctx, tx, at, late, words, &did); err != nil {
			return err
		}
		if err := d.remindAdmins(ctx, tx, at, len(late), words, &did); err != nil || did.People+did.Admins == 0 {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.StaffReminded, Actor: by.Actor(), Site: at,
			Facts: map[string]string{"people": strconv.Itoa(did.People), "admins": strconv.Itoa(did.Admins)},
		})
	})
	return did, err
}

// remindPeople tells those who lag, in the order of their ids, in which two who do it at
// once wait for each other.
func (d *Desk) remindPeople(ctx context.Context, tx *db.Tx, at id.Site, late []lagging, words map[string]string, did *Reminded) error {
	for _, one := range late {
		first, err := markReminder(ctx, tx, one.user, "")
		if err != nil {
			return fmt.Errorf("note a reminder: %w", err)
		}
		if !first {
			did.Waited++
			continue
		}
		n := message.Notice{User: one.user, Site: at, Kind: message.GetReady, Words: map[string]string{"mark": string(one.mark), "at": words["at"]}}
		if one.alone {
			n.Words["alone"] = "yes"
		}
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("remind somebody: %w", err)
		}
		did.People++
	}
	return nil
}

func (d *Desk) remindAdmins(ctx context.Context, tx *db.Tx, at id.Site, late int, words map[string]string, did *Reminded) error {
	admins, err := site.Admins(ctx, tx, tx.Now, at)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, one := range admins {
		first, err := markReminder(ctx, tx, one, string(at))
		if err != nil {
			return fmt.Errorf("note a reminder: %w", err)
		}
		if !first {
			continue
		}
		n := message.Notice{User: one, Site: at, Kind: message.SiteNotReady, Words: map[string]string{"left": strconv.Itoa(late), "at": words["at"]}}
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("remind an admin: %w", err)
		}
		did.Admins++
	}
	return nil
}
