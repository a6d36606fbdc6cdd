package console_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/console"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
)

const why = "Pat called about a lost phone"

func TestASiteOfSomebodyElseIsAsIfItWereNotThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		admin := authority.Bearer{User: w.pat}
		absent := id.New[id.Site]()
		for name, by := range map[string]authority.Bearer{"another account manager": w.toniOnDuty, "the site's own admin": admin} {
			for which, at := range map[string]id.Site{"foreign": w.site.ID, "absent": absent} {
				asks := map[string]func() error{
					"looks": func() error { _, err := w.desk.Site(t.Context(), by, at, ""); return err },
					"calls": func() error { _, err := w.desk.Call(t.Context(), by, at); return err },
					"notes": func() error {
						_, err := w.desk.Write(t.Context(), by, console.NoteOrder{Site: at, Words: "hello"})
						return err
					},
					"tops up": func() error {
						_, err := w.desk.TopUp(t.Context(), by, console.TopUpOrder{Site: at, Parts: 5, Reference: "X"})
						return err
					},
					"reminds": func() error { _, err := w.desk.Remind(t.Context(), by, []id.Site{at}); return err },
				}
				for what, ask := range asks {
					if err := ask(); !errors.Is(err, fault.NotFound) {
						t.Errorf("%s %s at a %s site: %v", name, what, which, err)
					}
				}
			}
		}
		list, err := w.desk.Sites(t.Context(), w.toniOnDuty, console.Query{})
		if err != nil || len(list.Rows) != 1 || list.Rows[0].Site.ID != w.twin.ID {
			t.Errorf("Toni's sites: %+v, %v", list, err)
		}
		if found, err := w.desk.Sites(t.Context(), w.toniOnDuty, console.Query{Text: "Bayside"}); err != nil || len(found.Rows) != 0 {
			t.Errorf("Toni browses: %+v, %v", found, err)
		}
		for _, kind := range []audit.Kind{audit.StaffViewed, audit.StaffNoted, audit.SMSToppedUp, audit.StaffReminded} {
			if n := w.count(t, w.site, kind); n != 0 {
				t.Errorf("%d events %s at the site", n, kind)
			}
		}
	})
}

func TestAReasonOpensASiteForEightHoursAndItsAdminsAreTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for name, row := range map[string]struct {
			ref, reason string
			want        console.Refused
		}{
			"a piece of a reference": {"bay", why, console.NoSite},
			"a name":                 {"Bayside Auto", why, console.NoSite},
			"a short reason":         {"bayside", "please   ", console.NoReason},
			"a short one, and none":  {"nowhere", "please   ", console.NoReason},
			"a long reason":          {"bayside", strings.Repeat("x", 301), console.NoReason},
		} {
			if _, refused, err := w.desk.Open(t.Context(), w.toniOnDuty, row.ref, row.reason); err != nil || refused != row.want {
				t.Errorf("%s: %q, %v", name, refused, err)
			}
		}
		if w.told(t, w.pat.ID, message.SiteOpened) != 0 {
			t.Error("Pat was told of nothing")
		}
		for range 2 { // pressing twice opens once
			at, refused, err := w.desk.Open(t.Context(), w.toniOnDuty, " bayside ", why)
			if err != nil || refused != "" || at != w.site.ID {
				t.Fatal(at, refused, err)
			}
		}
		if w.count(t, w.site, audit.StaffOpened) != 1 || w.told(t, w.pat.ID, message.SiteOpened) != 1 || w.told(t, w.twinPat.ID, message.SiteOpened) != 0 {
			t.Error("the trail, or the notices")
		}
		seen, err := w.desk.Site(t.Context(), w.toniOnDuty, w.site.ID, "")
		if err != nil || seen.Reason != why || seen.Until.Sub(w.db.Clock.Now()) > 8*time.Hour {
			t.Errorf("Toni sees %+v, %v", seen, err)
		}
		w.db.Clock.Advance(8 * time.Hour)
		if _, err := w.desk.Site(t.Context(), w.onDuty(t, w.toni), w.site.ID, ""); !errors.Is(err, fault.NotFound) {
			t.Errorf("after eight hours: %v", err)
		}
	})
}

func TestWhoTriesReferencesOneAfterTheOtherIsStopped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for range 20 {
			if _, refused, err := w.desk.Open(t.Context(), w.toniOnDuty, "guess", why); err != nil || refused != console.NoSite {
				t.Fatal(refused, err)
			}
		}
		if _, refused, err := w.desk.Open(t.Context(), w.toniOnDuty, "bayside", why); err != nil || refused != console.TooMany {
			t.Errorf("the 21st: %q, %v", refused, err)
		}
		if _, refused, err := w.desk.Open(t.Context(), w.samOnDuty, "bayview", why); err != nil || refused != "" {
			t.Errorf("a colleague: %q, %v", refused, err)
		}
	})
}

