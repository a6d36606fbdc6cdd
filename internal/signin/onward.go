package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// errGone undoes a step whose attempt or session has ended meanwhile.
var errGone = errors.New("the attempt is gone")

// onward is the one place that says what comes next. It asks the policy, and does what
// the answer demands: a session, a code on its way, or nothing but the word.
func (d *Desk) onward(ctx context.Context, tx *db.Tx, a Attempt, who user.User) (Next, error) {
	if a.Purpose == Enrol {
		return Next{Step: enrolStep(a, tx.Now)}, nil
	}
	if a.Site == "" && !who.Staff && a.Purpose != Join {
		return Next{Step: AskSite}, nil
	}
	fresh, err := session.Under(ctx, tx, session.Session{User: a.User, Site: a.Site})
	if err != nil {
		return Next{}, err
	}
	decision, f, err := d.decide(ctx, tx, tx.Now, a, who)
	if err != nil {
		return Next{}, err
	}
	step := stepOf(decision, f)
	if err := d.signal(ctx, tx, a, f, step); err != nil {
		return Next{}, err
	}
	switch step {
	case In:
		if a.Purpose == Join {
			return Next{Step: Both}, nil // and FinishJoin does it, in the session that began it
		}
		fresh.EndsAt, fresh.DecideAt = policy.SessionEnd(f.Memberships, tx.Now, tx.Now), decision.ValidUntil
		return d.enter(ctx, tx, entry{a, decision, f, fresh})
	case AskCode:
		if err := d.recordDecision(ctx, tx, a, audit.SignInAsked, decision); err != nil {
			return Next{}, err
		}
		return d.firstCode(ctx, tx, a, who, decision)
	case Stuck, Refused:
		return Next{Step: step}, d.recordDecision(ctx, tx, a, audit.SignInRefused, decision)
	case AskEnrol, Rest, AskPassword, AskSite, Both, Gone:
	}
	return Next{Step: step}, nil
}

// recordDecision records what the policy decided, and why.
func (d *Desk) recordDecision(ctx context.Context, tx *db.Tx, a Attempt, kind audit.Kind, decision policy.Decision) error {
	facts := decision.Record()
	facts["reference"] = a.Reference
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: actor(a.User, a.Place), User: a.User, Site: a.Site, Facts: facts,
	})
}

// enrolStep is what an attempt asks that began with a code of the staff's.
func enrolStep(a Attempt, now time.Time) Step {
	if a.enrolling(now) {
		return AskEnrol
	}
	return Gone
}

func stepOf(decision policy.Decision, f policy.Facts) Step {
	switch decision.Outcome {
	case policy.Allow, policy.Nudge:
		return In
	case policy.Ask:
		if len(decision.Offered) == 0 {
			return Rest
		}
		return AskCode
	case policy.Enrol:
		if f.EnrolOnly {
			return AskEnrol
		}
		return Stuck
	case policy.Refuse:
		return Refused
	}
	return Refused
}

func (d *Desk) decide(ctx context.Context, from db.Reader, now time.Time, a Attempt, who user.User) (policy.Decision, policy.Facts, error) {
	f, err := d.facts(ctx, from, now, a, who)
	if err != nil {
		return policy.Decision{}, f, err
	}
	return policy.Decide(f, now), f, nil
}

// facts are those of the attempt's person, with what the attempt itself has shown.
func (d *Desk) facts(ctx context.Context, from db.Reader, now time.Time, a Attempt, who user.User) (policy.Facts, error) {
	remembered, err := d.remembered(ctx, from, now, a)
	if err != nil {
		return policy.Facts{}, err
	}
	f, err := d.Standing.Of(ctx, from, now, standing.Asker{
		User: who, Sites: a.sites(), Client: a.client(), Passed: a.passed(), Place: a.Place, Remembered: remembered,
	})
	if err != nil {
		return f, err
	}
	f.EnrolOnly = a.enrolling(now)
	return f, d.lastCodeStill(ctx, from, now, a, f.User.Methods)
}

// client is the application that asks, with what a proof has to reach. Somebody who is
// in proves anew: what was passed before the attempt began is left out.
func (a Attempt) client() policy.Client {
	c := policy.Client{Kind: a.Client}
	if a.Purpose.proves() {
		c.ACR, c.PassedSince = a.ACR, a.CreatedAt
		c.OrRecovery, c.NoRecovery = a.Purpose == Prove, a.Purpose == ProveOther
	}
	if a.Purpose == Join {
		c.ACR, c.PassedSince = a.ACR, a.CreatedAt
	}
	return c
}

// remembered is the device in which the attempt began, if it is still remembered.
func (d *Desk) remembered(ctx context.Context, from db.Reader, now time.Time, a Attempt) (*policy.Remembered, error) {
	if a.Device == "" {
		return nil, nil
	}
	device, err := session.DeviceByID(ctx, from, a.User, a.Device, now)
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a remembered device: %w", err)
	}
	return standing.Remembered(device), nil
}

