package settings_test

import (
	"testing"

	"keyturn/internal/web"
	"keyturn/internal/web/me"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/webtest"
)

func TestThePagesOfTheCompanySettingsSayWhatIsSo(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face(), me.Face())
	show := func(name string, page web.Page) webtest.Shown { return webtest.Show(t, kit, name, page) }

	picks := []settings.Pick{{Value: "off", Words: "At every sign-in", On: true}, {Value: "30", Words: "Every 30 days", Off: "Not with Xero"}}
	page := settings.CompanyPage{
		Site: "Bayside Auto", Path: "/sites/s/settings", TwoFA: picks[:1], Remember: picks, Weakest: picks[:1],
		Was: settings.ChoiceForm{TwoFA: "off", Remember: "off", Weakest: "email"},
	}
	free := show("company", page)
	free.Has(`name="twofa"`, `name="was_twofa" value="off"`, `href="/help/enable#company"`)
	free.Sees("Every 30 days", "Not with Xero")

	page.Held, page.Ties, page.Lower, page.LowerFrom = true, []string{"Connected by Pat Chen."}, true, "Mon 7 Dec, 9:00 am"
	held := show("company-held", page)
	held.Sees("On: required for Xero", "Connected by Pat Chen.", "from Mon 7 Dec, 9:00 am on")
	if free.HTML == held.HTML {
		t.Error("what Xero holds looks like what is free")
	}

	named := settings.People{Count: 3, More: 2, Shown: []settings.Foreseen{{Name: "Kim Osei", Group: "Mechanic", First: true, Lacks: []string{"Their email takes no mail."}}}}
	preview := show("preview", settings.PreviewPage{
		Site: "Bayside Auto", Path: "/sites/s/settings", Changes: []string{"2FA becomes on."}, Asked: 9, Total: 12, SelfStuck: true,
		Stuck: named, Newly: named, Still: named, Freed: named, Spared: named, Back: "?twofa=off",
	})
	preview.Sees("You would be stuck yourself.", "9 of 12", "3 of them could not get in.", "Kim Osei", "and 2 more", "Save all the same")

	show("lower", settings.LowerPage{Site: "Bayside Auto", Path: "/sites/s/settings", Can: true, Leaves: "Off", Total: 12}).Sees("End it now", "Off")
	show("lower-later", settings.LowerPage{Site: "Bayside Auto", Path: "/sites/s/settings", From: "Mon 7 Dec", Leaves: "Off"}).Hides("End it now")
	show("lower-nothing", settings.LowerPage{Site: "Bayside Auto", Path: "/sites/s/settings", Nothing: true}).Hides("End it now")
	show("groups", settings.GroupsPage{
		Site: "Bayside Auto", Groups: []settings.GroupCard{{Name: "Sales", Rank: "Under User.", Count: 1, May: []string{"Bookings"}, Not: []string{"Payments"}}},
	}).Sees("Sales", "1 member", "May not: 1 thing", "Payments")
	show("settings-home", settings.HomePage{Site: "Bayside Auto", Entries: []settings.HomeEntry{{Title: "Groups", Path: "/sites/s/settings/groups", Icon: "grid"}}}).Hides("2FA is asked from")
	coming := show("settings-home-date", settings.HomePage{Site: "Bayside Auto", When: "2FA is asked from Tue 8 Dec, 4:00 am, in 9 days.", Ready: 3, Office: 4, Path: "/sites/s/settings/readiness"})
	coming.Sees("2FA is asked from Tue 8 Dec, 4:00 am, in 9 days.", "3 of 4 are sure to get in")
	coming.Has(`href="/sites/s/settings/readiness"`)
}

func TestTheMenuHasTheEntriesThatTheURLMapHas(t *testing.T) {
	t.Parallel()
	got := settings.Paths(func(pattern string) bool {
		return pattern == settings.At+"/groups" || pattern == settings.At+"/sms" || pattern == "/help"
	})
	if len(got) != 2 || got[0] != "/groups" || got[1] != "/sms" {
		t.Errorf("the menu has %q", got)
	}
}
