package people_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/integration"
	"keyturn/internal/people"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func lite(tb testing.TB) *db.DB {
	tb.Helper()
	return dbtest.Open(tb, dbtest.Fresh(tb, db.SQLite))
}

func TestEachWartHasItsVerdictAndItsReason(t *testing.T) {
	t.Parallel()
	d := lite(t)
	type row = map[string]string
	tests := []struct {
		name string
		give []row
		want []string // of each row; of an ordinary one "accepted no_password"
	}{
		{"an ordinary row", []row{{}}, []string{"accepted no_password"}},
		{"letter case of the words says nothing", []row{{"group": "ADMIN", "kind": "Office", "status": "active"}}, []string{"accepted no_password"}},
		{"no site", []row{{"site_ref": ""}}, []string{"refused no_site_ref"}},
		{"a reference longer than any", []row{{"user_ref": strings.Repeat("U", 65)}}, []string{"refused bad_ref"}},
		{"a reference with an unseen character", []row{{"site_ref": "S\u200b1"}}, []string{"refused bad_ref"}},
		{"all reasons at once", []row{{"group": "", "kind": "", "status": ""}}, []string{"refused bad_group bad_kind bad_status"}},
		{"the time zone of the server", []row{{"timezone": "Local"}}, []string{"refused bad_time_zone"}},
		{"a time zone that leaves its folder", []row{{"timezone": "../etc/passwd"}}, []string{"refused bad_time_zone"}},
		{"a region in small letters", []row{{"region": "au"}}, []string{"accepted no_password"}},
		{"no row says the region", []row{{"region": ""}, {"user_ref": "U2", "email": "kim", "region": ""}}, []string{"refused site_incomplete", "refused site_incomplete"}},
		{
			"another row says the region",
			[]row{{"region": ""}, {"user_ref": "U2", "email": "kim@bayside.example"}},
			[]string{"accepted no_password", "accepted no_password"},
		},
		{
			"a refused row says the region",
			[]row{{"email": ""}, {"user_ref": "U2", "region": "", "timezone": ""}},
			[]string{"refused no_login", "accepted no_password"},
		},
		{"a name with a line break", []row{{"first_name": "Pat\nPat"}}, []string{"mended name_form no_password"}},
		{"a name that turns the direction of text", []row{{"first_name": "\u202ePat"}}, []string{"mended name_form no_password"}},
		{"a name longer than any", []row{{"first_name": strings.Repeat("é", 101)}}, []string{"mended name_form no_password"}},
		{"a list of addresses", []row{{"email": "a@b.example,c@d.example"}}, []string{"refused bad_login"}},
		{"an address under a reserved domain", []row{{"email": "pat@example.com"}}, []string{"accepted no_password undeliverable"}},
		{"two spellings of one name", []row{{}, {"user_ref": "U2", "email": "ＰＡＴ@bayside.example."}}, []string{"accepted no_password", "refused login_taken"}},
		{"the same row twice", []row{{}, {}}, []string{"accepted no_password", "refused ref_taken"}},
		{"the same user_ref in two sites", []row{{}, {"site_ref": "S2", "email": "kim@bayside.example"}}, []string{"accepted no_password", "accepted no_password"}},
		{
			"an inactive row before an active one",
			[]row{{"status": "Inactive"}, {"user_ref": "U2"}},
			[]string{"refused login_taken", "accepted no_password"},
		},
		{
			"a row refused for something else holds no name",
			[]row{{"group": "Wizard"}, {"user_ref": "U2"}},
			[]string{"refused bad_group", "accepted no_password"},
		},
		{
			"an Admin who is mobile only is none",
			[]row{{"kind": "mobile"}},
			[]string{"accepted no_admin no_password"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			report := judged(t, d, file(test.give...))
			for i, want := range test.want {
				if got := ended(report.Rows[i]); got != want {
					t.Errorf("line %d ended as %q; want %q: %v", report.Rows[i].Line, got, want, report.Rows[i].Notes)
				}
			}
		})
	}
}

func TestARefusedRowNamesTheOtherByLineAndReferences(t *testing.T) {
	t.Parallel()
	report := judged(t, lite(t), file(
		map[string]string{}, map[string]string{"site_ref": "S2", "user_ref": "U9"},
	))
	text := report.Rows[1].Notes[0].Text
	if !strings.Contains(text, "Line 2 (user U1 of site S1)") || strings.Contains(text, "bayside.example") {
		t.Errorf("the note is %q", text)
	}
}

func TestTheDatabaseGivesANameBeforeTheFileDoes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		imported(t, d, file(map[string]string{"user_ref": "U9", "status": "Inactive"}))
		report := judged(t, d, file(map[string]string{}, map[string]string{"user_ref": "U9", "status": "Inactive"}))
		got := []string{ended(report.Rows[0]), ended(report.Rows[1])}
		if want := []string{"refused login_taken", "accepted here_already no_admin no_password"}; !slices.Equal(got, want) {
			t.Errorf("got %q; want %q", got, want)
		}
		report = judged(t, d, file(map[string]string{"site_ref": "S2", "user_ref": "U1"}))
		if got := ended(report.Rows[0]); got != "refused login_taken" || !strings.Contains(report.Rows[0].Notes[0].Text, "user U9 of site S1") {
			t.Errorf("got %q, %v", got, report.Rows[0].Notes)
		}
	})
}

