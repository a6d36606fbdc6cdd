package message

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

func TestAnAdminOfSeveralSitesHasOneMailADayOfTheirNewsAndWhatPressesGoesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.join(t, w.pat, w.twin, policy.GroupAdmin)
		dead := Notice{User: w.pat.ID, Site: w.site.ID, Kind: AddressDead, Words: map[string]string{"who": "Kim Osei", "channel": "email"}}
		w.tell(t, dead)
		dead.Site = w.twin.ID
		w.tell(t, dead)
		if err := w.post.SendDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if n := w.sent(t, w.pat.ID); n != 0 {
			t.Fatalf("%d mails went at once", n)
		}
		w.tell(t, Notice{User: w.sam.ID, Site: w.site.ID, Kind: AddressDead, Words: map[string]string{"channel": "email"}})
		if err := w.post.SendDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if n := w.sent(t, w.sam.ID); n != 1 {
			t.Errorf("%d mails to an Admin of one site", n)
		}
		w.tell(t, Notice{User: w.pat.ID, Site: w.twin.ID, Kind: HelpAsked})
		if err := w.post.SendDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if n := w.sent(t, w.pat.ID); n != 1 {
			t.Errorf("%d mails when somebody asks for help", n)
		}
	})
}

// sent counts the mails that were promised to somebody.
func (w *world) sent(t *testing.T, who id.User) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM messages WHERE user_id = $1 AND kind = $2`, who, string(NoticeMail))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheMailOfTheDayGoesAtSevenAndOnceWhereTheClocksChange(t *testing.T) {
	t.Parallel()
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	for name, now := range map[string]time.Time{
		"the evening before": time.Date(2026, 10, 3, 20, 0, 0, 0, sydney), "the night when an hour is left out": time.Date(2026, 10, 4, 1, 59, 0, 0, sydney),
		"a minute before": time.Date(2026, 10, 4, 6, 59, 0, 0, sydney),
	} {
		if got, want := nextHour(now, sydney, 7), time.Date(2026, 10, 4, 7, 0, 0, 0, sydney); !got.Equal(want) {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
	if got := nextHour(time.Date(2026, 10, 4, 7, 0, 0, 0, sydney), sydney, 7); got.In(sydney).Day() != 5 {
		t.Errorf("at seven itself: %s", got)
	}
}

func TestAMailAboutSeveralSitesSaysOfEachWhichItIs(t *testing.T) {
	t.Parallel()
	m := Message{Words: Words{From: "Bayside Auto", Vendor: "Workshop Software"}}
	all := []told{
		{Site: "1", SiteName: "Bayside Auto", Kind: SMSLow, Words: map[string]string{"left": "3"}},
		{Site: "2", SiteName: "Northside Tyres", Kind: SMSLow, Words: map[string]string{"left": "4"}},
	}
	says := noticePage(m, all, nil, time.UTC)
	for i, name := range []string{"Bayside Auto", "Northside Tyres"} {
		if !strings.HasPrefix(says.Items[i].At, name) || !strings.Contains(says.Items[i].What, name) {
			t.Errorf("item %d: %q %q", i, says.Items[i].At, says.Items[i].What)
		}
	}
	if strings.Contains(says.Subject, "Bayside") {
		t.Errorf("the subject names one of them: %q", says.Subject)
	}
	one := noticePage(m, slices.Clone(all[:1]), nil, time.UTC)
	if strings.HasPrefix(one.Items[0].At, "Bayside") {
		t.Errorf("a mail about one site says which: %q", one.Items[0].At)
	}
}

func TestTheMailOfTheDayHoldsNothingOfASiteThatItsReaderHasLeft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.join(t, w.pat, w.twin, policy.GroupAdmin)
		for _, at := range []id.Site{w.site.ID, w.twin.ID} {
			w.tell(t, Notice{User: w.pat.ID, Site: at, Kind: AddressDead, Words: map[string]string{"who": "Kim Osei", "channel": "email"}})
		}
		if err := w.db.Do(t.Context(), func(tx *db.Tx) error {
			return tx.Change(t.Context(), `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`, w.twin.ID, w.pat.ID)
		}); err != nil {
			t.Fatal(err)
		}
		w.db.Clock.Advance(25 * time.Hour)
		if err := w.post.SendDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		sites, err := db.Many(t.Context(), w.db, func(r db.Row) (at string, err error) { return at, r.Scan(&at) },
			`SELECT site_id FROM notices WHERE user_id = $1`, w.pat.ID)
		if err != nil || w.sent(t, w.pat.ID) != 1 || !slices.Equal(sites, []string{string(w.site.ID)}) {
			t.Errorf("%d mails, notices of %v, %v", w.sent(t, w.pat.ID), sites, err)
		}
	})
}
