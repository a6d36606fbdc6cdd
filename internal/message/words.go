package message

import (
	"strconv"
	"time"

	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// told is one stored notice.
type told struct {
	User id.User
	ID   id.Notice
	Site id.Site
	// SiteName is the site's, as it is when the notice is read; empty where there is none.
	SiteName string
	Kind     NoticeKind
	Channel  Channel
	Address  string
	Words    map[string]string
	MadeAt   time.Time
	// dueAt is from when on it may be sent.
	dueAt time.Time
}

// speaker is what the sentences of notices have in common: who speaks, who helps, and in
// which time zone.
type speaker struct {
	Words
	zone *time.Location
	// name shortens a name, where there is little room.
	name func(string) string
}

// about is whom a notice is about, for its subject and for who helps.
type about int

const (
	aboutYou about = iota
	aboutSite
	aboutHelp
	aboutStaff
	aboutRequest
	aboutReady
)

func (k NoticeKind) about() about {
	switch k {
	case HelpAsked:
		return aboutHelp
	case SMSLow, AddressDead, RequestApproved, RequestDeclined, RequestExpired, InvitationAccepted, AccessEnding, AccessEnded,
		SharingDismissed, SplitHeld, MemberLeft, MemberStopped, MemberAdmin, SettingsChanged, RequirementLowered, SiteOpened, SiteNotReady, SiteDate, SiteReady,
		TrailCheckpoint, FirstPasswordMoved, XeroConnected, XeroDisconnected, XeroFailing,
		RolloutDated, RolloutPaused, RolloutBack:
		return aboutSite
	case RequestMade, RequestSecond:
		return aboutRequest
	case StaffAdded, StaffEnded, RolloutUnproved, RolloutHeld, RolloutPutOff, RolloutStopped, WebhookOff:
		return aboutStaff
	case GetReady, YouAreReady:
		return aboutReady
	case MethodAdded, MethodRemoved, RecoveryCodesMade, RecoveryCodeUsed, FewRecoveryCodes, PasswordChanged, PasswordReset,
		HelpCodeGiven, HelpApproved, RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone, LoginsJoined,
		SplitPlanned, SplitSoon, SplitCancelled, SplitDone,
		LoginChanged, LoginUndone, LoginReplaced, MobileChanged, SessionsEnded:
	}
	return aboutYou
}

// about is that of the notice: one that names somebody else is for the site's admins.
func (n told) about() about {
	if what := n.Kind.about(); what != aboutYou || n.Words["who"] == "" {
		return what
	}
	return aboutSite
}

// what is the sentence that says what happened.
func (s speaker) what(n told) string {
	switch n.Kind {
	case MethodAdded:
		return locale.Say(locale.NoticeAdded, locale.Data{"Method": methodWord(n.Words["method"])})
	case MethodRemoved:
		return locale.Say(locale.NoticeRemoved, locale.Data{"Method": methodWord(n.Words["method"])})
	case RecoveryCodesMade:
		return locale.Say(locale.NoticeCodesMade)
	case RecoveryCodeUsed:
		if left, ok := count(n.Words["left"]); ok {
			return locale.Say(locale.NoticeCodeUsedLeft, locale.Data{"Count": left})
		}
		return locale.Say(locale.NoticeCodeUsed)
	case FewRecoveryCodes:
		left, _ := count(n.Words["left"])
		return locale.Say(locale.NoticeFewCodes, locale.Data{"Count": left})
	case PasswordChanged:
		return locale.Say(locale.NoticePasswordChanged)
	case PasswordReset:
		return locale.Say(locale.NoticePasswordReset)
	case LoginsJoined:
		return locale.Say(locale.NoticeJoined)
	case LoginChanged, LoginUndone, LoginReplaced, FirstPasswordMoved, MobileChanged, SessionsEnded, MemberLeft, MemberStopped, MemberAdmin:
		return s.setUp(n)
	case HelpAsked, HelpCodeGiven, HelpApproved:
		return s.helped(n)
	case RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone:
		return s.recovery(n)
	case SMSLow, AddressDead, SettingsChanged, RequirementLowered, StaffAdded, StaffEnded:
		return s.ofSite(n)
	case RequestMade, RequestSecond, RequestApproved, RequestDeclined, RequestExpired, InvitationAccepted, AccessEnding, AccessEnded:
		return s.request(n)
	case SharingDismissed, SplitPlanned, SplitSoon, SplitCancelled, SplitDone, SplitHeld:
		return s.split(n)
	case SiteOpened, GetReady, SiteNotReady:
		return s.ofStaff(n)
	case YouAreReady, SiteDate, SiteReady:
		return s.date(n)
	case XeroConnected, XeroDisconnected, XeroFailing:
		return s.ofXero(n)
	case RolloutDated, RolloutPaused, RolloutBack, RolloutUnproved, RolloutHeld, RolloutPutOff, RolloutStopped:
		return s.rollout(n)
	case WebhookOff:
		return s.webhook(n)
	case TrailCheckpoint:
		return locale.Say(locale.AuditMailWhat, locale.Data{"Site": s.name(firstOf(n.Words["site"], s.From)), "Count": n.Words["count"]})
	}
	return string(n.Kind) // of a later release
}

// helped is what an admin did, or is asked to do.
func (s speaker) helped(n told) string {
	by, who := s.by(n), s.name(n.Words["who"])
	switch {
	case n.Kind == HelpAsked:
		return locale.Say(locale.NoticeHelpAsked, locale.Data{"Site": s.site(n)})
	case n.Kind == HelpCodeGiven && who == "":
		return locale.Say(locale.NoticeHelpCode, locale.Data{"By": by})
	case n.Kind == HelpCodeGiven:
		return locale.Say(locale.NoticeHelpCodeOf, locale.Data{"By": by, "Who": who})
	case who == "":
		return locale.Say(locale.NoticeApproved, locale.Data{"By": by})
	default:
		return locale.Say(locale.NoticeApprovedOf, locale.Data{"By": by, "Who": who})
	}
}

// recovery is how far a recovery by staff has come: one key for whom it is about, one
// for the others.
func (s speaker) recovery(n told) string {
	who := s.name(n.Words["who"])
	at := ""
	if when, err := time.Parse(time.RFC3339, n.Words["at"]); err == nil && n.Kind == RecoveryConfirmed {
		at = locale.Exact(when, s.zone, n.MadeAt)
	}
	if who == "" {
		if at != "" {
			return locale.Say(locale.NoticeConfirmedAt, locale.Data{"At": at})
		}
		return locale.Say(map[NoticeKind]locale.Key{
			RecoveryBegun: locale.NoticeBegun, RecoveryConfirmed: locale.NoticeConfirmed,
			RecoveryContested: locale.NoticeContested, RecoveryDone: locale.NoticeRecovered,
		}[n.Kind])
	}
	if at != "" {
		return locale.Say(locale.NoticeConfirmedOfAt, locale.Data{"Who": who, "At": at})
	}
	return locale.Say(map[NoticeKind]locale.Key{
		RecoveryBegun: locale.NoticeBegunOf, RecoveryConfirmed: locale.NoticeConfirmedOf,
		RecoveryContested: locale.NoticeContestedOf, RecoveryDone: locale.NoticeRecoveredOf,
	}[n.Kind], locale.Data{"Who": who})
}

// request is what became of a request for a user, and of access with an end.
func (s speaker) request(n told) string {
	who := s.name(n.Words["who"])
	if who == "" {
		who = locale.Say(locale.NoticeAMember)
	}
	if n.Kind == AccessEnding {
		if when, err := time.Parse(time.RFC3339, n.Words["at"]); err == nil {
			return locale.Say(locale.NoticeAccessEndingAt, locale.Data{"Who": who, "Day": locale.Day(when, s.zone)})
		}
	}
	if n.Kind == RequestMade || n.Kind == RequestSecond {
		return locale.Say(map[NoticeKind]locale.Key{
			RequestMade: locale.NoticeRequestMade, RequestSecond: locale.NoticeRequestSecond,
		}[n.Kind], locale.Data{"Site": s.name(s.From)})
	}
	return locale.Say(map[NoticeKind]locale.Key{
		RequestApproved: locale.NoticeRequestApproved, RequestDeclined: locale.NoticeRequestDeclined,
		RequestExpired: locale.NoticeRequestExpired, InvitationAccepted: locale.NoticeInvitationAccepted,
		AccessEnding: locale.NoticeAccessEnding, AccessEnded: locale.NoticeAccessEnded,
	}[n.Kind], locale.Data{"Who": who})
}

// ofStaff is what the vendor's staff did, or have people reminded of.
func (s speaker) ofStaff(n told) string {
	site := locale.Data{"Site": s.name(s.From)}
	switch {
	case n.Kind == SiteOpened:
		return locale.Say(locale.NoticeOpened, locale.Data{"By": s.by(n), "Hours": n.Words["hours"]})
	case n.Kind == SiteNotReady:
		left, _ := count(n.Words["left"])
		return locale.Say(locale.NoticeNotReady, locale.Data{"Count": left, "Site": s.name(s.From)})
	case n.Words["mark"] == string(policy.NeedsHelp):
		return locale.Say(locale.NoticeReadyHelp, site)
	case n.Words["alone"] != "":
		return locale.Say(locale.NoticeReadyAlone, site)
	}
	return locale.Say(locale.NoticeReadyProof, site)
}

// thenReady is what to do before a site's date, and when that is.
func (s speaker) thenReady(n told) string {
	what := locale.Say(locale.NoticeThenReadyProof)
	switch {
	case n.Kind == SiteNotReady:
		what = locale.Say(locale.NoticeThenNotReady)
	case n.Words["mark"] == string(policy.NeedsHelp) && s.Helper != "":
		what = locale.Say(locale.NoticeThenReadyHelp, locale.Data{"Helper": s.name(s.Helper), "From": s.name(s.From)})
	case n.Words["mark"] == string(policy.NeedsHelp):
		what = locale.Say(locale.NoticeThenReadyAdmin)
	case n.Words["alone"] != "":
		what = locale.Say(locale.NoticeThenReadyAlone)
	}
	at, err := time.Parse(time.RFC3339, n.Words["at"])
	if err != nil {
		return what
	}
	return locale.Say(locale.NoticeThenReadyBy, locale.Data{"At": locale.Exact(at, s.zone, n.MadeAt), "What": what})
}

// ofSite is what the admins of a site, or staff, should know.
func (s speaker) ofSite(n told) string {
	who, address := s.name(n.Words["who"]), s.name(n.Words["address"])
	if who == "" {
		who = locale.Say(locale.NoticeAMember)
	}
	switch {
	case n.Kind == StaffEnded:
		return locale.Say(locale.NoticeStaffEnded, locale.Data{"Who": who})
	case n.Kind == StaffAdded:
		return locale.Say(locale.NoticeNewStaff, locale.Data{"By": s.by(n), "Who": who})
	case n.Kind == SettingsChanged:
		return locale.Say(locale.NoticeSettings, locale.Data{"By": s.by(n), "Site": s.site(n)})
	case n.Kind == RequirementLowered:
		return locale.Say(locale.NoticeLowered, locale.Data{"By": s.by(n), "Site": s.site(n)})
	case n.Kind == SMSLow:
		left, _ := count(n.Words["left"])
		return locale.Say(locale.NoticeSmsLow, locale.Data{"Count": left, "Site": s.site(n)})
	case n.Words["channel"] == string(SMS) && address == "":
		return locale.Say(locale.NoticePhoneDead, locale.Data{"Who": who})
	case n.Words["channel"] == string(SMS):
		return locale.Say(locale.NoticePhoneDeadAt, locale.Data{"Who": who, "Address": address})
	case address == "":
		return locale.Say(locale.NoticeMailDead, locale.Data{"Who": who})
	default:
		return locale.Say(locale.NoticeMailDeadAt, locale.Data{"Who": who, "Address": address})
	}
}

// then is what to do about it, for a mail.
func (s speaker) then(n told) string {
	other := n.Words["who"] != ""
	switch n.Kind {
	case FewRecoveryCodes:
		return locale.Say(locale.NoticeThenCodes)
	case HelpAsked:
		return locale.Say(locale.NoticeThenHelpAsked)
	case SMSLow:
		return locale.Say(locale.NoticeThenSmsLow)
	case TrailCheckpoint:
		return locale.Say(locale.AuditMailThen)
	case AddressDead:
		return locale.Say(locale.NoticeThenDead)
	case XeroConnected, XeroDisconnected, XeroFailing:
		return s.thenXero(n)
	case SettingsChanged, RequirementLowered:
		return locale.Say(locale.NoticeThenSettings, locale.Data{"By": s.by(n)})
	case StaffAdded:
		return locale.Say(locale.NoticeThenNewStaff, locale.Data{"By": s.by(n)})
	case RequestMade, RequestSecond:
		return locale.Say(locale.NoticeThenRequest)
	case RequestApproved, RequestDeclined, RequestExpired, InvitationAccepted:
		return locale.Say(locale.NoticeThenRequestOf)
	case AccessEnding, AccessEnded:
		return locale.Say(locale.NoticeThenAccess)
	case StaffEnded:
		return locale.Say(locale.NoticeThenStaffEnded, locale.Data{"By": s.by(n)})
	case SiteOpened:
		return locale.Say(locale.NoticeThenOpened, locale.Data{"Reason": oneLine(n.Words["reason"])})
	case GetReady, SiteNotReady:
		return s.thenReady(n)
	case YouAreReady, SiteDate, SiteReady:
		return s.thenDate(n)
	case RolloutDated, RolloutPaused, RolloutBack, RolloutUnproved, RolloutHeld, RolloutPutOff, RolloutStopped:
		return s.thenRollout(n)
	case WebhookOff:
		return locale.Say(locale.NoticeThenWebhookOff)
	case RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone:
		if other {
			return locale.Say(locale.NoticeThenRecoveryOf, locale.Data{"Who": s.name(n.Words["who"]), "Vendor": s.Vendor})
		}
		return locale.Say(locale.NoticeThenRecovery, locale.Data{"Vendor": s.Vendor})
	case SharingDismissed, SplitPlanned, SplitSoon, SplitCancelled, SplitDone, SplitHeld:
		return s.thenSplit(n)
	case HelpCodeGiven, HelpApproved:
		if other {
			return locale.Say(locale.NoticeThenHelped, locale.Data{"By": s.by(n)})
		}
	case MethodAdded, MethodRemoved, RecoveryCodesMade, RecoveryCodeUsed, PasswordChanged, PasswordReset, LoginsJoined:
	case MemberLeft:
		return locale.Say(locale.NoticeThenLeft, locale.Data{"By": s.by(n)})
	case FirstPasswordMoved:
		return locale.Say(locale.NoticeThenFirstPassword, locale.Data{"By": s.by(n)})
	case LoginUndone:
		if other {
			return locale.Say(locale.NoticeThenUndoneOf)
		}
	case LoginChanged, LoginReplaced, MobileChanged, SessionsEnded:
	case MemberStopped, MemberAdmin:
		return locale.Say(locale.NoticeThenStopped, locale.Data{"By": s.by(n)})
	}
	switch {
	case n.Site == "" && s.Helper == "":
		return locale.Say(locale.NoticeThenYouStaff)
	case s.Helper == "" && s.Manager != "":
		return locale.Say(locale.NoticeThenYouManager, locale.Data{"Manager": s.name(s.Manager)})
	case s.Helper == "":
		return locale.Say(locale.NoticeThenYou)
	default:
		return locale.Say(locale.NoticeThenYouTell, locale.Data{"Helper": s.name(s.Helper), "From": s.name(s.From)})
	}
}

// site is the name of the site that a notice is about: one mail may hold those of several.
func (s speaker) site(n told) string {
	if n.SiteName != "" {
		return s.name(n.SiteName)
	}
	return s.name(s.From)
}

// by is who did it.
func (s speaker) by(n told) string {
	if by := s.name(n.Words["by"]); by != "" {
		return by
	}
	if n.about() == aboutStaff || n.Kind == SiteOpened {
		return locale.Say(locale.NoticeStaff)
	}
	return locale.Say(locale.NoticeAnAdmin)
}

// path is the page where the thing can be looked at; empty for none.
func (n told) path() string {
	site := "/sites/" + string(n.Site) + "/settings/"
	switch what := n.about(); {
	case n.isSplit() && n.Words["who"] != "":
		return site + "shared"
	case what == aboutYou, what == aboutReady:
		return "/me/security"
	case what == aboutRequest:
		return "/staff/requests"
	case n.Kind.isRollout():
		return "/staff/rollout"
	case what == aboutStaff || n.Site == "":
		return ""
	case n.Kind == RequestApproved || n.Kind == RequestDeclined || n.Kind == RequestExpired || n.Kind == InvitationAccepted:
		return site + "requests"
	case n.Kind == HelpAsked:
		return site + "approvals"
	case n.Kind == SiteNotReady, n.Kind == SiteDate, n.Kind == SiteReady:
		return site + "readiness"
	case n.Kind == SMSLow:
		return site + "sms"
	case n.Kind == SettingsChanged, n.Kind == RequirementLowered:
		return site + "company"
	case n.Kind == XeroConnected, n.Kind == XeroDisconnected, n.Kind == XeroFailing:
		return site + "integrations"
	case n.Kind == SiteOpened, n.Kind == TrailCheckpoint:
		return site + "audit"
	default:
		return site + "users"
	}
}

func methodWord(kind string) string {
	switch policy.MethodKind(kind) {
	case policy.Email:
		return locale.Say(locale.NoticeEmail)
	case policy.SMS:
		return locale.Say(locale.NoticeSms)
	case policy.TOTP:
		return locale.Say(locale.NoticeTotp)
	case policy.Passkey:
		return locale.Say(locale.NoticePasskey)
	case policy.Recovery:
		return locale.Say(locale.NoticeRecovery)
	}
	return locale.Say(locale.NoticeWay)
}

func count(word string) (int, bool) {
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0
}
