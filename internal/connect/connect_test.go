package connect_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/connect"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

func TestAnAdminConnectsTheirSiteAndItsOfficePassesTwoFactorsFromThenOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		before, _ := epoch.Now(t.Context(), w.db, epoch.Site(w.site.ID))
		if got := w.meets(t, w.max); got != policy.Allow {
			t.Fatalf("before: %s", got)
		}
		w.connect(t, by, "books", "o-bayside")
		i := w.is(t, w.site, policy.Connected)
		if i.By != "Pat Osei" || i.Organisation != "Bayside Auto Pty Ltd" || w.db.Clock.Now().Sub(i.Since) > time.Minute {
			t.Errorf("connected %+v", i)
		}
		if after, _ := epoch.Now(t.Context(), w.db, epoch.Site(w.site.ID)); after != before+1 {
			t.Errorf("the site's number went from %d to %d", before, after)
		}
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("after: %s", got)
		}
		if got := w.meets(t, w.twinPat); got != policy.Allow {
			t.Errorf("at the twin: %s", got)
		}
		if n, m := w.events(t, w.site, audit.XeroAsked), w.events(t, w.site, audit.XeroConnected); n != 1 || m != 1 {
			t.Errorf("%d and %d events", n, m)
		}
		if n, m := w.notices(t, w.site, message.XeroConnected), w.notices(t, w.twin, message.XeroConnected); n != 2 || m != 0 {
			t.Errorf("%d notices for two Admins, %d at the twin", n, m)
		}
		if _, refused, err := w.desk.Begin(t.Context(), by, false); refused != connect.Linked || err != nil {
			t.Errorf("connect once more: %q, %v", refused, err)
		}
		if s := w.now(t, w.twin); s.Connection != nil || s.Link != nil {
			t.Errorf("the twin has %+v", s)
		}
	})
}

func TestTonightIsFourInTheMorningAtTheSite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		if done, err := w.desk.Finish(t.Context(), by, w.went(t, by, true, "books", "o-bayside")); err != nil || done.Refused != "" {
			t.Fatalf("%+v, %v", done, err)
		}
		i := w.is(t, w.site, policy.Connected)
		if at := i.Since.In(w.site.Zone); at.Hour() != 4 || at.Minute() != 0 || !i.Since.After(w.db.Clock.Now()) {
			t.Errorf("since %v", at)
		}
		if got := w.meets(t, w.max); got == policy.Ask {
			t.Errorf("this evening: %s", got)
		}
		w.db.Clock.Advance(i.Since.Sub(w.db.Clock.Now()))
		if got := w.meets(t, w.max); got != policy.Ask {
			t.Errorf("at 4 am: %s", got)
		}
	})
}

func TestOneOfSeveralOrganisationsIsChosenAndNoneOfAnotherSite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "books", "o-bayview")
		by := w.in(t, w.pat, w.site, 0)
		done, err := w.desk.Finish(t.Context(), by, w.went(t, by, false, "books", "o-bayside", "o-bayview", "o-third"))
		if err != nil || done.Refused != "" || done.Choose == "" {
			t.Fatalf("%+v, %v", done, err)
		}
		if w.now(t, w.site).Live() {
			t.Error("connected before anything was chosen")
		}
		all, err := w.desk.Choices(t.Context(), by, done.Choose)
		if err != nil || len(all) != 3 || all[0].Taken || !all[1].Taken || all[2].Taken {
			t.Fatalf("to choose: %+v, %v", all, err)
		}
		for name, other := range map[string]authority.Bearer{
			"another Admin of the site": w.in(t, w.max, w.site, 0), "the same one elsewhere": w.in(t, w.pat, w.site, 0), "the twin": w.in(t, w.twinPat, w.twin, 0),
		} {
			if _, err := w.desk.Choices(t.Context(), other, done.Choose); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s sees them: %v", name, err)
			}
			if refused, err := w.desk.Choose(t.Context(), other, done.Choose, all[0].Connection); refused != connect.Over || err != nil {
				t.Errorf("%s chooses: %q, %v", name, refused, err)
			}
		}
		if refused, err := w.desk.Choose(t.Context(), by, done.Choose, all[1].Connection); refused != connect.Taken || err != nil {
			t.Errorf("that of the twin: %q, %v", refused, err)
		}
		if refused, err := w.desk.Choose(t.Context(), by, done.Choose, "invented"); refused != connect.None || err != nil {
			t.Errorf("an invented one: %q, %v", refused, err)
		}
		if refused, err := w.desk.Choose(t.Context(), by, done.Choose, all[0].Connection); refused != "" || err != nil {
			t.Fatalf("their own: %q, %v", refused, err)
		}
		if refused, err := w.desk.Choose(t.Context(), by, done.Choose, all[2].Connection); refused != connect.Over || err != nil {
			t.Errorf("another one after it: %q, %v", refused, err)
		}
		if got := w.is(t, w.site, policy.Connected); got.Organisation != "Bayside Auto Pty Ltd" {
			t.Errorf("connected to %s", got.Organisation)
		}
	})
}

