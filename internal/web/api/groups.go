package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// Group is what its members may do.
type Group struct {
	Name        string   `json:"name" example:"Sales"`
	Rank        int      `json:"rank" minimum:"0" example:"0" doc:"Nobody changes whoever stands above them."`
	Permissions []string `json:"permissions" nullable:"false" example:"[\"customers\",\"vehicles\",\"search\",\"quotes\"]" doc:"Without the toggles of its members."`
}

type groupList struct {
	Body struct {
		Items []Group `json:"items" nullable:"false" doc:"The highest first. They are the same at every site."`
	}
}

func (a *API) groups() {
	add(a, operation{scope: apikey.ReadUsers, Operation: huma.Operation{
		OperationID: "list-groups", Method: http.MethodGet, Path: "/groups", Summary: "The groups and what they may do", Tags: []string{"Users"},
	}}, func(context.Context, apikey.Key, *struct{}) (*groupList, error) {
		out := &groupList{}
		out.Body.Items = each(site.Groups(), func(g policy.Group) Group {
			return Group{string(g), g.Rank(), each(site.Of(g), func(p site.Permission) string { return string(p) })}
		})
		return out, nil
	})
}
