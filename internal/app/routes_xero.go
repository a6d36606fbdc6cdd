package app

import (
	"net/http"

	"keyturn/internal/web/settings"
)

// integrations are the pages on which a site is connected to Xero.
func integrations() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = settings.At + "/integrations"
	return []Route{
		{get, at, "admin", in, func(a *App) http.Handler { return a.settings.Xero() }},
		{get, at + "/xero/connect", "admin", in, func(a *App) http.Handler { return a.settings.XeroFirst() }},
		{post, at + "/xero/connect", "admin", in, func(a *App) http.Handler { return a.settings.XeroGo() }},
		{get, settings.XeroBack, "admin", in, func(a *App) http.Handler { return a.settings.FromXero() }},
		{post, settings.XeroBack, "admin", in, func(a *App) http.Handler { return a.settings.FinishXero() }},
		{get, at + "/xero/choose", "admin", in, func(a *App) http.Handler { return a.settings.XeroChoices() }},
		{post, at + "/xero/choose", "admin", in, func(a *App) http.Handler { return a.settings.ChooseXero() }},
		{get, at + "/xero/disconnect", "admin", in, func(a *App) http.Handler { return a.settings.EndXeroFirst() }},
		{post, at + "/xero/disconnect", "admin", in, func(a *App) http.Handler { return a.settings.EndXero() }},
	}
}
