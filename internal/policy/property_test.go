package policy_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/policy"
)

func TestOfferedMethodsAreUsable(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		d := policy.Decide(f, now)
		if (len(d.Offered) > 0) != (d.Default != "") || d.Default != "" && !slices.Contains(kinds(d), d.Default) {
			t.Fatalf("the default %q is not among %v", d.Default, d.Offered)
		}
		if len(d.Offered) > 0 && d.Outcome != policy.Ask {
			t.Fatalf("methods are offered with %v", d.Outcome)
		}
		for _, o := range d.Offered {
			m := f.User.Methods[slices.IndexFunc(f.User.Methods, func(m policy.Method) bool { return m.ID == o.ID })]
			weakened := freshMark(f, now) && (m.Kind == policy.Email || m.Kind != policy.Recovery && !m.ProvedAt.Before(f.User.ResetMarkAt))
			if m.Kind != o.Kind || !usable(f, m, now) || rests(m, now) || weakened {
				t.Fatalf("%+v is offered", m)
			}
			if o.Proved == m.ProvedAt.IsZero() {
				t.Fatalf("%+v is shown as proved: %v", m, o.Proved)
			}
		}
	})
}

func TestNobodyIsEnrolledWhoHasAMethodThatCanWork(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		d := policy.Decide(f, now)
		asked := d.Outcome == policy.Ask || d.Outcome == policy.Enrol && !f.EnrolOnly
		if !asked || !f.User.ResetMarkAt.IsZero() {
			return
		}
		work, free := 0, 0
		for _, m := range f.User.Methods {
			if usable(f, m, now) {
				work++
				if !rests(m, now) {
					free++
				}
			}
		}
		if len(d.Offered) != free || (work == 0) != (d.Outcome == policy.Enrol) {
			t.Fatalf("%d can work, %d now; %v with %d offered", work, free, d.Outcome, len(d.Offered))
		}
		if (d.Outcome == policy.Enrol) != (d.Help != "") {
			t.Fatalf("%v names %q as help", d.Outcome, d.Help)
		}
		if work > 0 && free == 0 && (d.ValidUntil.IsZero() || !slices.ContainsFunc(d.NotOffered, func(w policy.Withheld) bool { return w.Until.After(now) })) {
			t.Fatalf("all rest, but until when is not said: %+v", d)
		}
	})
}

func TestNobodyRequiredGoesOnWithNothing(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		who := f
		who.Passed, who.Remembered = nil, nil
		required := len(requiring(f, now)) > 0 || f.User.Staff || f.User.Wants2FA || f.Client.ACR > 1
		d := policy.Decide(who, now)
		reached := len(reachedBy(f, now)) > 0 || f.User.Staff
		if want := !reached || required || f.EnrolOnly; d.Outcome.GoesOn() == want {
			t.Fatalf("%v, though reached is %v and required %v", d.Outcome, reached, required)
		}
		if got, _ := policy.Required(f, now); got != (required && reached) {
			t.Fatalf("required is told as %v", got)
		}
		// Factors and a device that cannot count are as good as none.
		who.Passed = []policy.Pass{{Kind: "password", At: now}}
		who.Remembered = &policy.Remembered{Since: now.Add(-30 * day), Sites: []string{"s0", "s1", "s2"}}
		if required && policy.Decide(who, now).Outcome.GoesOn() {
			t.Fatalf("a password and a stale device let in")
		}
		// A recent device alone does only where every site that requires lets it.
		who.Passed, who.Remembered = nil, &policy.Remembered{Since: now.Add(-24 * hour), Sites: []string{"s0", "s1", "s2"}}
		xero := slices.ContainsFunc(reachedBy(f, now), func(m policy.Membership) bool { return m.Kind != policy.Mobile && xeroRequires(m, now) })
		if xero && policy.Decide(who, now).Outcome.GoesOn() {
			t.Fatalf("with Xero a device was remembered for 24 hours")
		}
	})
}

