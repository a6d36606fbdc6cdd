package e2etest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Open types an address: a path of the page's origin. It gives the status.
func (p *Page) Open(path string) int {
	p.t.Helper()
	return p.OpenAt(p.base + path)
}

// OpenAt types an address of any origin. It gives the status.
func (p *Page) OpenAt(address string) int {
	p.t.Helper()
	return p.load("open "+address, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.Navigate, page.NavigateParams{URL: address})
		return err
	}))
}

// Hold shows HTML that no address has, such as a mail, in an empty page.
func (p *Page) Hold(html string) {
	p.t.Helper()
	p.do("show a document", chromedp.Navigate("about:blank"), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tree, err := cdp.Call(ctx, t, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, page.SetDocumentContent, page.SetDocumentContentParams{FrameID: tree.FrameTree.Frame.ID, HTML: html})
		return err
	}))
}

// Back presses the browser's Back button.
func (p *Page) Back() {
	p.t.Helper()
	p.do("go back", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		history, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		if history.CurrentIndex == 0 {
			return errors.New("there is no page to go back to")
		}
		_, err = cdp.Call(ctx, t, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{
			EntryID: history.Entries[history.CurrentIndex-1].ID,
		})
		return err
	}))
	p.Quiet()
}

// Fill types into the field with an id, over what is in it.
func (p *Page) Fill(id, words string) {
	p.t.Helper()
	if !Ask[bool](p, fmt.Sprintf(`(() => { const f = document.getElementById(%s); if (!f) return false; f.focus(); f.select(); return true })()`, quoted(id))) {
		p.t.Fatalf("there is no field %s on: %s", id, p.Text())
	}
	p.Type(words)
}

// Type presses the keys of words, wherever the focus is.
func (p *Page) Type(words string) {
	p.t.Helper()
	p.do("type", chromedp.KeyEvent(words))
}

// Tab presses the Tab key.
func (p *Page) Tab() { p.t.Helper(); p.do("press Tab", chromedp.KeyEvent(kb.Tab)) }

// Enter presses the Enter key, which must load a page, and gives its status.
func (p *Page) Enter() int {
	p.t.Helper()
	return p.load("press Enter", chromedp.KeyEvent(kb.Enter))
}

// find is a script that finds what a person would press by the words on it.
const find = `((words, within) => {
	const norm = (s) => s.replace(/\s+/g, " ").trim();
	const all = [...document.querySelectorAll("button, a[href], summary")].filter((e) => e.checkVisibility());
	const near = (e) => !within || norm(e.closest("tr, li, form, section, article, fieldset, .card")?.textContent ?? "").includes(within);
	const hit = all.filter(near).find((e) => norm(e.textContent) === words) ?? all.filter(near).find((e) => norm(e.textContent).includes(words));
	if (!hit) return null;
	hit.scrollIntoView({block: "center", behavior: "instant"});
	const r = hit.getBoundingClientRect();
	return {x: r.left + r.width / 2, y: r.top + r.height / 2};
})`

type spot struct{ X, Y float64 }

// spot finds what has the words on it, where the words of within stand beside it.
func (p *Page) spot(words, within string) spot {
	p.t.Helper()
	at := Ask[*spot](p, fmt.Sprintf("%s(%s, %s)", find, quoted(words), quoted(within)))
	if at == nil {
		p.t.Fatalf("nothing to press says %q %s on: %s", words, within, p.Text())
		return spot{}
	}
	return *at
}

// Press clicks the button or link with the words on it, which must load a page, and gives
// its status.
func (p *Page) Press(words string) int {
	p.t.Helper()
	return p.PressAt(words, "")
}

// PressAt is Press for one of several: the one in the row or form that has within in it.
func (p *Page) PressAt(words, within string) int {
	p.t.Helper()
	at := p.spot(words, within)
	return p.load("press "+words, chromedp.MouseClickXY(at.X, at.Y))
}

