package me

import (
	"net/http"

	"keyturn/internal/authority"
	"keyturn/internal/check"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/web"
)

// Test is a test code that waits to be typed. To says where it went; empty: none waits.
type Test struct{ To, Fault string }

func (m *Me) test(r *http.Request, a check.Answer) (Test, error) {
	kind, err := m.Prepare.Waiting(r.Context(), authority.Bearer{Session: a.Session, User: a.User})
	switch {
	case err != nil || kind == "":
		return Test{}, err
	case kind == policy.SMS:
		return Test{To: locale.Say(locale.SecurityTestSms)}, nil
	}
	return Test{To: locale.Say(locale.SecurityTestEmail)}, nil
}

// TypeTest answers "POST /me/security/test": "code" is the test code.
func (m *Me) TypeTest() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		by := authority.Bearer{Session: a.Session, User: a.User, Place: m.place(w, r)}
		did, err := m.Prepare.TypeTest(r.Context(), by, form.Get("code"))
		if err != nil {
			return err
		}
		if did.Refused == "" {
			return web.Go(w, r, security+"?done=tested")
		}
		page, err := m.securityPage(r, a)
		if err != nil {
			return err
		}
		zone, err := m.where(r, a, &page.Site)
		if err != nil {
			return err
		}
		words := testWords(did.Refused, locale.Clock(did.Retry, zone))
		if page.Test.To == "" {
			page.Fault = words
		} else {
			page.Test.Fault = words
		}
		status := http.StatusUnprocessableEntity
		if did.Refused == prepare.Resting {
			status = http.StatusTooManyRequests
			web.RetryAfter(w, did.Retry.Sub(m.Desk.DB.Clock.Now()))
		}
		return m.Kit.Show(w, r, status, page)
	})
}

// testWords say why a test code proved nothing.
func testWords(refused prepare.Refused, at string) string {
	switch refused { //nolint:exhaustive // the others are of sending it
	case prepare.WrongForm:
		return locale.Say(locale.SecurityTestForm)
	case prepare.WrongCode:
		return locale.Say(locale.SecurityTestWrong)
	case prepare.StaleCode:
		return locale.Say(locale.SecurityTestStale)
	case prepare.Resting:
		return locale.Say(locale.SecurityTestResting, locale.Data{"At": at})
	case prepare.Marked:
		return locale.Say(locale.SecurityMarked)
	case prepare.Awaits:
		return locale.Say(locale.SecurityTestAwaits)
	}
	return locale.Say(locale.SecurityTestNone)
}
