package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/xero"
)

// LookJob is the job that reads connections.
type LookJob struct{}

// Kind implements job.Args.
func (LookJob) Kind() string { return "xero_look" }

const (
	// LookEvery is how often it is looked what is due.
	LookEvery = time.Minute
	// atOnce is how many people's connections one node reads at once. Xero's limit of five
	// calls at once is for each of them, and of one person they are read one after the other.
	atOnce = 5
	// inPass bounds how many are looked for in one pass.
	inPass = 500
	// launching is how long a pass begins new reads: a job lives 15 seconds, and a read up to
	// ten.
	launching = 4 * time.Second
	// patience is for how long Xero may be out of reach before the admins are told.
	patience = time.Hour
	// slack is how much younger than a read a link may be to be judged by it: a list that was
	// read before the link was made does not have it.
	slack = time.Minute
)

// Look reads the connections of all grants that are due, each by one node. What it finds
// missing is disconnected, which lowers nothing. It gives what went wrong inside; that Xero
// is out of reach is no error here, but noted.
func (d *Desk) Look(ctx context.Context) error {
	if d.Xero == nil {
		return nil
	}
	due, err := dueGrants(ctx, d.DB, d.DB.Clock.Now(), inPass)
	if err != nil {
		return fmt.Errorf("find what is due at Xero: %w", err)
	}
	launch, cancel := context.WithTimeout(ctx, launching)
	defer cancel()
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	wrong := make([]error, len(due))
	for i, g := range due {
		select {
		case places <- struct{}{}:
		case <-launch.Done():
		}
		if launch.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-places }()
			wrong[i] = d.lookAt(ctx, g)
		})
	}
	all.Wait()
	return errors.Join(wrong...)
}

// lookAt reads the connections of one person, if nobody else does.
func (d *Desk) lookAt(ctx context.Context, g grant) error {
	mine := false
	var began time.Time
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		began = tx.Now
		if g.dueAt.After(tx.Now) {
			mine = true // what is due is a renewal, and that has a lease
			return nil
		}
		n, err := claimLook(ctx, tx, g, tx.Now.Add(d.every()))
		mine = n == 1
		return err
	})
	if err != nil || !mine {
		return err
	}
	return d.read(ctx, g.user, began.Add(-slack))
}

// Check reads the connection of one site at once, whether it is due or not.
func (d *Desk) Check(ctx context.Context, at id.Site) error {
	if d.Xero == nil {
		return nil
	}
	l, found, err := linkOf(ctx, d.DB, at)
	if err != nil || !found {
		return err
	}
	return d.read(ctx, l.user, d.DB.Clock.Now())
}

// read reads the connections of one person, and judges by them the links that were made
// before a moment.
func (d *Desk) read(ctx context.Context, user string, before time.Time) error {
	list, err := d.list(ctx, user)
	var wait *fault.Wait
	switch {
	case errors.As(err, &wait):
		return d.miss(ctx, user, wait.For)
	case err != nil:
		return err
	case list.Answer != xero.Done:
		return nil // the grant is dead, and that is noted
	}
	return d.DB.Do(ctx, func(tx *db.Tx) error { return d.compare(ctx, tx, user, list.All, before) })
}

// list reads the connections of one person, once more with another access token where the
// first is refused.
func (d *Desk) list(ctx context.Context, user string) (xero.List, error) {
	var spent secret.Text
	for range 2 {
		access, answer, err := d.fresh(ctx, user, spent)
		if err != nil || answer != xero.Done {
			return xero.List{Answer: answer}, err
		}
		list, err := d.Xero.Connections(ctx, access.token)
		if err != nil || list.Answer == xero.Done {
			return list, err
		}
		spent = access.token
	}
	return xero.List{}, busy(errNotTaken)
}

var errNotTaken = errors.New("an access token that was just made is not taken by Xero")

// miss notes that Xero could not be asked, and has it asked again when it said. Admins are
// told after an hour of it.
func (d *Desk) miss(ctx context.Context, user string, wait time.Duration) error {
	return d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := missed(ctx, tx, user, tx.Now.Add(max(wait, LookEvery))); err != nil {
			return fmt.Errorf("note that Xero is out of reach: %w", err)
		}
		g, err := grantOf(ctx, tx, user)
		if errors.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil || g.missedAt.IsZero() || tx.Now.Sub(g.missedAt) < patience {
			return err
		}
		return d.failAll(ctx, tx, user, "down")
	})
}

