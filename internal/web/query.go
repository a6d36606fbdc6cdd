package web

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// queryMost bounds one value of a query, in bytes: more than any search or cursor of ours.
const queryMost = 2000

// ReadQuery reads the query of an address: each name that comes once, with a value that is
// text. What is not is left out, as if it had not been sent: an address is followed from
// anywhere, and nobody typed it into a form that could be shown again.
func ReadQuery(r *http.Request) Fields {
	fields := Fields{}
	for name, sent := range r.URL.Query() {
		if len(sent) == 1 && IsText(name) && IsText(sent[0]) {
			fields[name] = sent[0]
		}
	}
	return fields
}

// IsText says that a value of a query, or a part of one, is text that can be searched for:
// valid UTF-8 without control characters, of 2,000 bytes at most.
func IsText(s string) bool {
	return len(s) <= queryMost && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