// lastCodeStill gives an unproved number back the code of its three that this attempt
// may still type.
func (d *Desk) lastCodeStill(ctx context.Context, from db.Reader, now time.Time, a Attempt, methods []policy.Method) error {
	for i := range methods {
		m := &methods[i]
		if m.Kind != policy.SMS || !m.ProvedAt.IsZero() || m.UnprovedSent == 0 {
			continue
		}
		all, err := codesOf(ctx, from, a)
		if err != nil {
			return fmt.Errorf("read codes: %w", err)
		}
		if live, _ := sift(all, now); live != nil && string(live.method) == m.ID {
			m.UnprovedSent--
		}
	}
	return nil
}

// entry is what a new session is made of.
type entry struct {
	attempt  Attempt
	decision policy.Decision
	facts    policy.Facts
	// fresh has its numbers, its end and its next decision already.
	fresh session.Session
}

// enter ends the attempt and the session it came from, and starts the new session.
func (d *Desk) enter(ctx context.Context, tx *db.Tx, e entry) (Next, error) {
	a, fresh := e.attempt, e.fresh
	if _, err := d.closeCodes(ctx, tx, a); err != nil {
		return Next{}, err
	}
	if err := endAttempt(ctx, tx, a); err != nil {
		return Next{}, err
	}
	before, err := d.endBefore(ctx, tx, a)
	if err != nil {
		return Next{}, err
	}
	fresh.SID = before.SID // applications go on knowing it
	if !before.EndsAt.IsZero() && before.EndsAt.Before(fresh.EndsAt) {
		fresh.EndsAt = before.EndsAt // the end is absolute: nothing done inside moves it
	}
	fresh.UserEpoch = a.UserEpoch // under which the password was right
	fresh.Client, fresh.Place, fresh.Began, fresh.PasswordAt = string(a.Client), a.Place, a.Began, a.PasswordAt
	fresh.Factor, fresh.FactorMethod, fresh.FactorAt = string(a.Factor), a.FactorMethod, a.FactorAt
	if a.Purpose == Rehearse && policy.LevelOf(policy.MethodKind(before.Factor)) > policy.LevelOf(a.Factor) {
		// A rehearsal with less than what was passed before takes nothing away.
		fresh.Factor, fresh.FactorMethod, fresh.FactorAt = before.Factor, before.FactorMethod, before.FactorAt
	}
	if spared(e.decision) {
		fresh.Device = a.Device
		if err := session.UsedDevice(ctx, tx, a.User, a.Device); err != nil {
			return Next{}, fmt.Errorf("note the use of a remembered device: %w", err)
		}
	}
	s, token, err := session.Start(ctx, tx, fresh)
	if err != nil {
		return Next{}, err
	}
	if err := session.Remember(ctx, tx, a.User, a.Place); err != nil {
		return Next{}, err
	}
	if err := d.confirm(ctx, tx, a, fresh); err != nil {
		return Next{}, err
	}
	next := Next{Step: In, Session: token, App: a.Client == policy.ClientMobile, ReturnTo: a.ReturnTo}
	if next.Device, err = d.rememberDevice(ctx, tx, e); err != nil {
		return Next{}, err
	}
	return next, d.recordEntry(ctx, tx, a, s, e.decision)
}

// confirm has a new mailbox recover from now on, where a code sent to it was typed after
// the password, and makes it a method where another one, proved before, was passed (I14).
func (d *Desk) confirm(ctx context.Context, tx *db.Tx, a Attempt, s session.Session) error {
	if s.Began != session.BeganPassword {
		return nil
	}
	factor := policy.MethodKind(s.Factor)
	return method.Entered(ctx, tx, a.User, a.FactorMethod, factor != "" && factor != policy.Email)
}

// spared says that a remembered device took the place of the second factor.
func spared(decision policy.Decision) bool {
	return slices.ContainsFunc(decision.Reasons, func(r policy.Reason) bool { return r.Key == policy.DeviceRemembered })
}

// rememberDevice remembers this browser where the person wants that, has just passed the
// second factor, and every site allows it. It gives the device's token.
func (d *Desk) rememberDevice(ctx context.Context, tx *db.Tx, e entry) (string, error) {
	a := e.attempt
	if !a.remember || !a.FactorAt.Equal(tx.Now) {
		return "", nil
	}
	until, allowed := policy.RememberUntil(e.facts, tx.Now)
	if !allowed {
		return "", nil
	}
	device := session.Device{
		User: a.User, UserEpoch: a.UserEpoch, Place: a.Place, Since: tx.Now, EndsAt: until, Sites: map[id.Site]int64{},
	}
	for _, at := range e.decision.Sites {
		number, err := epoch.Now(ctx, tx, epoch.Member(id.Site(at), a.User))
		if err != nil {
			return "", err
		}
		device.Sites[id.Site(at)] = number
	}
	device, token, err := session.RememberDevice(ctx, tx, device)
	if err != nil {
		return "", fmt.Errorf("remember a device: %w", err)
	}
	return token, audit.Record(ctx, tx, audit.Event{
		Kind: audit.DeviceRemembered, Actor: actor(a.User, a.Place), User: a.User, Site: a.Site,
		Facts: map[string]string{"device": string(device.ID), "until": until.UTC().Format(time.RFC3339)},
	})
}

