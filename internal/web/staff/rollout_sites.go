package staff

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"keyturn/internal/authority"
	"keyturn/internal/calendar"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/plan"
	"keyturn/internal/rollout"
	"keyturn/internal/twoperson"
	"keyturn/internal/web"
)

func rolloutSitePath(at id.Site) string { return "/staff/rollout/sites/" + string(at) }

// RolloutSites answers "GET /staff/rollout/sites": "wave", "only" and "find" narrow it,
// "after" goes on.
func (s *Staff) RolloutSites() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		query := web.ReadQuery(r)
		q := rollout.Query{Wave: -1, Only: rollout.Only(query.Get("only")), Find: query.Get("find"), After: query.Get("after")}
		if n, err := strconv.Atoi(query.Get("wave")); err == nil && n >= 0 && n <= rollout.MostWaves {
			q.Wave = n
		}
		all, err := s.Rollout.Sites(r.Context(), by, q)
		if err != nil {
			return err
		}
		now, there, err := rollout.Live(r.Context(), s.DB)
		if err != nil {
			return err
		}
		if !there {
			return fault.NotFound
		}
		page := RolloutSitesPage{Title: locale.Say(locale.RolloutSitesAll), Find: q.Find, Only: string(q.Only), Wave: query.Get("wave")}
		if one, ok := now.Wave(q.Wave); ok {
			page.Title = locale.Say(locale.RolloutSitesOf, locale.Data{"Wave": one.Name})
		}
		page.Filters = filters(page.Wave, q.Only)
		if len(all) > rollout.PageOfSites {
			all = all[:rollout.PageOfSites]
			page.Next = "/staff/rollout/sites?" + url.Values{
				"wave": {page.Wave}, "only": {page.Only}, "find": {page.Find}, "after": {all[len(all)-1].Ref},
			}.Encode()
		}
		for _, one := range all {
			page.Rows = append(page.Rows, s.rolloutRow(now, one))
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func filters(wave string, now rollout.Only) []Filter {
	var all []Filter
	for _, f := range []struct {
		only rollout.Only
		key  locale.Key
	}{
		{rollout.Every, locale.RolloutFilterAll},
		{rollout.OnlyUnproved, locale.RolloutFilterUnproved},
		{rollout.OnlyHelp, locale.RolloutFilterHelp},
		{rollout.OnlyHeld, locale.RolloutFilterHeld},
		{rollout.OnlyExtended, locale.RolloutFilterExtended},
	} {
		path := "/staff/rollout/sites?" + url.Values{"wave": {wave}, "only": {string(f.only)}}.Encode()
		all = append(all, Filter{Path: path, Words: locale.Say(f.key), On: f.only == now})
	}
	return all
}

func (s *Staff) rolloutRow(now rollout.Rollout, one rollout.Row) RolloutRow {
	return RolloutRow{
		Path: rolloutSitePath(one.Site), Name: one.Name, Ref: one.Ref, Help: one.Help, Manage: one.Manage, Ready: one.Ready,
		Looked: one.Looked, Unproved: one.Looked && !one.AdminProved, Date: s.placeDate(one), Wave: placeWave(now, one), Note: placeNote(one),
	}
}

func placeWave(now rollout.Rollout, one rollout.Row) string {
	if w, ok := now.Wave(one.Wave); ok {
		return w.Name
	}
	return locale.Say(locale.RolloutNoWave)
}

// placeDate says when a site's date is or was, in its own time.
func (s *Staff) placeDate(one rollout.Row) string {
	now := s.DB.Clock.Now()
	switch {
	case one.Begun(now):
		return locale.Say(locale.ConsoleDatePast, locale.Data{"Day": locale.Day(one.At, one.Zone)})
	case !one.At.IsZero():
		return locale.Say(locale.ConsoleDateTo, locale.Data{"At": locale.Exact(one.At, one.Zone, now), "Away": locale.Away(one.At, one.Zone, now)})
	case one.Dated == rollout.TakenOut:
		return locale.Say(locale.RolloutDateOut)
	case one.Dated == rollout.RolledBack:
		return locale.Say(locale.RolloutDateBack)
	}
	return locale.Say(locale.ConsoleDateNone)
}

// placeNote says why a site's date is not that of its wave; empty if it is.
func placeNote(one rollout.Row) string {
	switch {
	case one.Extended.After(one.Day):
		return locale.Say(locale.RolloutNoteExtended, locale.Data{"Who": one.ExtendedBy, "Reason": one.ExtendedWhy})
	case one.Held > 0:
		return locale.Say(locale.RolloutNoteHeld, locale.Data{"Count": one.Held})
	}
	return ""
}

// RolloutSite answers "GET /staff/rollout/sites/{site}".
func (s *Staff) RolloutSite() http.Handler {
	return s.at(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Site) error {
		page, err := s.rolloutSite(r, by, which)
		if err != nil {
			return err
		}
		query := web.ReadQuery(r)
		page.Done = didWords(query.Get("did"))
		if query.Get("to") != "" {
			page.To, page.Reason = query.Get("to"), query.Get("reason")
		}
		if query.Get("closed") != "" {
			page.Closed = query.Get("closed")
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) rolloutSite(r *http.Request, by authority.Bearer, which id.Site) (page RolloutSitePage, err error) {
	one, closed, err := s.Rollout.Site(r.Context(), by, which)
	if err != nil {
		return page, err
	}
	live, there, err := rollout.Live(r.Context(), s.DB)
	if err != nil || !there {
		return page, errors.Join(err, fault.NotFound)
	}
	now := s.DB.Clock.Now()
	page = RolloutSitePage{
		Path: rolloutSitePath(which), Name: one.Name, Ref: one.Ref,
		CanExtend: live.State == rollout.Running && !one.At.IsZero() && !one.Begun(now),
	}
	add := func(key locale.Key, words string) {
		if words != "" {
			page.Facts = append(page.Facts, Fact{locale.Say(key), words})
		}
	}
	add(locale.ConsoleDate, s.placeDate(one))
	add(locale.RolloutWhy, placeNote(one))
	add(locale.RolloutWave, placeWave(live, one))
	add(locale.ConsoleFactTime, locale.Exact(now, one.Zone, now))
	add(locale.ConsoleFactManager, one.Manager)
	if one.Looked {
		add(locale.RolloutReady, strconv.Itoa(one.Ready))
		add(locale.RolloutManage, strconv.Itoa(one.Manage))
		add(locale.RolloutHelp, strconv.Itoa(one.Help))
		proved := locale.RolloutProvedNo
		if one.AdminProved {
			proved = locale.RolloutProvedYes
		}
		add(locale.RolloutProved, locale.Say(proved))
	}
	if !one.Begun(now) {
		shadow, err := plan.RehearsalOf(r.Context(), s.DB, which, now.Add(-plan.Lately))
		if err != nil {
			return page, err
		}
		page.Rehearsed = shadowWords(shadow)
		_, err = authority.StaffAt(r.Context(), s.DB, now, by, which)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return page, err
		}
		if err == nil && shadow.Stuck > 0 {
			page.People = sitePath(which)
		}
	}
	words := make([]string, len(closed))
	for i, d := range closed {
		words[i] = d.String()
	}
	page.Closed = strings.Join(words, " ")
	return page, nil
}

// ActOnSite answers "POST /staff/rollout/sites/{site}": "do" is extend or close.
func (s *Staff) ActOnSite() http.Handler {
	return s.at(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Site) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		refused, err := s.actOnSite(r, by, which, form)
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, rolloutSitePath(which)+"?did="+url.QueryEscape(form.Get("do")))
		}
		page, err := s.rolloutSite(r, by, which)
		if err != nil {
			return err
		}
		page.To, page.Reason = form.Get("to"), form.Get("reason")
		page.Fault = dayFault(refused, locale.RolloutFaultUntil, true)
		if form.Get("do") == "close" {
			page.Closed, page.Fault = form.Get("closed"), dayFault(refused, locale.RolloutFaultClosed, true)
		}
		if refused == rollout.NotFresh {
			back := url.Values{"to": {page.To}, "reason": {page.Reason}, "closed": {form.Get("closed")}}
			page.Prove = proveAt(page.Path + "?" + back.Encode())
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

func (s *Staff) actOnSite(r *http.Request, by authority.Bearer, which id.Site, form web.Fields) (rollout.Refused, error) {
	who := rollout.By{Staff: by}
	if form.Get("do") == "extend" {
		to, err := calendar.Parse(form.Get("to"))
		if err != nil {
			return rollout.WrongDay, nil
		}
		return s.Rollout.Extend(r.Context(), who, which, to, form.Get("reason"))
	}
	var days []calendar.Day
	for word := range strings.FieldsSeq(strings.ReplaceAll(form.Get("closed"), ",", " ")) {
		d, err := calendar.Parse(word)
		if err != nil || len(days) == rollout.MostClosed {
			return rollout.WrongDay, nil
		}
		days = append(days, d)
	}
	return s.Rollout.Close(r.Context(), who, which, days)
}

// rolloutProposal says what a proposal about a rollout would do.
func rolloutProposal(kind twoperson.Kind, payload map[string]string) string {
	if kind == twoperson.StartRollout {
		return locale.Say(locale.RolloutProposalStart, locale.Data{"Name": payload["name"]})
	}
	return locale.Say(locale.RolloutProposalBack, locale.Data{"Wave": payload["name"]})
}
