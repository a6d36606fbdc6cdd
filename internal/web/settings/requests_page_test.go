package settings_test

import (
	"testing"

	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/webtest"
)

func form() settings.RequestForm {
	f := settings.RequestForm{Least: "2026-11-29", Most: "2027-11-29"}
	for _, g := range site.Groups() {
		f.Groups = append(f.Groups, settings.GroupChoice{ID: string(g), Name: string(g), May: web.May(g)})
	}
	return f
}

func TestEachGroupSaysWhatItMayDo(t *testing.T) {
	t.Parallel()
	seen := map[string]policy.Group{}
	for _, g := range site.Groups() {
		may := web.May(g)
		if other, twice := seen[may]; twice && (g != policy.GroupPayOnly || other != policy.GroupInvoicePayment) {
			t.Errorf("%s may the same as %s: %s", g, other, may)
		}
		seen[may] = g
	}
	if got := web.May(policy.GroupOwner); got != "May use everything but users, connections and the subscription." {
		t.Errorf("an Owner: %s", got)
	}
	if got := web.May(policy.GroupInvoiceOnly); got != "May use customers, vehicles, search, invoices and labour." {
		t.Errorf("Invoice Only: %s", got)
	}
}

func TestThePageOfRequests(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face())
	robin := web.Contact{Name: "Robin Ellery", Phone: "07 5550 0142", Email: "robin@vendor.example", Hours: "Mon to Fri"}
	page := settings.RequestsPage{Site: "Bayside Auto", Path: "/sites/x/settings", Form: form(), Manager: robin}
	s := webtest.Show(t, kit, "requests-empty", page)
	s.Sees("Robin Ellery", "07 5550 0142", "Mechanic", "May use everything but users", "Nothing yet.")

	page.Prove = "/me/prove"
	s = webtest.Show(t, kit, "requests-prove-first", page)
	s.Sees("prove again that it is you")
	s.Hides("Ask for this user")

	page.Kept, page.Form.Email, page.Form.First = true, "nia@pooles.example", "Nia"
	s = webtest.Show(t, kit, "requests-kept", page)
	s.Sees("Nothing is lost", "Ask for this user")
	s.Has(`value="nia@pooles.example"`, `value="Nia"`, `target="_blank"`)

	page.Prove, page.Kept, page.Manager = "", false, web.Contact{}
	page.Form.Doubt, page.Form.NameFault, page.Form.DayFault = "Do you mean this?", "Type their name.", "Choose a day."
	page.Rows = []settings.RequestRow{
		{ID: "1", Who: "Nia Poole", Email: "nia@pooles.example", What: "Mechanic", State: "Invited", Look: "manage", CanWithdraw: true, CanResend: true},
		{ID: "2", Who: "Ada Poole", Email: "ada@pooles.example", What: "Sales", State: "Declined: no", Look: "help"},
	}
	s = webtest.Show(t, kit, "requests-wrong", page)
	s.Sees("Send the link again", "Workshop support", "Declined: no", "Do you mean this?", "It is right as it is")
	s.Has(`name="sure"`, `action="/sites/x/settings/requests/1"`)
}

// What people type is never markup.
func TestHostileNamesInRequestsStayNames(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script>`
	page := settings.RequestsPage{Site: evil, Path: "/sites/x/settings", Fault: evil, Form: form(), Rows: []settings.RequestRow{{Who: evil, Email: evil, State: evil}}}
	page.Form.First, page.Form.Email, page.Form.Doubt = evil, evil, evil
	webtest.Show(t, webtest.New(t, settings.Face()), "requests-hostile", page).Has("&lt;script&gt;")
}
