package settings

import (
	"keyturn/internal/connect"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// XeroPage is Integrations › Xero: how the site stands with it.
type XeroPage struct {
	Site, Path, Done, Fault string
	// SetUp says that sites can be connected here.
	SetUp bool
	// Live says that the site is connected, Was that it was once; neither: it never was.
	Live, Was bool
	// Dead says that somebody has to connect again, Down that Xero cannot be reached. Both
	// are a connection still.
	Dead, Down bool
	// Reported says that the connection was not made here.
	Reported bool
	// State is one line, Organisation and Since are what is known of the connection; Until is
	// when it ended, Heard when Xero last named it, Asks whether 2FA is asked because of it.
	// Each may be empty.
	State, Organisation, Since, Until, Heard, Asks string
	// Stays says that what it required stays, ToCome that Since is not there yet.
	Stays, ToCome bool
}

// Head implements web.Page.
func (p XeroPage) Head() web.Head {
	return web.Head{Template: "settings/xero", Title: locale.Say(locale.XeroTitle), Problem: p.Fault, Site: p.Site, Layout: web.Broad, Help: "xero#when"}
}

// XeroAskPage is what a connection would mean, before it is made.
type XeroAskPage struct {
	Site, Path, Fault string
	// Again says that the site is connected and the link does not work: nothing but that is
	// changed. Organisation is which one.
	Again        bool
	Organisation string
	// On says that 2FA is asked because of Xero already.
	On bool
	// Date is the site's date in the rollout, if that is when 2FA begins. May be empty.
	Date string
	When []Pick
	// Asked of Total office members would be asked.
	Asked, Total int
	// SelfStuck says that the admin would be stuck themselves.
	SelfStuck bool
	// Stuck would not get in; Newly are asked for the first time.
	Stuck, Newly People
}

// Head implements web.Page.
func (p XeroAskPage) Head() web.Head {
	return web.Head{Template: "settings/xeroask", Title: locale.Say(locale.XeroConnect), Problem: p.Fault, Site: p.Site, Layout: web.Broad, Help: "xero#when"}
}

// XeroGoPage is the door to Xero.
type XeroGoPage struct {
	Site, Path string
	// Organisation is the one to choose there. May be empty.
	Organisation string
	// To is Xero's own page.
	To string
}

// Head implements web.Page.
func (p XeroGoPage) Head() web.Head {
	return web.Head{Template: "settings/xerogo", Title: locale.Say(locale.XeroGoTitle), Site: p.Site, Layout: web.Narrow, Help: "xero#when"}
}

// XeroBackPage is where a browser comes back: with a button to finish, or with what is in the
// way.
type XeroBackPage struct {
	Site, Path, Fault string
	State, Code       string
}

// Head implements web.Page.
func (p XeroBackPage) Head() web.Head {
	title := locale.Say(locale.XeroBackTitle)
	if p.Fault != "" {
		title = locale.Say(locale.XeroNotTitle)
	}
	return web.Head{Template: "settings/xeroback", Title: title, Problem: p.Fault, Site: p.Site, Layout: web.Narrow, Help: "xero#when"}
}

// XeroChoosePage is the organisations that came back.
type XeroChoosePage struct {
	Site, Path, Fault, Asking string
	Organisations             []Pick
	// None says that none of them can be chosen.
	None bool
}

// Head implements web.Page.
func (p XeroChoosePage) Head() web.Head {
	return web.Head{Template: "settings/xerochoose", Title: locale.Say(locale.XeroChooseTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow, Help: "xero#when"}
}

// XeroEndPage asks whether the site is to be disconnected.
type XeroEndPage struct {
	Site, Path, Fault, Organisation string
	// From is when what it required may be ended at the earliest.
	From string
}

// Head implements web.Page.
func (p XeroEndPage) Head() web.Head {
	return web.Head{Template: "settings/xeroend", Title: locale.Say(locale.XeroEndTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow, Help: "xero#when"}
}

// xeroFault is why nothing was changed, and what to do.
func xeroFault(refused connect.Refused) string {
	switch refused {
	case connect.NotSetUp:
		return locale.Say(locale.XeroFaultSetUp)
	case connect.Linked:
		return locale.Say(locale.XeroFaultLinked)
	case connect.Over:
		return locale.Say(locale.XeroFaultOver)
	case connect.Cancelled:
		return locale.Say(locale.XeroFaultCancelled)
	case connect.NotAllowed:
		return locale.Say(locale.XeroFaultAllowed)
	case connect.Later:
		return locale.Say(locale.XeroFaultLater)
	case connect.None:
		return locale.Say(locale.XeroFaultNone)
	case connect.Taken:
		return locale.Say(locale.XeroFaultTaken)
	case connect.Other:
		return locale.Say(locale.XeroFaultOther)
	case connect.Nothing:
		return locale.Say(locale.XeroFaultNothing)
	case connect.NotFresh:
	}
	return ""
}

func xeroDone(done string) string {
	switch done {
	case "connected":
		return locale.Say(locale.XeroDoneConnected)
	case "again":
		return locale.Say(locale.XeroDoneAgain)
	case "disconnected":
		return locale.Say(locale.XeroDoneDisconnected)
	case "here":
		return locale.Say(locale.XeroDoneHere)
	}
	return ""
}
