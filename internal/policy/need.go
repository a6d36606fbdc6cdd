package policy

import (
	"cmp"
	"slices"
	"time"
)

// need is what a proof must meet: how strong it is and what it is. What is needed now
// and what will be needed on a date are two needs over the same facts.
type need struct {
	places []place // the sites that require, each with its weakest method
	own    bool
	staff  bool
	level  int  // the acr that the client asks for
	spare  bool // a recovery code does in place of it
	never  bool // a recovery code does not do at all
}

// need is what is needed now.
func (a *asking) need() need {
	return need{places: a.now, own: a.own, staff: a.facts.User.Staff, level: a.facts.Client.ACR, spare: a.facts.Client.OrRecovery, never: a.facts.Client.NoRecovery}
}

// needThen is what will be needed once every date to come has come. What the client
// asks is of this request, not of that day.
func (a *asking) needThen() need {
	n := a.need()
	n.places = slices.Concat(a.now, a.coming)
	n.level = 0
	return n
}

// refusal says why a kind of method would not do, and is empty when it would.
func (n need) refusal(kind MethodKind) WithheldKey {
	if n.staff && kind != TOTP && kind != Passkey {
		return NotForStaff
	}
	for _, p := range n.places {
		if strength(kind) < weakest(p.Weakest) {
			return TooWeakForSite
		}
	}
	if n.never && kind == Recovery {
		return TooWeakForClient
	}
	if LevelOf(kind) < n.level && (kind != Recovery || !n.spare) {
		return TooWeakForClient
	}
	return ""
}

// acr is the least level that meets the need.
func (n need) acr() int {
	level := max(n.level, acrPassword)
	if n.staff {
		level = max(level, acrSecond)
	}
	if n.own || len(n.places) > 0 {
		level = max(level, acrEmail)
	}
	for _, p := range n.places {
		switch s := weakest(p.Weakest); {
		case s >= strength(Passkey):
			level = max(level, acrPasskey)
		case s > strength(Email):
			level = max(level, acrSecond)
		}
	}
	return level
}

// met finds a factor passed in this session that meets the need, with the client's
// demands on its age (rule 4), and says which it was: the latest of the best.
func (a *asking) met(n need, fresh bool) (Pass, bool) {
	var best Pass
	found := false
	for _, p := range a.facts.Passed {
		if !a.counts(p) || n.refusal(p.Kind) != "" || fresh && !a.fresh(p) {
			continue
		}
		if !found || p.compare(best) > 0 {
			best, found = p, true
		}
	}
	return best, found
}

// compare orders passes by level, then time.
func (p Pass) compare(o Pass) int {
	return cmp.Or(cmp.Compare(LevelOf(p.Kind), LevelOf(o.Kind)), p.At.Compare(o.At), cmp.Compare(p.Kind, o.Kind))
}

// fresh says whether a pass is young enough for the client.
func (a *asking) fresh(p Pass) bool {
	c := a.facts.Client
	if p.At.Before(c.PassedSince) {
		return false
	}
	return c.MaxAge == nil || !a.w.over(p.At.Add(*c.MaxAge))
}

// counts says whether a pass is a second factor at all: of a known kind, and not made
// with what a reset by email took the power from. Judged by the mark as it stood when
// the factor was passed: a pass that did not count then never will.
func (a *asking) counts(p Pass) bool {
	if strength(p.Kind) == 0 {
		return false
	}
	if !a.marked(func(end time.Time) bool { return !p.At.Before(end) }) {
		return true
	}
	return p.Kind != Email && slices.ContainsFunc(a.facts.User.Methods, func(m Method) bool {
		return m.Kind == p.Kind && m.madeBefore(a.facts.User.ResetMarkAt)
	})
}
