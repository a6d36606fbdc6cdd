package app

import "net/http"

// requests are the pages by which a site gets a new user: the site asks, staff decide, the
// person accepts.
func requests() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at, staff = "/sites/{site}/settings/requests", "/staff/requests"
	return []Route{
		{get, at, "admin", in, func(a *App) http.Handler { return a.settings.UserRequests() }},
		{post, at, "admin", in, func(a *App) http.Handler { return a.settings.AskForUser() }},
		{post, at + "/{request}", "admin", in, func(a *App) http.Handler { return a.settings.ChangeRequest() }},
		{get, staff, "staff", in, func(a *App) http.Handler { return a.staff.UserRequests() }},
		{get, staff + "/{site}/{request}", "staff", in, func(a *App) http.Handler { return a.staff.UserRequest() }},
		{post, staff + "/{site}/{request}", "staff", in, func(a *App) http.Handler { return a.staff.DecideRequest() }},
		{get, "/invitation/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.Invitation() }},
		{post, "/invitation/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.AcceptInvitation() }},
		{get, "/me/invitations", "user", in, func(a *App) http.Handler { return a.me.Invitations() }},
		{post, "/me/invitations", "user", in, func(a *App) http.Handler { return a.me.JoinSite() }},
	}
}
