package policy_test

import (
	"slices"
	"testing"
	"time"

	"keyturn/internal/policy"
)

type withheld = map[policy.MethodKind]policy.WithheldKey

func only(kinds ...policy.MethodKind) []policy.MethodKind { return kinds }

func TestWhatWasPassed(t *testing.T) {
	t.Parallel()
	required := member(xero())
	totp := method(proved(policy.TOTP))
	hold(t, []rule{
		{sentence: "an email code passed in this session lets a required member go on", facts: with(required, passed(policy.Email, noon)), outcome: policy.Allow, because: because(policy.XeroConnected, policy.WasPassed)},
		{sentence: "an unknown factor is no factor", facts: with(required, passed("password", noon)), outcome: policy.Ask, because: because(policy.PassNotEnough)},
		{sentence: "an email code is too weak for a site that accepts SMS at least", facts: with(required, member(weakest(policy.SMS)), totp, passed(policy.Email, noon)), outcome: policy.Ask},
		{sentence: "an SMS code is too weak for a site that accepts authenticator and passkey only", facts: with(required, member(weakest(policy.TOTP)), totp, passed(policy.SMS, noon)), outcome: policy.Ask},
		{sentence: "a passkey meets every site", facts: with(required, member(weakest(policy.TOTP)), passed(policy.Passkey, noon)), outcome: policy.Allow},
		{sentence: "a pass that one site accepts is not enough for the stricter one", facts: with(required, also("harbour", everyone, weakest(policy.TOTP)), totp, passed(policy.Email, noon)), outcome: policy.Ask},
		{sentence: "the weakest method of a site that requires nothing does not bind", facts: with(required, also("harbour", weakest(policy.TOTP)), passed(policy.Email, noon)), outcome: policy.Allow},
		{sentence: "an email code does not meet a client that asks for level 3", facts: with(acr(3), totp, passed(policy.Email, noon)), outcome: policy.Ask, offers: only(policy.TOTP), without: withheld{policy.Email: policy.TooWeakForClient}},
		{sentence: "an authenticator meets a client that asks for level 3", facts: with(acr(3), totp, passed(policy.TOTP, noon)), outcome: policy.Allow},
		{sentence: "nothing but a passkey meets a client that asks for level 4", facts: with(acr(4), totp), outcome: policy.Enrol},
		{sentence: "a pass of exactly max_age counts", facts: with(acr(2), maxAge(5*minute), passed(policy.Email, noon.Add(-5*minute))), outcome: policy.Allow, until: noon.Add(1)},
		{sentence: "a pass older than max_age does not count", facts: with(acr(2), maxAge(5*minute), passed(policy.Email, noon.Add(-5*minute-1))), outcome: policy.Ask, because: because(policy.PassNotEnough)},
		{sentence: "max_age counts where the site requires and the client asks for no level", facts: with(required, maxAge(5*minute), passed(policy.Email, noon.Add(-hour))), outcome: policy.Ask},
		{sentence: "a pass from before the request does not count when the client asks for a new one", facts: with(required, passed(policy.Email, noon.Add(-tick)), func(f *policy.Facts) { f.Client.PassedSince = noon }), outcome: policy.Ask},
		{sentence: "a pass since the request counts", facts: with(required, passed(policy.Email, noon), func(f *policy.Facts) { f.Client.PassedSince = noon }), outcome: policy.Allow},
		{sentence: "without max_age the decision holds as long as the session", facts: with(required, passed(policy.Email, noon.Add(-20*hour))), outcome: policy.Allow},
		{sentence: "own choice of 2FA passed does not hide another site's stricter date", facts: with(wants2FA, passed(policy.Email, noon), member(xero()), member(weakest(policy.TOTP)), member(rollout(policy.Rollout{EnforceAt: noon.Add(day)}))), outcome: policy.Nudge, because: because(policy.WasPassed, policy.NotReady)},
		{sentence: "own choice of 2FA passed meets a date that accepts it", facts: with(wants2FA, passed(policy.Email, noon), member(xero()), member(rollout(policy.Rollout{EnforceAt: noon.Add(day)}))), outcome: policy.Allow},
	})
}

