package rescue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Stopped is what a link to say stop finds.
type Stopped string

// What it may find.
const (
	// StopGone says that there is no such link.
	StopGone Stopped = ""
	// StopMay says that the recovery goes on, and may be stopped.
	StopMay Stopped = "may"
	// StopDone says that it is contested: staff decide.
	StopDone Stopped = "done"
	// StopDecided says that staff have looked at papers and decided to go on. A stop counts
	// until then: it calls for the papers, and is no veto of whoever holds the mailbox.
	StopDecided Stopped = "decided"
	// StopOver says that the recovery has ended.
	StopOver Stopped = "over"
)

// stop is one link.
type stop struct {
	user     id.User
	recovery id.Recovery
	hash     []byte
	channel  message.Channel
}

// destination is where a link to say stop goes.
type destination struct {
	channel message.Channel
	address string
	method  id.Method
}

// destinations are all mailboxes and numbers that are known of a user, those of the last 30
// days and the old login names that can be taken back included. One that is pending is left
// out: whoever put it there was in, and may be whom this is about.
func destinations(who user.User, methods []method.Method, old []address.Canonical) []destination {
	var all []destination
	add := func(to destination) {
		if !slices.ContainsFunc(all, func(d destination) bool { return d.address == to.address }) {
			all = append(all, to)
		}
	}
	for _, m := range methods {
		switch {
		case m.Pending || m.Address == "":
		case m.Kind == policy.Email:
			add(destination{message.Email, m.Address, m.ID})
		case m.Kind == policy.SMS:
			add(destination{message.SMS, m.Address, m.ID})
		}
	}
	for _, name := range append([]address.Canonical{who.Login}, old...) {
		if address.IsDeliverable(name) {
			add(destination{message.Email, string(name), ""})
		}
	}
	return all
}

// sendStops promises a link to say stop to each of a user's addresses, each its own: the
// trail then knows by which channel somebody said it.
func (d *Desk) sendStops(ctx context.Context, tx *db.Tx, r Recovery, who user.User) error {
	methods, err := held(ctx, tx, who.ID, tx.Now)
	if err != nil {
		return err
	}
	old, err := user.OldNames(ctx, tx, tx.Now, who.ID)
	if err != nil {
		return err
	}
	words, err := d.words(ctx, tx, who, r.Site)
	if err != nil {
		return err
	}
	for _, to := range destinations(who, methods, old) {
		m := message.Message{
			ID: id.New[id.Message](), User: who.ID, Site: r.Site, Kind: message.RecoveryStop, Channel: to.channel,
			Address: to.address, Method: to.method, Words: words, ExpiresAt: tx.Now.Add(stopMailFor),
		}
		if to.channel == message.SMS {
			paid, err := d.pay(ctx, tx, &m)
			if err != nil {
				return err
			}
			if !paid {
				continue // the mail says it, and the admins know
			}
		}
		token, hash := secret.Token()
		if err := insertStop(ctx, tx, r, hash, to.channel); err != nil {
			return fmt.Errorf("store a link to stop: %w", err)
		}
		if _, err := d.Post.Promise(ctx, tx, m, secret.NewText(token)); err != nil {
			return fmt.Errorf("promise a link to stop: %w", err)
		}
	}
	return nil
}

// pay reserves an SMS at the recovery's site, an Admin's from the float too; false if
// there is none left.
func (d *Desk) pay(ctx context.Context, tx *db.Tx, m *message.Message) (ok bool, err error) {
	if !d.Standing.SMS {
		return false, nil
	}
	if m.Admin, err = standing.FloatFor(ctx, tx, tx.Now, m.Site, m.User); err != nil {
		return false, err
	}
	m.Hold, ok, err = balance.Reserve(ctx, tx, balance.Ask{
		Site: m.Site, User: m.User, Message: m.ID, Try: 1, Parts: 1, Admin: m.Admin,
	})
	if err != nil {
		return false, fmt.Errorf("reserve an SMS: %w", err)
	}
	return ok, nil
}

func (r Recovery) stopped() Stopped {
	switch {
	case !r.EndedAt.IsZero():
		return StopOver
	case r.State == RecoveryContested:
		return StopDone
	case !r.DecidedAt.IsZero():
		return StopDecided
	default:
		return StopMay
	}
}

// ViewStop says what a link would do now, and changes nothing.
func (d *Desk) ViewStop(ctx context.Context, token string) (Stopped, error) {
	s, err := stopByHash(ctx, d.DB, secret.TokenHash(token))
	if errors.Is(err, fault.NotFound) {
		return StopGone, nil
	}
	if err != nil {
		return StopGone, fmt.Errorf("find a link to stop: %w", err)
	}
	r, err := recoveryByID(ctx, d.DB, s.user, s.recovery)
	if err != nil {
		return StopGone, fmt.Errorf("find a recovery: %w", err)
	}
	return r.stopped(), nil
}

// Stop contests a recovery: no code works until staff have decided on papers. It never
// ends it, or whoever reads the mail could keep its owner out for ever.
func (d *Desk) Stop(ctx context.Context, token string, at session.Place) (out Stopped, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		s, err := stopByHash(ctx, tx, secret.TokenHash(token))
		if errors.Is(err, fault.NotFound) {
			out = StopGone
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a link to stop: %w", err)
		}
		r, err := takeRecovery(ctx, tx, s.user, s.recovery)
		if err != nil {
			return fmt.Errorf("find a recovery: %w", err)
		}
		if out = r.stopped(); out != StopMay {
			return nil
		}
		if err := contestRecovery(ctx, tx, r); err != nil {
			return fmt.Errorf("contest a recovery: %w", err)
		}
		if err := useStop(ctx, tx, s); err != nil {
			return fmt.Errorf("use a link to stop: %w", err)
		}
		if err := endStaffCodes(ctx, tx, r.User); err != nil {
			return fmt.Errorf("end a help code: %w", err)
		}
		out = StopDone
		return d.noteRecovery(ctx, tx, r, message.Notice{Kind: message.RecoveryContested}, audit.Event{
			// Whoever holds the link: the mailbox is known, the person is not.
			Kind: audit.RecoveryContested, Actor: userActor(r.User, at), Facts: map[string]string{"channel": string(s.channel)},
		})
	})
	return out, err
}

