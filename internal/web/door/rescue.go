package door

import (
	"net/http"
	"strings"

	"keyturn/internal/locale"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/web"
)

// Reset answers "GET /reset".
func (d *Door) Reset() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return d.Kit.Show(w, r, http.StatusOK, ResetPage{})
	})
}

// AskReset answers "POST /reset": the same for everybody.
func (d *Door) AskReset() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		if strings.TrimSpace(form.Get("email")) == "" {
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, ResetPage{Fault: FaultResetEmpty()})
		}
		answer, err := d.Rescue.AskReset(r.Context(), form.Get("email"), d.place(w, r))
		if err != nil {
			return err
		}
		if !answer.Wait.IsZero() {
			web.RetryAfter(w, answer.Wait.Sub(d.Desk.DB.Clock.Now()))
			at := locale.Clock(answer.Wait, zoneOf(noSite))
			return d.Kit.Show(w, r, http.StatusTooManyRequests, ResetPage{Fault: FaultResetWait(at)})
		}
		return web.Go(w, r, "/reset-sent")
	})
}

// ResetSent answers "GET /reset-sent".
func (d *Door) ResetSent() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return d.Kit.Show(w, r, http.StatusOK, ResetSentPage{})
	})
}

// NewPassword answers "GET /reset/{token}". It changes nothing, whoever opens it.
func (d *Door) NewPassword() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		token := r.PathValue("token")
		ok, err := d.Rescue.ViewReset(r.Context(), token)
		if err != nil {
			return err
		}
		if !ok {
			return d.Kit.Show(w, r, http.StatusNotFound, ResetGonePage{})
		}
		return d.Kit.Show(w, r, http.StatusOK, ResetPasswordPage{Token: token})
	})
}

// SetPassword answers "POST /reset/{token}".
func (d *Door) SetPassword() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		page := ResetPasswordPage{Token: r.PathValue("token")}
		if form.Get("password") == "" {
			page.Fault = FaultNewEmpty()
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		set, err := d.Rescue.SetPassword(r.Context(), page.Token, secret.NewText(form.Get("password")), d.place(w, r))
		if err != nil {
			return err
		}
		if set.Gone {
			return d.Kit.Show(w, r, http.StatusNotFound, ResetGonePage{})
		}
		if set.Unfit != "" {
			page.Fault = unfit(set.Unfit)
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		return d.Kit.Show(w, r, http.StatusOK, ResetDonePage{})
	})
}

func unfit(why rescue.Unfit) string {
	switch why {
	case rescue.TooShort:
		return FaultTooShort()
	case rescue.TooLong:
		return FaultTooLong()
	case rescue.TooCommon:
	}
	return FaultTooCommon()
}

// stuck runs a handler for somebody who gave the right password and has not passed yet.
func (d *Door) stuck(do func(http.ResponseWriter, *http.Request, signin.View) error) http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		v, ok, err := d.Desk.View(r.Context(), d.Kit.Cookie(r, web.AttemptCookie))
		if err != nil {
			return err
		}
		switch {
		case !ok:
			return d.gone(w, r)
		case v.Step == signin.AskEnrol:
			return web.Go(w, r, "/signin/enrol")
		case v.Step == signin.AskSite || v.Step == signin.Refused || v.Attempt.Purpose == signin.Join:
			return web.Go(w, r, "/signin/code")
		}
		return do(w, r, v)
	})
}

func waiting(v signin.View) rescue.Waiting {
	return rescue.Waiting{
		User: v.Attempt.User, Attempt: v.Attempt.ID, Site: v.Attempt.Site, Place: v.Attempt.Place, Until: v.Attempt.ExpiresAt,
	}
}

