package rescue

import (
	"context"
	"fmt"
	"strings"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Approve lets somebody who waits into an enrol-only session. The admin has a fresh
// proof, and types the number that the person says. fault.NotFound where there is no
// such ask at the admin's site, or it is their own.
func (d *Desk) Approve(ctx context.Context, by authority.Bearer, which id.Ask, typed string) (refused Refused, err error) {
	typed = strings.TrimSpace(typed)
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		// An admin who is removed at this moment waits here, or is none any more: what they
		// open is ended with the rest (EndGivenBy), or is never opened.
		if by.Session.Site == "" {
			return fmt.Errorf("an admin: %w", fault.NotFound)
		}
		if err := site.Hold(ctx, tx, by.Session.Site); err != nil {
			return err
		}
		a, at, err := mine(ctx, tx, by, which)
		if err != nil {
			return err
		}
		refused, err = d.approvable(ctx, tx, by, a, at)
		if err != nil || refused != "" {
			return err
		}
		if len(typed) != 2 || strings.Trim(typed, "0123456789") != "" {
			refused = WrongForm
			return nil
		}
		if !secret.NewText(typed).Equal(secret.NewText(a.number)) {
			refused, err = d.wrongNumber(ctx, tx, by, a)
			return err
		}
		refused, err = d.approve(ctx, tx, by, a)
		return err
	})
	return refused, err
}

// mine takes an ask of the admin's site that is somebody else's: a second answer to the
// same ask waits here.
func mine(ctx context.Context, tx *db.Tx, by authority.Bearer, which id.Ask) (ask, site.Membership, error) {
	at, err := authority.Admin(ctx, tx, tx.Now, by)
	if err != nil {
		return ask{}, at, err
	}
	a, err := takeAsk(ctx, tx, at.Site, which)
	if err != nil {
		return a, at, fmt.Errorf("find an ask: %w", err)
	}
	if a.user == by.User.ID {
		return a, at, fmt.Errorf("an ask of somebody else: %w", fault.NotFound)
	}
	return a, at, nil
}

func (d *Desk) approvable(ctx context.Context, tx *db.Tx, by authority.Bearer, a ask, at site.Membership) (Refused, error) {
	if !a.open(tx.Now) {
		return Over, nil
	}
	who, err := user.ByID(ctx, tx, a.user)
	if err != nil {
		return "", fmt.Errorf("find a user: %w", err)
	}
	m, refused, err := member(ctx, tx, who, a.site)
	if err != nil || refused != "" {
		return refused, err
	}
	if m.Group.Rank() > at.Group.Rank() {
		return AboveRank, nil
	}
	return d.fresh(ctx, tx, by)
}

// wrongNumber counts it; the last one answers the ask.
func (d *Desk) wrongNumber(ctx context.Context, tx *db.Tx, by authority.Bearer, a ask) (Refused, error) {
	if err := countNumber(ctx, tx, a); err != nil {
		return "", fmt.Errorf("count a wrong number: %w", err)
	}
	if a.wrong+1 < wrongNumbers {
		return WrongNumber, nil
	}
	return Declined, d.decline(ctx, tx, by, a, "number")
}

func (d *Desk) approve(ctx context.Context, tx *db.Tx, by authority.Bearer, a ask) (Refused, error) {
	w := Waiting{User: a.user, Attempt: a.attempt, Site: a.site, Place: a.place}
	opened, err := d.open(ctx, tx, w, ByApproval, by.Actor())
	if err != nil {
		return "", err
	}
	if !opened {
		if err := answerAsk(ctx, tx, a, AskOver, ""); err != nil {
			return "", fmt.Errorf("end an ask whose attempt is gone: %w", err)
		}
		return Over, nil
	}
	if err := answerAsk(ctx, tx, a, AskApproved, by.User.ID); err != nil {
		return "", fmt.Errorf("approve an ask: %w", err)
	}
	// Who waits elsewhere under the same name asks anew: it may be somebody else.
	if err := endAsksOf(ctx, tx, a.site, a.user); err != nil {
		return "", fmt.Errorf("end the other asks: %w", err)
	}
	who, err := user.ByID(ctx, tx, a.user)
	if err != nil {
		return "", fmt.Errorf("find a user: %w", err)
	}
	// Whoever reads the mailbox may be whom it lets in: a proved number is told as well.
	n := message.Notice{Site: a.site, Kind: message.HelpApproved, Words: map[string]string{"by": by.User.Name()}, Changed: policy.Email}
	if err := d.tellBoth(ctx, tx, n, who, by.User.ID); err != nil {
		return "", err
	}
	return "", audit.Record(ctx, tx, audit.Event{
		Kind: audit.HelpApproved, Actor: by.Actor(), User: a.user, Site: a.site,
		Facts: map[string]string{"ask": string(a.id)},
	})
}

// Decline says no. It needs no fresh proof: no harm comes of it, and the person may ask
// again.
func (d *Desk) Decline(ctx context.Context, by authority.Bearer, which id.Ask) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused = ""
		a, _, err := mine(ctx, tx, by, which)
		if err != nil {
			return err
		}
		if !a.open(tx.Now) {
			refused = Over
			return nil
		}
		return d.decline(ctx, tx, by, a, "admin")
	})
	return refused, err
}

func (d *Desk) decline(ctx context.Context, tx *db.Tx, by authority.Bearer, a ask, why string) error {
	if err := answerAsk(ctx, tx, a, AskDeclined, by.User.ID); err != nil {
		return fmt.Errorf("decline an ask: %w", err)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.HelpDeclined, Actor: by.Actor(), User: a.user, Site: a.site,
		Facts: map[string]string{"ask": string(a.id), "why": why},
	})
}