// requirement adds something that requires more; it never takes anything away.
func requirement(t *rapid.T, f policy.Facts) policy.Facts {
	f.Memberships = slices.Clone(f.Memberships)
	what := one(t, "requirement", "own", "staff", "client", "age", "setting", "toggle", "xero", "date", "extension", "weakest", "site", "remember")
	switch what {
	case "own":
		f.User.Wants2FA, f.User.WantsSince = true, time.Time{}
	case "staff":
		f.User.Staff = true
	case "client":
		f.Client.ACR = max(f.Client.ACR, one(t, "more acr", 2, 3, 4))
	case "age":
		age := time.Duration(0)
		f.Client.MaxAge = &age
	case "site":
		f.Memberships = append(f.Memberships, policy.Membership{Site: "s9", Status: policy.Active, Setting: policy.SettingEveryone, Remember: policy.RememberDaily})
	}
	for i := range f.Memberships {
		m := &f.Memberships[i]
		switch what {
		case "setting":
			m.Setting, m.SettingSince = policy.SettingEveryone, time.Time{}
		case "toggle":
			if m.Setting != policy.SettingEveryone {
				m.Setting, m.Required2FA, m.Required2FASince = policy.SettingPerUser, true, time.Time{}
			}
		case "xero":
			m.Integrations = append(slices.Clone(m.Integrations), policy.Integration{Kind: policy.Xero, Since: one(t, "more since", time.Time{}, noon)})
		case "date":
			if m.Rollout.EnforceAt.IsZero() || m.Rollout.EnforceAt.After(noon) {
				m.Rollout.EnforceAt = noon
			}
		case "extension":
			m.Rollout.ExtendedUntil = time.Time{}
		case "weakest":
			m.Weakest = policy.TOTP
		case "remember":
			m.Remember = policy.RememberOff
		}
	}
	return f
}

func TestAddingARequirementNeverLowersTheOutcome(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		before := policy.Decide(f, now)
		if before.Outcome == policy.Refuse {
			return
		}
		after := policy.Decide(requirement(t, f), now)
		if after.Outcome < before.Outcome {
			t.Fatalf("from %v to %v", before, after)
		}
	})
}

func TestTakingAwayAProofNeverLowersTheOutcome(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		before := policy.Decide(f, now)
		less := f
		less.Passed = nil
		if len(f.Passed) > 0 && rapid.Bool().Draw(t, "one only") {
			less.Passed = f.Passed[1:]
		}
		if after := policy.Decide(less, now); after.Outcome < before.Outcome {
			t.Fatalf("without a pass from %v to %v", before, after)
		}
		less = f
		less.Remembered = nil
		if after := policy.Decide(less, now); after.Outcome < before.Outcome {
			t.Fatalf("without the device from %v to %v", before, after)
		}
	})
}

func TestTimeAloneNeverLetsAnybodyIn(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		before := policy.Decide(f, now)
		later := now.Add(time.Duration(rapid.Int64Range(0, int64(90*day)).Draw(t, "later")))
		if rapid.Bool().Draw(t, "at a boundary") && !before.ValidUntil.IsZero() {
			later = before.ValidUntil
		}
		// A membership that ends takes with it what its site required: that is a loss, and
		// not time that lets in.
		lost := f
		lost.Memberships = slices.Clone(f.Memberships)
		for i, m := range lost.Memberships {
			if !m.EndsAt.IsZero() && !later.Before(m.EndsAt) && m.Status == policy.Active {
				lost.Memberships[i].Status = policy.Inactive
			}
		}
		before = policy.Decide(lost, now)
		if after := policy.Decide(f, later); !before.Outcome.GoesOn() && after.Outcome.GoesOn() {
			t.Fatalf("%v became %v by waiting until %v", before.Outcome, after.Outcome, later)
		}
	})
}

func TestNothingChangesBeforeValidUntil(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		d := policy.Decide(f, now)
		if !d.ValidUntil.IsZero() && !d.ValidUntil.After(now) {
			t.Fatalf("valid until %v, which is past", d.ValidUntil)
		}
		end := d.ValidUntil
		if end.IsZero() {
			end = now.Add(1000 * day)
		}
		moments := []time.Time{now, now.Add(1), now.Add(tick), end.Add(-1), end.Add(-tick), now.Add(end.Sub(now) / 2)}
		for range 6 {
			moments = append(moments, now.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(now)-1)).Draw(t, "at"))))
		}
		for _, s := range steps {
			moments = append(moments, noon.Add(s))
		}
		for _, at := range moments {
			if at.Before(now) || !at.Before(end) {
				continue
			}
			if then := policy.Decide(f, at); !reflect.DeepEqual(then, d) {
				t.Fatalf("at %v, before %v:\n%+v\nbecame\n%+v", at, d.ValidUntil, d, then)
			}
		}
	})
}

