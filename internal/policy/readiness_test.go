package policy_test

import (
	"slices"
	"testing"
	"time"

	"keyturn/internal/policy"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	lone := member(func(m *policy.Membership) { m.LoneAdmin, m.Group = true, policy.GroupAdmin })
	mail := method(proved(policy.Email))
	for _, row := range []struct {
		sentence string
		facts    []change
		want     policy.Mark
	}{
		{"a proved email that works: ready", with(mail), policy.Ready},
		{"a plausible email, never proved: will manage", nil, policy.WillManage},
		{"a plausible email and recovery codes, which nobody proves: ready", with(method(but(linked(policy.Recovery), func(m *policy.Method) { m.Left = 10 }))), policy.Ready},
		{"a bounced email and nothing else: needs help", with(method(but(proved(policy.Email), func(m *policy.Method) { m.Health = policy.HealthBounced }))), policy.NeedsHelp},
		{"no email: needs help", with(noMethods), policy.NeedsHelp},
		{"a bounced email and an authenticator: ready", with(method(but(proved(policy.Email), func(m *policy.Method) { m.Health = policy.HealthBounced })), method(proved(policy.TOTP))), policy.Ready},
		{"proved, but all mail is down: will manage", with(method(but(proved(policy.Email), func(m *policy.Method) { m.ChannelHealth = policy.HealthRefused }))), policy.WillManage},
		{"everything rests now: needs help", with(method(but(proved(policy.Email), func(m *policy.Method) { m.RestingUntil = noon.Add(hour) }))), policy.NeedsHelp},
		{"a proved email that the site refuses: needs help", with(mail, member(weakest(policy.TOTP))), policy.NeedsHelp},
		{"what was passed now predicts nothing", with(noMethods, passed(policy.Passkey, noon)), policy.NeedsHelp},
		{"what is remembered now predicts nothing", with(noMethods, remembered(noon, "bayside")), policy.NeedsHelp},
		{"a fresh reset by email: needs help", with(mail, reset(noon.Add(-day))), policy.NeedsHelp},
		{"a reset long ago where nothing was required: ready", with(mail, reset(noon.Add(-70*day))), policy.Ready},
		{"a lone Admin with one road: will manage", with(mail, lone), policy.WillManage},
		{"a lone Admin with two roads that need delivery: will manage", with(mail, lone, member(sms(5, 0)), method(proved(policy.SMS))), policy.WillManage},
		{"a lone Admin with recovery codes alone: will manage", with(noMethods, lone, method(proved(policy.Recovery))), policy.WillManage},
		{"a lone Admin with two roads, one needing no delivery: ready", with(mail, lone, method(proved(policy.Recovery))), policy.Ready},
		{"a mobile member: exempt", with(member(mobile)), policy.Exempt},
		{"an inactive member: exempt", with(member(inactive)), policy.Exempt},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			p := policy.Readiness(pat(row.facts...), noon)
			if p.Mark != row.want {
				t.Errorf("the mark is %s, not %s: %+v", p.Mark, row.want, p.Decision)
			}
		})
	}
}

func TestReadinessLeavesTheFactsAlone(t *testing.T) {
	t.Parallel()
	f := pat()
	policy.Readiness(f, noon)
	if f.Memberships[0].Setting != policy.SettingOff {
		t.Error("the prediction wrote into the facts it was given")
	}
}

