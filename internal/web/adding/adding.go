// Package adding is the steps by which somebody sets up a way to sign in: an
// authenticator, a passkey, a mobile number. They are the same in an enrol-only session
// and in "My security"; whose they are, and how the page around them looks, is the
// face's, in a Frame.
package adding

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/fault"
	"keyturn/internal/limit"
	"keyturn/internal/locale"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/web"
)

// Steps answers them.
type Steps struct {
	Kit   *web.Kit
	DB    *db.DB
	Enrol *enrol.Desk
}

// Frame is whose step it is, and the page around it.
type Frame struct {
	Holder enrol.Holder
	// Base is the address below which the steps are: "/signin/enrol". The steps are Base
	// and /totp, /passkey, /passkey/options, /sms, /sms/code.
	Base string
	Zone *time.Location
	// Helpers are who can help, by name. May be empty.
	Helpers []string

	TOTP    func(web.SetUpTOTP) web.Page
	Passkey func(web.SetUpPasskey) web.Page
	Mobile  func(web.SetUpMobile) web.Page
	Prove   func(web.SetUpProve) web.Page
	// Settle goes on when a way was added, or when it cannot be added at all.
	Settle func(w http.ResponseWriter, r *http.Request, done enrol.Done, by web.By) error
}

// Begin begins a way that was chosen.
func (s *Steps) Begin(w http.ResponseWriter, r *http.Request, f Frame, by web.By) error {
	switch by {
	case web.ByTOTP:
		_, done, err := s.Enrol.BeginTOTP(r.Context(), f.Holder)
		if err != nil {
			return err
		}
		if done.Refused != "" {
			return f.Settle(w, r, done, by)
		}
		return web.Go(w, r, f.Base+"/totp")
	case web.ByPasskey:
		return web.Go(w, r, f.Base+"/passkey")
	case web.BySMS:
		return web.Go(w, r, f.Base+"/sms")
	case web.ByEmail, web.ByRecovery:
	}
	return fault.NotFound
}

// TOTP shows the authenticator that is being set up.
func (s *Steps) TOTP(w http.ResponseWriter, r *http.Request, f Frame) error {
	return s.showTOTP(w, r, f, web.SetUpTOTP{})
}

func (s *Steps) showTOTP(w http.ResponseWriter, r *http.Request, f Frame, form web.SetUpTOTP) error {
	setup, done, err := s.Enrol.ViewTOTP(r.Context(), f.Holder)
	if err != nil {
		return err
	}
	if done.Refused != "" {
		return f.Settle(w, r, done, web.ByTOTP)
	}
	form.Action, form.Key, form.Link = f.Base+"/totp", setup.Secret.Text(), template.URL(setup.URL()) //nolint:gosec // built by us: otpauth
	if form.QR, err = method.QR(setup.URL()); err != nil {
		return fmt.Errorf("draw a set-up: %w", err)
	}
	return s.Kit.Show(w, r, status(form.Fault), f.TOTP(form))
}

// ConfirmTOTP takes the first code of an authenticator.
func (s *Steps) ConfirmTOTP(w http.ResponseWriter, r *http.Request, f Frame) error {
	form, err := web.ReadForm(w, r)
	if err != nil {
		return err
	}
	done, err := s.Enrol.ConfirmTOTP(r.Context(), f.Holder, form.Get("code"), form.Get("name"))
	if err != nil {
		return err
	}
	if words := codeFault(done, f.Zone); words != "" {
		return s.showTOTP(w, r, f, web.SetUpTOTP{Name: form.Get("name"), Fault: words})
	}
	return f.Settle(w, r, done, web.ByTOTP)
}

// Passkey shows the page that asks the browser for a passkey.
func (s *Steps) Passkey(w http.ResponseWriter, r *http.Request, f Frame) error {
	return s.showPasskey(w, r, f, web.SetUpPasskey{})
}

func (s *Steps) showPasskey(w http.ResponseWriter, r *http.Request, f Frame, form web.SetUpPasskey) error {
	form.Action, form.Begin = f.Base+"/passkey", f.Base+"/passkey/options"
	return s.Kit.Show(w, r, status(form.Fault), f.Passkey(form))
}

// PasskeyOptions answers the script of that page.
func (s *Steps) PasskeyOptions(w http.ResponseWriter, r *http.Request, f Frame) error {
	c, done, err := s.Enrol.BeginPasskey(r.Context(), f.Holder)
	if err != nil {
		return err
	}
	if done.Refused != "" {
		return fault.NotFound
	}
	return s.Kit.AskPasskey(w, web.PasskeyAsk{Ceremony: c.Token, Options: c.Options})
}