func TestASiteIsSeenMaskedAndEachViewIsInItsTrailOnceInAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.change(t, `UPDATE methods SET health = 'bounced' WHERE method_id = $1`, w.kimsMail.ID)
		for range 3 {
			seen, err := w.desk.Site(t.Context(), w.samOnDuty, w.site.ID, "")
			if err != nil || len(seen.Members) != 2 {
				t.Fatal(seen, err)
			}
			kim := seen.Members[0]
			if kim.Name != "Kim Lee" || kim.Email != "k••@bayside.example" || kim.Mark != policy.NeedsHelp ||
				!slices.Contains(kim.Lacks, policy.EmailBounced) || !slices.Contains(kim.Lacks, policy.NoMobile) {
				t.Errorf("Kim is %+v", kim)
			}
			if seen.NeedsHelp != 1 || seen.WillManage != 1 || seen.Ready != 0 || seen.Contacts[0].Email != "p••@bayside.example" {
				t.Errorf("the site is %+v", seen)
			}
		}
		if n := w.count(t, w.site, audit.StaffViewed); n != 1 {
			t.Errorf("%d views", n)
		}
		whole, err := w.desk.Call(t.Context(), w.samOnDuty, w.site.ID)
		if err != nil || len(whole) != 1 || whole[0].Email != "pat@bayside.example" {
			t.Errorf("whom to call: %+v, %v", whole, err)
		}
		w.db.Clock.Advance(15 * time.Minute)
		if _, err := w.desk.Sites(t.Context(), w.samOnDuty, console.Query{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.desk.Site(t.Context(), w.samOnDuty, w.site.ID, ""); err != nil {
			t.Fatal(err)
		}
		if mine, twins := w.count(t, w.site, audit.StaffViewed), w.count(t, w.twin, audit.StaffViewed); mine != 4 || twins != 0 {
			t.Errorf("%d views, and %d at the twin", mine, twins)
		}
	})
}

func TestStaffReadByNameWhoWouldHaveBeenStuckAtTheirOwnSites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			for who, d := range map[id.User]policy.Outcome{w.kim.ID: policy.Enrol, w.pat.ID: policy.Ask} {
				if err := plan.Seen(ctx, tx, plan.Place{Site: w.site.ID, User: who}, policy.Decision{Outcome: d}); err != nil {
					return err
				}
			}
			return plan.Seen(ctx, tx, plan.Place{Site: w.twin.ID, User: w.twinPat.ID}, policy.Decision{Outcome: policy.Enrol})
		})
		seen, err := w.desk.Site(t.Context(), w.samOnDuty, w.site.ID, "")
		if err != nil || seen.Rehearsal != (plan.Rehearsal{Site: w.site.ID, People: 2, Asked: 2, Stuck: 1}) || len(seen.Stopped) != 1 {
			t.Fatalf("the rehearsal is %+v with %+v: %v", seen.Rehearsal, seen.Stopped, err)
		}
		if one := seen.Stopped[0]; one.User != w.kim.ID || one.Name != "Kim Lee" || one.Email != "k••@bayside.example" || one.At.IsZero() {
			t.Errorf("who would have been stuck is %+v", one)
		}
		// Once a second step is asked, what was in shadow is over.
		w.change(t, `UPDATE sites SET twofa = 'everyone' WHERE site_id = $1`, w.site.ID)
		if seen, err = w.desk.Site(t.Context(), w.samOnDuty, w.site.ID, ""); err != nil || seen.Rehearsal.People != 0 || len(seen.Stopped) != 0 {
			t.Errorf("where it is asked the rehearsal is %+v with %+v: %v", seen.Rehearsal, seen.Stopped, err)
		}
	})
}

func TestTheSiteWithMostPeopleStuckIsCalledFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		if _, refused, err := w.desk.Open(t.Context(), w.samOnDuty, "bayview", why); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		order := func() (refs []string) {
			list, err := w.desk.Sites(t.Context(), w.samOnDuty, console.Query{})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range list.Rows {
				refs = append(refs, row.Site.Ref)
			}
			return refs
		}
		now := w.db.Clock.Now()
		for at, days := range map[id.Site]int{w.site.ID: 9, w.twin.ID: 3} {
			w.change(t, `INSERT INTO plans (site_id, began_at, enforce_at) VALUES ($1, 1, $2)`, at, now.Add(time.Duration(days)*24*time.Hour).UnixMicro())
		}
		if got := order(); !slices.Equal(got, []string{"bayview", "bayside"}) {
			t.Errorf("by the date: %q", got)
		}
		w.change(t, `UPDATE methods SET health = 'bounced' WHERE method_id = $1`, w.kimsMail.ID)
		if got := order(); !slices.Equal(got, []string{"bayside", "bayview"}) {
			t.Errorf("by who is stuck: %q", got)
		}
	})
}

