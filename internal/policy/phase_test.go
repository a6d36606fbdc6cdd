package policy_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/policy"
)

func TestPhase(t *testing.T) {
	t.Parallel()
	began := noon.Add(-30 * day)
	on := func(date time.Time) func(*policy.Membership) {
		return rollout(policy.Rollout{BeganAt: began, EnforceAt: date})
	}
	for _, row := range []struct {
		sentence string
		is       []func(*policy.Membership)
		want     policy.Phase
		date     time.Time
	}{
		{"no rollout: outside, whatever is connected", changes(xero()), policy.Outside, time.Time{}},
		{"not connected: outside", changes(on(noon.Add(day))), policy.Outside, time.Time{}},
		{"connected, and no date yet: preparing", changes(xero(), on(time.Time{})), policy.Preparing, time.Time{}},
		{"connected for longer than is known, and no date: preparing", changes(xero(since(time.Time{})), on(time.Time{})), policy.Preparing, time.Time{}},
		{"connected tonight, before the rollout begins, and no date: outside until then", changes(xero(since(noon.Add(hour))), rollout(policy.Rollout{})), policy.Outside, time.Time{}},
		{"a date to come: preparing", changes(xero(), on(noon.Add(tick))), policy.Preparing, noon.Add(tick)},
		{"on the date: in its wave", changes(xero(), on(noon)), policy.InWave, noon},
		{"a week less a moment later: in its wave", changes(xero(), on(noon.Add(tick-7*day))), policy.InWave, noon.Add(tick - 7*day)},
		{"a week later: settled", changes(xero(), on(noon.Add(-7*day))), policy.Settled, noon.Add(-7 * day)},
		{"a date that was moved later counts where it was moved to", changes(xero(), rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(-day), ExtendedUntil: noon.Add(day)})), policy.Preparing, noon.Add(day)},
		{"connected since the rollout began: outside", changes(xero(since(noon.Add(-day))), on(noon.Add(day))), policy.Outside, time.Time{}},
		{"a failing connection is one", changes(xero(failing), on(noon.Add(day))), policy.Preparing, noon.Add(day)},
		{"disconnected before its date: the date comes all the same", changes(xero(cut(noon.Add(-day))), on(noon.Add(day))), policy.Preparing, noon.Add(day)},
		{"disconnected, and no date: outside", changes(xero(cut(noon.Add(-day))), on(time.Time{})), policy.Outside, time.Time{}},
		{"the mobile app is asked nothing on any date", changes(xero(), on(noon), mobile), policy.Outside, time.Time{}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			m := pat().Memberships[0]
			for _, change := range row.is {
				change(&m)
			}
			if phase, date := m.Phase(noon); phase != row.want || !date.Equal(row.date) {
				t.Errorf("it is %q, with its date on %v", phase, date)
			}
		})
	}
}

func changes(all ...func(*policy.Membership)) []func(*policy.Membership) { return all }

// What the shadow says before a date is what everybody gets in the moment the date comes.
func TestTheShadowIsWhatTheDateBrings(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		before := f
		before.Memberships = slices.Clone(f.Memberships)
		for i := range before.Memberships {
			// Every site that the rollout enforces now has its date later, or none yet.
			m := &before.Memberships[i]
			m.Rollout.Defined, m.Rollout.EnforceAt, m.Rollout.ExtendedUntil = true, now, time.Time{}
			if phase, _ := m.Phase(now); phase != policy.InWave {
				continue
			}
			m.Rollout.EnforceAt = one(t, "date", time.Time{}, now.Add(tick), now.Add(30*day))
			if !m.Rollout.EnforceAt.IsZero() && rare(t, "moved", 3) {
				m.Rollout.ExtendedUntil = now.Add(60 * day)
			}
			if phase, _ := m.Phase(now); phase == policy.Outside { // it was disconnected, and has no date
				m.Rollout.EnforceAt = now.Add(day)
			}
		}
		after := f
		after.Memberships = slices.Clone(before.Memberships)
		for i := range after.Memberships {
			after.Memberships[i].Rollout.EnforceAt, after.Memberships[i].Rollout.ExtendedUntil = now, time.Time{}
		}
		kept := slices.Clone(before.Memberships)
		shadow, live := policy.Shadow(before, now), policy.Decide(after, now)
		if !reflect.DeepEqual(shadow, live) {
			t.Fatalf("in shadow %+v, and live %+v", shadow, live)
		}
		if !reflect.DeepEqual(kept, before.Memberships) {
			t.Fatal("the shadow wrote into the facts it was given")
		}
		if now := policy.Decide(before, now); shadow.Outcome < now.Outcome && now.Outcome != policy.Nudge {
			t.Fatalf("enforcement would ease %v to %v", now.Outcome, shadow.Outcome)
		}
	})
}

func TestWithoutAPreparingSiteTheShadowIsTheDecision(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		for _, m := range f.Memberships {
			if phase, _ := m.Phase(now); phase == policy.Preparing {
				return
			}
		}
		if shadow, live := policy.Shadow(f, now), policy.Decide(f, now); !reflect.DeepEqual(shadow, live) {
			t.Fatalf("in shadow %+v, and live %+v", shadow, live)
		}
	})
}

// What readiness predicts is what the shadow sees in a fresh sign-in.
func TestTheShadowSeesWhatReadinessPredicts(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		f.Passed, f.Remembered, f.EnrolOnly, f.Client = nil, nil, false, policy.Client{Kind: policy.ClientWeb}
		if len(f.Memberships) != 1 {
			return
		}
		if phase, _ := f.Memberships[0].Phase(now); phase != policy.Preparing {
			return
		}
		predicted, shadow := policy.Readiness(f, now).Decision, policy.Shadow(f, now)
		if predicted.Outcome != shadow.Outcome || !reflect.DeepEqual(predicted.Offered, shadow.Offered) || predicted.Default != shadow.Default {
			t.Fatalf("predicted %+v, in shadow %+v", predicted, shadow)
		}
	})
}
