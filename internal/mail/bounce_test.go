package mail

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"keyturn/internal/fault"
	"keyturn/internal/message"
)

func sample(tb testing.TB, name string) string {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "bounces", filepath.Base(name)+".eml"))
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

func TestTheNotificationsOfCommonServersAreRead(t *testing.T) {
	t.Parallel()
	key := func(n string) string { return "019adf00-000" + n + "-7000-8000-00000000abcd" }
	for name, want := range map[string]message.Bounce{
		"postfix": {
			Key: key("1"), To: "sam@bayside.example", Status: "5.1.1", Permanent: true,
			Said: "<sam@bayside.example>: no mailbox here by that name, ticket …",
		},
		"postfix-delayed": {
			Key: key("2"), To: "sam@bayside.example", Status: "4.4.1",
			Said: "connect to mx.bayside.example[192.0.2.25]:25: Connection timed out",
		},
		"exim": {
			Key: key("3"), To: "sam@bayside.example", Status: "5.2.2", Permanent: true,
			Said: "the mailbox holds all that it may",
		},
		"exchange": {
			Key: key("4"), To: "kim@bayside.example", Status: "5.1.10", Permanent: true,
			Said: "RESOLVER.ADR.RecipientNotFound; nobody of that name was found",
		},
		"international": {Key: key("5"), To: "zoë@bayside.example", Status: "5.2.1", Permanent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for form, text := range map[string]string{
				"lines of Unix": sample(t, name), "lines of mail": strings.ReplaceAll(sample(t, name), "\n", "\r\n"),
			} {
				got, err := ParseReport(strings.NewReader(text))
				if err != nil || !slices.Equal(got, []message.Bounce{want}) {
					t.Errorf("%s: got %+v, %v; want %+v", form, got, err, want)
				}
			}
		})
	}
}

// report is a small notification around a delivery status.
func report(status string) string {
	return "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n" + status +
		"\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <0192-abc@signin.example>\n\n--b--\n"
}

func TestEachRecipientIsReadByItself(t *testing.T) {
	t.Parallel()
	got, err := ParseReport(strings.NewReader(report(`Reporting-MTA: dns; a

Final-Recipient: rfc822; sam@bayside.example
Action: delivered
Status: 2.0.0

some words that are no field
Final-Recipient: rfc822; <kim@bayside.example>
Action: FAILED (for good)
Status: nonsense
Diagnostic-Code: smtp; 550-5.7.1 one
 550 5.7.1 two


Final-Recipient: rfc822; alex@bayside.example
Action: delayed

Final-Recipient: x400; c=au
Action: failed

Action: failed
`)))
	want := []message.Bounce{
		{Key: "0192-abc", To: "kim@bayside.example", Status: "5.7.1", Said: "one 550 5.7.1 two", Permanent: true},
		{Key: "0192-abc", To: "alex@bayside.example"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatIsNoNotificationOfOursIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	good := sample(t, "postfix")
	for name, text := range map[string]string{
		"nothing":               "",
		"no mail":               "hello there",
		"a reply of a person":   "From: sam@bayside.example\nContent-Type: text/plain\n\nthanks hunter2x",
		"no boundary":           "Content-Type: multipart/report\n\nx",
		"another multipart":     strings.Replace(good, "multipart/report", "multipart/mixed", 1),
		"no delivery status":    strings.Replace(good, "message/delivery-status", "text/plain", 1),
		"no letter":             strings.Replace(good, "Message-ID: <019adf00", "X-Other: <019adf00", 1),
		"a letter of another":   strings.Replace(good, "Message-ID: <019adf00", "Message-ID: <not ours hunter2x ", 1),
		"an end too soon":       good[:strings.Index(good, "Reporting-MTA")],
		"more than it may hold": good + strings.Repeat("x", MaxReport),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseReport(strings.NewReader(text))
			if !errors.Is(err, fault.Invalid) || len(got) > 0 {
				t.Errorf("got %+v, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2x") {
				t.Errorf("it is repeated: %v", err)
			}
		})
	}
}

func TestALetterThatCameBackCutOffIsStillNamed(t *testing.T) {
	t.Parallel()
	text := sample(t, "postfix")
	text = text[:strings.Index(text, "From: Bayside Auto")]
	got, err := ParseReport(strings.NewReader(text))
	if err != nil || len(got) != 1 || got[0].Key != "019adf00-0001-7000-8000-00000000abcd" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNoNotificationGivesMoreThanItsBounds(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]string{
		"one long line":    "Final-Recipient: rfc822; sam@bayside.example\nAction: failed\nDiagnostic-Code: smtp; " + strings.Repeat("5.1.1 ", 40_000),
		"many lines":       "Final-Recipient: rfc822; sam@bayside.example\nAction: failed\nDiagnostic-Code: smtp;" + strings.Repeat("\n x", 80_000),
		"many fields":      "Final-Recipient: rfc822; sam@bayside.example\nAction: failed\n" + strings.Repeat("a:b\n", 60_000),
		"many recipients":  strings.Repeat("\nFinal-Recipient: rfc822; sam@bayside.example\nAction: failed\n", 3_000),
		"many empty lines": strings.Repeat("\n", 250_000),
	} {
		got, err := ParseReport(strings.NewReader(report("Reporting-MTA: dns; a\n\n" + status + "\n")))
		if err != nil || len(got) > maxRecipients {
			t.Errorf("%s: %d bounces, %v", name, len(got), err)
		}
		for _, b := range got {
			sound(t, b)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	for _, name := range []string{"postfix", "postfix-delayed", "exim", "exchange", "international"} {
		f.Add([]byte(sample(f, name)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := ParseReport(bytes.NewReader(raw))
		if err != nil && (!errors.Is(err, fault.Invalid) || len(all) > 0) {
			t.Fatalf("%+v with %v", all, err)
		}
		if len(all) > maxRecipients {
			t.Errorf("%d recipients", len(all))
		}
		for _, b := range all {
			sound(t, b)
			if b.To == "" {
				t.Errorf("a bounce of nobody: %+v", b)
			}
		}
	})
}

// sound fails unless a bounce is fit to be stored and shown.
func sound(t *testing.T, b message.Bounce) {
	t.Helper()
	if !isKey(b.Key) {
		t.Errorf("the key is %q", b.Key)
	}
	if b.Status != "" && statusForm.FindString(b.Status) != b.Status {
		t.Errorf("the status is %q", b.Status)
	}
	if len(b.Said) > maxText || !utf8.ValidString(b.Said) || strings.ContainsFunc(b.Said, isControl) || digits.MatchString(b.Said) {
		t.Errorf("said %q", b.Said)
	}
	if _, err := parseAddress(b.To); b.To != "" && err != nil {
		t.Errorf("to %q", b.To)
	}
}
