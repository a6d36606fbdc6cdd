package policy_test

import (
	"slices"
	"time"

	"keyturn/internal/policy"
)

// The rules are told here a second time, in another way and as naively as can be: what
// follows shares no line with what it checks.

// reachedBy lists the memberships that count.
func reachedBy(f policy.Facts, now time.Time) []policy.Membership {
	var ms []policy.Membership
	for _, m := range f.Memberships {
		over := !m.EndsAt.IsZero() && !now.Before(m.EndsAt)
		if m.Status == policy.Active && !over && (m.Kind != policy.Mobile || f.Client.Kind == policy.ClientMobile) {
			ms = append(ms, m)
		}
	}
	return ms
}

// siteRequires says whether a site requires 2FA of this office member.
func siteRequires(m policy.Membership, now time.Time) bool {
	if m.Setting == policy.SettingEveryone || m.Setting == policy.SettingPerUser && m.Required2FA {
		return true
	}
	return xeroRequires(m, now)
}

func xeroRequires(m policy.Membership, now time.Time) bool {
	r := m.Rollout
	dateCame := !r.EnforceAt.IsZero() && !r.EnforceAt.After(now) && !r.ExtendedUntil.After(now)
	requires := func(connected time.Time) bool {
		began := !r.BeganAt.IsZero() && !connected.Before(r.BeganAt)
		return !connected.After(now) && (!r.Defined || began || dateCame)
	}
	for _, i := range m.Integrations {
		if i.Kind != policy.Xero {
			continue
		}
		gone := i.State == policy.Disconnected
		lowered := !i.LoweredAt.IsZero() && !i.DisconnectedAt.IsZero() && i.LoweredAt.Sub(i.DisconnectedAt) >= 7*day
		switch {
		case !gone && requires(i.Since):
			return true
		case lowered, gone && i.Since.IsZero() && i.DisconnectedAt.IsZero():
		case gone && requires(i.Since), !gone && !i.DisconnectedAt.IsZero() && requires(i.DisconnectedAt):
			return true
		}
	}
	return false
}

// requiring lists the memberships whose sites require.
func requiring(f policy.Facts, now time.Time) []policy.Membership {
	var ms []policy.Membership
	for _, m := range reachedBy(f, now) {
		if m.Kind != policy.Mobile && siteRequires(m, now) {
			ms = append(ms, m)
		}
	}
	return ms
}

// usable says whether a method could let this person in, were it not for resting.
func usable(f policy.Facts, m policy.Method, now time.Time) bool {
	order := map[policy.MethodKind]int{policy.Email: 1, policy.SMS: 2, policy.TOTP: 3, policy.Recovery: 3, policy.Passkey: 4}
	levels := map[policy.MethodKind]int{policy.Email: 2, policy.SMS: 3, policy.TOTP: 3, policy.Recovery: 3, policy.Passkey: 4}
	dead := m.Health == policy.HealthBounced || m.Health == policy.HealthRefused
	ok := !m.Pending && (levels[m.Kind] >= f.Client.ACR || m.Kind == policy.Recovery && f.Client.OrRecovery)
	for _, s := range requiring(f, now) {
		ok = ok && (s.Weakest == "" || order[m.Kind] >= order[s.Weakest])
	}
	if f.User.Staff {
		ok = ok && (m.Kind == policy.TOTP || m.Kind == policy.Passkey)
	}
	if m.Kind != policy.Recovery {
		ok = ok && !m.Spent
	}
	switch m.Kind {
	case policy.Email:
		return ok && !dead && !m.AwaitsProof
	case policy.SMS:
		if m.ProvedAt.IsZero() {
			anyProved := slices.ContainsFunc(f.User.Methods, func(o policy.Method) bool { return !o.ProvedAt.IsZero() })
			ok = ok && !m.LinkedAt.IsZero() && m.UnprovedSent < 3 && !anyProved
		}
		return ok && !dead && slices.ContainsFunc(reachedBy(f, now), func(s policy.Membership) bool {
			return s.SMSAvailable > s.SMSFloat || s.Group == policy.GroupAdmin && !s.FloatUsed && s.SMSAvailable > 0
		})
	case policy.TOTP, policy.Passkey:
		return ok && !m.ProvedAt.IsZero()
	case policy.Recovery:
		return ok && m.Left > 0
	}
	return false
}

// freshMark says that a reset by email less than 7 days ago still binds, whoever
// requires what.
func freshMark(f policy.Facts, now time.Time) bool {
	return !f.User.ResetMarkAt.IsZero() && now.Sub(f.User.ResetMarkAt) < 7*day
}

func rests(m policy.Method, now time.Time) bool {
	return m.Kind != policy.Recovery && m.RestingUntil.After(now)
}
