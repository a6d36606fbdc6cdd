package message

import (
	"time"

	"keyturn/internal/locale"
)

// isRollout says that a notice tells the vendor's staff what a rollout did.
func (k NoticeKind) isRollout() bool {
	return k == RolloutUnproved || k == RolloutHeld || k == RolloutPutOff || k == RolloutStopped
}

// rollout is what a rollout did to a site's date, or what its owner should know.
func (s speaker) rollout(n told) string {
	site := locale.Data{"Site": s.site(n)}
	theirs := locale.Data{"Site": s.name(n.Words["site"]), "Ref": s.name(n.Words["ref"])}
	switch n.Kind { //nolint:exhaustive // the others are no rollout's
	case RolloutDated:
		if at, err := time.Parse(time.RFC3339, n.Words["at"]); err == nil {
			return locale.Say(locale.NoticeRolloutDated, locale.Data{"Site": s.site(n), "At": locale.Exact(at, s.zone, n.MadeAt)})
		}
		return locale.Say(locale.NoticeRolloutUndated, site)
	case RolloutPaused:
		return locale.Say(locale.NoticeRolloutPaused, site)
	case RolloutBack:
		return locale.Say(locale.NoticeRolloutBack, site)
	case RolloutUnproved:
		return locale.Say(locale.NoticeRolloutUnproved, theirs)
	case RolloutHeld:
		return locale.Say(locale.NoticeRolloutHeld, theirs)
	case RolloutPutOff:
		key := locale.NoticeRolloutPutOff
		if n.Words["channel"] == string(SMS) {
			key = locale.NoticeRolloutPutOffSms
		}
		return locale.Say(key, locale.Data{"Wave": s.name(n.Words["wave"])})
	default:
		return locale.Say(locale.NoticeRolloutStopped, locale.Data{"Wave": s.name(n.Words["wave"])})
	}
}

// thenRollout is what to do about it.
func (s speaker) thenRollout(n told) string {
	on := ""
	if d, err := time.Parse(time.DateOnly, n.Words["day"]); err == nil {
		on = locale.Day(d, time.UTC)
	}
	switch n.Kind { //nolint:exhaustive // the others are no rollout's
	case RolloutDated:
		return locale.Say(locale.NoticeThenRolloutDated)
	case RolloutPaused:
		return locale.Say(locale.NoticeThenRolloutPaused)
	case RolloutBack:
		return locale.Say(locale.NoticeThenRolloutBack)
	case RolloutUnproved, RolloutHeld:
		if on == "" {
			return locale.Say(locale.NoticeThenRolloutCall)
		}
		return locale.Say(locale.NoticeThenRolloutCallBy, locale.Data{"Day": on})
	case RolloutPutOff:
		return locale.Say(locale.NoticeThenRolloutPutOff, locale.Data{"Day": on})
	default:
		return locale.Say(locale.NoticeThenRolloutStopped, locale.Data{
			"Failed": n.Words["failed"], "Of": n.Words["of"], "ControlFailed": n.Words["control_failed"], "ControlOf": n.Words["control_of"],
		})
	}
}
