package app

import (
	"net/http"

	"keyturn/internal/web/settings"
)

// ready are the pages that say who will get in, for a site's admins and for staff.
func ready() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = settings.At + "/readiness"
	return []Route{
		{get, at, "admin", in, func(a *App) http.Handler { return a.settings.Readiness() }},
		{post, at, "admin", in, func(a *App) http.Handler { return a.settings.Remind() }},
		{get, at + ".csv", "admin", in, func(a *App) http.Handler { return a.settings.ReadinessCSV() }},
		{get, at + ".json", "admin", in, func(a *App) http.Handler { return a.settings.ReadinessJSON() }},
		{get, at + ".ics", "admin", in, func(a *App) http.Handler { return a.settings.Calendar() }},
		{get, at + "/poster", "admin", in, func(a *App) http.Handler { return a.settings.Poster() }},
	}
}