func TestTheSameFactsGiveTheSameDecision(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		d := policy.Decide(f, now)
		if again := policy.Decide(f, now); !reflect.DeepEqual(again, d) {
			t.Fatalf("the second answer differs:\n%+v\n%+v", d, again)
		}
		if mixed := policy.Decide(shuffled(t, f), now); !reflect.DeepEqual(mixed, d) {
			t.Fatalf("in another order:\n%+v\n%+v", d, mixed)
		}
	})
}

func TestMobileMembershipsStayInTheApp(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		d := policy.Decide(f, now)
		office := slices.DeleteFunc(reachedBy(f, now), func(m policy.Membership) bool { return m.Kind == policy.Mobile })
		for _, site := range d.Sites {
			if f.Client.Kind != policy.ClientMobile && !slices.ContainsFunc(office, func(m policy.Membership) bool { return m.Site == site }) {
				t.Fatalf("%s is reached on the web", site)
			}
		}
		if f.Client.Kind != policy.ClientMobile && len(office) == 0 && !f.User.Staff && d.Outcome != policy.Refuse {
			t.Fatalf("%v on the web without an office membership", d.Outcome)
		}
		exempt := f.Client.Kind == policy.ClientMobile && len(reachedBy(f, now)) > 0 && len(office) == 0
		if exempt && !f.User.Staff && !f.User.Wants2FA && f.Client.ACR < 2 && !f.EnrolOnly {
			if d.Outcome != policy.Allow || !slices.Contains(keys(d), policy.MobileExempt) {
				t.Fatalf("an exempt member gets %v", d)
			}
		}
	})
}

func TestAMembershipThatIsNotActiveChangesNothing(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		d := policy.Decide(f, now)
		ghost := anyMembership(t, "s8")
		ghost.Status = one(t, "ghost", policy.Inactive, policy.Blocked, "")
		f.Memberships = append(slices.Clone(f.Memberships), ghost)
		after := policy.Decide(f, now)
		if d.Outcome == policy.Refuse {
			after.Reasons, d.Reasons = nil, nil
		}
		if !reflect.DeepEqual(after, d) {
			t.Fatalf("a ghost made\n%+v\nof\n%+v", after, d)
		}
	})
}

func TestPassingWhatIsOfferedIsEnough(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		if f.Client.PassedSince.After(now) {
			return // a request from the future
		}
		for _, o := range policy.Decide(f, now).Offered {
			in := f
			in.Passed = append(slices.Clone(f.Passed), policy.Pass{Kind: o.Kind, At: now})
			short := policy.ACR(in.Passed) < policy.Decide(in, now).Level && (o.Kind != policy.Recovery || !f.Client.OrRecovery)
			if d := policy.Decide(in, now); !d.Outcome.GoesOn() || short {
				t.Fatalf("after passing %+v: %+v", o, d)
			}
		}
	})
}

// What readiness predicts is compared with a sign-in at a site whose date comes at
// this very moment, walked to its end.
func TestSignInGetsWhatReadinessPredicts(t *testing.T) {
	t.Parallel()
	marks := map[policy.Mark]int{}
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		predicted := policy.Readiness(f, now)
		real := f
		real.Passed, real.Remembered, real.EnrolOnly, real.Client = nil, nil, false, policy.Client{Kind: policy.ClientWeb}
		real.Memberships = slices.Clone(f.Memberships)
		for i := range real.Memberships {
			m := &real.Memberships[i]
			if siteRequires(*m, now) && m.Kind != policy.Mobile {
				continue
			}
			m.Integrations = append(slices.Clone(m.Integrations), policy.Integration{Kind: policy.Xero, State: policy.Connected})
			m.Rollout.Defined, m.Rollout.EnforceAt, m.Rollout.ExtendedUntil = true, now, time.Time{}
		}
		d := policy.Decide(real, now)
		marks[predicted.Mark]++
		worksProved := slices.ContainsFunc(d.Offered, func(o policy.Offer) bool { return o.Proved || o.Kind == policy.Recovery })
		switch predicted.Mark {
		case policy.Exempt:
			if d.Outcome != policy.Refuse {
				t.Fatalf("predicted exempt, got %+v", d)
			}
		case policy.NeedsHelp:
			if d.Outcome == policy.Refuse || len(d.Offered) > 0 {
				t.Fatalf("predicted stuck, got %+v", d)
			}
		case policy.WillManage:
			if d.Outcome != policy.Ask || len(d.Offered) == 0 {
				t.Fatalf("predicted to manage, got %+v", d)
			}
		case policy.Ready:
			if d.Outcome != policy.Ask || !worksProved {
				t.Fatalf("predicted ready, got %+v", d)
			}
		}
		if d.Outcome == policy.Ask && !reflect.DeepEqual(d.Offered, predicted.Decision.Offered) {
			t.Fatalf("predicted %+v, offered %+v", predicted.Decision.Offered, d.Offered)
		}
	})
	for _, mark := range []policy.Mark{policy.Ready, policy.WillManage, policy.NeedsHelp, policy.Exempt} {
		if marks[mark] < statesPerProperty/100 {
			t.Errorf("only %d states were %s: the property says little", marks[mark], mark)
		}
	}
}

