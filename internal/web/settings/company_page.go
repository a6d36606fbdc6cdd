package settings

import (
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// CompanyPage is Company Settings › Two-factor authentication.
type CompanyPage struct {
	Site, Path, Fault, Done string
	// Held says that a connection to Xero holds both switches; Ties say which, since when
	// and by whom.
	Held bool
	Ties []string
	// Coming say from when on one will.
	Coming []string
	// Since says since when and by whom the site's own setting is on. May be empty.
	Since string
	// CanLower says that what Xero left may be ended now; Lower that it may be from
	// LowerFrom on. Lowered says when it was.
	CanLower, Lower    bool
	LowerFrom, Lowered string

	TwoFA, Remember, Weakest []Pick
	// Was is what the form was made from.
	Was ChoiceForm
}

// Pick is one of several to choose from.
type Pick struct {
	Value, Words, Hint string
	On                 bool
	// Off says why it is not on offer; empty: it is.
	Off string
}

// ChoiceForm is a choice as the fields of a form hold it.
type ChoiceForm struct{ TwoFA, Remember, Weakest string }

// Head implements web.Page.
func (p CompanyPage) Head() web.Head {
	return web.Head{Template: "settings/company", Title: locale.Say(locale.CompanyTitle), Problem: p.Fault, Site: p.Site, Layout: web.Broad, Help: "enable#company"}
}

// PreviewPage is what a choice would mean, before it is saved.
type PreviewPage struct {
	Site, Path string
	// Changes are what would be different, each a sentence.
	Changes []string
	// To is what would be saved, Was in place of what; Back the query of the form with it.
	To, Was ChoiceForm
	Back    string
	// Asked of Total office members would be asked.
	Asked, Total int
	// SelfStuck says that the admin would be stuck themselves.
	SelfStuck bool
	// Stuck would be asked and not get in; Newly are asked for the first time, Still go on
	// being asked, Freed are no longer, Spared never were.
	Stuck, Newly, Still, Freed, Spared People
}

// People are some of the people of a preview, by name.
type People struct {
	Count int
	Shown []Foreseen
	// More is how many are not shown.
	More int
}

// Foreseen is one of them.
type Foreseen struct {
	Name, Group string
	// First says that a code would go to them for the first time.
	First bool
	// Lacks say what stands in the way.
	Lacks []string
}

// Head implements web.Page.
func (p PreviewPage) Head() web.Head {
	return web.Head{Template: "settings/preview", Title: locale.Say(locale.PreviewTitle), Site: p.Site, Layout: web.Broad, Help: "enable#preview"}
}

// LowerPage asks whether what Xero left behind is to be ended.
type LowerPage struct {
	Site, Path, Fault string
	// Nothing says that there is nothing to end; Can that it may be ended now, else From is
	// when it may.
	Nothing, Can bool
	From         string
	// Leaves is the site's own setting, which holds then: Asked of Total are asked by it.
	Leaves       string
	Asked, Total int
}

// Head implements web.Page.
func (p LowerPage) Head() web.Head {
	return web.Head{Template: "settings/lower", Title: locale.Say(locale.LowerTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow, Help: "enable#lower"}
}

// moments says times as people at the site do.
type moments struct {
	zone *time.Location
	now  time.Time
}

func (m moments) exact(t time.Time) string { return locale.Exact(t, m.zone, m.now) }
func (m moments) away(t time.Time) string  { return locale.Away(t, m.zone, m.now) }

// tie puts a reason for which Xero holds the switches into words.
func (m moments) tie(r policy.Reason) string {
	if r.Key == policy.EnforcedSince {
		return locale.Say(locale.CompanyEnforced, locale.Data{"When": m.exact(r.Since)})
	}
	what, by := r.Organisation, r.By
	if what == "" {
		what = r.SiteName
	}
	was := r.Key == policy.XeroWasConnected
	switch {
	case was && !r.Until.IsZero():
		return locale.Say(locale.CompanyWasXero, locale.Data{"Organisation": what})
	case was:
		return locale.Say(locale.CompanyWasXeroOnce, locale.Data{"Organisation": what})
	case r.Since.IsZero():
		return locale.Say(locale.CompanyXero, locale.Data{"Organisation": what})
	case by == "":
		return locale.Say(locale.CompanyXeroSince, locale.Data{"Organisation": what, "Day": locale.Day(r.Since, m.zone)})
	}
	return locale.Say(locale.CompanyXeroBy, locale.Data{"Organisation": what, "Day": locale.Day(r.Since, m.zone), "By": by})
}

// settingWords are the words and the hint of a setting.
func settingWords(v policy.Setting) [2]string {
	switch v {
	case policy.SettingPerUser:
		return [2]string{locale.Say(locale.CompanyPerUser), locale.Say(locale.CompanyPerUserHint)}
	case policy.SettingEveryone:
		return [2]string{locale.Say(locale.CompanyEveryone), locale.Say(locale.CompanyEveryoneHint)}
	case policy.SettingOff:
	}
	return [2]string{locale.Say(locale.CompanyOff), locale.Say(locale.CompanyOffHint)}
}

func rememberWords(v policy.Remember) string {
	switch v {
	case policy.RememberDaily:
		return locale.Say(locale.CompanyRememberDaily)
	case policy.Remember7:
		return locale.Say(locale.CompanyRememberDays, locale.Data{"Days": 7})
	case policy.Remember14:
		return locale.Say(locale.CompanyRememberDays, locale.Data{"Days": 14})
	case policy.Remember30:
		return locale.Say(locale.CompanyRememberDays, locale.Data{"Days": 30})
	case policy.RememberOff:
	}
	return locale.Say(locale.CompanyRememberOff)
}

func weakestWords(v policy.MethodKind) string {
	switch v { //nolint:exhaustive // a site can choose no other
	case policy.SMS:
		return locale.Say(locale.CompanyWeakestSms)
	case policy.TOTP:
		return locale.Say(locale.CompanyWeakestTotp)
	}
	return locale.Say(locale.CompanyWeakestEmail)
}

// changes puts what is different into sentences.
func changes(from, to site.Choice) (all []string) {
	if from.TwoFA != to.TwoFA {
		all = append(all, locale.Say(locale.PreviewTwofa, locale.Data{"From": settingWords(from.TwoFA)[0], "To": settingWords(to.TwoFA)[0]}))
	}
	if from.Remember != to.Remember {
		all = append(all, locale.Say(locale.PreviewRemember, locale.Data{"From": rememberWords(from.Remember), "To": rememberWords(to.Remember)}))
	}
	if from.Weakest != to.Weakest {
		all = append(all, locale.Say(locale.PreviewWeakest, locale.Data{"From": weakestWords(from.Weakest), "To": weakestWords(to.Weakest)}))
	}
	return all
}

func companyDone(done string) string {
	switch done {
	case "saved":
		return locale.Say(locale.CompanySaved)
	case "lowered":
		return locale.Say(locale.CompanyLowered)
	}
	return ""
}

func companyFault(refused setup.Refused) string {
	switch refused { //nolint:exhaustive // the others never come here
	case setup.Changed:
		return locale.Say(locale.CompanyFaultChanged)
	case setup.Same:
		return locale.Say(locale.CompanyFaultSame)
	case setup.Held:
		return locale.Say(locale.CompanyFaultHeld)
	case setup.NotYet:
		return locale.Say(locale.CompanyFaultNotYet)
	case setup.Nothing:
		return locale.Say(locale.CompanyFaultNothing)
	}
	return locale.Say(locale.CompanyFaultOffer)
}
