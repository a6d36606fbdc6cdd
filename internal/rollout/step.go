package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/plan"
	"keyturn/internal/site"
)

// Job brings the sites to the state in which the rollout is. It is put after each change
// and every minute.
type Job struct{}

// Kind implements job.Args.
func (Job) Kind() string { return "rollout" }

const (
	// batch is how many sites one transaction writes: the writer is everybody's.
	batch = 20
	// batches is how many of them one job does; it puts the next one where more is left.
	batches = 10
)

// Workers registers the job.
func (d *Desk) Workers(work *job.Work) {
	job.On(work, func(ctx context.Context, _ Job) error { return d.Step(ctx) })
}

// Step does one job's worth of what is to be done, and puts the next job if more is left.
// It is safe to run on several nodes at once, and to be killed at any moment.
func (d *Desk) Step(ctx context.Context) error {
	more, err := d.step(ctx)
	if err != nil || !more {
		return err
	}
	return d.DB.Do(ctx, func(tx *db.Tx) error { return d.Jobs.Put(ctx, tx, job.Bulk, Job{}) })
}

// step runs each part in the order of its urgency: dates that must not come go first.
func (d *Desk) step(ctx context.Context) (more bool, err error) {
	r, there, err := Live(ctx, d.DB)
	if err != nil || !there {
		return false, err
	}
	if r.State == Draft {
		return d.look(ctx)
	}
	for _, part := range []func(context.Context, Rollout) (bool, error){d.watch, d.rollBack, d.takeOut, d.gate, d.place, d.placeLate, d.date} {
		left, err := part(ctx, r)
		if err != nil {
			return false, err
		}
		more = more || left
		// What one part did may be another's to know: the gate and the brake pause.
		if r, there, err = Live(ctx, d.DB); err != nil || !there {
			return false, err
		}
	}
	left, err := d.look(ctx)
	return more || left, err
}

