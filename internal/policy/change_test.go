package policy_test

import (
	"slices"
	"testing"
	"time"

	"keyturn/internal/policy"
)

func proof(password time.Time, passes ...policy.Pass) policy.Proof {
	return policy.Proof{PasswordAt: password, Passed: passes}
}

// elsewhere gives Pat a membership of a site that the session does not reach.
func elsewhere(cs ...func(*policy.Membership)) change {
	return func(f *policy.Facts) {
		also("harbour", cs...)(f)
		last := len(f.Memberships) - 1
		f.Others, f.Memberships = append(f.Others, f.Memberships[last]), f.Memberships[:last]
	}
}

func recoveryCodes(left int) policy.Method {
	return but(linked(policy.Recovery), func(m *policy.Method) { m.Left = left })
}

func pass(kind policy.MethodKind, at time.Time) policy.Pass {
	return policy.Pass{Kind: kind, At: at}
}

func TestMayChange(t *testing.T) {
	t.Parallel()
	now := noon
	lately := now.Add(-policy.FreshFor)
	stale := lately.Add(-tick)
	spent := func(m *policy.Method) { m.Spent = true }
	rests := func(m *policy.Method) { m.RestingUntil = now.Add(hour) }
	bounced := func(m *policy.Method) { m.Health = policy.HealthBounced }
	enrolOnly := func(f *policy.Facts) { f.EnrolOnly = true }
	for _, row := range []struct {
		sentence string
		facts    []change
		proof    policy.Proof
		change   policy.Change
		ok       bool
		level    int
	}{
		{"the password alone does for whoever has a password alone", with(noMethods), proof(lately), policy.AddMethod, true, 1},
		{"but not an old one", with(noMethods), proof(stale), policy.AddMethod, false, 1},
		{"nor one of tomorrow", with(noMethods), proof(now.Add(tick)), policy.AddMethod, false, 1},
		{"an address that a code can reach asks for the code", nil, proof(lately), policy.AddMethod, false, 2},
		{"an email code of five minutes ago does", nil, proof(stale, pass(policy.Email, lately)), policy.OtherChange, true, 2},
		{"and not a moment longer", nil, proof(lately, pass(policy.Email, stale)), policy.OtherChange, false, 2},
		{"with an authenticator the email code is not enough", with(method(proved(policy.TOTP))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 3},
		{"the authenticator is", with(method(proved(policy.TOTP))), proof(lately, pass(policy.TOTP, lately)), policy.AddMethod, true, 3},
		{"with a passkey the authenticator is not enough", with(method(proved(policy.TOTP)), method(proved(policy.Passkey))), proof(lately, pass(policy.TOTP, lately)), policy.RemoveMethod, false, 4},
		{"a recovery code stands for the lost passkey when one is added", with(method(proved(policy.Passkey))), proof(lately, pass(policy.Recovery, lately)), policy.AddMethod, true, 4},
		{"and when the lost one is removed", with(method(proved(policy.Passkey))), proof(lately, pass(policy.Recovery, lately)), policy.RemoveMethod, true, 4},
		{"and for nothing else", with(method(proved(policy.Passkey))), proof(lately, pass(policy.Recovery, lately)), policy.OtherChange, false, 4},
		{"not even where the level is its own", with(method(proved(policy.TOTP))), proof(lately, pass(policy.Recovery, lately)), policy.OtherChange, false, 3},
		{"a number that another of the person's sites can pay for counts", with(method(proved(policy.SMS)), elsewhere(sms(10, 0))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 3},
		{"after a reset long ago nothing is added while another site requires", with(reset(now.Add(-30*day)), elsewhere(everyone)), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 0},
		{"recovery codes raise nothing", with(method(recoveryCodes(10))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, true, 2},
		{"an authenticator that rests still counts", with(method(but(proved(policy.TOTP), rests))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 3},
		{"a spent one too", with(method(but(proved(policy.TOTP), spent))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 3},
		{"a dead number does not", with(member(sms(10, 0)), method(but(proved(policy.SMS), bounced))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, true, 2},
		{"a number that a site can pay for counts", with(member(sms(10, 0)), method(proved(policy.SMS))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 3},
		{"one that nobody can pay for does not", with(method(proved(policy.SMS))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, true, 2},
		{"after a reset by email nothing is added", with(member(everyone), reset(now.Add(-hour))), proof(lately, pass(policy.Email, lately)), policy.AddMethod, false, 0},
		{"not even with what was proved before it", with(member(everyone), reset(now.Add(-hour)), method(proved(policy.TOTP))), proof(lately, pass(policy.TOTP, lately)), policy.AddMethod, false, 0},
		{"the email code counts for no other change either", with(member(everyone), reset(now.Add(-hour)), method(proved(policy.TOTP))), proof(lately, pass(policy.Email, lately)), policy.OtherChange, false, 3},
		{"an enrol-only session adds", with(enrolOnly), proof(stale), policy.AddMethod, true, 0},
		{"an enrol-only session removes nothing", with(enrolOnly), proof(lately, pass(policy.Email, lately)), policy.RemoveMethod, false, 0},
		{"an enrol-only session adds in spite of a reset", with(enrolOnly, member(everyone), reset(now.Add(-hour))), proof(lately), policy.AddMethod, true, 0},
		{"somebody who is blocked changes nothing", with(member(blocked)), proof(lately, pass(policy.Email, lately)), policy.OtherChange, false, 0},
		{"what the client asks does not matter", with(acr(4)), proof(lately, pass(policy.Email, lately)), policy.AddMethod, true, 2},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			ok, level := policy.MayChange(pat(row.facts...), row.proof, row.change, now)
			if ok != row.ok || level != row.level {
				t.Errorf("%v at level %d, not %v at %d", ok, level, row.ok, row.level)
			}
		})
	}
}

func TestARecoveryCodeDoesInPlaceOfALevelWhereItMay(t *testing.T) {
	t.Parallel()
	f := pat(acr(4), method(proved(policy.Passkey)), method(recoveryCodes(3)))
	offers := func() []policy.MethodKind { return kinds(policy.Decide(f, noon)) }
	if got := offers(); slices.Contains(got, policy.Recovery) {
		t.Errorf("offered for level 4: %v", got)
	}
	f.Client.OrRecovery = true
	if got := offers(); !slices.Contains(got, policy.Recovery) || slices.Contains(got, policy.Email) {
		t.Errorf("offered for level 4 or a recovery code: %v", got)
	}
	f.Passed = []policy.Pass{pass(policy.Recovery, noon)}
	if d := policy.Decide(f, noon); !d.Outcome.GoesOn() {
		t.Errorf("after the recovery code: %v", d.Outcome)
	}
}

func TestAnAdminHasOnlyTheirPartOfTheFloat(t *testing.T) {
	t.Parallel()
	used := func(m *policy.Membership) { m.FloatUsed = true }
	admin := with(member(everyone), member(group(policy.GroupAdmin)), member(sms(3, 3)), method(linked(policy.SMS)))
	if d := policy.Decide(pat(admin...), noon); !slices.Contains(kinds(d), policy.SMS) {
		t.Errorf("an Admin is offered %v", kinds(d))
	}
	if d := policy.Decide(pat(append(admin, member(used))...), noon); slices.Contains(kinds(d), policy.SMS) {
		t.Errorf("an Admin who had their part is offered %v", kinds(d))
	}
}
