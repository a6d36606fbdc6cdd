package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// User answers "GET /sites/{site}/settings/users/{user}". The query may say what was just
// done: "did".
func (s *Settings) User() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		card, err := s.card(r, a)
		if err != nil {
			return err
		}
		page, err := s.userPage(a, card, card.Form)
		if err != nil {
			return err
		}
		if err := s.tests(r, a, card, &page); err != nil {
			return err
		}
		did := web.ReadQuery(r).Get("did")
		page.Done = didWords(did, page, card)
		if did == "login" { // it says so itself
			page.Old = ""
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) card(r *http.Request, a admin) (member.Card, error) {
	whom, err := id.Parse[id.User](r.PathValue("user"))
	if err != nil {
		return member.Card{}, err
	}
	return s.Members.Card(r.Context(), a.bearer(), whom)
}

// userPage shows a member with the form filled as given.
func (s *Settings) userPage(a admin, card member.Card, fill member.Form) (UserPage, error) {
	now := s.DB.Clock.Now()
	was, err := json.Marshal(card.Form)
	if err != nil {
		return UserPage{}, fmt.Errorf("write what a form was filled with: %w", err)
	}
	p := UserPage{
		Site: a.site.Name, Path: a.path, ID: string(card.User.ID), Name: card.User.Name(),
		First: cmp.Or(card.User.FirstName, card.User.Name()), Fresh: card.Fresh,
		Elsewhere: card.Elsewhere, Own: card.Own, Was: string(was),
		Email: fill.Email, Mobile: fill.Mobile, FirstName: fill.First, LastName: fill.Last,
		SalesDashboard: fill.SalesDashboard, BusinessIntelligence: fill.BusinessIntelligence,
		TwoFA: fill.TwoFA || card.Locked, TwoFALocked: card.Locked, TwoFAOff: !card.Locked && card.Site.TwoFA != policy.SettingPerUser,
		Before: card.User.Name(), SMS: smsOf(card), Open: card.Open,
		HelpCode: !card.Own && !card.Elsewhere && !card.Above && card.Member.Status == policy.Active && card.Member.Kind != policy.Mobile,
	}
	p.Mark, p.Why = markWords(card.Row)
	p.TwoFAWhy = lockWords(card, a, now)
	if card.Old != "" {
		p.Old, p.Until = card.Old, locale.Day(card.OldUntil, a.site.Zone)
	}
	if card.Undone.ID != "" {
		p.Undone = &UndoneLine{
			Old: string(card.Undone.Old), New: string(card.Undone.New), When: locale.Moment(card.Undone.UsedAt, a.site.Zone, now),
		}
	}
	for _, g := range site.Groups() {
		p.Groups = append(p.Groups, Pick{Value: string(g), Words: string(g), On: g == fill.Group})
	}
	p.Kinds = []Pick{
		{Value: string(policy.Office), Words: locale.Say(locale.UsersKindOffice), On: fill.Kind == policy.Office},
		{Value: string(policy.Mobile), Words: locale.Say(locale.UsersKindMobile), On: fill.Kind == policy.Mobile},
	}
	p.Statuses = []Pick{
		{Value: string(policy.Active), Words: locale.Say(locale.UsersActive), On: fill.Status == policy.Active},
		{Value: string(policy.Inactive), Words: locale.Say(locale.UsersInactive), On: fill.Status == policy.Inactive},
		{Value: string(policy.Blocked), Words: locale.Say(locale.UsersBlocked), On: fill.Status == policy.Blocked},
	}
	return p, nil
}

// smsOf is how many SMS the site can send.
func smsOf(card member.Card) int {
	for _, m := range card.Facts.Memberships {
		return m.SMSAvailable
	}
	return 0
}

// SaveUser answers "POST /sites/{site}/settings/users/{user}".
func (s *Settings) SaveUser() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		whom, err := id.Parse[id.User](r.PathValue("user"))
		if err != nil {
			return err
		}
		typed, err := typedOf(form)
		if err != nil {
			return err
		}
		if better := form.Get("use"); better != "" {
			typed.Now.Email, typed.Sure = better, ""
			return s.showUser(w, r, a, typed, member.Saved{})
		}
		saved, err := s.Members.Save(r.Context(), a.bearer(), whom, typed)
		if err != nil {
			return err
		}
		if saved.Refused != "" {
			return s.showUser(w, r, a, typed, saved)
		}
		next := a.path + "/users/" + string(whom)
		if saved.Newcomer != "" {
			next = a.path + "/users/" + string(saved.Newcomer)
		}
		return web.Go(w, r, next+"?did="+did(saved))
	})
}

// did is the word for what was saved.
func did(saved member.Saved) string {
	switch {
	case saved.Newcomer != "":
		return "newcomer"
	case saved.Login:
		return "login"
	case saved.Pending:
		return "pending"
	case saved.Mobile:
		return "mobile"
	case saved.Nothing:
		return "nothing"
	}
	return "saved"
}

