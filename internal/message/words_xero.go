package message

import (
	"time"

	"keyturn/internal/locale"
)

// ofXero is what became of a site's connection to Xero.
func (s speaker) ofXero(n told) string {
	site := s.site(n)
	switch {
	case n.Kind == XeroFailing && n.Words["why"] == "dead":
		return locale.Say(locale.NoticeXeroDead, locale.Data{"Site": site})
	case n.Kind == XeroFailing:
		return locale.Say(locale.NoticeXeroDown, locale.Data{"Site": site})
	case n.Kind == XeroDisconnected && n.Words["by"] == "":
		return locale.Say(locale.NoticeXeroGone, locale.Data{"Site": site})
	case n.Kind == XeroDisconnected:
		return locale.Say(locale.NoticeXeroDisconnected, locale.Data{"By": s.by(n), "Site": site})
	}
	if n.Words["date"] != "" {
		return locale.Say(locale.NoticeXeroDated, locale.Data{"By": s.by(n), "Site": site})
	}
	at, err := time.Parse(time.RFC3339, n.Words["at"])
	if err != nil {
		return locale.Say(locale.NoticeXeroConnected, locale.Data{"By": s.by(n), "Site": site})
	}
	return locale.Say(locale.NoticeXeroTonight, locale.Data{"By": s.by(n), "Site": site, "At": locale.Exact(at, s.zone, n.MadeAt)})
}

// thenXero is what that means, for a mail.
func (s speaker) thenXero(n told) string {
	switch {
	case n.Kind == XeroFailing && n.Words["why"] == "dead":
		return locale.Say(locale.NoticeThenXeroDead)
	case n.Kind == XeroFailing:
		return locale.Say(locale.NoticeThenXeroDown)
	case n.Kind == XeroConnected:
		return locale.Say(locale.NoticeThenXeroConnected)
	}
	until, err := time.Parse(time.RFC3339, n.Words["until"])
	if err != nil {
		return locale.Say(locale.NoticeThenXeroConnected)
	}
	return locale.Say(locale.NoticeThenXeroGone, locale.Data{"Until": locale.Exact(until, s.zone, n.MadeAt)})
}
