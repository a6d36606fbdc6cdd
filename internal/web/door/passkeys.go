package door

import (
	"net/http"

	"keyturn/internal/check"
	"keyturn/internal/fault"
	"keyturn/internal/signin"
	"keyturn/internal/web"
)

func signed(form web.Fields) signin.Signed {
	return signin.Signed{
		Ceremony: form.Get("ceremony"), Response: form.Get("credential"), Remember: form.Ticked("remember"),
	}
}

// PasskeyOptions answers "POST /signin/passkey/options", for the script of the code page.
func (d *Door) PasskeyOptions() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		o, err := d.Desk.AskPasskey(r.Context(), d.Kit.Cookie(r, web.AttemptCookie))
		return d.ask(w, o, err)
	})
}

// ask answers a script with what the browser is to sign.
func (d *Door) ask(w http.ResponseWriter, o signin.PasskeyOptions, err error) error {
	if err != nil {
		return err
	}
	if o.Ceremony == "" {
		if !o.Next.Retry.IsZero() {
			web.RetryAfter(w, o.Next.Retry.Sub(d.Desk.DB.Clock.Now()))
			w.WriteHeader(http.StatusTooManyRequests)
			return nil
		}
		return fault.NotFound
	}
	return d.Kit.AskPasskey(w, web.PasskeyAsk{Ceremony: o.Ceremony, Options: o.Options})
}

// Passkey answers "POST /signin/passkey": the passkey as the second factor.
func (d *Door) Passkey() http.Handler {
	return d.step(func(r *http.Request, token string, form web.Fields) (signin.Next, error) {
		return d.Desk.Passkey(r.Context(), token, signed(form))
	})
}

// BeginPasskey answers "POST /signin/passkey/begin", for the script of the sign-in page.
func (d *Door) BeginPasskey() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		o, err := d.Desk.BeginPasskey(r.Context(), d.place(w, r))
		return d.ask(w, o, err)
	})
}

// SignInPasskey answers "POST /signin/passkey/finish": the passkey as the whole sign-in.
func (d *Door) SignInPasskey() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		page := SignInPage{Next: local(form.Get("next")), PasskeyFault: FaultPasskey()}
		kind, err := d.clientOf(r, page.Next)
		if err != nil {
			return err
		}
		next, err := d.Desk.SignInPasskey(r.Context(), signin.Try{
			Place: d.place(w, r), Client: kind, ReturnTo: page.Next, Devices: d.devices(r),
		}, signed(form))
		if err != nil {
			return err
		}
		if next.Step == signin.AskPassword {
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		return d.proceed(w, r, next)
	})
}

// BeginUnlock answers "POST /signin/locked/begin", for the script of the locked page.
func (d *Door) BeginUnlock() http.Handler {
	return d.live(check.Locked, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		o, err := d.Desk.BeginUnlock(r.Context(), a.Session)
		return d.ask(w, o, err)
	})
}

// Unlock answers "POST /signin/locked/passkey".
func (d *Door) Unlock() http.Handler {
	return d.live(check.Locked, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		next, err := d.Desk.Unlock(r.Context(), a.Session, signed(form), d.place(w, r))
		if err != nil {
			return err
		}
		if next.Wrong != "" {
			page, err := d.lockedPage(r, a, local(form.Get("next")))
			if err != nil {
				return err
			}
			page.PasskeyFault = FaultPasskey()
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		next.ReturnTo = local(form.Get("next"))
		return d.proceed(w, r, next)
	})
}

// Back answers a GET of an address that only forms go to: a page that stood there after
// something was wrong was loaded again.
func (d *Door) Back(to string) http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error { return web.Go(w, r, to) })
}
