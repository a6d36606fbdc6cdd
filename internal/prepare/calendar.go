package prepare

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Event is a site's date as a calendar takes it.
type Event struct {
	// ID names the site: a date that moves replaces the one before it. Host is whose name
	// stands behind it.
	ID, Host string
	// At is the moment, Zone the site's, in which Summary and Words are meant.
	At   time.Time
	Zone *time.Location
	// MadeAt is when the file is made.
	MadeAt time.Time
	// Summary is the title, Words what to do, URL where it is explained.
	Summary, Words, URL string
}

// length is how long the entry is: a line in a day that is long enough to be seen.
const length = 30 * time.Minute

// Calendar writes an event as an iCalendar file (RFC 5545), with a reminder a week and a
// day before. The time is given in UTC, which every calendar shows in its owner's zone:
// a zone by name would need its whole table in the file.
func Calendar(e Event) []byte {
	const form = "20060102T150405Z"
	var b strings.Builder
	for _, line := range [][2]string{
		{"BEGIN", "VCALENDAR"},
		{"VERSION", "2.0"},
		{"PRODID", "-//Keyturn//Readiness//EN"},
		{"METHOD", "PUBLISH"},
		{"BEGIN", "VEVENT"},
		{"UID", "two-factor-" + e.ID + "@" + e.Host},
		{"DTSTAMP", e.MadeAt.UTC().Format(form)},
		// A later file of a moved date has the higher number, so that it takes the place of the
		// earlier one.
		{"SEQUENCE", strconv.FormatInt(e.MadeAt.Unix()/int64(time.Hour/time.Second), 10)},
		{"DTSTART", e.At.UTC().Format(form)},
		{"DTEND", e.At.Add(length).UTC().Format(form)},
		{"SUMMARY", escape(e.Summary)},
		{"DESCRIPTION", escape(e.Words)},
		{"URL", e.URL},
		{"TRANSP", "TRANSPARENT"},
		{"BEGIN", "VALARM"},
		{"ACTION", "DISPLAY"},
		{"DESCRIPTION", escape(e.Summary)},
		{"TRIGGER", "-P7D"},
		{"END", "VALARM"},
		{"BEGIN", "VALARM"},
		{"ACTION", "DISPLAY"},
		{"DESCRIPTION", escape(e.Summary)},
		{"TRIGGER", "-P1D"},
		{"END", "VALARM"},
		{"END", "VEVENT"},
		{"END", "VCALENDAR"},
	} {
		b.WriteString(fold(line[0] + ":" + line[1]))
	}
	return []byte(b.String())
}

// escape writes a text value (RFC 5545, 3.3.11). What is no printable text is left out.
func escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(text)
}

// fold breaks a line into parts of 75 octets at most, never within a letter (RFC 5545, 3.1).
func fold(line string) string {
	const most = 75
	var b strings.Builder
	room := most
	for _, r := range line {
		n := utf8.RuneLen(r)
		if n > room {
			b.WriteString("\r\n ")
			room = most - 1
		}
		b.WriteRune(r)
		room -= n
	}
	b.WriteString("\r\n")
	return b.String()
}
