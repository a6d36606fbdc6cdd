package app

import "net/http"

// users are User Setup, a person's own change of their email, and the page behind the link that undoes a change of a login name.
func users() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = "/sites/{site}/settings/users"
	return []Route{
		{get, at, "admin", in, func(a *App) http.Handler { return a.settings.Users() }},
		{get, at + "/{user}", "admin", in, func(a *App) http.Handler { return a.settings.User() }},
		{post, at + "/{user}", "admin", in, func(a *App) http.Handler { return a.settings.SaveUser() }},
		{post, at + "/{user}/help", "admin", in, func(a *App) http.Handler { return a.settings.HelpUser() }},
		{get, at + "/{user}/left", "admin", in, func(a *App) http.Handler { return a.settings.Leaving() }},
		{post, at + "/{user}/left", "admin", in, func(a *App) http.Handler { return a.settings.Left() }},
		{get, "/me/security/email", "user", in, func(a *App) http.Handler { return a.me.Email() }},
		{post, "/me/security/email", "user", in, func(a *App) http.Handler { return a.me.SendEmailCode() }},
		{get, "/me/security/email/code", "user", in, func(a *App) http.Handler { return a.me.EmailCode() }},
		{post, "/me/security/email/code", "user", in, func(a *App) http.Handler { return a.me.TypeEmailCode() }},
		{get, "/undo/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.Undo() }},
		{post, "/undo/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.TakeBack() }},
	}
}