// endBefore ends the session that the attempt came from, if there is one. One that has
// ended meanwhile cannot be raised, and neither can one of a membership that was changed
// since: the new session would be made under the present number and so outlive the change.
func (d *Desk) endBefore(ctx context.Context, tx *db.Tx, a Attempt) (session.Session, error) {
	if a.Session == "" {
		return session.Session{}, nil
	}
	if _, err := d.owner(ctx, tx, session.Session{User: a.User, ID: a.Session}); err != nil {
		return session.Session{}, err
	}
	before, err := session.ByID(ctx, tx, a.User, a.Session)
	if err != nil {
		return before, fmt.Errorf("find the session before: %w", err)
	}
	err = session.End(ctx, tx, before)
	if errors.Is(err, fault.Conflict) {
		return before, errGone
	}
	if err != nil {
		return before, fmt.Errorf("end the session before: %w", err)
	}
	return before, nil
}

// recordEntry records what the new session is: a sign-in, a stronger proof, or the way
// to another site; and that a site was entered, in that site's chain.
func (d *Desk) recordEntry(ctx context.Context, tx *db.Tx, a Attempt, s session.Session, decision policy.Decision) error {
	facts := decision.Record()
	facts["began"] = a.Began
	facts["session"], facts["reference"], facts["acr"] = string(s.ID), a.Reference, policy.URN(policy.ACR(a.passed()))
	if a.Session != "" {
		facts["before"] = string(a.Session)
	}
	var kinds []audit.Kind
	switch {
	case a.Purpose == SignIn:
		kinds = append(kinds, audit.SessionStarted)
	case a.Purpose == Rehearse:
		kinds = append(kinds, audit.RehearsalPassed)
	case a.Purpose.proves():
		kinds = append(kinds, audit.ProofPassed)
	case a.Purpose == Raise, a.FactorAt.After(a.CreatedAt):
		kinds = append(kinds, audit.SessionRaised)
	}
	if (a.Purpose == SignIn || a.Purpose == Switch) && a.Site != "" {
		kinds = append(kinds, audit.SiteEntered)
	}
	for _, kind := range kinds {
		err := audit.Record(ctx, tx, audit.Event{
			Kind: kind, Actor: actor(a.User, a.Place), User: a.User, Site: a.Site, Facts: facts,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// take finds the open attempt of a token and holds it until the transaction's end, so
// that of two steps at once the second sees what the first has done. It is not there
// when it has ended, has run out, or was made under an older number of the user.
func (d *Desk) take(ctx context.Context, tx *db.Tx, token string) (a Attempt, ok bool, err error) {
	a, err = takeAttempt(ctx, tx, secret.TokenHash(token))
	return d.alive(ctx, tx, a, err)
}

func (d *Desk) alive(ctx context.Context, from db.Reader, a Attempt, err error) (Attempt, bool, error) {
	if errors.Is(err, fault.NotFound) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("find an attempt: %w", err)
	}
	now, err := epoch.Now(ctx, from, epoch.User(a.User))
	if err != nil {
		return a, false, err
	}
	return a, now == a.UserEpoch, nil
}

// Site chooses which of the person's sites is entered.
func (d *Desk) Site(ctx context.Context, token string, which id.Site) (next Next, err error) {
	err = d.step(ctx, token, func(tx *db.Tx, a Attempt, who user.User) error {
		open, err := openDoors(ctx, tx, who, a.Client)
		if err != nil {
			return err
		}
		if (a.Site != "" && a.Site != which) || !slices.Contains(open, which) {
			next = Next{Step: AskSite, Wrong: NotMember}
			return nil
		}
		if a.Site == "" {
			a.Site = which
			if err := chooseSite(ctx, tx, a); err != nil {
				return err
			}
		}
		next, err = d.onward(ctx, tx, a, who)
		return err
	}, &next)
	return next, err
}

// step runs one step of an attempt in one transaction. An attempt that is gone, also
// because another click was quicker, answers Gone and changes nothing.
func (d *Desk) step(ctx context.Context, token string, do func(*db.Tx, Attempt, user.User) error, next *Next) error {
	err := d.DB.Do(ctx, func(tx *db.Tx) error {
		*next = Next{Step: Gone}
		a, ok, err := d.take(ctx, tx, token)
		if err != nil || !ok {
			return err
		}
		who, err := user.ByID(ctx, tx, a.User)
		if err != nil {
			return fmt.Errorf("find a user: %w", err)
		}
		return do(tx, a, who)
	})
	if errors.Is(err, errGone) {
		*next, err = Next{Step: Gone}, nil
	}
	if err == nil {
		d.count(*next, false)
	}
	return err
}

// actor is the person at this place. The network and the browser are personal.
func actor(who id.User, at session.Place) audit.Actor {
	return audit.Actor{Kind: audit.ActorUser, ID: string(who), Network: at.Network, Agent: at.Agent}
}
