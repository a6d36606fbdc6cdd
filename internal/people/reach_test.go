package people_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/integration"
	"keyturn/internal/people"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

const unreachable = "user12@myworkshop.invalid"

// told is a report as a script reads it.
func told(tb testing.TB, report *people.Report) []map[string]string {
	tb.Helper()
	var out bytes.Buffer
	if _, err := report.WriteTo(&out); err != nil {
		tb.Fatal(err)
	}
	return columnsOf(tb, out.Bytes())
}

func change(tb testing.TB, d *db.DB, ref string, how func(*db.Tx, site.Site) error) {
	tb.Helper()
	at, err := site.ByRef(tb.Context(), d, ref)
	if err != nil {
		tb.Fatal(err)
	}
	if err := d.Do(tb.Context(), func(tx *db.Tx) error { return how(tx, at) }); err != nil {
		tb.Fatal(err)
	}
}

func TestWhoCanPassIsJudgedByWhatTheSiteDemandsOfThem(t *testing.T) {
	t.Parallel()
	d := lite(t)
	tests := []struct {
		name string
		give map[string]string
		want string
	}{
		{"a code reaches them", map[string]string{"xero_connected": "yes"}, "yes"},
		{"no code reaches them", map[string]string{"xero_connected": "yes", "email": unreachable}, "no"},
		{"a mobile number is no help without a provider of SMS", map[string]string{"xero_connected": "yes", "email": unreachable, "mobile": "0491 570 156"}, "no"},
		{"the site is not connected", map[string]string{"email": unreachable}, "yes"},
		{"they are not in the office", map[string]string{"xero_connected": "yes", "email": unreachable, "kind": "mobile"}, "yes"},
		{"they are inactive", map[string]string{"xero_connected": "yes", "email": unreachable, "status": "Inactive"}, "yes"},
		{"the row is refused", map[string]string{"xero_connected": "yes", "email": unreachable, "group": "Wizard"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := told(t, judged(t, d, file(test.give)))[0]["can_pass"]; got != test.want {
				t.Errorf("can_pass is %q; want %q", got, test.want)
			}
		})
	}
}

func TestASiteThatIsHereDemandsWhatItDoesAtTheDoor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		row := map[string]string{"xero_connected": "yes", "email": unreachable}
		newcomer := map[string]string{"xero_connected": "yes", "email": "user13@myworkshop.invalid", "user_ref": "U2"}
		imported(t, d, file(row))
		stuck := func(when string, want bool) {
			t.Helper()
			for _, r := range judged(t, d, file(row, newcomer)).Rows {
				if r.Stuck != want {
					t.Errorf("%s, line %d is stuck: %v; want %v", when, r.Line, r.Stuck, want)
				}
			}
		}
		stuck("connected", true)
		change(t, d, "S1", func(tx *db.Tx, at site.Site) error {
			_, err := integration.Disconnect(t.Context(), tx, at.ID, policy.Xero)
			return err
		})
		stuck("disconnected, and not lowered", true)
		change(t, d, "S1", func(tx *db.Tx, at site.Site) error {
			if _, err := integration.Connect(t.Context(), tx, integration.Integration{Site: at.ID, Kind: policy.Xero}); err != nil {
				return err
			}
			return plan.Set(t.Context(), tx, plan.Plan{
				Site: at.ID, BeganAt: tx.Now.Add(time.Hour), EnforceAt: tx.Now.Add(30 * 24 * time.Hour),
			})
		})
		stuck("before the site's date", false)
	})
}

func TestTheReportTellsOfThoseWhoAreHereAsTheyAre(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		const hash = "$2a$04$klZH/sCZlm3Vx83GdCuXNewupg.HTaCOut.wS4l1h5AHOqjaO46Pq"
		imported(t, d, file(
			map[string]string{"password_hash": hash},
			map[string]string{"user_ref": "U2", "email": unreachable, "status": "Inactive"},
		))
		report := imported(t, d, file(
			map[string]string{"status": "Inactive", "xero_connected": "yes"},
			map[string]string{"user_ref": "U2", "email": unreachable, "password_hash": hash, "xero_connected": "yes", "first_name": "=1+1"},
			map[string]string{"user_ref": "U3", "xero_connected": "yes"},
		))
		want := []map[string]string{
			{"reasons": "here_already xero_connects", "name": "Pat Nguyen", "status": "active", "xero": "connected", "can_pass": "yes"},
			{"reasons": "undeliverable no_password here_already", "name": "'=1+1 Nguyen", "status": "inactive", "xero": "connected", "can_pass": "yes"},
			{"reasons": "login_taken", "name": "", "status": "", "xero": "", "can_pass": ""},
		}
		for i, row := range told(t, report) {
			for column, text := range want[i] {
				if row[column] != text {
					t.Errorf("line %s: %s is %q; want %q", row["line"], column, row[column], text)
				}
			}
		}
	})
}

func TestTheSummaryCountsTheReasonsAndTheNewSites(t *testing.T) {
	t.Parallel()
	report := judged(t, lite(t), file(
		map[string]string{"xero_connected": "yes"},
		map[string]string{"site_ref": "S2", "site_name": "Harbour", "email": "kim@harbour.example", "xero_connected": "yes", "kind": "mobile"},
		map[string]string{"site_ref": "S3", "site_name": "Hills", "email": "lee@hills.example"},
		map[string]string{"site_ref": "S4", "site_name": "Vale", "email": "", "xero_connected": "yes"},
		map[string]string{"email": "jo@bayside.example", "user_ref": "U2", "site_name": "Other", "timezone": "Pacific/Auckland"},
	))
	want := []string{
		"5 rows: 3 accepted, 1 mended, 1 refused",
		"       4  no_password", "       1  no_admin", "       1  no_login", "       1  site_differs",
		"people who have no password yet, and cannot sign in until one is set: 4",
		"new sites that are connected to Xero, where 2FA is asked from the import on: 2",
		"sites without an active Admin: S2",
		"sites that are not made, because all of their rows are refused: S4",
	}
	if got := report.Summary(); !slices.Equal(got, want) {
		t.Errorf("the summary is\n%s\nand should be\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheSummaryNamesEverySiteThatBecomesConnected(t *testing.T) {
	t.Parallel()
	d := lite(t)
	imported(t, d, bytes.ReplaceAll(synthetic(30, 1), []byte(",yes,"), []byte(",no,")))
	report := judged(t, d, synthetic(30, 1))
	if text := strings.Join(report.Summary(), "\n"); len(report.Connects) != 30 || !strings.Contains(text, "S00029") {
		t.Errorf("%d sites become connected, and the summary says\n%s", len(report.Connects), text)
	}
}
