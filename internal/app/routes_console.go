package app

import "net/http"

// consolePages are the pages of the vendor's staff about the sites given to them, about
// delivery and about each other. Recoveries are among the consoles.
func consolePages() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = "/staff/sites/{site}"
	return []Route{
		{get, "/staff/sites", "staff", in, func(a *App) http.Handler { return a.staff.Sites() }},
		{post, "/staff/sites", "staff", in, func(a *App) http.Handler { return a.staff.Remind() }},
		{post, "/staff/open", "staff", in, func(a *App) http.Handler { return a.staff.OpenSite() }},
		{get, at, "staff", in, func(a *App) http.Handler { return a.staff.Site() }},
		{post, at + "/call", "staff", in, func(a *App) http.Handler { return a.staff.Call() }},
		{post, at + "/notes", "staff", in, func(a *App) http.Handler { return a.staff.Write() }},
		{post, at + "/sms", "staff", in, func(a *App) http.Handler { return a.staff.TopUp() }},
		{get, "/staff/delivery", "staff", in, func(a *App) http.Handler { return a.staff.Delivery() }},
		{get, "/staff/people", "staff", in, func(a *App) http.Handler { return a.staff.People() }},
		{post, "/staff/people", "staff", in, func(a *App) http.Handler { return a.staff.ProposeEnd() }},
		{get, "/staff/clients", "staff", in, func(a *App) http.Handler { return a.staff.Clients() }},
		{post, "/staff/clients", "staff", in, func(a *App) http.Handler { return a.staff.ActOnClient() }},
		{get, "/staff/evidence", "staff", in, func(a *App) http.Handler { return a.staff.Evidence() }},
		{post, "/staff/evidence", "staff", in, func(a *App) http.Handler { return a.staff.TakeEvidence() }},
		{post, "/staff/proposals/{proposal}", "staff", in, func(a *App) http.Handler { return a.staff.AnswerProposal() }},
	}
}