// PressNamed presses the button of a form by its name and value, which must load a page.
func (p *Page) PressNamed(name, value string) int {
	p.t.Helper()
	at := Ask[*spot](p, fmt.Sprintf(`((name, value) => {
		const hit = [...document.querySelectorAll("button")].find((e) => e.name === name && e.value === value && e.checkVisibility());
		if (!hit) return null;
		hit.scrollIntoView({block: "center", behavior: "instant"});
		const r = hit.getBoundingClientRect();
		return {x: r.left + r.width / 2, y: r.top + r.height / 2};
	})(%s, %s)`, quoted(name), quoted(value)))
	if at == nil {
		p.t.Fatalf("no button is %s=%s on: %s", name, value, p.Text())
		return 0
	}
	return p.load("press "+name+"="+value, chromedp.MouseClickXY(at.X, at.Y))
}

// Send sends a form that the page does not have, as somebody would who made one: its fields
// are given as name, value, name, value. It gives the status.
func (p *Page) Send(path string, fields ...string) int {
	p.t.Helper()
	script := fmt.Sprintf(`((path, fields) => {
		const form = document.body.appendChild(document.createElement("form"));
		form.method = "post"; form.action = path;
		for (let i = 0; i < fields.length; i += 2) {
			const field = form.appendChild(document.createElement("input"));
			field.name = fields[i]; field.value = fields[i+1];
		}
		form.submit();
	})(%s, %s)`, quoted(path), list(append([]string{}, fields...)))
	return p.load("send a form to "+path, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[any](script))
		return err
	}))
}

// PressTwice clicks twice, as fast as it goes, and waits for what comes of it.
func (p *Page) PressTwice(words string) {
	p.t.Helper()
	at := p.spot(words, "")
	p.do("press "+words+" twice", chromedp.MouseClickXY(at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y, chromedp.ClickCount(2)))
	p.Quiet()
}

// Click clicks what has the words on it, and loads nothing: a fold that opens.
func (p *Page) Click(words string) {
	p.t.Helper()
	at := p.spot(words, "")
	p.do("click "+words, chromedp.MouseClickXY(at.X, at.Y))
}

// LoseCookie makes the browser forget a cookie.
func (p *Page) LoseCookie(name string) {
	p.t.Helper()
	p.do("lose the cookie "+name, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: p.base})
		return err
	}))
}

// Path is where the page is, without the origin.
func (p *Page) Path() string {
	p.t.Helper()
	return Ask[string](p, `location.pathname + location.search`)
}

// Text is what the page says, in one line.
func (p *Page) Text() string {
	p.t.Helper()
	return strings.Join(strings.Fields(Ask[string](p, `document.body?.innerText ?? ""`)), " ")
}

// At fails the test unless the page is at a path.
func (p *Page) At(path string) {
	p.t.Helper()
	if got := p.Path(); got != path {
		p.t.Fatalf("the page is %s, not %s; it says: %s", got, path, p.Text())
	}
}

// Sees fails the test unless the page says each of the words.
func (p *Page) Sees(words ...string) {
	p.t.Helper()
	text := p.Text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.t.Errorf("the page %s does not say %q; it says: %s", p.Path(), w, text)
		}
	}
}

// Count is how many elements a selector finds.
func (p *Page) Count(selector string) int {
	p.t.Helper()
	return Ask[int](p, fmt.Sprintf(`document.querySelectorAll(%s).length`, quoted(selector)))
}

// Await waits until the page, which changes by itself, says the words.
func (p *Page) Await(words string) {
	p.t.Helper()
	if !within(func() bool { return strings.Contains(p.Text(), words) }) {
		p.t.Fatalf("the page %s does not come to say %q; it says: %s", p.Path(), words, p.Text())
	}
}

func quoted(s string) string { return inScript(s) }

func list(all []string) string { return inScript(all) }

func inScript[T string | []string](v T) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts always have a form in JSON
	}
	return string(b)
}
