package policy_test

import (
	"slices"
	"testing"
	"time"

	"keyturn/internal/policy"
)

// noon is Tuesday 10 March 2026, 11 pm in Sydney; the next 4 am there is 17:00 UTC.
var noon = time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
	tick   = time.Microsecond
)

func sydney() *time.Location {
	zone, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		panic(err)
	}
	return zone
}

// change makes one thing about Pat different.
type change func(*policy.Facts)

// pat is a Mechanic in the office of Bayside Auto, which has nothing to do with Xero
// and no 2FA of its own; the login name is a linked address that nobody has proved.
func pat(changes ...change) policy.Facts {
	f := policy.Facts{
		Memberships: []policy.Membership{{
			Site: "bayside", SiteName: "Bayside Auto", Kind: policy.Office, Group: policy.GroupMechanic,
			Status: policy.Active, Setting: policy.SettingOff, Remember: policy.RememberDaily, Zone: sydney(),
		}},
		User:   policy.User{Methods: []policy.Method{{ID: "e", Kind: policy.Email, LinkedAt: noon.Add(-400 * day)}}},
		Client: policy.Client{Kind: policy.ClientWeb},
	}
	for _, c := range changes {
		c(&f)
	}
	return f
}

func with(changes ...change) []change { return changes }

// member changes Pat's membership of Bayside.
func member(c func(*policy.Membership)) change {
	return func(f *policy.Facts) { c(&f.Memberships[0]) }
}

// also gives Pat a membership of another site.
func also(site string, cs ...func(*policy.Membership)) change {
	return func(f *policy.Facts) {
		m := policy.Membership{
			Site: site, SiteName: "Harbour Mechanical", Kind: policy.Office, Group: policy.GroupUser,
			Status: policy.Active, Remember: policy.RememberDaily, Zone: time.UTC,
		}
		for _, c := range cs {
			c(&m)
		}
		f.Memberships = append(f.Memberships, m)
	}
}

func everyone(m *policy.Membership) { m.Setting = policy.SettingEveryone }
func mobile(m *policy.Membership)   { m.Kind = policy.Mobile }
func blocked(m *policy.Membership)  { m.Status = policy.Blocked }
func inactive(m *policy.Membership) { m.Status = policy.Inactive }

func group(g policy.Group) func(*policy.Membership) {
	return func(m *policy.Membership) { m.Group = g }
}

func weakest(k policy.MethodKind) func(*policy.Membership) {
	return func(m *policy.Membership) { m.Weakest = k }
}

func remember(r policy.Remember) func(*policy.Membership) {
	return func(m *policy.Membership) { m.Remember = r }
}

func sms(available, float int) func(*policy.Membership) {
	return func(m *policy.Membership) { m.SMSAvailable, m.SMSFloat = available, float }
}

func rollout(r policy.Rollout) func(*policy.Membership) {
	r.Defined = true
	return func(m *policy.Membership) { m.Rollout = r }
}

// xero connects the site a year ago, as changed.
func xero(cs ...func(*policy.Integration)) func(*policy.Membership) {
	return func(m *policy.Membership) {
		i := policy.Integration{
			Kind: policy.Xero, State: policy.Connected, Since: noon.Add(-365 * day), By: "Pat Chen", Organisation: "Bayside Pty Ltd",
		}
		for _, c := range cs {
			c(&i)
		}
		m.Integrations = append(m.Integrations, i)
	}
}

func since(t time.Time) func(*policy.Integration) {
	return func(i *policy.Integration) { i.Since = t }
}

func failing(i *policy.Integration) { i.State = policy.Failing }

func cut(at time.Time) func(*policy.Integration) {
	return func(i *policy.Integration) { i.State, i.DisconnectedAt = policy.Disconnected, at }
}

func lowered(at time.Time) func(*policy.Integration) {
	return func(i *policy.Integration) { i.LoweredAt = at }
}

// method gives Pat a method; an email replaces the one that Pat has.
func method(m policy.Method) change {
	return func(f *policy.Facts) {
		if m.ID == "" {
			m.ID = string(m.Kind)
		}
		if m.Kind == policy.Email {
			f.User.Methods = nil
		}
		f.User.Methods = append(f.User.Methods, m)
	}
}

