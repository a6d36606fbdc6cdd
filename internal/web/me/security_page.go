package me

import (
	"cmp"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/web"
)

// SecurityPage is a person's own "My security": what they can pass with, where they are
// remembered and signed in. Every time is words already, in the zone of the site.
type SecurityPage struct {
	// As is the user's name, Site where the session is, which may be empty.
	As, Site string
	// Done says what was done just now, Fault why something was not. Both may be empty.
	Done, Fault string
	// Marked says that the password was reset by email, and what that still means.
	Marked string
	// Email and Mobile are where codes can go.
	Email, Mobile Address
	// Ways are what is set up besides: authenticators and passkeys.
	Ways []Set
	// Test is a test code that waits to be typed.
	Test Test
	// Codes are the recovery codes.
	Codes Codes
	// Usual are the ways that may be the usual one. Fewer than two: nothing to choose.
	Usual []Choice
	// Devices are those that are remembered, Open the sessions.
	Devices, Open []Entry
}

// Head implements web.Page.
func (p SecurityPage) Head() web.Head {
	return web.Head{Template: "me/security", Title: locale.Say(locale.SecurityTitle), Problem: cmp.Or(p.Fault, p.Test.Fault), Site: p.Site, Layout: web.Broad}
}

// Address is an email address or a mobile number of the user's.
type Address struct {
	// Shown is the address as its owner may see it; empty if there is none.
	Shown string
	// Proved says that a code sent there was typed back once; Dead why nothing arrives
	// there, in words, empty if nothing is known against it.
	Proved bool
	Dead   string
	// Note says what else is to be known. May be empty.
	Note string
}

// Set is one way that is set up.
type Set struct {
	// ID is the value of the forms' field "method".
	ID   string
	Kind policy.MethodKind
	// Name is its owner's, Words when it was added and used.
	Name, Words string
}

// IsPasskey picks the picture.
func (s Set) IsPasskey() bool { return s.Kind == policy.Passkey }

// Codes are a person's recovery codes.
type Codes struct {
	// Left is how many are unused; Made when they were made, empty if there are none.
	Left int
	Made string
}

// Few says that new ones should be made.
func (c Codes) Few() bool { return c.Made != "" && c.Left <= 3 }

// Choice is one way that may be the usual one.
type Choice struct {
	Kind policy.MethodKind
	Name string
	On   bool
}

// Entry is one remembered device or one open session.
type Entry struct {
	// ID is the value of the form's field.
	ID string
	// From is the browser, Words since when and until when.
	From, Words string
	// Here says that it is this very browser.
	Here bool
}

// AddPage says what recovery codes are, and makes them.
type AddPage struct {
	As, Site string
	// Replaces says that there are some already, which will end.
	Replaces bool
}

// Head implements web.Page.
func (p AddPage) Head() web.Head {
	return web.Head{Template: "me/add", Title: locale.Say(locale.SecurityCodes), Site: p.Site, Layout: web.Narrow}
}

// SetUpPage sets up one way: exactly one of its parts is there.
type SetUpPage struct {
	As, Site string
	TOTP     *web.SetUpTOTP
	Passkey  *web.SetUpPasskey
	Mobile   *web.SetUpMobile
	Prove    *web.SetUpProve
}

// Head implements web.Page.
func (p SetUpPage) Head() web.Head {
	h := web.Head{Template: "me/setup", Site: p.Site, Layout: web.Narrow}
	switch {
	case p.TOTP != nil:
		h.Title, h.Problem = locale.Say(locale.SetupTotpTitle), p.TOTP.Fault
	case p.Passkey != nil:
		h.Title, h.Problem = locale.Say(locale.SetupPasskeyTitle), p.Passkey.Fault
	case p.Mobile != nil:
		h.Title, h.Problem = locale.Say(locale.SetupMobileTitle), p.Mobile.Fault
	case p.Prove != nil:
		h.Title, h.Problem = locale.Say(locale.SetupProveTitle), p.Prove.Fault
	}
	return h
}

// CodesPage shows new recovery codes, this once.
type CodesPage struct {
	As, Site string
	Codes    []string
	// Made is when, in words.
	Made string
}

// Head implements web.Page.
func (p CodesPage) Head() web.Head {
	return web.Head{Template: "me/codes", Title: locale.Say(locale.SecurityCodesTitle), Site: p.Site, Layout: web.Narrow}
}

// AlterPage renames or removes one way.
type AlterPage struct {
	As, Site string
	Way      Set
	// Mobile says that it is the mobile number, which has no name of its own.
	Mobile bool
	Fault  string
}

// Head implements web.Page.
func (p AlterPage) Head() web.Head {
	return web.Head{Template: "me/alter", Title: locale.Say(locale.SecurityAlterTitle, locale.Data{"Name": p.Way.Name}), Problem: p.Fault, Site: p.Site, Layout: web.Narrow}
}

// PasswordPage changes the password.
type PasswordPage struct {
	As, Site, Fault string
	// Login is for the browser's password manager.
	Login string
}

// Head implements web.Page.
func (p PasswordPage) Head() web.Head {
	return web.Head{Template: "me/password", Title: locale.Say(locale.SecurityPasswordTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow}
}

// ProvePage asks a person to prove again who they are, before they change something.
type ProvePage struct {
	As, Site, Fault string
	// Change and Next come back with the form.
	Change policy.Change
	Next   string
	// Back is where whoever does not want to goes.
	Back string
	// Password asks for the password here: it is all they have.
	Password bool
	// Stuck says that no proof of theirs would do; Helpers are who can help.
	Stuck   bool
	Helpers []string
	Login   string
}

// Head implements web.Page.
func (p ProvePage) Head() web.Head {
	return web.Head{Template: "me/prove", Title: locale.Say(locale.SecurityProveTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow}
}

// JoinPage asks for a second login of the person's.
type JoinPage struct {
	As, Site, Fault string
	// Email is what was typed.
	Email string
	// Both says that the two are of one site, and cannot be one.
	Both bool
}

// Head implements web.Page.
func (p JoinPage) Head() web.Head {
	return web.Head{Template: "me/join", Title: locale.Say(locale.SecurityJoinTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow}
}