// Asked answers "GET /signin/ask": where the asking stands.
func (d *Door) Asked() http.Handler {
	return d.stuck(func(w http.ResponseWriter, r *http.Request, v signin.View) error {
		page, err := d.askPage(r, v)
		if err != nil {
			return err
		}
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (d *Door) askPage(r *http.Request, v signin.View) (AskPage, error) {
	page := AskPage{As: v.User.Name(), Site: v.Site.Name, Helpers: v.Helpers, Manager: web.ContactOf(v.Manager)}
	state, asked, err := d.Rescue.Status(r.Context(), waiting(v))
	if err != nil {
		return page, err
	}
	page.State, page.Number = AskState(state), asked.Number
	if len(asked.Helpers) > 0 {
		page.Helpers = asked.Helpers
	}
	if state == rescue.AskWaiting {
		page.Until = locale.Clock(asked.Until, zoneOf(v.Site))
	}
	return page, nil
}

// Ask answers "POST /signin/ask": the site's admins are asked to let somebody in.
func (d *Door) Ask() http.Handler {
	return d.stuck(func(w http.ResponseWriter, r *http.Request, v signin.View) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		_, refused, err := d.Rescue.Ask(r.Context(), waiting(v))
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, "/signin/ask")
		}
		page, err := d.askPage(r, v)
		if err != nil {
			return err
		}
		status := http.StatusUnprocessableEntity
		if page.Fault = FaultAskNobody(); refused == rescue.TooMany {
			page.Fault, status = FaultAskTooMany(""), http.StatusTooManyRequests
		}
		if refused != rescue.TooMany {
			page.Helpers = nil
		}
		return d.Kit.Show(w, r, status, page)
	})
}

// HelpCode answers "GET /signin/help".
func (d *Door) HelpCode() http.Handler {
	return d.stuck(func(w http.ResponseWriter, r *http.Request, v signin.View) error {
		return d.Kit.Show(w, r, http.StatusOK, HelpCodePage{As: v.User.Name(), Site: v.Site.Name, Helpers: v.Helpers})
	})
}

// TypeHelpCode answers "POST /signin/help".
func (d *Door) TypeHelpCode() http.Handler {
	return d.stuck(func(w http.ResponseWriter, r *http.Request, v signin.View) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		out, err := d.Rescue.TypeHelpCode(r.Context(), waiting(v), form.Get("code"))
		switch {
		case err != nil:
			return err
		case out.OK:
			return web.Go(w, r, "/signin/enrol")
		case out.Gone:
			return d.gone(w, r)
		}
		page := HelpCodePage{As: v.User.Name(), Site: v.Site.Name, Helpers: v.Helpers, Fault: FaultHelpWrong()}
		status := http.StatusUnprocessableEntity
		switch out.Wrong { //nolint:exhaustive // the others are wrong codes
		case rescue.WrongForm:
			page.Fault, status = FaultHelpForm(), http.StatusBadRequest
		case rescue.TooMany:
			page.Fault, status = FaultHelpRests(locale.Clock(out.Retry, zoneOf(v.Site))), http.StatusTooManyRequests
			web.RetryAfter(w, out.Retry.Sub(v.Now))
		}
		return d.Kit.Show(w, r, status, page)
	})
}

// Stop answers "GET /stop/{token}": a recovery by staff that somebody may stop. It
// changes nothing.
func (d *Door) Stop() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		token := r.PathValue("token")
		found, err := d.Rescue.ViewStop(r.Context(), token)
		if err != nil {
			return err
		}
		if found == rescue.StopMay {
			return d.Kit.Show(w, r, http.StatusOK, StopPage{Token: token})
		}
		return d.showStopped(w, r, found)
	})
}

// SayStop answers "POST /stop/{token}".
func (d *Door) SayStop() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		found, err := d.Rescue.Stop(r.Context(), r.PathValue("token"), d.place(w, r))
		if err != nil {
			return err
		}
		return d.showStopped(w, r, found)
	})
}

func (d *Door) showStopped(w http.ResponseWriter, r *http.Request, found rescue.Stopped) error {
	what, status := StopGone, http.StatusNotFound
	switch found {
	case rescue.StopDone, rescue.StopMay:
		what, status = StopDone, http.StatusOK
	case rescue.StopDecided:
		what, status = StopDecided, http.StatusOK
	case rescue.StopOver:
		what, status = StopOver, http.StatusOK
	case rescue.StopGone:
	}
	return d.Kit.Show(w, r, status, StopDonePage{What: what})
}
