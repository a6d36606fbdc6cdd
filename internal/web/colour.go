package web

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// colour is an sRGB colour, each part from 0 to 1.
type colour [3]float64

var (
	white     = colour{1, 1, 1}
	cardDark  = mustHex(0x161b21) // --card of the dark set
	inkOnDark = mustHex(0x0a1a33) // --on-accent of the dark set
)

func mustHex(rgb uint32) colour {
	return colour{float64(rgb>>16&0xff) / 255, float64(rgb>>8&0xff) / 255, float64(rgb&0xff) / 255}
}

// parseColour reads "#16458c".
func parseColour(s string) (colour, error) {
	if len(s) != 7 || s[0] != '#' {
		return colour{}, errAccent
	}
	rgb, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return colour{}, errAccent
	}
	return mustHex(uint32(rgb)), nil
}

var errAccent = errors.New(`web: the vendor's accent is not a colour like "#16458c"`)

// String writes the colour as CSS does.
func (c colour) String() string {
	part := func(f float64) int { return int(math.Round(f * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// mix goes from c to other by a share from 0 to 1.
func (c colour) mix(other colour, share float64) colour {
	var m colour
	for i := range c {
		m[i] = c[i] + (other[i]-c[i])*share
	}
	return m
}

// luminance is relative luminance as WCAG 2.2 defines it.
func (c colour) luminance() float64 {
	linear := func(f float64) float64 {
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func (c colour) contrast(other colour) float64 {
	a, b := c.luminance(), other.luminance()
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}

// leastContrast is what WCAG 2.2 AA (1.4.3) wants between words and their ground.
const leastContrast = 4.5

// accentRules makes the accent tokens of both sets from one colour. A colour that is
// too pale to be read on white, where links stand, is refused.
func accentRules(accent string) (string, error) {
	light, err := parseColour(accent)
	if err != nil {
		return "", err
	}
	wash := light.mix(white, 0.91)
	if r := light.contrast(wash); r < leastContrast {
		return "", fmt.Errorf("web: the vendor's accent %s is too pale: %.1f to 1 on its own wash, and %.1f is needed", accent, r, leastContrast)
	}
	dark := light
	darkWash := func() colour { return cardDark.mix(dark, 0.15) }
	for share := 0.0; share <= 1; share += 0.02 {
		dark = light.mix(white, share)
		if dark.contrast(cardDark) >= 8 && dark.contrast(darkWash()) >= leastContrast {
			break
		}
	}
	const set = ":root{--accent:%s;--accent-over:%s;--on-accent:%s;--accent-wash:%s}"
	return fmt.Sprintf(set, light, light.mix(colour{}, 0.25), white, wash) + "\n" +
		fmt.Sprintf("@media (prefers-color-scheme: dark){"+set+"}", dark, dark.mix(white, 0.3), inkOnDark, darkWash()) + "\n", nil
}
