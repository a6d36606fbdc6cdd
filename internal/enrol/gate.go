package enrol

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// errGone undoes a change whose session or attempt has ended meanwhile.
var errGone = errors.New("the session is gone")

var errHolder = fmt.Errorf("either a session or an enrol-only session of the user: %w", fault.Invalid)

// held is a holder whose session was looked at inside the transaction.
type held struct {
	who     user.User
	session session.Session
	enrol   *EnrolOnly
	place   session.Place
	site    id.Site
	facts   policy.Facts
}

// holder is the row that a code is bound to: typed elsewhere it is none.
func (s held) holder() string {
	if s.enrol != nil {
		return "attempt:" + string(s.enrol.Attempt)
	}
	return "session:" + string(s.session.ID)
}

func (h Holder) sound() error {
	if (h.Enrol == nil) == (h.Session.ID == "") || h.User.ID == "" {
		return errHolder
	}
	if h.Enrol == nil && h.Session.User != h.User.ID {
		return errHolder
	}
	return nil
}

// change runs one step in one transaction, for a holder that is alive and, where it needs
// all of the changes, may make them. Steps of one person wait for each other.
func (d *Desk) change(ctx context.Context, h Holder, needs []policy.Change, do func(*db.Tx, held) (Done, error)) (done Done, err error) {
	if err := h.sound(); err != nil {
		return Done{}, err
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		done = Done{Refused: Gone}
		who, err := user.Hold(ctx, tx, h.User.ID)
		if err != nil {
			return fmt.Errorf("hold a user: %w", err)
		}
		s, ok, err := d.stand(ctx, tx, h, who)
		if err != nil || !ok {
			return err
		}
		if done, err = d.allowed(ctx, tx, tx.Now, &s, needs); err != nil || done.Refused != "" {
			return err
		}
		done, err = do(tx, s)
		return err
	})
	if errors.Is(err, errGone) {
		return Done{Refused: Gone}, nil
	}
	return done, err
}

// look is change for what is only read: it takes nothing.
func (d *Desk) look(ctx context.Context, h Holder, needs []policy.Change) (held, Done, error) {
	if err := h.sound(); err != nil {
		return held{}, Done{}, err
	}
	who, err := user.ByID(ctx, d.DB, h.User.ID)
	if err != nil {
		return held{}, Done{}, fmt.Errorf("find a user: %w", err)
	}
	s, ok, err := d.stand(ctx, d.DB, h, who)
	if err != nil || !ok {
		return s, Done{Refused: Gone}, err
	}
	done, err := d.allowed(ctx, d.DB, d.DB.Clock.Now(), &s, needs)
	return s, done, err
}

// stand finds what the holder holds; ok is false if it is over.
func (d *Desk) stand(ctx context.Context, from db.Reader, h Holder, who user.User) (s held, ok bool, err error) {
	s = held{who: who, enrol: h.Enrol, place: h.Place}
	if h.Enrol != nil {
		s.site = h.Enrol.Site
		if d.Enrolling == nil {
			return s, true, nil
		}
		ok, err = d.Enrolling(ctx, from, who.ID, h.Enrol.Attempt)
		return s, ok, err
	}
	s.session, err = session.ByID(ctx, from, who.ID, h.Session.ID)
	if errors.Is(err, fault.NotFound) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("find a session: %w", err)
	}
	s.site = s.session.Site
	present, err := session.Under(ctx, from, s.session)
	if err != nil {
		return s, false, err
	}
	alive := present.UserEpoch == s.session.UserEpoch && present.MemberEpoch == s.session.MemberEpoch
	return s, alive && !s.session.Over(d.DB.Clock.Now()), nil
}

// allowed asks the policy whether the holder may make all of these changes now, over the
// same facts as the sign-in that proves: those of the site that is entered.
func (d *Desk) allowed(ctx context.Context, from db.Reader, now time.Time, s *held, needs []policy.Change) (Done, error) {
	if len(needs) == 0 {
		if s.enrol != nil {
			return Done{Refused: NotHere}, nil // it adds one method and does nothing else
		}
		return Done{}, nil
	}
	asker := standing.Asker{User: s.who, Client: policy.Client{Kind: policy.ClientWeb}, Place: s.place}
	if s.site != "" {
		asker.Sites = []id.Site{s.site}
	}
	proof := policy.Proof{}
	if s.enrol == nil {
		asker.Client.Kind, proof.PasswordAt = policy.ClientKind(s.session.Client), s.session.PasswordAt
		if s.session.Factor != "" {
			proof.Passed = []policy.Pass{{Kind: policy.MethodKind(s.session.Factor), At: s.session.FactorAt}}
		}
	}
	var err error
	if s.facts, err = d.Standing.Of(ctx, from, now, asker); err != nil {
		return Done{}, err
	}
	s.facts.EnrolOnly = s.enrol != nil
	s.facts.User.Staff = s.facts.User.Staff || s.enrol != nil && s.enrol.By == ByStaffCode
	for _, need := range needs {
		if ok, level := policy.MayChange(s.facts, proof, need, now); !ok {
			return refusal(*s, level), nil
		}
	}
	return Done{}, nil
}