// failAll has every link of a person fail. What they require stays. The admins of each site
// are told once: until it heals, they know.
func (d *Desk) failAll(ctx context.Context, tx *db.Tx, user, why string) error {
	links, err := linksOf(ctx, tx, user)
	if err != nil {
		return fmt.Errorf("read the links of a grant: %w", err)
	}
	for _, l := range links {
		first, err := integration.Fail(ctx, tx, l.Site, policy.Xero)
		if err != nil {
			return err
		}
		if !first {
			continue
		}
		err = audit.Record(ctx, tx, audit.Event{Kind: audit.XeroFailing, Actor: byXero, Site: l.Site, Facts: map[string]string{"why": why}})
		if err != nil {
			return fmt.Errorf("record a failing connection: %w", err)
		}
		if err := d.tellAdmins(ctx, tx, message.Notice{Site: l.Site, Kind: message.XeroFailing, Words: map[string]string{"why": why}}); err != nil {
			return err
		}
	}
	return nil
}

// compare holds the links of a person against what Xero names. One that was not made before
// a moment is not missed in it.
func (d *Desk) compare(ctx context.Context, tx *db.Tx, user string, named []xero.Connection, before time.Time) error {
	if err := heard(ctx, tx, user); err != nil {
		return fmt.Errorf("note that Xero answered: %w", err)
	}
	links, err := linksOf(ctx, tx, user)
	if err != nil {
		return fmt.Errorf("read the links of a grant: %w", err)
	}
	for _, l := range links {
		i := slices.IndexFunc(named, func(c xero.Connection) bool { return c.ID == l.connection })
		switch {
		case i >= 0:
			err = d.confirm(ctx, tx, l, named[i])
		case l.Since.Before(before):
			err = d.gone(ctx, tx, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// confirm notes that Xero names a link.
func (d *Desk) confirm(ctx context.Context, tx *db.Tx, l Link, c xero.Connection) error {
	if c.Name != "" {
		l.Organisation = c.Name
	}
	if err := hearLink(ctx, tx, l); err != nil {
		return fmt.Errorf("note that Xero names a connection: %w", err)
	}
	if err := integration.Rename(ctx, tx, l.Site, policy.Xero, l.Organisation); err != nil {
		return err
	}
	healed, err := integration.Heal(ctx, tx, l.Site, policy.Xero)
	if err != nil || !healed {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.XeroHealed, Actor: byXero, Site: l.Site})
}

// gone notes that a connection was ended at Xero. What it required stays, for seven days and
// until an admin lowers it.
func (d *Desk) gone(ctx context.Context, tx *db.Tx, l Link) error {
	return d.part(ctx, tx, l, byXero, "")
}

// part ends a link here. name is who did it, as people read it; empty: somebody at Xero.
func (d *Desk) part(ctx context.Context, tx *db.Tx, l Link, by audit.Actor, name string) error {
	n, err := dropLink(ctx, tx, l)
	if err != nil {
		return fmt.Errorf("end a link: %w", err)
	}
	if n == 0 {
		return nil // somebody else was first
	}
	if err := dropGrant(ctx, tx, l.user); err != nil {
		return fmt.Errorf("forget a grant: %w", err)
	}
	if stays, err := d.staysReported(ctx, tx, l, by); err != nil || stays {
		return err
	}
	done, err := integration.Leave(ctx, tx, by, l.Site, policy.Xero, map[string]string{"organisation": l.Organisation})
	if err != nil || !done {
		return err
	}
	return d.tellAdmins(ctx, tx, message.Notice{
		Site: l.Site, Kind: message.XeroDisconnected,
		Words: map[string]string{"by": name, "until": tx.Now.Add(policy.CoolingOff).Format(time.RFC3339)},
	})
}

// Sweep removes askings that are long over, and what people allowed who then chose no
// organisation, at most so many of each.
func Sweep(ctx context.Context, tx *db.Tx, most int) error {
	if err := sweepAskings(ctx, tx, tx.Now.Add(-24*time.Hour), most); err != nil {
		return fmt.Errorf("sweep askings: %w", err)
	}
	idle, err := idleGrants(ctx, tx, tx.Now.Add(-4*askingLife), most)
	if err != nil {
		return fmt.Errorf("find idle grants: %w", err)
	}
	for _, user := range idle {
		if err := dropGrant(ctx, tx, user); err != nil {
			return fmt.Errorf("forget a grant: %w", err)
		}
	}
	return nil
}
