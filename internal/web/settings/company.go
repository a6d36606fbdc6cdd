package settings

import (
	"net/http"
	"net/url"
	"slices"

	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/web/reason"
)

// Company answers "GET /sites/{site}/settings/company". The query may hold a choice that
// is not saved, and what was just done.
func (s *Settings) Company() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, c, err := s.companyPage(r, a)
		if err != nil {
			return err
		}
		q := web.ReadQuery(r)
		if q.Ticked("twofa") || q.Ticked("remember") || q.Ticked("weakest") {
			page.choose(c, chosen(q, c))
		}
		page.Done = companyDone(q.Get("done"))
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) companyPage(r *http.Request, a admin) (CompanyPage, setup.Company, error) {
	now := s.DB.Clock.Now()
	c, err := s.Setup.Company(r.Context(), s.DB, now, a.site.ID)
	if err != nil {
		return CompanyPage{}, c, err
	}
	page := CompanyPage{Site: a.site.Name, Path: a.path, Was: was(c.Choice), Held: c.Held()}
	say := moments{zone: a.site.Zone, now: now}
	for _, tie := range c.Ties {
		page.Ties = append(page.Ties, say.tie(tie))
	}
	for _, date := range c.Coming {
		page.Coming = append(page.Coming, locale.Say(locale.CompanyComing, locale.Data{"When": say.exact(date.Until), "Away": say.away(date.Until)}))
	}
	if !c.Lowerable.IsZero() {
		page.Lower = now.Before(c.Lowerable)
		page.LowerFrom = say.exact(c.Lowerable)
		page.CanLower = !page.Lower
	}
	if !c.Held() && !c.Lowered.IsZero() {
		page.Lowered = locale.Say(locale.CompanyWasLowered, locale.Data{"When": say.exact(c.Lowered)})
	}
	if at := c.Site; !c.Held() && at.TwoFA != policy.SettingOff && !at.TwoFASince.IsZero() && at.TwoFABy != "" {
		page.Since = locale.Say(locale.CompanySince, locale.Data{"When": say.exact(at.TwoFASince), "By": at.TwoFABy})
	}
	page.choose(c, c.Choice)
	return page, c, nil
}

// fields are those of a form or a query.
type fields interface{ Get(name string) string }

// chosen reads a choice from a form; what the form does not have is as it is.
func chosen(form fields, c setup.Company) site.Choice {
	to := c.Choice
	if v := form.Get("twofa"); v != "" && !c.Held() {
		to.TwoFA = policy.Setting(v)
	}
	if v := form.Get("remember"); v != "" {
		to.Remember = policy.Remember(v)
	}
	if v := form.Get("weakest"); v != "" {
		to.Weakest = policy.MethodKind(v)
	}
	return to
}

// left reads what the form was made from: the state that a change leaves.
func left(form fields) site.Choice {
	return site.Choice{
		TwoFA: policy.Setting(form.Get("was_twofa")), Remember: policy.Remember(form.Get("was_remember")),
		Weakest: policy.MethodKind(form.Get("was_weakest")),
	}
}

func was(c site.Choice) ChoiceForm {
	return ChoiceForm{TwoFA: string(c.TwoFA), Remember: string(c.Remember), Weakest: string(c.Weakest)}
}

// query is the address of a preview of a choice.
func query(path string, to, from site.Choice) string {
	return path + "/company/preview?" + url.Values{
		"twofa": {string(to.TwoFA)}, "remember": {string(to.Remember)}, "weakest": {string(to.Weakest)},
		"was_twofa": {string(from.TwoFA)}, "was_remember": {string(from.Remember)}, "was_weakest": {string(from.Weakest)},
	}.Encode()
}

// choose marks a choice, and what is not on offer.
func (p *CompanyPage) choose(c setup.Company, to site.Choice) {
	p.TwoFA, p.Remember, p.Weakest = nil, nil, nil
	for _, v := range setup.Settings {
		words := settingWords(v)
		p.TwoFA = append(p.TwoFA, Pick{Value: string(v), Words: words[0], Hint: words[1], On: v == to.TwoFA})
	}
	capped := c.Held() && !slices.Contains(setup.WithXero, to.Remember)
	for _, v := range setup.Remembers {
		pick := Pick{Value: string(v), Words: rememberWords(v), On: v == to.Remember && !capped || capped && v == policy.RememberDaily}
		if c.Held() && !slices.Contains(setup.WithXero, v) {
			pick.Off = locale.Say(locale.CompanyRememberXero)
			if v == c.Choice.Remember {
				pick.Off = locale.Say(locale.CompanyRememberKept)
			}
		}
		p.Remember = append(p.Remember, pick)
	}
	for _, v := range setup.Weakests {
		p.Weakest = append(p.Weakest, Pick{Value: string(v), Words: weakestWords(v), On: v == to.Weakest})
	}
}

