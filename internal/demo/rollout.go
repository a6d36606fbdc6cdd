package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/plan"
	"keyturn/internal/rollout"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// rolloutBegan is how long ago the rollout of the story began.
const rolloutBegan = 30 * day

// waves are those of the story: one that began some days ago, and two to come.
func waves(now time.Time) []rollout.Wave {
	return []rollout.Wave{
		{Number: 1, Name: "Pilot", Pick: rollout.Pick{By: rollout.ByList, Value: "ws-1004"}, Day: begunDay(now)},
		{Number: 2, Name: "Second wave", Pick: rollout.Pick{By: rollout.ByList, Value: "ws-1002"}, Day: comingDay(now, prepareDays)},
		{Number: 3, Name: "New Zealand", Pick: rollout.Pick{By: rollout.ByRegion, Value: "NZ"}, Day: comingDay(now, lateDays)},
	}
}

// comingDay is the last day up to so many days from now on which something may begin, and
// begunDay the last one that is two days ago or more.
func comingDay(now time.Time, days int) calendar.Day { return lastOpen(now, days) }

func begunDay(now time.Time) calendar.Day { return lastOpen(now, -2) }

func lastOpen(now time.Time, days int) calendar.Day {
	rules, d := calendar.Rules{Region: "AU"}, calendar.On(now, time.UTC).Add(days)
	for !rules.Allows(d) {
		d = d.Add(-1)
	}
	return d
}

// SeedRollout stores the rollout of the story, once its sites and the vendor's people are
// there. One that is there already is left as it is.
func SeedRollout(ctx context.Context, d *db.DB) error {
	err := d.Do(ctx, func(tx *db.Tx) error {
		if _, there, err := rollout.Live(ctx, tx); err != nil || there {
			return err
		}
		owner, err := user.ByLogin(ctx, tx, address.Canonical(accountManager))
		if err != nil {
			return err
		}
		sites := map[id.Site]int{}
		for _, s := range story() {
			if s.rollout == unknown {
				continue
			}
			at, err := site.ByRef(ctx, tx, s.ref)
			if err != nil {
				return err
			}
			if _, known, err := plan.Of(ctx, tx, at.ID); err != nil || !known {
				return errors.Join(err, fault.NotFound)
			}
			sites[at.ID] = map[stage]int{begun: 1, preparing: 2, later: 3}[s.rollout]
		}
		return rollout.Adopt(ctx, tx, rollout.Rollout{
			Name: "2FA for Xero users", Owner: owner.ID, BeganAt: tx.Now.Add(-rolloutBegan), Waves: waves(tx.Now),
		}, sites)
	})
	if err != nil {
		return fmt.Errorf("seed the rollout: %w", err)
	}
	return nil
}
