// Package door is what people meet who are not signed in: the sign-in and its steps,
// the lock, and the way out. Nothing here is guarded by a session; what may be done is
// decided by the attempt that the browser's cookie names.
package door

import (
	"net/http"
	"strings"

	"keyturn/internal/check"
	"keyturn/internal/client"
	"keyturn/internal/enrol"
	"keyturn/internal/locale"
	"keyturn/internal/login"
	"keyturn/internal/oidc"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/web"
)

// Door serves the sign-in.
type Door struct {
	Kit   *web.Kit
	Desk  *signin.Desk
	Check *check.Checker
	// Enrol adds a method in an enrol-only session; Rescue helps whoever is stuck.
	Enrol  *enrol.Desk
	Rescue *rescue.Desk
	// Requests reads invitations.
	Requests *request.Desk
	// Login undoes changes of login names.
	Login *login.Desk
	// Apps knows which application sent somebody here.
	Apps *oidc.Desk
}

// SignIn answers "GET /signin".
func (d *Door) SignIn() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		next := local(r.URL.Query().Get("next"))
		token := d.Kit.Cookie(r, web.SessionCookie)
		a, err := d.Check.Of(r.Context(), token)
		if err != nil {
			return err
		}
		asked, byApp, err := d.Apps.Asks(r.Context(), next, d.Kit.Cookie(r, web.BrowserCookie))
		if err != nil {
			return err
		}
		if a.State != check.Out && (!byApp || !oidc.AuthAt(a.Session).Before(asked.Since())) {
			return web.Go(w, r, home(next))
		}
		page := SignInPage{Next: next, Email: asked.Hint}
		if byApp && a.State != check.Out {
			return d.Kit.Show(w, r, http.StatusOK, page) // they are in, and shall sign in anew
		}
		switch {
		case r.URL.Query().Get("ended") != "":
			page.Notice = NoticeEnded()
		case token != "":
			page.Notice = NoticeOver()
			d.Kit.DropCookie(w, web.SessionCookie)
		}
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Password answers "POST /signin".
func (d *Door) Password() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		page := SignInPage{Email: form.Get("email"), Next: local(form.Get("next"))}
		if form.Get("email") == "" || form.Get("password") == "" {
			page.Fault = FaultEmpty()
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		kind, err := d.clientOf(r, page.Next)
		if err != nil {
			return err
		}
		next, err := d.Desk.Password(r.Context(), signin.Try{
			Login: form.Get("email"), Password: secret.NewText(form.Get("password")),
			Place: d.place(w, r), Client: kind, ReturnTo: page.Next, Devices: d.devices(r),
		})
		if err != nil {
			return err
		}
		if next.Step == signin.AskPassword {
			page.Fault = FaultLogin()
			return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		return d.proceed(w, r, next)
	})
}

// clientOf is the kind of client that a sign-in is for, by the request that it goes back to.
func (d *Door) clientOf(r *http.Request, next string) (policy.ClientKind, error) {
	asked, ok, err := d.Apps.Asks(r.Context(), next, d.Kit.Cookie(r, web.BrowserCookie))
	if err != nil || !ok || asked.Client.Kind != client.Mobile {
		return policy.ClientWeb, err
	}
	return policy.ClientMobile, nil
}

// Code answers "GET /signin/code": whatever the attempt asks next.
func (d *Door) Code() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		v, ok, err := d.Desk.View(r.Context(), d.Kit.Cookie(r, web.AttemptCookie))
		if err != nil {
			return err
		}
		if !ok {
			return d.gone(w, r)
		}
		return d.showStep(w, r, http.StatusOK, v, signin.Next{})
	})
}

// TypeCode answers "POST /signin/code".
func (d *Door) TypeCode() http.Handler {
	return d.step(func(r *http.Request, token string, form web.Fields) (signin.Next, error) {
		return d.Desk.Code(r.Context(), token, signin.Typed{
			Kind: policy.MethodKind(form.Get("method")), Text: form.Get("code"), Remember: form.Ticked("remember"),
		})
	})
}