func TestWhichMethodsAreOffered(t *testing.T) {
	t.Parallel()
	required := member(xero())
	paid := member(sms(50, 10))
	number := method(linked(policy.SMS))
	hold(t, []rule{
		{sentence: "the email code is the default of a user with nothing else", facts: with(required), outcome: policy.Ask, offers: only(policy.Email), starts: policy.Email, without: withheld{policy.SMS: policy.NoMobile, policy.TOTP: policy.NotSetUp, policy.Passkey: policy.NotSetUp, policy.Recovery: policy.NotSetUp}},
		{sentence: "a bounced email is not offered", facts: with(required, method(but(proved(policy.Email), func(m *policy.Method) { m.Health = policy.HealthBounced }))), outcome: policy.Enrol, without: withheld{policy.Email: policy.EmailBounced}},
		{sentence: "an email whose domain takes no mail is not offered", facts: with(required, method(but(proved(policy.Email), func(m *policy.Method) { m.Health = policy.HealthRefused }))), outcome: policy.Enrol, without: withheld{policy.Email: policy.EmailBounced}},
		{sentence: "a slow email is offered", facts: with(required, method(but(proved(policy.Email), func(m *policy.Method) { m.Health = policy.HealthDelayed }))), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "a new address that waits for a sign-in with a proved method is not offered", facts: with(required, method(but(linked(policy.Email), func(m *policy.Method) { m.AwaitsProof = true })), method(proved(policy.TOTP))), outcome: policy.Ask, offers: only(policy.TOTP), without: withheld{policy.Email: policy.AwaitsProof}},
		{sentence: "a pending address is not offered", facts: with(required, method(but(linked(policy.Email), func(m *policy.Method) { m.Pending = true }))), outcome: policy.Enrol, without: withheld{policy.Email: policy.PendingProof}},
		{sentence: "no address at all: an admin can add one", facts: with(required, noMethods), outcome: policy.Enrol, without: withheld{policy.Email: policy.NoEmail}},
		{sentence: "a mobile number and SMS available: SMS is offered", facts: with(required, paid, number), outcome: policy.Ask, offers: only(policy.Email, policy.SMS), starts: policy.Email},
		{sentence: "a mobile number without SMS available is not offered", facts: with(required, number), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.NoSMSAvailable}},
		{sentence: "SMS available without a mobile number is not offered", facts: with(required, paid), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.NoMobile}},
		{sentence: "with neither number nor SMS both are said", facts: with(required), outcome: policy.Ask, without: withheld{policy.SMS: policy.NoSMSAvailable}},
		{sentence: "the float is not for a Mechanic", facts: with(required, member(sms(10, 10)), number), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.NoSMSAvailable}},
		{sentence: "one SMS above the float is for everybody", facts: with(required, member(sms(11, 10)), number), outcome: policy.Ask, offers: only(policy.Email, policy.SMS)},
		{sentence: "the float is for an Admin", facts: with(required, member(sms(1, 10)), member(group(policy.GroupAdmin)), number), outcome: policy.Ask, offers: only(policy.Email, policy.SMS)},
		{sentence: "an Owner is no Admin", facts: with(required, member(sms(1, 10)), member(group(policy.GroupOwner)), number), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "an empty balance has no float", facts: with(required, member(sms(0, 10)), member(group(policy.GroupAdmin)), number), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "an unproved number gets a third code", facts: with(required, paid, method(but(linked(policy.SMS), func(m *policy.Method) { m.UnprovedSent = 2 }))), outcome: policy.Ask, offers: only(policy.Email, policy.SMS)},
		{sentence: "an unproved number gets no fourth code", facts: with(required, paid, method(but(linked(policy.SMS), func(m *policy.Method) { m.UnprovedSent = 3 }))), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.UnprovedSpent}},
		{sentence: "a proved number has no such end", facts: with(required, paid, method(but(proved(policy.SMS), func(m *policy.Method) { m.UnprovedSent = 3 }))), outcome: policy.Ask, offers: only(policy.Email, policy.SMS)},
		{sentence: "an unproved number is not offered once another method is proved", facts: with(required, paid, method(proved(policy.Email)), number), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.NotProved}},
		{sentence: "a pending number is not offered", facts: with(required, paid, method(but(proved(policy.SMS), func(m *policy.Method) { m.Pending = true }))), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.PendingProof}},
		{sentence: "a number that the network refuses is not offered", facts: with(required, paid, method(but(proved(policy.SMS), func(m *policy.Method) { m.Health = policy.HealthRefused }))), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.SMS: policy.NumberRefused}},
		{sentence: "an authenticator whose set-up was not finished is not offered", facts: with(required, method(linked(policy.TOTP))), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.TOTP: policy.NotSetUp}},
		{sentence: "recovery codes are offered while one is left", facts: with(required, method(but(linked(policy.Recovery), func(m *policy.Method) { m.Left = 1 }))), outcome: policy.Ask, offers: only(policy.Email, policy.Recovery)},
		{sentence: "used recovery codes are not offered", facts: with(required, method(linked(policy.Recovery))), outcome: policy.Ask, offers: only(policy.Email), without: withheld{policy.Recovery: policy.NoCodesLeft}},
		{sentence: "a site that accepts SMS at least is not offered email", facts: with(required, paid, member(weakest(policy.SMS)), number), outcome: policy.Ask, offers: only(policy.SMS), without: withheld{policy.Email: policy.TooWeakForSite}},
		{sentence: "a site that accepts authenticator and passkey only is not offered SMS", facts: with(required, paid, member(weakest(policy.TOTP)), method(proved(policy.SMS)), method(proved(policy.TOTP)), method(proved(policy.Recovery))), outcome: policy.Ask, offers: only(policy.TOTP, policy.Recovery), without: withheld{policy.SMS: policy.TooWeakForSite}},
		{sentence: "a weakest method nobody knows is read as the strictest setting", facts: with(required, paid, member(weakest("fax")), method(proved(policy.SMS))), outcome: policy.Enrol},
		{sentence: "100 wrong in a row: the method must be proved anew", facts: with(required, method(but(proved(policy.Email), func(m *policy.Method) { m.Spent = true }))), outcome: policy.Enrol, without: withheld{policy.Email: policy.SpentMethod}},
	})
}

