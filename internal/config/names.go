package config

import (
	"slices"
	"strings"
)

// known says whether a name is a setting's, or that of a secret's file.
func known(name string) bool {
	return slices.Contains(names(), name)
}

// names are all that may be given.
func names() []string {
	var list []string
	for _, s := range settings() {
		list = append(list, s.name)
		if s.secret {
			list = append(list, s.name+fileSuffix)
		}
	}
	return list
}

func exampleOf(name string) string {
	for _, s := range settings() {
		if s.name == name {
			return s.example
		}
	}
	return "/run/secrets/name"
}

// unknown says that a name is not a setting's, and which one may be meant. A name that
// does not look like one is not repeated: it may be half of a secret.
func (r *report) unknown(at place) {
	if strings.HasPrefix(at.name, testPrefix) {
		r.add(at, "is the test suite's own, and has its place in the environment only", "")
		return
	}
	meant := nearest(at.name)
	if !strings.HasPrefix(at.name, prefix) || !isName(at.name) {
		at.name = "an unknown name"
	}
	if meant != "" {
		r.add(at, "is not a setting; is "+meant+" meant?", "")
		return
	}
	r.add(at, "is not a setting; the names begin with "+prefix+", and `keyturn init` writes a file with all of them", "")
}

// isName says that a text could be a name: capitals, digits and _, and not too long.
func isName(s string) bool {
	return len(s) > 0 && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// nearest is the setting that a name is most like, or nothing if it is like none.
func nearest(name string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if len(name) > 64 {
		return ""
	}
	if !strings.HasPrefix(name, "KEYTURN") {
		name = prefix + name
	}
	best, least := "", 4
	for _, one := range names() {
		if d := distance(name, one); d < least {
			best, least = one, d
		}
	}
	return best
}

// distance is how many characters must be put in, left out or changed to make b of a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(corner+cost, row[j]+1, row[j+1]+1)
			corner, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
