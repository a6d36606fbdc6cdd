package readiness_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

func TestASiteIsReadPersonByPersonAndItsTwinIsLeftAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		now := w.db.Clock.Now()
		mail := method.Method{Kind: policy.Email}
		proved := method.Method{Kind: policy.Email, ProvedAt: now}
		dead := method.Method{Kind: policy.Email, Health: policy.HealthBounced}
		people := []struct {
			who  user.User
			with func(*site.Membership)
			mark policy.Mark
			do   readiness.Action
		}{
			{w.user(t, "pat@bayside.example", "Pat", proved), admin, policy.WillManage, readiness.DoSecondRoad},
			{w.user(t, "kim@bayside.example", "Kim", mail), nil, policy.WillManage, readiness.DoTry},
			{w.user(t, "sam@bayside.example", "Sam", dead), nil, policy.NeedsHelp, readiness.DoEmail},
			{w.user(t, "user1207", "Ali"), nil, policy.NeedsHelp, readiness.DoEmail},
			{w.user(t, "jo@bayside.example", "Jo", proved), nil, policy.Ready, readiness.DoNothing},
			{w.user(t, "bo@bayside.example", "Bo", mail), mobile, policy.Exempt, readiness.DoNothing},
		}
		for _, p := range people {
			w.join(t, w.site, p.who, p.with)
		}
		w.join(t, w.site, w.user(t, "left@bayside.example", "Lou", proved), func(m *site.Membership) { m.Status = policy.Inactive })
		w.join(t, w.twin, w.user(t, "pat@bayview.example", "Pat", dead), admin)

		one := w.read(t, w.site)
		for _, p := range people {
			if got := person(t, one, p.who); got.Mark != p.mark || got.Do != p.do {
				t.Errorf("%s is %s and to be mended by %q, not %s by %q", p.who.FirstName, got.Mark, got.Do, p.mark, p.do)
			}
		}
		if len(one.People) != len(people) || one.Counts != (readiness.Counts{Ready: 1, WillManage: 2, NeedsHelp: 2, Exempt: 1}) {
			t.Errorf("counted %d: %+v", len(one.People), one.Counts)
		}
		if one.Office() != 5 || one.NotReady() != 4 || one.Admins != 1 || !one.AdminProved || !one.LoneAdmin {
			t.Errorf("%+v with %d admins, proved %v, lone %v", one.Counts, one.Admins, one.AdminProved, one.LoneAdmin)
		}
		var names []string
		for _, p := range one.People {
			names = append(names, p.First)
		}
		if want := []string{"Ali", "Sam", "Kim", "Pat", "Jo", "Bo"}; !slices.Equal(names, want) {
			t.Errorf("the order is %v, not %v", names, want)
		}
		if twin := w.read(t, w.twin); twin.NeedsHelp != 1 || twin.AdminProved {
			t.Errorf("the twin: %+v, proved %v", twin.Counts, twin.AdminProved)
		}
	})
}

func TestWhoIsOfSeveralSitesIsMendedByTheAccountManager(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		lee := w.user(t, "lee@books.example", "Lee", method.Method{Kind: policy.Email, Health: policy.HealthBounced})
		w.join(t, w.site, w.user(t, "pat@bayside.example", "Pat"), admin)
		w.join(t, w.site, lee, nil)
		w.join(t, w.twin, lee, nil)
		got := person(t, w.read(t, w.site), lee)
		if got.Do != readiness.DoManager || !got.Elsewhere {
			t.Errorf("to be mended by %q, elsewhere %v", got.Do, got.Elsewhere)
		}
	})
}

func TestTotalsAreTheSitesOneByOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.join(t, w.site, w.user(t, "kim@bayside.example", "Kim", method.Method{Kind: policy.Email}), nil)
		w.join(t, w.twin, w.user(t, "kim@bayview.example", "Kim"), nil)
		var sum readiness.Counts
		now := w.db.Clock.Now()
		err := w.source.Totals(t.Context(), w.db, now, []id.Site{w.site.ID, w.twin.ID}, func(s readiness.Site) error {
			if s.Counts != w.read(t, s.Site).Counts {
				t.Errorf("%s in the totals is %+v", s.Site.Name, s.Counts)
			}
			sum = sum.Plus(s.Counts)
			return nil
		})
		if err != nil || sum != (readiness.Counts{WillManage: 1, NeedsHelp: 1}) {
			t.Errorf("the sum is %+v: %v", sum, err)
		}
		stop := errors.New("enough")
		if err := w.source.Totals(t.Context(), w.db, now, []id.Site{w.site.ID, "none"}, func(readiness.Site) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("what each returns did not end it: %v", err)
		}
		if _, err := w.source.OfSite(t.Context(), w.db, now, "none"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a site that is none: %v", err)
		}
	})
}

