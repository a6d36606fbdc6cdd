package enrol

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// What a change needs to be allowed.
var (
	removing = []policy.Change{policy.RemoveMethod}
	other    = []policy.Change{policy.OtherChange}
	// replacing is for recovery codes: none may be spent on it, or one would buy ten; and
	// no method is added while the mark of a reset stands.
	replacing = []policy.Change{policy.OtherChange, policy.AddMethod}
)

// MakeRecovery makes ten new recovery codes, which replace those before. They are in this
// answer and nowhere else.
func (d *Desk) MakeRecovery(ctx context.Context, h Holder) (codes []string, done Done, err error) {
	done, err = d.change(ctx, h, replacing, func(tx *db.Tx, s held) (Done, error) {
		m, made, err := method.MakeRecovery(ctx, tx, d.Keys, s.who.ID)
		if err != nil {
			return Done{}, fmt.Errorf("make recovery codes: %w", err)
		}
		done, err := d.settle(ctx, tx, s, effect{
			kind: audit.RecoveryCodesMade, facts: methodFacts(m),
			told: message.RecoveryCodesMade, about: policy.Recovery,
		})
		codes, done.Method = made, m.ID
		return done, err
	})
	if err != nil || done.Refused != "" {
		return nil, done, err
	}
	return codes, done, nil
}

// Rename gives a method another name. It changes no way in, so nothing ends by it.
func (d *Desk) Rename(ctx context.Context, h Holder, which id.Method, name string) (Done, error) {
	name, ok := method.ReadName(name)
	if !ok {
		return Done{Refused: BadName}, nil
	}
	return d.change(ctx, h, other, func(tx *db.Tx, s held) (Done, error) {
		m, err := method.ByID(ctx, tx, s.who.ID, which)
		if errors.Is(err, fault.NotFound) {
			return Done{Refused: NoSuch}, nil
		}
		if err != nil {
			return Done{}, fmt.Errorf("find a method: %w", err)
		}
		if err := method.Rename(ctx, tx, s.who.ID, which, name); err != nil {
			return Done{}, err
		}
		m.Name = name
		return Done{Method: which}, d.record(ctx, tx, s, effect{
			kind: audit.MethodRenamed, facts: methodFacts(m), personal: map[string]string{"name": name},
		})
	})
}

// Remove takes a method away, unless nothing that is left would let the person in. The
// mailbox of the login name goes with the login name, and not here.
func (d *Desk) Remove(ctx context.Context, h Holder, which id.Method) (Done, error) {
	return d.change(ctx, h, removing, func(tx *db.Tx, s held) (Done, error) {
		m, err := method.ByID(ctx, tx, s.who.ID, which)
		if errors.Is(err, fault.NotFound) {
			return Done{Refused: NoSuch}, nil
		}
		if err != nil {
			return Done{}, fmt.Errorf("find a method: %w", err)
		}
		if m.Kind == policy.Email {
			return Done{Refused: NotHere}, nil
		}
		if last, err := d.lastWay(ctx, tx, s, m); err != nil || last {
			return Done{Refused: LastWay}, err
		}
		if err := method.Remove(ctx, tx, s.who.ID, m.ID); err != nil {
			return Done{}, err
		}
		e := effect{kind: audit.MethodRemoved, facts: methodFacts(m), personal: methodPersonal(m)}
		if m.Pending {
			// It was no way in yet: nothing rests on it, and its code ends.
			if _, err := d.closeCodes(ctx, tx, s.who.ID); err != nil {
				return Done{}, err
			}
			return Done{Method: m.ID}, d.record(ctx, tx, s, e)
		}
		e.told, e.about, e.words = message.MethodRemoved, m.Kind, map[string]string{"method": string(m.Kind)}
		done, err := d.settle(ctx, tx, s, e)
		done.Method = m.ID
		return done, err
	})
}

// lastWay asks the policy for a fresh sign-in to each of the person's sites without the
// method.
func (d *Desk) lastWay(ctx context.Context, tx *db.Tx, s held, m method.Method) (bool, error) {
	if m.Pending {
		return false, nil
	}
	asker := standing.Asker{User: s.who, Client: policy.Client{Kind: policy.ClientWeb}, Place: s.place}
	f, err := d.Standing.Of(ctx, tx, tx.Now, asker)
	if err != nil {
		return false, err
	}
	f.User.Methods = slices.DeleteFunc(f.User.Methods, func(each policy.Method) bool { return each.ID == string(m.ID) })
	return policy.Decide(f, tx.Now).Outcome == policy.Enrol, nil
}

// SetUsual chooses the method that the person is asked for first; empty for none. It must
// be one that they have, and recovery codes are nobody's usual way.
func (d *Desk) SetUsual(ctx context.Context, h Holder, kind policy.MethodKind) (Done, error) {
	return d.change(ctx, h, other, func(tx *db.Tx, s held) (Done, error) {
		if kind != "" {
			all, err := method.Of(ctx, tx, s.who.ID)
			if err != nil {
				return Done{}, fmt.Errorf("read methods: %w", err)
			}
			has := func(m method.Method) bool { return m.Kind == kind && !m.Pending }
			if kind == policy.Recovery || !slices.ContainsFunc(all, has) {
				return Done{Refused: NoSuch}, nil
			}
		}
		if err := user.SetUsual(ctx, tx, s.who.ID, kind); err != nil {
			return Done{}, err
		}
		return Done{}, d.record(ctx, tx, s, effect{kind: audit.UsualChanged, facts: map[string]string{"kind": string(kind)}})
	})
}
