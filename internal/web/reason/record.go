package reason

import (
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// Reader is how a why-record is read: where times are said, from when, and who connected
// Xero, which the record itself does not say. By may be empty.
type Reader struct {
	Zone *time.Location
	Now  time.Time
	By   string
}

// Outcome is what a recorded decision came to, as a sentence; empty for one of a later
// release.
func Outcome(outcome string) string {
	switch outcome {
	case policy.Allow.String():
		return locale.Say(locale.ReasonOutcomeAllow)
	case policy.Nudge.String():
		return locale.Say(locale.ReasonOutcomeNudge)
	case policy.Ask.String():
		return locale.Say(locale.ReasonOutcomeAsk)
	case policy.Enrol.String():
		return locale.Say(locale.ReasonOutcomeEnrol)
	case policy.Refuse.String():
		return locale.Say(locale.ReasonOutcomeRefuse)
	}
	return ""
}

// Sentence is one recorded reason as a sentence, whatever its key.
func (r Reader) Sentence(one policy.Reason) string {
	switch one.Key { //nolint:exhaustive // the others are in the table, or of a later release
	case policy.XeroConnected:
		return r.xero(one, locale.ReasonXero, locale.ReasonXeroSince, locale.ReasonXeroBy)
	case policy.XeroWasConnected:
		return r.xero(one, locale.ReasonWasXero, locale.ReasonWasXeroSince, locale.ReasonWasXeroBy)
	case policy.EnforcedSince:
		return r.day(one.Since, locale.ReasonEnforced, locale.ReasonEnforcedSince)
	case policy.SiteRequiresEveryone:
		return r.day(one.Since, locale.ReasonEveryone, locale.ReasonEveryoneSince)
	case policy.SiteRequiresMember:
		return r.day(one.Since, locale.ReasonMember, locale.ReasonMemberSince)
	case policy.DateToCome:
		return r.day(one.Until, locale.ReasonDate, locale.ReasonDateUntil)
	case policy.WasPassed:
		how := locale.Data{"Method": Method(one.Method)}
		if one.Since.IsZero() {
			return locale.Say(locale.ReasonPassed, how)
		}
		how["When"] = locale.Exact(one.Since, r.Zone, r.Now)
		return locale.Say(locale.ReasonPassedAt, how)
	case policy.PassNotEnough:
		return locale.Say(locale.ReasonNotEnough, locale.Data{"Method": Method(one.Method)})
	case policy.DeviceRemembered:
		if one.Until.IsZero() {
			return locale.Say(locale.ReasonRemembered)
		}
		return locale.Say(locale.ReasonRememberedUntil, locale.Data{"When": locale.Exact(one.Until, r.Zone, r.Now)})
	}
	if key, ok := plain[one.Key]; ok {
		return locale.Say(key)
	}
	return locale.Say(locale.ReasonOther, locale.Data{"Key": string(one.Key)})
}

// plain are the reasons that need nothing but their key.
var plain = map[policy.ReasonKey]locale.Key{
	policy.NoMembership:         locale.ReasonNoMembership,
	policy.IsInactive:           locale.ReasonInactive,
	policy.IsBlocked:            locale.ReasonBlocked,
	policy.MobileOnWeb:          locale.ReasonMobileOnWeb,
	policy.IsStaff:              locale.ReasonStaff,
	policy.OwnChoice:            locale.ReasonOwn,
	policy.ClientAsks:           locale.ReasonClient,
	policy.DeviceNotRemembered:  locale.ReasonNotRemembered,
	policy.ChangedSinceRemember: locale.ReasonChangedSince,
	policy.NothingRequired:      locale.ReasonNothing,
	policy.MobileExempt:         locale.ReasonMobile,
	policy.NotReady:             locale.ReasonNotReady,
	policy.EnrolOnlySession:     locale.ReasonEnrolOnly,
	policy.EveryMethodRests:     locale.ReasonRests,
	policy.NoMethodCanWork:      locale.ReasonNoMethod,
}

func (r Reader) xero(one policy.Reason, bare, since, by locale.Key) string {
	if one.Since.IsZero() || r.By == "" {
		return r.day(one.Since, bare, since)
	}
	return locale.Say(by, locale.Data{"Day": locale.Day(one.Since, r.Zone), "Who": r.By})
}

func (r Reader) day(at time.Time, bare, dated locale.Key) string {
	if at.IsZero() {
		return locale.Say(bare)
	}
	return locale.Say(dated, locale.Data{"Day": locale.Day(at, r.Zone)})
}

// Method is a kind of method as it stands in a sentence about the past.
func Method(kind policy.MethodKind) string {
	switch kind {
	case policy.Email:
		return locale.Say(locale.AuditMethodEmail)
	case policy.SMS:
		return locale.Say(locale.AuditMethodSms)
	case policy.TOTP:
		return locale.Say(locale.AuditMethodTotp)
	case policy.Passkey:
		return locale.Say(locale.AuditMethodPasskey)
	case policy.Recovery:
		return locale.Say(locale.AuditMethodRecovery)
	}
	return locale.Say(locale.AuditMethodOther)
}