func TestRestingMethods(t *testing.T) {
	t.Parallel()
	required := member(xero())
	resting := func(kind policy.MethodKind, until time.Time) change {
		return method(but(proved(kind), func(m *policy.Method) { m.RestingUntil = until }))
	}
	hold(t, []rule{
		{sentence: "a resting method is not offered until its window frees", facts: with(required, resting(policy.Email, noon.Add(20*minute)), method(proved(policy.TOTP))), outcome: policy.Ask, offers: only(policy.TOTP), starts: policy.TOTP, without: withheld{policy.Email: policy.Resting}, until: noon.Add(20 * minute)},
		{sentence: "a rested method is offered from that instant on", facts: with(required, resting(policy.Email, noon)), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "when every method merely rests nobody must be enrolled", facts: with(required, resting(policy.Email, noon.Add(tick)), resting(policy.TOTP, noon.Add(hour))), outcome: policy.Ask, because: because(policy.EveryMethodRests), offers: only(), until: noon.Add(tick)},
		{sentence: "a resting method that is dead too does not hold enrolment back", facts: with(required, method(but(proved(policy.Email), func(m *policy.Method) { m.RestingUntil, m.Health = noon.Add(hour), policy.HealthBounced }))), outcome: policy.Enrol},
		{sentence: "recovery codes never rest and are never spent", facts: with(required, noMethods, method(but(proved(policy.Recovery), func(m *policy.Method) { m.RestingUntil, m.Spent = noon.Add(hour), true }))), outcome: policy.Ask, offers: only(policy.Recovery), starts: policy.Recovery},
	})
}

