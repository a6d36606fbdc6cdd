// Package webtest shows pages to tests through a real kit, and can write each page
// that a test shows to a folder, to be looked at.
package webtest

import (
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"keyturn/internal/web"
)

// FolderVariable names the environment variable with the folder that pages are written
// to, as NAME.html beside static/. Unset means that nothing is written.
const FolderVariable = "KEYTURN_TEST_PAGES"

// Support is whom the kit of New names as the vendor's support.
var Support = web.Contact{
	Name:  "Workshop support",
	Phone: "07 5550 0100",
	Email: "help@vendor.example",
	Hours: "Mon to Fri, 7 am to 6 pm",
}

// New makes a kit with the faces, at https://signin.example.
func New(t *testing.T, faces ...web.Face) *web.Kit {
	t.Helper()
	kit, err := web.New(web.Setup{
		Log:       slog.New(slog.DiscardHandler),
		PublicURL: &url.URL{Scheme: "https", Host: "signin.example"},
		Vendor:    web.Vendor{Name: "Keyturn", Support: Support},
		Now:       time.Now,
		Faces:     faces,
	})
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

// Shown is a page as a browser gets it.
type Shown struct {
	t    *testing.T
	name string
	HTML string
}

// Show renders a page through the kit. The name, such as "code-refused", is that of
// the file that is written if the folder's variable is set. Every page must pass the
// checks of Sound.
func Show(t *testing.T, kit *web.Kit, name string, page web.Page) Shown {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	kit.Wrap(kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return kit.Show(w, r, http.StatusOK, page)
	})).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d", name, w.Code)
	}
	s := Shown{t, name, w.Body.String()}
	s.Sound()
	write(t, kit, s)
	return s
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
	inline = regexp.MustCompile(`(?i)<[^>]+\s(style|on[a-z]+)\s*=|<style|<script>|javascript:`)
	ids    = regexp.MustCompile(`\sid="([^"]*)"`)
	refs   = regexp.MustCompile(`\s(?:for|aria-describedby|aria-labelledby)="([^"]*)"`)
	heads  = regexp.MustCompile(`<h1[ >]`)
)

// Text is what a person reads, with single spaces.
func (s Shown) Text() string {
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(s.HTML, "")), " "))
}

// Sees fails unless each of the words stands in the text.
func (s Shown) Sees(words ...string) {
	s.t.Helper()
	for _, w := range words {
		if !strings.Contains(s.Text(), w) {
			s.t.Errorf("%s: %q is not there; the page says: %s", s.name, w, s.Text())
		}
	}
}

// Hides fails if any of the words stands in the text.
func (s Shown) Hides(words ...string) {
	s.t.Helper()
	for _, w := range words {
		if strings.Contains(s.Text(), w) {
			s.t.Errorf("%s: %q should not be there", s.name, w)
		}
	}
}

// Has fails unless each piece stands in the page's source.
func (s Shown) Has(pieces ...string) {
	s.t.Helper()
	for _, p := range pieces {
		if !strings.Contains(s.HTML, p) {
			s.t.Errorf("%s: the source has no %s", s.name, p)
		}
	}
}

// Sound checks what every page must be: whole, with one heading, nothing inline that
// the content security policy would drop, ids that are unique and references that
// lead somewhere.
func (s Shown) Sound() {
	s.t.Helper()
	for _, bad := range []string{"<no value>", "%!", "ZgotmplZ", "map["} {
		if strings.Contains(s.HTML, bad) {
			s.t.Errorf("%s: the page holds %q", s.name, bad)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(s.HTML), "</html>") {
		s.t.Errorf("%s: the page is cut off", s.name)
	}
	if n := len(heads.FindAllString(s.HTML, -1)); n != 1 {
		s.t.Errorf("%s: the page has %d first headings", s.name, n)
	}
	if found := inline.FindString(s.HTML); found != "" {
		s.t.Errorf("%s: the policy would drop %s", s.name, found)
	}
	known := map[string]bool{}
	for _, m := range ids.FindAllStringSubmatch(s.HTML, -1) {
		if known[m[1]] {
			s.t.Errorf("%s: the id %s is there twice", s.name, m[1])
		}
		known[m[1]] = true
	}
	for _, m := range refs.FindAllStringSubmatch(s.HTML, -1) {
		for id := range strings.FieldsSeq(m[1]) {
			if !known[id] {
				s.t.Errorf("%s: something refers to %s, which is not there", s.name, id)
			}
		}
	}
}

// write puts the page and the files that it needs into the folder, if there is one.
func write(t *testing.T, kit *web.Kit, s Shown) {
	t.Helper()
	folder := os.Getenv(FolderVariable)
	if folder == "" {
		return
	}
	if err := os.MkdirAll(filepath.Join(folder, "static"), 0o750); err != nil { //nolint:gosec // whoever runs the tests names the folder
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, s.name+".html"), []byte(s.HTML), 0o600); err != nil { //nolint:gosec // whoever runs the tests names the folder
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/{file}", kit.Assets())
	for _, m := range regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(s.HTML, -1) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, m[1], nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %s answers %d", s.name, m[1], w.Code)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.FromSlash(m[1])), w.Body.Bytes(), 0o600); err != nil { //nolint:gosec // whoever runs the tests names the folder
			t.Fatal(err)
		}
	}
}
