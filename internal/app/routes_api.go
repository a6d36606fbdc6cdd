package app

import (
	"net/http"

	"keyturn/internal/web/api"
)

// apis are the operations that programs of the vendor's call with a key.
func apis() []Route {
	get, put, post, patch := http.MethodGet, http.MethodPut, http.MethodPost, http.MethodPatch
	const at = api.Base + "/sites/{ref}"
	serve := func(a *App) http.Handler { return a.api }
	return []Route{
		{get, api.Document, "anybody", anyState, func(a *App) http.Handler { return a.api.Describe() }},
		{get, api.Reference, "anybody", anyState, func(a *App) http.Handler { return a.api.Reference() }},
		{get, api.Base + "/sites", "program", anyState, serve},
		{get, at, "program", anyState, serve},
		{put, at, "program", anyState, serve},
		{get, at + "/users", "program", anyState, serve},
		{post, at + "/users", "program", anyState, serve},
		{get, at + "/users/{user_ref}", "program", anyState, serve},
		{patch, at + "/users/{user_ref}", "program", anyState, serve},
		{post, at + "/users/{user_ref}/left", "program", anyState, serve},
		{post, at + "/users/{user_ref}/decision", "program", anyState, serve},
		{get, api.Base + "/groups", "program", anyState, serve},
		{get, at + "/requests", "program", anyState, serve},
		{post, at + "/requests", "program", anyState, serve},
		{get, at + "/requests/{request}", "program", anyState, serve},
		{get, at + "/sms", "program", anyState, serve},
		{get, at + "/sms/statement", "program", anyState, serve},
		{get, api.Base + "/rollout", "program", anyState, serve},
		{get, at + "/rollout", "program", anyState, serve},
		{get, at + "/audit", "program", anyState, serve},
		{get, at + "/integrations/xero", "program", anyState, serve},
		{put, at + "/integrations/xero", "program", anyState, serve},
		{post, at + "/integrations/xero/token", "program", anyState, serve},
		{get, at + "/readiness", "program", anyState, serve},
		{get, at + "/users/{user_ref}/banner", "program", anyState, serve},
	}
}
