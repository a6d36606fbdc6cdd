package api_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"keyturn/internal/apikey"
)

func TestThePageForPeopleHasEveryOperationScopeAndExample(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		got := w.call(http.MethodGet, "/api/v1/docs", "", "", "Host", "evil.test")
		if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || strings.Contains(got.body, "evil.test") || strings.Contains(got.body, "unpkg") {
			t.Fatalf("%d %.200s", got.status, got.body)
		}
		for path, all := range w.paths {
			for method, o := range all {
				for _, piece := range []string{`id="` + o.OperationID + `"`, strings.ToUpper(method) + " " + path, html.EscapeString(o.Summary)} {
					if !strings.Contains(got.body, piece) {
						t.Errorf("%s: the page has no %s", o.OperationID, piece)
					}
				}
			}
		}
		for _, s := range apikey.Scopes() {
			if !strings.Contains(got.body, "<code>"+string(s)+"</code>") {
				t.Errorf("the page has no %s", s)
			}
		}
		for _, empty := range []string{"<no value>", "null</code>", "<code></code>"} {
			if strings.Contains(got.body, empty) {
				t.Errorf("the page holds %s", empty)
			}
		}
	})
}
