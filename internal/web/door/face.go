package door

import (
	"embed"

	"keyturn/internal/web"
)

//go:embed *.html *.css
var files embed.FS

// Face is the door's pages and styles, for the kit.
func Face() web.Face {
	return web.Face{Name: "door", Files: files}
}