// FinishPasskey takes what the browser made.
func (s *Steps) FinishPasskey(w http.ResponseWriter, r *http.Request, f Frame) error {
	form, err := web.ReadForm(w, r)
	if err != nil {
		return err
	}
	done, err := s.Enrol.FinishPasskey(r.Context(), f.Holder, enrol.Made{
		Token: form.Get("ceremony"), Response: form.Get("credential"), Name: form.Get("name"),
	})
	if err != nil {
		return err
	}
	switch done.Refused { //nolint:exhaustive // the others are settled
	case enrol.WrongPasskey:
		return s.showPasskey(w, r, f, web.SetUpPasskey{Name: form.Get("name"), Fault: web.FaultPasskey()})
	case enrol.BadName:
		return s.showPasskey(w, r, f, web.SetUpPasskey{Name: form.Get("name"), Fault: locale.Say(locale.SetupBadName)})
	}
	return f.Settle(w, r, done, web.ByPasskey)
}

// Mobile shows the page that asks for a number.
func (s *Steps) Mobile(w http.ResponseWriter, r *http.Request, f Frame) error {
	return s.showMobile(w, r, f, web.SetUpMobile{})
}

func (s *Steps) showMobile(w http.ResponseWriter, r *http.Request, f Frame, form web.SetUpMobile) error {
	form.Action = f.Base + "/sms"
	return s.Kit.Show(w, r, status(form.Fault), f.Mobile(form))
}

// LinkMobile puts a number on file and sends it a code.
func (s *Steps) LinkMobile(w http.ResponseWriter, r *http.Request, f Frame) error {
	form, err := web.ReadForm(w, r)
	if err != nil {
		return err
	}
	done, err := s.Enrol.LinkMobile(r.Context(), f.Holder, form.Get("number"))
	if err != nil {
		return err
	}
	if words := numberFault(done, f, s.DB.Clock.Now()); words != "" {
		if !done.Retry.IsZero() {
			web.RetryAfter(w, done.Retry.Sub(s.DB.Clock.Now()))
		}
		return s.showMobile(w, r, f, web.SetUpMobile{Number: form.Get("number"), Fault: words})
	}
	if done.Refused != "" {
		return f.Settle(w, r, done, web.BySMS)
	}
	return web.Go(w, r, f.Base+"/sms/code")
}

// Again sends another code to the number that waits for one.
func (s *Steps) Again(w http.ResponseWriter, r *http.Request, f Frame) error {
	if _, err := web.ReadForm(w, r); err != nil {
		return err
	}
	waiting, done, err := s.Enrol.Mobile(r.Context(), f.Holder)
	if err != nil {
		return err
	}
	if done.Refused != "" {
		return s.elsewhere(w, r, f, done)
	}
	if done, err = s.Enrol.LinkMobile(r.Context(), f.Holder, waiting.Method.Address); err != nil {
		return err
	}
	if words := numberFault(done, f, s.DB.Clock.Now()); words != "" {
		return s.showProve(w, r, f, words)
	}
	if done.Refused != "" {
		return f.Settle(w, r, done, web.BySMS)
	}
	return web.Go(w, r, f.Base+"/sms/code")
}

// Code shows the page that asks for the code that went to a number.
func (s *Steps) Code(w http.ResponseWriter, r *http.Request, f Frame) error {
	return s.showProve(w, r, f, "")
}

// ProveMobile takes that code.
func (s *Steps) ProveMobile(w http.ResponseWriter, r *http.Request, f Frame) error {
	form, err := web.ReadForm(w, r)
	if err != nil {
		return err
	}
	done, err := s.Enrol.ProveMobile(r.Context(), f.Holder, form.Get("code"))
	if err != nil {
		return err
	}
	if words := codeFault(done, f.Zone); words != "" {
		return s.showProve(w, r, f, words)
	}
	return f.Settle(w, r, done, web.BySMS)
}

// elsewhere goes back to the number where none waits for a code.
func (s *Steps) elsewhere(w http.ResponseWriter, r *http.Request, f Frame, done enrol.Done) error {
	if done.Refused == enrol.NoCode {
		return web.Go(w, r, f.Base+"/sms")
	}
	return f.Settle(w, r, done, web.BySMS)
}

