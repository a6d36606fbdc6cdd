package policy

import (
	"slices"
	"time"
)

// Mark is who would get in if enforcement started now.
type Mark string

// The marks of readiness. Exempt is no judgement: nobody would ask this person, because
// no active office membership is among the facts.
const (
	Ready      Mark = "ready"       // a proved method works now
	WillManage Mark = "will_manage" // a plausible one would be tried for the first time
	NeedsHelp  Mark = "needs_help"  // nothing can work now
	Exempt     Mark = "exempt"
)

// Prediction is what would happen, with the decision it was read from: NotOffered says
// what the person lacks and who can mend it.
type Prediction struct {
	Mark Mark
	// Roads is how many ways would do that were proved or need no proof, and whose channel
	// delivers.
	Roads    int
	Decision Decision
}

// Readiness predicts a fresh sign-in on the web, nothing passed and nothing remembered,
// if every site reached required 2FA from now on. It asks Decide, so that what it
// predicts is what the sign-in gets.
func Readiness(facts Facts, now time.Time) Prediction {
	facts.Passed, facts.Remembered, facts.EnrolOnly = nil, nil, false
	facts.Client = Client{Kind: ClientWeb}
	facts.Memberships = slices.Clone(facts.Memberships)
	for i := range facts.Memberships {
		if m := &facts.Memberships[i]; m.Setting != SettingEveryone && !m.requires(now) {
			m.Setting, m.SettingSince = SettingEveryone, now
		}
	}
	d := Decide(facts, now)
	switch d.Outcome {
	case Refuse:
		return Prediction{Mark: Exempt, Decision: d}
	case Allow, Nudge, Ask, Enrol:
	}
	// The requirement was made up to begin now, so the mark of a reset, which ends
	// only where nothing is required, was weighed without a word to the watch.
	if end := facts.User.ResetMarkAt.Add(markLife); !facts.User.ResetMarkAt.IsZero() && now.Before(end) &&
		(d.ValidUntil.IsZero() || end.Before(d.ValidUntil)) {
		d.ValidUntil = end
	}
	counted, _ := reach(facts.inTime(&watch{now: now}))
	p := Prediction{Decision: d}
	p.Mark, p.Roads = markOf(d.Offered, counted)
	return p
}

// markOf reads readiness from what would be offered, and counts the proved roads. A lone
// Admin, whom nobody in the site can help, is ready only with two of them, one of which
// needs no delivery.
func markOf(offered []Offer, counted []Membership) (mark Mark, roads int) {
	handy := false
	for _, o := range offered {
		needsNone := o.Kind != Email && o.Kind != SMS
		if needsNone || o.Proved && !o.Channel.dead() {
			roads++
			handy = handy || needsNone
		}
	}
	lone := slices.ContainsFunc(counted, func(m Membership) bool { return m.LoneAdmin })
	switch {
	case len(offered) == 0:
		return NeedsHelp, 0
	case roads == 0, lone && (roads < 2 || !handy):
		return WillManage, roads
	}
	return Ready, roads
}
