package settings

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/locale"
	"keyturn/internal/trail"
	"keyturn/internal/web"
)

// eventsShown is how many events a page has.
const eventsShown = 50

// Audit answers "GET /sites/{site}/settings/audit".
func (s *Settings) Audit() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.auditPage(r, a)
		if err != nil {
			return err
		}
		status := http.StatusOK
		if page.Fault != "" {
			status = http.StatusUnprocessableEntity
		}
		return s.Kit.Show(w, r, status, page)
	})
}

func (s *Settings) auditPage(r *http.Request, a admin) (AuditPage, error) {
	query := web.ReadQuery(r)
	page := AuditPage{Site: a.site.Name, Path: a.path, Days: s.Trail.KeepDays, Query: asked(query)}
	switch form := trail.Format(query.Get("form")); form {
	case trail.CSV, trail.JSONL:
		page.Chosen = form
	}
	if err := s.aside(r, a, &page); err != nil {
		return page, err
	}
	filter, ok, err := s.auditFilter(r, a, &page)
	if err != nil || !ok {
		return page, err
	}
	events, err := audit.List(r.Context(), s.DB, filter, eventsShown+1)
	if err != nil {
		return page, err
	}
	if len(events) > eventsShown {
		events = events[:eventsShown]
		page.Older = page.Query.address(a.path, events[eventsShown-1].Seq)
	}
	if filter.Before.Seq > 0 {
		page.Newest = page.Query.address(a.path, 0)
	}
	tell, err := s.teller(r, a)
	if err != nil {
		return page, err
	}
	for _, e := range events {
		one, err := tell.event(r.Context(), e)
		if err != nil {
			return page, err
		}
		page.Events = append(page.Events, one)
	}
	return page, nil
}

// asked reads what was searched for.
func asked(query web.Fields) AuditQuery {
	q := AuditQuery{Person: strings.TrimSpace(query.Get("person")), From: query.Get("from"), Until: query.Get("until"), before: query.Get("before")}
	for _, g := range audit.Groups() {
		chosen := string(g) == query.Get("group")
		if chosen {
			q.Group = string(g)
		}
		q.Groups = append(q.Groups, Choice{Value: string(g), Words: groupWords(g), Chosen: chosen})
	}
	return q
}

// address is that of the page with the same search, from before an event on.
func (q AuditQuery) address(path string, before int64) string {
	values := url.Values{}
	for name, value := range map[string]string{"person": q.Person, "group": q.Group, "from": q.From, "until": q.Until} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if before > 0 {
		values.Set("before", strconv.FormatInt(before, 10))
	}
	if len(values) == 0 {
		return path + "/audit"
	}
	return path + "/audit?" + values.Encode()
}

// auditFilter makes the filter of a search. ok is false where nothing can fit: nobody has
// that name, or a day cannot be read, which the page then says.
func (s *Settings) auditFilter(r *http.Request, a admin, page *AuditPage) (f audit.Filter, ok bool, err error) {
	f = audit.Filter{Site: a.site.ID, Group: audit.Group(page.Query.Group)}
	if f.From, f.Until, page.Fault = page.Query.span(a.site.Zone); page.Fault != "" {
		return f, false, nil
	}
	if seq, err := strconv.ParseInt(page.Query.before, 10, 64); err == nil && seq > 0 {
		f.Before = audit.Place{Seq: seq}
	}
	if page.Query.Person != "" {
		f.People, err = trail.Named(r.Context(), s.DB, a.site.ID, page.Query.Person)
		return f, len(f.People) > 0, err
	}
	return f, true, nil
}

// span is the time from the beginning of the first day to the end of the last one, in the
// site's zone; each is zero where no day was typed. fault says what cannot be read.
func (q AuditQuery) span(zone *time.Location) (from, until time.Time, fault string) {
	from, err1 := siteDay(q.From, zone)
	until, err2 := siteDay(q.Until, zone)
	if err1 != nil || err2 != nil {
		return from, until, locale.Say(locale.AuditDayUnread)
	}
	if !until.IsZero() {
		until = until.AddDate(0, 0, 1)
		if !until.After(from) {
			return from, until, locale.Say(locale.AuditDaysSwapped)
		}
	}
	return from, until, ""
}

// siteDay is the beginning of a day in the site's zone; zero for none.
func siteDay(typed string, zone *time.Location) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation(time.DateOnly, typed, zone)
}

// aside fills in what stands beside the list: since when the trail is kept, and how to
// check it.
func (s *Settings) aside(r *http.Request, a admin, page *AuditPage) error {
	page.Key = s.Trail.Keys.VerifierText()
	page.Command = `keyturn audit verify audit-trail.jsonl --key '` + page.Key + `'`
	oldest, size, err := audit.Extent(r.Context(), s.DB, a.site.ID)
	if err != nil {
		return err
	}
	page.Size = int(size)
	if !oldest.IsZero() {
		page.Since = locale.Day(oldest, a.site.Zone)
	}
	last, ok, err := trail.Last(r.Context(), s.DB, a.site.ID)
	if err != nil || !ok {
		return err
	}
	page.Checkpoint, page.CheckpointDay = last.Note, locale.Day(last.MadeAt, a.site.Zone)
	page.Command += ` --against checkpoint.txt`
	return nil
}

// TakeAudit answers "POST /sites/{site}/settings/audit": a copy of the whole trail, as CSV
// or as the signed export. It takes a fresh proof.
func (s *Settings) TakeAudit() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		format, kind := trail.JSONL, "application/jsonl"
		if form.Get("form") == string(trail.CSV) {
			format, kind = trail.CSV, "text/csv; charset=utf-8"
		}
		fresh, err := s.Trail.Take(r.Context(), a.bearer(), format)
		if err != nil {
			return err
		}
		if !fresh {
			return prove(w, r, a.path+"/audit?form="+string(format))
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Disposition", `attachment; filename="audit-trail.`+string(format)+`"`)
		w.Header().Set("Cache-Control", "no-store")
		if format == trail.JSONL {
			return s.Trail.WriteJSONL(r.Context(), w, a.site.ID)
		}
		tell, err := s.teller(r, a)
		if err != nil {
			return err
		}
		return s.Trail.WriteCSV(r.Context(), w, a.site.ID, auditHeading, tell.rows)
	})
}
