package me

import (
	"net/http"

	"keyturn/internal/check"
	"keyturn/internal/enrol"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/web"
	"keyturn/internal/web/adding"
)

// security is the address of the page that all of these come back to.
const security = "/me/security"

func (m *Me) place(w http.ResponseWriter, r *http.Request) session.Place {
	return session.Place{
		Browser: m.Kit.Browser(w, r), Network: web.Network(m.Kit.Client(r)).String(),
		Agent: web.Agent(r, locale.Say(locale.AgentUnknown)),
	}
}

func (m *Me) holder(w http.ResponseWriter, r *http.Request, a check.Answer) enrol.Holder {
	return enrol.Holder{User: a.User, Session: a.Session, Place: m.place(w, r)}
}

// change is one change of a person's own: what kind it is, and the word for when it is
// done.
type change struct {
	kind policy.Change
	done string
}

// settle goes on after a change: in the session's new cookie, to the page; or to the
// proof that is missing.
func (m *Me) settle(w http.ResponseWriter, r *http.Request, d enrol.Done, to change) error {
	switch d.Refused { //nolint:exhaustive // the others have words of their own
	case "":
		if d.Session != "" {
			m.Kit.PutCookie(w, web.SessionCookie, d.Session, web.SessionLife)
		}
		return web.Go(w, r, security+"?done="+to.done)
	case enrol.NotFresh, enrol.Marked:
		return toProve(w, r, to.kind, security)
	case enrol.Gone:
		return web.Go(w, r, "/signin")
	}
	a, err := m.Check.Of(r.Context(), m.Kit.Cookie(r, web.SessionCookie))
	if err != nil {
		return err
	}
	page, err := m.securityPage(r, a)
	if err != nil {
		return err
	}
	page.Fault = refusedWords(d)
	return m.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
}

// refusedWords say why something was not changed.
func refusedWords(d enrol.Done) string {
	switch d.Refused { //nolint:exhaustive // the others have one sentence
	case enrol.LastWay:
		return locale.Say(locale.SecurityLastWay)
	case enrol.Full:
		return locale.Say(locale.SecurityFull)
	case enrol.BadName:
		return locale.Say(locale.SetupBadName)
	case enrol.TooWeak:
		return locale.Say(locale.SetupNumberWeak)
	}
	return locale.Say(locale.SecurityCannot)
}

// fresh runs a handler for somebody whose proof is fresh enough for a change, and leads
// others to prove.
func (m *Me) fresh(kind policy.Change, do func(http.ResponseWriter, *http.Request, check.Answer) error) http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		ok, _, err := m.Desk.Fresh(r.Context(), a.Session, kind)
		if err != nil {
			return err
		}
		if !ok {
			page := security
			if r.Method == http.MethodGet {
				page = r.URL.Path
			}
			return toProve(w, r, kind, page)
		}
		return do(w, r, a)
	})
}

// AddStep answers one step of setting up a way, by its method and path below
// /me/security/add.
func (m *Me) AddStep(verb, step string) http.Handler {
	do := adding.Step(verb, step)
	return m.fresh(policy.AddMethod, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		f, err := m.frame(w, r, a)
		if err != nil {
			return err
		}
		return do(&adding.Steps{Kit: m.Kit, DB: m.Desk.DB, Enrol: m.Enrol}, w, r, f)
	})
}

// Begin answers "POST /me/security/add": it begins the way that was chosen.
func (m *Me) Begin() http.Handler {
	return m.fresh(policy.AddMethod, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		f, err := m.frame(w, r, a)
		if err != nil {
			return err
		}
		return (&adding.Steps{Kit: m.Kit, DB: m.Desk.DB, Enrol: m.Enrol}).Begin(w, r, f, web.By(form.Get("method")))
	})
}

