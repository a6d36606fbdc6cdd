package reason

import (
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
)

// Unready says in sentences what somebody lacks who is not ready; nothing of whoever is,
// or is exempt.
func Unready(p readiness.Person) []string {
	switch p.Mark {
	case policy.Ready, policy.Exempt:
		return nil
	case policy.WillManage:
		switch p.Do { //nolint:exhaustive // of somebody who will manage there is no other
		case readiness.DoSecondRoad:
			return []string{locale.Say(locale.LackRoad)}
		case readiness.DoWait:
			return []string{locale.Say(locale.LackChannel)}
		}
		return []string{locale.Say(locale.LackUntried)}
	case policy.NeedsHelp:
	}
	if said := Lacks(p.Lacks); len(said) > 0 {
		return said
	}
	return []string{locale.Say(locale.LackNothing)}
}

// Mend says what gets somebody further; empty for nothing.
func Mend(do readiness.Action) string {
	switch do {
	case readiness.DoTry:
		return locale.Say(locale.MendTry)
	case readiness.DoSecondRoad:
		return locale.Say(locale.MendRoad)
	case readiness.DoSetUp:
		return locale.Say(locale.MendSetup)
	case readiness.DoEmail:
		return locale.Say(locale.MendEmail)
	case readiness.DoHelpCode:
		return locale.Say(locale.MendHelpCode)
	case readiness.DoManager:
		return locale.Say(locale.MendManager)
	case readiness.DoWait:
		return locale.Say(locale.MendWait)
	case readiness.DoNothing:
	}
	return ""
}

// Mark is the word for how ready somebody is.
func Mark(m policy.Mark) string {
	switch m {
	case policy.Ready:
		return locale.Say(locale.MarkReady)
	case policy.WillManage:
		return locale.Say(locale.MarkManage)
	case policy.NeedsHelp:
		return locale.Say(locale.MarkHelp)
	case policy.Exempt:
	}
	return locale.Say(locale.MarkExempt)
}

// Lacks says what stands in the way of each way that people are used to: what could be
// set up besides is no fault of theirs.
func Lacks(all []policy.Withheld) (said []string) {
	words := map[policy.WithheldKey]locale.Key{
		policy.NoEmail: locale.LackNoEmail, policy.NoMobile: locale.LackNoMobile, policy.EmailBounced: locale.LackEmailBounced,
		policy.NumberRefused: locale.LackNumberRefused, policy.NoSMSAvailable: locale.LackNoSms, policy.ResetMark: locale.LackReset,
		policy.Resting: locale.LackResting, policy.SpentMethod: locale.LackSpent, policy.AwaitsProof: locale.LackAwaits,
		policy.NotProved: locale.LackNotProved, policy.UnprovedSpent: locale.LackNotProved, policy.PendingProof: locale.LackNotProved,
		policy.NotForStaff: locale.LackStaff,
	}
	seen := map[string]bool{}
	for _, w := range all {
		key, ok := words[w.Key]
		if w.Key == policy.TooWeakForSite {
			ok, key = true, map[policy.MethodKind]locale.Key{policy.Email: locale.LackWeakEmail, policy.SMS: locale.LackWeakSms}[w.Kind]
		}
		if w.Kind != policy.Email && w.Kind != policy.SMS || !ok || key == "" {
			continue
		}
		if s := locale.Say(key); !seen[s] {
			said, seen[s] = append(said, s), true
		}
	}
	return said
}
