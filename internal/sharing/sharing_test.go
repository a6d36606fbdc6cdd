package sharing_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

func TestWhatIsSeenAtOneSiteIsThatSitesAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.sat(t, w.bo, w.site, dev("north", "north", pc), 6)
		w.sat(t, w.bo, w.site, dev("south", "south", pc), 6)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return audit.Record(ctx, tx, audit.Event{
				Kind: audit.UserImported, Actor: audit.Actor{Kind: audit.ActorCommand, ID: "test"}, Site: w.twin.ID, User: w.bo.ID,
				Personal: map[string]string{"name": "Dale Porter"},
			})
		})
		all := w.logins(t, w.site)
		if len(all) != 2 || all[0].User != w.bo.ID || all[1].User != w.front.ID {
			t.Fatalf("listed: %+v", all)
		}
		want := []sharing.Evidence{{Kind: sharing.SideBySide, Days: 6, Count: 2, Weight: 2}}
		if !slices.Equal(all[0].Evidence, want) {
			t.Errorf("Bo: %+v", all[0].Evidence)
		}
		twins := w.logins(t, w.twin)
		if len(twins) != 1 || twins[0].User != w.twinFront.ID {
			t.Errorf("at the twin: %+v", twins)
		}
		if n, err := sharing.Open(t.Context(), w.db, w.db.Clock.Now(), w.site); n != 2 || err != nil {
			t.Errorf("%d are open, %v", n, err)
		}
		if _, err := w.desk.Of(t.Context(), w.site, w.twinFront.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("a login of the twin: %v", err)
		}
		w.db.Clock.Advance(40 * 24 * time.Hour)
		if all := w.logins(t, w.site); len(all) != 1 {
			t.Errorf("40 days later: %+v", all)
		}
	})
}

func TestCodesTypedElsewhereAddUpByTheDayAtTheirSiteAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for range 5 {
			w.db.Clock.Advance(24 * time.Hour)
			for range 3 {
				w.do(t, func(ctx context.Context, tx *db.Tx) error { return sharing.Noticed(ctx, tx, w.site.ID, w.bo.ID) })
			}
		}
		all := w.logins(t, w.site)
		if len(all) != 2 || !slices.Equal(all[0].Evidence, []sharing.Evidence{{Kind: sharing.Crossed, Days: 5, Weight: 2}}) {
			t.Errorf("%+v", all)
		}
		for _, l := range w.logins(t, w.twin) {
			if l.User == w.bo.ID {
				t.Errorf("at the other site, where nothing crossed: %+v", l)
			}
		}
		w.db.Clock.Advance(31 * 24 * time.Hour)
		w.sweep(t)
		if left := texts(t, w.db, `SELECT user_id FROM sharing_crossings`); len(left) != 0 {
			t.Errorf("%d are kept", len(left))
		}
	})
}

func TestOnePersonIsAWordThatHoldsForHalfAYear(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		pat := w.in(t, w.pat, w.site)
		for _, c := range []struct {
			sentence string
			by       authority.Bearer
			who      id.User
			reason   string
			want     sharing.Refused
			err      error
		}{
			{"a login of the twin", pat, w.twinFront.ID, "", "", fault.NotFound},
			{"by the twin's Admin", w.in(t, w.twinPat, w.twin), w.front.ID, "", "", fault.NotFound},
			{"by somebody who is no Admin", w.in(t, w.front, w.site), w.front.ID, "", "", fault.NotFound},
			{"a reason without an end", pat, w.front.ID, strings.Repeat("x", 501), sharing.TooLong, nil},
			{"a good one", pat, w.front.ID, " It is Priya. ", "", nil},
			{"once more", pat, w.front.ID, "", sharing.Over, nil},
		} {
			refused, err := w.desk.OnePerson(t.Context(), c.by, c.who, c.reason)
			if refused != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s: %q, %v", c.sentence, refused, err)
			}
		}
		l, err := w.desk.Of(t.Context(), w.site, w.front.ID)
		if err != nil || l.Open() || l.Dismissed.Reason != "It is Priya." || l.Dismissed.By != w.pat.ID {
			t.Errorf("%+v, %v", l, err)
		}
		if w.count(t, w.site.ID, audit.SharingDismissed) != 1 || w.count(t, w.twin.ID, audit.SharingDismissed) != 0 {
			t.Error("the trail does not have it once")
		}
		if !has(w.told(t, w.max), message.SharingDismissed) || len(w.told(t, w.pat))+len(w.told(t, w.twinPat)) != 0 {
			t.Errorf("Max was told %q, Pat %q", w.told(t, w.max), w.told(t, w.pat))
		}
		w.db.Clock.Advance(181 * 24 * time.Hour)
		if l, err = w.desk.Of(t.Context(), w.site, w.front.ID); err != nil || !l.Open() {
			t.Errorf("after half a year: %+v, %v", l, err)
		}
	})
}

