package message

import "keyturn/internal/locale"

// webhook is why a program outside is told nothing any more.
func (s speaker) webhook(n told) string {
	key := locale.NoticeWebhookFailing
	if n.Words["why"] == "gone" {
		key = locale.NoticeWebhookGone
	}
	return locale.Say(key, locale.Data{"Name": s.name(n.Words["name"])})
}
