package rollout_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/rollout"
)

func TestADraftThatCannotBeIsRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		tuesday := w.tuesday(1)
		wave := func(by rollout.PickBy, value string, d calendar.Day) []rollout.Wave {
			return []rollout.Wave{{Pick: rollout.Pick{By: by, Value: value}, Day: d}}
		}
		for name, row := range map[string]struct {
			change func(*rollout.Order)
			want   rollout.Refused
		}{
			"no name":               {func(o *rollout.Order) { o.Name = "  " }, rollout.NoName},
			"nobody's":              {func(o *rollout.Order) { o.Owner = "nobody@vendor.example" }, rollout.NoOwner},
			"owned by a site's Pat": {func(o *rollout.Order) { o.Owner = "pat@bayside.example" }, rollout.NoOwner},
			"a brake of 11 of 100":  {func(o *rollout.Order) { o.Tolerance = 11 }, rollout.WrongTolerance},
			"a brake of nothing":    {func(o *rollout.Order) { o.Tolerance = -1 }, rollout.WrongTolerance},
			"no wave":               {func(o *rollout.Order) { o.Waves = nil }, rollout.NoWaves},
			"a region unknown":      {func(o *rollout.Order) { o.Waves = wave(rollout.ByRegion, "FR", tuesday) }, rollout.WrongPick},
			"a share of nothing":    {func(o *rollout.Order) { o.Waves = wave(rollout.ByShare, "0", tuesday) }, rollout.WrongPick},
			"an empty list":         {func(o *rollout.Order) { o.Waves = wave(rollout.ByList, " , ", tuesday) }, rollout.WrongPick},
			"a site mistyped":       {func(o *rollout.Order) { o.Waves = wave(rollout.ByList, w.site.Ref+" "+w.site.Ref+"x", tuesday) }, rollout.NoSuchSite},
			"no such way":           {func(o *rollout.Order) { o.Waves = wave("moon", "full", tuesday) }, rollout.WrongPick},
			"no day":                {func(o *rollout.Order) { o.Waves = wave(rollout.ByShare, "10", calendar.Day{}) }, rollout.WrongDay},
			"tomorrow":              {func(o *rollout.Order) { o.Waves = wave(rollout.ByShare, "10", w.today().Add(1)) }, rollout.WrongDay},
			"a Friday":              {func(o *rollout.Order) { o.Waves = wave(rollout.ByShare, "10", tuesday.Add(3)) }, rollout.BadDay},
			"a Sunday":              {func(o *rollout.Order) { o.Waves = wave(rollout.ByShare, "10", tuesday.Add(5)) }, rollout.BadDay},
			"two waves on one day":  {func(o *rollout.Order) { o.Waves[1].Day = o.Waves[0].Day }, rollout.WrongDay},
		} {
			o := w.order()
			row.change(&o)
			if got, err := w.desk.Save(t.Context(), command, o); got != row.want || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		strange, err := rollout.Strangers(t.Context(), w.db, wave(rollout.ByList, "z9 "+w.site.Ref+",q1,z9", tuesday))
		if !slices.Equal(strange, []string{"q1", "z9"}) || err != nil {
			t.Errorf("the strangers are %v, %v", strange, err)
		}
		if _, there, err := rollout.Live(t.Context(), w.db); there || err != nil {
			t.Errorf("a refused draft is there: %v, %v", there, err)
		}
	})
}

