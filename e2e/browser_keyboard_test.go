package e2e_test

import (
	"testing"

	"keyturn/e2e/e2etest"
)

// focused says what has the focus, and whether it can be seen that it has.
type focused struct {
	// Nr is the place of the element among those that can be reached; -1 is none of them.
	Nr int
	// Name is for messages; Ring is how wide the outline is, in pixels.
	Name string
	Ring float64
}

// tabStops lists what the Tab key should reach, in the order of the page.
const tabStops = `(() => { const radio = (e) => { const all = [...e.form.querySelectorAll("input[type=radio]")].filter((r) => r.name === e.name); return all.find((r) => r.checked) ?? all[0] }; return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter((e) => e.checkVisibility() && !e.disabled && (e.type !== "radio" || e === radio(e))) })()`

const whatIsFocused = `(() => {
	const e = document.activeElement;
	const style = getComputedStyle(e);
	return {
		Nr: ` + tabStops + `.indexOf(e),
		Name: (e.innerText || e.name || e.tagName).replace(/\s+/g, " ").trim(),
		Ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
	};
})()`

// walk presses Tab through the page and fails the test for what is not reached, is
// reached out of order, or does not show that it has the focus.
func walk(v visitor) {
	v.t.Helper()
	count := e2etest.Ask[int](v.Page, tabStops+".length")
	// One round from wherever the focus is; between the last and the first the focus
	// may be outside of the page.
	reached, before := make(map[int]bool), -1
	for range count + 2 {
		v.Tab()
		f := e2etest.Ask[focused](v.Page, whatIsFocused)
		if f.Nr < 0 {
			before = -1
			continue
		}
		if before >= 0 && f.Nr != before+1 && f.Nr != 0 {
			v.t.Errorf("%s: Tab goes to %q out of order", v.Path(), f.Name)
		}
		if f.Ring < 2 {
			v.t.Errorf("%s: that %q has the focus cannot be seen", v.Path(), f.Name)
		}
		reached[f.Nr], before = true, f.Nr
	}
	if len(reached) != count {
		v.t.Errorf("%s: Tab reaches %d of %d things", v.Path(), len(reached), count)
	}
}

// tabTo presses Tab until something with a name has the focus.
func tabTo(v visitor, name string) {
	v.t.Helper()
	for range 60 { // a page and the menu around it
		if e2etest.Ask[focused](v.Page, whatIsFocused).Name == name {
			return
		}
		v.Tab()
	}
	v.t.Fatalf("%s: Tab does not reach %q", v.Path(), name)
}

// focusIn waits until the focus is in the field where the page puts it by itself.
func (v visitor) focusIn(id string) {
	v.t.Helper()
	e2etest.Until(v.t, "the focus to begin in the field "+id, func() bool {
		return e2etest.Ask[string](v.Page, "document.activeElement.id") == id
	})
}

func TestAPersonSignsInByKeyboardAlone(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))

	v.Open("/signin")
	walk(v)

	v.Open("/signin")
	v.focusIn("email")
	v.Type(sam)
	v.Tab()
	v.Type(v.demo.Password)
	v.Enter()
	v.At("/signin/code")
	code := v.demo.NextCode(t, sam, 0)
	walk(v)

	tabTo(v, "Use another way")
	v.Enter()
	v.At("/signin/method")
	walk(v)
	tabTo(v, "Back to the code")
	v.Enter()

	v.At("/signin/code")
	v.focusIn("code")
	v.Type(code)
	v.Enter()
	v.At("/me")
	walk(v)
	tabTo(v, "Sign out")
	v.Enter()
	v.At("/signedout")
}
