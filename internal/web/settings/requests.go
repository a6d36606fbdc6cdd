package settings

import (
	"net/http"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/manager"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// requestsShown is how many requests the page lists: the open ones, and the latest others.
const requestsShown = 120

// What the page says was done, by the word in its address.
var requestDone = map[string]locale.Key{
	"asked": locale.RequestDoneAsked, "withdrawn": locale.RequestDoneWithdrawn, "resent": locale.RequestDoneResent, "proved": locale.RequestDoneProved,
}

// UserRequests answers "GET /sites/{site}/settings/requests".
func (s *Settings) UserRequests() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.requestsPage(r, a)
		if err != nil {
			return err
		}
		if key, ok := requestDone[web.ReadQuery(r).Get("done")]; ok {
			page.Done = locale.Say(key)
		}
		fresh, err := s.Requests.Fresh(r.Context(), a.bearer())
		if err != nil {
			return err
		}
		if !fresh {
			page.Prove = proofPath(a.path + "/requests?done=proved")
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) requestsPage(r *http.Request, a admin) (RequestsPage, error) {
	now := s.DB.Clock.Now()
	page := RequestsPage{Site: a.site.Name, Path: a.path, Form: emptyRequest(a.site.Zone, now)}
	of, err := manager.Of(r.Context(), s.DB, a.site)
	if err != nil {
		return page, err
	}
	page.Manager = web.ContactOf(of)
	all, err := s.Requests.Of(r.Context(), a.site.ID, requestsShown)
	if err != nil {
		return page, err
	}
	for _, one := range all {
		page.Rows = append(page.Rows, requestRow(one, a.site.Zone, now))
	}
	return page, nil
}

func emptyRequest(zone *time.Location, now time.Time) RequestForm {
	f := RequestForm{
		Least: now.In(zone).Format(time.DateOnly), Most: now.In(zone).AddDate(1, 0, 0).Format(time.DateOnly),
	}
	for _, g := range site.Groups() {
		f.Groups = append(f.Groups, GroupChoice{ID: string(g), Name: string(g), May: web.May(g)})
	}
	return f
}

func requestRow(one request.Request, zone *time.Location, now time.Time) RequestRow {
	row := RequestRow{
		ID: string(one.ID), Who: one.Name(), Email: string(one.Email), What: requestWhat(one, zone), Look: "none",
		CanWithdraw: one.State.Open(), CanResend: one.State == request.Approved,
	}
	switch one.State {
	case request.Asked:
		row.State, row.Look = locale.Say(locale.RequestStateAsked, locale.Data{"At": locale.Moment(one.AskedAt, zone, now)}), "manage"
	case request.ApprovedOnce:
		row.State, row.Look = locale.Say(locale.RequestStateFirst), "manage"
	case request.Approved:
		row.State, row.Look = locale.Say(locale.RequestStateApproved, locale.Data{"Until": locale.Moment(one.ExpiresAt, zone, now)}), "manage"
	case request.Accepted:
		row.State, row.Look = locale.Say(locale.RequestStateAccepted, locale.Data{"At": locale.Moment(one.EndedAt, zone, now)}), "ready"
	case request.Declined:
		row.State, row.Look = locale.Say(locale.RequestStateDeclined, locale.Data{"Why": one.Reason}), "help"
	case request.Withdrawn:
		row.State = locale.Say(locale.RequestStateWithdrawn)
	case request.Expired:
		row.State = locale.Say(locale.RequestStateExpired)
	}
	return row
}

// requestWhat is what a request asks for: the group, where it works, until when.
func requestWhat(one request.Request, zone *time.Location) string {
	words := locale.Data{"Group": string(one.Group)}
	mobile := one.Kind == policy.Mobile
	if one.Until.IsZero() {
		if mobile {
			return locale.Say(locale.RequestWhatMobile, words)
		}
		return string(one.Group)
	}
	words["Day"] = locale.Day(site.LastDay(one.Until, zone), zone)
	if mobile {
		return locale.Say(locale.RequestWhatMobileUntil, words)
	}
	return locale.Say(locale.RequestWhatUntil, words)
}

// AskForUser answers "POST /sites/{site}/settings/requests".
func (s *Settings) AskForUser() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		typed := request.Form{
			FirstName: form.Get("first"), LastName: form.Get("last"), Email: form.Get("email"), Mobile: form.Get("mobile"),
			Group: policy.Group(form.Get("group")), Kind: policy.Kind(form.Get("kind")), LastDay: form.Get("day"), Sure: form.Ticked("sure"),
		}
		answer, err := s.Requests.Ask(r.Context(), a.bearer(), typed)
		if err != nil {
			return err
		}
		if answer.Made() {
			return web.Go(w, r, a.path+"/requests?done=asked")
		}
		page, err := s.requestsPage(r, a)
		if err != nil {
			return err
		}
		status := page.answer(typed, answer)
		if answer.Refused == request.NotFresh {
			page.Prove, page.Kept = proofPath(a.path+"/shared/proved"), true
		}
		return s.Kit.Show(w, r, status, page)
	})
}

