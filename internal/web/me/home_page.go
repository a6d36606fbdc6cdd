// Package me is a user's own pages, behind the guard of a full session.
package me

import (
	"embed"

	"keyturn/internal/locale"
	"keyturn/internal/web"
)

//go:embed *.html *.css
var files embed.FS

// Face is a user's own pages and styles, for the kit.
func Face() web.Face {
	return web.Face{Name: "me", Files: files}
}

// HomePage says who is signed in, where and how. Every time is words already, in the
// zone of the site.
type HomePage struct {
	// As is the user's name, Login the login name.
	As, Login string
	// Proved says that a code sent to the login name was typed back once.
	Proved bool
	// Site is where the session is, Group the user's group there. Both may be empty.
	Site, Group string
	// Since is when the user signed in, How with what (see HowPassword and HowCode),
	// Ends when the session ends at the latest.
	Since, How, Ends string
	// Coming is what their site will ask for on a date. nil if nothing is to come.
	Coming *Coming
	// Sites are the user's other sites that this session may enter. May be empty.
	Sites []SiteChoice
	// Test says that a test code waits to be typed.
	Test bool
	// Invited says that an invitation to another site waits.
	Invited bool
	// Settings is the address of the site's settings, for its Admins; empty for others.
	Settings string
	// Recent are the last sign-ins, newest first. May be empty.
	Recent []SignIn
}

// Coming is a second step that is to come.
type Coming struct {
	// Site asks for it, from When on ("Sun 6 Dec, 4:00 am"), which is Away ("in 12 days").
	Site, When, Away string
	// To is where the code will go, masked. Empty if no code can reach this person yet:
	// then Helpers are who can mend that, which may be empty.
	To      string
	Helpers []string
	// Proved says that a code arrived at To before.
	Proved bool
}

// SiteChoice is another site to go to.
type SiteChoice struct {
	// ID is the value of the form's field "site"; Name is the site's.
	ID, Name string
	// Note says what entering it asks for. May be empty.
	Note string
}

// SignIn is one sign-in of the list.
type SignIn struct {
	// When and How are words; From is the browser and the place: "Chrome on Windows".
	When, How, From string
	// Here says that it is the session this page is shown to.
	Here bool
	// Stopped says that it did not come to a session.
	Stopped bool
}

// Head implements web.Page.
func (p HomePage) Head() web.Head {
	return web.Head{Template: "me/home", Title: locale.Say(locale.MeTitle), Site: p.Site, Layout: web.Broad}
}

// HowPassword are the words for a sign-in with the password alone.
func HowPassword() string { return locale.Say(locale.MeHowPassword) }

// HowEmail are the words for the password and a code by email.
func HowEmail() string { return locale.Say(locale.MeHowEmail) }