func TestANoteIsForStaffAndItsTimeIsTheLastContact(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for _, words := range []string{" ", strings.Repeat("x", 501)} {
			if refused, err := w.desk.Write(t.Context(), w.samOnDuty, console.NoteOrder{Site: w.site.ID, Words: words}); err != nil || refused != console.WrongForm {
				t.Errorf("%d characters: %q, %v", len(words), refused, err)
			}
		}
		at := w.db.Clock.Now()
		if refused, err := w.desk.Write(t.Context(), w.samOnDuty, console.NoteOrder{Site: w.site.ID, Words: "Kim is away", Contact: true}); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		w.db.Clock.Advance(time.Hour)
		if refused, err := w.desk.Write(t.Context(), w.samOnDuty, console.NoteOrder{Site: w.site.ID, Words: "nobody answers"}); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		list, err := w.desk.Sites(t.Context(), w.samOnDuty, console.Query{})
		if err != nil || list.Rows[0].Note.Words != "nobody answers" || list.Rows[0].ContactAt.Before(at) || list.Rows[0].ContactAt.After(at.Add(time.Minute)) {
			t.Errorf("the list says %+v, %v", list, err)
		}
		events, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID, Kind: audit.StaffNoted}, 10)
		if err != nil || len(events) != 2 || strings.Contains(strings.Join(slices.Collect(maps.Values(events[0].Facts)), " "), "nobody") {
			t.Errorf("the trail says %+v, %v", events, err)
		}
	})
}

func TestNobodyIsRemindedTwiceAWeekHoweverManyPress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var all sync.WaitGroup
		did := make([]console.Reminded, 4)
		for i := range did {
			all.Go(func() {
				var err error
				if did[i], err = w.desk.Remind(t.Context(), w.samOnDuty, []id.Site{w.site.ID}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		people, admins := 0, 0
		for _, one := range did {
			people, admins = people+one.People, admins+one.Admins
		}
		if people != 2 || admins != 1 {
			t.Errorf("%d people and %d admins were told: %+v", people, admins, did)
		}
		if w.told(t, w.kim.ID, message.GetReady) != 1 || w.told(t, w.pat.ID, message.SiteNotReady) != 1 || w.told(t, w.twinPat.ID, message.SiteNotReady) != 0 {
			t.Error("the notices")
		}
		if n := w.count(t, w.site, audit.StaffReminded); n != 1 {
			t.Errorf("%d events", n)
		}
		w.db.Clock.Advance(7 * 24 * time.Hour)
		again, err := w.desk.Remind(t.Context(), w.onDuty(t, w.sam), []id.Site{w.site.ID})
		if err != nil || again.People != 2 || again.Admins != 1 {
			t.Errorf("a week later: %+v, %v", again, err)
		}
	})
}

func TestStaffTopUpOnceByAReferenceAndWithAFreshProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		order := console.TopUpOrder{Site: w.site.ID, Parts: 100, Reference: "INV-7"}
		top := func(by authority.Bearer, o console.TopUpOrder) console.Refused {
			t.Helper()
			refused, err := w.desk.TopUp(t.Context(), by, o)
			if err != nil {
				t.Fatal(err)
			}
			return refused
		}
		for _, o := range []console.TopUpOrder{{Site: w.site.ID, Parts: 0, Reference: "A"}, {Site: w.site.ID, Parts: 5}, {Site: w.site.ID, Parts: 100_001, Reference: "A"}} {
			if got := top(w.samOnDuty, o); got != console.WrongForm {
				t.Errorf("%+v: %q", o, got)
			}
		}
		if top(w.samOnDuty, order) != "" || top(w.samOnDuty, order) != console.Counted {
			t.Error("once, and then counted")
		}
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		order.Reference = "INV-8"
		if got := top(w.samOnDuty, order); got != console.NotFresh {
			t.Errorf("with an old proof: %q", got)
		}
		account, err := balance.Of(t.Context(), w.db, w.db.Clock.Now(), w.site.ID)
		if err != nil || account.Available != 150 {
			t.Errorf("the account: %+v, %v", account, err)
		}
	})
}

