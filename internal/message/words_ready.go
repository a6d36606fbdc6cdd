package message

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/job"
	"keyturn/internal/locale"
)

// CodesWait says whether a code that was promised before a moment, and can still be typed,
// is on no carrier yet: then mail that is in no hurry makes room.
func CodesWait(ctx context.Context, from db.Reader, now, before time.Time) (bool, error) {
	busy, err := codesWait(ctx, from, now, before)
	if err != nil {
		return false, fmt.Errorf("look for codes that wait: %w", err)
	}
	return busy, nil
}

// lane is the queue of what puts a notice into a mail: what tells thousands of a date is
// in no hurry, and stands before nothing that is.
func (k NoticeKind) lane() job.Lane {
	if slices.Contains([]NoticeKind{GetReady, SiteNotReady, YouAreReady, SiteDate, SiteReady}, k) {
		return job.Bulk
	}
	return job.Notices
}

// date is how somebody, or a site, stands to the date that comes.
func (s speaker) date(n told) string {
	site, day := s.site(n), s.day(n)
	ready, _ := count(n.Words["ready"])
	office, _ := count(n.Words["office"])
	if n.Kind == YouAreReady {
		return locale.Say(locale.NoticeYouAreReady, locale.Data{"Site": site, "Day": day})
	}
	if n.Kind == SiteReady {
		return locale.Say(locale.NoticeSiteReady, locale.Data{"Site": site, "Day": day})
	}
	return locale.Say(locale.NoticeSiteDate, locale.Data{"Site": site, "Day": day, "Ready": ready, "Office": office})
}

// thenDate is what to do before it.
func (s speaker) thenDate(n told) string {
	stuck, unreached := s.names(n.Words["who"]), s.names(n.Words["unreached"])
	switch {
	case n.Kind == YouAreReady:
		return locale.Say(locale.NoticeThenYouAreReady)
	case n.Kind == SiteReady:
		return locale.Say(locale.NoticeThenSiteReady)
	case stuck != "" && unreached != "":
		return locale.Say(locale.NoticeThenSiteBoth, locale.Data{"Who": stuck, "Unreached": unreached})
	case unreached != "":
		return locale.Say(locale.NoticeThenSiteUnreached, locale.Data{"Unreached": unreached})
	case stuck != "":
		return locale.Say(locale.NoticeThenSiteHelp, locale.Data{"Who": stuck})
	}
	return locale.Say(locale.NoticeThenSiteTry)
}

// names are some people together, from a line each.
func (s speaker) names(lines string) string {
	if lines == "" {
		return ""
	}
	var all []string
	for one := range strings.SplitSeq(lines, "\n") {
		all = append(all, s.name(one))
	}
	return locale.AllOf(all)
}