func didWords(word string, p UserPage, card member.Card) string {
	who := locale.Data{"First": p.First, "Email": p.Email, "Old": p.Old, "Until": p.Until, "Mobile": p.Mobile}
	switch {
	case word == "newcomer":
		return locale.Say(locale.UsersDidNewcomer, who)
	case word == "login" && p.Old != "":
		return locale.Say(locale.UsersDidLogin, who)
	case word == "login":
		return locale.Say(locale.UsersDidLoginOnly, who)
	case word == "pending":
		return locale.Say(locale.UsersDidPending, who)
	case word == "mobile" && p.Mobile != "":
		return locale.Say(locale.UsersDidMobile, who)
	case word == "mobile":
		return locale.Say(locale.UsersDidMobileNone, who)
	case word == "saved":
		return locale.Say(locale.UsersDidSaved)
	case word == "nothing":
		return locale.Say(locale.UsersDidNothing)
	case word == "test-email" && card.User.ID != "":
		return locale.Say(locale.UsersDidTest, who)
	case word == "test-sms" && p.Mobile != "":
		return locale.Say(locale.UsersDidTestSms, who)
	case word == "ended":
		return locale.Say(locale.UsersDidEnded, who)
	}
	return ""
}

// typedOf reads a form. What it does not have is as it was.
func typedOf(form web.Fields) (typed member.Typed, err error) {
	if err := json.Unmarshal([]byte(form.Get("was")), &typed.Was); err != nil {
		return typed, fmt.Errorf("what a form was filled with: %w", fault.Invalid)
	}
	typed.Now, typed.Sure, typed.Person = typed.Was, form.Get("sure"), member.Person(form.Get("person"))
	text := func(name string, into *string) {
		if form.Ticked(name) {
			*into = form.Get(name)
		}
	}
	now := &typed.Now
	text("email", &now.Email)
	text("mobile", &now.Mobile)
	text("first", &now.First)
	text("last", &now.Last)
	text("group", (*string)(&now.Group))
	text("kind", (*string)(&now.Kind))
	text("status", (*string)(&now.Status))
	if form.Ticked("toggles") {
		now.SalesDashboard, now.BusinessIntelligence = form.Ticked("sales"), form.Ticked("insight")
	}
	if form.Ticked("has-twofa") {
		now.TwoFA = form.Ticked("twofa")
	}
	return typed, nil
}

// showUser shows the form again as it was typed, with what is to be done about it.
func (s *Settings) showUser(w http.ResponseWriter, r *http.Request, a admin, typed member.Typed, saved member.Saved) error {
	card, err := s.card(r, a)
	if err != nil {
		return err
	}
	page, err := s.userPage(a, card, typed.Now)
	if err != nil {
		return err
	}
	if saved.Refused == "" {
		return s.Kit.Show(w, r, http.StatusOK, page)
	}
	page.Sure, page.Suggested, page.Before = saved.Sure, saved.Suggested, card.User.Name()
	status := page.refused(saved)
	if status == http.StatusTooManyRequests {
		now := s.DB.Clock.Now()
		web.RetryAfter(w, saved.Retry.Sub(now))
		page.Problem = restWords(saved, locale.Moment(saved.Retry, a.site.Zone, now))
		page.AskManager = saved.Refused == member.TooManyNewcomers
	}
	return s.Kit.Show(w, r, status, page)
}

