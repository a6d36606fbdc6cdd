// Package settings is the pages of a site's admins: User Setup, requests, company settings
// and groups, who waits to be let in, help codes, the SMS balance, shared logins. Their
// menu stands around each. One guard stands before all of them: an active Admin who is in,
// at that very site. To everybody else a page of another site is not there.
package settings

import (
	"context"
	"net/http"
	"net/url"

	"keyturn/internal/authority"
	"keyturn/internal/check"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/request"
	"keyturn/internal/rescue"
	"keyturn/internal/session"
	"keyturn/internal/setup"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
	"keyturn/internal/trail"
	"keyturn/internal/web"
)

// Settings serves them.
type Settings struct {
	Kit    *web.Kit
	DB     *db.DB
	Check  *check.Checker
	Rescue *rescue.Desk
	// Requests asks for users.
	Requests *request.Desk
	// Sharing finds logins that several people use.
	Sharing *sharing.Desk
	// Members is User Setup.
	Members *member.Desk
	// Setup changes company settings.
	Setup *setup.Desk
	// Connect connects the site to Xero.
	Connect *connect.Desk
	// Prepare gets people ready.
	Prepare *prepare.Desk
	// Pages are those that stand in the menu (see Paths).
	Pages []string
	Trail *trail.Desk
	// BuyURL is where SMS are bought; empty: the account manager is asked.
	BuyURL string
}

// admin is somebody who may be here.
type admin struct {
	check.Answer
	site  site.Site
	place session.Place
	path  string
}

func (a admin) bearer() authority.Bearer {
	return authority.Bearer{Session: a.Session, User: a.User, Place: a.place}
}

// only is the guard: it runs a handler for an active Admin whose session is at the site of
// the address, and leads whoever is not quite in to where that is mended.
func (s *Settings) only(do func(http.ResponseWriter, *http.Request, admin) error) http.Handler {
	return s.guard(do, func(r *http.Request, _ check.Answer) (id.Site, error) { return id.Parse[id.Site](r.PathValue("site")) })
}

// here is the guard of an address that names no site: that of the session is meant.
func (s *Settings) here(do func(http.ResponseWriter, *http.Request, admin) error) http.Handler {
	return s.guard(do, func(_ *http.Request, a check.Answer) (id.Site, error) {
		return id.Parse[id.Site](string(a.Session.Site))
	})
}

func (s *Settings) guard(
	do func(http.ResponseWriter, *http.Request, admin) error, named func(*http.Request, check.Answer) (id.Site, error),
) http.Handler {
	return s.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.Check.Of(r.Context(), s.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		if a.State != check.In {
			return web.Go(w, r, back(a.State)+"?next="+url.QueryEscape(r.URL.Path))
		}
		which, err := named(r, a)
		if err != nil || which != a.Session.Site {
			return fault.NotFound
		}
		if ok, err := s.isAdmin(r.Context(), a); err != nil || !ok {
			return orNotFound(err)
		}
		at, err := site.ByID(r.Context(), s.DB, which)
		if err != nil {
			return err
		}
		around := s.menu(r, "/sites/"+string(which)+"/settings")
		if around.Sites, err = web.OtherSites(r.Context(), s.DB, a.User.ID, which); err != nil {
			return err
		}
		return do(w, web.With(r, around), admin{
			Answer: a, site: at, path: "/sites/" + string(which) + "/settings",
			place: session.Place{
				Browser: s.Kit.Browser(w, r), Network: web.Network(s.Kit.Client(r)).String(),
				Agent: web.Agent(r, locale.Say(locale.AgentUnknown)),
			},
		})
	})
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return fault.NotFound
}

// back is where a session that may not go on is mended.
func back(state check.State) string {
	switch state {
	case check.Locked:
		return "/signin/locked"
	case check.More:
		return "/signin/more"
	case check.Out, check.In:
	}
	return "/signin"
}

func (s *Settings) isAdmin(ctx context.Context, a check.Answer) (bool, error) {
	all, err := site.MembershipsOf(ctx, s.DB, a.User.ID)
	if err != nil {
		return false, err
	}
	for _, m := range all {
		if m.Site == a.Session.Site {
			return m.Group == policy.GroupAdmin && m.Status == policy.Active && m.Kind != policy.Mobile, nil
		}
	}
	return false, nil
}

// prove sends an admin to prove again who they are, and back.
func prove(w http.ResponseWriter, r *http.Request, next string) error {
	return web.Go(w, r, proofPath(next))
}
