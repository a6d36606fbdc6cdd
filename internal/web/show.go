package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/locale"
)

//go:embed templates/*.html
var ownTemplates embed.FS

// Page is a typed struct with everything that its template shows. A field that the
// template misspells fails the page's test.
type Page interface {
	// Head says how the page is framed.
	Head() Head
}

// Layout is how the parts of a page stand.
type Layout int

const (
	// Narrow is one card of a form's width in the middle.
	Narrow Layout = iota
	// Beside is a card, and a column of reasons and ways beside it on a wide screen.
	Beside
	// Broad is a page of lists and facts.
	Broad
	// Reading is a page of text.
	Reading
)

// Class is the layout's name in the style sheet.
func (l Layout) Class() string {
	switch l {
	case Narrow:
		return "door lone"
	case Beside:
		return "door"
	case Broad:
		return "broad"
	case Reading:
		return "reading"
	}
	return "door"
}

// Head frames a page.
type Head struct {
	// Template is the page's template, "door/code".
	Template string
	// Title names the page in the browser's tab.
	Title string
	// Problem, if there is one, stands before the title, so that it is heard first.
	Problem string
	// Site is the name of the site that the page is about. May be empty.
	Site string
	// Layout is how the parts stand.
	Layout Layout
	// Help is the guide that is about the page, and its paragraph: "admins#company". Empty:
	// the list of all guides.
	Help string
}

// frame is what the layout's template gets.
type frame struct {
	Head
	Around  Around
	Page    Page
	Lang    string
	Vendor  Vendor
	CSS     string
	Script  string
	Favicon string
	Logo    string
}

// Show answers with a page. It is rendered whole before the first byte leaves: if
// that goes wrong, the error comes back and nothing was sent.
func (k *Kit) Show(w http.ResponseWriter, r *http.Request, status int, page Page) error {
	var b bytes.Buffer
	if err := k.render(&b, page, aroundOf(r)); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // The browser has gone away; there is nobody left to tell.
	return nil
}

func (k *Kit) render(b *bytes.Buffer, page Page, around Around) error {
	head := page.Head()
	t, ok := k.pages[head.Template]
	if !ok {
		return fmt.Errorf("showing %T: there is no template %q", page, head.Template)
	}
	if head.Help == "" {
		head.Help = around.Help
	}
	f := frame{
		Head:    head,
		Around:  around,
		Page:    page,
		Lang:    locale.Lang,
		Vendor:  k.vendor,
		CSS:     k.assets.url(assetCSS),
		Script:  k.assets.url(assetScript),
		Favicon: k.assets.url(assetFavicon),
		Logo:    k.assets.url(assetLogo),
	}
	if err := t.ExecuteTemplate(b, "layout", f); err != nil {
		return fmt.Errorf("showing %T: %w", page, err)
	}
	return nil
}

// parse makes one template set per page: the kit's layout, parts and icons, and the
// page's own file under the name "page".
func (k *Kit) parse(faces []Face) (map[string]*template.Template, error) {
	root := template.New("kit").Option("missingkey=error").Funcs(template.FuncMap{
		"say":     say,
		"rich":    rich,
		"anyOf":   locale.AnyOf,
		"support": func() Contact { return k.vendor.Support },
		"vendor":  func() string { return k.vendor.Name },
		"instant": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"dial":    dial,
		"asset":   k.assets.url,
	})
	root, err := root.ParseFS(ownTemplates, "templates/layout.html", "templates/parts.html", "templates/icons.html")
	if err != nil {
		return nil, fmt.Errorf("web: the kit's templates: %w", err)
	}
	own, err := fs.Sub(ownTemplates, "templates")
	if err != nil {
		return nil, fmt.Errorf("web: the kit's templates: %w", err)
	}
	pages := map[string]*template.Template{}
	if err := addPage(pages, root, Face{Name: "web", Files: own}, "error.html"); err != nil {
		return nil, err
	}
	for _, face := range faces {
		files, err := fs.Glob(face.Files, "*.html")
		if err != nil {
			return nil, fmt.Errorf("web: the templates of %s: %w", face.Name, err)
		}
		for _, file := range files {
			if err := addPage(pages, root, face, file); err != nil {
				return nil, err
			}
		}
	}
	return pages, nil
}

func addPage(pages map[string]*template.Template, root *template.Template, face Face, file string) error {
	text, err := fs.ReadFile(face.Files, file)
	if err != nil {
		return fmt.Errorf("web: the template %s/%s: %w", face.Name, file, err)
	}
	set, err := root.Clone()
	if err != nil {
		return fmt.Errorf("web: the template %s/%s: %w", face.Name, file, err)
	}
	if _, err := set.New("page").Parse(string(text)); err != nil {
		return fmt.Errorf("web: the template %s/%s: %w", face.Name, file, err)
	}
	pages[path.Join(face.Name, strings.TrimSuffix(file, ".html"))] = set
	return nil
}

// say is locale.Say in a template: {{say "code.title" "Name" .Name}}.
func say(key string, pairs ...any) (string, error) {
	data, err := dataOf(pairs)
	if err != nil {
		return "", err
	}
	return locale.Say(locale.Key(key), data), nil
}

// rich is locale.Rich in a template, for {{template "rich" (rich "code.sent" …)}}.
func rich(key string, pairs ...any) ([]locale.Run, error) {
	data, err := dataOf(pairs)
	if err != nil {
		return nil, err
	}
	return locale.Rich(locale.Key(key), data), nil
}

var errPairs = errors.New("values come in pairs of a name and a value")

func dataOf(pairs []any) (locale.Data, error) {
	if len(pairs)%2 != 0 {
		return nil, errPairs
	}
	data := locale.Data{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errPairs
		}
		data[name] = pairs[i+1]
	}
	return data, nil
}

// dial keeps of a phone number what a telephone needs.
func dial(phone string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
}
