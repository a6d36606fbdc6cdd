package policy

import (
	"slices"
	"time"
)

// Decide answers for one person at one moment. The rules and their order are in the
// package's description. The same facts give the same decision until ValidUntil.
func Decide(facts Facts, now time.Time) Decision {
	w := &watch{now: now}
	d := decide(facts, w)
	if !w.next.IsZero() {
		d.ValidUntil = w.next.UTC() // one form of a moment, whichever site it comes from
	}
	return d
}

func decide(f Facts, w *watch) Decision {
	f = f.inTime(w)
	counted, refused := reach(f)
	if refused != nil {
		return Decision{Outcome: Refuse, Level: acrPassword, Reasons: refused}
	}
	a := weigh(f, counted, w)
	n := a.need()
	d := Decision{Sites: sites(counted), Level: n.acr(), Reasons: a.reasons}
	if f.EnrolOnly {
		d.Outcome, d.Help = Enrol, a.helper()
		d.Reasons = append(d.Reasons, Reason{Key: EnrolOnlySession})
		return d
	}
	if !a.required() {
		d.Reasons = append(d.Reasons, Reason{Key: a.free()})
		return a.goOn(d)
	}
	if p, ok := a.met(n, true); ok {
		d.Reasons = append(d.Reasons, Reason{Key: WasPassed, Method: p.Kind, Since: p.At})
		return a.goOn(d)
	}
	d.Reasons = append(d.Reasons, a.notEnough()...)
	if !a.client {
		ok, why := a.remembered(n)
		d.Reasons = append(d.Reasons, why...)
		if ok {
			return a.goOn(d)
		}
	}
	return a.ask(d, n)
}

// free says why nothing is required.
func (a *asking) free() ReasonKey {
	if slices.ContainsFunc(a.counted, func(m Membership) bool { return m.Kind != Mobile }) {
		return NothingRequired
	}
	return MobileExempt
}

// notEnough lists what was passed and does not do.
func (a *asking) notEnough() []Reason {
	var rs []Reason
	for _, p := range a.facts.Passed {
		rs = append(rs, Reason{Key: PassNotEnough, Method: p.Kind, Since: p.At})
	}
	return sorted(rs)
}

// goOn lets the person go on, with a nudge where a date is to come that would hold them
// up: they are not ready for it, and neither what this session passed nor its device
// would do.
func (a *asking) goOn(d Decision) Decision {
	n := a.needThen()
	var dates []Reason
	for i, p := range a.coming {
		if a.w.begun(p.Rollout.PrepareFrom) {
			dates = append(dates, a.dates[i])
		}
	}
	if len(dates) == 0 {
		return d
	}
	d.Reasons = append(d.Reasons, sorted(dates)...)
	if _, ok := a.met(n, false); ok {
		return d
	}
	if ok, _ := a.remembered(n); ok {
		return d
	}
	u := a.menu(n)
	if mark, _ := markOf(u.offers(), a.counted); mark == Ready {
		return d
	}
	d.Outcome, d.NotOffered = Nudge, u.withheld
	d.Reasons = append(d.Reasons, Reason{Key: NotReady})
	return d
}

// ask offers what can work (rule 7), or says that nothing can (rule 8).
func (a *asking) ask(d Decision, n need) Decision {
	u := a.menu(n)
	d.Outcome, d.NotOffered = Ask, u.withheld
	d.Offered, d.Default = u.offers(), u.preferred(a.facts.User.Usual)
	switch {
	case len(d.Offered) > 0:
	case !u.rested.IsZero():
		d.Reasons = append(d.Reasons, Reason{Key: EveryMethodRests, Until: u.rested})
	default:
		d.Outcome, d.Help = Enrol, a.helper()
		d.Reasons = append(d.Reasons, Reason{Key: NoMethodCanWork})
	}
	return d
}

// offers are the choices as a decision shows them.
func (u menu) offers() []Offer {
	var offers []Offer
	for _, c := range u.choices {
		offers = append(offers, c.Offer)
	}
	return offers
}

// sites are the ids of memberships' sites, sorted, each once.
func sites(ms []Membership) []string {
	ids := make([]string, 0, len(ms))
	for _, m := range ms {
		ids = append(ids, m.Site)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
