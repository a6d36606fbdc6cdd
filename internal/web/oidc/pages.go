package oidc

import (
	"errors"
	"html/template"
	"net/url"

	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// RefusedPage says that an application sent somebody here wrongly. Nothing leads back to it:
// who it is is not known.
type RefusedPage struct {
	// Words say what is wrong, for whoever built the application.
	Words string
}

// Head implements web.Page.
func (p RefusedPage) Head() web.Head {
	return web.Head{Template: "oidc/refused", Title: locale.Say(locale.OidcRefusedTitle)}
}

// StepUpPage says that an application asks for a proof.
type StepUpPage struct {
	// As is who is signed in, Client the application, Request what the form sends back.
	As, Client, Request string
}

// Head implements web.Page.
func (p StepUpPage) Head() web.Head {
	return web.Head{Template: "oidc/stepup", Title: locale.Say(locale.OidcStepupTitle)}
}

// LeavePage leads back to the application, by itself and by a link.
type LeavePage struct {
	Client string
	// To is an address that the application registered.
	To template.URL
}

func leavePage(name, to string) LeavePage {
	return LeavePage{Client: name, To: template.URL(to)} //nolint:gosec // registered byte for byte, with our own query
}

// Head implements web.Page.
func (p LeavePage) Head() web.Head {
	return web.Head{Template: "oidc/leave", Title: locale.Say(locale.OidcLeaveTitle)}
}

// LogoutPage asks whether somebody wants to sign out.
type LogoutPage struct {
	As string
	// Client, To and State are sent back by the form as they came. May be empty.
	Client, To, State string
}

// Head implements web.Page.
func (p LogoutPage) Head() web.Head {
	return web.Head{Template: "oidc/logout", Title: locale.Say(locale.OidcLogoutTitle)}
}

// after is a page of ours from which somebody goes on to another.
func after(page, next string) string { return page + "?next=" + url.QueryEscape(next) }

func lost(err error) bool { return errors.Is(err, fault.NotFound) }
