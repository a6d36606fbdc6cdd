package policy

import (
	"cmp"
	"slices"
	"time"
)

// unprovedCodes is how many codes a number gets that nobody has proved.
const unprovedCodes = 3

// kinds are the methods in the order in which they are listed, and in which one is
// chosen where nothing else decides: email first (the default of every user), then
// what needs no delivery, then what costs, and recovery codes last.
var kinds = [...]MethodKind{Email, TOTP, Passkey, SMS, Recovery}

// choice is a method that can work, with what the default is chosen by.
type choice struct {
	Offer
	used time.Time
}

// menu is every method with whether it can be passed now (rule 7).
type menu struct {
	choices  []choice
	withheld []Withheld
	rested   time.Time // the first of the resting methods is free then; zero: none rests
}

// menu judges every method of the user against a need.
func (a *asking) menu(n need) menu {
	var out menu
	payer, paid := a.payer(n)
	for _, m := range a.facts.User.Methods {
		key := a.obstacle(m, n, paid)
		if key == "" {
			out.choices = append(out.choices, m.choice(payer))
			continue
		}
		var until time.Time
		if key == Resting {
			until = m.RestingUntil
			if out.rested.IsZero() || until.Before(out.rested) {
				out.rested = until
			}
		}
		out.withhold(m.ID, m.Kind, key, until, a.fixer(key))
	}
	a.missing(n, paid, &out)
	slices.SortFunc(out.choices, choice.compare)
	slices.SortFunc(out.withheld, Withheld.compare)
	return out
}

// choice is the method as it can be passed now, paid by a site where it costs.
func (m Method) choice(payer string) choice {
	c := choice{Offer: Offer{ID: m.ID, Kind: m.Kind, Proved: m.proved(), Channel: m.ChannelHealth}, used: m.LastUsedAt}
	if m.Kind == SMS {
		c.Site = payer
	}
	return c
}

func (u *menu) withhold(id string, kind MethodKind, key WithheldKey, until time.Time, fix Fixer) {
	u.withheld = append(u.withheld, Withheld{ID: id, Kind: kind, Key: key, Until: until, Fix: fix})
}

// missing lists the kinds of method that the user does not have.
func (a *asking) missing(n need, paid bool, out *menu) {
	for _, kind := range kinds {
		has := func(m Method) bool { return m.Kind == kind }
		if slices.ContainsFunc(a.facts.User.Methods, has) {
			continue
		}
		key := n.refusal(kind)
		switch {
		case key != "":
		case kind == Email:
			key = NoEmail
		case kind == SMS:
			key = NoMobile
			if !paid {
				out.withhold("", kind, NoSMSAvailable, time.Time{}, a.fixer(NoSMSAvailable))
			}
		default:
			key = NotSetUp
		}
		out.withhold("", kind, key, time.Time{}, a.fixer(key))
	}
}

// obstacle is the first thing that stands in the way of a method, empty when nothing
// does. Resting is judged last, so that it means: this alone.
func (a *asking) obstacle(m Method, n need, paid bool) WithheldKey {
	if key := m.absent(); key != "" {
		return key
	}
	if key := n.refusal(m.Kind); key != "" {
		return key
	}
	if a.marked(a.w.reached) && (m.Kind == Email || !m.madeBefore(a.facts.User.ResetMarkAt)) {
		return ResetMark
	}
	if m.Kind == Recovery {
		return "" // never spent, never resting
	}
	if m.Spent {
		return SpentMethod
	}
	switch {
	case m.Kind == Email && m.AwaitsProof:
		return AwaitsProof
	case m.Kind == Email && m.Health.dead():
		return EmailBounced
	case m.Kind == SMS:
		if key := a.noSMS(m, paid); key != "" {
			return key
		}
	}
	if !m.RestingUntil.IsZero() && !a.w.reached(m.RestingUntil) {
		return Resting
	}
	return ""
}

// absent says that a method is not there, or not to the end.
func (m Method) absent() WithheldKey {
	switch {
	case m.Pending:
		return PendingProof
	case strength(m.Kind) == 0,
		(m.Kind == TOTP || m.Kind == Passkey) && !m.proved(),
		m.Kind == SMS && !m.proved() && m.LinkedAt.IsZero():
		return NotSetUp
	case m.Kind == Recovery && m.Left <= 0:
		return NoCodesLeft
	}
	return ""
}

// noSMS says why a code cannot go to a number.
func (a *asking) noSMS(m Method, paid bool) WithheldKey {
	switch {
	case m.Health.dead():
		return NumberRefused
	case !m.proved() && slices.ContainsFunc(a.facts.User.Methods, Method.proved):
		return NotProved
	case !m.proved() && m.UnprovedSent >= unprovedCodes:
		return UnprovedSpent
	case !paid:
		return NoSMSAvailable
	}
	return ""
}

