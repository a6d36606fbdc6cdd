package app

import "net/http"

// trails are the pages of a site's audit trail.
func trails() []Route {
	const at = "/sites/{site}/settings/audit"
	return []Route{
		{http.MethodGet, at, "admin", in, func(a *App) http.Handler { return a.settings.Audit() }},
		{http.MethodPost, at, "admin", in, func(a *App) http.Handler { return a.settings.TakeAudit() }},
	}
}
