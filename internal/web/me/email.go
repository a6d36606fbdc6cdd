package me

import (
	"net/http"

	"keyturn/internal/check"
	"keyturn/internal/enrol"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/web"
)

// EmailPage changes a person's own email: first the new address, then the code that was
// sent to it.
type EmailPage struct {
	As, Site string
	// Now is the address that signs in now, Typed what was typed.
	Now, Typed string
	// To is where the code went, Until when it ends; empty: none was sent.
	To, Until string
	Fault     string
}

// Head implements web.Page.
func (p EmailPage) Head() web.Head {
	h := web.Head{Template: "me/email", Title: locale.Say(locale.EmailTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow}
	if p.To != "" {
		h.Title = locale.Say(locale.EmailCodeTitle)
	}
	return h
}

// emailPath is the first of its pages.
const emailPath = security + "/email"

// Email answers "GET /me/security/email".
func (m *Me) Email() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		return m.showEmail(w, r, a, EmailPage{}, enrol.Done{})
	})
}

// SendEmailCode answers "POST /me/security/email".
func (m *Me) SendEmailCode() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		done, err := m.Enrol.LinkEmail(r.Context(), m.holder(w, r, a), form.Get("email"))
		if err != nil {
			return err
		}
		if done.Refused != "" {
			return m.showEmail(w, r, a, EmailPage{Typed: form.Get("email")}, done)
		}
		return web.Go(w, r, emailPath+"/code")
	})
}

// EmailCode answers "GET /me/security/email/code".
func (m *Me) EmailCode() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		return m.showEmailCode(w, r, a, enrol.Done{})
	})
}

// TypeEmailCode answers "POST /me/security/email/code".
func (m *Me) TypeEmailCode() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		done, err := m.Enrol.ProveEmail(r.Context(), m.holder(w, r, a), form.Get("code"))
		if err != nil {
			return err
		}
		if done.Refused == "" {
			return m.settle(w, r, done, change{policy.OtherChange, "changed"})
		}
		return m.showEmailCode(w, r, a, done)
	})
}

func (m *Me) showEmailCode(w http.ResponseWriter, r *http.Request, a check.Answer, done enrol.Done) error {
	to, until, found, err := m.Enrol.Email(r.Context(), m.holder(w, r, a))
	if err != nil {
		return err
	}
	if found.Refused != "" {
		return m.showEmail(w, r, a, EmailPage{}, found)
	}
	page := EmailPage{To: to}
	zone, err := m.where(r, a, &page.Site)
	if err != nil {
		return err
	}
	page.Until = locale.Clock(until, zone)
	return m.showEmail(w, r, a, page, done)
}

func (m *Me) showEmail(w http.ResponseWriter, r *http.Request, a check.Answer, page EmailPage, done enrol.Done) error {
	zone, err := m.where(r, a, &page.Site)
	if err != nil {
		return err
	}
	page.As, page.Now = a.User.Name(), string(a.User.Login)
	status := http.StatusUnprocessableEntity
	switch done.Refused { //nolint:exhaustive // the others have one sentence
	case "":
		status = http.StatusOK
	case enrol.NotFresh:
		return toProve(w, r, policy.OtherChange, emailPath)
	case enrol.Gone:
		return web.Go(w, r, "/signin")
	case enrol.BadEmail:
		page.Fault = locale.Say(locale.UsersBad, locale.Data{"Why": done.Why})
	case enrol.CannotUse:
		page.Fault = locale.Say(locale.UsersCannotUse)
	case enrol.TooSoon, enrol.Resting:
		page.Fault, status = locale.Say(locale.EmailRests, locale.Data{"At": locale.ClockSeconds(done.Retry, zone)}), http.StatusTooManyRequests
	case enrol.WrongForm:
		page.Fault = locale.Say(locale.EmailForm)
	case enrol.WrongCode:
		page.Fault = locale.Say(locale.EmailWrong)
	case enrol.StaleCode:
		page.Fault = locale.Say(locale.EmailStale)
	case enrol.NoCode:
		page.Fault = locale.Say(locale.EmailNoCode)
	default:
		page.Fault = locale.Say(locale.EmailCannot)
	}
	return m.Kit.Show(w, r, status, page)
}