func (m *Me) frame(w http.ResponseWriter, r *http.Request, a check.Answer) (adding.Frame, error) {
	page := SetUpPage{As: a.User.Name()}
	zone, err := m.where(r, a, &page.Site)
	if err != nil {
		return adding.Frame{}, err
	}
	_, helpers, err := m.Desk.Around(r.Context(), a.Session)
	return adding.Frame{
		Holder: m.holder(w, r, a), Base: security + "/add", Zone: zone, Helpers: helpers,
		TOTP:    func(s web.SetUpTOTP) web.Page { page.TOTP = &s; return page },
		Passkey: func(s web.SetUpPasskey) web.Page { page.Passkey = &s; return page },
		Mobile:  func(s web.SetUpMobile) web.Page { page.Mobile = &s; return page },
		Prove:   func(s web.SetUpProve) web.Page { page.Prove = &s; return page },
		Settle: func(w http.ResponseWriter, r *http.Request, done enrol.Done, by web.By) error {
			if done.Refused == enrol.NoCode && by == web.ByTOTP {
				return web.Go(w, r, security)
			}
			return m.settle(w, r, done, change{policy.AddMethod, "added"})
		},
	}, err
}

// Codes answers "GET /me/security/codes": it says what recovery codes are.
func (m *Me) Codes() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page := AddPage{As: a.User.Name()}
		if _, err := m.where(r, a, &page.Site); err != nil {
			return err
		}
		methods, err := method.Of(r.Context(), m.Desk.DB, a.User.ID)
		if err != nil {
			return err
		}
		for _, one := range methods {
			page.Replaces = page.Replaces || one.Kind == policy.Recovery
		}
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

// MakeCodes answers "POST /me/security/codes": the only answer that ever has them.
func (m *Me) MakeCodes() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		codes, done, err := m.Enrol.MakeRecovery(r.Context(), m.holder(w, r, a))
		if err != nil {
			return err
		}
		if done.Refused != "" {
			return m.settle(w, r, done, change{kind: policy.OtherChange})
		}
		m.Kit.PutCookie(w, web.SessionCookie, done.Session, web.SessionLife)
		page := CodesPage{As: a.User.Name(), Codes: codes}
		zone, err := m.where(r, a, &page.Site)
		if err != nil {
			return err
		}
		page.Made = locale.Day(m.Desk.DB.Clock.Now(), zone)
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Alter answers "GET /me/security/alter/{method}".
func (m *Me) Alter() http.Handler {
	return m.fresh(policy.RemoveMethod, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page := AlterPage{As: a.User.Name()}
		zone, err := m.where(r, a, &page.Site)
		if err != nil {
			return err
		}
		methods, err := method.Of(r.Context(), m.Desk.DB, a.User.ID)
		if err != nil {
			return err
		}
		for _, one := range methods {
			mine := string(one.ID) == r.PathValue("method") && (one.Kind == policy.TOTP || one.Kind == policy.Passkey)
			page.Mobile = one.Kind == policy.SMS && r.PathValue("method") == "sms" && !one.Pending
			if !mine && !page.Mobile {
				continue
			}
			page.Way = set(one, moments{zone, m.Desk.DB.Clock.Now()})
			if page.Mobile {
				page.Way = Set{ID: string(one.ID), Name: locale.Say(locale.SecurityYourMobile)}
			}
			return m.Kit.Show(w, r, http.StatusOK, page)
		}
		return fault.NotFound
	})
}

// act answers a POST that changes one thing.
func (m *Me) act(to change, do func(*http.Request, enrol.Holder, web.Fields) (enrol.Done, error)) http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		done, err := do(r, m.holder(w, r, a), form)
		if err != nil {
			return err
		}
		return m.settle(w, r, done, to)
	})
}

// Rename answers "POST /me/security/rename".
func (m *Me) Rename() http.Handler {
	return m.act(change{policy.OtherChange, "renamed"}, func(r *http.Request, h enrol.Holder, form web.Fields) (enrol.Done, error) {
		return m.Enrol.Rename(r.Context(), h, id.Method(form.Get("method")), form.Get("name"))
	})
}

// Remove answers "POST /me/security/remove".
func (m *Me) Remove() http.Handler {
	return m.act(change{policy.RemoveMethod, "removed"}, func(r *http.Request, h enrol.Holder, form web.Fields) (enrol.Done, error) {
		return m.Enrol.Remove(r.Context(), h, id.Method(form.Get("method")))
	})
}

// Usual answers "POST /me/security/usual".
func (m *Me) Usual() http.Handler {
	return m.act(change{policy.OtherChange, "usual"}, func(r *http.Request, h enrol.Holder, form web.Fields) (enrol.Done, error) {
		return m.Enrol.SetUsual(r.Context(), h, policy.MethodKind(form.Get("method")))
	})
}