func TestAPlanTakesAFreshProofAndPeopleThatCanBeAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		pat := w.in(t, w.pat, w.site)
		with := func(change func(p *sharing.Plan)) sharing.Plan {
			plan := w.soon(14)
			change(&plan)
			return plan
		}
		person := func(change func(p *sharing.NewPerson)) sharing.Plan {
			return with(func(p *sharing.Plan) { change(&p.People[1]) })
		}
		for _, c := range []struct {
			sentence string
			plan     sharing.Plan
			want     sharing.Refused
			fault    sharing.Fault
		}{
			{"nobody", with(func(p *sharing.Plan) { p.People = nil }), sharing.Nobody, ""},
			{"nine people", with(func(p *sharing.Plan) { p.People = slices.Repeat(p.People[:1], 9) }), sharing.TooMany, ""},
			{"in six days", w.soon(6), sharing.WrongDay, ""},
			{"in 61 days", w.soon(61), sharing.WrongDay, ""},
			{"on no day", with(func(p *sharing.Plan) { p.Day = "soon" }), sharing.WrongDay, ""},
			{"without a last name", person(func(p *sharing.NewPerson) { p.Last = " " }), sharing.WrongPerson, sharing.NoName},
			{"with a name without an end", person(func(p *sharing.NewPerson) { p.First = strings.Repeat("x", 61) }), sharing.WrongPerson, sharing.LongName},
			{"without an address", person(func(p *sharing.NewPerson) { p.Email = "kim" }), sharing.WrongPerson, sharing.WrongEmail},
			{"with the shared address", person(func(p *sharing.NewPerson) { p.Email = "Reception@bayside.example" }), sharing.WrongPerson, sharing.OwnEmail},
			{"with the other's address", person(func(p *sharing.NewPerson) { p.Email = "ANA@bayside.example" }), sharing.WrongPerson, sharing.TwiceEmail},
			{"with a landline", person(func(p *sharing.NewPerson) { p.Mobile = "07 3010 0000" }), sharing.WrongPerson, sharing.WrongMobile},
			{"in no group", person(func(p *sharing.NewPerson) { p.Group = "King" }), sharing.WrongPerson, sharing.WrongGroup},
		} {
			out, err := w.desk.Divide(t.Context(), pat, w.site, w.front.ID, c.plan)
			if err != nil || out.Refused != c.want || c.fault != "" && (len(out.Faults) != 2 || out.Faults[1] != c.fault) {
				t.Errorf("%s: %+v, %v", c.sentence, out, err)
			}
		}
		if _, err := w.desk.Divide(t.Context(), pat, w.twin, w.twinFront.ID, w.soon(14)); !errors.Is(err, fault.NotFound) {
			t.Errorf("a login of the twin: %v", err)
		}
		w.db.Clock.Advance(6 * time.Minute)
		if out, err := w.desk.Divide(t.Context(), pat, w.site, w.front.ID, w.soon(14)); err != nil || out.Refused != sharing.NotFresh {
			t.Errorf("six minutes after the proof: %+v, %v", out, err)
		}
		if refused, err := w.desk.OnePerson(t.Context(), pat, w.front.ID, ""); err != nil || refused != sharing.NotFresh {
			t.Errorf("its dismissal: %q, %v", refused, err)
		}
		if rows := texts(t, w.db, `SELECT split_id FROM sharing_splits`); len(rows) != 0 || w.count(t, w.site.ID, audit.SplitPlanned) != 0 {
			t.Errorf("%d plans are stored", len(rows))
		}
	})
}

