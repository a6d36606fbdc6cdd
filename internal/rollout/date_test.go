package rollout

import (
	"math/rand/v2" //nolint:depguard // random cases for the properties, no secrets
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the properties are there on every machine

	"keyturn/internal/calendar"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// zones have every kind of clock in which a site may live, and some in which none does.
var zones = []string{
	"Australia/Brisbane", "Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham",
	"Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns", "Antarctica/Troll", "America/Havana", "UTC",
}

// life is one site's life in a rollout, as the steps and the acts make it.
type life struct {
	l     local
	w     Wave
	p     Place
	now   time.Time
	began time.Time
}

func newLife(t *testing.T, r *rand.Rand) *life {
	t.Helper()
	zone, err := time.LoadLocation(zones[r.IntN(len(zones))])
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2000+r.IntN(50), time.January, 1+r.IntN(366), r.IntN(24), r.IntN(60), r.IntN(60), 0, time.UTC)
	v := &life{now: now, began: now, l: local{zone: zone, rules: calendar.Rules{Region: calendar.Regions[r.IntN(4)]}}}
	v.closed(r)
	v.w = Wave{Number: 1, State: Planned, Day: (calendar.Rules{}).First(calendar.On(now, time.UTC).Add(LeastNotice + r.IntN(40)))}
	v.p = Place{Site: "s", Wave: 1, Dated: Undated}.date(v.w, v.l, now)
	return v
}

func (v *life) closed(r *rand.Rand) {
	v.l.rules.Closed = nil
	for range r.IntN(8) {
		v.l.rules.Closed = append(v.l.rules.Closed, calendar.On(v.now, v.l.zone).Add(r.IntN(60)))
	}
}

// act does one of the things that happen to a site, as they are guarded where they are
// done.
func (v *life) act(r *rand.Rand) string {
	v.now = v.now.Add(time.Duration(r.IntN(96*60)) * time.Minute)
	if v.p.come(v.now) && v.p.Dated == Stored {
		if what := r.IntN(6); what == 0 && v.now.Before(v.p.At.Add(BackFor)) {
			v.p = v.p.takeOut(RolledBack)
			return "rolled back"
		}
		return "nothing"
	}
	switch r.IntN(6) {
	case 0:
		if next, ok := v.p.hold(v.l); ok && v.p.Dated == Stored {
			v.p = next
			return "held"
		}
	case 1:
		if to := v.l.rules.First(v.p.last().Add(1 + r.IntN(20))); v.p.Dated == Stored && v.p.First.Until(to) <= MostDelay {
			v.p.Extended = to
			v.p.At = v.p.last().Morning(v.l.zone)
			return "extended"
		}
	case 2:
		if v.p.Dated == Stored {
			v.p = v.p.takeOut(TakenOut)
			return "paused"
		}
		v.p = v.p.date(v.w, v.l, v.now)
		return "resumed"
	case 3:
		v.w.Day = (calendar.Rules{}).First(calendar.On(v.now, time.UTC).Add(LeastNotice + r.IntN(30)))
		v.p = v.p.date(v.w, v.l, v.now)
		return "moved"
	case 4:
		v.closed(r)
		v.p.Base = calendar.Day{}
		v.p = v.p.date(v.w, v.l, v.now)
		return "closed"
	}
	return "nothing"
}

// facts are those of a member of the site, whose Xero was connected before the rollout.
func (v *life) facts() policy.Facts {
	return policy.Facts{Client: policy.Client{Kind: policy.ClientWeb}, Memberships: []policy.Membership{{
		Site: "s", Kind: policy.Office, Status: policy.Active, Group: policy.GroupAdmin, Zone: v.l.zone,
		Integrations: []policy.Integration{{Kind: policy.Xero, State: policy.Connected, Since: v.began.Add(-time.Hour)}},
		Rollout:      v.p.Facts(v.began, v.l.zone),
	}}}
}

