package settings

import (
	"embed"

	"keyturn/internal/web"
)

//go:embed *.html *.css
var files embed.FS

// Face is the pages and styles of a site's admins, for the kit.
func Face() web.Face {
	return web.Face{Name: "settings", Files: files}
}