func TestResetByEmail(t *testing.T) {
	t.Parallel()
	required := member(xero())
	paid := member(sms(50, 0))
	mark := noon.Add(-day)
	hold(t, []rule{
		{sentence: "after a reset by email the email does not count", facts: with(required, reset(mark), method(proved(policy.TOTP))), outcome: policy.Ask, offers: only(policy.TOTP), without: withheld{policy.Email: policy.ResetMark}},
		{sentence: "after a reset by email an email code passed does not let in", facts: with(required, reset(mark), method(proved(policy.Email)), passed(policy.Email, noon)), outcome: policy.Enrol, because: because(policy.PassNotEnough)},
		{sentence: "an email code passed before the reset does not either", facts: with(required, reset(mark), method(proved(policy.Email)), passed(policy.Email, mark.Add(-hour))), outcome: policy.Enrol},
		{sentence: "after a reset an unproved number does not count", facts: with(required, paid, reset(mark), method(linked(policy.SMS))), outcome: policy.Enrol, without: withheld{policy.SMS: policy.ResetMark}},
		{sentence: "after a reset a number proved before it counts", facts: with(required, paid, reset(mark), method(proved(policy.SMS))), outcome: policy.Ask, offers: only(policy.SMS)},
		{sentence: "after a reset a number proved since does not count", facts: with(required, paid, reset(mark), method(but(proved(policy.SMS), func(m *policy.Method) { m.ProvedAt = mark }))), outcome: policy.Enrol},
		{sentence: "a pass by a number proved before the reset counts", facts: with(required, reset(mark), method(proved(policy.SMS)), passed(policy.SMS, noon)), outcome: policy.Allow},
		{sentence: "a pass by a number proved since the reset does not", facts: with(required, reset(mark), method(but(proved(policy.SMS), func(m *policy.Method) { m.ProvedAt = noon })), passed(policy.SMS, noon)), outcome: policy.Enrol},
		{sentence: "recovery codes made before the reset count", facts: with(required, reset(mark), method(but(linked(policy.Recovery), func(m *policy.Method) { m.Left = 2 }))), outcome: policy.Ask, offers: only(policy.Recovery)},
		{sentence: "where 2FA is required the mark does not end by itself", facts: with(required, reset(noon.Add(-70*day))), outcome: policy.Enrol, without: withheld{policy.Email: policy.ResetMark}},
		{sentence: "where nothing was required the mark ends after 7 days", facts: with(acr(2), reset(noon.Add(-7*day))), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "a microsecond before, it still stands", facts: with(acr(2), reset(noon.Add(-7*day+tick))), outcome: policy.Enrol, until: noon.Add(tick)},
		{sentence: "a mark that ended before the site's date does not come back with it", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: noon.Add(-70 * day), EnforceAt: noon})), reset(noon.Add(-7*day))), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "a mark that stood when the site's date came stays", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: noon.Add(-70 * day), EnforceAt: noon.Add(-tick)})), reset(noon.Add(-7*day))), outcome: policy.Enrol},
		{sentence: "a setting chosen after the mark ended does not bring it back", facts: with(member(everyone), member(func(m *policy.Membership) { m.SettingSince = noon.Add(-day) }), reset(noon.Add(-9*day))), outcome: policy.Ask, offers: only(policy.Email)},
		{sentence: "what was required first keeps the mark, whatever was added since", facts: with(wants2FA, member(everyone), member(func(m *policy.Membership) { m.SettingSince = noon.Add(-day) }), reset(noon.Add(-9*day))), outcome: policy.Enrol},
		{sentence: "so it does when the later one is weighed last", facts: with(member(everyone), wants2FA, func(f *policy.Facts) { f.User.WantsSince = noon.Add(-day) }, reset(noon.Add(-9*day))), outcome: policy.Enrol},
		{sentence: "a user's own choice keeps the mark", facts: with(wants2FA, reset(noon.Add(-9*day))), outcome: policy.Enrol},
	})
}

func TestTheDefault(t *testing.T) {
	t.Parallel()
	all := with(member(xero()), member(sms(9, 0)), method(proved(policy.Email)), method(proved(policy.SMS)), method(proved(policy.TOTP)), method(proved(policy.Recovery)))
	used := func(kind policy.MethodKind, at time.Time) change {
		return func(f *policy.Facts) {
			for i := range f.User.Methods {
				if f.User.Methods[i].Kind == kind {
					f.User.Methods[i].LastUsedAt = at
				}
			}
		}
	}
	down := func(f *policy.Facts) { f.User.Methods[0].ChannelHealth = policy.HealthRefused }
	hold(t, []rule{
		{sentence: "the user's usual way comes first", facts: append(slices.Clone(all), usual(policy.SMS), used(policy.TOTP, noon)), outcome: policy.Ask, starts: policy.SMS},
		{sentence: "else the one last used with success", facts: append(slices.Clone(all), used(policy.TOTP, noon.Add(-day)), used(policy.SMS, noon.Add(-2*day))), outcome: policy.Ask, starts: policy.TOTP},
		{sentence: "else email", facts: all, outcome: policy.Ask, starts: policy.Email},
		{sentence: "a usual way that is not offered is no default", facts: append(slices.Clone(all), usual(policy.SMS), member(sms(0, 0))), outcome: policy.Ask, starts: policy.Email},
		{sentence: "a recovery code used last is no habit", facts: append(slices.Clone(all), used(policy.Recovery, noon)), outcome: policy.Ask, starts: policy.Email},
		{sentence: "all mail down: offered still, but not begun with", facts: append(slices.Clone(all), usual(policy.Email), down), outcome: policy.Ask, starts: policy.TOTP, offers: only(policy.Email, policy.TOTP, policy.SMS, policy.Recovery)},
		{sentence: "all mail down and nothing else: begun with all the same", facts: with(member(xero()), down), outcome: policy.Ask, starts: policy.Email},
	})
}

