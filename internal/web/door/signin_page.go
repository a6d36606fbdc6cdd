package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// SignInPage asks for the login name and the password, or a passkey in place of both.
type SignInPage struct {
	// Email fills the field, for somebody whose password was wrong. May be empty.
	Email string
	// Next is the local path to go to afterwards; it travels as the hidden field
	// "next" and is checked again when it comes back. May be empty.
	Next string
	// Fault says in one sentence what was wrong. It is the same for an unknown name and
	// for a wrong password. Empty at first sight.
	Fault string
	// PasskeyFault says what was wrong with a passkey (FaultPasskey). Empty at first sight.
	PasskeyFault string
	// NoPasskey leaves the passkey's button out.
	NoPasskey bool
	// Notice says in one sentence why somebody is here who did not ask to be: their
	// attempt ran out. May be empty.
	Notice string
}

// Head implements web.Page.
func (p SignInPage) Head() web.Head {
	problem := p.Fault
	if problem == "" {
		problem = p.PasskeyFault
	}
	return web.Head{Template: "door/signin", Title: locale.Say(locale.SigninTitle), Problem: problem}
}

// Asking is the passkey's part of the page: the script asks POST /signin/passkey/begin,
// and the answer comes as the form POST /signin/passkey/finish with the fields
// "ceremony", "credential" and "next".
func (p SignInPage) Asking() web.PasskeyForm {
	return web.PasskeyForm{
		Action: "/signin/passkey/finish", Begin: "/signin/passkey/begin", Here: "/signin",
		Words: locale.Say(locale.PasskeySignin), Next: p.Next, Auto: true, Fault: p.PasskeyFault,
	}
}

// SignedOutPage says that it is done.
type SignedOutPage struct{}

// Head implements web.Page.
func (p SignedOutPage) Head() web.Head {
	return web.Head{Template: "door/signedout", Title: locale.Say(locale.SignedoutTitle)}
}

// LockedPage asks for the password or a passkey again after an idle time.
type LockedPage struct {
	// As is who is signed in, Site where. Site may be empty.
	As, Site string
	// Since is when it was locked: "9:40 am".
	Since string
	// Next is the local path to go on to, as in SignInPage. May be empty.
	Next string
	// Passkey says that the person has a passkey that unlocks it.
	Passkey bool
	// Fault says what was wrong with the password, PasskeyFault with the passkey. Empty
	// at first sight.
	Fault, PasskeyFault string
}

// Head implements web.Page.
func (p LockedPage) Head() web.Head {
	problem := p.Fault
	if problem == "" {
		problem = p.PasskeyFault
	}
	return web.Head{Template: "door/locked", Title: locale.Say(locale.LockedTitle), Problem: problem, Site: p.Site}
}

// Asking is the passkey's part of the page: the script asks POST /signin/locked/begin,
// and the answer comes as the form POST /signin/locked/passkey with the fields
// "ceremony", "credential" and "next".
func (p LockedPage) Asking() web.PasskeyForm {
	return web.PasskeyForm{
		Action: "/signin/locked/passkey", Begin: "/signin/locked/begin", Here: "/signin/locked",
		Words: locale.Say(locale.PasskeyUnlock), Next: p.Next, Fault: p.PasskeyFault,
	}
}
