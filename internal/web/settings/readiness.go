package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/manager"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/readiness"
	"keyturn/internal/remind"
	"keyturn/internal/web"
	"keyturn/internal/web/reason"
)

// Readiness answers "GET /sites/{site}/settings/readiness". The query may say what was just
// done: "told", "waited" and "unreached".
func (s *Settings) Readiness() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		one, when, err := s.ready(r, a)
		if err != nil {
			return err
		}
		now := s.DB.Clock.Now()
		lately, err := remind.Lately(r.Context(), s.DB, now, a.site.ID)
		if err != nil {
			return err
		}
		page := readinessPage(a, one, when, lately, moments{a.site.Zone, now})
		of, err := manager.Of(r.Context(), s.DB, a.site)
		if err != nil {
			return err
		}
		page.Manager = web.ContactOf(of)
		if !when.Now {
			if page.Rehearsed, err = s.rehearsed(r, a, one, moments{a.site.Zone, now}); err != nil {
				return err
			}
		}
		page.Done = remindedWords(web.ReadQuery(r))
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) ready(r *http.Request, a admin) (readiness.Site, readiness.When, error) {
	now := s.DB.Clock.Now()
	one, err := s.Prepare.Ready.OfSite(r.Context(), s.DB, now, a.site.ID)
	if err != nil {
		return one, readiness.When{}, err
	}
	when, err := s.Prepare.Ready.When(r.Context(), s.DB, now, a.site.ID)
	return one, when, err
}

func readinessPage(a admin, one readiness.Site, when readiness.When, lately map[id.User]time.Time, m moments) ReadinessPage {
	page := ReadinessPage{
		Site: a.site.Name, Path: a.path, Office: one.Office(),
		HasDate: !when.Date().IsZero(), Bar: barOf(one.Counts),
	}
	page.Sum = sumWords(one.Counts, when)
	if page.HasDate {
		page.When = locale.Say(locale.ReadinessDate, locale.Data{"At": m.exact(when.Date()), "Away": m.away(when.Date())})
	}
	page.Lone = one.LoneAdmin && !aloneIsReady(one)
	for _, mark := range readiness.Marks() {
		g := ReadyGroup{Look: lookOf(mark)}
		for _, p := range one.People {
			if p.Mark == mark {
				g.People = append(g.People, readyPerson(a, p, lately[p.User], m))
			}
		}
		g.Count = len(g.People)
		g.Title, g.Hint = groupTitle(mark, g.Count)
		if g.Count > 0 {
			page.Groups = append(page.Groups, g)
		}
		for _, p := range g.People {
			if p.CanRemind {
				page.Remindable++
			}
		}
	}
	return page
}

func aloneIsReady(s readiness.Site) bool {
	for _, p := range s.People {
		if p.Lone && p.Mark == policy.Ready {
			return true
		}
	}
	return false
}

// sumWords are the one number, of those who proved it.
func sumWords(c readiness.Counts, when readiness.When) []locale.Run {
	numbers := locale.Data{"Ready": c.Ready, "Office": c.Office()}
	switch {
	case c.Office() == 0:
		return locale.Rich(locale.ReadinessSumNobody)
	case when.Now:
		return locale.Rich(locale.ReadinessSumNow, numbers)
	case when.Date().IsZero():
		return locale.Rich(locale.ReadinessSumNone, numbers)
	}
	return locale.Rich(locale.ReadinessSumDate, numbers)
}

// readyPerson is one line of the page, with the one button that gets them further. They were
// last reminded then; zero: not within the week.
func readyPerson(a admin, p readiness.Person, last time.Time, m moments) ReadyPerson {
	one := ReadyPerson{ID: string(p.User), Name: p.Name, Group: string(p.Group), Lacks: reason.Unready(p), Own: p.User == a.User.ID}
	if p.Name != p.Login {
		one.Login = p.Login
	}
	if len(one.Lacks) > 1 {
		one.Lacks = one.Lacks[:1] // the first is what is mended first
	}
	user := a.path + "/users/" + string(p.User)
	switch p.Do {
	case readiness.DoNothing:
	case readiness.DoEmail:
		one.Fix, one.FixWords = user, locale.Say(locale.ReadinessFixEmail)
	case readiness.DoHelpCode:
		one.Fix, one.FixWords = user, locale.Say(locale.ReadinessFixHelpCode)
	case readiness.DoManager:
		one.Ask = true
	case readiness.DoWait:
		one.Wait = locale.Say(locale.ReadinessWait)
		if !p.Until.IsZero() {
			one.Wait = locale.Say(locale.ReadinessWaitUntil, locale.Data{"At": m.exact(p.Until)})
		}
	case readiness.DoTry, readiness.DoSecondRoad, readiness.DoSetUp:
		switch {
		case one.Own:
			one.Fix, one.FixWords = "/me/security", reason.Mend(p.Do)
		case p.Unreached():
			one.Fix, one.FixWords = user, locale.Say(locale.ReadinessFixEmail)
		case !last.IsZero():
			one.Reminded = locale.Say(locale.ReadinessReminded, locale.Data{"At": m.exact(last)})
		default:
			one.CanRemind = true
		}
	}
	return one
}

