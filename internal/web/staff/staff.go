// Package staff is the vendor's console. One guard stands before it: a session of a
// member of the vendor's staff, who pass with an authenticator or a passkey only. The
// page that takes the code of a new member stands before the guard.
package staff

import (
	"net/http"
	"net/url"

	"keyturn/internal/authority"
	"keyturn/internal/check"
	"keyturn/internal/console"
	"keyturn/internal/db"
	"keyturn/internal/evidence"
	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/oidc"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/request"
	"keyturn/internal/rescue"
	"keyturn/internal/rollout"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/twoperson"
	"keyturn/internal/web"
	"keyturn/internal/webhook"
)

// Staff serves it.
type Staff struct {
	Kit    *web.Kit
	DB     *db.DB
	Check  *check.Checker
	Rescue *rescue.Desk
	// Requests decides what sites ask for.
	Requests *request.Desk
	// Console is what staff do for sites, Second what needs two of them.
	Console *console.Desk
	Second  *twoperson.Desk
	// Prepare says how ready the sites are.
	Prepare *prepare.Desk
	// Rollout turns 2FA on, in waves.
	Rollout *rollout.Desk
	// Apps keeps the applications that sign users in.
	Apps *oidc.Desk
	// Packs makes the evidence.
	Packs *evidence.Desk
	// Hooks tells programs outside.
	Hooks *webhook.Desk
}

// only is the guard.
func (s *Staff) only(do func(http.ResponseWriter, *http.Request, authority.Bearer) error) http.Handler {
	return s.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.Check.Of(r.Context(), s.Kit.Cookie(r, web.SessionCookie))
		if err != nil {
			return err
		}
		switch {
		case a.State == check.Out:
			return web.Go(w, r, "/signin?next="+url.QueryEscape(r.URL.Path))
		case !a.User.Staff:
			return fault.NotFound
		case a.State == check.Locked:
			return web.Go(w, r, "/signin/locked?next="+url.QueryEscape(r.URL.Path))
		case a.State == check.More:
			return web.Go(w, r, "/signin/more")
		}
		return do(w, r, authority.Bearer{Session: a.Session, User: a.User, Place: s.place(w, r)})
	})
}

func (s *Staff) place(w http.ResponseWriter, r *http.Request) session.Place {
	return session.Place{
		Browser: s.Kit.Browser(w, r), Network: web.Network(s.Kit.Client(r)).String(),
		Agent: web.Agent(r, locale.Say(locale.AgentUnknown)),
	}
}

func prove(w http.ResponseWriter, r *http.Request, next string) error {
	return web.Go(w, r, proveAt(next))
}

// proveAt is the page on which somebody proves again who they are, and then goes on to
// next, which may carry what they had typed.
func proveAt(next string) string {
	return "/me/prove?change=" + string(policy.OtherChange) + "&next=" + url.QueryEscape(next)
}

// Enrol answers "GET /staff/enrol".
func (s *Staff) Enrol() http.Handler {
	return s.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Kit.Show(w, r, http.StatusOK, EnrolPage{})
	})
}

// TypeCode answers "POST /staff/enrol".
func (s *Staff) TypeCode() http.Handler {
	return s.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		out, err := s.Rescue.EnrolStaff(r.Context(), rescue.Entry{
			Email: form.Get("email"), Code: form.Get("code"), Password: secret.NewText(form.Get("password")), Place: s.place(w, r),
		})
		if err != nil {
			return err
		}
		if out.Token != "" {
			s.Kit.PutCookie(w, web.AttemptCookie, out.Token, 0)
			return web.Go(w, r, "/signin/enrol")
		}
		page, status := EnrolPage{Email: form.Get("email"), Fault: locale.Say(locale.StaffEnrolWrong)}, http.StatusUnprocessableEntity
		switch {
		case out.Unfit != "":
			page.Fault = unfit(out.Unfit)
		case !out.Retry.IsZero():
			status = http.StatusTooManyRequests
			web.RetryAfter(w, out.Retry.Sub(s.DB.Clock.Now()))
		}
		return s.Kit.Show(w, r, status, page)
	})
}

// unfit says why a password cannot be used.
func unfit(why rescue.Unfit) string {
	switch why {
	case rescue.TooShort:
		return locale.Say(locale.ResetTooShort)
	case rescue.TooLong:
		return locale.Say(locale.ResetTooLong)
	case rescue.TooCommon:
	}
	return locale.Say(locale.ResetTooCommon)
}
