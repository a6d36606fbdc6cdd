package settings

import (
	"net/http"
	"strings"

	"keyturn/internal/authority"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/people"
	"keyturn/internal/rescue"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

// Approvals answers "GET /sites/{site}/settings/approvals".
func (s *Settings) Approvals() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.approvalsPage(r, a)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) approvalsPage(r *http.Request, a admin) (ApprovalsPage, error) {
	page := ApprovalsPage{Site: a.site.Name, Path: a.path}
	waiting, err := s.Rescue.AsksOf(r.Context(), a.bearer())
	if err != nil {
		return page, err
	}
	now := s.DB.Clock.Now()
	if page.Fresh, err = authority.Fresh(r.Context(), s.DB, now, s.Members.Standing, a.bearer()); err != nil {
		return page, err
	}
	for _, one := range waiting {
		page.Waiting = append(page.Waiting, Waiting{
			ID: string(one.ID), Name: one.User.Name(), From: one.Place.Agent,
			Since: locale.Moment(one.AskedAt, a.site.Zone, now), Until: locale.Clock(one.Until, a.site.Zone),
		})
	}
	return page, nil
}

// Answer answers "POST /sites/{site}/settings/approvals".
func (s *Settings) Answer() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Ask](form.Get("ask"))
		if err != nil {
			return err
		}
		before, err := s.approvalsPage(r, a)
		if err != nil {
			return err
		}
		var refused rescue.Refused
		if form.Get("answer") == "approve" {
			refused, err = s.Rescue.Approve(r.Context(), a.bearer(), which, form.Get("number"))
		} else {
			refused, err = s.Rescue.Decline(r.Context(), a.bearer(), which)
		}
		if err != nil {
			return err
		}
		page, err := s.approvalsPage(r, a)
		if err != nil {
			return err
		}
		if refused == rescue.NotFresh {
			page.NeedsProof = true
			page.keep(string(which), form.Get("number"))
			return s.Kit.Show(w, r, http.StatusForbidden, page)
		}
		status := page.answered(before, string(which), form.Get("answer") == "approve", refused)
		return s.Kit.Show(w, r, status, page)
	})
}

// keep puts the number that was typed for somebody back into their form. Anything but two
// digits is not shown again.
func (p *ApprovalsPage) keep(which, number string) {
	number = strings.TrimSpace(number)
	if len(number) != 2 || strings.Trim(number, "0123456789") != "" {
		return
	}
	for i := range p.Waiting {
		if p.Waiting[i].ID == which {
			p.Waiting[i].Number = number
		}
	}
}

// answered says what became of an answer.
func (p *ApprovalsPage) answered(before ApprovalsPage, which string, approved bool, refused rescue.Refused) int {
	name := ""
	for _, w := range before.Waiting {
		if w.ID == which {
			name = w.Name
		}
	}
	switch refused { //nolint:exhaustive // the others all mean that it is over
	case "":
		if approved {
			p.Done = locale.Say(locale.SettingsApproved, locale.Data{"Name": name})
			return http.StatusOK
		}
		p.Done = locale.Say(locale.SettingsDeclined)
		return http.StatusOK
	case rescue.WrongNumber, rescue.WrongForm:
		for i := range p.Waiting {
			if p.Waiting[i].ID == which {
				p.Waiting[i].Fault = locale.Say(locale.SettingsWrongNumber)
			}
		}
		return http.StatusUnprocessableEntity
	case rescue.Declined:
		p.Done = locale.Say(locale.SettingsWrongLast)
		return http.StatusConflict
	}
	p.Done = locale.Say(locale.SettingsAskGone)
	return http.StatusConflict
}

// membersShown is how many members the page of help codes lists.
const membersShown = 50

// HelpCodes answers "GET /sites/{site}/settings/help-codes".
func (s *Settings) HelpCodes() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.helpCodesPage(r, a, web.ReadQuery(r).Get("find"))
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) helpCodesPage(r *http.Request, a admin, find string) (HelpCodesPage, error) {
	page := HelpCodesPage{Site: a.site.Name, Path: a.path, Find: find}
	members, err := people.Members(r.Context(), s.DB, a.site.ID, find, membersShown+1)
	if err != nil {
		return page, err
	}
	page.Cut = len(members) > membersShown
	for _, m := range members[:min(len(members), membersShown)] {
		one := Member{ID: string(m.User), Name: m.Name(), Group: string(m.Group)}
		if m.User == a.User.ID {
			one.Not = locale.Say(locale.SettingsNotYou)
		}
		page.Members = append(page.Members, one)
	}
	return page, nil
}

// GiveHelpCode answers "POST /sites/{site}/settings/help-codes".
func (s *Settings) GiveHelpCode() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		whom, err := id.Parse[id.User](form.Get("user"))
		if err != nil {
			return err
		}
		given, refused, err := s.Rescue.GiveHelpCode(r.Context(), a.bearer(), whom)
		if err != nil {
			return err
		}
		switch refused { //nolint:exhaustive // the others have one sentence
		case rescue.NotFresh:
			return prove(w, r, a.path+"/help-codes")
		case "":
			return s.showCode(w, r, a, whom, given)
		}
		page, err := s.helpCodesPage(r, a, "")
		if err != nil {
			return err
		}
		page.Fault = notHere(refused)
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

func (s *Settings) showCode(w http.ResponseWriter, r *http.Request, a admin, whom id.User, given rescue.Given) error {
	who, err := user.ByID(r.Context(), s.DB, whom)
	if err != nil {
		return err
	}
	page := HelpCodePage{
		Site: a.site.Name, Path: a.path, For: who.Name(), Code: given.Code, Until: locale.Clock(given.Until, a.site.Zone),
	}
	for _, l := range locale.Spell(given.Code) {
		page.Spelling = append(page.Spelling, Letter{Sign: l.Sign, Said: l.Said})
	}
	return s.Kit.Show(w, r, http.StatusOK, page)
}

// notHere says why a member cannot be helped by this admin.
func notHere(refused rescue.Refused) string {
	switch refused { //nolint:exhaustive // the others are of other places
	case rescue.AboveRank:
		return locale.Say(locale.SettingsNotRank)
	case rescue.Oneself:
		return locale.Say(locale.SettingsNotYou)
	case rescue.Inactive:
		return locale.Say(locale.SettingsNotActive)
	case rescue.TooMany:
		return locale.Say(locale.SettingsTooMany)
	}
	return locale.Say(locale.SettingsNotHere)
}
