// Package check answers, for every request, whether a session may go on: the session,
// the facts of its owner, and the policy over both.
//
// It reads; what it has to write (the last use, the time of the next decision) is
// written aside, so that no request waits for a write and a database that can only be
// read stops nobody who is in.
package check

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

const (
	// seenEvery is how exactly the last use is known: a session that is used all the
	// time is written once in that time.
	seenEvery = time.Minute
	// writeEvery is how often what was put aside is written.
	writeEvery = time.Second
)

// State is how a session stands.
type State string

// The states.
const (
	// Out says that there is no session, or that it is over.
	Out State = "out"
	// Locked says that it rested too long and goes on after the password.
	Locked State = "locked"
	// More says that more is required of it now than was passed.
	More State = "more"
	// In says that it may go on.
	In State = "in"
)

// Answer is how a session stands, and whose it is.
type Answer struct {
	State   State
	Session session.Session
	User    user.User
	// Decision is the policy's, where it was asked; of a session that goes on as it
	// was decided before, it is the zero value.
	Decision policy.Decision
}

// Checker answers for sessions. Run must be running for last uses to be written.
type Checker struct {
	DB       *db.DB
	Standing standing.Source
	Log      *slog.Logger

	mu      sync.Mutex
	seen    map[id.Session]use
	decided map[id.Session]ruling
}

type use struct {
	who id.User
	at  time.Time
}

type ruling struct {
	session session.Session
	epoch   int64
	next    time.Time
}

// Of says how the session of a browser's token stands now. One of a mobile app opens
// nothing here, whoever carries its token to the web (I9).
func (c *Checker) Of(ctx context.Context, token string) (Answer, error) {
	return c.ofToken(ctx, token, func(client string) bool { return client != string(policy.ClientMobile) })
}

// OfApp is Of for the session of somebody who signs in to a mobile app, and for no other.
func (c *Checker) OfApp(ctx context.Context, token string) (Answer, error) {
	return c.ofToken(ctx, token, func(client string) bool { return client == string(policy.ClientMobile) })
}

func (c *Checker) ofToken(ctx context.Context, token string, fits func(client string) bool) (Answer, error) {
	if token == "" {
		return Answer{State: Out}, nil
	}
	s, err := session.ByToken(ctx, c.DB, token)
	if errors.Is(err, fault.NotFound) {
		return Answer{State: Out}, nil
	}
	if err != nil {
		return Answer{}, fmt.Errorf("find a session: %w", err)
	}
	if !fits(s.Client) {
		return Answer{State: Out}, nil
	}
	return c.OfSession(ctx, s)
}

// locks says whether a session locks when it rests. That of a mobile app in which the
// password alone was asked does not: no inactivity limit is set for one factor (NIST SP
// 800-63B-4, section 2.1.3), and its end is fixed.
func locks(s session.Session) bool {
	return s.Client != string(policy.ClientMobile) || s.Factor != ""
}

// OfSession says how a session stands now that was found by another name than its token:
// that of the tokens that applications hold.
func (c *Checker) OfSession(ctx context.Context, s session.Session) (Answer, error) {
	now := c.DB.Clock.Now()
	siteEpoch, alive, err := c.alive(ctx, s)
	if err != nil {
		return Answer{}, err
	}
	if !alive || s.Over(now) {
		return Answer{State: Out}, nil
	}
	who, err := user.ByID(ctx, c.DB, s.User)
	if err != nil {
		return Answer{}, fmt.Errorf("find a user: %w", err)
	}
	a := Answer{State: In, Session: s, User: who}
	rested := s
	rested.SeenAt = c.lastUse(s)
	if locks(s) && rested.Locked(now) {
		a.State = Locked
		return a, nil
	}
	forgotten, err := c.forgotten(ctx, s, now)
	if err != nil {
		return Answer{}, err
	}
	if forgotten || s.SiteEpoch != siteEpoch || (!s.DecideAt.IsZero() && !now.Before(s.DecideAt)) {
		if err := c.decide(ctx, &a, siteEpoch, now); err != nil {
			return Answer{}, err
		}
	}
	if a.State == In {
		c.use(s, now)
	}
	return a, nil
}

// forgotten says that a remembered device let the session in and is remembered no more.
func (c *Checker) forgotten(ctx context.Context, s session.Session, now time.Time) (bool, error) {
	if s.Device == "" {
		return false, nil
	}
	_, err := session.DeviceByID(ctx, c.DB, s.User, s.Device, now)
	if errors.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("find a remembered device: %w", err)
	}
	return false, nil
}

