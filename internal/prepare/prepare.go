// Package prepare gets the people of a site ready before 2FA is asked of them: an admin
// reminds them, and sends them codes that prove where codes arrive; and they and the admins are told 30, 14, 7 and 1 days before the site's
// date what is lacking.
//
// Who is ready, and what the others lack, is readiness's to say.
package prepare

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/remind"
	"keyturn/internal/secret"
)

// Desk prepares people. All fields are set.
type Desk struct {
	DB    *db.DB
	Keys  *secret.Keys
	Post  *message.Post
	Ready readiness.Source
	// VendorName speaks where no site does.
	VendorName string
}

// Reminded says what a reminder did.
type Reminded struct {
	// Told is how many were told, Waited how many had been within the week. Unreached is how
	// many no mail would reach: their address is to be put right first.
	Told, Waited, Unreached int
}

// Remind has members of the admin's own site told what they lack; nil stands for all who
// are not ready. Whoever is ready, exempt, no member there or the admin themselves is left
// out, and so is who cannot mend it. Nobody is told more than once in seven days. fault.NotFound for whoever is no
// admin.
//
// It takes no fresh proof: it gives and takes nothing.
func (d *Desk) Remind(ctx context.Context, by authority.Bearer, whom []id.User) (did Reminded, err error) {
	now := d.DB.Clock.Now()
	if _, err := authority.Admin(ctx, d.DB, now, by); err != nil {
		return did, err
	}
	at := by.Session.Site
	// Who lags is asked before: it takes long, and what changes between is a reminder too
	// many.
	s, err := d.Ready.OfSite(ctx, d.DB, now, at)
	if err != nil {
		return did, fmt.Errorf("ask how ready a site is: %w", err)
	}
	late, unreached := lagging(s, by.User.ID, whom)
	when, err := d.Ready.When(ctx, d.DB, now, at)
	if err != nil {
		return did, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := authority.Admin(ctx, tx, tx.Now, by); err != nil {
			return err
		}
		told, err := remind.People(ctx, tx, d.Post, at, late, when.Date())
		if err != nil {
			return err
		}
		did = Reminded{Told: told.Told, Waited: told.Waited, Unreached: unreached}
		if did.Told == 0 {
			return nil
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.MembersReminded, Actor: by.Actor(), Site: at, Facts: map[string]string{"people": strconv.Itoa(did.Told)},
		})
	})
	return did, err
}

// lagging are those of a site who can be reminded, in the order of their ids, and how many
// of the others cannot because no mail would reach them.
func lagging(s readiness.Site, but id.User, whom []id.User) (late []remind.Late, unreached int) {
	for _, p := range s.People {
		switch {
		case p.Mark == policy.Ready || p.Mark == policy.Exempt || p.User == but || whom != nil && !slices.Contains(whom, p.User):
		case p.Unreached():
			unreached++
		case p.Themselves():
			late = append(late, remind.Late{User: p.User, Mark: p.Mark, Alone: p.Do == readiness.DoSecondRoad})
		}
	}
	slices.SortFunc(late, func(a, b remind.Late) int { return cmp.Compare(a.User, b.User) })
	return late, unreached
}
