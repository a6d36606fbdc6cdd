// Package twoperson is what one of the vendor's staff proposes and another one does:
// what would harm many if one person were wrong, or one session stolen.
//
//	open ── another member confirms, and it is done ──▶ done
//	  ├──── it is taken back ─────────────────────────▶ cancelled
//	  └──── nobody confirms within 24 hours ──────────▶ expired
//
// Each kind of thing is an Act, by its name, which is wired where the parts are: this
// package knows none of them. An act is done in the transaction that confirms, so that
// what was confirmed and what was done are one. Of two who confirm at once one does it.
//
// What is proposed is stored as it will be done: whoever confirms sees the same subject
// and payload, and neither of the two may change them. Payloads hold no secrets; a secret
// is made by the act.
package twoperson

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Life is how long a proposal waits for the second person.
const Life = 24 * time.Hour

// Kind names an act. It is stored and stands in the audit trail, so it is never renamed.
type Kind string

// The kinds. Their acts are wired where the parts are.
const (
	// EndStaff ends a member of staff: the subject is their user id, the payload has the
	// "reason".
	EndStaff Kind = "staff.end"
	// StartRollout starts a rollout: the subject is its id, the payload has its "name" and
	// the digest of its "plan".
	StartRollout Kind = "rollout.start"
	// RollBackWave returns a wave to preparing: the subject is the rollout's id, the payload
	// has the number of the "wave" and the "reason".
	RollBackWave Kind = "rollout.back"
)

// Act is what is done when a proposal is confirmed.
type Act struct {
	// Fits says whether it can be done, and whether this member of staff may have a part in
	// it. It is asked of the one who proposes and of the one who confirms. nil: always.
	Fits func(ctx context.Context, from db.Reader, p Proposal, by authority.Bearer) (bool, error)
	// Do does it, and records its own events. fault.Conflict says that it cannot be done any
	// more: then nothing is.
	Do func(ctx context.Context, tx *db.Tx, p Proposal, by authority.Bearer) error
}

// Desk keeps proposals. All fields are set.
type Desk struct {
	DB       *db.DB
	Standing standing.Source
	Acts     map[Kind]Act
}

// State is where a proposal stands.
type State string

// The states.
const (
	Open      State = "open"
	Done      State = "done"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// Proposal is one proposed thing.
type Proposal struct {
	ID   id.Proposal
	Kind Kind
	// Subject is the id of what it is about; one kind and subject has one open proposal.
	Subject string
	// Payload is how it is to be done, without secrets. May be empty.
	Payload    map[string]string
	ProposedBy id.User
	ProposedAt time.Time
	ExpiresAt  time.Time
	State      State
	AnsweredBy id.User
	AnsweredAt time.Time
}

// open says that it can still be confirmed.
func (p Proposal) open(now time.Time) bool { return p.State == Open && now.Before(p.ExpiresAt) }

// Refused is why something was not done; empty if it was. Nothing was changed.
type Refused string

// The refusals.
const (
	// NotFresh says that the member must prove again who they are.
	NotFresh Refused = "not_fresh"
	// SamePerson says that whoever proposed it cannot confirm it.
	SamePerson Refused = "same_person"
	// Unfit says that it cannot be done, or not with a part of this member.
	Unfit Refused = "unfit"
	// Already says that the same is proposed already.
	Already Refused = "already"
	// Over says that it was answered or has run out, or that whoever proposed it is staff no
	// more.
	Over Refused = "over"
)

// Propose stores a proposal. It needs a fresh proof. fault.NotFound for whoever is not
// staff, fault.Invalid for a kind that nobody knows.
func (d *Desk) Propose(ctx context.Context, by authority.Bearer, p Proposal) (which id.Proposal, refused Refused, err error) {
	act, ok := d.Acts[p.Kind]
	if !ok || p.Subject == "" {
		return "", "", fmt.Errorf("propose %q: %w", p.Kind, fault.Invalid)
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		p.ID, p.State = id.New[id.Proposal](), Open
		p.ProposedBy, p.ProposedAt, p.ExpiresAt = by.User.ID, tx.Now, tx.Now.Add(Life)
		if refused, err = d.may(ctx, tx, by, act, p); err != nil || refused != "" {
			return err
		}
		if err := expire(ctx, tx, p.Kind, p.Subject); err != nil {
			return fmt.Errorf("end a proposal that has run out: %w", err)
		}
		if err := insert(ctx, tx, p); err != nil {
			return fmt.Errorf("store a proposal: %w", err)
		}
		which = p.ID
		return note(ctx, tx, audit.ProposalMade, p, by)
	})
	if errors.Is(err, fault.Conflict) {
		return "", Already, nil
	}
	return which, refused, err
}

