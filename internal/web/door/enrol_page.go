package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// EnrolPage is where an enrol-only session begins: it says who let the person in, until
// when, and has the ways to choose from: the form POST /signin/enrol with the field
// "method" (totp, passkey, sms).
type EnrolPage struct {
	// As is the name of whoever is let in, Site where. Site may be empty.
	As, Site string
	// By says who opened it: see EnrolBy. The zero value names nobody.
	By EnrolBy
	// Who is the name of the admin who approved. May be empty.
	Who string
	// Until is when it ends: "7:25 am".
	Until string
	// SMS says that a mobile can be added; NoSMS that it could, but not just now.
	SMS, NoSMS bool
	// Fault says why the way that was chosen cannot be begun. May be empty.
	Fault string
}

// EnrolBy is what opened an enrol-only session.
type EnrolBy int

// What may open one.
const (
	// BySomebody names nobody.
	BySomebody EnrolBy = iota
	// ByApproval is an admin who approved.
	ByApproval
	// ByHelpCode is a help code of an admin.
	ByHelpCode
	// BySupport is the vendor's staff, by a recovery.
	BySupport
	// ByJoining is a new member of staff.
	ByJoining
)

// Head implements web.Page.
func (p EnrolPage) Head() web.Head {
	return web.Head{Template: "door/enrol", Title: locale.Say(locale.EnrolTitle), Problem: p.Fault, Site: p.Site}
}

// Words say who let the person in, and until when: with strong parts.
func (p EnrolPage) Words() []locale.Run {
	until := locale.Data{"Until": p.Until}
	switch {
	case p.By == ByApproval && p.Who != "":
		return locale.Rich(locale.EnrolBy, locale.Data{"Who": p.Who, "Until": p.Until})
	case p.By == ByHelpCode:
		return locale.Rich(locale.EnrolByCode, until)
	case p.By == BySupport:
		return locale.Rich(locale.EnrolByStaff, until)
	case p.By == ByJoining:
		return locale.Rich(locale.EnrolJoining, until)
	}
	return locale.Rich(locale.EnrolUntil, until)
}

// Ways are what can be added.
func (p EnrolPage) Ways() []Way {
	ways := []Way{
		{ByPasskey, locale.Say(locale.WayPasskey), locale.Say(locale.EnrolPasskeyHint)},
		{ByTOTP, locale.Say(locale.WayTotp), locale.Say(locale.EnrolTotpHint)},
	}
	if p.SMS {
		ways = append(ways, Way{BySMS, locale.Say(locale.EnrolSms), locale.Say(locale.EnrolSmsHint)})
	}
	return ways
}

// EnrolTOTPPage sets up an authenticator in an enrol-only session, at GET
// /signin/enrol/totp.
type EnrolTOTPPage struct {
	// As is whose it will be, Site where, Until when the session ends.
	As, Site, Until string
	SetUp           web.SetUpTOTP
}

// Head implements web.Page.
func (p EnrolTOTPPage) Head() web.Head {
	return web.Head{Template: "door/enroltotp", Title: locale.Say(locale.SetupTotpTitle), Problem: p.SetUp.Fault, Site: p.Site}
}

// EnrolPasskeyPage makes a passkey in an enrol-only session, at GET
// /signin/enrol/passkey.
type EnrolPasskeyPage struct {
	As, Site, Until string
	SetUp           web.SetUpPasskey
}

// Head implements web.Page.
func (p EnrolPasskeyPage) Head() web.Head {
	return web.Head{Template: "door/enrolpasskey", Title: locale.Say(locale.SetupPasskeyTitle), Problem: p.SetUp.Fault, Site: p.Site}
}

// EnrolMobilePage asks for a number in an enrol-only session, at GET /signin/enrol/sms.
type EnrolMobilePage struct {
	As, Site, Until string
	SetUp           web.SetUpMobile
}

// Head implements web.Page.
func (p EnrolMobilePage) Head() web.Head {
	return web.Head{Template: "door/enrolmobile", Title: locale.Say(locale.SetupMobileTitle), Problem: p.SetUp.Fault, Site: p.Site}
}

// EnrolProvePage asks for the code that was sent to that number, at GET
// /signin/enrol/sms/code.
type EnrolProvePage struct {
	As, Site, Until string
	SetUp           web.SetUpProve
}

// Head implements web.Page.
func (p EnrolProvePage) Head() web.Head {
	return web.Head{Template: "door/enrolprove", Title: locale.Say(locale.SetupProveTitle), Problem: p.SetUp.Fault, Site: p.Site}
}

// EnrolDonePage says that the way was added and the session is over.
type EnrolDonePage struct {
	// Site is where. May be empty.
	Site string
	// Added is what was added.
	Added By
	// Staff says that a colleague has to confirm this person first.
	Staff bool
}

// Head implements web.Page.
func (p EnrolDonePage) Head() web.Head {
	return web.Head{Template: "door/enroldone", Title: p.Heading(), Site: p.Site}
}

// Heading is the one thing to know on this page.
func (p EnrolDonePage) Heading() string {
	switch p.Added {
	case ByTOTP:
		return locale.Say(locale.EnrolDoneTotp)
	case ByPasskey:
		return locale.Say(locale.EnrolDonePasskey)
	case BySMS:
		return locale.Say(locale.EnrolDoneSms)
	case ByEmail, ByRecovery:
	}
	return locale.Say(locale.EnrolDone)
}

// EnrolOverPage says that the enrol-only session ran out.
type EnrolOverPage struct{}

// Head implements web.Page.
func (p EnrolOverPage) Head() web.Head {
	return web.Head{Template: "door/enrolover", Title: locale.Say(locale.EnrolOverTitle)}
}
