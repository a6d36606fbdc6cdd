package twoperson

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/user"
)

// ProposeAs stores a proposal of whoever is at the machine, who names which member of staff
// they are: that one cannot confirm it. They prove nothing, because whoever is at the
// machine could change the database itself; the second person proves all the same. See ADR
// 0024.
//
// fault.NotFound if the member is not staff, fault.Invalid for a kind that nobody knows.
func (d *Desk) ProposeAs(ctx context.Context, by audit.Actor, who id.User, p Proposal) (which id.Proposal, refused Refused, err error) {
	if p.Kind == "" || p.Subject == "" {
		return "", "", fmt.Errorf("propose %q: %w", p.Kind, fault.Invalid)
	}
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		first, err := user.ByID(ctx, tx, who)
		if err != nil {
			return fmt.Errorf("find a member of staff: %w", err)
		}
		if !first.Staff {
			return fmt.Errorf("a member of staff: %w", fault.NotFound)
		}
		p.ID, p.State = id.New[id.Proposal](), Open
		p.ProposedBy, p.ProposedAt, p.ExpiresAt = who, tx.Now, tx.Now.Add(Life)
		if err := expire(ctx, tx, p.Kind, p.Subject); err != nil {
			return fmt.Errorf("end a proposal that has run out: %w", err)
		}
		if err := insert(ctx, tx, p); err != nil {
			return fmt.Errorf("store a proposal: %w", err)
		}
		which = p.ID
		return audit.Record(ctx, tx, audit.Event{Kind: audit.ProposalMade, Actor: by, Facts: map[string]string{
			"proposal": string(p.ID), "kind": string(p.Kind), "subject": p.Subject, "as": string(who),
		}})
	})
	if errors.Is(err, fault.Conflict) {
		return "", Already, nil
	}
	return which, refused, err
}