// Ways answers "GET /signin/method": each way to pass, on offer or not.
func (d *Door) Ways() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		v, ok, err := d.Desk.View(r.Context(), d.Kit.Cookie(r, web.AttemptCookie))
		if err != nil {
			return err
		}
		if !ok {
			return d.gone(w, r)
		}
		if v.Step == signin.AskSite {
			return web.Go(w, r, "/signin/site")
		}
		return d.Kit.Show(w, r, http.StatusOK, wayPage(v))
	})
}

// ChooseWay answers "POST /signin/method": another code, by the way that was chosen.
func (d *Door) ChooseWay() http.Handler {
	return d.step(func(r *http.Request, token string, form web.Fields) (signin.Next, error) {
		return d.Desk.Choose(r.Context(), token, policy.MethodKind(form.Get("method")))
	})
}

// Sites answers "GET /signin/site".
func (d *Door) Sites() http.Handler {
	return d.Code()
}

// ChooseSite answers "POST /signin/site".
func (d *Door) ChooseSite() http.Handler {
	return d.step(func(r *http.Request, token string, form web.Fields) (signin.Next, error) {
		return d.Desk.Site(r.Context(), token, siteID(form.Get("site")))
	})
}

// SignedOut answers "GET /signedout".
func (d *Door) SignedOut() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		a, err := d.Check.Of(r.Context(), d.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		if a.State != check.Out {
			return web.Go(w, r, "/me") // it would not be true
		}
		return d.Kit.Show(w, r, http.StatusOK, SignedOutPage{})
	})
}

// SignOut answers "POST /signout": it ends the session, and a sign-in under way.
func (d *Door) SignOut() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		if err := d.Desk.Abandon(r.Context(), d.Kit.Cookie(r, web.AttemptCookie)); err != nil {
			return err
		}
		a, err := d.Check.Of(r.Context(), d.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		if a.State != check.Out {
			if err := d.Desk.SignOut(r.Context(), a.Session); err != nil {
				return err
			}
		}
		d.Kit.DropCookie(w, web.AttemptCookie)
		d.Kit.DropCookie(w, web.SessionCookie)
		return web.Go(w, r, "/signedout")
	})
}

// step runs one step of the attempt that the cookie names, and shows what comes next.
func (d *Door) step(do func(*http.Request, string, web.Fields) (signin.Next, error)) http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		token := d.Kit.Cookie(r, web.AttemptCookie)
		next, err := do(r, token, form)
		if err != nil {
			return err
		}
		if next.Wrong == "" || next.Step == signin.Gone {
			return d.proceed(w, r, next)
		}
		v, ok, err := d.Desk.View(r.Context(), token)
		if err != nil {
			return err
		}
		if !ok {
			return d.gone(w, r)
		}
		status := http.StatusUnprocessableEntity
		switch next.Wrong {
		case signin.WrongForm:
			status = http.StatusBadRequest
		case signin.Resting, signin.TooSoon:
			status = http.StatusTooManyRequests
			web.RetryAfter(w, next.Retry.Sub(v.Now))
		case signin.WrongPassword, signin.WrongCode, signin.StaleCode, signin.NoCode, signin.NotOffered, signin.NotMember,
			signin.NoBalance, signin.NotJoined, signin.WrongPasskey:
		}
		return d.showStep(w, r, status, v, next)
	})
}

// Proceed is what the other faces lead on with that begin a step of a sign-in.
func (d *Door) Proceed(w http.ResponseWriter, r *http.Request, next signin.Next) error {
	return d.proceed(w, r, next)
}

