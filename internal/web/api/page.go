package api

import (
	"embed"
	"net/http"

	"keyturn/internal/web"
)

//go:embed *.html *.css
var files embed.FS

// Reference is where the page is that shows the description.
const Reference = Base + "/docs"

// Face is the page's template and style, for the kit.
func Face() web.Face { return web.Face{Name: "api", Files: files} }

// Reference answers "GET /api/v1/docs", to anybody: the description for people.
func (a *API) Reference() http.Handler {
	return a.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return a.Kit.Show(w, r, http.StatusOK, a.reference)
	})
}
