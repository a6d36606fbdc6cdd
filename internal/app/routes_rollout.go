package app

import "net/http"

// rolloutPages are the pages of the rollout, for the vendor's staff.
func rolloutPages() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = "/staff/rollout"
	return []Route{
		{get, at, "staff", in, func(a *App) http.Handler { return a.staff.Board() }},
		{post, at, "staff", in, func(a *App) http.Handler { return a.staff.ActOnRollout() }},
		{get, at + "/plan", "staff", in, func(a *App) http.Handler { return a.staff.RolloutPlan() }},
		{post, at + "/plan", "staff", in, func(a *App) http.Handler { return a.staff.SavePlan() }},
		{get, at + "/sites", "staff", in, func(a *App) http.Handler { return a.staff.RolloutSites() }},
		{get, at + "/sites/{site}", "staff", in, func(a *App) http.Handler { return a.staff.RolloutSite() }},
		{post, at + "/sites/{site}", "staff", in, func(a *App) http.Handler { return a.staff.ActOnSite() }},
	}
}
