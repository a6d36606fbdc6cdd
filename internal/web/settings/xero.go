package settings

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"keyturn/internal/connect"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/web"
)

// XeroBack is where a browser comes back to from Xero, as it is registered there.
const XeroBack = "/connect/xero/callback"

// Under the path of the integrations.
const (
	xeroPath    = "/integrations"
	xeroAsk     = xeroPath + "/xero/connect"
	xeroChoose  = xeroPath + "/xero/choose"
	xeroEnd     = xeroPath + "/xero/disconnect"
	tonight     = "tonight"
	immediately = "now"
)

// Xero answers "GET /sites/{site}/settings/integrations". The query may say what was just
// done.
func (s *Settings) Xero() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.xeroPage(r, a)
		if err != nil {
			return err
		}
		page.Done = xeroDone(web.ReadQuery(r).Get("done"))
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) xeroPage(r *http.Request, a admin) (XeroPage, error) {
	now := s.DB.Clock.Now()
	page := XeroPage{Site: a.site.Name, Path: a.path}
	st, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
	if err != nil {
		return page, err
	}
	c, err := s.Setup.Company(r.Context(), s.DB, now, a.site.ID)
	if err != nil {
		return page, err
	}
	say := moments{zone: a.site.Zone, now: now}
	page.SetUp, page.Live = st.SetUp, st.Live()
	page.Asks = locale.Say(locale.XeroAsksNot)
	if len(c.Coming) > 0 {
		page.Asks = locale.Say(locale.XeroAsksDate, locale.Data{"When": say.exact(c.Coming[0].Until)})
	}
	if c.Held() {
		page.Asks = locale.Say(locale.XeroAsksAll)
	}
	if i := st.Connection; i != nil {
		page.Was, page.Stays = !page.Live, !page.Live && c.Held()
		if page.Stays {
			page.Asks = locale.Say(locale.XeroStays)
		}
		page.Organisation, page.Since, page.ToCome = i.Organisation, say.since(i.Since, i.By), i.Since.After(now)
		page.Until = say.unlessZero(i.DisconnectedAt)
		page.State = xeroState(i.State, i.Since, say)
	}
	page.Reported = page.Live && st.Link == nil
	if page.Live {
		page.Until = ""
	}
	if l := st.Link; l != nil && page.Live {
		page.Organisation, page.Heard = l.Organisation, say.unlessZero(l.Heard)
		page.Dead = l.Dead
		page.Down = st.Failing() && !l.Dead
	}
	return page, nil
}

// since says since when and by whom.
func (m moments) since(at time.Time, by string) string {
	switch {
	case at.IsZero():
		return locale.Say(locale.XeroSinceUnknown)
	case by == "":
		return m.exact(at)
	}
	return locale.Say(locale.XeroSinceBy, locale.Data{"When": m.exact(at), "By": by})
}

func (m moments) unlessZero(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return m.exact(at)
}

func xeroState(state policy.State, since time.Time, say moments) string {
	switch {
	case state == policy.Disconnected:
		return locale.Say(locale.XeroStateWas)
	case state == policy.Failing:
		return locale.Say(locale.XeroStateFailing)
	case since.After(say.now):
		return locale.Say(locale.XeroStateTonight, locale.Data{"When": say.exact(since)})
	}
	return locale.Say(locale.XeroStateConnected)
}