func (s *Steps) showProve(w http.ResponseWriter, r *http.Request, f Frame, words string) error {
	waiting, done, err := s.Enrol.Mobile(r.Context(), f.Holder)
	if err != nil {
		return err
	}
	if done.Refused != "" {
		return s.elsewhere(w, r, f, done)
	}
	now := s.DB.Clock.Now()
	base := f.Base + "/sms"
	form := web.SetUpProve{
		Action: base + "/code", Again: base + "/again", Change: base, Here: base + "/code", Fault: words,
		To: phone.Spoken(waiting.Method.Address), Until: locale.Clock(waiting.ExpiresAt, f.Zone),
	}
	trail, err := message.Trail(r.Context(), s.DB, f.Holder.User.ID, waiting.Message)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return fmt.Errorf("read what became of a code: %w", err)
	}
	form.Trail = Trail{Steps: trail, By: web.BySMS, Live: waiting.Live, Zone: f.Zone, Now: now, Helpers: f.Helpers}.Words()
	next := waiting.MadeAt.Add(limit.CodeNext.Window)
	if form.CanResend = !now.Before(next); !form.CanResend {
		form.ResendAt = locale.ClockSeconds(next, f.Zone)
	}
	if !waiting.Live && words == "" {
		form.Closed = locale.Say(locale.SetupRanOut)
	}
	return s.Kit.Show(w, r, status(words), f.Prove(form))
}

// status is the answer's: what was wrong with what was typed is no success.
func status(fault string) int {
	if fault != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// codeFault says what was wrong with a code; empty where something else is the matter.
func codeFault(done enrol.Done, zone *time.Location) string {
	switch done.Refused { //nolint:exhaustive // the others are settled
	case enrol.WrongForm:
		return locale.Say(locale.CodeForm)
	case enrol.WrongCode:
		return locale.Say(locale.SetupWrong)
	case enrol.StaleCode:
		return locale.Say(locale.CodeReplaced, locale.Data{"At": locale.Clock(done.MadeAt, zone)})
	case enrol.NoCode:
		return locale.Say(locale.SetupRanOut)
	case enrol.Resting:
		return locale.Say(locale.SetupRests, locale.Data{"Until": locale.Clock(done.Retry, zone)})
	case enrol.BadName:
		return locale.Say(locale.SetupBadName)
	}
	return ""
}

// numberFault says why a number gets no code.
func numberFault(done enrol.Done, f Frame, now time.Time) string {
	switch done.Refused { //nolint:exhaustive // the others are settled
	case enrol.BadNumber:
		return locale.Say(locale.SetupNumberBad)
	case enrol.SameNumber:
		return locale.Say(locale.SetupNumberSame)
	case enrol.NumberSpent:
		return locale.Say(locale.SetupNumberSpent)
	case enrol.TooWeak:
		return locale.Say(locale.SetupNumberWeak)
	case enrol.NoBalance:
		if done.Fix == policy.FixAdmin && len(f.Helpers) > 0 {
			return locale.Say(locale.SetupNumberNoSms, locale.Data{"Who": locale.AnyOf(f.Helpers)})
		}
		return locale.Say(locale.SetupNumberNoSmsAny)
	case enrol.TooSoon:
		return locale.Say(locale.SetupNumberSoon, locale.Data{"At": locale.ClockSeconds(done.Retry, f.Zone)})
	case enrol.TooMany:
		return locale.Say(locale.SetupNumberMany, locale.Data{"At": locale.Moment(done.Retry, f.Zone, now)})
	case enrol.Adjacent:
		return locale.Say(locale.SetupNumberStopped)
	}
	return ""
}

// Paths are the steps below a Frame's Base, with the methods that they answer.
func Paths() map[string][]string {
	get, post := http.MethodGet, http.MethodPost
	return map[string][]string{
		"/totp": {get, post}, "/passkey": {get, post}, "/passkey/options": {post},
		"/sms": {get, post}, "/sms/code": {get, post}, "/sms/again": {post},
	}
}

// Step is what answers a method and a path of Paths; nil for any other.
func Step(verb, path string) func(*Steps, http.ResponseWriter, *http.Request, Frame) error {
	return map[string]func(*Steps, http.ResponseWriter, *http.Request, Frame) error{
		"GET /totp": (*Steps).TOTP, "POST /totp": (*Steps).ConfirmTOTP,
		"GET /passkey": (*Steps).Passkey, "POST /passkey": (*Steps).FinishPasskey, "POST /passkey/options": (*Steps).PasskeyOptions,
		"GET /sms": (*Steps).Mobile, "POST /sms": (*Steps).LinkMobile, "POST /sms/again": (*Steps).Again,
		"GET /sms/code": (*Steps).Code, "POST /sms/code": (*Steps).ProveMobile,
	}[verb+" "+path]
}
