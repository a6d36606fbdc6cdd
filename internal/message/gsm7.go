package message

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// onePart is how many septets one SMS part holds (3GPP TS 23.038, 23.040).
const onePart = 160

// basic is the GSM 7-bit default alphabet, one septet each; extended are the characters
// of its extension table, two septets each (3GPP TS 23.038, 6.2.1). The escape is left
// out, and the form feed, which no text of ours has.
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ" +
		" !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "^{}\\[~]|€"
)

// Septets is how many septets a text takes in the GSM 7-bit alphabet; false if it has
// other characters.
func Septets(text string) (int, bool) {
	n := 0
	for _, r := range text {
		cost := septetsOf(r)
		if cost == 0 {
			return 0, false
		}
		n += cost
	}
	return n, true
}

func septetsOf(r rune) int {
	switch {
	case r == unicode.ReplacementChar:
		return 0
	case strings.ContainsRune(basic, r):
		return 1
	case strings.ContainsRune(extended, r):
		return 2
	default:
		return 0
	}
}

// likeness are characters that have a plain one in their place. What is not here and has
// no base letter (a Chinese name) is left out.
var likeness = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "′", "'", "`", "'", "´", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
	"‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "−", "-", "…", "...", "•", "-", "·", ".", "×", "x",
	"ß", "ß", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ð", "d", "Ð", "D", "þ", "th", "Þ", "Th", "œ", "oe", "Œ", "OE",
	"ı", "i", "ħ", "h", "Ħ", "H", "ŧ", "t", "Ŧ", "T", "ŋ", "n", "Ŋ", "N", "ĸ", "k", "™", "TM", "©", "(c)", "®", "(R)", "№", "No",
)

// toGSM writes a text in the GSM 7-bit alphabet: accents that it does not have are taken
// off, and characters without a likeness are left out. Line breaks become spaces.
func toGSM(text string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(likeness.Replace(text)) {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case septetsOf(r) > 0:
			b.WriteRune(r)
		default:
			for _, base := range norm.NFKD.String(string(r)) {
				if base > ' ' && septetsOf(base) > 0 {
					b.WriteRune(base)
				}
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Fit writes a name in the GSM 7-bit alphabet and in at most so many septets. Of a longer
// one it keeps the beginning.
func Fit(name string, most int) string {
	name = toGSM(name)
	n := 0
	for at, r := range name {
		if n += septetsOf(r); n > most {
			return strings.TrimRight(name[:at], " ")
		}
	}
	return name
}
