package app

import "net/http"

// webhooks are the pages on which staff have programs outside told.
func webhooks() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = "/staff/webhooks"
	return []Route{
		{get, at, "staff", in, func(a *App) http.Handler { return a.staff.Webhooks() }},
		{post, at, "staff", in, func(a *App) http.Handler { return a.staff.AddWebhook() }},
		{get, at + "/{webhook}", "staff", in, func(a *App) http.Handler { return a.staff.Webhook() }},
		{post, at + "/{webhook}", "staff", in, func(a *App) http.Handler { return a.staff.ActOnWebhook() }},
	}
}
