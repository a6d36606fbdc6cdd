package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
)

const (
	// reasonLeast and reasonMost bound a reason, in characters.
	reasonLeast, reasonMost = 10, 300
	// MostClosed bounds the closed days of a site.
	MostClosed = 60
)

func reasonable(text string) (string, bool) {
	text = strings.Join(strings.Fields(text), " ")
	n := utf8.RuneCountInString(text)
	return text, n >= reasonLeast && n <= reasonMost
}

// Reasonable says whether a text can be a reason: 10 to 300 characters.
func Reasonable(text string) bool {
	_, ok := reasonable(text)
	return ok
}

// current takes the rollout that has not ended, in one of the states; false if it is in
// none of them.
func current(ctx context.Context, tx *db.Tx, in ...State) (Rollout, bool, error) {
	r, err := take(ctx, tx)
	if errors.Is(err, fault.NotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("find the rollout: %w", err)
	}
	if r.Waves, err = waves(ctx, tx, r.ID); err != nil {
		return r, false, fmt.Errorf("read the waves of a rollout: %w", err)
	}
	return r, slices.Contains(in, r.State), nil
}

// Digest names what would be started: the second person confirms what the first one saw,
// and nothing that was changed since.
func (r Rollout) Digest() string {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%q %q", r.Name, r.Owner) // a hash takes everything
	for _, w := range r.Waves {
		_, _ = fmt.Fprintf(sum, " %d %q %q %q %s", w.Number, w.Name, w.Pick.By, w.Pick.Value, w.Day)
	}
	if r.Tolerance != UsualTolerance { // what was proposed before there was another stays as it was
		_, _ = fmt.Fprintf(sum, " tolerance %d", r.Tolerance)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// MayStart says whether a draft could be started now: it is still the one with this
// digest, and its days are far enough off.
func MayStart(ctx context.Context, from db.Reader, now time.Time, which id.Rollout, digest string) (bool, error) {
	r, there, err := Live(ctx, from)
	if err != nil || !there || r.ID != which || r.State != Draft || len(r.Waves) == 0 || r.Digest() != digest {
		return false, err
	}
	return fit(r.Waves[0].Day, calendar.On(now, time.UTC)) == "", nil
}

// Begin starts a draft, in the transaction in which a second person confirms it. The sites
// get their places aside. fault.Conflict if it cannot be started any more.
func (d *Desk) Begin(ctx context.Context, tx *db.Tx, by authority.Bearer, which id.Rollout, digest string) error {
	ok, err := MayStart(ctx, tx, tx.Now, which, digest)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("start a rollout: %w", fault.Conflict)
	}
	if err := begin(ctx, tx, which); err != nil {
		return fmt.Errorf("start a rollout: %w", err)
	}
	if err := note(ctx, tx, audit.RolloutStarted, by.Actor(), which, nil); err != nil {
		return err
	}
	return d.Jobs.Put(ctx, tx, job.Bulk, Job{})
}

// Pause takes out every date that has not come. Any member of staff may, at once: it keeps
// things as they are. Those whose date has come stay enforced.
func (d *Desk) Pause(ctx context.Context, by By) (Refused, error) {
	refused, err := d.do(ctx, by, false, func(tx *db.Tx) (Refused, error) {
		r, ok, err := current(ctx, tx, Running)
		if err != nil || !ok {
			return WrongState, err
		}
		return "", d.stop(ctx, tx, r, by.actor(), by.name(), "")
	})
	if err != nil || refused != "" {
		return refused, err
	}
	return "", d.Step(ctx) // those whose date is nearest, before the answer
}

// stop pauses a rollout.
func (d *Desk) stop(ctx context.Context, tx *db.Tx, r Rollout, by audit.Actor, name, why string) error {
	if err := pause(ctx, tx, r.ID, name, why); err != nil {
		return fmt.Errorf("pause a rollout: %w", err)
	}
	if err := note(ctx, tx, audit.RolloutPaused, by, r.ID, map[string]string{"why": why}); err != nil {
		return err
	}
	return d.Jobs.Put(ctx, tx, job.Bulk, Job{})
}

// Resume gives back the dates that a pause took out, and lets the brake begin to count
// anew. A wave whose day has gone, or is less than a week off, gets the next Tuesday from
// a week on, and those after it follow. It takes a fresh proof.
func (d *Desk) Resume(ctx context.Context, by By) (Refused, error) {
	return d.do(ctx, by, true, func(tx *db.Tx) (Refused, error) {
		r, ok, err := current(ctx, tx, Paused)
		if err != nil || !ok {
			return WrongState, err
		}
		if err := resume(ctx, tx, r.ID); err != nil {
			return "", fmt.Errorf("resume a rollout: %w", err)
		}
		if err := d.follow(ctx, tx, r, by.actor()); err != nil {
			return "", err
		}
		if err := note(ctx, tx, audit.RolloutResumed, by.actor(), r.ID, nil); err != nil {
			return "", err
		}
		return "", d.Jobs.Put(ctx, tx, job.Bulk, Job{})
	})
}

// follow moves the waves whose day is too near for those that wait for it.
func (d *Desk) follow(ctx context.Context, tx *db.Tx, r Rollout, by audit.Actor) error {
	least := calendar.On(tx.Now, time.UTC).Add(7)
	for _, w := range r.Waves {
		waits, err := waiting(ctx, tx, r.ID, w.Number)
		if err != nil {
			return fmt.Errorf("count who waits for a date: %w", err)
		}
		began, err := firstCome(ctx, tx, r.ID, w.Number, tx.Now)
		if err != nil {
			return fmt.Errorf("read whether a wave has begun: %w", err)
		}
		if waits == 0 || w.State != Planned || !began.IsZero() {
			continue // one that has begun keeps its day; its last sites get one of their own
		}
		if !w.Day.Before(least) {
			least = w.Day.Add(1)
			continue
		}
		to := calendar.Usual(least, calendar.Tuesday)
		if err := moveWave(ctx, tx, r.ID, w, to); err != nil {
			return fmt.Errorf("move a wave: %w", err)
		}
		err = note(ctx, tx, audit.RolloutWaveMoved, by, r.ID, map[string]string{
			"wave": strconv.Itoa(w.Number), "day_was": w.Day.String(), "day": to.String(), "why": "resumed",
		})
		if err != nil {
			return err
		}
		least = to.Add(1)
	}
	return nil
}

// Move gives a wave another day: one that has not begun, or that was rolled back. It takes
// a fresh proof.
func (d *Desk) Move(ctx context.Context, by By, number int, to calendar.Day) (Refused, error) {
	return d.do(ctx, by, true, func(tx *db.Tx) (Refused, error) {
		r, ok, err := current(ctx, tx, Running, Paused)
		if err != nil || !ok {
			return WrongState, err
		}
		w, ok := r.Wave(number)
		if !ok {
			return WrongState, nil
		}
		if refused := fit(to, calendar.On(tx.Now, time.UTC)); refused != "" {
			return refused, nil
		}
		began, err := firstCome(ctx, tx, r.ID, number, tx.Now)
		if err != nil {
			return "", fmt.Errorf("read whether a wave has begun: %w", err)
		}
		if w.State == Planned && !began.IsZero() {
			return TooLate, nil
		}
		if to == w.Day && w.State == Planned {
			return "", nil
		}
		// With a day the wave is back no more, and the sites that the roll back has not reached
		// would stay asked.
		if left, err := undone(ctx, tx, r.ID, number); err != nil || left {
			return GoingBack, wrapUndone(err)
		}
		if err := moveWave(ctx, tx, r.ID, w, to); err != nil {
			return "", fmt.Errorf("move a wave: %w", err)
		}
		err = note(ctx, tx, audit.RolloutWaveMoved, by.actor(), r.ID, map[string]string{
			"wave": strconv.Itoa(number), "day_was": w.Day.String(), "day": to.String(), "why": "chosen",
		})
		if err != nil {
			return "", err
		}
		return "", d.Jobs.Put(ctx, tx, job.Bulk, Job{})
	})
}

func wrapUndone(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look whether a roll back is done: %w", err)
}

// MayRollBack says whether some site of a wave came to its date less than 7 days ago.
func MayRollBack(ctx context.Context, from db.Reader, now time.Time, which id.Rollout, number int) (bool, error) {
	r, there, err := Live(ctx, from)
	if err != nil || !there || r.ID != which || !r.begun() {
		return false, err
	}
	w, ok := r.Wave(number)
	if !ok || w.State != Planned {
		return false, nil
	}
	last, err := lastCome(ctx, from, r.ID, number, now)
	if err != nil {
		return false, fmt.Errorf("read when a wave began: %w", err)
	}
	return !last.IsZero() && now.Before(last.Add(BackFor)), nil
}

// RollBack returns a wave to preparing, in the transaction in which a second person
// confirms it: its sites whose date came less than 7 days ago, and those whose date is to
// come. What their people enrolled stays. fault.Conflict if that cannot be any more.
func (d *Desk) RollBack(ctx context.Context, tx *db.Tx, by authority.Bearer, which id.Rollout, number int) error {
	ok, err := MayRollBack(ctx, tx, tx.Now, which, number)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("roll a wave back: %w", fault.Conflict)
	}
	if err := backWave(ctx, tx, which, number); err != nil {
		return fmt.Errorf("roll a wave back: %w", err)
	}
	err = note(ctx, tx, audit.RolloutWaveBack, by.Actor(), which, map[string]string{"wave": strconv.Itoa(number)})
	if err != nil {
		return err
	}
	return d.Jobs.Put(ctx, tx, job.Bulk, Job{})
}

