package reason

import (
	"slices"
	"strings"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
)

// Unready says in sentences what somebody lacks who is not ready, to whoever helps them;
// nothing of whoever is ready, or is exempt.
func Unready(p readiness.Person) []string { return said(unready(p)) }

// YouUnready is Unready, said to the person themselves.
func YouUnready(p readiness.Person) []string { return said(toYou(unready(p)...)) }

// Mend says what gets somebody further, to whoever helps them; empty for nothing.
func Mend(do readiness.Action) string { return strings.Join(said(mends[do]), "") }

// YouMend is Mend, said to the person themselves.
func YouMend(do readiness.Action) string { return strings.Join(said(toYou(mends[do]...)), "") }

// yours is how a sentence about somebody is said to themselves, where it is another.
var yours = map[locale.Key]locale.Key{
	locale.LackUntried: locale.LackYourUntried, locale.LackRoad: locale.LackYourRoad,
	locale.LackEmailBounced: locale.LackYourEmailBounced, locale.LackNumberRefused: locale.LackYourNumberRefused,
	locale.LackReset: locale.LackYourReset, locale.LackAwaits: locale.LackYourAwaits,
	locale.MendEmail: locale.MendYourEmail, locale.MendHelpCode: locale.MendYourHelpCode, locale.MendManager: locale.MendYourManager,
}

func toYou(keys ...locale.Key) []locale.Key {
	var all []locale.Key
	for _, key := range keys {
		if your, ok := yours[key]; ok {
			key = your
		}
		all = append(all, key)
	}
	return all
}

func said(keys []locale.Key) []string {
	var all []string
	for _, key := range keys {
		all = append(all, locale.Say(key))
	}
	return all
}

func unready(p readiness.Person) []locale.Key {
	switch p.Mark {
	case policy.Ready, policy.Exempt:
		return nil
	case policy.WillManage:
		switch p.Do { //nolint:exhaustive // of somebody who will manage there is no other
		case readiness.DoSecondRoad:
			return []locale.Key{locale.LackRoad}
		case readiness.DoWait:
			return []locale.Key{locale.LackChannel}
		}
		return []locale.Key{locale.LackUntried}
	case policy.NeedsHelp:
	}
	if keys := lacks(p.Lacks); len(keys) > 0 {
		return keys
	}
	return []locale.Key{locale.LackNothing}
}

// mends are the one thing that gets somebody further.
var mends = map[readiness.Action][]locale.Key{
	readiness.DoTry: {locale.MendTry}, readiness.DoSecondRoad: {locale.MendRoad}, readiness.DoSetUp: {locale.MendSetup},
	readiness.DoEmail: {locale.MendEmail}, readiness.DoHelpCode: {locale.MendHelpCode}, readiness.DoManager: {locale.MendManager},
	readiness.DoWait: {locale.MendWait}, readiness.DoNothing: nil,
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
func Lacks(all []policy.Withheld) []string { return said(lacks(all)) }

func lacks(all []policy.Withheld) (found []locale.Key) {
	words := map[policy.WithheldKey]locale.Key{
		policy.NoEmail: locale.LackNoEmail, policy.NoMobile: locale.LackNoMobile, policy.EmailBounced: locale.LackEmailBounced,
		policy.NumberRefused: locale.LackNumberRefused, policy.NoSMSAvailable: locale.LackNoSms, policy.ResetMark: locale.LackReset,
		policy.Resting: locale.LackResting, policy.SpentMethod: locale.LackSpent, policy.AwaitsProof: locale.LackAwaits,
		policy.NotProved: locale.LackNotProved, policy.UnprovedSpent: locale.LackNotProved, policy.PendingProof: locale.LackNotProved,
		policy.NotForStaff: locale.LackStaff,
	}
	for _, w := range all {
		key, ok := words[w.Key]
		if w.Key == policy.TooWeakForSite {
			ok, key = true, map[policy.MethodKind]locale.Key{policy.Email: locale.LackWeakEmail, policy.SMS: locale.LackWeakSms}[w.Kind]
		}
		if w.Kind != policy.Email && w.Kind != policy.SMS || !ok || key == "" {
			continue
		}
		if !slices.Contains(found, key) {
			found = append(found, key)
		}
	}
	return found
}
