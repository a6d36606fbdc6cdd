package web

import (
	"fmt"
	"net/http"
	"strings"

	"keyturn/internal/fault"
)

// longestTarget bounds an address that we send a browser to, in bytes.
const longestTarget = 2048

// Go sends the browser to a page of ours, with 303, so that what comes next is a GET.
// A target that is not Local is refused as fault.Invalid, without a redirect; a target
// that came from outside should be asked about first, to fall back to a page.
func Go(w http.ResponseWriter, _ *http.Request, target string) error {
	if !Local(target) {
		return fmt.Errorf("a redirect that is not to a local path: %w", fault.Invalid)
	}
	w.Header().Set("Location", target)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// Local says whether a target is a path of ours, in a form that no browser and no
// proxy can read as another site: it starts with one slash; its path has plain
// segments only (letters, digits, "-", ".", "_", "~"; no escapes, no empty and no dot
// segments); its query has printable ASCII without backslash, quotes, spaces or "#".
// That is narrower than RFC 3986 on purpose: our own paths need no more.
func Local(target string) bool {
	if len(target) > longestTarget {
		return false
	}
	path, query, _ := strings.Cut(target, "?")
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	if rest != "" {
		segments := strings.Split(rest, "/")
		if last := len(segments) - 1; last > 0 && segments[last] == "" {
			segments = segments[:last] // one slash at the end
		}
		for _, segment := range segments {
			if !plainSegment(segment) {
				return false
			}
		}
	}
	return plainQuery(query)
}

func plainSegment(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for _, c := range []byte(s) {
		if !plainLetter(c) && !strings.ContainsRune("-._~", rune(c)) {
			return false
		}
	}
	return true
}

func plainQuery(s string) bool {
	for _, c := range []byte(s) {
		if !plainLetter(c) && !strings.ContainsRune("-._~%+=&:@/?!$()*,", rune(c)) {
			return false
		}
	}
	return true
}

func plainLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
