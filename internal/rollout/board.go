package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
)

// Count is how the sites of a wave stand.
type Count struct {
	Wave  int
	Sites int
	// Come have come to their date, ToCome have one to come; the others have none now.
	Come, ToCome int
	// Held were held back, Extended have more time, each with the date to come.
	Held, Extended int
	// Unproved have no Admin who has proved a way that works.
	Unproved int
	// Ready, Manage and Help are their people, as they were when they were last looked at;
	// Unlooked are sites that nobody has looked at.
	Ready, Manage, Help, Unlooked int
	// First and Last are the first and the last of their dates; zero where none has one.
	First, Last time.Time
	// LastCome is the last of those that have come.
	LastCome time.Time
}

// Board is what a rollout's owner looks at.
type Board struct {
	Rollout
	OwnerName string
	// Counts are those of each wave, by its number; at 0 the sites in no wave.
	Counts map[int]Count
	// Days are how sign-ins went, a day each.
	Days []Sum
	// Shadow is how the people of sites that prepare would have fared, Would the sites where
	// most would have been stuck.
	Shadow plan.Rehearsal
	Would  []Named[plan.Rehearsal]
	// Stuck are those whose sign-in at a site in a wave leads nowhere now.
	Stuck []Named[plan.Outcome]
	// Brake is what the brake saw last of each wave that it watches; Stops when it stopped.
	Brake []Seen
	Stops []Seen
}

// Named is something about a site, with what the site is called.
type Named[T any] struct {
	Of        T
	Site      id.Site
	Name, Ref string
	Zone      *time.Location
}

// Sum is how the sign-ins of one day went: at the sites of a wave, and at those whose date
// is to come. The day is each site's own.
type Sum struct {
	Day           string
	Wave, Control Fared
}

// Fared counts people, each once a day: Passed were in within three minutes, Late later on,
// Stuck not at all. They are all of SignIns; of those Asked were asked for a second factor.
type Fared struct{ SignIns, Asked, Passed, Late, Stuck int }

const (
	// boardDays is how many days the board's chart has.
	boardDays = 14
	// boardRows bounds the board's lists of sites and people.
	boardRows = 10
	// stuckFor is how long somebody is called stuck now.
	stuckFor = 12 * time.Hour
	// brakeRows is how much of the brake's history is read.
	brakeRows = 400
)

// Board gives the board of the rollout that has not ended; false if there is none.
// fault.NotFound for whoever is not staff.
func (d *Desk) Board(ctx context.Context, by authority.Bearer) (b Board, there bool, err error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return b, false, err
	}
	return d.board(ctx, now)
}

// Status is the board for whoever is at the machine.
func (d *Desk) Status(ctx context.Context) (Board, bool, error) {
	return d.board(ctx, d.DB.Clock.Now())
}

func (d *Desk) board(ctx context.Context, now time.Time) (b Board, there bool, err error) {
	if b.Rollout, there, err = Live(ctx, d.DB); err != nil || !there {
		return b, false, err
	}
	if b.OwnerName, err = ownerName(ctx, d.DB, b.Owner); err != nil {
		return b, false, fmt.Errorf("read who owns a rollout: %w", err)
	}
	if b.State == Draft {
		return b, true, d.preview(ctx, &b)
	}
	all, err := counts(ctx, d.DB, b.ID, now)
	if err != nil {
		return b, false, fmt.Errorf("count the sites of a rollout: %w", err)
	}
	b.Counts = map[int]Count{}
	for _, c := range all {
		b.Counts[c.Wave] = c
	}
	for _, read := range []func(context.Context, time.Time, *Board) error{d.readDays, d.readShadow, d.readStuck, d.readBrake} {
		if err := read(ctx, now, &b); err != nil {
			return b, false, err
		}
	}
	return b, true, nil
}

// preview counts what a draft's waves would pick if it started now.
func (d *Desk) preview(ctx context.Context, b *Board) error {
	all, err := candidates(ctx, d.DB)
	if err != nil {
		return fmt.Errorf("list connected sites: %w", err)
	}
	which := newPicker(b.Waves)
	b.Counts = map[int]Count{}
	for _, one := range all {
		number := which.wave(one.picked)
		c := b.Counts[number]
		c.Wave = number
		c.Sites++
		c.Ready, c.Manage, c.Help = c.Ready+one.ready, c.Manage+one.manage, c.Help+one.help
		switch {
		case !one.looked:
			c.Unlooked++
		case !one.proved:
			c.Unproved++
		}
		b.Counts[number] = c
	}
	return nil
}

func (d *Desk) readDays(ctx context.Context, now time.Time, b *Board) error {
	since := now.AddDate(0, 0, -boardDays)
	if b.BeganAt.After(since) {
		since = b.BeganAt
	}
	all, err := plan.Counts(ctx, d.DB, now, since)
	if err != nil {
		return err
	}
	for _, c := range all { // by day
		if len(b.Days) == 0 || b.Days[len(b.Days)-1].Day != c.Day {
			b.Days = append(b.Days, Sum{Day: c.Day})
		}
		day := &b.Days[len(b.Days)-1]
		switch c.Phase {
		case policy.InWave:
			day.Wave.add(c)
		case policy.Preparing:
			day.Control.add(c)
		case policy.Outside, policy.Settled:
		}
	}
	return nil
}