// answer fills in what was typed, and what was wrong with it.
func (p *RequestsPage) answer(typed request.Form, answer request.Answer) int {
	f := &p.Form
	f.First, f.Last, f.Email, f.Mobile, f.Day = typed.FirstName, typed.LastName, typed.Email, typed.Mobile, typed.LastDay
	f.IsMobile = typed.Kind == policy.Mobile
	for i := range f.Groups {
		f.Groups[i].Chosen = f.Groups[i].ID == string(typed.Group)
	}
	for what, field := range map[request.Field]struct {
		fault *string
		words locale.Key
	}{
		request.NoName: {&f.NameFault, locale.RequestFaultName}, request.BadEmail: {&f.EmailFault, locale.RequestFaultEmail},
		request.BadMobile: {&f.MobileFault, locale.RequestFaultMobile}, request.NoGroup: {&f.GroupFault, locale.RequestFaultGroup},
		request.MobileAdmin: {&f.KindFault, locale.RequestFaultKind}, request.BadDay: {&f.DayFault, locale.RequestFaultDay},
		request.EndlessAdmin: {&f.DayFault, locale.RequestFaultAdminDay},
	} {
		if slices.Contains(answer.Wrong, what) {
			*field.fault = locale.Say(field.words)
		}
	}
	f.Doubt = doubt(answer)
	if answer.Refused == "" {
		return http.StatusUnprocessableEntity
	}
	switch answer.Refused { //nolint:exhaustive // the others are not of asking
	case request.NotFresh:
		return http.StatusForbidden
	case request.Already:
		p.Fault = locale.Say(locale.RequestFaultAlready)
	case request.Member:
		p.Fault = locale.Say(locale.RequestFaultMember)
	case request.TooMany:
		p.Fault = locale.Say(locale.RequestFaultTooMany)
	}
	return http.StatusConflict
}

// doubt asks whether an address is right as it is.
func doubt(answer request.Answer) string {
	switch {
	case answer.Meant != "":
		return locale.Say(locale.RequestDoubtSlip, locale.Data{"Meant": answer.Meant})
	case slices.Contains(answer.Doubts, address.Role):
		return locale.Say(locale.RequestDoubtRole)
	case len(answer.Doubts) > 0:
		return locale.Say(locale.RequestDoubtDummy)
	}
	return ""
}

// ChangeRequest answers "POST /sites/{site}/settings/requests/{request}", with "do".
func (s *Settings) ChangeRequest() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Request](r.PathValue("request"))
		if err != nil {
			return err
		}
		refused, done := request.Over, ""
		switch form.Get("do") {
		case "withdraw":
			done = "withdrawn"
			refused, err = s.Requests.Withdraw(r.Context(), a.bearer(), which)
		case "resend":
			done = "resent"
			refused, err = s.Requests.Resend(r.Context(), a.bearer(), which)
		}
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, a.path+"/requests?done="+done)
		}
		page, err := s.requestsPage(r, a)
		if err != nil {
			return err
		}
		page.Fault = locale.Say(locale.RequestOver)
		if refused == request.TooOften {
			page.Fault = locale.Say(locale.RequestTooOften)
		}
		if refused == request.TooSoon {
			page.Fault = locale.Say(locale.RequestTooSoon)
		}
		return s.Kit.Show(w, r, http.StatusConflict, page)
	})
}