func TestALoginIsRetiredOnItsDayAfterEverybodyWasTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var asked []sharing.NewPerson
		w.desk.Ask = func(_ context.Context, _ *db.Tx, by authority.Bearer, p sharing.NewPerson) (string, error) {
			if by.User.ID == w.pat.ID {
				asked = append(asked, p)
			}
			return "request-" + p.First, nil
		}
		out, err := w.desk.Divide(t.Context(), w.in(t, w.pat, w.site), w.site, w.front.ID, w.soon(7))
		if err != nil || out.Refused != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		if len(asked) != 2 || asked[0].Email != "ana@bayside.example" || asked[0].Mobile != "+61491570156" ||
			asked[1].Instead != w.front.ID || asked[1].Site != w.site.ID {
			t.Errorf("asked for %+v", asked)
		}
		if got := texts(t, w.db, `SELECT request_id FROM sharing_people ORDER BY person_no`); !slices.Equal(got, []string{"request-Ana", "request-Kim"}) {
			t.Errorf("requests %q", got)
		}
		w.until(out.Split.RetireAt.Add(-73 * time.Hour))
		w.sweep(t)
		if has(w.told(t, w.front), message.SplitSoon) {
			t.Error("everybody is told of it more than three days before")
		}
		w.until(out.Split.RetireAt.Add(-72 * time.Hour))
		w.sweep(t)
		w.sweep(t)
		if got := w.told(t, w.front); !slices.Equal(got, []string{string(message.SplitPlanned), string(message.SplitSoon)}) || w.status(t, w.front, w.site) != "active" {
			t.Errorf("three days before it was told %q and is %s", got, w.status(t, w.front, w.site))
		}
		w.until(out.Split.RetireAt.Add(-time.Minute))
		w.sweep(t)
		if w.status(t, w.front, w.site) != "active" {
			t.Error("it was retired a minute before its time")
		}
		w.until(out.Split.RetireAt)
		together(4, func() { w.sweep(t) })
		if w.status(t, w.front, w.site) != "inactive" || w.status(t, w.twinFront, w.twin) != "active" {
			t.Errorf("on the day it is %s, the twin's %s", w.status(t, w.front, w.site), w.status(t, w.twinFront, w.twin))
		}
		for _, admin := range []struct {
			who  string
			told []string
			want []message.NoticeKind
		}{
			{"Max", w.told(t, w.max), []message.NoticeKind{message.SplitPlanned, message.SplitSoon, message.SplitDone}},
			{"Pat", w.told(t, w.pat), []message.NoticeKind{message.SplitSoon, message.SplitDone}},
			{"the twin's Pat", w.told(t, w.twinPat), nil},
		} {
			if !slices.EqualFunc(admin.told, admin.want, func(a string, b message.NoticeKind) bool { return a == string(b) }) {
				t.Errorf("%s was told %q", admin.who, admin.told)
			}
		}
		for _, kind := range []audit.Kind{audit.SplitPlanned, audit.SplitAnnounced, audit.MembershipRetired} {
			if n := w.count(t, w.site.ID, kind); n != 1 {
				t.Errorf("%s is %d times in the trail", kind, n)
			}
		}
		if _, err := w.desk.Of(t.Context(), w.site, w.front.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("it is still a login of the site: %v", err)
		}
	})
}

func together(n int, do func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(do)
	}
	all.Wait()
}

// Nothing ran for weeks: the day moves, so that everybody has three days after they were
// told.
func TestNobodyLosesALoginUnheard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		out, err := w.desk.Divide(t.Context(), w.in(t, w.pat, w.site), w.site, w.front.ID, w.soon(7))
		if err != nil || out.Refused != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		w.db.Clock.Advance(20 * 24 * time.Hour)
		w.sweep(t)
		w.db.Clock.Advance(2*24*time.Hour + 23*time.Hour)
		w.sweep(t)
		if w.status(t, w.front, w.site) != "active" {
			t.Error("it was retired within three days")
		}
		w.db.Clock.Advance(26 * time.Hour)
		w.sweep(t)
		if w.status(t, w.front, w.site) != "inactive" {
			t.Error("it was not retired")
		}
	})
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		out, err := w.desk.Divide(t.Context(), w.in(t, w.twinPat, w.twin), w.twin, w.twinPat.ID, w.soon(14))
		if err != nil || out.Refused != sharing.LastAdmin {
			t.Errorf("the only Admin: %+v, %v", out, err)
		}
		for _, both := range [][2]user.User{{w.pat, w.max}, {w.max, w.pat}} {
			out, err := w.desk.Divide(t.Context(), w.in(t, both[0], w.site), w.site, both[1].ID, w.soon(7))
			if err != nil || out.Refused != "" {
				t.Fatalf("one of two: %+v, %v", out, err)
			}
		}
		w.db.Clock.Advance(5 * 24 * time.Hour)
		w.sweep(t)
		w.db.Clock.Advance(4 * 24 * time.Hour)
		together(4, func() { w.sweep(t) })
		pat, other := w.status(t, w.pat, w.site), w.status(t, w.max, w.site)
		if (pat == "active") == (other == "active") || w.count(t, w.site.ID, audit.SplitHeld) != 1 || w.count(t, w.site.ID, audit.MembershipRetired) != 1 {
			t.Fatalf("Pat is %s, Max %s", pat, other)
		}
		w.join(t, w.user(t, "new@bayside.example", "New", "Admin"), w.site, policy.GroupAdmin)
		w.sweep(t)
		if w.count(t, w.site.ID, audit.MembershipRetired) != 2 || w.count(t, w.site.ID, audit.SplitHeld) != 1 {
			t.Error("with another Admin there, the other one was not retired")
		}
	})
}

