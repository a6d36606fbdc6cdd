package app

import "net/http"

// sharedLogins are the pages about logins that several people may use.
func sharedLogins() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = "/sites/{site}/settings/shared"
	return []Route{
		{get, at, "admin", in, func(a *App) http.Handler { return a.settings.Shared() }},
		{get, at + "/proved", "admin", in, func(a *App) http.Handler { return a.settings.Proved() }},
		{get, at + "/{user}", "admin", in, func(a *App) http.Handler { return a.settings.OneShared() }},
		{post, at + "/{user}/split", "admin", in, func(a *App) http.Handler { return a.settings.Divide() }},
		{post, at + "/{user}/one", "admin", in, func(a *App) http.Handler { return a.settings.OnePerson() }},
		{post, at + "/{user}/cancel", "admin", in, func(a *App) http.Handler { return a.settings.CancelSplit() }},
	}
}