// refused says what stands in the way of a form.
func (p *UserPage) refused(saved member.Saved) int {
	who := locale.Data{"First": p.First, "Who": saved.Who}
	p.Problem = locale.Say(locale.UsersNotSaved)
	switch saved.Refused {
	case member.NotFresh:
		p.NeedsProof = true
		return http.StatusForbidden
	case member.Changed:
		p.Problem = locale.Say(locale.UsersChanged)
		p.Others = othersWords(saved)
		return http.StatusConflict
	case member.Doubtful:
		p.Problem = locale.Say(locale.UsersDoubtful)
		for _, d := range saved.Doubts {
			p.Doubts = append(p.Doubts, doubtWords(d, saved, p.First))
		}
	case member.WhichPerson:
		p.Problem, p.AskPerson = locale.Say(locale.UsersWhich), true
	case member.NoEmail:
		p.EmailFault = locale.Say(locale.UsersNoEmail, who)
	case member.BadEmail:
		p.EmailFault = locale.Say(locale.UsersBad, locale.Data{"Why": saved.Why})
	case member.CannotUse:
		p.EmailFault = locale.Say(locale.UsersCannotUse)
	case member.TakenHere:
		p.EmailFault = locale.Say(locale.UsersTakenHere, who)
	case member.BadMobile:
		p.MobileFault = locale.Say(locale.UsersBad, locale.Data{"Why": saved.Why})
	case member.BadName:
		p.NameFault = locale.Say(locale.UsersBadName)
	case member.AboveRank, member.BadChoice:
		p.GroupFault = locale.Say(locale.UsersAboveRank)
	case member.EndlessAdmin:
		p.GroupFault = locale.Say(locale.UsersEndlessAdmin, who)
	case member.NotYetAdmin:
		p.GroupFault = locale.Say(locale.UsersNotYetAdmin, who)
	case member.LastAdmin:
		p.StatusFault = locale.Say(locale.UsersLastAdmin, who)
	case member.Oneself:
		p.Problem = locale.Say(locale.UsersOneself)
	case member.Elsewhere:
		p.Problem = locale.Say(locale.UsersElsewhereShort, who)
	case member.NotActive:
		p.Problem, p.AskManager = locale.Say(locale.UsersNotActive), true
	case member.AdminNewcomer:
		p.Problem, p.AskManager = locale.Say(locale.UsersAdminNewcomer), true
	case member.AccessOver:
		p.Problem, p.AskManager = locale.Say(locale.UsersAccessOver, who), true
	case member.Replaced:
		p.Problem, p.AskManager = locale.Say(locale.UsersReplaced, who), true
	case member.TooManyAddresses, member.TooManyLogins, member.TooManyNewcomers, member.TooMany:
		return http.StatusTooManyRequests
	case member.NoLess, member.RefTaken, member.BadRef, member.AskForAdmin:
		// Of programs alone: this form takes no reference, and an Admin may ask for less.
	}
	return http.StatusUnprocessableEntity
}

// restWords say what was done too often, and when it can be done again.
func restWords(saved member.Saved, at string) string {
	key := locale.UsersTooMany
	switch saved.Refused { //nolint:exhaustive // The others are no matter of how often.
	case member.TooManyAddresses:
		key = locale.UsersRestAddresses
	case member.TooManyLogins:
		key = locale.UsersRestLogins
	case member.TooManyNewcomers:
		key = locale.UsersRestNewcomers
	}
	return locale.Say(key, locale.Data{"At": at})
}

func doubtWords(d member.Doubt, saved member.Saved, first string) string {
	who := locale.Data{"First": first, "Login": saved.Namesake}
	switch d {
	case member.Namesake:
		return locale.Say(locale.UsersDoubtNamesake, who)
	case member.ProvedGone:
		return locale.Say(locale.UsersDoubtProvedGone, who)
	case member.NoWayIn:
		return locale.Say(locale.UsersDoubtNoWayIn, who)
	case member.Slip:
		return locale.Say(locale.UsersDoubtSlip, locale.Data{"Email": saved.Suggested})
	case member.RoleMailbox:
		return locale.Say(locale.UsersDoubtRole)
	case member.DummyMailbox:
		return locale.Say(locale.UsersDoubtDummy)
	case member.SharedMobile:
	}
	return locale.Say(locale.UsersDoubtMobile, locale.Data{"Who": saved.Who})
}

// othersWords say what somebody else changed, and what it is now.
func othersWords(saved member.Saved) []string {
	now := saved.Stored
	words := map[member.Field]string{
		member.FieldEmail:  locale.Say(locale.UsersNowEmail, locale.Data{"Now": now.Email}),
		member.FieldMobile: locale.Say(locale.UsersNowMobile, locale.Data{"Now": cmp.Or(now.Mobile, locale.Say(locale.UsersNone))}),
		member.FieldName:   locale.Say(locale.UsersNowName, locale.Data{"Now": now.First + " " + now.Last}),
		member.FieldGroup:  locale.Say(locale.UsersNowGroup, locale.Data{"Now": string(now.Group)}),
		member.FieldKind:   locale.Say(locale.UsersNowPlace), member.FieldStatus: locale.Say(locale.UsersNowPlace),
		member.FieldToggle: locale.Say(locale.UsersNowPlace),
	}
	var all []string
	for _, f := range saved.Others {
		all = append(all, words[f])
	}
	return all
}

// proofPath is where an admin proves who they are, to come back to a page.
func proofPath(next string) string {
	return "/me/prove?change=" + string(policy.OtherChange) + "&next=" + url.QueryEscape(next)
}

// Proof is where the admin proves who they are, and comes back here.
func (p UserPage) Proof() string { return proofPath(p.Path + "/users/" + p.ID) }

// ProofAside is where the admin proves who they are in a window of its own, which then says
// to go back to the form.
func (p UserPage) ProofAside() string { return proofPath(p.Path + "/shared/proved") }

// Proof is where the admin proves who they are, and comes back here.
func (p LeftPage) Proof() string { return proofPath(p.Path + "/users/" + p.ID + "/left") }