// alive compares the numbers that a session was made under with the present ones: a
// change of the person or the membership ends it, a change of the site has it decided
// again.
func (c *Checker) alive(ctx context.Context, s session.Session) (siteEpoch int64, alive bool, err error) {
	of, err := epoch.Now(ctx, c.DB, epoch.User(s.User))
	if err != nil || of != s.UserEpoch {
		return 0, false, err
	}
	if s.Site == "" {
		return 0, true, nil
	}
	of, err = epoch.Now(ctx, c.DB, epoch.Member(s.Site, s.User))
	if err != nil || of != s.MemberEpoch {
		return 0, false, err
	}
	siteEpoch, err = epoch.Now(ctx, c.DB, epoch.Site(s.Site))
	return siteEpoch, true, err
}

// Decision is the policy's answer for a session as things are now: for pages that say
// why, and what is to come.
func (c *Checker) Decision(ctx context.Context, s session.Session, who user.User, now time.Time) (policy.Decision, error) {
	return c.DecisionFor(ctx, s, who, policy.Client{}, now)
}

// DecisionFor is Decision where an application asks for a level or for a fresh proof. What
// kind of client it is the session says.
func (c *Checker) DecisionFor(ctx context.Context, s session.Session, who user.User, asks policy.Client, now time.Time) (policy.Decision, error) {
	asks.Kind = policy.ClientKind(s.Client)
	asker := standing.Asker{User: who, Client: asks, Place: s.Place}
	if s.Site != "" {
		asker.Sites = []id.Site{s.Site}
	}
	if s.Factor != "" {
		asker.Passed = []policy.Pass{{Kind: policy.MethodKind(s.Factor), At: s.FactorAt}}
	}
	if s.Device != "" {
		device, err := session.DeviceByID(ctx, c.DB, s.User, s.Device, now)
		switch {
		case errors.Is(err, fault.NotFound): // forgotten meanwhile
		case err != nil:
			return policy.Decision{}, fmt.Errorf("find a remembered device: %w", err)
		default:
			asker.Remembered = standing.Remembered(device)
		}
	}
	f, err := c.Standing.Of(ctx, c.DB, now, asker)
	if err != nil {
		return policy.Decision{}, err
	}
	return policy.Decide(f, now), nil
}

// decide asks the policy again.
func (c *Checker) decide(ctx context.Context, a *Answer, siteEpoch int64, now time.Time) (err error) {
	s := a.Session
	if a.Decision, err = c.Decision(ctx, s, a.User, now); err != nil {
		return err
	}
	switch {
	case a.Decision.Outcome == policy.Refuse:
		a.State = Out
	case !a.Decision.Outcome.GoesOn():
		a.State = More
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.decided == nil {
			c.decided = make(map[id.Session]ruling)
		}
		c.decided[s.ID] = ruling{session: s, epoch: siteEpoch, next: a.Decision.ValidUntil}
	}
	return nil
}

// lastUse is the latest use that is known here, written or not.
func (c *Checker) lastUse(s session.Session) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u, ok := c.seen[s.ID]; ok && u.at.After(s.SeenAt) {
		return u.at
	}
	return s.SeenAt
}

func (c *Checker) use(s session.Session, now time.Time) {
	if now.Sub(s.SeenAt) < seenEvery {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[id.Session]use)
	}
	c.seen[s.ID] = use{who: s.User, at: now}
}

// Run writes what was put aside, every second, until ctx ends; then once more.
func (c *Checker) Run(ctx context.Context) {
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeEvery)
			defer cancel()
			c.write(last)
			return
		case <-tick.C:
			c.write(ctx)
		}
	}
}

// write stores the uses and rulings put aside so far. Until they are stored they stay
// here, so that nobody is locked out of a session in use while nothing can be written.
func (c *Checker) write(ctx context.Context) {
	c.mu.Lock()
	seen, decided := maps.Clone(c.seen), maps.Clone(c.decided)
	c.mu.Unlock()
	if len(seen) == 0 && len(decided) == 0 {
		return
	}
	err := c.DB.Do(ctx, func(tx *db.Tx) error {
		// In one order, so that two nodes that write the same sessions wait for each other.
		for _, which := range slices.Sorted(maps.Keys(seen)) {
			if err := session.Seen(ctx, tx, seen[which].who, which, seen[which].at); err != nil {
				return err
			}
		}
		for _, which := range slices.Sorted(maps.Keys(decided)) {
			r := decided[which]
			if err := session.Decided(ctx, tx, r.session, r.epoch, r.next); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.Log.WarnContext(ctx, "last uses of sessions were not written", "error", err.Error())
		return
	}
	c.forget(seen, decided)
}

// forget drops what has been written, unless a later use came in meanwhile.
func (c *Checker) forget(seen map[id.Session]use, decided map[id.Session]ruling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for which, u := range seen {
		if c.seen[which] == u {
			delete(c.seen, which)
		}
	}
	for which, r := range decided {
		if c.decided[which] == r {
			delete(c.decided, which)
		}
	}
}
