// Package rollout turns 2FA on for the sites that were connected to Xero before it began,
// in waves, each on a day that is known beforehand, at 4 am of each site's own time. One
// rollout is one "update" of the vendor. There is one at a time.
//
//	draft ── two members of staff start it ──▶ running ◀──resume── paused
//	                                             │  └──pause, or the brake──▶ │
//	                                             └───────── end ──▶ ended ◀───┘
//
// What the policy reads of it is the site's row in plans (package plan). This package
// writes those rows, in small transactions, each with the entry in the site's own audit
// trail and the notices to its admins. What a rollout should be stands in the rows of the
// rollout and its waves; a step that runs every minute, and after each change, brings the
// sites to that state, those whose date is nearest first. So a node that is killed half
// way leaves nothing to be mended, and two nodes do the same work once.
//
// A date that has come writes nothing and is kept to: only a roll back, which takes two
// people, ends what has begun. Every change of a date is refused in the last minute before
// it (margin): what was read as enforced is never un-enforced by a transaction that was
// under way.
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
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/readiness"
	"keyturn/internal/standing"
)

const (
	// margin is how long before a date nothing moves it any more. It is longer than a
	// transaction may live.
	margin = time.Minute
	// soonest is the least time between the writing of a date and the date, when it is
	// written anew: nobody is surprised overnight. Less than a day, so that a wave which is
	// moved by one in the hour before its morning, on a day of 23 hours, keeps the next one.
	soonest = 20 * time.Hour
	// LeastNotice is how many days lie between the start of a rollout and its first wave,
	// at least.
	LeastNotice = 2
	// prepareFor is how long before its date a site's people begin to be told: with the
	// first of the mails before the date (product: 30, 14, 7 and 1 days).
	prepareFor = 30 * 24 * time.Hour
	// MostDelay is how many days a site is held back or extended, both together, after the
	// day that its wave gave it.
	MostDelay = 30
	// BackFor is how long after its date a wave can be rolled back.
	BackFor = 7 * 24 * time.Hour
	// MostWaves bounds the waves of a rollout.
	MostWaves = 20
)

// State is where a rollout stands.
type State string

// The states.
const (
	Draft   State = "draft"
	Running State = "running"
	Paused  State = "paused"
	Ended   State = "ended"
)

// Rollout is one programme.
type Rollout struct {
	ID   id.Rollout
	Name string
	// Owner is the member of staff who is told what it does.
	Owner   id.User
	State   State
	MadeAt  time.Time
	BeganAt time.Time
	// PlacedTo is the last site that has its place, PlacedAt when all had.
	PlacedTo id.Site
	PlacedAt time.Time
	// PausedAt is when it was paused last; PausedBy is the name of who did it, or Brake;
	// PausedWhy is what the brake saw.
	PausedAt            time.Time
	PausedBy, PausedWhy string
	// WatchedFrom is from when on the brake counts sign-ins.
	WatchedFrom time.Time
	// Tolerance is how much more often than the others a wave may fail before the brake stops
	// it, of a hundred sign-ins.
	Tolerance int
	EndedAt   time.Time
	Waves     []Wave
}

// The tolerance of the brake, of a hundred sign-ins: what it is unless another is asked for,
// and the most. Beyond it the ceiling of the brake stops a wave first.
const (
	UsualTolerance = 2
	MostTolerance  = 10
)

// Brake is who paused a rollout whose sign-ins failed.
const Brake = "brake"

// PickBy is how the sites of a wave are picked. A site belongs to the first wave that
// picks it.
type PickBy string

// The ways to pick. What the value of each says stands beside it.
const (
	// ByList: the references of sites, with spaces between them.
	ByList PickBy = "list"
	// ByRegion: a country, AU, NZ, GB or US.
	ByRegion PickBy = "region"
	// ByManager: the address of an account manager.
	ByManager PickBy = "manager"
	// ByShare: 1 to 100, that many of a hundred of the sites that no wave before picked. Which
	// they are is the same whenever it is asked.
	ByShare PickBy = "share"
	// ByReadiness: 1 to 100, the sites of whose office people at least that many of a hundred
	// are ready when the rollout starts.
	ByReadiness PickBy = "readiness"
)

// Pick is how the sites of a wave are picked.
type Pick struct {
	By    PickBy
	Value string
}

// WaveState is where a wave stands.
type WaveState string

// The states of a wave.
const (
	// Planned: its sites have its day, or will have.
	Planned WaveState = "planned"
	// Back: it was rolled back, and has no day until it is given one.
	Back WaveState = "back"
)

// Wave is some of a rollout's sites, with their day.
type Wave struct {
	Number int // from 1
	Name   string
	Pick   Pick
	// Day is the day of the wave; a site that is not open then has the next one on which it
	// is.
	Day    calendar.Day
	State  WaveState
	BackAt time.Time
}

