package settings

import (
	"net/http"
	"strings"

	"keyturn/internal/locale"
	"keyturn/internal/readiness"
	"keyturn/internal/web"
)

// entry is a page that the settings may have.
type entry struct {
	// path follows "/sites/{site}/settings".
	path        string
	title, hint locale.Key
	icon        string
	// help is the paragraph of the guides that is about the page.
	help string
}

// entries are all of them, in the order of the menu.
var entries = []entry{
	{"/users", locale.MenuUsers, locale.MenuUsersHint, "person", "admins#users"},
	{"/company", locale.MenuCompany, locale.MenuCompanyHint, "key", "enable#company"},
	{"/groups", locale.MenuGroups, locale.MenuGroupsHint, "grid", "admins#groups"},
	{"/readiness", locale.MenuReadiness, locale.MenuReadinessHint, "tick", "admins#tell"},
	{"/requests", locale.MenuRequests, locale.MenuRequestsHint, "hand", "admins#requests"},
	{"/shared", locale.MenuShared, locale.MenuSharedHint, "half", "admins#shared"},
	{"/approvals", locale.MenuApprovals, locale.MenuApprovalsHint, "wait", "admins#stuck"},
	{"/help-codes", locale.MenuHelpCodes, locale.MenuHelpCodesHint, "sheet", "admins#help-code"},
	{"/sms", locale.MenuSms, locale.MenuSmsHint, "phone", "admins#sms"},
	{"/audit", locale.MenuAudit, locale.MenuAuditHint, "sheet", "admins#audit"},
	{"/integrations", locale.MenuIntegrations, locale.MenuIntegrationsHint, "right", "xero#when"},
}

// At is where all of the settings are, in the form of the URL map.
const At = "/sites/{site}/settings"

// Paths picks the pages of the menu that the URL map has, as there says of a pattern.
func Paths(there func(pattern string) bool) []string {
	var paths []string
	for _, e := range entries {
		if there(At + e.path) {
			paths = append(paths, e.path)
		}
	}
	return paths
}

// menu is the menu as it stands around a page, and what the guides say of that page.
func (s *Settings) menu(r *http.Request, base string) (around web.Around) {
	around.MenuTitle = locale.Say(locale.MenuTitle)
	around.Menu = append(around.Menu, web.MenuItem{Title: locale.Say(locale.MenuHome), Path: base, Here: r.URL.Path == base})
	around.Help = "admins"
	for _, e := range s.shown() {
		path := base + e.path
		here := r.URL.Path == path || strings.HasPrefix(r.URL.Path, path+"/")
		if here {
			around.Help = e.help
		}
		around.Menu = append(around.Menu, web.MenuItem{Title: locale.Say(e.title), Path: path, Here: here})
	}
	return around
}

// shown are the entries that there are pages for.
func (s *Settings) shown() (all []entry) {
	for _, e := range entries {
		for _, path := range s.Pages {
			if path == e.path {
				all = append(all, e)
			}
		}
	}
	return all
}

// HomePage lists the settings.
type HomePage struct {
	Site string
	// Ref is the site's reference, which the vendor's staff ask for on the phone.
	Ref     string
	Entries []HomeEntry
	// When is the date that is to come, in words; empty: there is none. Ready are those who
	// are sure to get in, of Office people; Path is the page that says more.
	When          string
	Ready, Office int
	Path          string
	// Worries are what would keep somebody out, the worst first. May be empty.
	Worries []Worry
}

// Worry is what would keep somebody out, and the page where it is put right.
type Worry struct{ Words, Path, Open string }

// HomeEntry is one of them. Icon is the name of its picture.
type HomeEntry struct{ Title, Hint, Path, Icon string }

// Head implements web.Page.
func (p HomePage) Head() web.Head {
	return web.Head{Template: "settings/home", Title: locale.Say(locale.MenuTitle), Site: p.Site, Layout: web.Broad}
}

// Home answers "GET /sites/{site}/settings".
func (s *Settings) Home() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page := HomePage{Site: a.site.Name, Ref: a.site.Ref}
		for _, e := range s.shown() {
			page.Entries = append(page.Entries, HomeEntry{
				Title: locale.Say(e.title), Hint: locale.Say(e.hint), Path: a.path + e.path, Icon: e.icon,
			})
		}
		one, when, err := s.ready(r, a)
		if err != nil {
			return err
		}
		if date := when.Date(); !date.IsZero() {
			m := moments{a.site.Zone, s.DB.Clock.Now()}
			page.When = locale.Say(locale.ReadinessDate, locale.Data{"At": m.exact(date), "Away": m.away(date)})
			page.Ready, page.Office, page.Path = one.Ready, one.Office(), a.path+"/readiness"
		}
		if page.Worries, err = s.worries(r, a, one, when); err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// worries are asked only of sites where 2FA is asked or will be.
func (s *Settings) worries(r *http.Request, a admin, one readiness.Site, when readiness.When) (all []Worry, err error) {
	if !when.Now && when.Date().IsZero() {
		return nil, nil
	}
	ready := Worry{Path: a.path + "/readiness", Open: locale.Say(locale.MenuWorryReadiness)}
	if one.NeedsHelp > 0 {
		ready.Words = locale.Say(locale.MenuWorryHelp, locale.Data{"Count": one.NeedsHelp})
		all = append(all, ready)
	}
	if one.LoneAdmin && !aloneIsReady(one) {
		ready.Words = locale.Say(locale.ReadinessLone)
		all = append(all, ready)
	}
	st, err := s.Connect.Status(r.Context(), s.DB, a.site.ID)
	if err != nil {
		return nil, err
	}
	if st.Live() && st.Link != nil && (st.Link.Dead || st.Failing()) {
		all = append(all, Worry{
			Words: locale.Say(locale.MenuWorryXero), Path: a.path + xeroPath, Open: locale.Say(locale.MenuWorryXeroOpen),
		})
	}
	return all, nil
}