func TestAPlanIsMadeOnceAndCalledOffOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		pat, mx := w.in(t, w.pat, w.site), w.in(t, w.max, w.site)
		var mu sync.Mutex
		said := map[sharing.Refused]int{}
		var which id.Split
		turn := 0
		together(8, func() {
			mu.Lock()
			turn++
			by := pat
			if turn%2 == 0 {
				by = mx
			}
			mu.Unlock()
			out, err := w.desk.Divide(t.Context(), by, w.site, w.front.ID, w.soon(14))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			said[out.Refused]++
			if out.Refused == "" {
				which = out.Split.ID
			}
		})
		if said[""] != 1 || said[sharing.Over] != 7 || w.count(t, w.site.ID, audit.SplitPlanned) != 1 {
			t.Fatalf("eight plans at once: %v", said)
		}
		if refused, err := w.desk.OnePerson(t.Context(), pat, w.front.ID, ""); err != nil || refused != sharing.Over {
			t.Errorf("one person, while it is being split: %q, %v", refused, err)
		}
		if refused, err := w.desk.Cancel(t.Context(), pat, w.front.ID, id.New[id.Split]()); err != nil || refused != sharing.Over {
			t.Errorf("another plan: %q, %v", refused, err)
		}
		if _, err := w.desk.Cancel(t.Context(), w.in(t, w.twinPat, w.twin), w.front.ID, which); !errors.Is(err, fault.NotFound) {
			t.Errorf("by the twin's Admin: %v", err)
		}
		clear(said)
		together(6, func() {
			refused, err := w.desk.Cancel(t.Context(), mx, w.front.ID, which)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			said[refused]++
		})
		if said[""] != 1 || said[sharing.Over] != 5 || w.count(t, w.site.ID, audit.SplitCancelled) != 1 {
			t.Errorf("six cancellations at once: %v", said)
		}
		w.db.Clock.Advance(20 * 24 * time.Hour)
		w.sweep(t)
		if w.status(t, w.front, w.site) != "active" {
			t.Error("it was retired all the same")
		}
	})
}

func TestAPlanForALoginThatIsGoneEndsByItself(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		out, err := w.desk.Divide(t.Context(), w.in(t, w.pat, w.site), w.site, w.bo.ID, w.soon(7))
		if err != nil || out.Refused != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := site.Retire(ctx, tx, w.site.ID, w.bo.ID)
			return err
		})
		w.db.Clock.Advance(5 * 24 * time.Hour)
		w.sweep(t)
		if w.count(t, w.site.ID, audit.SplitNeedless) != 1 || has(w.told(t, w.bo), message.SplitSoon) || w.status(t, w.bo, w.twin) != "active" {
			t.Errorf("Bo was told %q and is %s at the other site", w.told(t, w.bo), w.status(t, w.bo, w.twin))
		}
	})
}

func TestErasingAPersonForgetsThemInPlansUnderAddressesThatWereTheirs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		name := func(no int, email string) func(ctx context.Context, tx *db.Tx) error {
			return func(ctx context.Context, tx *db.Tx) error {
				return tx.Change(ctx, `
					INSERT INTO sharing_people (site_id, split_id, person_no, first_name, last_name, email, mobile, member_group, request_id)
					VALUES ($1, 'split', $2, 'Ana', 'Silva', $3, '', 'Sales', '')`, w.site.ID, no, email)
			}
		}
		for no, email := range []string{"ana@bayside.example", "ola@bayside.example", string(w.pat.Login)} {
			w.do(t, name(no, email))
		}
		who := w.user(t, "ana@home.example", "Ana", "Silva")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			for _, old := range []address.Canonical{"ana@bayside.example", w.pat.Login} {
				if _, _, err := user.KeepOld(ctx, tx, user.User{ID: who.ID, Login: old}, who.Login); err != nil {
					return err
				}
			}
			for _, one := range []id.User{who.ID, w.pat.ID} {
				if err := tx.Change(ctx, `
					INSERT INTO sharing_dismissals (site_id, user_id, dismissed_by, dismissed_at, until_at, reason)
					VALUES ($1, $2, $3, 1, 2, 'It is Ana.')`, w.site.ID, one, w.max.ID); err != nil {
					return err
				}
			}
			return sharing.Forget(ctx, tx, who.ID)
		})
		if left := texts(t, w.db, `SELECT email FROM sharing_people ORDER BY person_no`); !slices.Equal(left, []string{"", "ola@bayside.example", string(w.pat.Login)}) {
			t.Errorf("left are %q", left)
		}
		if left := texts(t, w.db, `SELECT user_id FROM sharing_dismissals WHERE reason <> ''`); !slices.Equal(left, []string{string(w.pat.ID)}) {
			t.Errorf("reasons are left of %q", left)
		}
	})
}
