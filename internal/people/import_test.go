package people_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/people"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

func TestEveryRowOfTheSampleEndsAsItSays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		raw := sample(t)
		report, rows := imported(t, d, raw), columnsOf(t, raw)
		if len(report.Rows) != len(rows) {
			t.Fatalf("the report has %d rows; want %d", len(report.Rows), len(rows))
		}
		for i, row := range rows {
			want := strings.Fields(row["expected"])
			slices.Sort(want[1:])
			if got := ended(report.Rows[i]); got != strings.Join(want, " ") {
				t.Errorf("line %d of %s ended as %q; want %q", report.Rows[i].Line, row["site_ref"], got, row["expected"])
			}
		}
		accepted, mended, refused := report.Sum()
		if accepted+mended+refused != len(rows) {
			t.Errorf("%d + %d + %d do not add up to %d", accepted, mended, refused, len(rows))
		}
		if !slices.Equal(report.Unknown, []string{"expected"}) || !slices.Equal(report.NoAdmin, []string{"T300"}) ||
			!slices.Equal(report.NotMade, []string{"T400"}) {
			t.Errorf("unknown columns %v, sites without an Admin %v, not made %v", report.Unknown, report.NoAdmin, report.NotMade)
		}
	})
}

func TestTheSampleIsStoredAsItWasJudged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		imported(t, d, sample(t))
		bayside, err := site.ByRef(t.Context(), d, "T100")
		if err != nil {
			t.Fatal(err)
		}
		if bayside.Name != "Bayside Garage" || bayside.Region != "AU" || bayside.Zone.String() != "Australia/Brisbane" ||
			bayside.SMSAvailable != 40 || bayside.AccountManager != "tom.byrne@vendor.example" {
			t.Errorf("the site is %+v", bayside)
		}
		connections, err := integration.Of(t.Context(), d, bayside.ID)
		if err != nil || len(connections) != 1 || connections[0].State != policy.Connected || connections[0].By != "" ||
			connections[0].Organisation != "Bayside Garage Pty Ltd" || !connections[0].Since.IsZero() {
			t.Errorf("the connections are %+v, %v; want one, since longer than is known", connections, err)
		}
		ash := userOf(t, d, "ash@bayside.example")
		members, err := site.MembershipsOf(t.Context(), d, ash.ID)
		want := site.Membership{
			Site: bayside.ID, User: ash.ID, UserRef: "T1005", Group: policy.GroupManager, Kind: policy.Office,
			Status: policy.Active, SalesDashboard: true, CreatedAt: bayside.CreatedAt,
		}
		if err != nil || !slices.Equal(members, []site.Membership{want}) {
			t.Errorf("the memberships are %+v, %v", members, err)
		}
		methods, err := method.Of(t.Context(), d, ash.ID)
		if err != nil || len(methods) != 2 || methods[0].Address != "ash@bayside.example" || methods[1].Address != "+61491570157" ||
			!methods[0].ProvedAt.IsZero() || !methods[1].ProvedAt.IsZero() || methods[1].Kind != policy.SMS || methods[1].Pending {
			t.Errorf("the methods are %+v, %v; want email and SMS, linked and not proved", methods, err)
		}
		alex := userOf(t, d, "Alex")
		if methods, err := method.Of(t.Context(), d, alex.ID); err != nil || len(methods) != 0 {
			t.Errorf("somebody whom no mail can reach has the methods %+v, %v", methods, err)
		}
		_, err = site.ByRef(t.Context(), d, "T400")
		mustBe(t, err, fault.NotFound) // all of its rows were refused
		tally, err := audit.Verify(t.Context(), d, audit.Watch{Found: func(f audit.Finding) { t.Errorf("the trail: %s", f) }})
		if err != nil || tally.Events == 0 {
			t.Errorf("verifying the trail gave %+v, %v", tally, err)
		}
	})
}

func TestAPersonSignsInWithWhatTheyTypedBefore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		raw := sample(t)
		report, tried := imported(t, d, raw), 0
		for i, row := range columnsOf(t, raw) {
			if report.Rows[i].Verdict == people.Refused || row["password_hint"] == "" {
				continue
			}
			who := userOf(t, d, row["email"])
			if !who.Password.Matches(row["password_hint"]) || who.Password.Matches(row["password_hint"]+"x") {
				t.Errorf("line %d: the password does not open the door it opened before", report.Rows[i].Line)
			}
			tried++
		}
		if tried < 20 {
			t.Errorf("only %d people were tried", tried)
		}
	})
}

func TestASecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		first := imported(t, d, sample(t))
		before := counts(t, d)
		second := imported(t, d, sample(t))
		if after := counts(t, d); !maps.Equal(before, after) {
			t.Errorf("the tables had %v and have %v", before, after)
		}
		for i, row := range second.Rows {
			was := first.Rows[i]
			if row.Verdict != was.Verdict || row.Here != (was.Verdict != people.Refused) {
				t.Errorf("line %d ended as %s, then as %s", row.Line, ended(was), ended(row))
			}
		}
		accepted, mended, refused := first.Sum()
		if a, m, r := second.Sum(); a != accepted || m != mended || r != refused {
			t.Errorf("the second run gave %d, %d, %d; want %d, %d, %d", a, m, r, accepted, mended, refused)
		}
	})
}

func TestJudgingWritesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		before := counts(t, d)
		judged(t, d, sample(t))
		if after := counts(t, d); !maps.Equal(before, after) {
			t.Errorf("the tables had %v and have %v", before, after)
		}
	})
}