// XeroFirst answers "GET /sites/{site}/settings/integrations/xero/connect": what a
// connection would mean for everybody. It writes nothing, and an admin who has to prove first
// who they are comes back to it.
func (s *Settings) XeroFirst() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.xeroAskPage(r, a, web.ReadQuery(r).Get("when"))
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) xeroAskPage(r *http.Request, a admin, when string) (XeroAskPage, error) {
	now := s.DB.Clock.Now()
	page := XeroAskPage{Site: a.site.Name, Path: a.path}
	st, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
	if err != nil {
		return page, err
	}
	if st.Live() {
		page.Again, page.Organisation = true, st.Connection.Organisation
		return page, nil
	}
	c, err := s.Setup.Company(r.Context(), s.DB, now, a.site.ID)
	if err != nil {
		return page, err
	}
	forecast, date, err := s.Setup.PreviewConnected(r.Context(), a.site.ID)
	if err != nil {
		return page, err
	}
	say := moments{zone: a.site.Zone, now: now}
	page.On = c.Held()
	page.Date = say.unlessZero(date)
	for _, pick := range []Pick{
		{Value: immediately, Words: locale.Say(locale.XeroWhenNow), Hint: locale.Say(locale.XeroWhenNowHint)},
		{Value: tonight, Words: locale.Say(locale.XeroWhenTonight), Hint: locale.Say(locale.XeroWhenTonightHint, locale.Data{
			"When": say.exact(policy.NextFour(now, a.site.Zone)),
		})},
	} {
		pick.On = (pick.Value == tonight) == (when != immediately)
		page.When = append(page.When, pick)
	}
	var p PreviewPage
	p.foretell(forecast, a.User.ID)
	page.Asked, page.Total, page.SelfStuck, page.Stuck, page.Newly = p.Asked, p.Total, p.SelfStuck, p.Stuck, p.Newly
	return page, nil
}

// XeroGo answers "POST /sites/{site}/settings/integrations/xero/connect" with the door to
// Xero. Browsers keep our forms from leading elsewhere, so it is a page with a link.
func (s *Settings) XeroGo() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		when := form.Get("when")
		to, refused, err := s.Connect.Begin(r.Context(), a.bearer(), when == tonight)
		if err != nil {
			return err
		}
		switch {
		case refused == connect.NotFresh:
			return prove(w, r, a.path+xeroAsk+"?"+url.Values{"when": {whenOr(when)}}.Encode())
		case refused != "":
			return s.showXero(w, r, a, refused)
		}
		page := XeroGoPage{Site: a.site.Name, Path: a.path, To: to}
		st, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
		if err != nil {
			return err
		}
		if st.Live() {
			page.Organisation = st.Connection.Organisation
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func whenOr(when string) string {
	if when == immediately {
		return immediately
	}
	return tonight
}

// showXero shows how the site stands, and why nothing was changed.
func (s *Settings) showXero(w http.ResponseWriter, r *http.Request, a admin, refused connect.Refused) error {
	page, err := s.xeroPage(r, a)
	if err != nil {
		return err
	}
	page.Fault = xeroFault(refused)
	return s.Kit.Show(w, r, http.StatusConflict, page)
}

// FromXero answers "GET /connect/xero/callback": a browser is back. It changes nothing.
func (s *Settings) FromXero() http.Handler {
	return s.here(func(w http.ResponseWriter, r *http.Request, a admin) error {
		b := connect.ReadBack(r.URL.Query())
		page := XeroBackPage{Site: a.site.Name, Path: a.path, State: b.State, Code: b.Code}
		waits, err := s.Connect.Waits(r.Context(), a.bearer(), b)
		if err != nil {
			return err
		}
		status := http.StatusConflict
		switch {
		case !waits:
			page.Fault = xeroFault(connect.Over)
		case b.Code == "" && b.Fault == "access_denied":
			page.Fault, status = xeroFault(connect.Cancelled), http.StatusOK
		case b.Code == "":
			page.Fault = xeroFault(connect.NotAllowed)
		default:
			status = http.StatusOK
		}
		return s.Kit.Show(w, r, status, page)
	})
}

// FinishXero answers "POST /connect/xero/callback".
func (s *Settings) FinishXero() http.Handler {
	return s.here(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		before, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
		if err != nil {
			return err
		}
		done, err := s.Connect.Finish(r.Context(), a.bearer(), connect.ReadBack(url.Values{"state": {form.Get("state")}, "code": {form.Get("code")}}))
		switch {
		case err != nil:
			return err
		case done.Refused != "":
			page := XeroBackPage{Site: a.site.Name, Path: a.path, Fault: xeroFault(done.Refused)}
			return s.Kit.Show(w, r, http.StatusConflict, page)
		case done.Choose != "":
			return web.Go(w, r, a.path+xeroChoose+"?asking="+string(done.Choose))
		}
		return web.Go(w, r, a.path+xeroPath+"?done="+connectedAs(before))
	})
}