func (v *life) asked(at time.Time) bool {
	return policy.Decide(v.facts(), at).Outcome == policy.Ask || policy.Decide(v.facts(), at).Outcome == policy.Enrol
}

// Whatever happens to a site, the policy asks its people from 4 am of an allowed day of its
// own on and not a microsecond before, and of a site without a date not at all.
func TestNoSiteIsEnforcedOutsideItsWindow(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	dates := 0
	for range 3000 {
		v := newLife(t, r)
		var lived []string
		for range 1 + r.IntN(12) {
			done := v.act(r)
			lived = append(lived, done)
			fail := func(what string) {
				t.Fatalf("%s: %+v in %s at %s, after %s", what, v.p, v.l.zone, v.now, strings.Join(lived, ", "))
			}
			if v.p.Dated != Stored {
				if v.asked(v.now.AddDate(1, 0, 0)) {
					fail("asked without a date")
				}
				continue
			}
			dates++
			if v.asked(v.p.At.Add(-time.Microsecond)) || !v.asked(v.p.At) || !v.asked(v.p.At.AddDate(0, 1, 0)) {
				fail("asked at another moment than its date")
			}
			if done == "nothing" {
				continue // what was written before keeps to the rules of then
			}
			day, local := calendar.On(v.p.At, v.l.zone), v.p.At.In(v.l.zone)
			if local.Hour() != 4 || local.Minute() != 0 || !v.p.At.After(v.now.Add(margin)) {
				fail("not at four o'clock, or too soon")
			}
			// Closed days count for 30 days.
			if !(calendar.Rules{Region: v.l.rules.Region}).Allows(day) || !v.l.rules.Allows(day) && v.p.First.Until(day) < MostDelay {
				fail("on a day on which nothing begins")
			}
			if (done == "held" || done == "extended") && v.p.First.Until(day) > MostDelay {
				fail("more than 30 days late")
			}
		}
	}
	t.Logf("%d dates were judged", dates)
}

func TestASharePicksAboutThatManySitesAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	p := newPicker([]Wave{{Number: 1, Pick: Pick{ByShare, "10"}}, {Number: 2, Pick: Pick{ByShare, "50"}}})
	counts := map[int]int{}
	const sites = 20_000
	for range sites {
		s := picked{site: id.New[id.Site]()}
		one := p.wave(s)
		counts[one]++
		if p.wave(s) != one {
			t.Fatal("another wave the second time")
		}
	}
	for wave, share := range map[int]float64{1: 0.10, 2: 0.45, 0: 0.45} {
		if got := float64(counts[wave]) / sites; got < share-0.02 || got > share+0.02 {
			t.Errorf("wave %d has %.3f of the sites", wave, got)
		}
	}
}

func TestASiteBelongsToTheFirstWaveThatPicksIt(t *testing.T) {
	t.Parallel()
	p := newPicker([]Wave{
		{Number: 1, Pick: Pick{ByList, "b1 b2"}},
		{Number: 2, Pick: Pick{ByManager, "sam@vendor.example"}},
		{Number: 3, Pick: Pick{ByRegion, "NZ"}},
		{Number: 4, Pick: Pick{ByReadiness, "80"}},
	})
	for name, row := range map[string]struct {
		s    picked
		want int
	}{
		"on the list, and of New Zealand": {picked{ref: "b2", region: "NZ"}, 1},
		"a part of a reference":           {picked{ref: "b"}, 0},
		"of the manager":                  {picked{manager: "Sam@Vendor.example", region: "NZ"}, 2},
		"of New Zealand":                  {picked{region: "NZ", ready: 4, whole: 4}, 3},
		"ready enough":                    {picked{ready: 4, whole: 5}, 4},
		"not ready enough":                {picked{ready: 3, whole: 4}, 0},
		"nobody works there":              {picked{}, 0},
	} {
		if got := p.wave(row.s); got != row.want {
			t.Errorf("%s: wave %d", name, got)
		}
	}
}
