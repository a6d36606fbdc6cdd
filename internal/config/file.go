package config

import (
	"strings"
	"unicode/utf8"
)

// entry is one line of a configuration file that gives a value.
type entry struct {
	line        int
	name, value string
}

// flaw is one line that cannot be read.
type flaw struct {
	line int
	says string
}

// parseFile reads the lines of a configuration file. It does not know the names: a
// line that is no comment gives a name and a value, or it is a flaw.
func parseFile(text string) (entries []entry, wrong []flaw) {
	if !utf8.ValidString(text) {
		return nil, []flaw{{1, "is in a file that is not UTF-8; save it as UTF-8"}}
	}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch says := oddity(name, value, ok); says {
		case "":
			entries = append(entries, entry{number, name, value})
		default:
			wrong = append(wrong, flaw{number, says})
		}
	}
	return entries, wrong
}

// oddity says what is wrong with a line, or nothing.
func oddity(name, value string, ok bool) string {
	switch {
	case !ok:
		return "is no comment and has no =; write KEYTURN_NAME=value, or # at its beginning"
	case name == "":
		return "has no name before the =; write KEYTURN_NAME=value"
	case value != "" && strings.ContainsRune(`"'`, rune(value[0])):
		return "has a quotation mark before the value; write the value without them"
	case strings.Contains(value, " #"):
		return "has a # in its value; a comment stands on a line of its own"
	}
	return ""
}
