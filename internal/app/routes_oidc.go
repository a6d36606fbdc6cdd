package app

import (
	"net/http"

	oidcflow "keyturn/internal/oidc"
	"keyturn/internal/web/gate"
	"keyturn/internal/web/oidc"
)

// applications are where applications send people to sign in, and what they call themselves.
func applications() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, oidc.Discovery, "anybody", anyState, func(a *App) http.Handler { return a.provider.Describe() }},
		{get, oidc.Keys, "anybody", anyState, func(a *App) http.Handler { return a.provider.KeySet() }},
		{get, oidc.Authorize, "anybody", anyState, func(a *App) http.Handler { return a.provider.Authorize() }},
		{get, oidcflow.Continue, "anybody", anyState, func(a *App) http.Handler { return a.provider.Continue() }},
		{post, oidcflow.Continue, "anybody", anyState, func(a *App) http.Handler { return a.provider.StepUp() }},
		{post, oidc.Token, "program", anyState, func(a *App) http.Handler { return a.provider.Token() }},
		{get, oidc.Userinfo, "program", anyState, func(a *App) http.Handler { return a.provider.Userinfo() }},
		{post, oidc.Userinfo, "program", anyState, func(a *App) http.Handler { return a.provider.Userinfo() }},
		{post, oidc.Introspect, "program", anyState, func(a *App) http.Handler { return a.provider.Introspect() }},
		{post, oidc.Revoke, "program", anyState, func(a *App) http.Handler { return a.provider.Revoke() }},
		{get, oidc.Logout, "anybody", anyState, func(a *App) http.Handler { return a.provider.Logout() }},
		{post, oidc.Logout, "anybody", anyState, func(a *App) http.Handler { return a.provider.EndSession() }},
		{get, gate.Ask, "program", anyState, func(a *App) http.Handler { return a.gate.Ask() }},
		{get, gate.Begin, "anybody", anyState, func(a *App) http.Handler { return a.gate.Begin() }},
		{get, gate.Enter, "anybody", anyState, func(a *App) http.Handler { return a.gate.Enter() }},
	}
}
