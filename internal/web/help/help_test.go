package help_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyturn/internal/web/help"
	"keyturn/internal/web/webtest"
)

// served is the help as the product mounts it.
func served(t *testing.T) http.Handler {
	t.Helper()
	kit := webtest.New(t, help.Face())
	mux := http.NewServeMux()
	h := help.Help{Kit: kit}
	mux.Handle("GET /help", h.Index())
	mux.Handle("GET /help/{guide}", h.Guide())
	mux.Handle("/", kit.Lost())
	return kit.Wrap(mux)
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestTheContentsLeadToEveryGuide(t *testing.T) {
	t.Parallel()
	h := served(t)
	index := get(t, h, "/help").Body.String()
	for slug, words := range map[string]string{
		"xero":      "every office user passes it, whatever their group",
		"enable":    "works for 10 minutes and only once",
		"no-code":   "Look in Junk or Spam.",
		"new-phone": "Set up your mail on the new phone",
		"admins":    "Split shared logins.",
	} {
		if !strings.Contains(index, `href="/help/`+slug+`"`) {
			t.Errorf("the contents do not lead to %s", slug)
		}
		w := get(t, h, "/help/"+slug)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s: status %d, or %q is not there", slug, w.Code, words)
		}
	}
}

func TestAGuideThatIsNotThereIsLost(t *testing.T) {
	t.Parallel()
	h := served(t)
	w := get(t, h, "/help/%3Cscript%3E")
	if w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "script&gt;") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestTheGuidesAreSoundPages(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, help.Face())
	for name, page := range help.Pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Show(t, kit, "help-"+name, page)
			s.Sees("Still stuck?", "07 5550 0100")
			s.Hides("**")
		})
	}
}
