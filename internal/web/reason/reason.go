// Package reason puts the reasons of a decision into words: for the person who is asked
// (why, in the present and to them), and for whoever reads the trail later (what led to
// it, in the past and about them). It is the one place that does.
package reason

import (
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// Fact is one line of what led to a decision: what on the left, which on the right.
type Fact struct {
	What, Which string
}

// Why is the one sentence that says why more than a password is asked.
func Why(decision policy.Decision) string {
	for _, r := range decision.Reasons {
		switch r.Key { //nolint:exhaustive // the other reasons are not for this place
		case policy.IsStaff:
			return WhyStaff()
		case policy.XeroConnected:
			return WhyXero(r.SiteName, true)
		case policy.XeroWasConnected:
			return WhyXero(r.SiteName, false)
		case policy.SiteRequiresEveryone:
			return WhySite(r.SiteName)
		case policy.SiteRequiresMember:
			return WhyMember(r.SiteName)
		case policy.OwnChoice:
			return WhyOwn()
		}
	}
	return ""
}

// Facts are what led to the decision, each with its date and who.
func Facts(decision policy.Decision, zone *time.Location, now time.Time) []Fact {
	var all []Fact
	for _, r := range decision.Reasons {
		switch r.Key { //nolint:exhaustive // the other reasons are not for this place
		case policy.XeroConnected, policy.XeroWasConnected:
			if !r.Since.IsZero() {
				all = append(all, FactXero(locale.Day(r.Since, zone), r.By))
			}
		case policy.EnforcedSince:
			all = append(all, FactRequired(r.SiteName, locale.Moment(r.Since, zone, now)))
		}
	}
	return append(all, FactDevice())
}

// Why a second step is asked for, each one sentence.

// WhyXero is for a site that is connected to Xero, or was and kept its requirement.
func WhyXero(site string, connected bool) string {
	if connected {
		return locale.Say(locale.WhyXero, locale.Data{"Site": site})
	}
	return locale.Say(locale.WhyWasXero, locale.Data{"Site": site})
}

// WhySite is for a site that asks everybody.
func WhySite(site string) string { return locale.Say(locale.WhySite, locale.Data{"Site": site}) }

// WhyMember is for a site that asks this member.
func WhyMember(site string) string { return locale.Say(locale.WhyMember, locale.Data{"Site": site}) }

// WhyOwn is for a user's own choice.
func WhyOwn() string { return locale.Say(locale.WhyOwn) }

// WhyStaff is for the vendor's own people.
func WhyStaff() string { return locale.Say(locale.WhyStaff) }

// WhyMore is for a site that was connected while somebody was signed in.
func WhyMore(site string) string { return locale.Say(locale.MoreXero, locale.Data{"Site": site}) }

// FactXero says since which day the site is connected, and by whom, which may be empty.
func FactXero(day, by string) Fact {
	what := locale.Say(locale.WhyFactXero)
	if by == "" {
		return Fact{what, locale.Say(locale.WhyFactXeroSince, locale.Data{"Day": day})}
	}
	return Fact{what, locale.Say(locale.WhyFactXeroBy, locale.Data{"Day": day, "Who": by})}
}

// FactRequired says where and since when the second step is required.
func FactRequired(site, when string) Fact {
	return Fact{
		locale.Say(locale.WhyFactRequired),
		locale.Say(locale.WhyFactRequiredSince, locale.Data{"Site": site, "When": when}),
	}
}

// FactDevice says that this device is not remembered.
func FactDevice() Fact {
	return Fact{locale.Say(locale.WhyFactDevice), locale.Say(locale.WhyFactDeviceNew)}
}
