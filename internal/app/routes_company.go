package app

import (
	"net/http"
	"slices"

	"keyturn/internal/web/settings"
)

// company are the home of the settings, the company settings and the groups.
func company() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, settings.At, "admin", in, func(a *App) http.Handler { return a.settings.Home() }},
		{get, settings.At + "/company", "admin", in, func(a *App) http.Handler { return a.settings.Company() }},
		{get, settings.At + "/company/preview", "admin", in, func(a *App) http.Handler { return a.settings.PreviewCompany() }},
		{post, settings.At + "/company", "admin", in, func(a *App) http.Handler { return a.settings.SaveCompany() }},
		{get, settings.At + "/company/lower", "admin", in, func(a *App) http.Handler { return a.settings.LowerFirst() }},
		{post, settings.At + "/company/lower", "admin", in, func(a *App) http.Handler { return a.settings.Lower() }},
		{get, settings.At + "/groups", "admin", in, func(a *App) http.Handler { return a.settings.Groups() }},
	}
}

// routed says whether the URL map has a page at a pattern.
func routed(pattern string) bool {
	return slices.ContainsFunc(Routes(), func(r Route) bool { return r.Method == http.MethodGet && r.Path == pattern })
}
