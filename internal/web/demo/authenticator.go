package demo

import (
	"net/http"
	"time"

	story "keyturn/internal/demo"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// AuthenticatorPage is the phones of the vendor's people.
type AuthenticatorPage struct{ Apps []App }

// App is one authenticator.
type App struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	// Digits are shown until Until.
	Digits string `json:"digits"`
	Until  string `json:"until"`
}

// Head implements web.Page.
func (p AuthenticatorPage) Head() web.Head {
	return web.Head{Template: "demo/authenticator", Title: locale.Say(locale.DemoStaff), Layout: web.Broad}
}

// Authenticator answers "GET /demo/authenticator" with the codes of now, for people or, as
// JSON, for programs.
func (d *Desk) Authenticator() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		now, page := d.DB.Clock.Now(), AuthenticatorPage{}
		for _, one := range story.Staff() {
			digits, until, err := story.Authenticator(r.Context(), d.DB, one.Email, now)
			if err != nil {
				return err
			}
			page.Apps = append(page.Apps, App{Name: one.Name, Email: one.Email, Digits: digits, Until: locale.ClockSeconds(until, time.UTC)})
		}
		if wantsJSON(r) {
			return answerJSON(w, page.Apps)
		}
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}
