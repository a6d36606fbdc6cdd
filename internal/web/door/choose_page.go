package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
	"keyturn/internal/web/reason"
)

// ChoosePage lets a user with several sites say which one to enter.
type ChoosePage struct {
	// As is the name of whoever signs in.
	As string
	// Sites are the ones to choose from; those that cannot be entered here are in Shut.
	Sites []SiteChoice
	Shut  []SiteChoice
}

// SiteChoice is one site to enter.
type SiteChoice struct {
	// ID is the value of the form's field "site".
	ID string
	// Name is the site's.
	Name string
	// Note says what entering it asks for, or why it cannot be entered. May be empty.
	Note string
}

// Head implements web.Page.
func (p ChoosePage) Head() web.Head {
	return web.Head{Template: "door/choose", Title: locale.Say(locale.ChooseTitle)}
}

// NoteAsks is the note of a site that asks for the second step.
func NoteAsks() string { return locale.Say(locale.ChooseAsks) }

// NoteMobile is the note of a site where the user is a mobile member.
func NoteMobile() string { return locale.Say(locale.ChooseMobile) }

// MorePage tells somebody who is signed in that their site now asks for more.
type MorePage struct {
	// As is the name of whoever is signed in, Site where.
	As, Site string
	// Why is the sentence that says what changed.
	Why string
	// Offers are the ways to pass: a press sends the code. Empty if none works; the
	// page then says who can help.
	Offers []Offer
	// Next is the local path to go on to, as in SignInPage. May be empty.
	Next string
	// Facts are what led to it. May be empty.
	Facts []reason.Fact
	// Helpers are the names of the site's admins. May be empty.
	Helpers []string
	// Manager looks after the site. May be empty.
	Manager web.Contact
}

// Head implements web.Page.
func (p MorePage) Head() web.Head {
	return web.Head{Template: "door/more", Title: locale.Say(locale.MoreTitle), Site: p.Site}
}

// Refusal is why somebody with the right password is not let in.
type Refusal int

// The refusals.
const (
	// NoWay means that none of the user's ways to pass can work.
	NoWay Refusal = iota
	// MobileOnly means a mobile member at the web's door.
	MobileOnly
	// Inactive means that the membership has ended.
	Inactive
	// Blocked means that an admin has blocked the membership.
	Blocked
	// NoSite means that the user belongs to no site.
	NoSite
)

// RefusedPage says why, what to do instead, and who can help.
type RefusedPage struct {
	// As is the name of whoever tried, Site where. Site may be empty.
	As, Site string
	Why      Refusal
	// Detail is one more sentence: what is missing. May be empty.
	Detail string
	// Helpers are the names of the site's admins. May be empty.
	Helpers []string
	// Manager looks after the site. May be empty.
	Manager web.Contact
}

// Head implements web.Page.
func (p RefusedPage) Head() web.Head {
	return web.Head{Template: "door/refused", Title: p.Heading(), Site: p.Site}
}

// Heading is the one thing to know on this page.
func (p RefusedPage) Heading() string {
	switch p.Why {
	case NoWay:
		return locale.Say(locale.RefusedNowayTitle)
	case MobileOnly:
		return locale.Say(locale.RefusedMobileTitle)
	case Inactive:
		return locale.Say(locale.RefusedInactiveTitle)
	case Blocked:
		return locale.Say(locale.RefusedBlockedTitle)
	case NoSite:
		return locale.Say(locale.RefusedNositeTitle)
	}
	return locale.Say(locale.RefusedNowayTitle)
}

// Words say what that means and what to do instead.
func (p RefusedPage) Words() string {
	switch p.Why {
	case NoWay:
		return locale.Say(locale.RefusedNowayWords)
	case MobileOnly:
		return locale.Say(locale.RefusedMobileWords)
	case Inactive:
		return locale.Say(locale.RefusedInactiveWords)
	case Blocked:
		return locale.Say(locale.RefusedBlockedWords)
	case NoSite:
		return locale.Say(locale.RefusedNositeWords)
	}
	return locale.Say(locale.RefusedNowayWords)
}

// AskAdmin says what an admin of the site can do about it.
func (p RefusedPage) AskAdmin() string {
	if len(p.Helpers) == 0 {
		if p.Site != "" {
			return locale.Say(locale.RefusedAskNone)
		}
		return locale.Say(locale.RefusedAskAny)
	}
	who := locale.Data{"Who": locale.AnyOf(p.Helpers)}
	if p.Why == NoWay {
		return locale.Say(locale.RefusedAskAddress, who)
	}
	return locale.Say(locale.RefusedAskSetup, who)
}
