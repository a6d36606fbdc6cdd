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
	User    id.User
	ID      id.Notice
	Site    id.Site
	Kind    NoticeKind
	Channel Channel
	Address string
	Words   map[string]string
	MadeAt  time.Time
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
)

func (k NoticeKind) about() about {
	switch k {
	case HelpAsked:
		return aboutHelp
	case SMSLow, AddressDead, TrailCheckpoint:
		return aboutSite
	case StaffAdded:
		return aboutStaff
	case MethodAdded, MethodRemoved, RecoveryCodesMade, RecoveryCodeUsed, FewRecoveryCodes, PasswordChanged, PasswordReset,
		HelpCodeGiven, HelpApproved, RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone, LoginsJoined:
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
	case HelpAsked, HelpCodeGiven, HelpApproved:
		return s.helped(n)
	case RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone:
		return s.recovery(n)
	case SMSLow, AddressDead, StaffAdded:
		return s.ofSite(n)
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
		return locale.Say(locale.NoticeHelpAsked, locale.Data{"Site": s.name(s.From)})
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

// ofSite is what the admins of a site, or staff, should know.
func (s speaker) ofSite(n told) string {
	who, address := s.name(n.Words["who"]), s.name(n.Words["address"])
	if who == "" {
		who = locale.Say(locale.NoticeAMember)
	}
	switch {
	case n.Kind == StaffAdded:
		return locale.Say(locale.NoticeNewStaff, locale.Data{"By": s.by(n), "Who": who})
	case n.Kind == SMSLow:
		left, _ := count(n.Words["left"])
		return locale.Say(locale.NoticeSmsLow, locale.Data{"Count": left, "Site": s.name(s.From)})
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
	case StaffAdded:
		return locale.Say(locale.NoticeThenNewStaff, locale.Data{"By": s.by(n)})
	case RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone:
		if other {
			return locale.Say(locale.NoticeThenRecoveryOf, locale.Data{"Who": s.name(n.Words["who"]), "Vendor": s.Vendor})
		}
		return locale.Say(locale.NoticeThenRecovery, locale.Data{"Vendor": s.Vendor})
	case HelpCodeGiven, HelpApproved:
		if other {
			return locale.Say(locale.NoticeThenHelped, locale.Data{"By": s.by(n)})
		}
	case MethodAdded, MethodRemoved, RecoveryCodesMade, RecoveryCodeUsed, PasswordChanged, PasswordReset, LoginsJoined:
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

// by is who did it.
func (s speaker) by(n told) string {
	if by := s.name(n.Words["by"]); by != "" {
		return by
	}
	if n.Kind == StaffAdded {
		return locale.Say(locale.NoticeStaff)
	}
	return locale.Say(locale.NoticeAnAdmin)
}

// path is the page where the thing can be looked at; empty for none.
func (n told) path() string {
	site := "/sites/" + string(n.Site) + "/settings/"
	switch what := n.about(); {
	case what == aboutYou:
		return "/me/security"
	case what == aboutStaff || n.Site == "":
		return ""
	case n.Kind == HelpAsked:
		return site + "approvals"
	case n.Kind == SMSLow:
		return site + "sms"
	case n.Kind == TrailCheckpoint:
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