func TestAnOrganisationOfAnotherSiteIsRefusedWithoutItsName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "other", "o-bayside")
		by := w.in(t, w.pat, w.site, 0)
		done, err := w.desk.Finish(t.Context(), by, w.went(t, by, false, "books", "o-bayside"))
		if err != nil || done.Refused != connect.Taken {
			t.Errorf("%+v, %v", done, err)
		}
		if w.now(t, w.site).Live() || w.events(t, w.site, audit.XeroRefused) != 1 {
			t.Error("it was connected, or the refusal is not recorded")
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND body LIKE '%Bayview%'`, w.site.ID); n != 0 {
			t.Error("the trail names the other site")
		}
	})
}

func TestTheWayBackIsForTheSessionThatBeganItOnceAndForTenMinutes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		b := w.went(t, by, false, "books", "o-bayside")
		if ok, err := w.desk.Waits(t.Context(), by, b); !ok || err != nil {
			t.Fatalf("waited for: %v, %v", ok, err)
		}
		for name, other := range map[string]authority.Bearer{
			"another Admin": w.in(t, w.max, w.site, 0), "the same one in another browser": w.in(t, w.pat, w.site, 0),
			"an Admin of the twin": w.in(t, w.twinPat, w.twin, 0),
		} {
			ok, err := w.desk.Waits(t.Context(), other, b)
			if ok || err != nil {
				t.Errorf("%s is waited for: %v, %v", name, ok, err)
			}
			if done, err := w.desk.Finish(t.Context(), other, b); done.Refused != connect.Over || err != nil {
				t.Errorf("%s: %+v, %v", name, done, err)
			}
		}
		for name, bad := range map[string]connect.Back{"no state": {Code: b.Code}, "another state": {Code: b.Code, State: strings.Repeat("a", 43)}, "nothing": {}} {
			if done, err := w.desk.Finish(t.Context(), by, bad); done.Refused != connect.Over || err != nil {
				t.Errorf("%s: %+v, %v", name, done, err)
			}
		}
		var wins sync.Map
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				done, err := w.desk.Finish(t.Context(), by, b)
				if err != nil {
					t.Error(err)
				}
				if done.Refused == "" {
					wins.Store(i, true)
				} else if done.Refused != connect.Over {
					t.Errorf("a later one: %+v", done)
				}
			})
		}
		all.Wait()
		n := 0
		wins.Range(func(_, _ any) bool { n++; return true })
		if n != 1 || w.events(t, w.site, audit.XeroConnected) != 1 {
			t.Errorf("%d of eight at once came through", n)
		}
		twin := w.in(t, w.twinPat, w.twin, 0)
		late := w.went(t, twin, false, "books", "o-bayview")
		w.db.Clock.Advance(10 * time.Minute)
		if done, err := w.desk.Finish(t.Context(), twin, late); done.Refused != connect.Over || err != nil {
			t.Errorf("after ten minutes: %+v, %v", done, err)
		}
	})
}

func TestOnlyAnAdminWithAFreshProofBeginsAndDisconnects(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		owner := w.member(t, w.site, "ola@bayside.example", "Ola", policy.GroupOwner)
		stranger := w.in(t, w.twinPat, w.twin, 0)
		stranger.Session.Site = w.site.ID
		for name, by := range map[string]authority.Bearer{"an Owner": w.in(t, owner, w.site, 0), "an Admin of the twin": stranger, "nobody": {User: user.User{ID: w.pat.ID}}} {
			if _, _, err := w.desk.Begin(t.Context(), by, false); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s begins: %v", name, err)
			}
			if _, _, err := w.desk.Disconnect(t.Context(), by); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s disconnects: %v", name, err)
			}
		}
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		old := w.in(t, w.pat, w.site, 6*time.Minute)
		if _, refused, err := w.desk.Begin(t.Context(), old, false); refused != connect.NotFresh || err != nil {
			t.Errorf("with a proof of six minutes: %q, %v", refused, err)
		}
		if refused, _, err := w.desk.Disconnect(t.Context(), old); refused != connect.NotFresh || err != nil {
			t.Errorf("disconnect with it: %q, %v", refused, err)
		}
		w.is(t, w.site, policy.Connected)
		none := w.node(t, w.db)
		none.Xero = nil
		if _, refused, err := none.Begin(t.Context(), old, false); refused != connect.NotSetUp || err != nil {
			t.Errorf("where Xero is not set up: %q, %v", refused, err)
		}
	})
}

func TestWhatXeroDoesNotTakeConnectsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		by := w.in(t, w.pat, w.site, 0)
		tries := map[connect.Refused]func() connect.Back{
			connect.Cancelled: func() connect.Back { return w.went(t, by, false, "books") },
			connect.NotAllowed: func() connect.Back {
				b := w.went(t, by, false, "books", "o-bayside")
				b.Code = "invented"
				return b
			},
			connect.Later: func() connect.Back {
				b := w.went(t, by, false, "books", "o-bayside")
				w.xero.Down(503)
				return b
			},
			connect.None: func() connect.Back {
				b := w.went(t, by, false, "books", "o-bayside")
				w.xero.End("")
				return b
			},
		}
		for want, try := range tries {
			if done, err := w.desk.Finish(t.Context(), by, try()); done.Refused != want || err != nil {
				t.Errorf("%+v, %v; want %s", done, err, want)
			}
			w.xero.Down(0)
		}
		if w.now(t, w.site).Live() || w.events(t, w.site, audit.XeroRefused) != len(tries) {
			t.Error("something was connected, or is not recorded")
		}
	})
}

func TestADisconnectEndsItAtXeroAndLowersNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "books", "o-bayview")
		by := w.in(t, w.max, w.site, 0)
		w.xero.Down(503)
		if refused, _, err := w.desk.Disconnect(t.Context(), by); refused != connect.Later || err != nil {
			t.Errorf("while Xero is down: %q, %v", refused, err)
		}
		w.is(t, w.site, policy.Connected)
		w.xero.Down(0)
		refused, atXero, err := w.desk.Disconnect(t.Context(), by)
		if refused != "" || !atXero || err != nil {
			t.Fatalf("%q, %v, %v", refused, atXero, err)
		}
		w.is(t, w.site, policy.Disconnected)
		if left := w.xero.Connected("books"); len(left) != 1 || left[0].ID != "o-bayview" {
			t.Errorf("at Xero there are %+v", left)
		}
		if got := w.meets(t, w.pat); got != policy.Ask {
			t.Errorf("a sign-in meets %s", got)
		}
		if n := w.notices(t, w.site, message.XeroDisconnected); n != 2 || w.events(t, w.site, audit.XeroDisconnected) != 1 {
			t.Errorf("%d notices", n)
		}
		w.is(t, w.twin, policy.Connected)
		if refused, _, err := w.desk.Disconnect(t.Context(), by); refused != connect.Nothing || err != nil {
			t.Errorf("again: %q, %v", refused, err)
		}
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.is(t, w.site, policy.Connected)
		if refused, _, err := w.desk.Disconnect(t.Context(), w.in(t, w.twinPat, w.twin, 0)); refused != "" || err != nil {
			t.Errorf("the twin: %q, %v", refused, err)
		}
		w.is(t, w.site, policy.Connected)
	})
}

func TestWithTheLastLinkOfAPersonTheirTokensAreForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.xero.Break("books")
		if refused, atXero, err := w.desk.Disconnect(t.Context(), w.in(t, w.pat, w.site, 0)); refused != "" || atXero || err != nil {
			t.Errorf("%q, %v, %v", refused, atXero, err)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM xero_grants`); n != 0 {
			t.Errorf("%d grants are kept", n)
		}
		w.is(t, w.site, policy.Disconnected)
	})
}

func TestTokensAreSealedAndBoundToTheirPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.connect(t, w.in(t, w.pat, w.site, 0), "books", "o-bayside")
		w.connect(t, w.in(t, w.twinPat, w.twin, 0), "other", "o-other")
		if n := w.count(t, `SELECT COUNT(*) FROM xero_grants WHERE CAST(refresh_sealed AS TEXT) LIKE '%refresh-%'`); n != 0 {
			t.Fatal("a refresh token stands in the clear")
		}
		if got, err := w.desk.Access(t.Context(), command, w.site.ID); err != nil || got.Refused != "" {
			t.Fatalf("%+v, %v", got.Refused, err)
		}
		w.swap(t)
		for _, s := range []string{string(w.site.ID), string(w.twin.ID)} {
			if got, err := w.desk.Access(t.Context(), command, w.site.ID); err == nil || got.Token.Reveal() != "" {
				t.Errorf("%s: the tokens of another person open", s)
			}
		}
	})
}
