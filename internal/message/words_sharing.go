package message

import (
	"slices"
	"time"

	"keyturn/internal/locale"
)

// isSplit says that a notice is about a login that several people may use.
func (n told) isSplit() bool {
	return slices.Contains([]NoticeKind{SharingDismissed, SplitPlanned, SplitSoon, SplitCancelled, SplitDone, SplitHeld}, n.Kind)
}

// split is what becomes of a login that several people may use: one key for those who use
// it, one for the admins.
func (s speaker) split(n told) string {
	who, by, at := s.name(n.Words["who"]), s.by(n), s.day(n)
	site := s.name(s.From)
	if who == "" && (n.Kind == SharingDismissed || n.Kind == SplitHeld) {
		who = locale.Say(locale.NoticeAMember)
	}
	switch {
	case n.Kind == SharingDismissed:
		return locale.Say(locale.NoticeSharingDismissed, locale.Data{"By": by, "Who": who})
	case n.Kind == SplitHeld:
		return locale.Say(locale.NoticeSplitHeld, locale.Data{"Who": who})
	case n.Kind == SplitDone && who == "":
		return locale.Say(locale.NoticeSplitDone, locale.Data{"Site": site})
	case n.Kind == SplitDone:
		return locale.Say(locale.NoticeSplitDoneOf, locale.Data{"Who": who})
	case n.Kind == SplitCancelled && who == "":
		return locale.Say(locale.NoticeSplitCancelled, locale.Data{"Site": site})
	case n.Kind == SplitCancelled:
		return locale.Say(locale.NoticeSplitCancelledOf, locale.Data{"By": by, "Who": who})
	case n.Kind == SplitSoon && who == "":
		return locale.Say(locale.NoticeSplitSoon, locale.Data{"Site": site, "Day": at})
	case n.Kind == SplitSoon:
		return locale.Say(locale.NoticeSplitSoonOf, locale.Data{"Who": who, "Day": at})
	case who == "":
		return locale.Say(locale.NoticeSplitPlanned, locale.Data{"Site": site, "Day": at})
	default:
		return locale.Say(locale.NoticeSplitPlannedOf, locale.Data{"By": by, "Who": who, "Day": at})
	}
}

// thenSplit is what to do about it.
func (s speaker) thenSplit(n told) string {
	switch {
	case n.Kind == SplitHeld:
		return locale.Say(locale.NoticeThenSplitHeld)
	case n.Words["who"] != "":
		return locale.Say(locale.NoticeThenSplitOf)
	case s.Helper == "":
		return locale.Say(locale.NoticeThenSplit)
	default:
		return locale.Say(locale.NoticeThenSplitTell, locale.Data{"Helper": s.name(s.Helper)})
	}
}

// day is the day of a notice, at the site.
func (s speaker) day(n told) string {
	at, err := time.Parse(time.RFC3339, n.Words["at"])
	if err != nil {
		at = n.MadeAt // of a notice that says none, which is none of ours
	}
	return locale.Day(at, s.zone)
}
