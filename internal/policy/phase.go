package policy

import (
	"slices"
	"time"
)

// WaveLife is how long a site belongs to its wave after its date has come: so long its
// sign-ins are compared with those of sites whose date is to come, and so long the wave
// can be rolled back.
const WaveLife = 7 * day

// Phase is where a site stands in the rollout at a moment.
type Phase string

// The phases. An outside site has no part in the rollout: there is none, or the site is
// not connected, or it connected after the rollout began and is enforced on its own.
const (
	Outside   Phase = ""
	Preparing Phase = "preparing" // its date is to come, or none is stored yet
	InWave    Phase = "wave"      // its date came less than WaveLife ago
	Settled   Phase = "settled"   // its date came before that
)

// Phase says where the membership's site stands now, and its date: the moment from which
// the rollout enforces it, zero while none is stored. A mobile membership is outside,
// because no date asks anything of it.
func (m Membership) Phase(now time.Time) (Phase, time.Time) {
	if m.Kind == Mobile || !m.Rollout.Defined {
		return Outside, time.Time{}
	}
	ties := m.xero()
	if slices.ContainsFunc(ties, func(t tie) bool { return !t.dated }) {
		return Outside, time.Time{}
	}
	i := slices.IndexFunc(ties, func(t tie) bool { return t.begun(now) }) // the first to be enforced
	if i < 0 {
		if slices.ContainsFunc(m.Integrations, func(i Integration) bool { return i.State != Disconnected && i.begun(now) }) {
			return Preparing, time.Time{}
		}
		return Outside, time.Time{}
	}
	switch date := ties[i].from; {
	case now.Before(date):
		return Preparing, date
	case now.Before(date.Add(WaveLife)):
		return InWave, date
	default:
		return Settled, date
	}
}

// begun says that it is a connection to Xero that was live by now; "tonight" is not.
func (i Integration) begun(now time.Time) bool { return i.Kind == Xero && !i.Since.After(now) }

// Shadow decides as if the date of every site entered that is preparing were now. It asks
// Decide, so that what it would have done is what the date will do: the same facts after
// the date give the same decision.
func Shadow(facts Facts, now time.Time) Decision {
	facts.Memberships = slices.Clone(facts.Memberships)
	for i := range facts.Memberships {
		m := &facts.Memberships[i]
		if phase, _ := m.Phase(now); phase == Preparing {
			m.Rollout.EnforceAt, m.Rollout.ExtendedUntil = now, time.Time{}
		}
	}
	return Decide(facts, now)
}
