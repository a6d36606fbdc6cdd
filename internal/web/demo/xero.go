package demo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	story "keyturn/internal/demo"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/xero/fake"
)

// The words of the address that say what was done.
const (
	didClock      = "clock"
	didConnect    = "connect"
	didDisconnect = "disconnect"
	didBreak      = "break"
)

// XeroPath is where the stand-in for Xero is.
const XeroPath = "/demo/xero"

// xeroRoutes are those of the stand-in, at Xero's own paths.
func (d *Desk) xeroRoutes() []Route {
	if d.Fake == nil {
		return nil
	}
	h := http.StripPrefix(XeroPath, d.Fake)
	return []Route{
		{http.MethodGet, XeroPath + fake.AuthorizePath, h},
		{http.MethodPost, XeroPath + fake.AuthorizePath, h},
		{http.MethodPost, XeroPath + fake.TokenPath, h},
		{http.MethodGet, XeroPath + fake.KeysPath, h},
		{http.MethodGet, XeroPath + fake.ConnectionsPath, h},
		{http.MethodDelete, XeroPath + fake.ConnectionsPath + "/{id}", h},
	}
}

// Logins gives people a login at the stand-in: each Admin has the books of their site and
// some of their own, and a bookkeeper has those of all.
func Logins(x *fake.Xero, people []story.Person) {
	books := fake.Person{ID: "books", Name: "Bev Lindqvist", Email: "bev@tallybooks.example"}
	for _, p := range people {
		if p.Group != string(policy.GroupAdmin) || slices.ContainsFunc(books.Organisations, func(o fake.Organisation) bool { return o.ID == organisation(p.SiteRef) }) {
			continue
		}
		o := fake.Organisation{ID: organisation(p.SiteRef), Name: p.Site + " Pty Ltd"}
		books.Organisations = append(books.Organisations, o)
		x.Add(fake.Person{
			ID: "admin-" + p.SiteRef, Name: p.Name, Email: p.Email,
			Organisations: []fake.Organisation{o, {ID: "own-" + p.SiteRef, Name: p.Name + " Family Trust"}},
		})
	}
	x.Add(books)
}

// organisation is the stand-in's id of a site's books.
func organisation(ref string) string { return "books-" + ref }

// Xero answers "POST /demo/xero": "action" is connect, disconnect or break, "site" a site's
// reference or id. The first two take effect at once, for those who are signed in, too; what
// is broken stays connected, and does not work.
func (d *Desk) Xero() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		at, err := d.site(r, form.Get("site"))
		if err != nil {
			return err
		}
		done, err := d.plug(r, at, form.Get("action"))
		if err != nil {
			return err
		}
		if wantsJSON(r) {
			return answerJSON(w, map[string]bool{"changed": done})
		}
		query := url.Values{"did": {form.Get("action")}, "site": {at.Ref}}
		return web.Go(w, r, "/demo?"+query.Encode())
	})
}

func (d *Desk) plug(r *http.Request, at site.Site, action string) (bool, error) {
	switch action {
	case didConnect:
		return d.Setup.ConnectXero(r.Context(), story.By(), at.ID, setup.Connection{
			Organisation: at.Name, By: locale.Say(locale.DemoBy),
		})
	case didDisconnect, didBreak:
		if linked, err := d.linked(r, at); err != nil || linked {
			return linked, errors.Join(err, d.atXero(r, at, action))
		}
		if action == didBreak {
			return false, nil
		}
		return d.Setup.DisconnectXero(r.Context(), story.By(), at.ID)
	default:
		return false, fmt.Errorf("the action must be connect, disconnect or break: %w", fault.Invalid)
	}
}

// linked says that a site is connected to the stand-in.
func (d *Desk) linked(r *http.Request, at site.Site) (bool, error) {
	if d.Fake == nil || d.Connect == nil {
		return false, nil
	}
	s, err := d.Connect.Status(r.Context(), d.DB, at.ID)
	return s.Link != nil, err
}

// atXero does what somebody would do at Xero, and has it noticed at once.
func (d *Desk) atXero(r *http.Request, at site.Site, action string) error {
	if action == didBreak {
		d.Fake.BreakOrganisation(organisation(at.Ref))
	} else {
		d.Fake.End(organisation(at.Ref))
	}
	return d.Connect.Check(r.Context(), at.ID)
}

// site finds a site by its reference or id.
func (d *Desk) site(r *http.Request, named string) (site.Site, error) {
	at, err := site.ByRef(r.Context(), d.DB, named)
	if !errors.Is(err, fault.NotFound) {
		return at, err
	}
	which, err := id.Parse[id.Site](named)
	if err != nil {
		return site.Site{}, err
	}
	return site.ByID(r.Context(), d.DB, which)
}