func TestEachSiteIsAskedFromItsOwnFourOClockAndNotAMomentBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		if !w.asked(t, w.site) {
			t.Fatal("without a rollout a connection is enforced")
		}
		r := w.start(t, w.order())
		for i, s := range []struct {
			wave int
			day  calendar.Day
		}{{1, w.tuesday(1)}, {2, w.tuesday(2)}} {
			at := []struct{ id, ref string }{{string(w.site.ID), w.site.Ref}, {string(w.twin.ID), w.twin.Ref}}[i]
			if r.Waves[i].Day != s.day {
				t.Errorf("wave %d of %s is on %s", s.wave, at.ref, r.Waves[i].Day)
			}
		}
		first, second := w.tuesday(1).Morning(w.site.Zone), w.tuesday(2).Morning(w.twin.Zone)
		if got := w.plan(t, w.site); !got.Date().Equal(first) || !got.BeganAt.Equal(r.BeganAt) || w.asked(t, w.site) || w.asked(t, w.twin) {
			t.Errorf("before its date the plan is %+v, asked %v", got, w.asked(t, w.site))
		}
		w.until(t, first.Add(-30*time.Minute))
		w.step(t)
		if w.askedAt(t, w.site, first.Add(-time.Microsecond)) || !w.askedAt(t, w.site, first) {
			t.Error("asked a moment before its date, or not at it")
		}
		w.until(t, first)
		if !w.asked(t, w.site) || w.asked(t, w.twin) {
			t.Errorf("at its date the site is asked: %v, and its twin %v", w.asked(t, w.site), w.asked(t, w.twin))
		}
		w.until(t, second)
		w.step(t)
		if !w.asked(t, w.twin) || !w.asked(t, w.site) {
			t.Error("not asked after both dates")
		}
		if n := w.told(t, w.pats[w.site.ID].ID, message.RolloutDated); n != 1 {
			t.Errorf("the Admin was told of the date %d times", n)
		}
		if n := w.events(t, w.site, audit.RolloutSitePlaced); n != 1 {
			t.Errorf("%d events of its place", n)
		}
		if got, err := w.desk.End(t.Context(), command); got != "" || err != nil {
			t.Errorf("end: %q, %v", got, err)
		}
		if !w.asked(t, w.site) {
			t.Error("the end of a rollout ended what it brought")
		}
	})
}