func TestAnImportThatWasStoppedIsFinishedByRunningItAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		im := importer(d)
		im.Progress = func(int, int) { stop() } // after the first site
		mustBe(t, im.Write(ctx, judged(t, d, sample(t))), context.Canceled)
		if n := counts(t, d)["sites"]; n != 1 {
			t.Fatalf("%d sites were made before it stopped; want 1", n)
		}
		imported(t, d, sample(t))

		whole := dbtest.Open(t, dbtest.Fresh(t, d.Engine()))
		imported(t, whole, sample(t))
		if got, want := state(t, d), state(t, whole); !slices.Equal(got, want) {
			t.Errorf("two halves made\n%s\nand one run\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestARowThatLostARaceIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		slow := judged(t, d, file(
			map[string]string{},
			map[string]string{"user_ref": "U2", "email": "kim@bayside.example"},
			map[string]string{"user_ref": "U3", "email": "lee@bayside.example"},
		))
		imported(t, d, file(
			map[string]string{"site_ref": "S2", "site_name": "Bayside"},
			map[string]string{"user_ref": "U2", "email": "kim@bayside.example"},
		))
		if err := importer(d).Write(t.Context(), slow); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range slow.Rows {
			got = append(got, ended(row))
		}
		want := []string{"refused login_taken", "accepted here_already no_password", "accepted no_password"}
		if !slices.Equal(got, want) {
			t.Errorf("the rows ended as %q; want %q", got, want)
		}
		if text := slow.Rows[0].Notes[0].Text; !strings.Contains(text, "user U1 of site S2") || strings.Contains(text, "@") {
			t.Errorf("the note names the other as %q", text)
		}
		if n := counts(t, d)["users"]; n != 3 {
			t.Errorf("there are %d users; want 3", n)
		}
	})
}

func TestTwoImportsAtOnceMakeEverybodyOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		reports := []*people.Report{judged(t, d, sample(t)), judged(t, d, sample(t))}
		done := make(chan error)
		for _, report := range reports {
			go func() { done <- importer(d).Write(t.Context(), report) }()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		accepted, mended, _ := reports[0].Sum()
		if n := counts(t, d)["users"]; n != int64(accepted+mended) {
			t.Errorf("there are %d users; want %d", n, accepted+mended)
		}
		if a, m, _ := reports[1].Sum(); a != accepted || m != mended {
			t.Errorf("one run gave %d and %d, the other %d and %d", accepted, mended, a, m)
		}
	})
}

func TestASiteOfManyPeopleIsWrittenWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		report := imported(t, d, synthetic(450, 450))
		if _, _, refused := report.Sum(); refused > 0 {
			t.Errorf("%d rows were refused", refused)
		}
		if n := counts(t, d); n["sites"] != 1 || n["memberships"] != 450 || n["integrations"] != 1 {
			t.Errorf("the tables have %v", n)
		}
	})
}

func TestTheReportIsSafeInASpreadsheetAndRepeatsNoAddress(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		raw := sample(t)
		report := imported(t, d, raw)
		var out bytes.Buffer
		n, err := report.WriteTo(&out)
		if err != nil || n != int64(out.Len()) {
			t.Fatalf("it wrote %d of %d bytes, %v", n, out.Len(), err)
		}
		for _, row := range columnsOf(t, raw) {
			for _, column := range []string{"email", "mobile", "password_hash", "password_hint"} {
				if given := strings.TrimSpace(row[column]); len(given) > 5 && strings.Contains(out.String(), given) {
					t.Errorf("the report repeats the %s of %s", column, row["user_ref"])
				}
			}
		}
		lines, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(lines) != len(report.Rows)+1 {
			t.Fatalf("the report has %d lines, %v; want %d", len(lines), err, len(report.Rows)+1)
		}
		for _, line := range lines {
			for _, cell := range line {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("a spreadsheet would calculate %q", cell)
				}
			}
		}
		if !slices.Contains(report.Summary(), "47 rows: 14 accepted, 16 mended, 17 refused") {
			t.Errorf("the summary is %q", report.Summary())
		}
	})
}

func TestTheSharedSampleAddsUp(t *testing.T) {
	t.Parallel()
	raw := legacy(t)
	rows := columnsOf(t, raw)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		began := time.Now()
		first := imported(t, d, raw)
		accepted, mended, refused := first.Sum()
		t.Logf("%d accepted, %d mended, %d refused in %v", accepted, mended, refused, time.Since(began).Round(time.Millisecond))
		if accepted+mended+refused != 732 || counts(t, d)["sites"]+int64(len(first.NotMade)) != 120 {
			t.Errorf("%d + %d + %d are not 732, or the sites not 120 with %v", accepted, mended, refused, first.NotMade)
		}
		before := counts(t, d)
		second := imported(t, d, raw)
		if after := counts(t, d); !maps.Equal(before, after) || second.Here() != accepted+mended {
			t.Errorf("the tables had %v and have %v; %d rows were here", before, after, second.Here())
		}
		tried := make(map[string]int)
		for i, row := range rows {
			if first.Rows[i].Verdict == people.Refused || row["status"] != "Active" || row["password_hash"] == "" {
				continue
			}
			who := userOf(t, d, row["email"])
			form := string(who.Password.Form())
			if tried[form] == 3 { // old hashes are slow
				continue
			}
			tried[form]++
			if !who.Password.Matches(row["password_hint"]) {
				t.Errorf("line %d: the password does not match", first.Rows[i].Line)
			}
		}
		if len(tried) < 4 {
			t.Errorf("the forms tried are %v; want four at least", tried)
		}
	})
}