// proceed sets the cookies that a step brought and goes to what comes next.
func (d *Door) proceed(w http.ResponseWriter, r *http.Request, next signin.Next) error {
	if next.Attempt != "" {
		d.Kit.PutCookie(w, web.AttemptCookie, next.Attempt, 0)
	}
	switch next.Step {
	case signin.In:
		if next.Session == "" {
			return web.Go(w, r, home(next.ReturnTo)) // nothing had to be proved
		}
		if next.App {
			// Not the browser's own: whoever is signed in here stays so, and this opens nothing
			// but the app's code (I9).
			d.Kit.DropCookie(w, web.AttemptCookie)
			d.Kit.PutCookie(w, web.AppCookie, next.Session, web.AppLife)
			return web.Go(w, r, home(next.ReturnTo))
		}
		if err := d.endReplaced(r); err != nil {
			return err
		}
		d.Kit.DropCookie(w, web.AttemptCookie)
		d.Kit.PutCookie(w, web.SessionCookie, next.Session, web.SessionLife)
		if next.Device != "" {
			d.rememberDevice(w, r, next.Device)
		}
		return web.Go(w, r, home(next.ReturnTo))
	case signin.Gone, signin.AskPassword:
		return d.gone(w, r)
	case signin.AskSite:
		return web.Go(w, r, "/signin/site")
	case signin.Refused:
		if next.Attempt == "" {
			return d.Kit.Show(w, r, http.StatusForbidden, RefusedPage{Why: MobileOnly})
		}
		return web.Go(w, r, "/signin/code")
	case signin.AskCode, signin.Rest, signin.Stuck:
		return web.Go(w, r, "/signin/code")
	case signin.AskEnrol:
		return web.Go(w, r, "/signin/enrol")
	case signin.Both:
		return d.joined(w, r)
	}
	return d.gone(w, r)
}

// endReplaced ends the session whose cookie the browser is about to lose: nobody could
// sign it out any more.
func (d *Door) endReplaced(r *http.Request) error {
	before, err := d.Check.Of(r.Context(), d.Kit.Cookie(r, web.SessionCookie))
	if err != nil || before.State == check.Out {
		return err
	}
	return d.Desk.SignOut(r.Context(), before.Session)
}

// mostDevices is how many people one browser remembers; the oldest goes first.
const mostDevices = 5

// devices are the tokens by which this browser is remembered, the newest first.
func (d *Door) devices(r *http.Request) []string {
	all := strings.Split(d.Kit.Cookie(r, web.DeviceCookie), ".")
	return all[:min(len(all), mostDevices)]
}

func (d *Door) rememberDevice(w http.ResponseWriter, r *http.Request, token string) {
	kept := []string{token}
	for _, before := range d.devices(r) {
		if before != "" && len(kept) < mostDevices {
			kept = append(kept, before)
		}
	}
	d.Kit.PutCookie(w, web.DeviceCookie, strings.Join(kept, "."), web.DeviceLife)
}

// joined makes one login of two, where this browser holds the session that asked for it,
// and goes on in the session of the one that stays.
func (d *Door) joined(w http.ResponseWriter, r *http.Request) error {
	a, err := d.Check.Of(r.Context(), d.Kit.Cookie(r, web.SessionCookie))
	if err != nil {
		return err
	}
	if a.State == check.Out {
		a.Session = session.Session{}
	}
	next, err := d.Desk.FinishJoin(r.Context(), a.Session, d.Kit.Cookie(r, web.AttemptCookie))
	if err != nil {
		return err
	}
	if next.Step != signin.Both {
		return d.gone(w, r)
	}
	d.Kit.DropCookie(w, web.AttemptCookie)
	if next.Wrong != "" {
		return web.Go(w, r, "/me/security/join?both=1")
	}
	d.Kit.PutCookie(w, web.SessionCookie, next.Session, web.SessionLife)
	return web.Go(w, r, "/me/security?done=joined")
}

// gone sends somebody whose attempt has ended to begin again.
func (d *Door) gone(w http.ResponseWriter, r *http.Request) error {
	d.Kit.DropCookie(w, web.AttemptCookie)
	return web.Go(w, r, "/signin?ended=1")
}

// place is where a request comes from. A browser without our random id gets one; it
// names nobody and proves nothing, and is compared only after a right password.
func (d *Door) place(w http.ResponseWriter, r *http.Request) session.Place {
	return session.Place{
		Browser: d.Kit.Browser(w, r),
		Network: web.Network(d.Kit.Client(r)).String(),
		Agent:   web.Agent(r, locale.Say(locale.AgentUnknown)),
	}
}

// home is where a person goes who is in.
func home(returnTo string) string {
	if returnTo != "" {
		return returnTo
	}
	return "/me"
}

// local keeps a return path only if it is one of ours.
func local(target string) string {
	if target == "" || !web.Local(target) {
		return ""
	}
	return target
}
