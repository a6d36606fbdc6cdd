package settings

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

// Shared answers "GET /sites/{site}/settings/shared".
func (s *Settings) Shared() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.sharedPage(r.Context(), a)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) sharedPage(ctx context.Context, a admin) (SharedPage, error) {
	page := SharedPage{Site: a.site.Name, Path: a.path}
	all, err := s.Sharing.Logins(ctx, a.site)
	if err != nil {
		return page, err
	}
	for _, l := range all {
		one := SharedLogin{ID: string(l.User), Name: l.Name(), Login: string(l.Login), Group: string(l.Group)}
		switch {
		case l.Open():
			one.Evidence = evidenceWords(l)
			page.Open = append(page.Open, one)
		case l.Split.ID != "":
			one.Note = locale.Say(locale.SharingPlannedLine, locale.Data{"Day": locale.Day(l.Split.RetireAt, a.site.Zone)})
			if !l.Split.HeldAt.IsZero() {
				one.Note = locale.Say(locale.SharingHeldLine)
			}
			page.Planned = append(page.Planned, one)
		default:
			if one.Note, err = s.dismissedWords(ctx, l, a.site); err != nil {
				return page, err
			}
			page.Settled = append(page.Settled, one)
		}
	}
	return page, nil
}

func (s *Settings) dismissedWords(ctx context.Context, l sharing.Login, at site.Site) (string, error) {
	by, err := s.adminName(ctx, at.ID, l.Dismissed.By)
	return locale.Say(locale.SharingSettledLine, locale.Data{
		"By": by, "Day": locale.Day(l.Dismissed.At, at.Zone), "Until": locale.Day(l.Dismissed.Until, at.Zone),
	}), err
}

// adminName is the name of whoever did something at a site, if they still are there: what
// somebody is called elsewhere is not the site's.
func (s *Settings) adminName(ctx context.Context, at id.Site, who id.User) (string, error) {
	all, err := site.MembershipsOf(ctx, s.DB, who)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(all, func(m site.Membership) bool { return m.Site == at }) {
		return locale.Say(locale.SharingSomebody), nil
	}
	u, err := user.ByID(ctx, s.DB, who)
	return u.Name(), err
}

// OneShared answers "GET /sites/{site}/settings/shared/{user}".
func (s *Settings) OneShared() http.Handler {
	return s.shared(func(w http.ResponseWriter, r *http.Request, a admin, l sharing.Login) error {
		page, err := s.oneSharedPage(r.Context(), a, l)
		if err != nil {
			return err
		}
		fresh, err := authority.Fresh(r.Context(), s.DB, s.DB.Clock.Now(), s.Sharing.Standing, a.bearer())
		if err != nil {
			return err
		}
		page.ProveBefore = !fresh
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// shared is the guard of the pages about one login of the site.
func (s *Settings) shared(do func(http.ResponseWriter, *http.Request, admin, sharing.Login) error) http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		who, err := id.Parse[id.User](r.PathValue("user"))
		if err != nil {
			return err
		}
		l, err := s.Sharing.Of(r.Context(), a.site, who)
		if err != nil {
			return err
		}
		return do(w, r, a, l)
	})
}

// fewRows is how many people the form has room for at first.
const fewRows = 3

