package evidence

import (
	"keyturn/internal/limit"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/session"
)

// said is something with a stable key, and its words.
func said(key string, words locale.Key, data ...locale.Data) Words {
	return Words{Key: key, Words: locale.Say(words, data...)}
}

// rules are the policy in force everywhere, with the numbers of this release.
func (d *Desk) rules() []Words {
	kept := said("trail", locale.EvidenceRuleTrailGood)
	if d.KeepDays > 0 {
		kept = said("trail", locale.EvidenceRuleTrail, locale.Data{"Days": d.KeepDays})
	}
	return []Words{
		said("who", locale.EvidenceRuleWho),
		said("code", locale.EvidenceRuleCode),
		said("guesses", locale.EvidenceRuleGuesses, locale.Data{
			"Code": limit.GuessesPerCode, "Hour": limit.GuessesHour.Cap, "Day": limit.GuessesDay.Cap,
		}),
		said("passwords", locale.EvidenceRulePasswords, locale.Data{"Pair": limit.WrongPasswords.Cap, "Network": limit.WrongFromNetwork.Cap}),
		said("remember", locale.EvidenceRuleRemember),
		said("session", locale.EvidenceRuleSession, locale.Data{"Idle": locale.Span(session.IdleLimit)}),
		said("staff", locale.EvidenceRuleStaff),
		said("fresh", locale.EvidenceRuleFresh, locale.Data{"Fresh": locale.Span(policy.FreshFor)}),
		kept,
	}
}

// deviations are what is known to be otherwise than a standard asks, written down.
func deviations() []Words {
	return []Words{
		said("email", locale.EvidenceDeviationEmail),
		said("first_number", locale.EvidenceDeviationFirstNumber),
		said("shared", locale.EvidenceDeviationShared),
		said("password_alone", locale.EvidenceDeviationPasswordAlone),
		said("drift", locale.EvidenceDeviationDrift),
		said("recovery_hash", locale.EvidenceDeviationRecoveryHash),
	}
}

// doors are ways to a connected site's data that do not ask for a second factor, as far as
// they are known here.
func doors() []Words {
	return []Words{
		said("host", locale.EvidenceDoorHost),
		said("tokens", locale.EvidenceDoorTokens),
		said("mobile", locale.EvidenceDoorMobile),
	}
}

// limits are what the pack cannot show.
func limits() []Words {
	return []Words{
		said("past", locale.EvidenceLimitPast),
		said("pruned", locale.EvidenceLimitPruned),
		said("names", locale.EvidenceLimitNames),
		said("reasons", locale.EvidenceLimitReasons),
	}
}