func TestWhoCanMendIt(t *testing.T) {
	t.Parallel()
	fix := func(kind policy.MethodKind, cs ...change) policy.Fixer {
		d := policy.Decide(pat(append(with(member(xero())), cs...)...), noon)
		for _, w := range d.NotOffered {
			if w.Kind == kind {
				return w.Fix
			}
		}
		return ""
	}
	lone := member(func(m *policy.Membership) { m.LoneAdmin = true })
	for sentence, got := range map[string][2]policy.Fixer{
		"a missing number: an admin":                                {fix(policy.SMS), policy.FixAdmin},
		"a missing number of the only Admin: the account manager":   {fix(policy.SMS, lone), policy.FixAccountManager},
		"a missing number of a user of two sites: the vendor":       {fix(policy.SMS, member(sms(5, 0)), also("harbour")), policy.FixAccountManager},
		"no SMS available, of a user of two sites: a site's admin":  {fix(policy.SMS, method(proved(policy.SMS)), also("harbour")), policy.FixAdmin},
		"an authenticator never set up: the user":                   {fix(policy.TOTP), policy.FixSelf},
		"a resting method: the user, by waiting":                    {fix(policy.Email, method(but(proved(policy.Email), func(m *policy.Method) { m.RestingUntil = noon.Add(hour) }))), policy.FixSelf},
		"a marked email: an admin, who approves":                    {fix(policy.Email, reset(noon)), policy.FixAdmin},
		"an inactive membership elsewhere changes nobody's helpers": {fix(policy.SMS, also("harbour", inactive)), policy.FixAdmin},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, not %q", sentence, got[0], got[1])
		}
	}
	stuck := policy.Decide(pat(member(xero()), noMethods), noon)
	if stuck.Outcome != policy.Enrol || stuck.Help != policy.FixAdmin {
		t.Errorf("a stuck person is not sent to an admin: %+v", stuck)
	}
}

func TestTheSiteThatRequiresPaysForTheSMS(t *testing.T) {
	t.Parallel()
	d := policy.Decide(pat(method(proved(policy.SMS)), member(sms(5, 0)), also("harbour", xero(), sms(5, 0))), noon)
	i := slices.IndexFunc(d.Offered, func(o policy.Offer) bool { return o.Kind == policy.SMS })
	if i < 0 || d.Offered[i].Site != "harbour" {
		t.Errorf("the SMS is not paid by harbour: %+v", d.Offered)
	}
	d = policy.Decide(pat(method(proved(policy.SMS)), member(sms(5, 0)), also("harbour", xero())), noon)
	i = slices.IndexFunc(d.Offered, func(o policy.Offer) bool { return o.Kind == policy.SMS })
	if i < 0 || d.Offered[i].Site != "bayside" {
		t.Errorf("the SMS is not paid by the site that has one: %+v", d.Offered)
	}
}

func TestWhenEveryMethodRestsTheFirstToWakeIsNamed(t *testing.T) {
	t.Parallel()
	for _, waits := range [][2]time.Duration{{hour, day}, {day, hour}} {
		rest := func(kind policy.MethodKind, wait time.Duration) change {
			return method(but(proved(kind), func(m *policy.Method) { m.RestingUntil = noon.Add(wait) }))
		}
		d := policy.Decide(pat(member(xero()), rest(policy.Email, waits[0]), rest(policy.TOTP, waits[1])), noon)
		last := d.Reasons[len(d.Reasons)-1]
		if last.Key != policy.EveryMethodRests || !last.Until.Equal(noon.Add(hour)) {
			t.Errorf("resting for %v, the reason is %+v", waits, last)
		}
	}
}
