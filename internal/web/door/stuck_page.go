package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// StuckPage is for somebody with the right password none of whose ways can work: each
// way with its reason, and who can let them in. Its button is the form POST /signin/ask,
// its link GET /signin/help.
type StuckPage struct {
	// As is the name of whoever tried, Site where. Site may be empty.
	As, Site string
	// Off are the ways, each with its reason.
	Off []WayOff
	// Helpers are the names of the admins who can be asked. Empty: nobody can; the
	// account manager comes first then.
	Helpers []string
	// Manager looks after the site. May be empty.
	Manager web.Contact
	// Fault says why nobody could be asked just now (FaultAskTooMany, FaultAskNobody). May
	// be empty.
	Fault string
}

// Head implements web.Page.
func (p StuckPage) Head() web.Head {
	return web.Head{Template: "door/stuck", Title: locale.Say(locale.StuckTitle), Problem: p.Fault, Site: p.Site, Layout: web.Beside}
}

// Rescue gives the words of the button.
func (p StuckPage) Rescue() RescueRows { return RescueRows{Helpers: p.Helpers} }

// AskState is where the asking stands. The words are those of package rescue.
type AskState string

// The states.
const (
	// AskNew: nobody was asked yet.
	AskNew AskState = ""
	// AskWaiting: somebody was asked and has not answered.
	AskWaiting AskState = "waiting"
	// AskApproved: somebody let the person in.
	AskApproved AskState = "approved"
	// AskDeclined: somebody said no.
	AskDeclined AskState = "declined"
	// AskOver: nobody answered in time.
	AskOver AskState = "over"
)

// AskPage asks the site's admins to let somebody in, and waits for them. Its button is
// the form POST /signin/ask; while it waits it looks again by itself at GET /signin/ask.
type AskPage struct {
	// As is the name of whoever waits, Site where.
	As, Site string
	State    AskState
	// Number is what they tell the admin: "47". For AskWaiting alone.
	Number string
	// Until is when the ask runs out: "7:25 am". For AskWaiting alone.
	Until string
	// Helpers are the names of those who are or were asked. Empty: nobody can be.
	Helpers []string
	// Manager looks after the site. May be empty.
	Manager web.Contact
	// Fault says why nobody could be asked just now. May be empty.
	Fault string
}

// Head implements web.Page.
func (p AskPage) Head() web.Head {
	return web.Head{Template: "door/ask", Title: p.Heading(), Problem: p.Fault, Site: p.Site}
}

// Heading is the one thing to know on this page.
func (p AskPage) Heading() string {
	switch p.State {
	case AskWaiting:
		return locale.Say(locale.AskWaitingTitle, locale.Data{"Who": locale.AllOf(p.Helpers)})
	case AskApproved:
		return locale.Say(locale.AskApprovedTitle)
	case AskDeclined:
		return locale.Say(locale.AskDeclinedTitle)
	case AskOver:
		return locale.Say(locale.AskOverTitle)
	case AskNew:
	}
	return locale.Say(locale.AskTitle)
}

// Words say what that means.
func (p AskPage) Words() string {
	who := locale.Data{"Who": locale.AllOf(p.Helpers)}
	switch p.State {
	case AskWaiting:
		return ""
	case AskApproved:
		return locale.Say(locale.AskApprovedWords)
	case AskDeclined:
		if len(p.Helpers) != 1 {
			return locale.Say(locale.AskDeclinedAny)
		}
		return locale.Say(locale.AskDeclinedWords, who)
	case AskOver:
		return locale.Say(locale.AskOverWords)
	case AskNew:
	}
	switch len(p.Helpers) {
	case 0:
		return locale.Say(locale.AskWordsNone, locale.Data{"Site": p.Site})
	case 1:
		return locale.Say(locale.AskWords, who)
	}
	return locale.Say(locale.AskWordsMany, who)
}

// Waits says that somebody was asked.
func (p AskPage) Waits() bool { return p.State == AskWaiting }

// Approved says that somebody let the person in.
func (p AskPage) Approved() bool { return p.State == AskApproved }

// CanAsk says that there is somebody to ask, and nobody is being asked.
func (p AskPage) CanAsk() bool {
	return len(p.Helpers) > 0 && (p.State == AskNew || p.State == AskDeclined || p.State == AskOver)
}

// Button is what the button says that asks.
func (p AskPage) Button() string {
	switch {
	case p.State != AskNew:
		return locale.Say(locale.AskAgain)
	case len(p.Helpers) == 1:
		return locale.Say(locale.AskSubmit, locale.Data{"Who": p.Helpers[0]})
	}
	return locale.Say(locale.AskSubmitAny)
}

// FaultAskTooMany is the answer to asking too often; at, when it may be asked again, may
// be empty.
func FaultAskTooMany(at string) string {
	if at == "" {
		return locale.Say(locale.AskTooManySome)
	}
	return locale.Say(locale.AskTooMany, locale.Data{"At": at})
}

// FaultAskNobody is the answer where nobody can be asked.
func FaultAskNobody() string { return locale.Say(locale.AskNoHelper) }

// HelpCodePage asks for a help code that was read out: the form POST /signin/help with
// the field "code".
type HelpCodePage struct {
	// As is the name of whoever signs in, Site where. Site may be empty.
	As, Site string
	// Helpers are the names of the admins who can give one. May be empty.
	Helpers []string
	// Fault says what was wrong: FaultHelpForm, FaultHelpWrong, FaultHelpRests. Empty at
	// first sight.
	Fault string
}

// Head implements web.Page.
func (p HelpCodePage) Head() web.Head {
	return web.Head{Template: "door/helpcode", Title: locale.Say(locale.HelpcodeTitle), Problem: p.Fault, Site: p.Site}
}

// Words say who gives a help code.
func (p HelpCodePage) Words() string {
	if len(p.Helpers) == 0 || p.Site == "" {
		return locale.Say(locale.HelpcodeWordsAny)
	}
	return locale.Say(locale.HelpcodeWords, locale.Data{"Site": p.Site, "Who": locale.AnyOf(p.Helpers)})
}

// FaultHelpForm is the answer to what cannot be a help code. It costs no try.
func FaultHelpForm() string { return locale.Say(locale.HelpcodeForm) }

// FaultHelpWrong is the answer to a wrong help code, and to one of somebody who has none.
func FaultHelpWrong() string { return locale.Say(locale.HelpcodeWrong) }

// FaultHelpRests is the answer after too many wrong help codes, until at.
func FaultHelpRests(at string) string {
	return locale.Say(locale.HelpcodeRests, locale.Data{"At": at})
}
