package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/policy"
)

// statesPerProperty is how many random states each property is held against in a run.
const statesPerProperty = 10_000

// always holds a property against at least statesPerProperty random states.
func always(t *testing.T, property func(t *rapid.T, f policy.Facts, now time.Time)) {
	t.Helper()
	states := 0
	for states < statesPerProperty {
		rapid.Check(t, func(t *rapid.T) {
			f := anyFacts(t)
			now := moment(t, "now", 0)
			states++
			property(t, f, now)
		})
	}
	t.Logf("held in %d random states", states)
	if states < statesPerProperty {
		t.Errorf("only %d states were tried", states)
	}
}

// steps are distances from noon at which a rule's boundary can lie, so that random
// moments meet each other exactly, and by a hair, far more often than chance would.
var steps = [...]time.Duration{
	0, tick, -tick, 1, -1, minute, -minute, 5 * minute, -5 * minute, hour, -hour, 5 * hour, -5 * hour, -19 * hour,
	day, -day, 3 * day, -3 * day, 7 * day, -7 * day, 14 * day, -14 * day, 30 * day, -30 * day, 37 * day, -37 * day, -400 * day,
}

// moment draws a moment; one in so many is the zero time, none when that is 0.
func moment(t *rapid.T, label string, zeroIn int) time.Time {
	if zeroIn > 0 && rapid.IntRange(0, zeroIn-1).Draw(t, label+" zero") == 0 {
		return time.Time{}
	}
	at := noon.Add(rapid.SampledFrom(steps[:]).Draw(t, label))
	if rapid.IntRange(0, 3).Draw(t, label+" moved") == 0 {
		at = at.Add(time.Duration(rapid.Int64Range(-int64(40*hour), int64(40*hour)).Draw(t, label+" by")))
	}
	return at
}