// connectedAs is what a connection made of a site that stood so.
func connectedAs(before connect.Status) string {
	if before.Live() {
		return "again"
	}
	return "connected"
}

// XeroChoices answers "GET /sites/{site}/settings/integrations/xero/choose".
func (s *Settings) XeroChoices() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.xeroChoosePage(r, a, web.ReadQuery(r).Get("asking"))
		if errors.Is(err, fault.NotFound) {
			return s.Kit.Show(w, r, http.StatusConflict, XeroBackPage{Site: a.site.Name, Path: a.path, Fault: xeroFault(connect.Over)})
		}
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) xeroChoosePage(r *http.Request, a admin, asking string) (XeroChoosePage, error) {
	page := XeroChoosePage{Site: a.site.Name, Path: a.path, Asking: asking, None: true}
	which, err := id.Parse[id.Connecting](asking)
	if err != nil {
		return page, err
	}
	all, err := s.Connect.Choices(r.Context(), a.bearer(), which)
	if err != nil {
		return page, err
	}
	for _, c := range all {
		pick := Pick{Value: c.Connection, Words: c.Name}
		if c.Taken {
			pick.Off = locale.Say(locale.XeroChooseTaken)
		}
		page.None = page.None && c.Taken
		page.Organisations = append(page.Organisations, pick)
	}
	return page, nil
}

// ChooseXero answers "POST /sites/{site}/settings/integrations/xero/choose".
func (s *Settings) ChooseXero() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		before, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Connecting](form.Get("asking"))
		refused := connect.Over
		if err == nil {
			refused, err = s.Connect.Choose(r.Context(), a.bearer(), which, form.Get("organisation"))
		} else {
			err = nil
		}
		switch {
		case err != nil:
			return err
		case refused == "":
			return web.Go(w, r, a.path+xeroPath+"?done="+connectedAs(before))
		}
		page, err := s.xeroChoosePage(r, a, form.Get("asking"))
		if err != nil {
			return s.Kit.Show(w, r, http.StatusConflict, XeroBackPage{Site: a.site.Name, Path: a.path, Fault: xeroFault(refused)})
		}
		page.Fault = xeroFault(refused)
		return s.Kit.Show(w, r, http.StatusConflict, page)
	})
}

// EndXeroFirst answers "GET /sites/{site}/settings/integrations/xero/disconnect".
func (s *Settings) EndXeroFirst() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, found, err := s.xeroEndPage(r, a)
		if err != nil {
			return err
		}
		if !found {
			return s.showXero(w, r, a, connect.Nothing)
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) xeroEndPage(r *http.Request, a admin) (XeroEndPage, bool, error) {
	now := s.DB.Clock.Now()
	page := XeroEndPage{Site: a.site.Name, Path: a.path, From: locale.Exact(now.Add(policy.CoolingOff), a.site.Zone, now)}
	st, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
	if err != nil || st.Link == nil || !st.Live() {
		return page, false, err
	}
	page.Organisation = st.Link.Organisation
	return page, true, nil
}

// EndXero answers "POST /sites/{site}/settings/integrations/xero/disconnect".
func (s *Settings) EndXero() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		refused, atXero, err := s.Connect.Disconnect(r.Context(), a.bearer())
		switch {
		case err != nil:
			return err
		case refused == connect.NotFresh:
			return prove(w, r, a.path+xeroEnd)
		case refused != "":
			return s.showXero(w, r, a, refused)
		case atXero:
			return web.Go(w, r, a.path+xeroPath+"?done=disconnected")
		}
		return web.Go(w, r, a.path+xeroPath+"?done=here")
	})
}