// proved says that somebody has typed back what was sent there, or completed a set-up.
func (m Method) proved() bool { return !m.ProvedAt.IsZero() }

// madeBefore says that a method was proved before a moment. Recovery codes are never
// typed back to be proved: what counts is when they were made.
func (m Method) madeBefore(at time.Time) bool {
	made := m.ProvedAt
	if m.Kind == Recovery && made.IsZero() {
		made = m.LinkedAt
	}
	return !made.IsZero() && made.Before(at)
}

// payer finds the site that can pay for an SMS: of those that require before others,
// then the first by id. An Admin may use the float.
func (a *asking) payer(n need) (site string, paid bool) {
	requiring := make([]Membership, 0, len(n.places))
	for _, p := range n.places {
		requiring = append(requiring, p.Membership)
	}
	for _, ms := range [][]Membership{requiring, a.counted} {
		for _, m := range ms {
			if m.paysSMS() && (!paid || m.Site < site) {
				site, paid = m.Site, true
			}
		}
		if paid {
			return site, true
		}
	}
	return "", false
}

// paysSMS says whether the site has an SMS left for this member.
func (m Membership) paysSMS() bool {
	kept := max(m.SMSFloat, 0)
	if m.Group == GroupAdmin && !m.FloatUsed {
		kept = 0
	}
	return m.SMSAvailable > kept
}

// fixer says who can mend an obstacle.
func (a *asking) fixer(key WithheldKey) Fixer {
	switch key {
	case NotSetUp, NoCodesLeft, PendingProof, TooWeakForSite, TooWeakForClient,
		NotForStaff, AwaitsProof, NotProved, Resting:
		return FixSelf
	case NoSMSAvailable:
		return a.admin()
	case NoEmail, NoMobile, EmailBounced, NumberRefused, ResetMark, SpentMethod, UnprovedSpent:
	}
	return a.helper()
}

// helper is who can let this person in or mend their address: the vendor's people for
// staff and for somebody active in several sites, else an admin.
func (a *asking) helper() Fixer {
	if a.facts.User.Staff || a.elsewhere() {
		return FixAccountManager
	}
	return a.admin()
}

// admin is an admin of a site they reach, unless they are themselves the only one.
func (a *asking) admin() Fixer {
	for _, m := range a.counted {
		if !m.LoneAdmin {
			return FixAdmin
		}
	}
	return FixAccountManager
}

// elsewhere says that the user is active in more than one site.
func (a *asking) elsewhere() bool {
	var site string
	seen := false
	for _, m := range slices.Concat(a.facts.Memberships, a.facts.Others) {
		if m.Status != Active {
			continue
		}
		if seen && m.Site != site {
			return true
		}
		site, seen = m.Site, true
	}
	return false
}

// preferred is the kind to begin with: the user's usual way, else the one last used
// with success, else email. A channel that is down, and recovery codes, begin nothing
// while there is another way.
func (u menu) preferred(usual MethodKind) MethodKind {
	var best *choice
	for i := range u.choices {
		c := &u.choices[i]
		if best == nil || c.rank(usual).compare(best.rank(usual)) < 0 {
			best = c
		}
	}
	if best == nil {
		return ""
	}
	return best.Kind
}

// rank is a choice's place in the order of preferred; less is better.
type rank struct {
	lastResort, down, notUsual bool
	used                       time.Time
	kind                       int
}

func (c choice) rank(usual MethodKind) rank {
	return rank{
		lastResort: c.Kind == Recovery, down: c.Channel.dead(), notUsual: c.Kind != usual,
		used: c.used, kind: slices.Index(kinds[:], c.Kind),
	}
}

func (r rank) compare(o rank) int {
	return cmp.Or(
		compareBool(r.lastResort, o.lastResort), compareBool(r.down, o.down),
		compareBool(r.notUsual, o.notUsual), o.used.Compare(r.used), cmp.Compare(r.kind, o.kind))
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (c choice) compare(o choice) int {
	return cmp.Or(
		cmp.Compare(slices.Index(kinds[:], c.Kind), slices.Index(kinds[:], o.Kind)), cmp.Compare(c.ID, o.ID),
		compareBool(o.Proved, c.Proved), cmp.Compare(c.Channel, o.Channel), c.used.Compare(o.used))
}

func (w Withheld) compare(o Withheld) int {
	return cmp.Or(
		cmp.Compare(slices.Index(kinds[:], w.Kind), slices.Index(kinds[:], o.Kind)), cmp.Compare(w.ID, o.ID),
		cmp.Compare(w.Kind, o.Kind), cmp.Compare(w.Key, o.Key), w.Until.Compare(o.Until))
}