func refusal(s held, level int) Done {
	switch {
	case s.enrol != nil, level == 0 && s.who.ResetMarkAt.IsZero():
		return Done{Refused: NotHere}
	case level == 0:
		return Done{Refused: Marked}
	}
	return Done{Refused: NotFresh, Level: level}
}

// effect is what a change was: its event, and what is told of it.
type effect struct {
	kind     audit.Kind
	facts    map[string]string
	personal map[string]string
	// told is the notice and about the method that it is about; empty: nobody is told.
	told  message.NoticeKind
	about policy.MethodKind
	words map[string]string
}

// settle does what belongs to every change of a way in: what was made before it is dead,
// the person is told by another channel, the trail says so, and whoever changed it goes
// on under a new id, or, of an enrol-only session, not at all.
func (d *Desk) settle(ctx context.Context, tx *db.Tx, s held, e effect) (Done, error) {
	if err := d.leave(ctx, tx, s); err != nil {
		return Done{}, err
	}
	if _, err := d.closeCodes(ctx, tx, s.who.ID); err != nil {
		return Done{}, err
	}
	if err := epoch.Raise(ctx, tx, epoch.User(s.who.ID)); err != nil {
		return Done{}, err
	}
	if err := user.Risk(ctx, tx, s.who.ID); err != nil {
		return Done{}, err
	}
	if e.told != "" {
		err := d.Post.Tell(ctx, tx, message.Notice{User: s.who.ID, Site: s.site, Kind: e.told, Words: e.words, Changed: e.about})
		if err != nil {
			return Done{}, fmt.Errorf("tell a person of a change: %w", err)
		}
	}
	if err := d.record(ctx, tx, s, e); err != nil {
		return Done{}, err
	}
	return d.goOn(ctx, tx, s)
}

// leave ends what the change was made in: it ends once, so of two changes at once the
// second finds it gone.
func (d *Desk) leave(ctx context.Context, tx *db.Tx, s held) error {
	if s.enrol == nil {
		err := session.End(ctx, tx, s.session)
		if errors.Is(err, fault.Conflict) {
			return errGone
		}
		if err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
		return nil
	}
	err := d.EndEnrol(ctx, tx, s.who.ID, s.enrol.Attempt)
	if errors.Is(err, fault.Conflict) {
		return errGone
	}
	if err != nil {
		return fmt.Errorf("end an enrol-only session: %w", err)
	}
	if s.enrol.By == ByStaffCode && d.Enrolled != nil {
		if err := d.Enrolled(ctx, tx, s.who.ID); err != nil {
			return fmt.Errorf("note a new member of staff: %w", err)
		}
	}
	if s.who.ResetMarkAt.IsZero() {
		return nil
	}
	// The mark stands until somebody let its owner in to enrol, and they did.
	if err := user.ClearResetMark(ctx, tx, s.who.ID); err != nil {
		return err
	}
	return d.record(ctx, tx, s, effect{kind: audit.ResetMarkCleared})
}

// goOn starts the session again under the number that the change raised. The numbers of
// the site and the membership stay those that it was decided under, so that a change
// there is still seen.
func (d *Desk) goOn(ctx context.Context, tx *db.Tx, s held) (Done, error) {
	if s.enrol != nil {
		return Done{Ended: true}, nil
	}
	fresh := s.session
	var err error
	if fresh.UserEpoch, err = epoch.Now(ctx, tx, epoch.User(s.who.ID)); err != nil {
		return Done{}, err
	}
	_, token, err := session.Resume(ctx, tx, fresh)
	if err != nil {
		return Done{}, err
	}
	return Done{Session: token}, nil
}

func (d *Desk) record(ctx context.Context, tx *db.Tx, s held, e effect) error {
	facts := map[string]string{}
	maps.Copy(facts, e.facts)
	if s.enrol != nil {
		facts["attempt"], facts["opened_by"] = string(s.enrol.Attempt), s.enrol.By
	} else {
		facts["session"] = string(s.session.ID)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: e.kind, Actor: actor(s.who.ID, s.place), User: s.who.ID, Site: s.site, Facts: facts, Personal: e.personal,
	})
}

// actor is the person at this place. The network and the browser are personal.
func actor(who id.User, at session.Place) audit.Actor {
	return audit.Actor{Kind: audit.ActorUser, ID: string(who), Network: at.Network, Agent: at.Agent}
}