func TestRememberUntilIsKept(t *testing.T) {
	t.Parallel()
	promises := 0
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		until, promised := policy.RememberUntil(f, now)
		f.Passed, f.EnrolOnly, f.Client.ACR, f.User.RiskAt = nil, false, 0, time.Time{}
		f.Remembered = &policy.Remembered{Since: now, Sites: []string{"s2", "s1", "s0"}}
		required, _ := policy.Required(f, now)
		if !promised {
			if required && policy.Decide(f, now).Outcome.GoesOn() {
				t.Fatalf("nothing is promised, but the device would be remembered")
			}
			return
		}
		promises++
		for _, at := range []time.Time{now, now.Add(until.Sub(now) / 2), until.Add(-1)} {
			if d := policy.Decide(f, at); !d.Outcome.GoesOn() {
				t.Fatalf("promised until %v, at %v: %+v", until, at, d)
			}
		}
		ends := slices.ContainsFunc(f.Memberships, func(m policy.Membership) bool { return m.EndsAt.Equal(until) })
		if d := policy.Decide(f, until); d.Outcome.GoesOn() && !ends {
			t.Fatalf("at %v, when it was to end: %+v", until, d)
		}
		xero := slices.ContainsFunc(reachedBy(f, now), func(m policy.Membership) bool { return m.Kind != policy.Mobile && xeroRequires(m, now) })
		if limit := until.Sub(now); limit > 30*day || xero && limit >= 24*hour {
			t.Fatalf("remembered for %v, with Xero %v", limit, xero)
		}
	})
	if promises < statesPerProperty/100 {
		t.Errorf("only %d promises were made: the property says little", promises)
	}
}

func TestSessionsEndWithinADay(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, f policy.Facts, now time.Time) {
		started := now.Add(-time.Duration(rapid.Int64Range(0, int64(day)).Draw(t, "ago")))
		end := policy.SessionEnd(f.Memberships, started, now)
		if !end.After(started) || end.Sub(started) > 24*hour {
			t.Fatalf("a session lasts %v", end.Sub(started))
		}
		for _, m := range f.Memberships {
			four := policy.NextFour(started, m.Zone)
			if m.Status == policy.Active && m.Kind != policy.Mobile && xeroRequires(m, four) && end.After(four) {
				t.Fatalf("a session goes on after 4 am, %v, at a site that requires", four)
			}
		}
	})
}

func TestNextFourIsFourOnTheClock(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, _ policy.Facts, now time.Time) {
		after := now.Add(time.Duration(rapid.Int64Range(0, int64(3000*day)).Draw(t, "after")))
		zone := anyZone(t)
		four := policy.NextFour(after, zone)
		if local := four.In(zone); local.Hour() != 4 || local.Minute() != 0 || local.Second() != 0 || local.Nanosecond() != 0 {
			t.Fatalf("%v is not 4 am", local)
		}
		if wait := four.Sub(after); wait <= 0 || wait > 25*hour {
			t.Fatalf("from %v it is %v away", after.In(zone), wait)
		}
		if early := policy.NextFour(four.Add(-1), zone); !early.Equal(four) {
			t.Fatalf("a moment before %v it is %v", four, early)
		}
	})
}
