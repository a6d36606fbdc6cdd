package enrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/login"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// renaming is what a change of one's own email needs: it adds a way in and takes another
// away.
var renaming = []policy.Change{policy.AddMethod, policy.OtherChange}

// errName undoes a change to a name that somebody else had a moment sooner.
var errName = errors.New("the login name is taken")

// LinkEmail sends a code to the address that a person wants to sign in with. Until
// ProveEmail it is nothing of theirs: the old one goes on working, and nobody is told.
func (d *Desk) LinkEmail(ctx context.Context, h Holder, typed string) (Done, error) {
	to, err := address.Email(typed)
	if err != nil {
		return Done{Refused: BadEmail, Why: sentence(err)}, nil
	}
	dead := d.DeadDomain != nil && d.DeadDomain(ctx, to) // slow: nothing is open
	return d.change(ctx, h, renaming, func(tx *db.Tx, s held) (Done, error) {
		if s.enrol != nil || s.facts.User.Staff || s.site == "" {
			return Done{Refused: NotHere}, nil
		}
		free, err := user.Free(ctx, tx, tx.Now, s.who.ID, to)
		if err != nil {
			return Done{}, err
		}
		if dead || !free || to == s.who.Login || !address.IsDeliverable(to) {
			return Done{Refused: CannotUse}, nil
		}
		if done, err := d.affordMail(ctx, tx, s, to); err != nil || done.Refused != "" {
			return done, err
		}
		return d.sendMail(ctx, tx, s, to)
	})
}

// affordMail takes a code by mail from its budgets, those of a sign-in's codes.
func (d *Desk) affordMail(ctx context.Context, tx *db.Tx, s held, to address.Canonical) (Done, error) {
	who, where := string(s.who.ID), limit.Subject(string(to))
	known, err := session.Known(ctx, tx, s.who.ID, s.place, tx.Now)
	if err != nil {
		return Done{}, fmt.Errorf("look for a known place: %w", err)
	}
	answer, err := limit.Take(ctx, tx,
		limit.Charge{Budget: limit.CodeNext, Subject: limit.Subject(who, s.holder(), string(to)), Known: known},
		limit.Charge{Budget: limit.CodesUser, Subject: limit.Subject(who), Known: known},
		limit.Charge{Budget: limit.CodesDestination, Subject: where, Known: known},
		limit.Charge{Budget: limit.CodesDestinationDay, Subject: where, Known: known},
		limit.Charge{Budget: limit.CodesNetwork, Subject: limit.Subject(s.place.Network), Known: known},
		limit.Charge{Budget: limit.CodesSite, Subject: limit.Subject(string(s.site)), Known: known},
		limit.Spread(limit.CodesSystem, who))
	if err != nil || answer.OK {
		return Done{}, err
	}
	return Done{Refused: TooSoon, Retry: answer.Retry}, nil
}

// sendMail links the address, pending, in place of another pending one, and promises its
// code.
func (d *Desk) sendMail(ctx context.Context, tx *db.Tx, s held, to address.Canonical) (Done, error) {
	all, err := method.Of(ctx, tx, s.who.ID)
	if err != nil {
		return Done{}, fmt.Errorf("read methods: %w", err)
	}
	for _, m := range all {
		if m.Kind == policy.Email && m.Pending {
			if err := method.Remove(ctx, tx, s.who.ID, m.ID); err != nil {
				return Done{}, err
			}
		}
	}
	m, err := method.Link(ctx, tx, method.Method{User: s.who.ID, Kind: policy.Email, Address: string(to), Pending: true})
	if err != nil {
		return Done{}, err
	}
	if err := d.record(ctx, tx, s, effect{kind: audit.MethodLinked, facts: methodFacts(m), personal: methodPersonal(m)}); err != nil {
		return Done{}, err
	}
	if _, err := d.closeCodes(ctx, tx, s.who.ID); err != nil {
		return Done{}, err
	}
	at, err := site.ByID(ctx, tx, s.site)
	if err != nil {
		return Done{}, fmt.Errorf("find a site: %w", err)
	}
	c := code{id: id.New[id.Code](), method: m.ID, message: id.New[id.Message](), madeAt: tx.Now, expiresAt: tx.Now.Add(d.codeLife())}
	digits := secret.Digits(codeDigits)
	c.mac = d.Keys.MAC(codePurpose, macParts(s, c, digits)...)
	_, err = d.Post.Promise(ctx, tx, message.Message{
		ID: c.message, User: s.who.ID, Site: s.site, Kind: message.ProveCode, Channel: message.Email, Address: string(to), Method: m.ID,
		ExpiresAt: c.expiresAt, Words: message.Words{
			FirstName: s.who.FirstName, From: at.Name, Vendor: d.VendorName, Zone: at.Zone.String(), Agent: s.place.Agent,
		},
	}, secret.NewText(digits))
	if err != nil {
		return Done{}, err
	}
	if err := insertCode(ctx, tx, s, c); err != nil {
		return Done{}, fmt.Errorf("store a code: %w", err)
	}
	return Done{Method: m.ID}, d.recordKind(ctx, tx, s, audit.CodeSent, m)
}

// recordKind records an event of a code with the method's own kind.
func (d *Desk) recordKind(ctx context.Context, tx *db.Tx, s held, kind audit.Kind, m method.Method) error {
	return d.record(ctx, tx, s, effect{kind: kind, facts: map[string]string{"method": string(m.ID), "kind": string(m.Kind)}})
}

// Email gives the address that waits for its code here, to show the page again; NoCode if
// none does.
func (d *Desk) Email(ctx context.Context, h Holder) (to string, until time.Time, done Done, err error) {
	s, done, err := d.look(ctx, h, renaming)
	if err != nil || done.Refused != "" {
		return "", until, done, err
	}
	all, err := codesOf(ctx, d.DB, s)
	if err != nil || len(all) == 0 {
		return "", until, Done{Refused: NoCode}, err
	}
	m, err := method.ByID(ctx, d.DB, s.who.ID, all[0].method)
	if errors.Is(err, fault.NotFound) || err == nil && (m.Kind != policy.Email || !m.Pending) {
		return "", until, Done{Refused: NoCode}, nil
	}
	if err != nil {
		return "", until, Done{}, fmt.Errorf("find a method: %w", err)
	}
	return m.Address, all[0].expiresAt, Done{Method: m.ID}, nil
}

// ProveEmail compares what was typed with the code that went to the new address. The
// right one makes it the login name: the address is always the one that the code was sent
// to, whatever was asked for since.
func (d *Desk) ProveEmail(ctx context.Context, h Holder, typed string) (Done, error) {
	done, err := d.proveCode(ctx, h, renaming, typed)
	if errors.Is(err, errName) {
		return Done{Refused: CannotUse}, nil
	}
	return done, err
}

// takeName makes a proved address the login name, with the undo of the old one.
func (d *Desk) takeName(ctx context.Context, tx *db.Tx, s held, m method.Method) (Done, error) {
	_, err := d.Login.Make(ctx, tx, login.Change{
		User: s.who, To: address.Canonical(m.Address), Site: s.site, Actor: actor(s.who.ID, s.place), Proved: m.ID,
	})
	if errors.Is(err, fault.Conflict) {
		return Done{}, errName
	}
	if err != nil {
		return Done{}, err
	}
	done, err := d.settle(ctx, tx, s, effect{kind: audit.MethodAdded, facts: methodFacts(m), personal: methodPersonal(m)})
	done.Method = m.ID
	return done, err
}
