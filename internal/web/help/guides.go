package help

import "keyturn/internal/locale"

// sort is what a block of a guide is.
type sort int

const (
	heading sort = iota
	para
	step  // one of a numbered list
	point // one of a list
	say   // a caution in its own frame
)

// block is a piece of a guide.
type block struct {
	sort sort
	key  locale.Key
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
		{para, locale.HelpXeroWho},
		{para, locale.HelpXeroMobile},
		{heading, locale.HelpXeroWhenTitle},
		{para, locale.HelpXeroWhen},
		{heading, locale.HelpXeroBeforeTitle},
		{step, locale.HelpXeroBeforeEmail},
		{step, locale.HelpXeroBeforeOwn},
		{step, locale.HelpXeroBeforeTry},
		{say, locale.HelpXeroNewAddress},
		{heading, locale.HelpXeroDayTitle},
		{para, locale.HelpXeroDay},
	}}
}

func enable() guide {
	return guide{"enable", locale.HelpEnableTitle, locale.HelpEnableLead, []block{
		{heading, locale.HelpEnableWhyTitle},
		{point, locale.HelpEnableWhyPassword},
		{point, locale.HelpEnableWhyTrail},
		{point, locale.HelpEnableWhyXero},
		{heading, locale.HelpEnableHowTitle},
		{para, locale.HelpEnableHow},
		{heading, locale.HelpEnableUseTitle},
		{step, locale.HelpEnableUsePassword},
		{step, locale.HelpEnableUseMail},
		{step, locale.HelpEnableUseType},
		{para, locale.HelpEnableUseLife},
		{say, locale.HelpEnableNever},
	}}
}

func noCode() guide {
	return guide{"no-code", locale.HelpNoCodeTitle, locale.HelpNoCodeLead, []block{
		{step, locale.HelpNoCodeTrail},
		{step, locale.HelpNoCodeJunk},
		{step, locale.HelpNoCodeAddress},
		{step, locale.HelpNoCodeAgain},
		{heading, locale.HelpNoCodeRefusedTitle},
		{para, locale.HelpNoCodeRefused},
		{heading, locale.HelpNoCodeWrongTitle},
		{para, locale.HelpNoCodeWrong},
		{heading, locale.HelpNoCodeWhoTitle},
		{para, locale.HelpNoCodeWho},
	}}
}

func newPhone() guide {
	return guide{"new-phone", locale.HelpNewPhoneTitle, locale.HelpNewPhoneLead, []block{
		{heading, locale.HelpNewPhoneMailTitle},
		{step, locale.HelpNewPhoneMailSetup},
		{step, locale.HelpNewPhoneMailTry},
		{heading, locale.HelpNewPhoneLostTitle},
		{para, locale.HelpNewPhoneLost},
		{heading, locale.HelpNewPhoneNumberTitle},
		{para, locale.HelpNewPhoneNumber},
	}}
}

func admins() guide {
	return guide{"admins", locale.HelpAdminsTitle, locale.HelpAdminsLead, []block{
		{step, locale.HelpAdminsAddresses},
		{step, locale.HelpAdminsShared},
		{step, locale.HelpAdminsLeft},
		{step, locale.HelpAdminsSecond},
		{step, locale.HelpAdminsTry},
		{step, locale.HelpAdminsTell},
		{heading, locale.HelpAdminsNewTitle},
		{para, locale.HelpAdminsNew},
		{heading, locale.HelpAdminsStuckTitle},
		{para, locale.HelpAdminsStuck},
	}}
}
