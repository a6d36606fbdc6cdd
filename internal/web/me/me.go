package me

import (
	"net/http"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/check"
	"keyturn/internal/enrol"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/request"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// Me serves a signed-in person's own pages.
type Me struct {
	Kit   *web.Kit
	Desk  *signin.Desk
	Check *check.Checker
	// Enrol changes a person's own ways of signing in.
	Enrol *enrol.Desk
	// Prepare knows the test codes that an Admin sent.
	Prepare *prepare.Desk
	// Requests reads invitations.
	Requests *request.Desk
}

// in is the one guard of this face: it runs a handler for a session that may go on, and
// leads any other to where it is mended.
func (m *Me) in(do func(http.ResponseWriter, *http.Request, check.Answer) error) http.Handler {
	return m.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		a, err := m.Check.Of(r.Context(), m.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		switch a.State {
		case check.In:
			others, err := web.OtherSites(r.Context(), m.Desk.DB, a.User.ID, a.Session.Site)
			if err != nil {
				return err
			}
			return do(w, web.With(r, web.Around{Sites: others}), a)
		case check.Locked:
			return web.Go(w, r, "/signin/locked")
		case check.More:
			return web.Go(w, r, "/signin/more")
		case check.Out:
		}
		return web.Go(w, r, "/signin")
	})
}

// Home answers "GET /me".
func (m *Me) Home() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page, err := m.homePage(r, a)
		if err != nil {
			return err
		}
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Switch answers "POST /me/site": it goes on at another of the person's sites.
func (m *Me) Switch() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		to, err := id.Parse[id.Site](form.Get("site"))
		if err != nil {
			return err
		}
		next, err := m.Desk.Switch(r.Context(), a.Session, to)
		if err != nil {
			return err
		}
		return m.proceed(w, r, next)
	})
}

// proceed goes on to what a switch brought: the other site, or the second step for it.
func (m *Me) proceed(w http.ResponseWriter, r *http.Request, next signin.Next) error {
	switch {
	case next.Session != "":
		m.Kit.PutCookie(w, web.SessionCookie, next.Session, web.SessionLife)
	case next.Attempt != "":
		m.Kit.PutCookie(w, web.AttemptCookie, next.Attempt, 0)
		return web.Go(w, r, "/signin/code")
	case next.Step == signin.Gone:
		return web.Go(w, r, "/signin")
	}
	if next.ReturnTo != "" {
		return web.Go(w, r, next.ReturnTo)
	}
	return web.Go(w, r, "/me")
}

func (m *Me) homePage(r *http.Request, a check.Answer) (HomePage, error) {
	ctx, from, now := r.Context(), m.Desk.DB, m.Desk.DB.Clock.Now()
	page := HomePage{As: a.User.Name(), Login: string(a.User.Login), How: how(a.Session)}
	memberships, err := site.MembershipsOf(ctx, from, a.User.ID)
	if err != nil {
		return page, err
	}
	zone := time.UTC
	for _, membership := range memberships {
		s, err := site.ByID(ctx, from, membership.Site)
		if err != nil {
			return page, err
		}
		switch {
		case s.ID == a.Session.Site:
			page.Site, page.Group, zone = s.Name, string(membership.Group), s.Zone
			if membership.Group == policy.GroupAdmin {
				page.Settings = "/sites/" + string(s.ID) + "/settings"
			}
		case membership.Kind == policy.Office && membership.Active(now):
			page.Sites = append(page.Sites, SiteChoice{ID: string(s.ID), Name: s.Name})
		}
	}
	page.Since = locale.Moment(a.Session.StartedAt, zone, now)
	page.Ends = locale.Moment(a.Session.EndsAt, zone, now)
	methods, helpers, err := m.Desk.Around(ctx, a.Session)
	if err != nil {
		return page, err
	}
	page.Proved = proved(methods)
	decision, err := m.Check.Decision(ctx, a.Session, a.User, now)
	if err != nil {
		return page, err
	}
	page.Coming = coming(decision, methods, helpers, zone, now)
	invited, err := m.Requests.Mine(ctx, a.User.ID)
	if err != nil {
		return page, err
	}
	page.Invited = len(invited) > 0
	test, err := m.test(r, a)
	if err != nil {
		return page, err
	}
	page.Test = test.To != ""
	page.Recent, err = m.recent(r, a, zone, now)
	return page, err
}

// proved says whether a code that was sent by email was ever typed back.
func proved(methods []method.Method) bool {
	return slices.ContainsFunc(methods, func(one method.Method) bool {
		return one.Kind == policy.Email && !one.ProvedAt.IsZero()
	})
}

// coming is what the policy says of a date that is to come.
func coming(decision policy.Decision, methods []method.Method, helpers []string, zone *time.Location, now time.Time) *Coming {
	for _, r := range decision.Reasons {
		if r.Key != policy.DateToCome {
			continue
		}
		c := &Coming{
			Site: r.SiteName, Helpers: helpers,
			When: locale.Exact(r.Until, zone, now), Away: locale.Away(r.Until, zone, now),
		}
		stuck := slices.ContainsFunc(decision.NotOffered, func(w policy.Withheld) bool { return w.Kind == policy.Email })
		for _, one := range methods {
			if one.Kind == policy.Email && !stuck {
				c.Proved = !one.ProvedAt.IsZero()
				c.To = address.Mask(address.Canonical(one.Address))
			}
		}
		return c
	}
	return nil
}

// recentShown is how many sign-ins the page lists.
const recentShown = 10

func (m *Me) recent(r *http.Request, a check.Answer, zone *time.Location, now time.Time) ([]SignIn, error) {
	open, err := session.Recent(r.Context(), m.Desk.DB, a.User.ID, recentShown)
	if err != nil {
		return nil, err
	}
	var all []SignIn
	for _, s := range open {
		all = append(all, SignIn{
			When: locale.Moment(s.StartedAt, zone, now), How: how(s), From: s.Place.Agent, Here: s.ID == a.Session.ID,
		})
	}
	return all, nil
}

// how says with what a session was opened.
func how(s session.Session) string {
	switch policy.MethodKind(s.Factor) {
	case policy.Email:
		return HowEmail()
	case policy.SMS:
		return locale.Say(locale.MeHowSms)
	case policy.TOTP:
		return locale.Say(locale.MeHowTotp)
	case policy.Passkey:
		return locale.Say(locale.MeHowPasskey)
	case policy.Recovery:
		return locale.Say(locale.MeHowRecovery)
	}
	if s.Device != "" {
		return locale.Say(locale.MeHowDevice)
	}
	return HowPassword()
}
