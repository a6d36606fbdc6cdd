package help

import (
	"strings"

	"keyturn/internal/locale"
)

// sort is what a block of a guide is.
type sort int

const (
	heading sort = iota
	para
	step  // one of a numbered list
	point // one of a list
	say   // a caution in its own frame
	shot  // a picture of a page; its key says what can be seen
)

// block is a piece of a guide. Its anchor is the last part of its key.
type block struct {
	sort sort
	key  locale.Key
}

// anchor is where the block is in its page: "help.xero.when-title" is at "when".
func (b block) anchor() string {
	parts := strings.Split(string(b.key), ".")
	return strings.TrimSuffix(parts[len(parts)-1], "-title")
}

// guide is one page of help.
type guide struct {
	slug        string
	title, lead locale.Key
	blocks      []block
}

// guides are all there are, in the order of the contents. A guide says what is so in
// the product as it stands, and no more.
func guides() []guide {
	return []guide{xero(), enable(), noCode(), newPhone(), admins()}
}

func xero() guide {
	return guide{"xero", locale.HelpXeroTitle, locale.HelpXeroLead, []block{
		{heading, locale.HelpXeroWhoTitle},
		{para, locale.HelpXeroWhoAll},
		{para, locale.HelpXeroMobile},
		{heading, locale.HelpXeroWhenTitle},
		{para, locale.HelpXeroWhenComes},
		{para, locale.HelpXeroWhenLeft},
		{heading, locale.HelpXeroBeforeTitle},
		{step, locale.HelpXeroBeforeEmail},
		{step, locale.HelpXeroBeforeMobile},
		{step, locale.HelpXeroBeforeOwn},
		{step, locale.HelpXeroBeforeTry},
		{say, locale.HelpXeroNewAddress},
		{heading, locale.HelpXeroDayTitle},
		{para, locale.HelpXeroDayIs},
		{shot, locale.HelpXeroShotCode},
	}}
}

func enable() guide {
	return guide{"enable", locale.HelpEnableTitle, locale.HelpEnableLead, []block{
		{heading, locale.HelpEnableWhyTitle},
		{point, locale.HelpEnableWhyPassword},
		{point, locale.HelpEnableWhyTrail},
		{point, locale.HelpEnableWhyXero},
		{heading, locale.HelpEnableCompanyTitle},
		{step, locale.HelpEnableCompanyOpen},
		{step, locale.HelpEnableCompanyChoose},
		{step, locale.HelpEnableCompanyOften},
		{step, locale.HelpEnableCompanyWeakest},
		{step, locale.HelpEnableCompanySave},
		{para, locale.HelpEnableCompanyPerUser},
		{shot, locale.HelpEnableShotCompany},
		{heading, locale.HelpEnablePreviewTitle},
		{para, locale.HelpEnablePreviewWhat},
		{shot, locale.HelpEnableShotPreview},
		{heading, locale.HelpEnableHeldTitle},
		{para, locale.HelpEnableHeldXero},
		{para, locale.HelpEnableLower},
		{heading, locale.HelpEnableUseTitle},
		{step, locale.HelpEnableUsePassword},
		{step, locale.HelpEnableUseMail},
		{step, locale.HelpEnableUseType},
		{para, locale.HelpEnableUseLife},
		{heading, locale.HelpEnableRememberTitle},
		{para, locale.HelpEnableRememberHow},
		{say, locale.HelpEnableNever},
	}}
}

func noCode() guide {
	return guide{"no-code", locale.HelpNoCodeTitle, locale.HelpNoCodeLead, []block{
		{step, locale.HelpNoCodeTrail},
		{step, locale.HelpNoCodeJunk},
		{step, locale.HelpNoCodeAddress},
		{step, locale.HelpNoCodeAgain},
		{step, locale.HelpNoCodeOther},
		{heading, locale.HelpNoCodeRefusedTitle},
		{para, locale.HelpNoCodeRefusedWhat},
		{heading, locale.HelpNoCodeWrongTitle},
		{para, locale.HelpNoCodeWrongWhat},
		{heading, locale.HelpNoCodeWhoTitle},
		{para, locale.HelpNoCodeWhoHelps},
		{shot, locale.HelpNoCodeShotWays},
	}}
}

func newPhone() guide {
	return guide{"new-phone", locale.HelpNewPhoneTitle, locale.HelpNewPhoneLead, []block{
		{heading, locale.HelpNewPhoneMailTitle},
		{step, locale.HelpNewPhoneMailSetup},
		{step, locale.HelpNewPhoneMailTry},
		{heading, locale.HelpNewPhoneAppTitle},
		{para, locale.HelpNewPhoneAppBefore},
		{heading, locale.HelpNewPhoneLostTitle},
		{para, locale.HelpNewPhoneLostHow},
		{heading, locale.HelpNewPhoneNumberTitle},
		{para, locale.HelpNewPhoneNumberHow},
		{shot, locale.HelpNewPhoneShotSecurity},
	}}
}

func admins() guide {
	return guide{"admins", locale.HelpAdminsTitle, locale.HelpAdminsLead, []block{
		{heading, locale.HelpAdminsUsersTitle},
		{step, locale.HelpAdminsUsersOpen},
		{step, locale.HelpAdminsUsersPencil},
		{step, locale.HelpAdminsUsersEmail},
		{step, locale.HelpAdminsUsersMobile},
		{step, locale.HelpAdminsUsersSave},
		{say, locale.HelpAdminsUsersNew},
		{heading, locale.HelpAdminsSharedTitle},
		{para, locale.HelpAdminsSharedWhy},
		{heading, locale.HelpAdminsRequestsTitle},
		{para, locale.HelpAdminsRequestsHow},
		{heading, locale.HelpAdminsGroupsTitle},
		{para, locale.HelpAdminsGroupsHow},
		{heading, locale.HelpAdminsLeftTitle},
		{para, locale.HelpAdminsLeftHow},
		{heading, locale.HelpAdminsSecondTitle},
		{para, locale.HelpAdminsSecondHow},
		{heading, locale.HelpAdminsReadinessTitle},
		{para, locale.HelpAdminsReadinessNumber},
		{step, locale.HelpAdminsReadinessHelp},
		{step, locale.HelpAdminsReadinessManage},
		{step, locale.HelpAdminsReadinessTest},
		{step, locale.HelpAdminsReadinessPoster},
		{para, locale.HelpAdminsReadinessMails},
		{heading, locale.HelpAdminsConnectTitle},
		{step, locale.HelpAdminsConnectOpen},
		{step, locale.HelpAdminsConnectWhen},
		{step, locale.HelpAdminsConnectXero},
		{step, locale.HelpAdminsConnectChoose},
		{say, locale.HelpAdminsConnectLast},
		{shot, locale.HelpAdminsShotConnect},
		{heading, locale.HelpAdminsTellTitle},
		{para, locale.HelpAdminsTellHow},
		{heading, locale.HelpAdminsSmsTitle},
		{para, locale.HelpAdminsSmsHow},
		{heading, locale.HelpAdminsStuckTitle},
		{para, locale.HelpAdminsStuckAsk},
		{heading, locale.HelpAdminsHelpCodeTitle},
		{para, locale.HelpAdminsHelpCodeHow},
		{heading, locale.HelpAdminsAuditTitle},
		{para, locale.HelpAdminsAuditHow},
		{shot, locale.HelpAdminsShotSettings},
	}}
}
