package api

import (
	"context"
	"fmt"

	"keyturn/internal/apikey"
	"keyturn/internal/client"
	"keyturn/internal/id"
	"keyturn/internal/oidc"
)

// service finds the service whose token is sent in place of a key: with the client's scopes
// and sites, read anew at every call. fault.NotFound where there is none any more.
func (a *API) service(ctx context.Context, token string) (apikey.Key, error) {
	c, err := oidc.ServiceOf(ctx, a.DB, token, a.DB.Clock.Now())
	if err != nil {
		return apikey.Key{}, fmt.Errorf("find a service: %w", err)
	}
	return apikey.Key{ID: id.APIKey(c.ID), Name: c.Name, Scopes: c.Scopes, All: c.All, MadeBy: c.MadeBy, MadeAt: c.MadeAt, Service: true}, nil
}

// reaches says whether a key, or the service that sent a token in its place, is for a site.
func (a *API) reaches(ctx context.Context, k apikey.Key, at id.Site) (bool, error) {
	if k.Service {
		return client.Reaches(ctx, a.DB, client.Client{ID: id.Client(k.ID), All: k.All}, at)
	}
	return apikey.Reaches(ctx, a.DB, k, at)
}

// sitesOf are the sites that a key or a service names.
func (a *API) sitesOf(ctx context.Context, k apikey.Key) ([]id.Site, error) {
	if k.Service {
		return client.Sites(ctx, a.DB, client.Client{ID: id.Client(k.ID)})
	}
	return apikey.Sites(ctx, a.DB, k)
}
