package oidc

import (
	"net/http"

	"keyturn/internal/check"
	"keyturn/internal/oidc"
	"keyturn/internal/web"
)

// Logout answers "GET /oauth/logout". With an ID token of ours the application shows that it
// knows the session, which ends at once; anybody else is asked first, by a form of our own.
func (p *Provider) Logout() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		query := r.URL.Query()
		get := func(name string) string {
			if len(query[name]) != 1 {
				return ""
			}
			return query[name][0]
		}
		l, err := p.Desk.Leaving(r.Context(), get)
		if err != nil {
			return err
		}
		a, err := p.Check.Of(r.Context(), p.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		if l.Session.ID != "" {
			if err := p.SignIn.SignOut(r.Context(), l.Session); err != nil {
				return err
			}
			if a.State != check.Out && a.Session.ID == l.Session.ID {
				p.Kit.DropCookie(w, web.SessionCookie)
				a = check.Answer{State: check.Out}
			}
		}
		if l.Known || a.State == check.Out {
			return p.left(w, r, l, true)
		}
		page := LogoutPage{As: a.User.Name()}
		if l.To != "" {
			page.Client, page.To, page.State = string(l.Client.ID), get("post_logout_redirect_uri"), get("state")
		}
		return p.Kit.Show(w, r, http.StatusOK, page)
	})
}

// EndSession answers "POST /oauth/logout", from the page that asked.
func (p *Provider) EndSession() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		l, err := p.Desk.Leaving(r.Context(), form.Get)
		if err != nil {
			return err
		}
		a, err := p.Check.Of(r.Context(), p.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		if a.State != check.Out {
			if err := p.SignIn.SignOut(r.Context(), a.Session); err != nil {
				return err
			}
		}
		p.Kit.DropCookie(w, web.SessionCookie)
		return p.left(w, r, l, false)
	})
}

// left goes where the application wants somebody who has signed out, or to a page of ours.
// direct says that no form led here.
func (p *Provider) left(w http.ResponseWriter, r *http.Request, l oidc.Leave, direct bool) error {
	switch {
	case l.To == "":
		return web.Go(w, r, "/signedout")
	case direct:
		away(w, l.To)
		return nil
	}
	return p.leave(w, r, l.Client.Name, l.To)
}
