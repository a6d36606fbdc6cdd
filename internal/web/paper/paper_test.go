package paper_test

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/internal/evidence"
	"keyturn/internal/policy"
	"keyturn/internal/web/paper"
	"keyturn/internal/web/webtest"
)

func page(t *testing.T, p evidence.Pack, sites ...evidence.Site) string {
	t.Helper()
	var out bytes.Buffer
	if err := paper.Page(&out, p, all(sites)); err != nil {
		t.Fatal(err)
	}
	if folder := os.Getenv(webtest.FolderVariable); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "evidence-"+t.Name()+".html"), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func all(sites []evidence.Site) iter.Seq2[evidence.Site, error] {
	return func(yield func(evidence.Site, error) bool) {
		for _, one := range sites {
			if !yield(one, nil) {
				return
			}
		}
	}
}

func sees(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func pack() evidence.Pack {
	at := time.Date(2026, time.November, 29, 1, 30, 0, 0, time.UTC)
	return evidence.Pack{
		Vendor: "Workshop", Version: "1.2.3", At: at, From: at.AddDate(-1, 0, 0), Until: at, Whole: true,
		Totals:     evidence.Totals{Listed: 1, OfficeMembers: 3, Methods: map[policy.MethodKind]int{policy.TOTP: 2}},
		Deviations: []evidence.Words{{Key: "email", Words: "Email is accepted."}},
		Controls: []evidence.Control{
			{Standard: "One", Number: "6.3.6", Title: "No email", Answer: evidence.Deviation, Words: "See above."},
			{Standard: "Two", Number: "Hosting", Title: "Where", Answer: evidence.VendorsOwn, Words: "Not ours."},
		},
		Checkpoint: "keyturn audit checkpoint 1\n",
	}
}

func site() evidence.Site {
	since := time.Date(2026, time.March, 12, 1, 0, 0, 0, time.UTC)
	return evidence.Site{
		Ref: "S1", Name: "Bayside <b>Auto</b>", Zone: "Australia/Sydney",
		Xero:        evidence.Connection{State: policy.Failing, Organisation: "Bayside Pty Ltd", Since: since, By: "Pat"},
		Requirement: evidence.Requirement{Enforced: true, Since: since},
		Settings:    evidence.Settings{Weakest: policy.Email, RememberNow: policy.RememberDaily},
		Members: []evidence.Member{
			{User: "u1", Login: "p••@bayside.example", Group: policy.GroupAdmin, Readiness: policy.Ready, Methods: []evidence.Method{{Kind: policy.TOTP, Proved: true}, {Kind: policy.SMS}}},
			{User: "u2", Login: "k••@bayside.example", Group: policy.GroupMechanic, Readiness: policy.NeedsHelp},
		},
		Exempt:     []evidence.Exempt{{User: "u3", Login: "l••@bayside.example", Why: evidence.MobileMember}},
		Exceptions: []evidence.Exception{{Why: evidence.HeldBack}, {Why: evidence.Extension, Until: since, Reason: "Their only Admin is in hospital", By: "staff"}},
		SignIns:    evidence.SignIns{All: 5, Passed: 4, Without: 1},
		Without: []evidence.SignIn{{
			At: since, Event: "e1", User: "u2", Record: map[string]string{"outcome": "allow", "reasons": "nothing_required", "acr": "urn:keyturn:1"},
		}},
		SharedLogins: 2, Trail: evidence.Trail{Events: 7, Since: since},
	}
}

func TestThePageSaysWhatThePackHolds(t *testing.T) {
	t.Parallel()
	p := pack()
	p.Totals.SignIns.Without = 1
	text := page(t, p, site())
	sees(t, text, "Workshop", "1.2.3", "29 November 2026, 1:30 am UTC", "Email is accepted.", "6.3.6", "Deviation", "The vendor&#39;s own to show",
		"12 March 2026, 12:00 pm AEDT", "by Pat", "The connection fails", "2FA is enforced since", "until 4 am",
		"p••@bayside.example", "Needs help", "an authenticator", "not proved", "Mobile member", "without a date", "with this reason: Their only Admin is in hospital", "2 logins", "7 events",
		"There must be none", "user u2, event e1", "reasons=nothing_required", "keyturn audit checkpoint 1", "keyturn evidence verify")
	if strings.Contains(text, "None, as it must be") || strings.Contains(text, "<b>Auto") {
		t.Error("the page praises what is wrong, or shows a name as it stands")
	}
}

func TestThePageOfAPackWithoutFaultOrSiteSaysSo(t *testing.T) {
	t.Parallel()
	p := pack()
	p.Totals.Listed, p.Whole = 0, false
	text := page(t, p)
	sees(t, text, "None, as it must be", "No site has or had a connection", "and not about all of them")
}

func TestThePageRunsAndLoadsNothing(t *testing.T) {
	t.Parallel()
	text := page(t, pack(), site())
	for _, not := range []string{"<script", "http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %q", not)
		}
	}
	sees(t, text, "default-src 'none'", "@media print")
}

func TestASiteThatCannotBeReadIsNoPage(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	err := paper.Page(&bytes.Buffer{}, pack(), func(yield func(evidence.Site, error) bool) { yield(evidence.Site{}, broken) })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
