package me

import (
	"net/http"

	"keyturn/internal/authority"
	"keyturn/internal/check"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// InvitationsPage lists the sites that somebody who signs in already is invited to: each
// is one button of the form POST /me/invitations.
type InvitationsPage struct {
	// As is the name of whoever is in, Login the login name: an invitation to another one is
	// not here.
	As, Login string
	// Joined is the name of a site that was joined just now, Gone says that an invitation
	// was over. May be empty.
	Joined string
	Gone   bool
	// Mobile says that what was joined is for the mobile app alone.
	Mobile bool
	All    []Invited
}

// Invited is one invitation.
type Invited struct {
	// Site and Request are the values of the form's fields of these names.
	Site, Request string
	// By asked for it, at the site of this Name, in Group, which May do this, until Day. Day
	// may be empty.
	By, Name, Group, May, Day string
}

// Head implements web.Page.
func (p InvitationsPage) Head() web.Head {
	h := web.Head{Template: "me/invitations", Title: locale.Say(locale.InvitationMineTitle)}
	if p.Gone {
		h.Problem = locale.Say(locale.InvitationGoneTitle)
	}
	return h
}

// Invitations answers "GET /me/invitations".
func (m *Me) Invitations() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page, err := m.invitationsPage(r, a)
		if err != nil {
			return err
		}
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (m *Me) invitationsPage(r *http.Request, a check.Answer) (InvitationsPage, error) {
	page := InvitationsPage{As: a.User.Name(), Login: string(a.User.Login)}
	all, err := m.Requests.Mine(r.Context(), a.User.ID)
	if err != nil {
		return page, err
	}
	for _, v := range all {
		one := Invited{
			Site: string(v.Site.ID), Request: string(v.Request.ID), By: v.By, Name: v.Site.Name,
			Group: string(v.Request.Group), May: web.May(v.Request.Group),
		}
		if !v.Request.Until.IsZero() {
			one.Day = locale.Day(site.LastDay(v.Request.Until, v.Site.Zone), v.Site.Zone)
		}
		page.All = append(page.All, one)
	}
	return page, nil
}

// JoinSite answers "POST /me/invitations": it adds the membership, and nothing else.
func (m *Me) JoinSite() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		at, err := id.Parse[id.Site](form.Get("site"))
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Request](form.Get("request"))
		if err != nil {
			return err
		}
		out, err := m.Requests.Join(r.Context(), authority.Bearer{Session: a.Session, User: a.User, Place: m.place(w, r)}, at, which)
		if err != nil {
			return err
		}
		page, err := m.invitationsPage(r, a)
		if err != nil {
			return err
		}
		if page.Gone = out.Gone; out.Gone {
			return m.Kit.Show(w, r, http.StatusNotFound, page)
		}
		page.Joined, page.Mobile = out.Site.Name, out.Kind == policy.Mobile
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}