func one[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

// rare is true once in so many.
func rare(t *rapid.T, label string, in int) bool {
	return rapid.IntRange(0, in-1).Draw(t, label) == in-1
}

var zones = [...]string{"Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "America/New_York", "Europe/London", "UTC"}

func anyZone(t *rapid.T) *time.Location {
	name := rapid.SampledFrom(zones[:]).Draw(t, "zone")
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("zone %s: %v", name, err)
	}
	return zone
}

var everyKind = []policy.MethodKind{policy.Email, policy.SMS, policy.TOTP, policy.Passkey, policy.Recovery}

func anyFacts(t *rapid.T) policy.Facts {
	var f policy.Facts
	for i := range one(t, "memberships", 0, 1, 1, 1, 1, 2, 2, 3) {
		f.Memberships = append(f.Memberships, anyMembership(t, fmt.Sprintf("s%d", i)))
	}
	f.User = policy.User{
		Staff: rare(t, "staff", 12), Wants2FA: rare(t, "wants 2FA", 5), WantsSince: moment(t, "wants since", 2),
		Usual: one(t, "usual", append(everyKind, "")...),
	}
	if rare(t, "marked", 5) {
		f.User.ResetMarkAt = moment(t, "reset", 0)
	}
	if rare(t, "risky", 4) {
		f.User.RiskAt = moment(t, "risk", 0)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "methods") {
		f.User.Methods = append(f.User.Methods, anyMethod(t, fmt.Sprintf("m%d", i)))
	}
	f.Client = policy.Client{
		Kind: one(t, "client", policy.ClientWeb, policy.ClientWeb, policy.ClientMobile, policy.ClientService),
		ACR:  one(t, "acr", 0, 0, 0, 0, 1, 2, 3, 4), OrRecovery: rare(t, "or recovery", 4),
	}
	if rare(t, "max_age", 5) {
		age := one(t, "age", 0, 5*minute, hour, day)
		f.Client.MaxAge = &age
	}
	if rare(t, "prompt", 10) {
		f.Client.PassedSince = moment(t, "passed since", 0)
	}
	for range one(t, "passes", 0, 0, 1, 2) {
		f.Passed = append(f.Passed, policy.Pass{Kind: one(t, "pass", append(everyKind, "password")...), At: moment(t, "passed", 0)})
	}
	if rare(t, "remembered", 2) {
		f.Remembered = &policy.Remembered{Since: moment(t, "remembered since", 20), Sites: []string{"s0", "s1", "s2"}[:one(t, "for", 3, 3, 1, 0)]}
	}
	f.EnrolOnly = rare(t, "enrol only", 20)
	return f
}

func anyMembership(t *rapid.T, site string) policy.Membership {
	m := policy.Membership{
		Site: site, SiteName: "Site " + site, Zone: anyZone(t),
		Kind:         one(t, "kind", policy.Office, policy.Office, policy.Office, policy.Mobile),
		Group:        one(t, "group", policy.GroupAdmin, policy.GroupMechanic, policy.GroupSales),
		Status:       one(t, "status", policy.Active, policy.Active, policy.Active, policy.Active, policy.Inactive, policy.Blocked),
		EndsAt:       moment(t, "ends", 1+one(t, "has an end", 0, 0, 0, 1)),
		LoneAdmin:    rare(t, "lone", 8),
		Setting:      one(t, "setting", policy.SettingOff, policy.SettingOff, policy.SettingPerUser, policy.SettingEveryone),
		SettingSince: moment(t, "setting since", 2),
		Required2FA:  rare(t, "toggle", 3), Required2FASince: moment(t, "toggle since", 2),
		Remember:     one(t, "remember", policy.RememberOff, policy.RememberDaily, policy.Remember7, policy.Remember14, policy.Remember30),
		Weakest:      one(t, "weakest", "", policy.Email, policy.Email, policy.SMS, policy.TOTP),
		SMSAvailable: one(t, "sms", 0, 1, 10, 11), SMSFloat: one(t, "float", 0, 10), FloatUsed: rare(t, "float used", 3),
		Rollout: policy.Rollout{
			Defined: !rare(t, "no rollout", 3), BeganAt: moment(t, "began", 4), PrepareFrom: moment(t, "prepare", 2),
			EnforceAt: moment(t, "enforce", 4), ExtendedUntil: moment(t, "extended", 2),
		},
	}
	for range one(t, "integrations", 0, 1, 1, 2) {
		m.Integrations = append(m.Integrations, policy.Integration{
			Kind: one(t, "integration", policy.Xero, policy.Xero, policy.Xero, "myob"), By: "Pat", Organisation: "Org",
			State: one(t, "state", policy.Connected, policy.Connected, policy.Failing, policy.Disconnected),
			Since: moment(t, "connected", 10), DisconnectedAt: moment(t, "disconnected", 2), LoweredAt: moment(t, "lowered", 2),
		})
	}
	return m
}

func anyMethod(t *rapid.T, id string) policy.Method {
	healths := []policy.Health{policy.HealthUnknown, policy.HealthGood, policy.HealthDelayed, policy.HealthBounced, policy.HealthRefused}
	m := policy.Method{
		ID: id, Kind: one(t, "method", everyKind...), LinkedAt: moment(t, "linked", 8), ProvedAt: moment(t, "proved", 3),
		LastUsedAt: moment(t, "used", 2), Pending: rare(t, "pending", 12), UnprovedSent: one(t, "sent", 0, 2, 3),
		Health: one(t, "health", healths...), ChannelHealth: one(t, "channel", healths...),
		Spent: rare(t, "spent", 12), Left: one(t, "left", 0, 1, 10), AwaitsProof: rare(t, "awaits", 10),
	}
	if rare(t, "rests", 3) {
		m.RestingUntil = moment(t, "resting", 0)
	}
	return m
}

// shuffled gives the same facts in another order.
func shuffled(t *rapid.T, f policy.Facts) policy.Facts {
	f.Memberships = mixed(t, f.Memberships)
	for i := range f.Memberships {
		f.Memberships[i].Integrations = mixed(t, f.Memberships[i].Integrations)
	}
	f.User.Methods = mixed(t, f.User.Methods)
	f.Passed = mixed(t, f.Passed)
	return f
}

func mixed[T any](t *rapid.T, all []T) []T {
	if len(all) == 0 {
		return all
	}
	return rapid.Permutation(slices.Clone(all)).Draw(t, "order")
}