// Extend moves one site's date to a later day, or the next on which the site is open: 30
// days after the day that its wave gave it at most, what it was held back included. It
// takes a fresh proof. fault.NotFound if the rollout has no such site.
func (d *Desk) Extend(ctx context.Context, by By, at id.Site, to calendar.Day, reason string) (Refused, error) {
	why, fits := reasonable(reason)
	return d.do(ctx, by, true, func(tx *db.Tx) (Refused, error) {
		r, ok, err := current(ctx, tx, Running)
		if err != nil || !ok {
			return WrongState, err
		}
		was, err := placeOf(ctx, tx, r.ID, at)
		if err != nil {
			return "", fmt.Errorf("find a site's place: %w", err)
		}
		_, l, err := localOf(ctx, tx, at)
		if err != nil {
			return "", err
		}
		to := l.rules.First(to)
		switch {
		case !fits:
			return NoReason, nil
		case was.Dated != Stored || was.come(tx.Now):
			return TooLate, nil
		case !to.After(was.last()):
			return WrongDay, nil
		case was.First.Until(to) > MostDelay:
			return TooLong, nil
		}
		next := was
		next.Extended, next.ExtendedWhy, next.ExtendedBy = to, why, by.name()
		next.At, next.GatedAt = next.last().Morning(l.zone), time.Time{}
		if err := write(ctx, tx, was, next); err != nil {
			if errors.Is(err, errAstray) {
				return WrongState, nil
			}
			return "", err
		}
		return "", d.tellDate(ctx, tx, audit.RolloutSiteExtended, by.actor(), next, why)
	})
}

