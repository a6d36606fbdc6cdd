package settings_test

import (
	"strings"
	"testing"

	"keyturn/internal/web"
	"keyturn/internal/web/me"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/webtest"
)

func TestThePagesOfXeroSayWhatIsSo(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face(), me.Face())
	show := func(name string, page web.Page) webtest.Shown { return webtest.Show(t, kit, name, page) }
	const evil = `"><script>alert(1)</script>`

	free := settings.XeroPage{Site: "Bayside Auto", Path: "/sites/s/settings", SetUp: true, Asks: "Not asked"}
	show("xero-free", free).Sees("Bayside Auto is not connected to Xero.", "Connect to Xero")
	free.SetUp = false
	show("xero-not-set-up", free).Sees("is not set up here yet")
	show("xero-not-set-up", free).Hides("Connect to Xero")

	live := settings.XeroPage{
		Site: "Bayside Auto", Path: "/sites/s/settings", SetUp: true, Live: true, State: "Connected", Organisation: evil,
		Since: "Thu 12 Mar, by Pat Chen", Heard: "today", Asks: "Asked of everybody",
	}
	well := show("xero-live", live)
	well.Sees("Connected", "by Pat Chen", "Disconnect")
	well.Hides("Connect again")
	if strings.Contains(well.HTML, "<script>alert") {
		t.Error("an organisation's name became a script")
	}
	live.ToCome = true
	show("xero-tonight", live).Has("<dt>From</dt>")
	live.ToCome, live.Dead = false, true
	show("xero-dead", live).Sees("Xero does not let us in any more.", "Connect again", "Disconnect")
	live.Dead, live.Down = false, true
	show("xero-down", live).Sees("We cannot reach Xero.", "You need do nothing")
	live.Down, live.Reported = false, true
	show("xero-reported", live).Sees("was made in the vendor's product")
	show("xero-reported", live).Hides("Disconnect")
	show("xero-was", settings.XeroPage{
		Site: "Bayside Auto", Path: "/sites/s/settings", SetUp: true, Was: true, Stays: true, State: "Not connected any more", Until: "today", Asks: "Still asked",
	}).Sees("Still asked", "When that may end", "Connect to Xero")

	named := settings.People{Count: 3, More: 2, Shown: []settings.Foreseen{{Name: "Kim Osei", Group: "Mechanic", Lacks: []string{"Their email takes no mail."}}}}
	when := []settings.Pick{{Value: "now", Words: "Now", Hint: "at once"}, {Value: "tonight", Words: "Tonight", Hint: "from 4 am", On: true}}
	show("xero-ask", settings.XeroAskPage{
		Site: "Bayside Auto", Path: "/sites/s/settings", When: when, Asked: 9, Total: 12, SelfStuck: true, Stuck: named, Newly: named, Date: "Tue 8 Dec",
	}).Sees("You would be stuck yourself.", "9 of 12", "Kim Osei", "Go on all the same", "Tonight", "Tue 8 Dec")
	show("xero-ask-on", settings.XeroAskPage{Site: "Bayside Auto", Path: "/sites/s/settings", On: true, When: when, Stuck: named}).Hides("Kim Osei")
	show("xero-ask-again", settings.XeroAskPage{Site: "Bayside Auto", Path: "/sites/s/settings", Again: true, Organisation: "Bayside Pty"}).Sees("Nothing changes", "Bayside Pty")
	show("xero-go", settings.XeroGoPage{Site: "Bayside Auto", Path: "/sites/s/settings", To: "https://login.xero.com/identity/connect/authorize?a=b"}).
		Has(`href="https://login.xero.com/identity/connect/authorize?a=b"`)
	show("xero-back", settings.XeroBackPage{Site: "Bayside Auto", Path: "/sites/s/settings", State: "st", Code: evil}).Has(`name="state" value="st"`)
	show("xero-over", settings.XeroBackPage{Site: "Bayside Auto", Path: "/sites/s/settings", Fault: "Begin again."}).Sees("Nothing was connected", "Try again")
	show("xero-choose", settings.XeroChoosePage{
		Site: "Bayside Auto", Path: "/sites/s/settings", Asking: "a", Organisations: []settings.Pick{{Value: "c", Words: "Bayside Pty"}, {Words: "Other", Off: "Connected to another site here"}},
	}).Sees("Bayside Pty", "Connected to another site here")
	show("xero-choose-none", settings.XeroChoosePage{
		Site: "Bayside Auto", Path: "/sites/s/settings", None: true, Organisations: []settings.Pick{{Words: "Other", Off: "Connected to another site here"}},
	}).Hides("Which one")
	show("xero-end", settings.XeroEndPage{Site: "Bayside Auto", Path: "/sites/s/settings", Organisation: "Bayside Pty", From: "Sun 6 Dec"}).
		Sees("2FA stays on", "Sun 6 Dec")
}
