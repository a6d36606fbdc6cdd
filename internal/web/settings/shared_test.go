package settings_test

import (
	"strings"
	"testing"

	"keyturn/internal/web"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/webtest"
)

func one() settings.OneSharedPage {
	return settings.OneSharedPage{
		Site: "Northside Tyres", Path: "/sites/s/settings/shared", ID: "u", Name: "Front Desk", Login: "front@northside.example", Group: "Sales",
		Evidence: []string{"Two computers were in use."}, MayDismiss: true, Day: "2026-12-13", Least: "2026-12-06", Most: "2027-01-28",
		First: "6 December 2026", Last: "28 January 2027",
		People: []settings.PersonRow{{No: 1, Key: "1", FirstName: "Ana", Groups: []settings.GroupChoice{{Name: "Sales", Chosen: true}, {Name: "Mechanic"}}}},
	}
}

func TestTheListOfSharedLoginsAccusesNobody(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face())
	login := settings.SharedLogin{ID: "u", Name: "Front Desk", Login: "front@northside.example", Group: "Sales", Evidence: []string{"Two computers were in use."}}
	noted := login
	noted.Note = "Retired on 12 December 2026"
	webtest.Show(t, kit, "shared-none", settings.SharedPage{Site: "Northside Tyres", Path: "/sites/s/settings"}).
		Sees("No login at Northside Tyres looks like one that several people use.")
	s := webtest.Show(t, kit, "shared", settings.SharedPage{
		Site: "Northside Tyres", Path: "/sites/s/settings", Open: []settings.SharedLogin{login},
		Planned: []settings.SharedLogin{noted}, Settled: []settings.SharedLogin{noted},
	})
	s.Sees("One to look at", "This login may be used by several people", "Two computers were in use.", "Retired on 12 December 2026", "One person, an Admin said")
	s.Has(`href="/sites/s/settings/shared/u"`)
}

func TestWhatWasTypedStaysUntilItIsRight(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face())
	stale := one()
	stale.Prove, stale.Reason = true, "it is Priya"
	s := webtest.Show(t, kit, "shared-prove", stale)
	s.Sees("First prove again that it is you", "what you typed stays here")
	s.Has(`value="Ana"`, `value="it is Priya"`, `target="_blank" rel="noopener" href="/me/prove?change=other_change&amp;next=%2fsites%2fs%2fsettings%2fshared/proved"`)
	wrong := one()
	wrong.People[0].Fault, wrong.People[0].Field = "That is not an email address.", "email"
	wrong.DayFault, wrong.Fault = "Choose a day from 6 December 2026.", "Something needs another look."
	s = webtest.Show(t, kit, "shared-wrong", wrong)
	s.Sees("That is not an email address.", "Choose a day from 6 December 2026.")
	s.Has(`aria-describedby="email-h1 fault1"`, `aria-describedby="day-h day-fault"`, `value="2026-12-13"`)
	split := one()
	split.Split, split.SplitDay, split.SplitBy, split.SplitOn, split.Held = "x", "12 December 2026", "Chris Papas", "29 November 2026", true
	split.Named = []settings.NamedPerson{{Name: "Ana Silva", Email: "ana@northside.example", Group: "Sales"}}
	webtest.Show(t, kit, "shared-split", split).
		Sees("It becomes several", "12 December 2026, 4 am", "Ana Silva", "Planned by Chris Papas on 29 November 2026.", "is the only Admin here")
	webtest.Show(t, kit, "shared-proved", settings.ProvedPage{Site: "Northside Tyres", Path: "/sites/s/settings"}).
		Sees("You have proved that it is you", "Close this window")
}

func TestHostileValuesOfSharedLoginsStayValues(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face())
	const evil = `"><script>alert(1)</script>`
	page := one()
	page.Name, page.Login, page.Fault, page.Day, page.Reason, page.Evidence = evil, evil, evil, evil, evil, []string{evil}
	page.People[0].Email, page.People[0].Fault, page.People[0].Field = evil, evil, "email"
	for name, page := range map[string]web.Page{
		"one":  page,
		"list": settings.SharedPage{Site: evil, Path: "/x", Open: []settings.SharedLogin{{ID: evil, Name: evil, Login: evil, Evidence: []string{evil}}}},
	} {
		s := webtest.Show(t, kit, "hostile-shared-"+name, page)
		if strings.Contains(s.HTML, "<script>alert") {
			t.Errorf("%s: a value became markup", name)
		}
	}
}