// may says why somebody may not have a part in it.
func (d *Desk) may(ctx context.Context, tx *db.Tx, by authority.Bearer, act Act, p Proposal) (Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return "", err
	}
	if act.Fits != nil {
		fits, err := act.Fits(ctx, tx, p, by)
		if err != nil {
			return "", fmt.Errorf("judge a proposal: %w", err)
		}
		if !fits {
			return Unfit, nil
		}
	}
	fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
	if err != nil || fresh {
		return "", err
	}
	return NotFresh, nil
}

// Confirm does what another member of staff proposed. It needs a fresh proof.
// fault.NotFound for whoever is not staff, and for a proposal that there is not.
func (d *Desk) Confirm(ctx context.Context, by authority.Bearer, which id.Proposal) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.confirm(ctx, tx, by, which)
		return err
	})
	if errors.Is(err, fault.Conflict) {
		return Over, nil
	}
	return refused, err
}

func (d *Desk) confirm(ctx context.Context, tx *db.Tx, by authority.Bearer, which id.Proposal) (Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return "", err
	}
	p, err := take(ctx, tx, which)
	if err != nil {
		return "", fmt.Errorf("find a proposal: %w", err)
	}
	act, known := d.Acts[p.Kind]
	if !known || !p.open(tx.Now) {
		return Over, nil
	}
	if p.ProposedBy == by.User.ID {
		return SamePerson, nil
	}
	// Held: who is ended as staff at this moment waits here, or is none any more.
	first, err := user.Hold(ctx, tx, p.ProposedBy)
	if err != nil {
		return "", fmt.Errorf("find who proposed it: %w", err)
	}
	if !first.Staff {
		return Over, nil
	}
	if refused, err := d.may(ctx, tx, by, act, p); err != nil || refused != "" {
		return refused, err
	}
	if err := answer(ctx, tx, p, Done, by.User.ID); err != nil {
		return "", fmt.Errorf("confirm a proposal: %w", err)
	}
	if err := act.Do(ctx, tx, p, by); err != nil {
		return "", fmt.Errorf("do what was proposed, %s: %w", p.Kind, err)
	}
	return "", note(ctx, tx, audit.ProposalConfirmed, p, by)
}

// Cancel takes a proposal back. Whoever made it may at once; another member of staff with
// a fresh proof, because a stolen session could keep back for ever what two have to do.
// Whom it is about may not: they have no part in it, for it or against it.
// fault.NotFound as for Confirm.
func (d *Desk) Cancel(ctx context.Context, by authority.Bearer, which id.Proposal) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.cancel(ctx, tx, by, which)
		return err
	})
	return refused, err
}

func (d *Desk) cancel(ctx context.Context, tx *db.Tx, by authority.Bearer, which id.Proposal) (Refused, error) {
	if err := authority.Staff(ctx, tx, tx.Now, by); err != nil {
		return "", err
	}
	p, err := take(ctx, tx, which)
	if err != nil {
		return "", fmt.Errorf("find a proposal: %w", err)
	}
	switch {
	case !p.open(tx.Now):
		return Over, nil
	case p.Subject == string(by.User.ID):
		return Unfit, nil
	case p.ProposedBy != by.User.ID:
		fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
		if err != nil {
			return "", err
		}
		if !fresh {
			return NotFresh, nil
		}
	}
	if err := answer(ctx, tx, p, Cancelled, by.User.ID); err != nil {
		return "", fmt.Errorf("take a proposal back: %w", err)
	}
	return "", note(ctx, tx, audit.ProposalCancelled, p, by)
}

// Waiting lists the proposals that wait for a second person, the oldest first, 50 at most.
// fault.NotFound for whoever is not staff.
func (d *Desk) Waiting(ctx context.Context, by authority.Bearer) ([]Proposal, error) {
	now := d.DB.Clock.Now()
	if err := authority.Staff(ctx, d.DB, now, by); err != nil {
		return nil, err
	}
	all, err := waiting(ctx, d.DB, now)
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	return all, nil
}

// note records it in the chain of the house: what it does to a site or a person, the act
// records there.
func note(ctx context.Context, tx *db.Tx, kind audit.Kind, p Proposal, by authority.Bearer) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, Actor: by.Actor(),
		Facts: map[string]string{"proposal": string(p.ID), "kind": string(p.Kind), "subject": p.Subject},
	})
}