// Forget answers "POST /me/security/forget".
func (m *Me) Forget() http.Handler {
	return m.act(change{policy.OtherChange, "forgotten"}, func(r *http.Request, h enrol.Holder, form web.Fields) (enrol.Done, error) {
		return m.Enrol.ForgetDevice(r.Context(), h, id.Device(form.Get("device")))
	})
}

// End answers "POST /me/security/end".
func (m *Me) End() http.Handler {
	return m.act(change{policy.OtherChange, "ended"}, func(r *http.Request, h enrol.Holder, form web.Fields) (enrol.Done, error) {
		return m.Enrol.EndSession(r.Context(), h, id.Session(form.Get("session")))
	})
}

// Everywhere answers "POST /me/security/everywhere".
func (m *Me) Everywhere() http.Handler {
	return m.act(change{policy.OtherChange, "ended"}, func(r *http.Request, h enrol.Holder, _ web.Fields) (enrol.Done, error) {
		return m.Enrol.EndOthers(r.Context(), h)
	})
}

// Password answers "GET /me/security/password".
func (m *Me) Password() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		return m.showPassword(w, r, a, "")
	})
}

func (m *Me) showPassword(w http.ResponseWriter, r *http.Request, a check.Answer, words string) error {
	page := PasswordPage{As: a.User.Name(), Login: string(a.User.Login), Fault: words}
	if _, err := m.where(r, a, &page.Site); err != nil {
		return err
	}
	status := http.StatusOK
	if words != "" {
		status = http.StatusUnprocessableEntity
	}
	return m.Kit.Show(w, r, status, page)
}

// ChangePassword answers "POST /me/security/password".
func (m *Me) ChangePassword() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		done, err := m.Enrol.ChangePassword(r.Context(), m.holder(w, r, a), secret.NewText(form.Get("password")))
		if err != nil {
			return err
		}
		if done.Refused == enrol.BadPassword {
			return m.showPassword(w, r, a, badPassword(done.Why))
		}
		return m.settle(w, r, done, change{policy.OtherChange, "password"})
	})
}

// badPassword says why a password cannot be used.
func badPassword(why string) string {
	switch why {
	case "short":
		return locale.Say(locale.ResetTooShort)
	case "long":
		return locale.Say(locale.ResetTooLong)
	}
	return locale.Say(locale.ResetTooCommon)
}

// Rehearse answers "POST /me/security/rehearse".
func (m *Me) Rehearse() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		next, err := m.Desk.Rehearse(r.Context(), a.Session, security+"?done=tried")
		if err != nil {
			return err
		}
		return m.proceed(w, r, next)
	})
}

func (m *Me) provePassword(w http.ResponseWriter, r *http.Request, a check.Answer, page ProvePage, typed string) error {
	next, err := m.Desk.Resume(r.Context(), a.Session, secret.NewText(typed), m.place(w, r))
	if err != nil {
		return err
	}
	if next.Wrong != "" {
		page.Password, page.Fault = true, locale.Say(locale.LockedWrong)
		return m.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	}
	if next.Step == signin.In {
		next.ReturnTo = page.Next
	}
	return m.proceed(w, r, next)
}

// Joining answers "GET /me/security/join".
func (m *Me) Joining() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page := JoinPage{As: a.User.Name(), Both: r.URL.Query().Get("both") != ""}
		if _, err := m.where(r, a, &page.Site); err != nil {
			return err
		}
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Join answers "POST /me/security/join".
func (m *Me) Join() http.Handler {
	return m.fresh(policy.OtherChange, func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		next, err := m.Desk.JoinLogin(r.Context(), a.Session, signin.Try{
			Login: form.Get("email"), Password: secret.NewText(form.Get("password")), Place: m.place(w, r), Client: policy.ClientWeb,
		})
		if err != nil {
			return err
		}
		if next.Wrong != "" {
			page := JoinPage{As: a.User.Name(), Email: form.Get("email"), Fault: locale.Say(locale.SigninWrong)}
			if _, err := m.where(r, a, &page.Site); err != nil {
				return err
			}
			return m.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		return m.proceed(w, r, next)
	})
}