func noMethods(f *policy.Facts) { f.User.Methods = nil }

func proved(kind policy.MethodKind) policy.Method {
	return policy.Method{Kind: kind, LinkedAt: noon.Add(-99 * day), ProvedAt: noon.Add(-90 * day), Left: 10}
}

func linked(kind policy.MethodKind) policy.Method {
	return policy.Method{Kind: kind, LinkedAt: noon.Add(-99 * day)}
}

func but(m policy.Method, c func(*policy.Method)) policy.Method {
	c(&m)
	return m
}

func passed(kind policy.MethodKind, at time.Time) change {
	return func(f *policy.Facts) { f.Passed = append(f.Passed, policy.Pass{Kind: kind, At: at}) }
}

func remembered(at time.Time, sites ...string) change {
	return func(f *policy.Facts) { f.Remembered = &policy.Remembered{Since: at, Sites: sites} }
}

func client(kind policy.ClientKind) change {
	return func(f *policy.Facts) { f.Client.Kind = kind }
}

func acr(level int) change { return func(f *policy.Facts) { f.Client.ACR = level } }

func maxAge(d time.Duration) change { return func(f *policy.Facts) { f.Client.MaxAge = &d } }

func staff(f *policy.Facts) { f.User.Staff = true }

func wants2FA(f *policy.Facts) { f.User.Wants2FA = true }

func usual(k policy.MethodKind) change { return func(f *policy.Facts) { f.User.Usual = k } }

func reset(at time.Time) change { return func(f *policy.Facts) { f.User.ResetMarkAt = at } }

func risk(at time.Time) change { return func(f *policy.Facts) { f.User.RiskAt = at } }

func keys(d policy.Decision) []policy.ReasonKey {
	var out []policy.ReasonKey
	for _, r := range d.Reasons {
		out = append(out, r.Key)
	}
	return out
}

func kinds(d policy.Decision) []policy.MethodKind {
	var out []policy.MethodKind
	for _, o := range d.Offered {
		out = append(out, o.Kind)
	}
	return out
}

// rule is one sentence and what the policy must make of it.
type rule struct {
	sentence string
	facts    []change
	outcome  policy.Outcome
	// because are reasons that must be among the decision's, never those that must not.
	because []policy.ReasonKey
	never   []policy.ReasonKey
	// offers are the kinds offered, in the decision's order; not checked when nil.
	offers  []policy.MethodKind
	starts  policy.MethodKind                        // the default; not checked when empty
	without map[policy.MethodKind]policy.WithheldKey // what must be withheld, and why
	until   time.Time                                // ValidUntil; not checked when zero
}

func (r rule) check(t *testing.T) {
	t.Helper()
	d := policy.Decide(pat(r.facts...), noon)
	if d.Outcome != r.outcome {
		t.Fatalf("the outcome is %v, not %v: %+v", d.Outcome, r.outcome, d)
	}
	for _, k := range r.because {
		if !slices.Contains(keys(d), k) {
			t.Errorf("%q is missing from the reasons %v", k, keys(d))
		}
	}
	for _, k := range r.never {
		if slices.Contains(keys(d), k) {
			t.Errorf("%q is among the reasons %v", k, keys(d))
		}
	}
	if r.offers != nil && !slices.Equal(kinds(d), r.offers) {
		t.Errorf("offered are %v, not %v (%+v)", kinds(d), r.offers, d.NotOffered)
	}
	if r.starts != "" && d.Default != r.starts {
		t.Errorf("the default is %q, not %q", d.Default, r.starts)
	}
	for kind, key := range r.without {
		if !slices.ContainsFunc(d.NotOffered, func(w policy.Withheld) bool { return w.Kind == kind && w.Key == key }) {
			t.Errorf("%s is not withheld as %q: %+v", kind, key, d.NotOffered)
		}
	}
	if !r.until.IsZero() && !d.ValidUntil.Equal(r.until) {
		t.Errorf("valid until %v, not %v", d.ValidUntil, r.until)
	}
}

func hold(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.sentence, func(t *testing.T) {
			t.Parallel()
			r.check(t)
		})
	}
}
