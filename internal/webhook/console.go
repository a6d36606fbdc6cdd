package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

// Refused is why something was not done in the console; empty if it was. Nothing was
// changed.
type Refused string

// The refusals.
const (
	// NotFresh says that the member must prove again who they are.
	NotFresh Refused = "not_fresh"
	// NotGiven says that a site is not given to the member: theirs, or one of the endpoint's.
	// A reference that there is not is refused alike.
	NotGiven Refused = "not_given"
	// Over says that the endpoint is in another state by now.
	Over Refused = "over"
)

// AddFor makes an endpoint for a member of staff, who names sites by their references; none
// are all sites. A site has to be given to them. It takes a fresh proof.
func (d *Desk) AddFor(ctx context.Context, by authority.Bearer, o Order, refs []string) (e Endpoint, key secret.Text, wrong Wrong, refused Refused, err error) {
	refused, err = d.staff(ctx, by, func(tx *db.Tx) (Refused, error) {
		o.Sites = nil
		for _, ref := range refs[:min(len(refs), mostSites+1)] {
			at, err := site.ByRef(ctx, tx, strings.TrimSpace(ref))
			if errors.Is(err, fault.NotFound) {
				return NotGiven, nil
			}
			if err != nil {
				return "", fmt.Errorf("find a site: %w", err)
			}
			o.Sites = append(o.Sites, at.ID)
		}
		if refused, err := given(ctx, tx, by, o.Sites); err != nil || refused != "" {
			return refused, err
		}
		o.All = len(refs) == 0
		var err error
		e, key, wrong, err = d.Make(ctx, tx, by.Actor(), o)
		return "", err
	})
	return e, key, wrong, refused, err
}

// ChangeFor is Change for a member of staff to whom all of the endpoint's sites are given.
// It takes a fresh proof, as all of the following do.
func (d *Desk) ChangeFor(ctx context.Context, by authority.Bearer, which id.Webhook, o Order) (wrong Wrong, refused Refused, err error) {
	refused, err = d.at(ctx, by, which, func(tx *db.Tx) (err error) {
		wrong, err = d.Change(ctx, tx, by.Actor(), which, o)
		return err
	})
	return wrong, refused, err
}

// RotateFor is Rotate for a member of staff.
func (d *Desk) RotateFor(ctx context.Context, by authority.Bearer, which id.Webhook) (key secret.Text, refused Refused, err error) {
	refused, err = d.at(ctx, by, which, func(tx *db.Tx) (err error) {
		key, err = d.Rotate(ctx, tx, by.Actor(), which)
		return err
	})
	return key, refused, err
}

// SwitchFor is Switch for a member of staff. Any of them may switch an endpoint off, whatever
// sites it names.
func (d *Desk) SwitchFor(ctx context.Context, by authority.Bearer, which id.Webhook, on bool) (Refused, error) {
	if on {
		return d.at(ctx, by, which, func(tx *db.Tx) error { return d.Switch(ctx, tx, by.Actor(), which, true) })
	}
	return d.staff(ctx, by, func(tx *db.Tx) (Refused, error) { return "", d.Switch(ctx, tx, by.Actor(), which, false) })
}

// EndFor is End for a member of staff.
func (d *Desk) EndFor(ctx context.Context, by authority.Bearer, which id.Webhook) (Refused, error) {
	return d.at(ctx, by, which, func(tx *db.Tx) error { return d.End(ctx, tx, by.Actor(), which) })
}

// TryFor is Try for a member of staff.
func (d *Desk) TryFor(ctx context.Context, by authority.Bearer, which id.Webhook) (Refused, error) {
	return d.at(ctx, by, which, func(tx *db.Tx) error { return d.Try(ctx, tx, which) })
}

// ReplayFor is Replay for a member of staff: of one delivery, or of the last span of time.
func (d *Desk) ReplayFor(ctx context.Context, by authority.Bearer, which id.Webhook, one id.Delivery, span time.Duration) (n int, refused Refused, err error) {
	refused, err = d.at(ctx, by, which, func(tx *db.Tx) (err error) {
		n, err = d.Replay(ctx, tx, by.Actor(), which, one, tx.Now.Add(-min(span, keep)))
		return err
	})
	return n, refused, err
}

// ListFor gives the endpoints to a member of staff.
func (d *Desk) ListFor(ctx context.Context, by authority.Bearer) ([]Endpoint, error) {
	if err := authority.Staff(ctx, d.DB, d.DB.Clock.Now(), by); err != nil {
		return nil, err
	}
	return List(ctx, d.DB)
}

// View is one endpoint as a member of staff sees it.
type View struct {
	Endpoint

	// Refs are the references of its sites that are given to the member, Others how many are
	// not. Both are nothing for an endpoint for all sites.
	Refs   []string
	Others int
	Counts map[State]int
	// Log is a page of deliveries, Older whether there are more.
	Log   []Delivery
	Older bool
}

// logPage is how many deliveries a page shows.
const logPage = 50

// ViewFor shows one endpoint and a page of its log. A delivery says of which type it was and
// how it went, and nothing of the site or the person. fault.NotFound if there is no such
// endpoint.
func (d *Desk) ViewFor(ctx context.Context, by authority.Bearer, which id.Webhook, state State, before id.Delivery) (v View, err error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return v, err
	}
	var sites []id.Site
	if v.Endpoint, sites, err = whole(ctx, d.DB, which); err != nil {
		return v, err
	}
	for _, s := range sites {
		g, err := authority.StaffAt(ctx, d.DB, now, by, s)
		if errors.Is(err, fault.NotFound) {
			v.Others++
			continue
		}
		if err != nil {
			return v, err
		}
		v.Refs = append(v.Refs, g.Site.Ref)
	}
	if v.Counts, err = Counts(ctx, d.DB, which); err != nil {
		return v, err
	}
	v.Log, err = Log(ctx, d.DB, which, state, before, logPage+1)
	if len(v.Log) > logPage {
		v.Log, v.Older = v.Log[:logPage], true
	}
	return v, err
}

// at does something to an endpoint all of whose sites are given to a member of staff.
func (d *Desk) at(ctx context.Context, by authority.Bearer, which id.Webhook, act func(*db.Tx) error) (Refused, error) {
	return d.staff(ctx, by, func(tx *db.Tx) (Refused, error) {
		_, sites, err := whole(ctx, tx, which)
		if err != nil {
			return "", err
		}
		if refused, err := given(ctx, tx, by, sites); err != nil || refused != "" {
			return refused, err
		}
		return "", act(tx)
	})
}

// staff does something for a member of staff with a fresh proof.
func (d *Desk) staff(ctx context.Context, by authority.Bearer, act func(*db.Tx) (Refused, error)) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
		if err != nil {
			return err
		}
		if refused = NotFresh; !fresh {
			return nil
		}
		refused, err = act(tx)
		return err
	})
	if errors.Is(err, fault.Conflict) {
		return Over, nil
	}
	return refused, err
}

func given(ctx context.Context, from *db.Tx, by authority.Bearer, sites []id.Site) (Refused, error) {
	for _, s := range sites {
		_, err := authority.StaffAt(ctx, from, from.Now, by, s)
		if errors.Is(err, fault.NotFound) {
			return NotGiven, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}
