package rollout

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/manager"
	"keyturn/internal/message"
	"keyturn/internal/site"
)

const (
	// evening and lastHour are how long before its date a site passes the gate: at six in
	// the evening before, when somebody can still be reached, and in the hour before.
	evening  = 10 * time.Hour
	lastHour = time.Hour
)

// look is how ready a site was when it was looked at.
type look struct {
	site                site.Site
	ready, manage, help int
	// proved says that an Admin has proved a way that works.
	proved bool
}

func (l look) picked() picked {
	return picked{
		site: l.site.ID, ref: l.site.Ref, region: l.site.Region, manager: l.site.AccountManager,
		ready: l.ready, whole: l.ready + l.manage + l.help,
	}
}

// lookAt reads how ready a site is. It is slow: no transaction is open.
func (d *Desk) lookAt(ctx context.Context, at id.Site) (look, error) {
	one, err := d.ready().OfSite(ctx, d.DB, d.DB.Clock.Now(), at)
	if err != nil {
		return look{}, fmt.Errorf("read how ready a site is: %w", err)
	}
	return look{site: one.Site, ready: one.Ready, manage: one.WillManage, help: one.NeedsHelp, proved: one.AdminProved}, nil
}

const (
	// looks is how many sites one job looks at, lookAgain how old a look may be.
	looks     = 60
	lookAgain = 12 * time.Hour
)

// look looks again at the connected sites that were looked at longest ago.
func (d *Desk) look(ctx context.Context) (more bool, err error) {
	all, err := toLook(ctx, d.DB, d.DB.Clock.Now().Add(-lookAgain), looks)
	if err != nil {
		return false, fmt.Errorf("list the sites to look at: %w", err)
	}
	for _, at := range all {
		one, err := d.lookAt(ctx, at)
		if err != nil {
			return false, err
		}
		if err := d.DB.Do(ctx, func(tx *db.Tx) error { return storeLook(ctx, tx, one) }); err != nil {
			return false, fmt.Errorf("note how ready a site is: %w", err)
		}
	}
	return len(all) == looks, nil
}

// Look looks at every connected site that was not looked at within 12 hours, and says
// after each how many it has looked at.
func (d *Desk) Look(ctx context.Context, seen func(int)) error {
	for n := looks; ; n += looks {
		more, err := d.look(ctx)
		if err != nil || !more {
			return err
		}
		seen(n)
	}
}

// gate judges the sites whose date is near. It moves dates before they come, and none
// after.
func (d *Desk) gate(ctx context.Context, r Rollout) (more bool, err error) {
	if r.State != Running {
		return false, nil
	}
	if d.Unhealthy != nil {
		if channel := d.Unhealthy(); channel != "" {
			if err := d.putOff(ctx, r, channel); err != nil {
				return false, err
			}
		}
	}
	for _, within := range []time.Duration{lastHour, evening} {
		left, err := d.gateWithin(ctx, r, within)
		if err != nil {
			return false, err
		}
		more = more || left
	}
	return more, nil
}

func (d *Desk) gateWithin(ctx context.Context, r Rollout, within time.Duration) (more bool, err error) {
	all, err := toGate(ctx, d.DB, r.ID, d.DB.Clock.Now(), within, batch*batches)
	if err != nil {
		return false, fmt.Errorf("list the sites before the gate: %w", err)
	}
	for _, p := range all {
		one, err := d.lookAt(ctx, p.Site) // slow: nothing is open
		if err != nil {
			return false, err
		}
		err = d.DB.Do(ctx, func(tx *db.Tx) error {
			err := d.pass(ctx, tx, r, p, one)
			if errors.Is(err, errAstray) {
				return follow(ctx, tx, p)
			}
			return err
		})
		if err != nil && !errors.Is(err, fault.Conflict) {
			return false, err
		}
	}
	return len(all) == batch*batches, nil
}

// pass lets a site through the gate, or holds it back.
func (d *Desk) pass(ctx context.Context, tx *db.Tx, r Rollout, was Place, one look) error {
	if was.come(tx.Now) {
		return fault.Conflict
	}
	if err := storeLook(ctx, tx, one); err != nil {
		return fmt.Errorf("note how ready a site is: %w", err)
	}
	to := was
	to.GatedAt = tx.Now
	if one.proved {
		return changePlace(ctx, tx, was, to)
	}
	_, l, err := localOf(ctx, tx, was.Site)
	if err != nil {
		return err
	}
	held, ok := was.hold(l)
	if !ok { // it was held back for 30 days
		return changePlace(ctx, tx, was, to)
	}
	held.GatedAt = time.Time{}
	if err := write(ctx, tx, was, held); err != nil {
		return err
	}
	if err := d.task(ctx, tx, r, held, message.RolloutHeld); err != nil {
		return err
	}
	return d.tellDate(ctx, tx, audit.RolloutSiteHeld, system, held, "no_proved_admin")
}