func (f *Fared) add(c plan.Count) {
	f.SignIns, f.Asked, f.Passed, f.Late, f.Stuck = f.SignIns+c.SignIns, f.Asked+c.Asked, f.Passed+c.Passed, f.Late+c.Late, f.Stuck+c.Stuck
}

func (d *Desk) readShadow(ctx context.Context, now time.Time, b *Board) error {
	all, err := plan.Rehearsals(ctx, d.DB, now.Add(-plan.Lately))
	if err != nil {
		return err
	}
	var worst []plan.Rehearsal
	for _, one := range all {
		b.Shadow.People, b.Shadow.Asked, b.Shadow.Stuck = b.Shadow.People+one.People, b.Shadow.Asked+one.Asked, b.Shadow.Stuck+one.Stuck
		if one.Stuck > 0 {
			worst = append(worst, one)
		}
	}
	b.Would, err = named(ctx, d.DB, most(worst, func(r plan.Rehearsal) int { return r.Stuck }), func(r plan.Rehearsal) id.Site { return r.Site })
	return err
}

func (d *Desk) readStuck(ctx context.Context, now time.Time, b *Board) error {
	all, err := plan.StuckNow(ctx, d.DB, now, now.Add(-stuckFor), boardRows)
	if err != nil {
		return err
	}
	b.Stuck, err = named(ctx, d.DB, all, func(o plan.Outcome) id.Site { return o.Site })
	return err
}

func (d *Desk) readBrake(ctx context.Context, now time.Time, b *Board) error {
	all, err := History(ctx, d.DB, b.ID, brakeRows)
	if err != nil {
		return err
	}
	seen := map[int]bool{}
	for _, one := range all { // the newest first
		if one.Stopped != "" && len(b.Stops) < boardRows {
			b.Stops = append(b.Stops, one)
		}
		if !seen[one.Wave] && now.Sub(one.At) < BackFor {
			b.Brake = append(b.Brake, one)
		}
		seen[one.Wave] = true
	}
	return nil
}

// Only is which sites of a rollout are listed.
type Only string

// The lists.
const (
	Every        Only = ""
	OnlyHeld     Only = "held"
	OnlyExtended Only = "extended"
	OnlyUnproved Only = "unproved"
	OnlyHelp     Only = "help"
)

// Query chooses among the sites of a rollout.
type Query struct {
	// Wave is the number of a wave; below zero: all of them. 0 are the sites in none.
	Wave int
	Only Only
	// Find is a part of the name or the beginning of the reference.
	Find string
	// After is the reference after which the list goes on.
	After string
}

// Row is one site of a rollout.
type Row struct {
	Place
	Name, Ref, Region string
	Zone              *time.Location
	Manager           string
	// Looked says that the counts are known.
	Looked              bool
	Ready, Manage, Help int
	AdminProved         bool
}

// Begun says that 2FA is required at the site by its date.
func (r Row) Begun(now time.Time) bool { return !r.At.IsZero() && !r.At.After(now) }

// PageOfSites is how many sites a list has.
const PageOfSites = 25

// Sites lists sites of the rollout by their references, one more than a page of them if
// there are more. fault.NotFound for whoever is not staff.
func (d *Desk) Sites(ctx context.Context, by authority.Bearer, q Query) ([]Row, error) {
	if err := authority.Staff(ctx, d.DB, d.DB.Clock.Now(), by); err != nil {
		return nil, err
	}
	r, there, err := Live(ctx, d.DB)
	if err != nil || !there {
		return nil, err
	}
	all, err := rows(ctx, d.DB, r.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list the sites of a rollout: %w", err)
	}
	return all, nil
}

// ExtendedWhy says why a site was given more time by the latest rollout that gave it some,
// and what gave it, as a word: staff. Both are empty where none did.
func ExtendedWhy(ctx context.Context, from db.Reader, at id.Site) (reason, by string, err error) {
	reason, err = extendedWhy(ctx, from, at)
	if errors.Is(err, fault.NotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read why a site has more time: %w", err)
	}
	return reason, string(audit.ActorStaff), nil
}

// Gated says whether the gate moved the date that a site has in the rollout that has not
// ended: none of its Admins was sure to get in.
func Gated(ctx context.Context, from db.Reader, at id.Site) (bool, error) {
	n, err := timesHeld(ctx, from, at)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read whether a site was held back: %w", err)
	}
	return n > 0, nil
}

// Site gives one site of the rollout, with its closed days. fault.NotFound for whoever is
// not staff, and if the rollout has no such site.
func (d *Desk) Site(ctx context.Context, by authority.Bearer, at id.Site) (Row, []calendar.Day, error) {
	if err := authority.Staff(ctx, d.DB, d.DB.Clock.Now(), by); err != nil {
		return Row{}, nil, err
	}
	one, err := rowOf(ctx, d.DB, at)
	if err != nil {
		return one, nil, fmt.Errorf("find a site of the rollout: %w", err)
	}
	closed, err := closedDays(ctx, d.DB, at)
	if err != nil {
		return one, nil, fmt.Errorf("read the closed days of a site: %w", err)
	}
	return one, closed, nil
}
