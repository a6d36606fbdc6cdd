package policy

import (
	"slices"
	"time"
)

// FreshFor is how old a proof may be for a change of methods (I10).
const FreshFor = 5 * time.Minute

// Change is what somebody wants to do to their own ways of passing.
type Change string

// The changes. A recovery code that was just used does for the first two, because it is
// there for whoever has lost what would prove more.
const (
	AddMethod    Change = "add_method"
	RemoveMethod Change = "remove_method"
	OtherChange  Change = "other_change"
)

// Proof is what a session has proved, and when.
type Proof struct {
	PasswordAt time.Time
	Passed     []Pass
}

// MayChange says whether what was proved lately allows a change of the person's own
// methods, devices and password: it must be fresh, and of the highest level that the
// person can reach. level is that level, 1 where the password is all they have; 0 says
// that no proof of theirs would do, because of a reset by email or because the session
// may only enrol, and that somebody must help.
//
// A method that rests or is spent still counts: whoever types wrong codes must not be
// able to bring the level down. One that is known dead, and SMS that nobody can pay
// for, do not: their owner could never change anything. Recovery codes raise nothing,
// or each change would use one up, and none does for another change: it would buy ten.
func MayChange(facts Facts, proof Proof, change Change, now time.Time) (ok bool, level int) {
	w := &watch{now: now}
	facts = facts.inTime(w)
	counted, refused := reach(facts)
	if refused != nil {
		return false, 0
	}
	if facts.EnrolOnly {
		return change == AddMethod, 0
	}
	facts.Client = Client{Kind: facts.Client.Kind}
	a := weigh(facts, counted, w)
	if change != OtherChange && a.marked(a.w.reached) {
		return false, 0
	}
	level = a.highest()
	if level == acrPassword {
		return fresh(proof.PasswordAt, now), level
	}
	return slices.ContainsFunc(proof.Passed, func(p Pass) bool {
		if p.Kind == Recovery {
			return change != OtherChange && fresh(p.At, now) && a.counts(p)
		}
		return fresh(p.At, now) && a.counts(p) && LevelOf(p.Kind) >= level
	}), level
}

// fresh says whether a proof is young enough for a change. One from the future is none.
func fresh(at, now time.Time) bool {
	return !at.IsZero() && !at.After(now) && now.Sub(at) <= FreshFor
}

// highest is the greatest level that the person's methods reach.
func (a *asking) highest() int {
	n := need{staff: a.facts.User.Staff}
	_, paid := a.payer(n)
	paid = paid || slices.ContainsFunc(a.facts.Others, func(m Membership) bool { return m.Status == Active && m.paysSMS() })
	level := acrPassword
	for _, m := range a.facts.User.Methods {
		if m.Kind == Recovery {
			continue
		}
		m.Spent, m.RestingUntil = false, time.Time{}
		if a.obstacle(m, n, paid) == "" {
			level = max(level, LevelOf(m.Kind))
		}
	}
	return level
}