// task tells the account manager of a site, or the rollout's owner where it has none, that
// no Admin there has proved a way that works.
func (d *Desk) task(ctx context.Context, tx *db.Tx, r Rollout, p Place, kind message.NoticeKind) error {
	s, err := site.ByID(ctx, tx, p.Site)
	if err != nil {
		return fmt.Errorf("find a site: %w", err)
	}
	who, err := manager.Of(ctx, tx, s)
	if err != nil {
		return err
	}
	if who.User == "" {
		who.User = r.Owner
	}
	n := message.Notice{User: who.User, Kind: kind, Words: map[string]string{"site": s.Name, "ref": s.Ref}}
	if !p.At.IsZero() {
		n.Words["day"] = p.last().String()
	}
	if err := d.Post.Tell(ctx, tx, n); err != nil {
		return fmt.Errorf("tell an account manager: %w", err)
	}
	return nil
}

// putOff moves what would begin within the hour while delivery is unhealthy: a wave that
// has not begun by a day, and of one that has begun each site that has not.
func (d *Desk) putOff(ctx context.Context, r Rollout, channel string) error {
	now := d.DB.Clock.Now()
	coming, err := comingWaves(ctx, d.DB, r.ID, now, now.Add(lastHour))
	if err != nil {
		return fmt.Errorf("list the waves that begin within the hour: %w", err)
	}
	for _, number := range coming {
		w, ok := r.Wave(number)
		if !ok {
			continue
		}
		err := d.DB.Do(ctx, func(tx *db.Tx) error { return d.putOffWave(ctx, tx, r, w, channel) })
		if err != nil && !errors.Is(err, fault.Conflict) {
			return err
		}
	}
	// What is left are sites with a day of their own, or of a wave that has begun.
	_, err = d.each(ctx, func(ctx context.Context, now time.Time) ([]Place, error) {
		return toPutOff(ctx, d.DB, r.ID, now, now.Add(lastHour), batch)
	}, func(ctx context.Context, tx *db.Tx, was Place) error {
		_, l, err := localOf(ctx, tx, was.Site)
		if err != nil || was.come(tx.Now) {
			return errors.Join(err, fault.Conflict)
		}
		to := was
		to.Day = l.rules.First(was.last().Add(1))
		to.First = was.First.Add(was.last().Until(to.Day)) // the weather is on nobody's account
		to.At, to.GatedAt = to.last().Morning(l.zone), time.Time{}
		if err := write(ctx, tx, was, to); err != nil {
			return err
		}
		return d.tellDate(ctx, tx, audit.RolloutSiteDated, system, to, "delivery")
	})
	return err
}

func (d *Desk) putOffWave(ctx context.Context, tx *db.Tx, r Rollout, w Wave, channel string) error {
	began, err := firstCome(ctx, tx, r.ID, w.Number, tx.Now)
	if err != nil || !began.IsZero() {
		return err
	}
	next := calendar.Rules{}.First(w.Day.Add(1))
	if err := moveWave(ctx, tx, r.ID, w, next); err != nil {
		return fmt.Errorf("move a wave: %w", err)
	}
	err = note(ctx, tx, audit.RolloutWaveMoved, system, r.ID, map[string]string{
		"wave": strconv.Itoa(w.Number), "day_was": w.Day.String(), "day": next.String(), "why": "delivery", "channel": channel,
	})
	if err != nil {
		return err
	}
	return d.tellOwner(ctx, tx, r, message.RolloutPutOff, map[string]string{"wave": w.Name, "day": next.String(), "channel": channel})
}

// tellOwner tells the owner of a rollout what it did.
func (d *Desk) tellOwner(ctx context.Context, tx *db.Tx, r Rollout, kind message.NoticeKind, words map[string]string) error {
	words["rollout"] = r.Name
	if err := d.Post.Tell(ctx, tx, message.Notice{User: r.Owner, Kind: kind, Words: words}); err != nil {
		return fmt.Errorf("tell the owner of a rollout: %w", err)
	}
	return nil
}