func TestDeliveryIsCountedByChannelAndCarrier(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		now := w.db.Clock.Now()
		put := func(which, carrier, state string, ago, typed time.Duration) {
			t.Helper()
			made := now.Add(-ago).UnixMicro()
			w.change(t, `INSERT INTO messages (user_id, message_id, kind, channel, address, words, state, carrier, created_at, expires_at)
				VALUES ($1, $2, 'signin_code', 'email', 'x', '{}', $3, $4, $5, $5)`, w.kim.ID, which, state, carrier, made)
			var used any
			if typed > 0 {
				used = made + typed.Microseconds()
			}
			w.change(t, `INSERT INTO codes (user_id, challenge_id, code_id, method_id, message_id, mac, made_at, expires_at, used_at)
				VALUES ($1, 'c', $2, 'm', $2, $3, $4, $4, $5)`, w.kim.ID, which, []byte("x"), made, used)
		}
		put("1", "relay-a", "accepted", 30*time.Minute, 20*time.Second)
		put("2", "relay-a", "delivered", 20*time.Minute, 2*time.Minute)
		put("3", "relay-a", "undelivered", 10*time.Minute, 0)
		put("4", "", "refused", 5*time.Minute, 0)
		put("5", "relay-b", "accepted", 5*time.Hour, 9*time.Minute)
		hour, err := w.desk.Delivery(t.Context(), w.toniOnDuty, console.Hour)
		want := []console.Carried{
			{Channel: message.Email, Failed: 1},
			{Channel: message.Email, Carrier: "relay-a", Sent: 3, Delivered: 1, Failed: 1, Codes: 3, Within1: 1, Within3: 2, Within10: 2},
		}
		if err != nil || !slices.Equal(hour, want) {
			t.Errorf("the last hour: %+v, %v", hour, err)
		}
		day, err := w.desk.Delivery(t.Context(), w.toniOnDuty, console.Day)
		if err != nil || len(day) != 3 || day[2].Within10 != 1 || day[2].Within3 != 0 {
			t.Errorf("the last day: %+v, %v", day, err)
		}
		if _, err := w.desk.Delivery(t.Context(), authority.Bearer{User: w.pat}, console.Day); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin: %v", err)
		}
	})
}

func TestAPersonIsFoundAtAGivenSiteAloneAndThatIsInItsTrail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		pat, twins, none := address.Canonical("pat@bayside.example"), address.Canonical("pat@bayview.example"), address.Canonical("nobody@nowhere.example")
		found, refused, err := w.desk.Find(t.Context(), w.samOnDuty, pat)
		if err != nil || refused != "" || found.User.Login != pat || len(found.Sites) != 1 || found.Sites[0].ID != w.site.ID {
			t.Fatalf("%+v, %q, %v", found, refused, err)
		}
		seen, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID, Kind: audit.StaffViewed}, 10)
		if err != nil || len(seen) != 1 || seen[0].User != found.User.ID || seen[0].Facts["page"] != string(console.FoundPage) {
			t.Errorf("Bayside's trail has %+v, %v", seen, err)
		}
		for who, login := range map[string]address.Canonical{"Toni, who has no site": pat, "Toni, of nobody": none} {
			if got, refused, err := w.desk.Find(t.Context(), w.toniOnDuty, login); err != nil || refused != console.NoPerson || got.User.ID != "" {
				t.Errorf("%s: %+v, %q, %v", who, got, refused, err)
			}
		}
		if _, refused, err := w.desk.Find(t.Context(), w.samOnDuty, twins); err != nil || refused != console.NoPerson {
			t.Errorf("the twin: %q, %v", refused, err)
		}
		if _, err := w.desk.Person(t.Context(), w.toniOnDuty, found.User.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("by the id: %v", err)
		}
		if err := w.desk.See(t.Context(), w.toniOnDuty, w.site.ID, found.User.ID, console.RecoveryPage); !errors.Is(err, fault.NotFound) {
			t.Errorf("a page of a site that is not given: %v", err)
		}
		for range 28 {
			if _, refused, err := w.desk.Find(t.Context(), w.toniOnDuty, none); err != nil || refused != console.NoPerson {
				t.Fatal(refused, err)
			}
		}
		if _, refused, err := w.desk.Find(t.Context(), w.toniOnDuty, pat); err != nil || refused != console.TooMany {
			t.Errorf("the 31st name: %q, %v", refused, err)
		}
	})
}

func TestErasingAPersonForgetsTheReasonsOfVisitsToTheirSiteThatAreOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		if _, refused, err := w.desk.Open(t.Context(), w.toniOnDuty, "bayside", why); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		left := func(erased id.User) int64 {
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return authority.Forget(ctx, tx, erased) })
			n, err := db.One(t.Context(), w.db, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) },
				`SELECT COUNT(*) FROM staff_sites WHERE site_id = $1 AND reason <> ''`, w.site.ID)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := left(w.twinPat.ID)
		if left(w.pat.ID) != before {
			t.Error("why Toni is let in now is forgotten")
		}
		w.db.Clock.Advance(8 * time.Hour)
		if left(w.twinPat.ID) != before {
			t.Error("the twin's erasure reached Bayside")
		}
		if left(w.pat.ID) != before-1 {
			t.Error("why Toni was let in is kept")
		}
	})
}