func lookOf(m policy.Mark) string {
	switch m {
	case policy.Ready:
		return "ready"
	case policy.WillManage:
		return "manage"
	case policy.NeedsHelp:
		return "help"
	case policy.Exempt:
	}
	return "none"
}

func groupTitle(m policy.Mark, n int) (title, hint string) {
	count := locale.Data{"Count": n}
	switch m {
	case policy.Ready:
		return locale.Say(locale.ReadinessReady, count), locale.Say(locale.ReadinessReadyHint)
	case policy.WillManage:
		return locale.Say(locale.ReadinessManage, count), locale.Say(locale.ReadinessManageHint)
	case policy.NeedsHelp:
		return locale.Say(locale.ReadinessHelp, count), locale.Say(locale.ReadinessHelpHint)
	case policy.Exempt:
	}
	return locale.Say(locale.ReadinessExempt, count), locale.Say(locale.ReadinessExemptHint)
}

// Remind answers "POST /sites/{site}/settings/readiness": "user" is whom to remind; without
// it everybody who is not ready.
func (s *Settings) Remind() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		var whom []id.User
		if form.Ticked("user") {
			one, err := id.Parse[id.User](form.Get("user"))
			if err != nil {
				return err
			}
			whom = []id.User{one}
		}
		did, err := s.Prepare.Remind(r.Context(), a.bearer(), whom)
		if err != nil {
			return err
		}
		return web.Go(w, r, fmt.Sprintf("%s/readiness?told=%d&waited=%d&unreached=%d", a.path, did.Told, did.Waited, did.Unreached))
	})
}

// remindedWords say what a reminder did, by the counts in the address.
func remindedWords(q web.Fields) (said []string) {
	if !q.Ticked("told") {
		return nil
	}
	for _, one := range []struct {
		name string
		key  locale.Key
	}{{"told", locale.ReadinessTold}, {"waited", locale.ReadinessWaited}, {"unreached", locale.ReadinessUnreached}} {
		n, err := strconv.Atoi(q.Get(one.name))
		if err == nil && n > 0 && n < 1e6 {
			said = append(said, locale.Say(one.key, locale.Data{"Count": n}))
		}
	}
	if len(said) == 0 {
		said = append(said, locale.Say(locale.ReadinessToldNone))
	}
	return said
}

// ReadinessCSV answers "GET /sites/{site}/settings/readiness.csv".
func (s *Settings) ReadinessCSV() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		one, _, err := s.ready(r, a)
		if err != nil {
			return err
		}
		file(w, "text/csv; charset=utf-8", "readiness.csv")
		return reason.OneSheet(w, one)
	})
}

// ReadinessJSON answers "GET /sites/{site}/settings/readiness.json".
func (s *Settings) ReadinessJSON() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		one, _, err := s.ready(r, a)
		if err != nil {
			return err
		}
		file(w, "application/json", "readiness.json")
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(reason.ForPrograms(one, s.DB.Clock.Now()))
	})
}

func file(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
}

// errNoDate says that the site has no date to come.
var errNoDate = errors.Join(errors.New("the site has no date to come"), fault.NotFound)

// Calendar answers "GET /sites/{site}/settings/readiness.ics": the site's date, for the
// calendars of its people. Without a date there is no such file.
func (s *Settings) Calendar() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		when, err := s.Prepare.Ready.When(r.Context(), s.DB, s.DB.Clock.Now(), a.site.ID)
		if err != nil {
			return err
		}
		if when.Date().IsZero() {
			return errNoDate
		}
		file(w, "text/calendar; charset=utf-8", "two-factor.ics")
		_, err = w.Write(prepare.Calendar(prepare.Event{
			ID: string(a.site.ID), Host: s.Kit.Public(""), At: when.Date(), Zone: a.site.Zone, MadeAt: s.DB.Clock.Now(),
			Summary: locale.Say(locale.CalendarSummary, locale.Data{"Site": a.site.Name}),
			Words:   locale.Say(locale.CalendarWords, locale.Data{"Site": a.site.Name}),
			URL:     s.Kit.Public("/help/xero"),
		}))
		return err
	})
}

// Poster answers "GET /sites/{site}/settings/readiness/poster": a page to print for the tea
// room. It names nobody but the Admins, by their first names.
func (s *Settings) Poster() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		one, when, err := s.ready(r, a)
		if err != nil {
			return err
		}
		page := PosterPage{Site: a.site.Name, Path: a.path, Day: locale.Say(locale.PosterNoDay)}
		switch m := (moments{a.site.Zone, s.DB.Clock.Now()}); {
		case when.Now:
			page.Day = locale.Say(locale.PosterNow)
		case !when.Date().IsZero():
			page.Day = locale.Say(locale.PosterDay, locale.Data{"Day": locale.Day(when.Date(), m.zone), "Clock": locale.Clock(when.Date(), m.zone)})
		}
		var admins []string
		for _, p := range one.People {
			if p.Group == policy.GroupAdmin && p.Mark != policy.Exempt && p.First != "" {
				admins = append(admins, p.First)
			}
		}
		page.Ask = locale.Say(locale.PosterAskAdmin)
		if len(admins) > 0 {
			page.Ask = locale.Say(locale.PosterAsk, locale.Data{"Who": locale.AnyOf(admins)})
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}
