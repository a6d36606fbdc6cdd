package method

import (
	"fmt"
	"html/template" //nolint:depguard // the picture is markup, and escaped here by being made of numbers alone
	"strings"

	"rsc.io/qr"
)

// quietZone is how many white modules surround the picture (ISO/IEC 18004 section 5.3.8).
const quietZone = 4

// QR is a text as a picture to scan: an SVG element of the class "qr", to stand in a page
// under a policy that forbids inline styles. The dark modules have the current colour and
// the ground is white; the colour is set to black on the element itself, so that a page
// that is light on dark shows a picture that can still be scanned. It is hidden from
// screen readers: the page says in words what it is, and gives the text itself.
func QR(text string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Size + 2*quietZone
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" color="#000" shape-rendering="crispEdges" aria-hidden="true" focusable="false">`, side, side)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><path fill="currentColor" d="`, side, side)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil //nolint:gosec // numbers alone were put in
}
