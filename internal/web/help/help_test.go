package help_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
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
		"admins":    "Split shared logins",
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

// Every page of the product that names a paragraph of the guides leads to one.
func TestEveryPageLeadsToAParagraphThatIsThere(t *testing.T) {
	t.Parallel()
	h := served(t)
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`"((?:xero|enable|no-code|new-phone|admins)#[a-z-]+)"`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			guide, anchor, _ := strings.Cut(m[1], "#")
			if !strings.Contains(get(t, h, "/help/"+guide).Body.String(), `id="`+anchor+`"`) {
				t.Errorf("%s leads to %s, which is not there", file, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d pages name a paragraph: the walk has gone astray", found)
	}
}

func TestASearchFindsParagraphsAndTellsOnlyPlainWordsOfWhatItDoesNotFind(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, help.Face())
	var missed []string
	mux := http.NewServeMux()
	mux.Handle("GET /help", help.Help{Kit: kit, Searched: func(found bool, words string) {
		if !found {
			missed = append(missed, words)
		}
	}}.Index())
	if body := get(t, mux, "/help?q=Help+CODE").Body.String(); !strings.Contains(body, `href="/help/admins#help-code-how"`) {
		t.Errorf("the paragraph is not found: %s", body)
	}
	get(t, mux, "/help?q=carburettor+pat%40bayside.example+482913")
	if len(missed) != 1 || missed[0] != "carburettor" {
		t.Errorf("told of %q", missed)
	}
}
