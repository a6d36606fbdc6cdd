package e2etest

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// The suite's own variables for what judges pages.
const (
	// AxeVariable names the environment variable with the path of axe.min.js.
	AxeVariable = "KEYTURN_TEST_AXE"
	// PicturesVariable names the environment variable with the folder for pictures; unset,
	// none are taken.
	PicturesVariable = "KEYTURN_TEST_PICTURES"

	// axeFolder is where the suite keeps axe, below the user's cache folder.
	axeFolder = "keyturn/tools/axe-core-4.14.1"
)

// Judge looks at the page as it stands, in every way that is promised of every page: no
// fault that axe finds in WCAG 2.0 to 2.2 AA, in light and dark; nothing that has to be
// scrolled sideways at 320 px; every target that stands alone 44 px or more. Where
// pictures are wanted it takes four, NAME-phone-light.png and so on.
func (p *Page) Judge(name string) {
	p.t.Helper()
	p.rest()
	p.axe(name, "every rule", `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}`)
	p.View(Desktop, Dark)
	p.axe(name, "contrast in the dark", `{type: "rule", values: ["color-contrast"]}`)
	for _, size := range []Size{Desktop, Phone} {
		p.Picture(name, size, Light)
		p.Picture(name, size, Dark)
	}
	p.View(Narrow, Light)
	p.fits(name)
	p.View(Desktop, Light)
}

// rest takes the pointer away, so that nothing is shown as pointed at.
func (p *Page) rest() {
	p.t.Helper()
	p.do("take the pointer away", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 1, 1))
}

// Picture writes the whole page as it looks at a size and in a scheme, where pictures are
// wanted.
func (p *Page) Picture(name string, size Size, scheme Scheme) {
	p.t.Helper()
	folder := os.Getenv(PicturesVariable)
	if folder == "" {
		return
	}
	p.View(size, scheme)
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		r, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			CaptureBeyondViewport: new(true), FromSurface: new(true), OptimizeForSpeed: new(true),
		})
		return r.Data, err
	})
	if err != nil {
		p.t.Fatalf("take the picture of %s: %v", name, err)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		p.t.Fatal(err)
	}
	at := filepath.Join(folder, fmt.Sprintf("%s-%s-%s.png", name, size.Name, scheme))
	if err := os.WriteFile(at, picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// NeedAxe ends the test where axe is not to be had.
func (p *Page) NeedAxe() {
	p.t.Helper()
	if _, err := axeSource(); err != nil {
		Missing(p.t, err.Error())
	}
}

var axeSource = sync.OnceValues(func() (string, error) {
	at := os.Getenv(AxeVariable)
	if at == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find axe: %w", err)
		}
		at = filepath.Join(cache, axeFolder, "axe.min.js")
	}
	source, err := os.ReadFile(at)
	if err != nil {
		return "", fmt.Errorf("there is no axe, which \"make test\" fetches: %w", err)
	}
	return string(source), nil
})

// axe fails the test for every fault that a set of axe's rules finds. The page's own
// policy lets no script in, so it is put in by the browser's debugger.
func (p *Page) axe(name, what, rules string) {
	p.t.Helper()
	source, err := axeSource()
	if err != nil {
		p.t.Fatal(err)
	}
	if Ask[bool](p, `typeof axe === "undefined"`) {
		Ask[bool](p, source+"\n;true")
	}
	found := Ask[[]string](p, `axe.run(document, {runOnly: `+rules+`, resultTypes: ["violations"], preload: false}).then((r) =>
		r.violations.map((v) => v.id + ": " + v.help + "\n    " + v.nodes.map((n) => n.target.join(" ") + " " + n.failureSummary.replace(/\s+/g, " ")).join("\n    ")))`)
	for _, fault := range found {
		p.t.Errorf("%s, %s: %s", name, what, fault)
	}
}

// fitting is what is wrong with a page in a narrow window.
type fitting struct {
	// Wide are the elements that reach beyond the window's edge, if it scrolls sideways.
	Wide []string
	// Small are the targets that a finger misses.
	Small []string
}

//go:embed fits.js
var fits string

// fits fails the test if the page, in the window as it is, has to be scrolled sideways
// or has targets that are too small.
func (p *Page) fits(name string) {
	p.t.Helper()
	f := Ask[fitting](p, fits)
	if len(f.Wide) > 0 {
		p.t.Errorf("%s has to be scrolled sideways at 320 px because of: %s", name, strings.Join(f.Wide, "; "))
	}
	if len(f.Small) > 0 {
		p.t.Errorf("%s has targets under 44 px: %s", name, strings.Join(f.Small, "; "))
	}
}

// Shot writes what a person sees at the top of the page, small enough for a guide.
func (p *Page) Shot(at string) {
	p.t.Helper()
	p.rest()
	p.View(Size{Name: "guide", Width: 760, Height: 700}, Light)
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		r, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{FromSurface: new(true)})
		return r.Data, err
	})
	if err != nil {
		p.t.Fatalf("take the picture %s: %v", at, err)
	}
	if err := os.WriteFile(at, picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.View(Desktop, Light)
}