func (s *Settings) oneSharedPage(ctx context.Context, a admin, l sharing.Login) (OneSharedPage, error) {
	now := s.DB.Clock.Now()
	first, last := sharing.Days(a.site.Zone, now)
	page := OneSharedPage{
		Site: a.site.Name, Path: a.path + "/shared", ID: string(l.User), Name: l.Name(), Login: string(l.Login), Group: string(l.Group),
		Evidence: evidenceWords(l), MayDismiss: l.Open(),
		First: locale.Day(first, a.site.Zone), Last: locale.Day(last, a.site.Zone),
		Least: first.Format(time.DateOnly), Most: last.Format(time.DateOnly), Day: first.AddDate(0, 0, sharing.LeastDays).Format(time.DateOnly),
	}
	for range fewRows {
		page.People = append(page.People, rowOf(len(page.People)+1, sharing.NewPerson{Group: l.Group}, ""))
	}
	var err error
	if !l.Dismissed.At.IsZero() {
		if page.Settled, err = s.dismissedWords(ctx, l, a.site); err != nil {
			return page, err
		}
	}
	if l.Split.ID == "" {
		return page, nil
	}
	page.Split, page.SplitDay = string(l.Split.ID), locale.Day(l.Split.RetireAt, a.site.Zone)
	page.Held, page.SplitOn = !l.Split.HeldAt.IsZero(), locale.Day(l.Split.PlannedAt, a.site.Zone)
	if page.SplitBy, err = s.adminName(ctx, a.site.ID, l.Split.PlannedBy); err != nil {
		return page, err
	}
	named, err := s.Sharing.People(ctx, l.Split)
	for _, p := range named {
		page.Named = append(page.Named, NamedPerson{Name: p.Name(), Email: p.Email, Group: string(p.Group)})
	}
	return page, err
}

func rowOf(no int, p sharing.NewPerson, fault sharing.Fault) PersonRow {
	row := PersonRow{
		No: no, Key: strconv.Itoa(no), FirstName: p.First, LastName: p.Last, Email: p.Email, Mobile: p.Mobile,
		Fault: faultWords(fault), Field: string(fault),
	}
	for _, g := range site.Groups() {
		row.Groups = append(row.Groups, GroupChoice{Name: string(g), Chosen: g == p.Group})
	}
	return row
}

// Divide answers "POST /sites/{site}/settings/shared/{user}/split".
func (s *Settings) Divide() http.Handler {
	return s.shared(func(w http.ResponseWriter, r *http.Request, a admin, l sharing.Login) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		typed, rows := typedPeople(form, l.Group)
		if form.Ticked("more") {
			page, err := s.oneSharedPage(r.Context(), a, l)
			page.retype(form, typed, nil, min(rows+fewRows, sharing.MostPeople))
			return s.shownOr(w, r, http.StatusOK, page, err)
		}
		named := slices.DeleteFunc(slices.Clone(typed), empty)
		out, err := s.Sharing.Divide(r.Context(), a.bearer(), a.site, l.User, sharing.Plan{Day: form.Get("day"), People: named})
		if err != nil {
			return err
		}
		if l, err = s.Sharing.Of(r.Context(), a.site, l.User); err != nil {
			return err
		}
		page, err := s.oneSharedPage(r.Context(), a, l)
		if out.Refused == "" {
			page.Done = locale.Say(locale.SharingDoneSplit, locale.Data{"Name": l.Name(), "Day": page.SplitDay})
			return s.shownOr(w, r, http.StatusOK, page, err)
		}
		page.retype(form, named, out.Faults, max(rows, len(named)))
		return s.shownOr(w, r, page.refuse(out.Refused, l), page, err)
	})
}

func (s *Settings) shownOr(w http.ResponseWriter, r *http.Request, status int, page web.Page, err error) error {
	if err != nil {
		return err
	}
	return s.Kit.Show(w, r, status, page)
}

// typedPeople reads the rows of the form, the empty ones too, and says how many there are.
func typedPeople(form web.Fields, group policy.Group) (people []sharing.NewPerson, rows int) {
	for rows < sharing.MostPeople {
		key := strconv.Itoa(rows + 1)
		if !form.Ticked("first" + key) {
			break
		}
		p := sharing.NewPerson{
			First: form.Get("first" + key), Last: form.Get("last" + key), Email: form.Get("email" + key),
			Mobile: form.Get("mobile" + key), Group: policy.Group(form.Get("group" + key)),
		}
		if p.Group == "" {
			p.Group = group
		}
		people = append(people, p)
		rows++
	}
	return people, rows
}

// empty says that nothing was typed in a row: a group is always chosen.
func empty(p sharing.NewPerson) bool {
	return p.First == "" && p.Last == "" && p.Email == "" && p.Mobile == ""
}