// Refused is why nothing was done; empty if it was.
type Refused string

// The refusals.
const (
	// NotFresh says that the member must prove again who they are.
	NotFresh Refused = "not_fresh"
	// Busy says that there is another rollout that has not ended.
	Busy Refused = "busy"
	// WrongState says that the rollout is not in a state in which this can be done.
	WrongState Refused = "state"
	// NoName says that a name is missing or too long.
	NoName Refused = "name"
	// NoOwner says that the owner is no member of staff.
	NoOwner Refused = "owner"
	// NoWaves says that there is no wave, or there are too many.
	NoWaves Refused = "waves"
	// WrongPick says that a wave picks its sites in a way that there is not.
	WrongPick Refused = "pick"
	// NoSuchSite says that the list of a wave names a site that there is not (Strangers).
	NoSuchSite Refused = "no_such_site"
	// WrongDay says that a day is too soon, or not after that of the wave before.
	WrongDay Refused = "day"
	// WrongTolerance says that the brake cannot have this tolerance.
	WrongTolerance Refused = "tolerance"
	// BadDay says that a wave's day is a Friday, or at a weekend.
	BadDay Refused = "friday"
	// NoReason says that the reason is too short or too long.
	NoReason Refused = "reason"
	// TooLong says that the end lies more than 30 days after the day that the wave gave.
	TooLong Refused = "too_long"
	// TooLate says that the date has come, or is a minute away.
	TooLate Refused = "too_late"
	// Proposed says that it is proposed already, and waits for a second person.
	Proposed Refused = "proposed"
	// Unfinished says that dates are still to come.
	Unfinished Refused = "unfinished"
	// GoingBack says that a roll back has not reached all of its sites yet.
	GoingBack Refused = "going_back"
)

// Desk runs rollouts. DB, Post, Jobs and Standing are set.
type Desk struct {
	DB       *db.DB
	Post     *message.Post
	Jobs     *job.Queue
	Standing standing.Source
	// Unhealthy says which channel delivers badly now; empty if all is well. nil: nobody
	// measures.
	Unhealthy func() string

	// watches are the brakes of this node; they may be lost at any time.
	watches watches
}

// ready reads how ready a site's people are.
func (d *Desk) ready() readiness.Source { return readiness.Source{Standing: d.Standing} }

// By is who does something: a member of staff, or whoever is at the machine, who has
// proved nothing and could change the database itself.
type By struct {
	Staff   authority.Bearer
	Command audit.Actor
	// Name is what the operator at the machine is called.
	Name string
}

func (b By) operator() bool { return b.Command.Kind != "" }

func (b By) actor() audit.Actor {
	if b.operator() {
		return b.Command
	}
	return b.Staff.Actor()
}

func (b By) name() string {
	if b.operator() {
		return b.Name
	}
	return b.Staff.User.Name()
}

// System is what the step does by itself, in the audit trail.
var system = audit.Actor{Kind: audit.ActorSystem, ID: "rollout"}

// do runs a change for whoever may make it: fault.NotFound for whoever is not staff. With
// fresh it takes a fresh proof.
func (d *Desk) do(ctx context.Context, by By, fresh bool, change func(tx *db.Tx) (Refused, error)) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		if refused, err = d.may(ctx, tx, by, fresh); err != nil || refused != "" {
			return err
		}
		refused, err = change(tx)
		return err
	})
	if errors.Is(err, fault.Conflict) {
		return WrongState, nil // somebody else was first
	}
	return refused, err
}

func (d *Desk) may(ctx context.Context, tx *db.Tx, by By, fresh bool) (Refused, error) {
	if by.operator() {
		return "", nil
	}
	if err := authority.Staff(ctx, tx, tx.Now, by.Staff); err != nil || !fresh {
		return "", err
	}
	ok, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by.Staff)
	if err != nil || ok {
		return "", err
	}
	return NotFresh, nil
}

// Live gives the rollout that has not ended, with its waves; false if there is none.
func Live(ctx context.Context, from db.Reader) (Rollout, bool, error) {
	r, err := live(ctx, from)
	if errors.Is(err, fault.NotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read the rollout: %w", err)
	}
	r.Waves, err = waves(ctx, from, r.ID)
	if err != nil {
		return r, false, fmt.Errorf("read the waves of a rollout: %w", err)
	}
	return r, true, nil
}

// Wave gives a wave by its number; false if there is none.
func (r Rollout) Wave(number int) (Wave, bool) {
	if number < 1 || number > len(r.Waves) {
		return Wave{}, false
	}
	return r.Waves[number-1], true
}

// begun says whether its dates are, or were, to be kept to.
func (r Rollout) begun() bool { return r.State == Running || r.State == Paused }
