package door

import (
	"net/http"
	"slices"

	"keyturn/internal/check"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/manager"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/web/reason"
)

// siteID reads a site's id as the page wrote it. Anything else names no site.
func siteID(s string) id.Site {
	which, err := id.Parse[id.Site](s)
	if err != nil {
		return ""
	}
	return which
}

// More answers "GET /signin/more": a live session must pass the second step now.
func (d *Door) More() http.Handler {
	return d.live(check.More, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page, err := d.morePage(r, a)
		if err != nil {
			return err
		}
		page.Next = local(r.URL.Query().Get("next"))
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Raise answers "POST /signin/more": it begins the attempt that lifts the session.
func (d *Door) Raise() http.Handler {
	return d.live(check.More, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		next, err := d.Desk.Raise(r.Context(), a.Session, local(form.Get("next")))
		if err != nil {
			return err
		}
		return d.proceed(w, r, next)
	})
}

// Locked answers "GET /signin/locked".
func (d *Door) Locked() http.Handler {
	return d.live(check.Locked, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page, err := d.lockedPage(r, a, local(r.URL.Query().Get("next")))
		if err != nil {
			return err
		}
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Resume answers "POST /signin/locked".
func (d *Door) Resume() http.Handler {
	return d.live(check.Locked, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		next, err := d.Desk.Resume(r.Context(), a.Session, secret.NewText(form.Get("password")), d.place(w, r))
		if err != nil {
			return err
		}
		if next.Wrong != "" {
			page, err := d.lockedPage(r, a, local(form.Get("next")))
			if err != nil {
				return err
			}
			page.Fault = FaultPassword()
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		next.ReturnTo = local(form.Get("next"))
		return d.proceed(w, r, next)
	})
}

// live runs a handler for a session in one state; any other goes where it belongs.
func (d *Door) live(want check.State, do func(http.ResponseWriter, *http.Request, check.Answer) error) http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		a, err := d.Check.Of(r.Context(), d.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		if a.State != want {
			return web.Go(w, r, "/me")
		}
		return do(w, r, a)
	})
}

func (d *Door) morePage(r *http.Request, a check.Answer) (MorePage, error) {
	page := MorePage{As: a.User.Name()}
	at, err := d.siteOf(r, a)
	if err != nil {
		return page, err
	}
	page.Site = at.Name
	of, err := manager.Of(r.Context(), d.Desk.DB, at)
	if err != nil {
		return page, err
	}
	page.Manager = web.ContactOf(of)
	page.Why = reason.WhyMore(at.Name)
	now := d.Desk.DB.Clock.Now()
	page.Facts = reason.Facts(a.Decision, zoneOf(at), now)
	methods, helpers, err := d.Desk.Around(r.Context(), a.Session)
	if err != nil {
		return page, err
	}
	page.Helpers = helpers
	page.Offers = offers(a.Decision, methods, "")
	return page, nil
}

func (d *Door) lockedPage(r *http.Request, a check.Answer, next string) (LockedPage, error) {
	at, err := d.siteOf(r, a)
	if err != nil {
		return LockedPage{}, err
	}
	methods, err := method.Of(r.Context(), d.Desk.DB, a.User.ID)
	return LockedPage{
		As: a.User.Name(), Site: at.Name, Next: next,
		Since:   locale.Clock(a.Session.SeenAt, zoneOf(at)),
		Passkey: slices.ContainsFunc(methods, func(m method.Method) bool { return m.Kind == policy.Passkey }),
	}, err
}

func (d *Door) siteOf(r *http.Request, a check.Answer) (site.Site, error) {
	if a.Session.Site == "" {
		return site.Site{}, nil
	}
	return site.ByID(r.Context(), d.Desk.DB, a.Session.Site)
}
