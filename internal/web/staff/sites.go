package staff

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/console"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// Sites answers "GET /staff/sites": "find" narrows it, "page" goes on.
func (s *Staff) Sites() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.sitesPage(r, by)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) sitesPage(r *http.Request, by authority.Bearer) (SitesPage, error) {
	query := web.ReadQuery(r)
	at, err := strconv.Atoi(query.Get("page"))
	if err != nil || at < 0 || at > 1000 {
		at = 0
	}
	page := SitesPage{Find: query.Get("find")}
	list, err := s.Console.Sites(r.Context(), by, console.Query{Text: page.Find, Page: at})
	if err != nil {
		return page, err
	}
	beside := func(n int) string {
		return "/staff/sites?" + url.Values{"find": {page.Find}, "page": {strconv.Itoa(n)}}.Encode()
	}
	if list.More {
		page.Older = beside(at + 1)
	}
	if at > 0 {
		page.Newer = beside(at - 1)
	}
	for _, row := range list.Rows {
		page.Rows = append(page.Rows, s.siteRow(row))
	}
	return page, nil
}

func (s *Staff) siteRow(row console.Row) SiteRow {
	now := s.DB.Clock.Now()
	one := SiteRow{
		ID: string(row.Site.ID), Name: row.Site.Name, Ref: row.Site.Ref, More: row.More,
		Help: row.NeedsHelp, Manage: row.WillManage, Ready: row.Ready,
		Date: dateWords(row.Asking, row.Site.Zone, now), Until: untilWords(row.Given, now),
	}
	for _, c := range row.Admins {
		one.Admins = append(one.Admins, AdminLine{Name: c.Name, Email: c.Email, Phone: c.Phone})
	}
	if !row.ContactAt.IsZero() {
		one.Contact = locale.Away(row.ContactAt, row.Site.Zone, now)
	}
	if row.Note != nil {
		one.Note, one.NoteBy = row.Note.Words, noteBy(*row.Note, row.Site.Zone, now)
	}
	return one
}

// dateWords says when a site's date is or was; empty if it has none.
func dateWords(a console.Asking, zone *time.Location, now time.Time) string {
	switch {
	case a.Now && a.From.IsZero():
		return locale.Say(locale.ConsoleDateNow)
	case a.Now:
		return locale.Say(locale.ConsoleDatePast, locale.Data{"Day": locale.Day(a.From, zone)})
	case a.From.IsZero():
		return ""
	}
	return locale.Say(locale.ConsoleDateTo, locale.Data{"At": locale.Exact(a.From, zone, now), "Away": locale.Away(a.From, zone, now)})
}

func untilWords(g authority.Given, now time.Time) string {
	if g.Until.IsZero() {
		return ""
	}
	return locale.Say(locale.ConsoleOpenUntil, locale.Data{"At": locale.Moment(g.Until, g.Site.Zone, now)})
}

func noteBy(n console.Note, zone *time.Location, now time.Time) string {
	return locale.Say(locale.StaffFactBy, locale.Data{"At": locale.Moment(n.At, zone, now), "Who": n.Who})
}

// OpenSite answers "POST /staff/open": a site that is not given, with a reason.
func (s *Staff) OpenSite() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		at, refused, err := s.Console.Open(r.Context(), by, form.Get("ref"), form.Get("reason"))
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, sitePath(at))
		}
		page, err := s.sitesPage(r, by)
		if err != nil {
			return err
		}
		page.Open = OpenForm{Ref: form.Get("ref"), Reason: form.Get("reason"), Fault: openFault(refused)}
		status := http.StatusUnprocessableEntity
		if refused == console.TooMany {
			status = http.StatusTooManyRequests
		}
		return s.Kit.Show(w, r, status, page)
	})
}

func openFault(refused console.Refused) string {
	switch refused { //nolint:exhaustive // the others do not come of opening a site
	case console.NoSite:
		return locale.Say(locale.ConsoleOpenNobody)
	case console.TooMany:
		return locale.Say(locale.ConsoleOpenOften)
	}
	return locale.Say(locale.ConsoleOpenReasonFault)
}

func sitePath(at id.Site) string { return "/staff/sites/" + string(at) }

// tick is how the boxes of the call list are named: a form has each name once.
const tick = "site-"

// Remind answers "POST /staff/sites": those who are not ready at the ticked sites, and the
// admins, get a mail.
func (s *Staff) Remind() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		var sites []id.Site
		for name := range form {
			if rest, ok := strings.CutPrefix(name, tick); ok {
				at, err := id.Parse[id.Site](rest)
				if err != nil {
					return err
				}
				sites = append(sites, at)
			}
		}
		did, err := s.Console.Remind(r.Context(), by, sites)
		if err != nil {
			return err
		}
		page, err := s.sitesPage(r, by)
		if err != nil {
			return err
		}
		page.Done = remindedWords(did)
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func remindedWords(did console.Reminded) string {
	if did.Sites == 0 {
		return locale.Say(locale.ConsoleRemindNone)
	}
	sent := locale.Say(locale.ConsoleReminded, locale.Data{"Count": did.People + did.Admins})
	if did.Waited == 0 {
		return sent
	}
	return sent + " " + locale.Say(locale.ConsoleRemindWaits, locale.Data{"Count": did.Waited})
}