// Whatever the sign-in would read of a person alone, readiness reads of many at once.
func TestTheMarkIsWhatThePolicySaysOfTheSignInsOwnFacts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		now := w.db.Clock.Now()
		ways := [][]method.Method{
			nil,
			{{Kind: policy.Email}},
			{{Kind: policy.Email, ProvedAt: now}},
			{{Kind: policy.Email, Health: policy.HealthBounced}, {Kind: policy.SMS, Address: "+61491570156", LinkedAt: now}},
			{{Kind: policy.Email, Health: policy.HealthBounced}, {Kind: policy.TOTP, ProvedAt: now}},
		}
		for i, some := range ways {
			who := w.user(t, string(rune('a'+i))+"@bayside.example", "Kim", some...)
			w.join(t, w.site, who, nil)
			if i%2 == 0 {
				w.join(t, w.twin, who, nil)
			}
		}
		for _, p := range w.read(t, w.site).People {
			who, err := user.ByID(t.Context(), w.db, p.User)
			if err != nil {
				t.Fatal(err)
			}
			facts, err := w.source.Standing.Of(t.Context(), w.db, now, standing.Asker{
				User: who, Sites: []id.Site{w.site.ID}, Client: policy.Client{Kind: policy.ClientWeb},
			})
			if err != nil {
				t.Fatal(err)
			}
			if said := policy.Readiness(facts, now); said.Mark != p.Mark || !slices.Equal(said.Decision.NotOffered, p.Lacks) {
				t.Errorf("%s is %s, and by the sign-in's facts %s", p.Login, p.Mark, said.Mark)
			}
		}
	})
}

func TestWhatMendsItIsRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 7, 9, 0, 0, 0, time.UTC)
	office := policy.Membership{Site: "bayside", Kind: policy.Office, Group: policy.GroupMechanic, Status: policy.Active}
	mail := policy.Method{ID: "m", Kind: policy.Email, LinkedAt: now, ProvedAt: now}
	change := func(do func(*policy.Membership, *policy.User, *policy.Method)) policy.Facts {
		f := policy.Facts{Memberships: []policy.Membership{office}, User: policy.User{}}
		m := mail
		do(&f.Memberships[0], &f.User, &m)
		f.User.Methods = []policy.Method{m}
		return f
	}
	for _, row := range []struct {
		sentence string
		facts    policy.Facts
		want     readiness.Action
	}{
		{"too many wrong tries: time", change(func(_ *policy.Membership, _ *policy.User, m *policy.Method) { m.RestingUntil = now.Add(time.Hour) }), readiness.DoWait},
		{"all mail is down: time", change(func(_ *policy.Membership, _ *policy.User, m *policy.Method) { m.ChannelHealth = policy.HealthRefused }), readiness.DoWait},
		{"the site takes no email: a stronger way", change(func(p *policy.Membership, _ *policy.User, _ *policy.Method) { p.Weakest = policy.TOTP }), readiness.DoSetUp},
		{"a reset by email: a help code", change(func(_ *policy.Membership, u *policy.User, _ *policy.Method) { u.ResetMarkAt = now.Add(-time.Hour) }), readiness.DoHelpCode},
		{"a hundred wrong tries: a help code", change(func(_ *policy.Membership, _ *policy.User, m *policy.Method) { m.Spent = true }), readiness.DoHelpCode},
		{"the same of the only Admin: the account manager", change(func(p *policy.Membership, _ *policy.User, m *policy.Method) { p.LoneAdmin, m.Spent = true, true }), readiness.DoManager},
		{"a new address that waits for another way: a help code", change(func(_ *policy.Membership, _ *policy.User, m *policy.Method) { m.AwaitsProof = true }), readiness.DoHelpCode},
		{"ready: nothing", change(func(*policy.Membership, *policy.User, *policy.Method) {}), readiness.DoNothing},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			p := readiness.Of(user.User{ID: "u"}, row.facts, now)
			if p.Do != row.want {
				t.Errorf("it is %q, not %q, of %s: %+v", p.Do, row.want, p.Mark, p.Lacks)
			}
		})
	}
}
