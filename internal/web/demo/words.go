package demo

import (
	"slices"
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// The looks of a mark.
const (
	lookReady  = "ready"
	lookManage = "manage"
	lookHelp   = "help"
	lookNone   = "none"
)

// meets says what somebody meets who signs in.
func meets(d policy.Decision) Mark {
	switch d.Outcome {
	case policy.Allow:
		return Mark{lookNone, locale.Say(locale.DemoMeetsAllow)}
	case policy.Nudge:
		return Mark{lookManage, locale.Say(locale.DemoMeetsNudge)}
	case policy.Ask:
		if len(d.Offered) == 0 {
			return Mark{lookManage, locale.Say(locale.DemoMeetsRest)}
		}
		return Mark{lookReady, locale.Say(locale.DemoMeetsAsk)}
	case policy.Enrol:
		return Mark{lookHelp, locale.Say(locale.DemoMeetsEnrol)}
	case policy.Refuse:
		return refused(d.Reasons)
	}
	return Mark{}
}

func refused(reasons []policy.Reason) Mark {
	for _, r := range reasons {
		switch r.Key { //nolint:exhaustive // the other reasons do not refuse
		case policy.MobileOnWeb:
			return Mark{lookNone, locale.Say(locale.DemoMeetsMobile)}
		case policy.IsInactive:
			return Mark{lookNone, locale.Say(locale.DemoMeetsInactive)}
		case policy.IsBlocked:
			return Mark{lookHelp, locale.Say(locale.DemoMeetsBlocked)}
		}
	}
	return Mark{lookHelp, locale.Say(locale.DemoMeetsRefused)}
}

// stateOf says where a site stands, and whether it is connected. It asks the policy about
// an office member of whom nothing is known but the site.
func stateOf(m policy.Membership, s site.Site, now time.Time) (state Mark, connected bool) {
	m.Kind, m.Status, m.Group, m.Required2FA, m.LoneAdmin = policy.Office, policy.Active, policy.GroupUser, false, false
	d := policy.Decide(policy.Facts{Memberships: []policy.Membership{m}, Client: policy.Client{Kind: policy.ClientWeb}}, now)
	connected = slices.ContainsFunc(m.Integrations, func(i policy.Integration) bool {
		return i.Kind == policy.Xero && i.State != policy.Disconnected
	})
	for _, r := range d.Reasons {
		switch r.Key { //nolint:exhaustive // the other reasons say nothing of the site
		case policy.XeroConnected:
			return Mark{lookReady, locale.Say(locale.DemoStateXero, locale.Data{"Day": locale.Day(r.Since, s.Zone)})}, connected
		case policy.XeroWasConnected:
			return Mark{lookReady, locale.Say(locale.DemoStateWas)}, connected
		case policy.SiteRequiresEveryone:
			return Mark{lookReady, locale.Say(locale.DemoStateEveryone)}, connected
		case policy.DateToCome:
			return Mark{lookManage, locale.Say(locale.DemoStateDate, locale.Data{
				"When": locale.Exact(r.Until, s.Zone, now), "Away": locale.Away(r.Until, s.Zone, now),
			})}, connected
		}
	}
	switch {
	case connected:
		return Mark{lookNone, locale.Say(locale.DemoStateUndated)}, connected
	case m.Setting == policy.SettingPerUser:
		return Mark{lookNone, locale.Say(locale.DemoStateMember)}, connected
	}
	return Mark{lookNone, locale.Say(locale.DemoStateFree)}, connected
}
