package e2etest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// ChromiumVariable names the environment variable with the browser's program.
const ChromiumVariable = "KEYTURN_TEST_CHROMIUM"

// findBrowser is the browser's program, or "" where there is none. Chromium's headless
// shell, the same engine without the windows around the pages, goes first: a page costs it
// a quarter. Debian's command of that name is a script that would not pass a signal on, so
// the program itself is looked for before it.
func findBrowser() string {
	for _, name := range []string{
		os.Getenv(ChromiumVariable), "/usr/lib/chromium/chromium-headless-shell", "chromium-headless-shell",
		"chromium", "chromium-browser", "google-chrome-stable", "google-chrome",
	} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// browser starts one browser for the whole run, with a new folder of its own, which
// reaches nothing but this machine.
var browser = sync.OnceValues(func() (context.Context, error) {
	folder, err := os.MkdirTemp("", "keyturn-browser-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the browser: %w", err)
	}
	atEnd(func() error { return os.RemoveAll(folder) })
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findBrowser()),
		chromedp.UserDataDir(folder),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-AU"),
		// Beside chromedp's own two: a whole Chromium renders the list below its address bar as
		// a page, in a process of its own for each window, which costs more than ours do.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	root, cancel := chromedp.NewContext(allocator)
	atEnd(func() error { cancel(); stop(); return nil })
	if err := chromedp.Do(root); err != nil {
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	return root, nil
})

// Page is one window of a browser that has never been anywhere, as a person sees it.
// Every method that acts or looks fails the test when it cannot.
type Page struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // a window's whole life is one context
	// base is the origin that paths belong to.
	base string

	authenticator webauthn.AuthenticatorID

	mu    sync.Mutex
	wrong []string
}

// NewPage opens an empty window in a fresh browser profile, for one test. What the pages
// do wrong on the way, such as breaking their own content security policy, fails it.
func NewPage(tb testing.TB, base string) *Page {
	tb.Helper()
	if findBrowser() == "" {
		Missing(tb, "there is no Chromium (Debian: apt-get install chromium-headless-shell)")
	}
	root, err := browser()
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	p := &Page{t: tb, ctx: ctx, base: base}
	tb.Cleanup(func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, what := range p.wrong {
			tb.Error("the browser complains: " + what)
		}
	})
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		tb.Fatalf("open a window: %v", err)
	}
	p.View(Desktop, Light)
	return p
}

// listen notes what a page does wrong. An answer that is no success, such as that to a
// wrong password, is no such thing.
func (p *Page) listen(event any) {
	var what string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError || e.Entry.Source == log.EntrySourceNetwork {
			return
		}
		what = e.Entry.Text
	case *runtime.EventExceptionThrown:
		what = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			what += " " + e.ExceptionDetails.Exception.Description
		}
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = append(p.wrong, what)
}

// WithoutScripts turns the pages' scripts off.
func (p *Page) WithoutScripts() *Page {
	p.t.Helper()
	p.do("turn scripts off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	return p
}

// HasPasskeys gives the window an authenticator of its own, as a phone or a laptop has one.
// It keeps what it makes, and waits for Touch.
func (p *Page) HasPasskeys() *Page {
	p.t.Helper()
	p.do("plug an authenticator in", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true,
			},
		})
		if err == nil {
			p.authenticator = made.AuthenticatorID
		}
		return err
	}))
	return p
}

// Touch does something while a finger lies on the authenticator, which knows whose it is.
// What is done waits for what comes of it.
func (p *Page) Touch(do func()) {
	p.t.Helper()
	lie := func(on bool) {
		p.do("touch the authenticator", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{
				AuthenticatorID: p.authenticator, Enabled: on,
			})
			return err
		}))
	}
	lie(true)
	do()
	lie(false)
}

// Size is a window's.
type Size struct {
	Name          string
	Width, Height int64
	Phone         bool
}

// The sizes that pages are looked at in. Narrow is the least that every page must fit.
var (
	Desktop = Size{Name: "desktop", Width: 1280, Height: 900}
	Phone   = Size{Name: "phone", Width: 390, Height: 844, Phone: true}
	Narrow  = Size{Name: "narrow", Width: 320, Height: 640, Phone: true}
)

// Scheme is light or dark.
type Scheme string

// The schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// View sets the window's size and colours.
func (p *Page) View(size Size, scheme Scheme) {
	p.t.Helper()
	p.do("set the window", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: size.Width, Height: size.Height, DeviceScaleFactor: 1, Mobile: size.Phone,
		})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: string(scheme)}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}))
}

// do runs steps that do not load a page.
func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// load runs steps that load a page, and gives its status.
func (p *Page) load(what string, steps ...chromedp.Action[chromedp.Void]) int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		p.t.Fatalf("%s: no page came: %v\nit still shows: %s", what, err, p.Text())
	}
	if response == nil {
		return 0
	}
	return int(response.Status)
}

// Ask evaluates an expression in the page.
func Ask[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	for {
		v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		if err != nil && strings.Contains(err.Error(), "navigated or closed") && ctx.Err() == nil {
			continue // it was on its way to the next page: that one is asked
		}
		if err != nil {
			p.t.Fatalf("ask the page %.120q: %v", expression, err)
		}
		return v
	}
}

// Quiet waits until the page stops loading, for what may load more than one page.
func (p *Page) Quiet() {
	p.t.Helper()
	still := time.NewTicker(150 * time.Millisecond)
	defer still.Stop()
	before := ""
	Until(p.t, "the page to come to rest", func() bool {
		<-still.C
		now := Ask[string](p, `location.href + " " + document.readyState + " " + performance.timeOrigin`)
		done := now == before && strings.Contains(now, " complete ")
		before = now
		return done
	})
}
