package demo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	story "keyturn/internal/demo"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// The words of the address that say what was done.
const (
	didClock      = "clock"
	didConnect    = "connect"
	didDisconnect = "disconnect"
)

// Xero answers "POST /demo/xero": "action" is connect or disconnect, "site" a site's
// reference or id. It does what the site's Admin would do at Xero: it takes effect at
// once, for those who are signed in, too.
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
	case didDisconnect:
		return d.Setup.DisconnectXero(r.Context(), story.By(), at.ID)
	default:
		return false, fmt.Errorf("the action must be connect or disconnect: %w", fault.Invalid)
	}
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