// Close stores the days on which a site is closed beside its country's holidays, 60 at
// most, in place of those before. A date to come that falls on one moves on. It takes a
// fresh proof. fault.NotFound if there is no such site, fault.Invalid for more days.
func (d *Desk) Close(ctx context.Context, by By, at id.Site, days []calendar.Day) (Refused, error) {
	if len(days) > MostClosed {
		return "", fmt.Errorf("close a site on %d days: %w", len(days), fault.Invalid)
	}
	return d.do(ctx, by, true, func(tx *db.Tx) (Refused, error) {
		s, _, err := localOf(ctx, tx, at)
		if err != nil {
			return "", err
		}
		seen := map[calendar.Day]bool{}
		var all []calendar.Day
		var words []string
		for _, one := range days {
			if !seen[one] {
				seen[one], all, words = true, append(all, one), append(words, one.String())
			}
		}
		if err := replaceClosed(ctx, tx, at, all); err != nil {
			return "", fmt.Errorf("store the closed days of a site: %w", err)
		}
		r, there, err := Live(ctx, tx)
		if err != nil {
			return "", err
		}
		if there {
			if err := recount(ctx, tx, r.ID, s.ID); err != nil {
				return "", fmt.Errorf("count a site's day anew: %w", err)
			}
		}
		err = audit.Record(ctx, tx, audit.Event{
			Kind: audit.RolloutSiteClosed, Actor: by.actor(), Site: at, Facts: map[string]string{"days": strings.Join(words, " ")},
		})
		if err != nil {
			return "", fmt.Errorf("record the closed days of a site: %w", err)
		}
		return "", d.Jobs.Put(ctx, tx, job.Bulk, Job{})
	})
}

// End closes a rollout whose dates have all come; what they brought stays. It takes a
// fresh proof. Sites in no wave stay without a date, until a rollout to come gives them
// one.
func (d *Desk) End(ctx context.Context, by By) (Refused, error) {
	return d.do(ctx, by, true, func(tx *db.Tx) (Refused, error) {
		r, ok, err := current(ctx, tx, Running, Paused)
		if err != nil || !ok {
			return WrongState, err
		}
		open, err := openDates(ctx, tx, r.ID, tx.Now)
		if err != nil {
			return "", fmt.Errorf("count the dates to come: %w", err)
		}
		left, err := undone(ctx, tx, r.ID, 0)
		if err != nil {
			return "", wrapUndone(err)
		}
		waits, err := late(ctx, tx, r.ID, 1)
		if err != nil {
			return "", fmt.Errorf("look for sites that wait for their place: %w", err)
		}
		switch {
		case left:
			return GoingBack, nil
		case open > 0, len(waits) > 0, r.PlacedAt.IsZero():
			return Unfinished, nil
		}
		if err := end(ctx, tx, r.ID); err != nil {
			return "", fmt.Errorf("end a rollout: %w", err)
		}
		return "", note(ctx, tx, audit.RolloutEnded, by.actor(), r.ID, nil)
	})
}

// stopped tells the owner that the brake stopped the rollout.
func (d *Desk) stopped(ctx context.Context, tx *db.Tx, r Rollout, w Wave, words map[string]string) error {
	words["wave"] = w.Name
	return d.tellOwner(ctx, tx, r, message.RolloutStopped, words)
}
