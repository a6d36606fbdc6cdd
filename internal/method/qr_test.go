package method_test

import (
	"encoding/xml"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"rsc.io/qr"

	"keyturn/internal/method"
)

func TestThePictureHasTheModulesOfTheCodeAndNothingElse(t *testing.T) {
	t.Parallel()
	square := regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringN(1, 100, 400).Draw(r, "text")
		got, err := method.QR(text)
		if err != nil {
			r.Fatal(err)
		}
		want, err := qr.Encode(text, qr.M)
		if err != nil {
			r.Fatal(err)
		}
		var svg struct {
			Box  string `xml:"viewBox,attr"`
			Path struct {
				D string `xml:"d,attr"`
			} `xml:"path"`
		}
		if err := xml.Unmarshal([]byte(got), &svg); err != nil {
			r.Fatal(err)
		}
		side := strconv.Itoa(want.Size + 8)
		if svg.Box != "0 0 "+side+" "+side {
			r.Fatalf("the box is %q", svg.Box)
		}
		dark := map[[2]int]bool{}
		for _, m := range square.FindAllStringSubmatch(svg.Path.D, -1) {
			x, _ := strconv.Atoi(m[1])
			y, _ := strconv.Atoi(m[2])
			dark[[2]int{x - 4, y - 4}] = true
		}
		if square.ReplaceAllString(svg.Path.D, "") != "" {
			r.Fatal("there is more in the path than squares")
		}
		for y := -4; y < want.Size+4; y++ {
			for x := -4; x < want.Size+4; x++ {
				if dark[[2]int{x, y}] != want.Black(x, y) {
					r.Fatalf("module %d,%d differs", x, y)
				}
			}
		}
	})
}

func TestThePictureNeedsNoStyleNorScript(t *testing.T) {
	t.Parallel()
	got, err := method.QR(method.NewTOTPSecret().URL("Workshop Software", "pat@bayside.example"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"style", "script", "href", "http:", "on"} {
		if strings.Contains(strings.ReplaceAll(string(got), "http://www.w3.org/2000/svg", ""), " "+bad) {
			t.Errorf("it has %q", bad)
		}
	}
	if !strings.HasPrefix(string(got), `<svg class="qr"`) || !strings.Contains(string(got), `aria-hidden="true"`) {
		t.Error("it is no hidden picture of the class qr")
	}
	if _, err := method.QR(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that is too long is drawn")
	}
}
