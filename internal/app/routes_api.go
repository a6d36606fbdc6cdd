package app

import (
	"net/http"

	"keyturn/internal/web/api"
)

// apis are the operations that programs of the vendor's call with a key.
func apis() []Route {
	get, put, post := http.MethodGet, http.MethodPut, http.MethodPost
	const at = api.Base + "/sites/{ref}"
	serve := func(a *App) http.Handler { return a.api }
	return []Route{
		{get, api.Document, "anybody", anyState, func(a *App) http.Handler { return a.api.Describe() }},
		{get, at + "/integrations/xero", "program", anyState, serve},
		{put, at + "/integrations/xero", "program", anyState, serve},
		{post, at + "/integrations/xero/token", "program", anyState, serve},
		{get, at + "/readiness", "program", anyState, serve},
		{get, at + "/users/{user_ref}/banner", "program", anyState, serve},
	}
}