// Decision is what staff decide of a contested recovery.
type Decision struct {
	// Papers says what was looked at. It is required.
	Papers string
	// Go has it go on where it stood, with the delay that it has; otherwise it is refused.
	Go bool
}

// Decide decides a contested recovery. Whoever began it does not decide; whoever
// confirmed it may, so that two members do: both have then judged it on their own, and a
// vendor with two people can do it at all. One that goes on before it was confirmed must
// still be confirmed, by another than who began it. One whose people are staff no more
// only ends.
func (d *Desk) Decide(ctx context.Context, by authority.Bearer, of Recovery, how Decision) (refused Refused, err error) {
	papers, ok := written(how.Papers)
	if !ok {
		return NoReason, nil
	}
	err = d.withRecovery(ctx, by, of.User, of.ID, func(tx *db.Tx, r Recovery) error {
		switch {
		case r.User == by.User.ID:
			refused = Oneself
		case r.BegunBy == by.User.ID:
			refused = SameMember
		case r.State != RecoveryContested:
			refused = Over
		default:
			if refused, err = d.fresh(ctx, tx, by); err == nil && refused == "" && how.Go {
				refused, err = r.byStaff(ctx, tx)
			}
			if err == nil && refused == "" {
				err = d.decide(ctx, tx, by, r, Decision{Papers: papers, Go: how.Go})
			}
			return err
		}
		return nil
	})
	return refused, err
}

func (d *Desk) decide(ctx context.Context, tx *db.Tx, by authority.Bearer, r Recovery, how Decision) error {
	r.DecidedBy, r.DecidedAt, r.Papers, r.State = by.User.ID, tx.Now, how.Papers, RecoveryRefused
	kind, decision := audit.RecoveryDecided, "refuse"
	if how.Go {
		r.State, decision = RecoveryOpen, "go"
		if !r.ConfirmedAt.IsZero() {
			r.State = RecoveryWaiting
		}
	} else {
		r.EndedAt = tx.Now
	}
	if err := decideRecovery(ctx, tx, r); err != nil {
		return fmt.Errorf("decide a recovery: %w", err)
	}
	err := d.noteRecovery(ctx, tx, r, message.Notice{}, audit.Event{
		Kind: kind, Actor: by.Actor(), Facts: map[string]string{"decision": decision},
		Personal: map[string]string{"papers": how.Papers},
	})
	if err != nil || how.Go {
		return err
	}
	return d.noteRecovery(ctx, tx, r, message.Notice{}, audit.Event{
		Kind: audit.RecoveryRefused, Actor: by.Actor(), Facts: map[string]string{"why": "decided"},
	})
}

// GiveUp ends a recovery that need not go on: the person got in, or is somebody else.
// One that is contested is decided instead.
func (d *Desk) GiveUp(ctx context.Context, by authority.Bearer, who id.User, which id.Recovery) (refused Refused, err error) {
	err = d.withRecovery(ctx, by, who, which, func(tx *db.Tx, r Recovery) error {
		if refused = r.stands(RecoveryOpen, RecoveryWaiting); refused != "" {
			return nil
		}
		if err := endRecovery(ctx, tx, r, RecoveryRefused); err != nil {
			return fmt.Errorf("end a recovery: %w", err)
		}
		if err := endStaffCodes(ctx, tx, r.User); err != nil {
			return fmt.Errorf("end a help code: %w", err)
		}
		return d.noteRecovery(ctx, tx, r, message.Notice{}, audit.Event{
			Kind: audit.RecoveryRefused, Actor: by.Actor(), Facts: map[string]string{"why": "given up"},
		})
	})
	return refused, err
}

// List gives recoveries in a state at the sites that are given to a member of staff, the
// latest first, of 100 at most; hidden is how many of these are at other sites, and are
// seen by opening those with a reason. fault.NotFound for whoever is not staff.
func (d *Desk) List(ctx context.Context, by authority.Bearer, state RecoveryState) (seen []Recovery, hidden int, err error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return nil, 0, err
	}
	all, err := recoveriesIn(ctx, d.DB, state)
	if err != nil {
		return nil, 0, fmt.Errorf("list recoveries: %w", err)
	}
	for _, r := range all {
		_, err := authority.StaffAt(ctx, d.DB, now, by, r.Site)
		switch {
		case errors.Is(err, fault.NotFound):
			hidden++
		case err != nil:
			return nil, 0, err
		default:
			seen = append(seen, r)
		}
	}
	return seen, hidden, nil
}

// ByID finds a recovery of a user; fault.NotFound if there is none, and alike for whoever
// is not staff or to whom the site is not given.
func (d *Desk) ByID(ctx context.Context, by authority.Bearer, who id.User, which id.Recovery) (Recovery, error) {
	r, err := recoveryByID(ctx, d.DB, who, which)
	if err != nil {
		return r, fmt.Errorf("find a recovery: %w", err)
	}
	if _, err := authority.StaffAt(ctx, d.DB, d.DB.Clock.Now(), by, r.Site); err != nil {
		return Recovery{}, err
	}
	return r, nil
}
