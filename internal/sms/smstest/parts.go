package smstest

import "strings"

// The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1).
const (
	plain    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

// Parts counts the parts of a text as providers do: 160 septets in one, or 153 in each of
// several; 70 and 67 where a character is not in the GSM 7-bit alphabet, and it is UCS-2.
func Parts(body string) (parts int, gsm7 bool) {
	septets, units := 0, 0
	gsm7 = true
	for _, c := range body {
		units++
		if c > 0xffff {
			units++
		}
		switch {
		case strings.ContainsRune(plain, c):
			septets++
		case strings.ContainsRune(extended, c):
			septets += 2
		default:
			gsm7 = false
		}
	}
	if gsm7 {
		return count(septets, 160, 153), true
	}
	return count(units, 70, 67), false
}

func count(n, one, each int) int {
	if n <= one {
		return 1
	}
	return (n + each - 1) / each
}
