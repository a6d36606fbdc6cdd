package settings

import (
	"net/http"

	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/web"
)

// TestLine says what became of a test code.
type TestLine struct {
	Words string
	// Typed says that it was typed: codes reach the person.
	Typed bool
}

// sendTest sends a member a test code, and says that it is on its way or why not.
func (s *Settings) sendTest(w http.ResponseWriter, r *http.Request, a admin, whom id.User, kind policy.MethodKind) error {
	did, err := s.Prepare.SendTest(r.Context(), a.bearer(), whom, kind)
	if err != nil {
		return err
	}
	if did.Refused == "" {
		return web.Go(w, r, a.path+"/users/"+string(whom)+"?did=test-"+string(kind))
	}
	page, err := s.userPageOf(r, a)
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	who := locale.Data{"First": page.First}
	switch did.Refused { //nolint:exhaustive // the others are of typing it
	case prepare.Oneself:
		page.Problem = locale.Say(locale.UsersOneself)
	case prepare.NotActive:
		page.Problem = locale.Say(locale.UsersTestInactive, who)
	case prepare.NumberSpent:
		page.Problem = locale.Say(locale.UsersTestSpent, who)
	case prepare.NoBalance:
		page.Problem = locale.Say(locale.UsersTestBalance)
	case prepare.TooMany:
		status, page.Problem = http.StatusTooManyRequests, locale.Say(locale.UsersTooMany, locale.Data{"At": locale.Clock(did.Retry, a.site.Zone)})
		web.RetryAfter(w, did.Retry.Sub(s.DB.Clock.Now()))
	default:
		page.Problem = locale.Say(locale.UsersCannot)
		if kind == policy.SMS {
			page.Problem = locale.Say(locale.UsersTestNumber, who)
		}
	}
	return s.Kit.Show(w, r, status, page)
}

// userPageOf is the page of the member of the address, as stored.
func (s *Settings) userPageOf(r *http.Request, a admin) (UserPage, error) {
	card, err := s.card(r, a)
	if err != nil {
		return UserPage{}, err
	}
	page, err := s.userPage(a, card, card.Form)
	if err != nil {
		return page, err
	}
	return page, s.tests(r, a, card, &page)
}

// tests says what became of the test codes that a member was sent.
func (s *Settings) tests(r *http.Request, a admin, card member.Card, page *UserPage) error {
	if card.Own || card.Elsewhere {
		return nil
	}
	page.TestSMS = card.Form.Mobile != "" && page.SMS > 0
	all, err := s.Prepare.TestsOf(r.Context(), a.site.ID, card.User.ID)
	if err != nil {
		return err
	}
	now := s.DB.Clock.Now()
	for _, one := range all {
		said := locale.Data{"At": locale.Moment(one.At, a.site.Zone, now)}
		keys := map[policy.MethodKind][3]locale.Key{
			policy.Email: {locale.UsersTestEmailTyped, locale.UsersTestEmailOpen, locale.UsersTestEmailOver},
			policy.SMS:   {locale.UsersTestSmsTyped, locale.UsersTestSmsOpen, locale.UsersTestSmsOver},
		}[one.Kind]
		line := TestLine{Typed: !one.TypedAt.IsZero()}
		switch {
		case line.Typed:
			said["Typed"] = locale.Moment(one.TypedAt, a.site.Zone, now)
			line.Words = locale.Say(keys[0], said)
		case one.Open:
			said["Until"] = locale.Clock(one.Until, a.site.Zone)
			line.Words = locale.Say(keys[1], said)
		default:
			line.Words = locale.Say(keys[2], said)
		}
		page.Tests = append(page.Tests, line)
	}
	return nil
}