// each runs a change for the places that a query gives, a batch a transaction, until there
// are none or the job has done its share.
func (d *Desk) each(
	ctx context.Context, list func(ctx context.Context, now time.Time) ([]Place, error), change func(ctx context.Context, tx *db.Tx, p Place) error,
) (more bool, err error) {
	for range batches {
		all, err := list(ctx, d.DB.Clock.Now())
		if err != nil {
			return false, fmt.Errorf("list the sites of a rollout: %w", err)
		}
		if len(all) == 0 {
			return false, nil
		}
		err = d.DB.DoWithin(ctx, batchTime, func(tx *db.Tx) error {
			for _, p := range all {
				err := change(ctx, tx, p)
				if errors.Is(err, errAstray) {
					err = follow(ctx, tx, p)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, fault.Conflict) {
			return true, nil // another node is at it, or somebody changed one
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// batchTime is how long the transaction of a batch may take: shorter than the margin, so
// that no date comes in it.
const batchTime = 12 * time.Second

// localOf reads what of a site its dates depend on.
func localOf(ctx context.Context, from db.Reader, at id.Site) (site.Site, local, error) {
	s, err := site.ByID(ctx, from, at)
	if err != nil {
		return s, local{}, fmt.Errorf("find a site: %w", err)
	}
	closed, err := closedDays(ctx, from, at)
	if err != nil {
		return s, local{}, fmt.Errorf("read the closed days of a site: %w", err)
	}
	return s, local{rules: calendar.Rules{Region: s.Region, Closed: closed}, zone: s.Zone}, nil
}

// place gives the sites their places in a rollout that has begun.
func (d *Desk) place(ctx context.Context, r Rollout) (more bool, err error) {
	if !r.begun() || !r.PlacedAt.IsZero() {
		return false, nil
	}
	began, err := firstBegan(ctx, d.DB)
	if err != nil {
		return false, fmt.Errorf("read when the first rollout began: %w", err)
	}
	for range batches {
		all, err := unplaced(ctx, d.DB, r, r.BeganAt, batch)
		if err != nil {
			return false, fmt.Errorf("list connected sites: %w", err)
		}
		if len(all) == 0 {
			err := d.DB.Do(ctx, func(tx *db.Tx) error { return allPlaced(ctx, tx, r.ID) })
			if errors.Is(err, fault.Conflict) {
				err = nil
			}
			return false, err
		}
		var found []look
		for _, at := range all { // slow: nothing is open
			one, err := d.lookAt(ctx, at)
			if err != nil {
				return false, err
			}
			found = append(found, one)
		}
		err = d.DB.DoWithin(ctx, batchTime, func(tx *db.Tx) error { return d.placeBatch(ctx, tx, r, began, found) })
		if errors.Is(err, fault.Conflict) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		r.PlacedTo = all[len(all)-1]
	}
	return true, nil
}

func (d *Desk) placeBatch(ctx context.Context, tx *db.Tx, r Rollout, began time.Time, found []look) error {
	if err := placed(ctx, tx, r.ID, r.PlacedTo, found[len(found)-1].site.ID); err != nil {
		return err
	}
	now, err := live(ctx, tx) // a pause may have come between
	if err != nil {
		return err
	}
	which := newPicker(r.Waves)
	for _, one := range found {
		if err := storeLook(ctx, tx, one); err != nil {
			return fmt.Errorf("note how ready a site is: %w", err)
		}
		p := Place{Site: one.site.ID, Rollout: r.ID, Wave: which.wave(one.picked()), Dated: Undated}
		now.Waves = r.Waves
		if err := d.placeSite(ctx, tx, now, began, p, one); err != nil {
			return err
		}
	}
	return nil
}

// placeSite gives one site its place. A site whose date has come keeps it: it belongs to a
// rollout before.
func (d *Desk) placeSite(ctx context.Context, tx *db.Tx, now Rollout, began time.Time, p Place, one look) error {
	before, known, err := plan.Of(ctx, tx, p.Site)
	if err != nil {
		return err
	}
	if (Place{At: before.Date()}).come(tx.Now) {
		p.Wave, p.Dated, p.At = 0, Stored, before.Date()
		return insertPlace(ctx, tx, p)
	}
	_, l, err := localOf(ctx, tx, p.Site)
	if err != nil {
		return err
	}
	if w, ok := now.Wave(p.Wave); ok && w.State == Planned && now.State == Running {
		p = p.date(w, l, tx.Now)
	}
	if known && !before.BeganAt.After(began) {
		began = before.BeganAt
	}
	if err := plan.Set(ctx, tx, p.plan(began, l)); err != nil {
		return err
	}
	if err := insertPlace(ctx, tx, p); err != nil {
		return fmt.Errorf("store a site's place: %w", err)
	}
	if p.Wave > 0 && !one.proved {
		if err := d.task(ctx, tx, now, p, message.RolloutUnproved); err != nil {
			return err
		}
	}
	return d.tellDate(ctx, tx, audit.RolloutSitePlaced, system, p, "")
}

// write stores a place in place of what was read, with what the policy reads of it.
func write(ctx context.Context, tx *db.Tx, was, to Place) error {
	_, l, err := localOf(ctx, tx, to.Site)
	if err != nil {
		return err
	}
	before, known, err := plan.Of(ctx, tx, to.Site)
	if err != nil {
		return err
	}
	if !known || !before.Date().Equal(was.At) {
		return errAstray
	}
	if err := changePlace(ctx, tx, was, to); err != nil {
		return fmt.Errorf("change a site's place: %w", err)
	}
	done, err := plan.Move(ctx, tx, before, to.plan(before.BeganAt, l))
	if err != nil {
		return err
	}
	if !done {
		return fmt.Errorf("move a site's date: %w", fault.Conflict)
	}
	return nil
}

// errAstray says that a site's plan is not that of its place: something else has written
// it. What is true is what the policy reads.
var errAstray = errors.New("the plan of a site is not that of its place")

// follow has a place follow a plan that something else has written, and changes no date.
func follow(ctx context.Context, tx *db.Tx, was Place) error {
	now, known, err := plan.Of(ctx, tx, was.Site)
	if err != nil {
		return err
	}
	if !known {
		began, err := firstBegan(ctx, tx)
		if err != nil {
			return fmt.Errorf("read when the first rollout began: %w", err)
		}
		if err := plan.Set(ctx, tx, plan.Plan{Site: was.Site, BeganAt: began}); err != nil {
			return err
		}
	}
	to := was
	to.At, to.Dated = now.Date(), Stored
	if to.At.IsZero() {
		to.Dated = TakenOut
	}
	return changePlace(ctx, tx, was, to)
}

// date gives dates to the sites of a running rollout that have none, or another than their
// wave.
func (d *Desk) date(ctx context.Context, r Rollout) (bool, error) {
	if r.State != Running {
		return false, nil
	}
	return d.each(ctx, func(ctx context.Context, now time.Time) ([]Place, error) { return toDate(ctx, d.DB, r.ID, now, batch) },
		func(ctx context.Context, tx *db.Tx, was Place) error {
			w, ok := r.Wave(was.Wave)
			if !ok || was.come(tx.Now) {
				return fault.Conflict
			}
			_, l, err := localOf(ctx, tx, was.Site)
			if err != nil {
				return err
			}
			to := was.date(w, l, tx.Now)
			to.GatedAt = time.Time{}
			if err := write(ctx, tx, was, to); err != nil {
				return err
			}
			if to.At.Equal(was.At) {
				return nil
			}
			return d.tellDate(ctx, tx, audit.RolloutSiteDated, system, to, "")
		})
}

// takeOut takes out every date to come of a paused rollout.
func (d *Desk) takeOut(ctx context.Context, r Rollout) (bool, error) {
	if r.State != Paused {
		return false, nil
	}
	return d.each(ctx, func(ctx context.Context, now time.Time) ([]Place, error) {
		return toTakeOut(ctx, d.DB, r.ID, now, batch)
	},
		func(ctx context.Context, tx *db.Tx, was Place) error {
			if was.come(tx.Now) {
				return fault.Conflict
			}
			to := was.takeOut(TakenOut)
			if err := write(ctx, tx, was, to); err != nil {
				return err
			}
			return d.tellDate(ctx, tx, audit.RolloutSitePaused, system, to, "")
		})
}

// rollBack returns the sites of waves that were rolled back to preparing.
func (d *Desk) rollBack(ctx context.Context, r Rollout) (bool, error) {
	if !r.begun() {
		return false, nil
	}
	return d.each(ctx, func(ctx context.Context, _ time.Time) ([]Place, error) { return toRollBack(ctx, d.DB, r.ID, batch) },
		func(ctx context.Context, tx *db.Tx, was Place) error {
			to := was.takeOut(RolledBack)
			if err := write(ctx, tx, was, to); err != nil {
				return err
			}
			return d.tellDate(ctx, tx, audit.RolloutSiteBack, system, to, "")
		})
}

// tellDate records in a site's trail what became of its date, and tells its admins.
func (d *Desk) tellDate(ctx context.Context, tx *db.Tx, kind audit.Kind, by audit.Actor, p Place, why string) error {
	facts := map[string]string{"rollout": string(p.Rollout)}
	if !p.At.IsZero() {
		facts["date"] = p.At.UTC().Format(time.RFC3339)
	}
	e := audit.Event{Kind: kind, Actor: by, Site: p.Site, Facts: facts}
	switch {
	case kind == audit.RolloutSiteExtended: // what somebody typed may be about a person
		e.Personal = map[string]string{"reason": why}
		if by.Kind == audit.ActorStaff {
			e.User = id.User(by.ID)
		}
	case why != "":
		facts["why"] = why
	}
	if err := audit.Record(ctx, tx, e); err != nil {
		return fmt.Errorf("record a site's date: %w", err)
	}
	if p.At.IsZero() && kind == audit.RolloutSitePlaced {
		return nil // there is nothing to tell yet
	}
	n := message.Notice{Site: p.Site, Kind: noticeOf(kind), Words: map[string]string{"at": facts["date"]}}
	admins, err := site.Admins(ctx, tx, tx.Now, p.Site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, n.User = range admins {
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin: %w", err)
		}
	}
	return nil
}

// noticeOf is what the admins are told of what is recorded.
func noticeOf(kind audit.Kind) message.NoticeKind {
	switch kind { //nolint:exhaustive // the others tell a date
	case audit.RolloutSitePaused:
		return message.RolloutPaused
	case audit.RolloutSiteBack:
		return message.RolloutBack
	}
	return message.RolloutDated
}
