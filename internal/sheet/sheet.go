// Package sheet keeps what people typed from running in their spreadsheets.
package sheet

import "strings"

// Cell is a text that no spreadsheet takes for a formula (OWASP, CSV injection): an
// apostrophe goes before whatever could begin one.
func Cell(text string) string {
	if first := strings.TrimLeft(text, " "); first != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(first)[0]) {
		return "'" + text
	}
	return text
}
