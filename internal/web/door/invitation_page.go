package door

import (
	"net/http"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// InvitationPage says who invites whom to what. It is shown to whoever has the link: with
// New or Shut, the form POST /invitation/{token} with the field "password"; else a way to
// sign in.
type InvitationPage struct {
	// Token is that of the link.
	Token string
	// By asked for Who to be let in at Site, in Group, which May do this. Day is the last day
	// of it; empty if it has none.
	By, Who, Site, Group, May, Day string
	// Login is the name to sign in with.
	Login string
	// New says that a first password is chosen here, Shut that the one they have is typed
	// here; Mobile that it is for the mobile app.
	New, Shut, Mobile bool
	// Fault says why the password cannot be used. Empty at first sight.
	Fault string
}

// Head implements web.Page.
func (p InvitationPage) Head() web.Head {
	return web.Head{Template: "door/invitation", Title: locale.Say(locale.InvitationTitle, locale.Data{"Site": p.Site}), Problem: p.Fault, Site: p.Site}
}

// InvitationDonePage says that the password is saved, and what comes next.
type InvitationDonePage struct {
	Site, Login string
	// Mobile says that the membership is for the mobile app alone.
	Mobile bool
}

// Head implements web.Page.
func (p InvitationDonePage) Head() web.Head {
	return web.Head{Template: "door/invitationdone", Title: locale.Say(locale.InvitationDoneTitle), Site: p.Site}
}

// InvitationGonePage is for a link that invites nobody any more.
type InvitationGonePage struct{}

// Head implements web.Page.
func (p InvitationGonePage) Head() web.Head {
	return web.Head{Template: "door/invitationgone", Title: locale.Say(locale.InvitationGoneTitle)}
}

// Invitation answers "GET /invitation/{token}". It changes nothing, whoever opens it.
func (d *Door) Invitation() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		page, ok, err := d.invitationPage(r)
		if err != nil {
			return err
		}
		if !ok {
			return d.Kit.Show(w, r, http.StatusNotFound, InvitationGonePage{})
		}
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (d *Door) invitationPage(r *http.Request) (InvitationPage, bool, error) {
	page := InvitationPage{Token: r.PathValue("token")}
	v, ok, err := d.Requests.View(r.Context(), page.Token)
	if err != nil || !ok {
		return page, false, err
	}
	one := v.Request
	page.By, page.Who, page.Site, page.Login = v.By, one.Name(), v.Site.Name, string(one.Email)
	page.Group, page.May, page.Mobile = string(one.Group), web.May(one.Group), one.Kind == policy.Mobile
	page.New, page.Shut = v.New, v.Shut
	if !one.Until.IsZero() {
		page.Day = locale.Day(site.LastDay(one.Until, v.Site.Zone), v.Site.Zone)
	}
	return page, true, nil
}

// AcceptInvitation answers "POST /invitation/{token}".
func (d *Door) AcceptInvitation() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		page, ok, err := d.invitationPage(r)
		if err != nil {
			return err
		}
		if !ok {
			return d.Kit.Show(w, r, http.StatusNotFound, InvitationGonePage{})
		}
		if !page.New && !page.Shut {
			return web.Go(w, r, "/signin?next=/me/invitations")
		}
		if form.Get("password") == "" {
			page.Fault = page.empty()
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		out, err := d.Requests.Accept(r.Context(), page.Token, secret.NewText(form.Get("password")), d.place(w, r))
		switch {
		case err != nil:
			return err
		case out.Gone:
			return d.Kit.Show(w, r, http.StatusNotFound, InvitationGonePage{})
		case out.Wrong:
			page.Fault = locale.Say(locale.InvitationWrong)
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		case out.Unfit != "":
			page.Fault = unfit(rescue.Unfit(out.Unfit))
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		return d.Kit.Show(w, r, http.StatusOK, InvitationDonePage{Site: out.Site.Name, Login: page.Login, Mobile: out.Kind == policy.Mobile})
	})
}

// empty says that no password was typed.
func (p InvitationPage) empty() string {
	if p.Shut {
		return locale.Say(locale.InvitationEmpty)
	}
	return FaultNewEmpty()
}
