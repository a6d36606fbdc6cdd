package staff

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/authority"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// requestsShown is how many waiting requests the list shows.
const requestsShown = 100

// What the list says was done, by the word in its address.
var requestDone = map[string]locale.Key{
	"approved": locale.RequestStaffDoneApproved, "first": locale.RequestStaffDoneFirst, "declined": locale.RequestStaffDoneDeclined,
}

// UserRequests answers "GET /staff/requests".
func (s *Staff) UserRequests() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page := RequestsPage{As: by.User.Name()}
		if key, ok := requestDone[web.ReadQuery(r).Get("done")]; ok {
			page.Done = locale.Say(key)
		}
		all, hidden, err := s.Requests.Waiting(r.Context(), by, requestsShown)
		if err != nil {
			return err
		}
		page.Elsewhere = hidden
		now := s.DB.Clock.Now()
		for _, one := range all {
			at, err := site.ByID(r.Context(), s.DB, one.Site)
			if err != nil {
				return err
			}
			page.Rows = append(page.Rows, Row{
				Path: requestPath(one), Who: first(one.FirstName, one.Name()), Site: at.Name,
				State: requestState(one), Next: locale.Say(locale.RequestStaffSince, locale.Data{"At": locale.Moment(one.AskedAt, at.Zone, now), "Group": string(one.Group)}),
			})
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func requestPath(one request.Request) string {
	return "/staff/requests/" + string(one.Site) + "/" + string(one.ID)
}

func requestState(one request.Request) string {
	switch one.State {
	case request.Asked:
		return locale.Say(locale.RequestStaffAsked)
	case request.ApprovedOnce:
		return locale.Say(locale.RequestStaffFirst)
	case request.Approved:
		return locale.Say(locale.RequestStaffApproved)
	case request.Accepted:
		return locale.Say(locale.RequestStaffAccepted)
	case request.Declined:
		return locale.Say(locale.RequestStaffDeclined)
	case request.Withdrawn:
		return locale.Say(locale.RequestStateWithdrawn)
	case request.Expired:
	}
	return locale.Say(locale.RequestStateExpired)
}

// UserRequest answers "GET /staff/requests/{site}/{request}".
func (s *Staff) UserRequest() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		which, err := refOf(r, "")
		if err != nil {
			return err
		}
		page, err := s.requestPage(r, by, which)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func refOf(r *http.Request, seen string) (request.Ref, error) {
	at, err := id.Parse[id.Site](r.PathValue("site"))
	if err != nil {
		return request.Ref{}, err
	}
	which, err := id.Parse[id.Request](r.PathValue("request"))
	return request.Ref{Site: at, ID: which, Seen: request.State(seen)}, err
}

func (s *Staff) requestPage(r *http.Request, by authority.Bearer, which request.Ref) (RequestPage, error) {
	sight, err := s.Requests.Look(r.Context(), by, which.Site, which.ID)
	if err != nil {
		return RequestPage{}, err
	}
	one := sight.Request
	page := RequestPage{
		As: by.User.Name(), Path: requestPath(one), Who: one.Name(), Site: sight.Site.Name, State: requestState(one),
		Group: string(one.Group), May: web.May(one.Group), Second: sight.Second && one.State == request.Asked, Seen: string(one.State),
		CanDecide: (one.State == request.Asked || one.State == request.ApprovedOnce) && sight.Now.Before(one.ExpiresAt),
	}
	page.CanApprove = page.CanDecide && one.AskedBy != by.User.ID && one.FirstBy != by.User.ID
	if page.CanDecide && !page.CanApprove {
		page.Not = locale.Say(locale.RequestStaffOwn)
	}
	page.Facts = requestFacts(sight)
	if page.Doubt = suspected(sight.Doubts); sight.Meant != "" {
		page.Doubt = locale.Say(locale.RequestStaffSlip, locale.Data{"Meant": sight.Meant})
	}
	for _, g := range site.Groups() {
		n := GroupCount{Group: string(g), Now: sight.Counts[g], Then: sight.Counts[g]}
		if g == one.Group && page.CanDecide {
			n.Then, n.Changes = n.Now+1, true
		}
		if n.Now > 0 || n.Changes {
			page.Difference = append(page.Difference, n)
		}
	}
	return page, nil
}

// suspected says what speaks against an address being one person's own.
func suspected(doubts []address.Suspicion) string {
	switch {
	case slices.Contains(doubts, address.Role):
		return locale.Say(locale.RequestStaffRole)
	case len(doubts) > 0:
		return locale.Say(locale.RequestStaffDummy)
	}
	return ""
}

func requestFacts(sight request.Sight) []Fact {
	one, zone := sight.Request, sight.Site.Zone
	at := func(t time.Time) string { return locale.Moment(t, zone, sight.Now) }
	by := func(t time.Time, who string) string {
		if t.IsZero() {
			return ""
		}
		return locale.Say(locale.StaffFactBy, locale.Data{"At": at(t), "Who": who})
	}
	kind, until := locale.Say(locale.RequestKindOffice), locale.Say(locale.RequestStaffEndless)
	if one.Kind == policy.Mobile {
		kind = locale.Say(locale.RequestKindMobile)
	}
	if !one.Until.IsZero() {
		until = locale.Day(site.LastDay(one.Until, zone), zone)
	}
	mobile := ""
	if one.Mobile != "" {
		mobile = phone.Spoken(one.Mobile)
	}
	var all []Fact
	for _, f := range []struct {
		what  locale.Key
		which string
	}{
		{locale.StaffFactSite, sight.Site.Name},
		{locale.RequestEmail, string(one.Email)},
		{locale.RequestStaffMobile, mobile},
		{locale.RequestGroup, string(one.Group)},
		{locale.RequestKind, kind},
		{locale.RequestStaffUntil, until},
		{locale.RequestStaffAskedBy, by(one.AskedAt, sight.Asker.Name())},
		{locale.RequestStaffFirstBy, by(one.FirstAt, sight.First.Name())},
		{locale.RequestStaffDecidedBy, by(one.DecidedAt, sight.Decider.Name())},
		{locale.RequestStaffReason, one.Reason},
	} {
		if f.which != "" {
			all = append(all, Fact{What: locale.Say(f.what), Which: f.which})
		}
	}
	return all
}

// DecideRequest answers "POST /staff/requests/{site}/{request}", with "do".
func (s *Staff) DecideRequest() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		which, err := refOf(r, form.Get("seen"))
		if err != nil {
			return err
		}
		refused, done := request.Over, "approved"
		switch form.Get("do") {
		case "approve":
			refused, err = s.Requests.Approve(r.Context(), by, which)
		case "decline":
			done = "declined"
			refused, err = s.Requests.Decline(r.Context(), by, which, form.Get("reason"))
		}
		if err != nil {
			return err
		}
		if refused == "" {
			if after, err := s.Requests.ByID(r.Context(), which.Site, which.ID); err != nil {
				return err
			} else if after.State == request.ApprovedOnce {
				done = "first"
			}
			return web.Go(w, r, "/staff/requests?done="+done)
		}
		page, err := s.requestPage(r, by, which)
		if err != nil {
			return err
		}
		page.Reason, page.Fault = form.Get("reason"), requestRefused(refused)
		if refused == request.NotFresh {
			page.Prove = "/me/prove?change=" + string(policy.OtherChange) + "&next=" + url.QueryEscape(page.Path)
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

func requestRefused(refused request.Refused) string {
	switch refused { //nolint:exhaustive // the others have one sentence
	case request.NotFresh:
		return locale.Say(locale.RequestStaffProve)
	case request.NoReason:
		return locale.Say(locale.RequestStaffNoReason)
	case request.Oneself, request.SameMember:
		return locale.Say(locale.RequestStaffOwn)
	case request.OwnSite:
		return locale.Say(locale.RequestStaffOwnSite)
	case request.AskerGone:
		return locale.Say(locale.RequestStaffAskerGone)
	case request.StaffAddress:
		return locale.Say(locale.RequestStaffAddress)
	case request.Member:
		return locale.Say(locale.RequestStaffMember)
	}
	return locale.Say(locale.StaffChanged)
}