func TestWhoeverConnectedAfterTheFirstRolloutBeganStaysAskedThroughTheNext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		late := w.workshop(t, "latecomer", "AU", "Australia/Perth")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE integrations SET since = $2 WHERE site_id = $1`, late.ID, db.Stamp(tx.Now))
		})
		w.step(t)
		if !w.asked(t, late) {
			t.Fatal("not asked from its connection on")
		}
		w.until(t, w.tuesday(2).Add(1).Morning(time.UTC))
		if got, err := w.desk.End(t.Context(), command); got != "" || err != nil {
			t.Fatalf("end: %q, %v", got, err)
		}
		w.made = w.today()
		w.start(t, w.order())
		for _, s := range []struct {
			name  string
			asked bool
		}{{"the latecomer", w.asked(t, late)}, {"the site", w.asked(t, w.site)}, {"its twin", w.asked(t, w.twin)}} {
			if !s.asked {
				t.Errorf("the second rollout freed %s", s.name)
			}
		}
	})
}

func TestAPauseTakesOutEveryDateThatHasNotComeAndTheSitesThatAreAskedStaySo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		w.until(t, w.tuesday(1).Morning(w.site.Zone).Add(time.Hour))
		if got, err := w.desk.Pause(t.Context(), rollout.By{Staff: w.again(t, w.sam)}); got != "" || err != nil {
			t.Fatalf("pause: %q, %v", got, err)
		}
		if !w.asked(t, w.site) || !w.plan(t, w.twin).Date().IsZero() {
			t.Errorf("after the pause the site is asked: %v, its twin's date is %s", w.asked(t, w.site), w.plan(t, w.twin).Date())
		}
		w.until(t, w.tuesday(2).Morning(w.twin.Zone).Add(24*time.Hour))
		w.step(t)
		if w.asked(t, w.twin) {
			t.Error("a date came in a pause")
		}
		if n := w.told(t, w.pats[w.twin.ID].ID, message.RolloutPaused); n != 1 {
			t.Errorf("the twin's Admin was told %d times", n)
		}
		if got, err := w.desk.Resume(t.Context(), rollout.By{Staff: w.again(t, w.sam)}); got != "" || err != nil {
			t.Fatalf("resume: %q, %v", got, err)
		}
		w.step(t)
		date := w.plan(t, w.twin).Date()
		if soon := w.db.Clock.Now().Add(5 * 24 * time.Hour); date.Before(soon) || date.In(w.twin.Zone).Hour() != 4 {
			t.Errorf("after the pause the twin's date is %s", date)
		}
		if got, err := w.desk.Resume(t.Context(), rollout.By{Staff: w.again(t, w.sam)}); got != rollout.WrongState || err != nil {
			t.Errorf("twice: %q, %v", got, err)
		}
	})
}

func TestARolledBackWaveIsAskedNoMoreAndKeepsWhatItsPeopleEnrolled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := w.start(t, w.order())
		w.until(t, w.tuesday(1).Morning(w.site.Zone).Add(48*time.Hour))
		pat := w.pats[w.site.ID]
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := method.Link(ctx, tx, method.Method{User: pat.ID, Kind: policy.TOTP, ProvedAt: tx.Now})
			return err
		})
		back := func() error {
			return w.db.Do(t.Context(), func(tx *db.Tx) error { return w.desk.RollBack(t.Context(), tx, w.toni, r.ID, 1) })
		}
		if err := back(); err != nil {
			t.Fatal(err)
		}
		w.step(t)
		if w.asked(t, w.site) {
			t.Error("still asked")
		}
		if n := w.count(t, `SELECT COUNT(*) FROM methods WHERE user_id = $1 AND proved_at IS NOT NULL`, pat.ID); n != 2 {
			t.Errorf("%d proved methods are left", n)
		}
		if n := w.told(t, pat.ID, message.RolloutBack); n != 1 {
			t.Errorf("its Admin was told %d times", n)
		}
		if err := back(); !errors.Is(err, fault.Conflict) {
			t.Errorf("twice: %v", err)
		}
		if w.plan(t, w.twin).Date().IsZero() {
			t.Error("the other wave lost its date")
		}
		day := w.tuesday(4)
		if got, err := w.desk.Move(t.Context(), rollout.By{Staff: w.again(t, w.sam)}, 1, day); got != "" || err != nil {
			t.Fatalf("a new day: %q, %v", got, err)
		}
		w.step(t)
		if got := w.plan(t, w.site).Date(); !got.Equal(day.Morning(w.site.Zone)) {
			t.Errorf("its new date is %s", got)
		}
	})
}

func TestAWaveIsRolledBackWithinSevenDaysAndNotAfter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := w.start(t, w.order())
		first := w.tuesday(1).Morning(w.site.Zone)
		for _, row := range []struct {
			at   time.Time
			want bool
		}{{first.Add(-time.Hour), false}, {first.Add(time.Second), true}, {first.Add(rollout.BackFor - time.Second), true}, {first.Add(rollout.BackFor), false}} {
			if got, err := rollout.MayRollBack(t.Context(), w.db, row.at, r.ID, 1); got != row.want || err != nil {
				t.Errorf("at %s: %v, %v", row.at, got, err)
			}
		}
	})
}

func TestASiteWithNoProvedAdminIsHeldBackWeekByWeekAndThirtyDaysAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		w.unprove(t, w.site)
		first := w.tuesday(1)
		moved := 0
		for {
			date := w.plan(t, w.site).Date()
			w.until(t, date.Add(-9*time.Hour))
			w.step(t)
			next := w.plan(t, w.site).Date()
			if next.Equal(date) {
				break
			}
			moved++
			if next.Before(date.Add(6*24*time.Hour)) || next.In(w.site.Zone).Hour() != 4 {
				t.Fatalf("moved from %s to %s", date, next)
			}
			if w.asked(t, w.site) {
				t.Fatal("asked while held back")
			}
		}
		last := calendar.On(w.plan(t, w.site).Date(), w.site.Zone)
		if days := first.Until(last); moved < 3 || days < 21 || days > rollout.MostDelay {
			t.Errorf("moved %d times, by %d days", moved, days)
		}
		if n := w.events(t, w.site, audit.RolloutSiteHeld); n != moved {
			t.Errorf("%d events of %d", n, moved)
		}
		if n := w.told(t, w.sam.User.ID, message.RolloutHeld); n != moved {
			t.Errorf("its account manager was tasked %d times of %d", n, moved)
		}
		for at, want := range map[id.Site]bool{w.site.ID: true, w.twin.ID: false} {
			if gated, err := rollout.Gated(t.Context(), w.db, at); gated != want || err != nil {
				t.Errorf("%s is said to be gated: %t, %v", at, gated, err)
			}
		}
		if n := w.events(t, w.twin, audit.RolloutSiteHeld); n != 0 {
			t.Error("the twin was held back")
		}
		w.until(t, w.plan(t, w.site).Date())
		if !w.asked(t, w.site) {
			t.Error("never asked at all")
		}
	})
}

func TestAnAdminWhoProvesAWayInTheEveningLetsTheSiteThrough(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.unprove(t, w.site)
		w.start(t, w.order())
		if n := w.told(t, w.sam.User.ID, message.RolloutUnproved); n != 1 {
			t.Errorf("at the start the account manager was tasked %d times", n)
		}
		date := w.plan(t, w.site).Date()
		w.until(t, date.Add(-12*time.Hour))
		w.step(t)
		w.prove(t, w.site)
		w.until(t, date.Add(-9*time.Hour))
		w.step(t)
		if got := w.plan(t, w.site).Date(); !got.Equal(date) {
			t.Errorf("moved to %s", got)
		}
		w.unprove(t, w.site)
		w.until(t, date.Add(-30*time.Minute))
		w.step(t)
		if got := w.plan(t, w.site).Date(); got.Equal(date) {
			t.Error("not judged again in the hour before")
		}
	})
}

func TestNoWaveStartsWhileMailIsSlowAndItsOwnerIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		o := w.order()
		o.Waves = []rollout.Wave{{Name: "All", Pick: rollout.Pick{By: rollout.ByShare, Value: "100"}, Day: w.tuesday(1)}}
		w.start(t, o)
		w.weather = "email"
		early := w.plan(t, w.twin).Date() // Auckland's morning comes before Brisbane's
		w.until(t, early.Add(-30*time.Minute))
		w.step(t)
		for _, s := range []struct {
			ref  string
			date time.Time
			want time.Time
		}{
			{w.twin.Ref, w.plan(t, w.twin).Date(), w.tuesday(1).Add(1).Morning(w.twin.Zone)},
			{w.site.Ref, w.plan(t, w.site).Date(), w.tuesday(1).Add(1).Morning(w.site.Zone)},
		} {
			if !s.date.Equal(s.want) {
				t.Errorf("%s begins at %s, not %s", s.ref, s.date, s.want)
			}
		}
		if n := w.told(t, w.toni.User.ID, message.RolloutPutOff); n != 1 {
			t.Errorf("the owner was told %d times", n)
		}
		w.weather = ""
		w.until(t, w.plan(t, w.twin).Date())
		w.weather = "sms"
		w.step(t)
		if !w.asked(t, w.twin) {
			t.Error("slow SMS un-enforced a site")
		}
		site := w.plan(t, w.site).Date()
		w.until(t, site.Add(-30*time.Minute))
		w.step(t)
		if got := w.plan(t, w.site).Date(); got.Equal(site) || !w.asked(t, w.twin) {
			t.Errorf("the rest of a wave that has begun begins at %s", got)
		}
	})
}

func TestASiteGetsMoreTimeWithAReasonAndThirtyDaysAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		first, sam := w.tuesday(1), rollout.By{Staff: w.again(t, w.sam)}
		const why = "Their only Admin is in hospital"
		for name, row := range map[string]struct {
			to   calendar.Day
			why  string
			want rollout.Refused
		}{
			"no reason":       {first.Add(7), "because", rollout.NoReason},
			"the same day":    {first, why, rollout.WrongDay},
			"31 days or more": {first.Add(31), why, rollout.TooLong},
		} {
			if got, err := w.desk.Extend(t.Context(), sam, w.site.ID, row.to, row.why); got != row.want || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		if got, err := w.desk.Extend(t.Context(), sam, w.site.ID, first.Add(15), why); got != "" || err != nil {
			t.Fatalf("two weeks: %q, %v", got, err)
		}
		if reason, by, err := rollout.ExtendedWhy(t.Context(), w.db, w.site.ID); reason != why || by != "staff" || err != nil {
			t.Errorf("the evidence is given %q, %q, %v", reason, by, err)
		}
		if reason, by, err := rollout.ExtendedWhy(t.Context(), w.db, w.twin.ID); reason != "" || by != "" || err != nil {
			t.Errorf("of the twin the evidence is given %q, %q, %v", reason, by, err)
		}
		until := w.plan(t, w.site)
		if until.EnforceAt.Equal(until.Date()) || calendar.On(until.Date(), w.site.Zone).Before(first.Add(15)) {
			t.Errorf("extended to %+v", until)
		}
		w.until(t, first.Add(1).Morning(w.site.Zone))
		w.step(t)
		if w.asked(t, w.site) {
			t.Error("asked in its extension")
		}
		w.until(t, until.Date())
		if got, err := w.desk.Extend(t.Context(), rollout.By{Staff: w.again(t, w.sam)}, w.site.ID, first.Add(25), why); got != rollout.TooLate || err != nil {
			t.Errorf("after its date: %q, %v", got, err)
		}
		if !w.asked(t, w.site) {
			t.Error("not asked after it")
		}
	})
}

func TestOfTwoWhoStartPauseOrResumeAtOnceOneDoes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r := w.save(t, w.order())
		at := func(do func() (rollout.Refused, error)) {
			got, both := make([]rollout.Refused, 2), sync.WaitGroup{}
			for i := range got {
				both.Go(func() {
					var err error
					if got[i], err = do(); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			if slices.Sort(got); got[0] != "" || got[1] != rollout.WrongState {
				t.Errorf("two at once: %q", got)
			}
		}
		at(func() (refused rollout.Refused, err error) {
			err = w.db.Do(t.Context(), func(tx *db.Tx) error { return w.desk.Begin(t.Context(), tx, w.toni, r.ID, r.Digest()) })
			if errors.Is(err, fault.Conflict) {
				return rollout.WrongState, nil
			}
			return "", err
		})
		w.step(t)
		at(func() (rollout.Refused, error) { return w.desk.Pause(t.Context(), command) })
		at(func() (rollout.Refused, error) { return w.desk.Resume(t.Context(), command) })
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := w.desk.Step(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		w.step(t)
		if n := w.events(t, w.site, audit.RolloutSitePlaced); n != 1 {
			t.Errorf("placed %d times", n)
		}
	})
}

func TestAStartThatIsKilledHalfWayGoesOnWhereItStoppedAndDoesNothingTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		all := append(w.many(t, 48), w.site, w.twin)
		o := w.order()
		o.Waves = []rollout.Wave{{Name: "All", Pick: rollout.Pick{By: rollout.ByShare, Value: "100"}, Day: w.tuesday(1)}}
		r := w.save(t, o)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.Begin(ctx, tx, w.toni, r.ID, r.Digest()) })
		kills := 0
		for w.live(t).PlacedAt.IsZero() {
			ctx, kill := context.WithCancel(t.Context())
			// It dies as soon as one more batch is written.
			before := w.live(t).PlacedTo
			done := make(chan error, 1)
			go func() { done <- w.desk.Step(ctx) }()
			for w.live(t).PlacedTo == before && len(done) == 0 {
			}
			kill()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				t.Log(err) // it was killed
			}
			if kills++; kills > 100 {
				t.Fatal("it never ends")
			}
		}
		w.step(t)
		for _, s := range all {
			if w.plan(t, s).Date().IsZero() || w.events(t, s, audit.RolloutSitePlaced) != 1 {
				t.Errorf("%s: %+v, placed %d times", s.Ref, w.plan(t, s), w.events(t, s, audit.RolloutSitePlaced))
			}
		}
		t.Logf("%d sites were placed through %d kills", len(all), kills)
	})
}

func TestOnlyStaffWithAFreshProofResumeOrExtendAndAnybodyOfStaffPauses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		pat := w.again(t, w.sam)
		pat.User = w.pats[w.site.ID]
		if _, err := w.desk.Pause(t.Context(), rollout.By{Staff: pat}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a site's Admin pauses: %v", err)
		}
		old := w.again(t, w.sam)
		w.db.Clock.Advance(20 * time.Minute)
		if got, err := w.desk.Pause(t.Context(), rollout.By{Staff: old}); got != "" || err != nil {
			t.Errorf("pause with an old proof: %q, %v", got, err)
		}
		if got, err := w.desk.Resume(t.Context(), rollout.By{Staff: old}); got != rollout.NotFresh || err != nil {
			t.Errorf("resume with an old proof: %q, %v", got, err)
		}
		if got, err := w.desk.Extend(t.Context(), rollout.By{Staff: old}, w.site.ID, w.tuesday(2), strings.Repeat("x", 20)); got != rollout.NotFresh || err != nil {
			t.Errorf("extend with an old proof: %q, %v", got, err)
		}
	})
}

func TestAClosedDayMovesADateThatIsToComeToTheNextOpenOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		first := w.tuesday(1)
		if got, err := w.desk.Close(t.Context(), command, w.site.ID, []calendar.Day{first, first.Add(1), first}); got != "" || err != nil {
			t.Fatalf("close: %q, %v", got, err)
		}
		w.step(t)
		if got := calendar.On(w.plan(t, w.site).Date(), w.site.Zone); got != first.Add(2) {
			t.Errorf("moved to %s", got)
		}
		if got := calendar.On(w.plan(t, w.twin).Date(), w.twin.Zone); got != w.tuesday(2) {
			t.Errorf("the twin moved to %s", got)
		}
	})
}

func TestADateThatSomethingElseWroteIsKeptAndTheBoardFollowsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t, w.order())
		other := w.plan(t, w.site)
		other.EnforceAt = w.db.Clock.Now().Add(-time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return plan.Set(ctx, tx, other) })
		if got, err := w.desk.Pause(t.Context(), command); got != "" || err != nil {
			t.Fatalf("pause: %q, %v", got, err)
		}
		w.step(t)
		if !w.asked(t, w.site) || w.asked(t, w.twin) {
			t.Error("a pause freed a site that is asked")
		}
	})
}

func TestASiteThatIsDisconnectedHasNoPlaceAndOneInNoWaveNoDate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		gone := w.workshop(t, "gone", "AU", "Australia/Perth")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := integration.Disconnect(ctx, tx, gone.ID, policy.Xero)
			return err
		})
		o := w.order()
		o.Waves = o.Waves[:1]
		w.start(t, o)
		if _, known, err := plan.Of(t.Context(), w.db, gone.ID); known || err != nil {
			t.Errorf("the disconnected one has a plan: %v, %v", known, err)
		}
		if p := w.plan(t, w.twin); !p.Date().IsZero() || w.asked(t, w.twin) {
			t.Errorf("the one in no wave: %+v", p)
		}
	})
}

func TestADraftThatWasChangedSinceItWasProposedIsNotStarted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		for name, change := range map[string]func(*rollout.Order){
			"a wave less":       func(o *rollout.Order) { o.Waves = o.Waves[1:] },
			"another tolerance": func(o *rollout.Order) { o.Tolerance = 5 },
		} {
			seen, o := w.save(t, w.order()), w.order()
			change(&o)
			w.save(t, o)
			err := w.db.Do(t.Context(), func(tx *db.Tx) error { return w.desk.Begin(t.Context(), tx, w.toni, seen.ID, seen.Digest()) })
			if !errors.Is(err, fault.Conflict) || w.live(t).State != rollout.Draft {
				t.Errorf("%s: started: %v", name, err)
			}
		}
	})
}