// PreviewCompany answers "GET /sites/{site}/settings/company/preview": what a choice would
// mean for everybody, before it is saved. It writes nothing, and an admin who has to prove
// first who they are comes back to it.
func (s *Settings) PreviewCompany() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, c, err := s.companyPage(r, a)
		if err != nil {
			return err
		}
		form := web.ReadQuery(r)
		to, from := chosen(form, c), left(form)
		if refused := c.May(to); refused != "" {
			page.choose(c, to)
			page.Fault = companyFault(refused)
			return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		if from != c.Choice {
			page.choose(c, to)
			page.Fault = companyFault(setup.Changed)
			return s.Kit.Show(w, r, http.StatusConflict, page)
		}
		forecast, err := s.Setup.Preview(r.Context(), a.site.ID, to)
		if err != nil {
			return err
		}
		preview := PreviewPage{Site: a.site.Name, Path: a.path, To: was(to), Was: was(from), Changes: changes(from, to)}
		preview.Back = "?" + url.Values{"twofa": {string(to.TwoFA)}, "remember": {string(to.Remember)}, "weakest": {string(to.Weakest)}}.Encode()
		preview.foretell(forecast, a.User.ID)
		return s.Kit.Show(w, r, http.StatusOK, preview)
	})
}

// SaveCompany answers "POST /sites/{site}/settings/company".
func (s *Settings) SaveCompany() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		page, c, err := s.companyPage(r, a)
		if err != nil {
			return err
		}
		to, from := chosen(form, c), left(form)
		refused, err := s.Setup.Save(r.Context(), a.bearer(), from, to)
		if err != nil {
			return err
		}
		switch refused { //nolint:exhaustive // the others are one sentence each
		case "":
			return web.Go(w, r, a.path+"/company?done=saved")
		case setup.NotFresh:
			return prove(w, r, query(a.path, to, from))
		}
		page.choose(c, to)
		page.Fault = companyFault(refused)
		return s.Kit.Show(w, r, refusedStatus(refused), page)
	})
}

func refusedStatus(refused setup.Refused) int {
	if refused == setup.Changed {
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}

// LowerFirst answers "GET /sites/{site}/settings/company/lower".
func (s *Settings) LowerFirst() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.lowerPage(r, a)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) lowerPage(r *http.Request, a admin) (LowerPage, error) {
	page := LowerPage{Site: a.site.Name, Path: a.path}
	company, c, err := s.companyPage(r, a)
	if err != nil {
		return page, err
	}
	page.Can, page.From, page.Nothing = company.CanLower, company.LowerFrom, c.Lowerable.IsZero()
	page.Leaves = settingWords(c.Choice.TwoFA)[0]
	if page.Nothing {
		return page, nil
	}
	forecast, err := s.Setup.PreviewLowered(r.Context(), a.site.ID)
	if err != nil {
		return page, err
	}
	page.Total = len(forecast)
	for _, one := range forecast {
		if one.Asked {
			page.Asked++
		}
	}
	return page, nil
}

// Lower answers "POST /sites/{site}/settings/company/lower".
func (s *Settings) Lower() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		refused, err := s.Setup.Lower(r.Context(), a.bearer())
		if err != nil {
			return err
		}
		switch refused { //nolint:exhaustive // the others are one sentence each
		case "":
			return web.Go(w, r, a.path+"/company?done=lowered")
		case setup.NotFresh:
			return prove(w, r, a.path+"/company/lower")
		}
		page, err := s.lowerPage(r, a)
		if err != nil {
			return err
		}
		page.Fault = companyFault(refused)
		return s.Kit.Show(w, r, http.StatusConflict, page)
	})
}

// peopleShown is how many names one list of a preview has.
const peopleShown = 100

// foretell sorts people by what would become of them.
func (p *PreviewPage) foretell(all setup.Forecast, self id.User) {
	p.Total = len(all)
	for _, one := range all {
		named := Foreseen{Name: one.Name, Group: string(one.Group), Lacks: reason.Lacks(one.Lacks)}
		switch {
		case one.Stuck():
			p.Asked++
			p.SelfStuck = p.SelfStuck || one.User == self
			p.Stuck.add(named)
		case one.Asked:
			p.Asked++
			named.Lacks = nil
			if one.Mark == policy.WillManage {
				named.First = true
			}
			if one.WasAsked {
				p.Still.add(named)
			} else {
				p.Newly.add(named)
			}
		case one.WasAsked:
			p.Freed.add(Foreseen{Name: one.Name, Group: string(one.Group)})
		default:
			p.Spared.add(Foreseen{Name: one.Name, Group: string(one.Group)})
		}
	}
}

// add counts everybody and keeps the first.
func (l *People) add(one Foreseen) {
	l.Count++
	if len(l.Shown) < peopleShown {
		l.Shown = append(l.Shown, one)
	}
	l.More = l.Count - len(l.Shown)
}
