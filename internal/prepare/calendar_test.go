package prepare_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"keyturn/internal/prepare"
)

func event(summary string) prepare.Event {
	brisbane := time.FixedZone("AEST", 10*60*60)
	return prepare.Event{
		ID: "bayside", Host: "login.example", At: time.Date(2026, 12, 8, 4, 0, 0, 0, brisbane), Zone: brisbane,
		MadeAt: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Summary: summary, Words: "Type it; then, well\nyou are in.", URL: "https://login.example/help/xero",
	}
}

func TestACalendarFileHasTheDateInUTCAndEscapesItsText(t *testing.T) {
	t.Parallel()
	text := string(prepare.Calendar(event("Bayside Auto: a code")))
	for _, line := range []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "UID:two-factor-bayside@login.example", "DTSTART:20261207T180000Z", "DTEND:20261207T183000Z",
		"DTSTAMP:20261129T000000Z", "SUMMARY:Bayside Auto: a code", `DESCRIPTION:Type it\; then\, well\nyou are in.`, "TRIGGER:-P7D", "END:VCALENDAR",
	} {
		if !strings.Contains(text, line+"\r\n") {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
}

func FuzzNoNameBreaksACalendarFile(f *testing.F) {
	f.Add("Bayside")
	f.Add("a\r\nEND:VCALENDAR\r\n")
	f.Add(strings.Repeat("ü", 90))
	f.Fuzz(func(t *testing.T, name string) {
		text := string(prepare.Calendar(event(name)))
		if strings.Count(text, "END:VCALENDAR\r\n") != 1 || strings.Count(text, "\nBEGIN:VEVENT") != 1 || !utf8.ValidString(text) {
			t.Errorf("%q broke it:\n%s", name, text)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("the line %q is %d octets", line, len(line))
			}
		}
	})
}
