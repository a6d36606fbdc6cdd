package prepare_test

import (
	"errors"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/remind"
	"keyturn/internal/site"
)

func TestAnAdminRemindsTheirOwnPeopleOnceAWeek(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		pat := w.bearer(t, w.pat, w.site)
		did, err := w.desk.Remind(t.Context(), pat, nil)
		if err != nil || did != (prepare.Reminded{Told: 1}) {
			t.Fatalf("reminded %+v: %v", did, err)
		}
		all := w.told(t, w.kim)
		if len(all) != 1 || all[0].kind != message.GetReady || all[0].words["mark"] != string(policy.WillManage) {
			t.Errorf("Kim was told %+v", all)
		}
		if n := len(w.told(t, w.pat)) + len(w.told(t, w.twinKim)) + len(w.told(t, w.twinPat)); n != 0 {
			t.Errorf("%d others were told", n)
		}
		if did, err = w.desk.Remind(t.Context(), pat, []id.User{w.kim.ID, w.twinKim.ID}); err != nil || did != (prepare.Reminded{Waited: 1}) {
			t.Errorf("within the week reminded %+v: %v", did, err)
		}
		lately := func(at site.Site) map[id.User]time.Time {
			all, err := remind.Lately(t.Context(), w.db, w.db.Clock.Now(), at.ID)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if all := lately(w.site); len(all) != 1 || w.db.Clock.Now().Sub(all[w.kim.ID]) > time.Minute || len(lately(w.twin)) != 0 {
			t.Errorf("reminded lately: %v, and at the twin %v", all, lately(w.twin))
		}
		events, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID, Kind: audit.MembersReminded}, 10)
		if err != nil || len(events) != 1 || events[0].Facts["people"] != "1" {
			t.Errorf("the trail has %+v: %v", events, err)
		}
		w.db.Clock.Advance(7 * 24 * time.Hour)
		if all := lately(w.site); len(all) != 0 {
			t.Errorf("a week later: %v", all)
		}
	})
}

func TestWhomNoMailReachesIsNotReminded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.bounce(t, w.kimsMail)
		did, err := w.desk.Remind(t.Context(), w.bearer(t, w.pat, w.site), nil)
		if err != nil || did != (prepare.Reminded{Unreached: 1}) {
			t.Errorf("reminded %+v: %v", did, err)
		}
	})
}

func TestOnlyAnAdminReminds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for _, at := range []site.Site{w.site, w.twin} {
			if _, err := w.desk.Remind(t.Context(), w.bearer(t, w.kim, at), nil); !errors.Is(err, fault.NotFound) {
				t.Errorf("a mechanic at %s: %v", at.Name, err)
			}
		}
		if _, err := w.desk.Remind(t.Context(), w.bearer(t, w.pat, w.twin), nil); !errors.Is(err, fault.NotFound) {
			t.Errorf("an admin elsewhere: %v", err)
		}
	})
}
