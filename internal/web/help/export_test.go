package help

import "keyturn/internal/web"

// Pages returns every page of the help by name.
func Pages() map[string]web.Page {
	all := map[string]web.Page{"index": contents()}
	for _, g := range guides() {
		all[g.slug] = g.page()
	}
	return all
}
