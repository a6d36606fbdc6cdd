package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// SignInPage asks for the login name and the password.
type SignInPage struct {
	// Email fills the field, for somebody whose password was wrong. May be empty.
	Email string
	// Next is the local path to go to afterwards; it travels as the hidden field
	// "next" and is checked again when it comes back. May be empty.
	Next string
	// Fault says in one sentence what was wrong. It is the same for an unknown name and
	// for a wrong password. Empty at first sight.
	Fault string
	// Notice says in one sentence why somebody is here who did not ask to be: their
	// attempt ran out. May be empty.
	Notice string
}

// Head implements web.Page.
func (p SignInPage) Head() web.Head {
	return web.Head{Template: "door/signin", Title: locale.Say(locale.SigninTitle), Problem: p.Fault}
}

// SignedOutPage says that it is done.
type SignedOutPage struct{}

// Head implements web.Page.
func (p SignedOutPage) Head() web.Head {
	return web.Head{Template: "door/signedout", Title: locale.Say(locale.SignedoutTitle)}
}

// ResetPage says who helps with a forgotten password.
type ResetPage struct{}

// Head implements web.Page.
func (p ResetPage) Head() web.Head {
	return web.Head{Template: "door/reset", Title: locale.Say(locale.ResetTitle)}
}

// LockedPage asks for the password again after an idle time.
type LockedPage struct {
	// As is who is signed in, Site where. Site may be empty.
	As, Site string
	// Since is when it was locked: "9:40 am".
	Since string
	// Next is the local path to go on to, as in SignInPage. May be empty.
	Next string
	// Fault says what was wrong. Empty at first sight.
	Fault string
}

// Head implements web.Page.
func (p LockedPage) Head() web.Head {
	return web.Head{Template: "door/locked", Title: locale.Say(locale.LockedTitle), Problem: p.Fault, Site: p.Site}
}
