package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
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
	if a.Site == "" && !who.Staff {
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
	step := stepOf(decision)
	switch step {
	case In:
		fresh.EndsAt, fresh.DecideAt = policy.SessionEnd(f.Memberships, tx.Now, tx.Now), decision.ValidUntil
		return d.enter(ctx, tx, a, decision, fresh)
	case AskCode:
		return d.firstCode(ctx, tx, a, who, decision)
	case Stuck, Refused:
		err := audit.Record(ctx, tx, audit.Event{
			Kind: audit.SignInRefused, Actor: actor(a.User, a.Place), User: a.User, Site: a.Site,
			Facts: decisionFacts(decision),
		})
		return Next{Step: step}, err
	case Rest, AskPassword, AskSite, Gone:
	}
	return Next{Step: step}, nil
}

func stepOf(decision policy.Decision) Step {
	switch decision.Outcome {
	case policy.Allow, policy.Nudge:
		return In
	case policy.Ask:
		if len(decision.Offered) == 0 {
			return Rest
		}
		return AskCode
	case policy.Enrol:
		return Stuck
	case policy.Refuse:
		return Refused
	}
	return Refused
}

func (d *Desk) decide(ctx context.Context, from db.Reader, now time.Time, a Attempt, who user.User) (policy.Decision, policy.Facts, error) {
	f, err := d.Standing.Of(ctx, from, now, asker(a, who))
	if err != nil {
		return policy.Decision{}, f, err
	}
	return policy.Decide(f, now), f, nil
}

func asker(a Attempt, who user.User) standing.Asker {
	return standing.Asker{
		User: who, Sites: a.sites(), Client: policy.Client{Kind: a.Client}, Passed: a.passed(), Place: a.Place,
	}
}

// enter ends the attempt and the session it came from, and starts the new session,
// which has its numbers, its end and its next decision already.
func (d *Desk) enter(ctx context.Context, tx *db.Tx, a Attempt, decision policy.Decision, fresh session.Session) (Next, error) {
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
	if !before.EndsAt.IsZero() && before.EndsAt.Before(fresh.EndsAt) {
		fresh.EndsAt = before.EndsAt // the end is absolute: nothing done inside moves it
	}
	fresh.UserEpoch = a.UserEpoch // under which the password was right
	fresh.Client, fresh.Place, fresh.PasswordAt = string(a.Client), a.Place, a.PasswordAt
	fresh.Factor, fresh.FactorAt = string(a.Factor), a.FactorAt
	s, token, err := session.Start(ctx, tx, fresh)
	if err != nil {
		return Next{}, err
	}
	if err := session.Remember(ctx, tx, a.User, a.Place); err != nil {
		return Next{}, err
	}
	return Next{Step: In, Session: token, ReturnTo: a.ReturnTo}, d.recordEntry(ctx, tx, a, s, decision)
}

// endBefore ends the session that the attempt came from, if there is one. One that has
// ended meanwhile cannot be raised.
func (d *Desk) endBefore(ctx context.Context, tx *db.Tx, a Attempt) (session.Session, error) {
	if a.Session == "" {
		return session.Session{}, nil
	}
	before, err := session.ByID(ctx, tx, a.User, a.Session)
	if err != nil {
		return before, fmt.Errorf("find the session before: %w", err)
	}
	if before.Over(tx.Now) {
		return before, errGone
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
	facts := decisionFacts(decision)
	facts["session"], facts["reference"], facts["acr"] = string(s.ID), a.Reference, policy.URN(policy.ACR(a.passed()))
	if a.Session != "" {
		facts["before"] = string(a.Session)
	}
	var kinds []audit.Kind
	switch {
	case a.Purpose == SignIn:
		kinds = append(kinds, audit.SessionStarted)
	case a.Purpose == Raise, a.FactorAt.After(a.CreatedAt):
		kinds = append(kinds, audit.SessionRaised)
	}
	if a.Purpose != Raise && a.Site != "" {
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

// decisionFacts is the why-record of a decision: its outcome and the keys of its
// reasons, in order.
func decisionFacts(decision policy.Decision) map[string]string {
	keys := make([]string, 0, len(decision.Reasons))
	for _, r := range decision.Reasons {
		keys = append(keys, string(r.Key))
	}
	return map[string]string{"outcome": decision.Outcome.String(), "reasons": strings.Join(keys, " ")}
}
