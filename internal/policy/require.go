package policy

import (
	"slices"
	"time"
)

// markLife is how long a reset by email is remembered against a user of whom nothing
// was required in that time.
const markLife = 7 * day

// place is a site that requires a second factor, now or on a date. Where Xero is
// behind it, the limit of a remembered device is Xero's.
type place struct {
	Membership
	xero bool
}

// asking is what one decision rests on once the facts are weighed: who requires what,
// and since when.
type asking struct {
	facts   Facts
	w       *watch
	counted []Membership // the memberships this session may enter
	now     []place      // the sites that require a second factor now
	coming  []place      // the sites whose Xero date is to come
	own     bool         // the user's own choice
	client  bool         // the client asks for more than a password
	reasons []Reason
	dates   []Reason // one date_to_come for each of coming

	demanded bool      // anybody but the client requires or will require anything
	first    time.Time // the earliest moment of such a requirement; zero: always so
}

// over is the status of a membership whose access has ended, within one decision.
const over Status = "over"

// inTime gives the facts as they are at the watch's moment: a membership whose access is
// over counts for nothing from then on, whatever its row still says.
func (f Facts) inTime(w *watch) Facts {
	f.Memberships, f.Others = w.ended(f.Memberships), w.ended(f.Others)
	return f
}

// ended marks the memberships whose access is over. What it is given stays as it is.
func (w *watch) ended(all []Membership) []Membership {
	var out []Membership
	for i, m := range all {
		if m.Status != Active || !w.reached(m.EndsAt) {
			continue
		}
		if out == nil {
			out = slices.Clone(all)
		}
		out[i].Status = over
	}
	if out == nil {
		return all
	}
	return out
}

// reach finds the memberships that count, or why there are none (rule 1). The facts are
// those in time.
func reach(f Facts) (counted []Membership, refused []Reason) {
	for _, m := range f.Memberships {
		reason := Reason{Site: m.Site, SiteName: m.SiteName}
		switch {
		case m.Status == Blocked:
			reason.Key = IsBlocked
		case m.Status != Active:
			reason.Key = IsInactive
			if m.Status == over {
				reason.Since = m.EndsAt
			}
		case m.Kind == Mobile && f.Client.Kind != ClientMobile:
			reason.Key = MobileOnWeb
		default:
			counted = append(counted, m)
			continue
		}
		refused = append(refused, reason)
	}
	if len(counted) > 0 || f.User.Staff {
		return counted, nil
	}
	if len(refused) == 0 {
		return nil, []Reason{{Key: NoMembership}}
	}
	return nil, sorted(refused)
}

// weigh finds everything that is required (rules 2 and 3), with its reasons in the
// order of the rules.
func weigh(f Facts, counted []Membership, w *watch) *asking {
	a := &asking{facts: f, w: w, counted: counted}
	if f.User.Staff {
		a.demand(time.Time{})
		a.reasons = append(a.reasons, Reason{Key: IsStaff})
	}
	var sites []Reason
	for _, m := range counted {
		if m.Kind != Mobile {
			sites = append(sites, a.site(m)...)
		}
	}
	a.reasons = append(a.reasons, sorted(sites)...)
	for _, m := range f.Others {
		a.demandElsewhere(m)
	}
	if f.User.Wants2FA {
		a.own = true
		a.demand(f.User.WantsSince)
		a.reasons = append(a.reasons, Reason{Key: OwnChoice, Since: f.User.WantsSince})
	}
	if f.Client.ACR > acrPassword {
		a.client = true
		a.reasons = append(a.reasons, Reason{Key: ClientAsks, Level: f.Client.ACR})
	}
	return a
}

// required says whether a second factor is required now, by anybody.
func (a *asking) required() bool {
	return len(a.now) > 0 || a.own || a.client || a.facts.User.Staff
}

// demand notes since when something is required.
func (a *asking) demand(since time.Time) {
	if !a.demanded || since.Before(a.first) {
		a.demanded, a.first = true, since
	}
}

// demandElsewhere notes since when a site that is not entered requires something of the
// same person.
func (a *asking) demandElsewhere(m Membership) {
	if m.Status != Active || m.Kind == Mobile {
		return
	}
	if ties := m.xero(); len(ties) > 0 {
		a.demand(ties[0].from)
	}
	if r, ok := m.own(); ok {
		a.demand(r.Since)
	}
}

// site weighs one office membership and gives the reasons for which it requires.
func (a *asking) site(m Membership) []Reason {
	var reasons []Reason
	p := place{Membership: m}
	required := false
	if ties := m.xero(); len(ties) > 0 {
		a.demand(ties[0].from)
		if named, yes := a.w.enforced(ties); yes {
			required, p.xero = true, true
			reasons = append(reasons, named.reasons(m)...)
		} else {
			a.date(m, ties[0])
		}
	}
	if r, ok := m.own(); ok {
		required = true
		a.demand(r.Since)
		reasons = append(reasons, r)
	}
	if required {
		a.now = append(a.now, p)
	}
	return reasons
}

// date notes a site that will require a second factor from a known moment on.
func (a *asking) date(m Membership, t tie) {
	a.coming = append(a.coming, place{Membership: m, xero: true})
	a.dates = append(a.dates, Reason{
		Key: DateToCome, Site: m.Site, SiteName: m.SiteName,
		Since: t.Since, Until: t.from, By: t.By, Organisation: t.Organisation,
	})
}

// own is what the site itself requires of this member, by its setting or the toggle.
func (m Membership) own() (Reason, bool) {
	r := Reason{Site: m.Site, SiteName: m.SiteName}
	switch m.Setting {
	case SettingOff, "":
		return Reason{}, false
	case SettingPerUser:
		r.Key, r.Since = SiteRequiresMember, m.Required2FASince
		return r, m.Required2FA
	case SettingEveryone:
	}
	r.Key, r.Since = SiteRequiresEveryone, m.SettingSince
	return r, true
}

// requires says whether the site requires a second factor of this member at a moment.
func (m Membership) requires(at time.Time) bool {
	if m.Status != Active || m.Kind == Mobile {
		return false
	}
	if ties := m.xero(); len(ties) > 0 && !ties[0].from.After(at) {
		return true
	}
	r, ok := m.own()
	return ok && !r.Since.After(at)
}

// marked says whether the mark of a reset by email stood at a moment. It stands until
// it is cleared; only for a user of whom nothing was required does it end by itself.
// The client's asking is no requirement here: it comes and goes with the request.
func (a *asking) marked(ended func(time.Time) bool) bool {
	mark := a.facts.User.ResetMarkAt
	if mark.IsZero() {
		return false
	}
	end := mark.Add(markLife)
	if a.demanded && a.first.Before(end) {
		return true
	}
	return !ended(end)
}

// Required says whether a second factor is required of these facts, by anybody, and
// the reasons. It is false for somebody who is refused.
func Required(facts Facts, now time.Time) (bool, []Reason) {
	w := &watch{now: now}
	facts = facts.inTime(w)
	counted, refused := reach(facts)
	if refused != nil {
		return false, nil
	}
	a := weigh(facts, counted, w)
	return a.required(), a.reasons
}
