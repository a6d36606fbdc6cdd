package message

import (
	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// setUp is what was changed in User Setup.
func (s speaker) setUp(n told) string {
	by := locale.Data{"By": s.by(n)}
	switch {
	case n.Kind == LoginChanged && n.Words["by"] == "":
		return locale.Say(locale.NoticeLoginChanged)
	case n.Kind == LoginChanged:
		return locale.Say(locale.NoticeLoginChangedBy, by)
	case n.Kind == LoginUndone && n.Words["who"] != "":
		return locale.Say(locale.NoticeLoginUndoneOf, locale.Data{"Who": s.name(n.Words["who"])})
	case n.Kind == LoginUndone:
		return locale.Say(locale.NoticeLoginUndone)
	case n.Kind == LoginReplaced:
		return locale.Say(locale.NoticeLoginReplaced)
	case n.Kind == MobileChanged:
		return locale.Say(locale.NoticeMobileChanged, by)
	case n.Kind == SessionsEnded:
		return locale.Say(locale.NoticeSessionsEnded, by)
	default:
		who := s.name(n.Words["who"])
		if who == "" {
			who = locale.Say(locale.NoticeAMember)
		}
		if n.Kind == FirstPasswordMoved {
			return locale.Say(locale.NoticeFirstPassword, locale.Data{"By": s.by(n), "Who": who})
		}
		key := locale.NoticeLeft
		if n.Kind == MemberStopped {
			key = locale.NoticeInactive
			switch n.Words["what"] {
			case string(policy.Blocked):
				key = locale.NoticeBlocked
			case NoAdmin:
				key = locale.NoticeNoAdmin
			}
		}
		if n.Kind == MemberAdmin {
			key = locale.NoticeMadeAdmin
		}
		return locale.Say(key, locale.Data{"By": s.by(n), "Who": who})
	}
}