func TestReadinessKnowsWhenAMarkEnds(t *testing.T) {
	t.Parallel()
	mark := noon.Add(-day)
	p := policy.Readiness(pat(method(proved(policy.Email)), reset(mark)), noon)
	if want := mark.Add(7 * day); !p.Decision.ValidUntil.Equal(want) {
		t.Errorf("the prediction holds until %v, not %v", p.Decision.ValidUntil, want)
	}
	if then := policy.Readiness(pat(method(proved(policy.Email)), reset(mark)), p.Decision.ValidUntil); then.Mark != policy.Ready {
		t.Errorf("after the mark the person is %s", then.Mark)
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	if yes, why := policy.Required(pat(), noon); yes || len(why) != 0 {
		t.Errorf("required of nobody's choice: %v", why)
	}
	yes, why := policy.Required(pat(member(xero()), passed(policy.Email, noon)), noon)
	want := policy.Reason{
		Key: policy.XeroConnected, Site: "bayside", SiteName: "Bayside Auto",
		Since: noon.Add(-365 * day), By: "Pat Chen", Organisation: "Bayside Pty Ltd",
	}
	if !yes || !slices.Equal(why, []policy.Reason{want}) {
		t.Errorf("required %v because %+v", yes, why)
	}
	if yes, _ := policy.Required(pat(member(xero()), member(mobile)), noon); yes {
		t.Error("something is required of somebody who is refused")
	}
}

func TestReasonsCarryTheirFacts(t *testing.T) {
	t.Parallel()
	date := noon.Add(-day)
	d := policy.Decide(pat(member(xero(cut(noon.Add(-2*day)))), member(rollout(policy.Rollout{EnforceAt: date}))), noon)
	was, enforced := d.Reasons[0], d.Reasons[1]
	if was.Key != policy.EnforcedSince {
		was, enforced = enforced, was
	}
	if !was.Since.Equal(date) || !enforced.Until.Equal(noon.Add(5*day)) || enforced.By != "Pat Chen" {
		t.Errorf("the reasons do not say since when and until when: %+v", d.Reasons)
	}
	d = policy.Decide(pat(member(xero()), remembered(noon, "bayside")), noon)
	last := d.Reasons[len(d.Reasons)-1]
	if last.Key != policy.DeviceRemembered || !last.Until.Equal(d.ValidUntil) || !last.Since.Equal(noon) {
		t.Errorf("the device's reason does not say until when: %+v", last)
	}
}

func TestTheDevicesReasonNamesTheFirstEnd(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]policy.Remember{{policy.Remember7, policy.Remember14}, {policy.Remember14, policy.Remember7}} {
		d := policy.Decide(pat(member(everyone), member(remember(order[0])), also("harbour", everyone, remember(order[1])), remembered(noon, "bayside", "harbour")), noon)
		last := d.Reasons[len(d.Reasons)-1]
		if last.Key != policy.DeviceRemembered || !last.Until.Equal(noon.Add(7*day)) {
			t.Errorf("with limits %v the device's reason is %+v", order, last)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for kind, level := range map[policy.MethodKind]int{
		policy.Email: 2, policy.SMS: 3, policy.TOTP: 3, policy.Recovery: 3, policy.Passkey: 4, "password": 1,
	} {
		if got := policy.ACR([]policy.Pass{{Kind: kind, At: noon}}); got != level {
			t.Errorf("%s reaches %d, not %d", kind, got, level)
		}
	}
	if policy.ACR(nil) != 1 || policy.URN(policy.ACR(nil)) != "urn:keyturn:1" {
		t.Error("nothing passed, a remembered device at most, is not level 1")
	}
	if got := policy.ACR([]policy.Pass{{Kind: policy.Passkey}, {Kind: policy.Email}}); got != 4 {
		t.Errorf("the highest pass does not count: %d", got)
	}
	for _, acr := range []string{"", "urn:keyturn:0", "urn:keyturn:5", "urn:keyturn:01", "URN:keyturn:1", "urn:keyturn:1 ", "1"} {
		if level, known := policy.ParseURN(acr); known {
			t.Errorf("%q is known as %d", acr, level)
		}
	}
	for level := 1; level <= 4; level++ {
		if got, known := policy.ParseURN(policy.URN(level)); !known || got != level {
			t.Errorf("%q is read as %d", policy.URN(level), got)
		}
	}
}

func TestDecisionSaysTheLevelAndTheSites(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		sentence string
		facts    []change
		level    int
		sites    []string
	}{
		{"nothing required: a password", nil, 1, []string{"bayside"}},
		{"Xero: an email code at least", with(member(xero())), 2, []string{"bayside"}},
		{"own choice: an email code at least", with(wants2FA), 2, []string{"bayside"}},
		{"SMS at least", with(member(xero()), member(weakest(policy.SMS))), 3, []string{"bayside"}},
		{"staff", with(staff), 3, []string{"bayside"}},
		{"a client that asks for a passkey", with(acr(4)), 4, []string{"bayside"}},
		{"a mobile site is not reached on the web", with(also("airport", mobile)), 1, []string{"bayside"}},
		{"a mobile site is reached in the app", with(also("airport", mobile), client(policy.ClientMobile)), 1, []string{"airport", "bayside"}},
	} {
		d := policy.Decide(pat(row.facts...), noon)
		if d.Level != row.level || !slices.Equal(d.Sites, row.sites) {
			t.Errorf("%s: level %d at %v", row.sentence, d.Level, d.Sites)
		}
	}
}

func TestGroupsHaveRanks(t *testing.T) {
	t.Parallel()
	order := []policy.Group{policy.GroupSales, policy.GroupUser, policy.GroupManager, policy.GroupOwner, policy.GroupAdmin}
	for i, g := range order {
		if g.Rank() != i {
			t.Errorf("%s has rank %d, not %d", g, g.Rank(), i)
		}
	}
	if policy.GroupMechanic.Rank() != 0 || policy.Group("Apprentice").Rank() != 0 {
		t.Error("the rest have a rank")
	}
}

func TestOutcomesRiseAndHaveNames(t *testing.T) {
	t.Parallel()
	names := []string{"allow", "nudge", "ask", "enrol", "refuse", "unknown"}
	for i, name := range names {
		if got := policy.Outcome(i).String(); got != name {
			t.Errorf("outcome %d is called %q, not %q", i, got, name)
		}
	}
}

// A session that was let in by Xero's absence meets the second step the moment the
// facts change, whatever an earlier decision said about how long it holds.
func TestALiveSessionMeetsTheSecondStep(t *testing.T) {
	t.Parallel()
	before := policy.Decide(pat(), noon)
	after := policy.Decide(pat(member(xero(since(noon)))), noon.Add(time.Second))
	if before.Outcome != policy.Allow || after.Outcome != policy.Ask {
		t.Errorf("before %v, after %v", before.Outcome, after.Outcome)
	}
}