func TestAUserRefKeepsItsLoginName(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		imported(t, d, file(map[string]string{}))
		before := counts(t, d)["users"]
		report := imported(t, d, file(map[string]string{"email": "patricia@bayside.example"}))
		if got := ended(report.Rows[0]); got != "refused other_login" {
			t.Errorf("got %q", got)
		}
		if after := counts(t, d)["users"]; after != before {
			t.Errorf("there were %d users and are %d", before, after)
		}
	})
}

func TestTheNameOfSomebodyWithoutASiteIsTaken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		for _, u := range []user.User{{Login: "tom@vendor.example", Staff: true}, {Login: "lone@bayside.example"}} {
			if err := d.Do(t.Context(), func(tx *db.Tx) error { _, err := user.Add(t.Context(), tx, u); return err }); err != nil {
				t.Fatal(err)
			}
		}
		report := judged(t, d, file(
			map[string]string{"email": "tom@vendor.example"}, map[string]string{"user_ref": "U2", "email": "lone@bayside.example"},
		))
		for i, says := range []string{"staff", "in no site"} {
			if got := report.Rows[i]; ended(got) != "refused login_taken" || !strings.Contains(got.Notes[0].Text, says) {
				t.Errorf("line %d ended as %q, %v", got.Line, ended(got), got.Notes)
			}
		}
	})
}

func TestASiteThatIsHereIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		imported(t, d, file(map[string]string{"xero_connected": "yes", "xero_organisation": "Bayside Ltd"}))
		bayside, err := site.ByRef(t.Context(), d, "S1")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, err := integration.Disconnect(t.Context(), tx, bayside.ID, policy.Xero)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		report := imported(t, d, file(map[string]string{"xero_connected": "yes", "site_name": "Harbour"}))
		if got := ended(report.Rows[0]); got != "accepted here_already no_password site_here xero_left" {
			t.Errorf("got %q", got)
		}
		if now, err := site.ByRef(t.Context(), d, "S1"); err != nil || now.Name != "Bayside" {
			t.Errorf("the site is called %q, %v", now.Name, err)
		}
		connections, err := integration.Of(t.Context(), d, bayside.ID)
		if err != nil || connections[0].State != policy.Disconnected {
			t.Errorf("the connection is %+v, %v; want it left disconnected", connections, err)
		}
	})
}

func TestTheReportNamesWhoIsLeftAtTheDoorAndWhichSitesBecomeConnected(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		no := file(map[string]string{"email": "user12@myworkshop.invalid"})
		first := imported(t, d, no)
		if first.Rows[0].Stuck || len(first.Connects) != 0 {
			t.Errorf("at a site that asks for nothing: %+v, connects %q", first.Rows[0], first.Connects)
		}
		yes := file(map[string]string{"email": "user12@myworkshop.invalid", "xero_connected": "yes"})
		again := imported(t, d, yes)
		if !again.Rows[0].Stuck || !slices.Equal(again.Connects, []string{again.Rows[0].SiteRef}) || !strings.Contains(ended(again.Rows[0]), "xero_connects") {
			t.Errorf("at a site that becomes connected: %+v, connects %q", again.Rows[0], again.Connects)
		}
		summary := strings.Join(again.Summary(), "\n")
		for _, want := range []string{"cannot reach them (can_pass is no in the report), and do not get in until their email is put right: 1", "become connected to Xero", "undeliverable"} {
			if !strings.Contains(summary, want) {
				t.Errorf("the summary lacks %q:\n%s", want, summary)
			}
		}
		reachable := imported(t, d, file(map[string]string{"site_ref": "S9", "user_ref": "U9", "email": "kim@bayside.example", "xero_connected": "yes"}))
		if reachable.Rows[0].Stuck {
			t.Error("somebody whom a code reaches is said to be stuck")
		}
	})
}

func TestASiteThatWasNeverConnectedIsConnectedWhenTheFileSaysSo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		imported(t, d, file(map[string]string{}))
		again := file(map[string]string{"xero_connected": "yes", "xero_organisation": "Bayside Ltd"})
		imported(t, d, again)
		before := counts(t, d)
		if before["integrations"] != 1 {
			t.Errorf("there are %d connections; want 1", before["integrations"])
		}
		imported(t, d, again)
		if after := counts(t, d); after["audit_events"] != before["audit_events"] {
			t.Errorf("a third run wrote %d events", after["audit_events"]-before["audit_events"])
		}
	})
}

func TestTheTrailTellsWhoCameIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		imported(t, d, file(map[string]string{"xero_connected": "yes", "mobile": "0491 570 156"}))
		bayside, err := site.ByRef(t.Context(), d, "S1")
		if err != nil {
			t.Fatal(err)
		}
		entries, err := audit.List(t.Context(), d, audit.Filter{Site: bayside.ID}, 10)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []audit.Kind
		for _, e := range entries {
			kinds = append(kinds, e.Kind)
		}
		slices.Reverse(kinds)
		want := []audit.Kind{audit.SiteAdded, audit.XeroConnected, audit.UserImported, audit.MembershipImported}
		if !slices.Equal(kinds, want) {
			t.Errorf("the trail has %v; want %v", kinds, want)
		}
	})
}

func TestWhatIsNoProperFileIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	d := lite(t)
	good := string(file(map[string]string{}))
	second := "S1,U2,Bayside,AU,Australia/Brisbane,no,,Kim,Hughes,kim@bayside.example,,User,office,Active,"
	tests := []struct{ name, give, says string }{
		{"nothing", "", "empty"},
		{"a byte order mark and nothing", "\ufeff", "empty"},
		{"other columns", "a,b,c\n1,2,3\n", "lacks the columns site_name, region, timezone, xero_connected, site_ref"},
		{"a column twice", strings.Replace(good, "first_name", "email", 1), "two columns email"},
		{"semicolons", "site_ref;user_ref\n", "separated by commas"},
		{"a quote that is not closed", good + "\"" + second + "\n" + second, "line 3"},
		{"a quote inside a field", good + strings.Replace(second, "Kim", "K\"im", 1), "line 3"},
		{"a column too few", good + "S1,U2\n" + second, "line 3: the number of columns"},
		{"a NUL", good + strings.Replace(second, "Kim", "K\x00m", 1), "line 3: this is not UTF-8"},
		{"bytes of another code page", good + strings.Replace(second, "Kim", "K\xefm", 1), "line 3: this is not UTF-8"},
		{"UTF-16", "\xff\xfes\x00i\x00t\x00e\x00", "line 1: this is not UTF-8"},
		{"a field beyond measure", good + strings.Replace(second, "Kim", strings.Repeat("K", 5000), 1), "line 3: a field is longer"},
		{"a field of 10 MB", good + strings.Replace(second, "Kim", strings.Repeat("K", 10<<20), 1), "line 3: the row is longer"},
		{"a quoted field of 10 MB of lines", good + strings.Replace(second, "Kim", "\""+strings.Repeat("K\n", 5<<20), 1), "line 3: the row is longer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			report, err := importer(d).Judge(t.Context(), strings.NewReader(test.give))
			if report != nil {
				t.Errorf("%d rows were judged", len(report.Rows))
			}
			mustBe(t, err, fault.Invalid)
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "kim@") {
				t.Errorf("it says %q; want %q", err, test.says)
			}
		})
	}
}

func TestLineEndsAndByteOrderMarksSayNothing(t *testing.T) {
	t.Parallel()
	d := lite(t)
	raw := file(map[string]string{}, map[string]string{"user_ref": "U2", "email": "kim", "first_name": "Ki\nm"})
	report := judged(t, d, append([]byte("\ufeff"), bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))...))
	if len(report.Rows) != 2 || report.Rows[0].SiteRef != "S1" || report.Rows[1].Line != 3 {
		t.Errorf("the rows are %+v", report.Rows)
	}
}

// synthetic makes rows of ordinary people, so many to a site.
func synthetic(rows, toASite int) []byte {
	all := make([]map[string]string, rows)
	for i := range all {
		at := i / toASite
		all[i] = map[string]string{
			"site_ref": fmt.Sprintf("S%05d", at), "user_ref": fmt.Sprintf("U%06d", i), "xero_connected": "yes",
			"email": fmt.Sprintf("person%06d@site%05d.example", i, at), "mobile": fmt.Sprintf("0491 57%d %03d", at%10, i%1000),
			"password_hash": "$2a$04$klZH/sCZlm3Vx83GdCuXNewupg.HTaCOut.wS4l1h5AHOqjaO46Pq",
		}
	}
	return file(all...)
}

func BenchmarkJudge100000Rows(b *testing.B) {
	d, raw := lite(b), synthetic(100_000, 50)
	for b.Loop() {
		if report := judged(b, d, raw); len(report.Rows) != 100_000 {
			b.Fatal(len(report.Rows))
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func FuzzJudge(f *testing.F) {
	f.Add(sample(f))
	f.Add(file(map[string]string{}, map[string]string{"email": "x@@y"}))
	f.Add([]byte("site_ref,user_ref\n\"a"))
	d := lite(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		report, err := importer(d).Judge(t.Context(), bytes.NewReader(raw))
		if err != nil {
			mustBe(t, err, fault.Invalid)
			return
		}
		accepted, mended, refused := report.Sum()
		if accepted+mended+refused != len(report.Rows) {
			t.Errorf("%d + %d + %d are not %d", accepted, mended, refused, len(report.Rows))
		}
		for _, row := range report.Rows {
			if row.Verdict != people.Accepted && len(row.Notes) == 0 {
				t.Errorf("line %d is %s without a word", row.Line, row.Verdict)
			}
		}
	})
}
