package app

import (
	"net/http"

	"keyturn/internal/web"
)

// Route is one line of the URL map.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// For says who it is for: anybody, a user, the demo's visitor.
	For string `json:"for"`
	// States are the states of a session in which it does what it is for; in any other it
	// leads to where that state is mended. "attempt" stands for a sign-in under way.
	States []string `json:"states"`

	handler func(*App) http.Handler
}

// Every state of a session, for routes that serve whoever comes.
var anyState = []string{"out", "attempt", "locked", "more", "in"}

// Routes is the whole URL map, in the order in which a person meets it.
func Routes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/{$}", "anybody", anyState, func(a *App) http.Handler { return a.kit.Handle(a.home) }},
		{get, "/signin", "anybody", []string{"out", "attempt"}, func(a *App) http.Handler { return a.door.SignIn() }},
		{post, "/signin", "anybody", anyState, func(a *App) http.Handler { return a.door.Password() }},
		{get, "/signin/site", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Sites() }},
		{post, "/signin/site", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.ChooseSite() }},
		{get, "/signin/code", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Code() }},
		{post, "/signin/code", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.TypeCode() }},
		{get, "/signin/method", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Ways() }},
		{post, "/signin/method", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.ChooseWay() }},
		{get, "/signin/more", "user", []string{"more"}, func(a *App) http.Handler { return a.door.More() }},
		{post, "/signin/more", "user", []string{"more"}, func(a *App) http.Handler { return a.door.Raise() }},
		{get, "/signin/locked", "user", []string{"locked"}, func(a *App) http.Handler { return a.door.Locked() }},
		{post, "/signin/locked", "user", []string{"locked"}, func(a *App) http.Handler { return a.door.Resume() }},
		{post, "/signout", "anybody", anyState, func(a *App) http.Handler { return a.door.SignOut() }},
		{get, "/signedout", "anybody", anyState, func(a *App) http.Handler { return a.door.SignedOut() }},
		{get, "/reset", "anybody", anyState, func(a *App) http.Handler { return a.door.Reset() }},
		{get, "/me", "user", []string{"in"}, func(a *App) http.Handler { return a.me.Home() }},
		{post, "/me/site", "user", []string{"in"}, func(a *App) http.Handler { return a.me.Switch() }},
		{get, "/help", "anybody", anyState, func(a *App) http.Handler { return a.help.Index() }},
		{get, "/help/{guide}", "anybody", anyState, func(a *App) http.Handler { return a.help.Guide() }},
		{get, web.StaticPath + "{file}", "anybody", anyState, func(a *App) http.Handler { return a.kit.Assets() }},
		{get, "/healthz", "anybody", anyState, func(a *App) http.Handler { return http.HandlerFunc(a.healthz) }},
		{get, "/readyz", "anybody", anyState, func(a *App) http.Handler { return http.HandlerFunc(a.readyz) }},
	}
}

// mux serves the routes, and says of everything else that it is not there.
func (a *App) mux(more ...Route) *http.ServeMux {
	m := http.NewServeMux()
	for _, r := range append(Routes(), more...) {
		m.Handle(r.Method+" "+r.Path, r.handler(a))
	}
	m.Handle("/", a.kit.Lost())
	return m
}