// retype keeps what was typed.
func (p *OneSharedPage) retype(form web.Fields, people []sharing.NewPerson, faults []sharing.Fault, rows int) {
	group := policy.Group(p.Group)
	p.People, p.Day = nil, form.Get("day")
	for n := range max(rows, fewRows) {
		one, fault := sharing.NewPerson{Group: group}, sharing.Fault("")
		if n < len(people) {
			one = people[n]
		}
		if n < len(faults) {
			fault = faults[n]
		}
		p.People = append(p.People, rowOf(n+1, one, fault))
	}
	p.Full = len(p.People) >= sharing.MostPeople
}

// refuse says why not, and the status of the answer.
func (p *OneSharedPage) refuse(why sharing.Refused, l sharing.Login) int {
	switch why {
	case sharing.NotFresh:
		p.Prove = true
		return http.StatusForbidden
	case sharing.LastAdmin:
		p.Fault = locale.Say(locale.SharingNoLastAdmin, locale.Data{"Name": l.Name()})
	case sharing.Over:
		p.Fault = locale.Say(locale.SharingNoOver)
		return http.StatusConflict
	case sharing.WrongDay:
		p.DayFault = locale.Say(locale.SharingNoDay, locale.Data{"First": p.First, "Last": p.Last})
	case sharing.Nobody:
		p.Fault = locale.Say(locale.SharingNoPeople)
	case sharing.TooMany:
		p.Fault = locale.Say(locale.SharingNoMore, locale.Data{"Count": sharing.MostPeople})
	case sharing.WrongPerson:
		p.Fault = locale.Say(locale.SharingNoPerson)
	case sharing.TooLong:
		p.ReasonFault = locale.Say(locale.SharingNoReason)
	}
	return http.StatusUnprocessableEntity
}

// OnePerson answers "POST /sites/{site}/settings/shared/{user}/one".
func (s *Settings) OnePerson() http.Handler {
	return s.shared(func(w http.ResponseWriter, r *http.Request, a admin, l sharing.Login) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		refused, err := s.Sharing.OnePerson(r.Context(), a.bearer(), l.User, form.Get("reason"))
		if err != nil {
			return err
		}
		return s.afterShared(w, r, a, l.User, refused, func(page *OneSharedPage, l sharing.Login) {
			page.Reason = form.Get("reason")
			page.Done = locale.Say(locale.SharingDoneOne, locale.Data{"Name": l.Name(), "Day": locale.Day(l.Dismissed.Until, a.site.Zone)})
		})
	})
}

// CancelSplit answers "POST /sites/{site}/settings/shared/{user}/cancel".
func (s *Settings) CancelSplit() http.Handler {
	return s.shared(func(w http.ResponseWriter, r *http.Request, a admin, l sharing.Login) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Split](form.Get("split"))
		if err != nil {
			return err
		}
		refused, err := s.Sharing.Cancel(r.Context(), a.bearer(), l.User, which)
		if err != nil {
			return err
		}
		return s.afterShared(w, r, a, l.User, refused, func(page *OneSharedPage, l sharing.Login) {
			page.Done = locale.Say(locale.SharingDoneCancel, locale.Data{"Name": l.Name()})
		})
	})
}

// afterShared shows how a login stands after something was done, or was not.
func (s *Settings) afterShared(
	w http.ResponseWriter, r *http.Request, a admin, who id.User, refused sharing.Refused, say func(*OneSharedPage, sharing.Login),
) error {
	l, err := s.Sharing.Of(r.Context(), a.site, who)
	if err != nil {
		return err
	}
	page, err := s.oneSharedPage(r.Context(), a, l)
	if err != nil {
		return err
	}
	say(&page, l)
	if refused == "" {
		return s.Kit.Show(w, r, http.StatusOK, page)
	}
	page.Done = ""
	return s.Kit.Show(w, r, page.refuse(refused, l), page)
}

// Proved answers "GET /sites/{site}/settings/shared/proved": where an admin ends who proved
// who they are in a window of its own.
func (s *Settings) Proved() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		return s.Kit.Show(w, r, http.StatusOK, ProvedPage{Site: a.site.Name, Path: a.path})
	})
}
