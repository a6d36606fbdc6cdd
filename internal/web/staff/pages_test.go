package staff_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/internal/web"
	"keyturn/internal/web/staff"
)

func TestThePagesOfTheConsoleShowWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	kit, err := web.New(web.Setup{
		Log: slog.New(slog.DiscardHandler), PublicURL: &url.URL{Scheme: "http", Host: "127.0.0.1:8080"},
		Vendor: web.Vendor{Name: "Keyturn"}, Now: time.Now, Faces: []web.Face{staff.Face()},
	})
	if err != nil {
		t.Fatal(err)
	}
	admin := []staff.AdminLine{{Name: "Pat Lee", Email: "p••@bayside.example", Phone: "•••158"}}
	proposal := staff.ProposalRow{ID: "p1", What: "End Uma", Why: "has left", By: "by Sam", Until: "3 hours left"}
	own := proposal
	own.Own = true
	for name, row := range map[string]struct {
		page   web.Page
		shows  []string
		hidden []string
	}{
		"what waits for me":        {staff.HomePage{Proposals: []staff.ProposalRow{proposal}, Elsewhere: 2}, []string{"End Uma", `value="confirm"`, "2 more are at sites"}, nil},
		"what I proposed":          {staff.HomePage{Proposals: []staff.ProposalRow{own}}, []string{`value="cancel"`}, []string{`value="confirm"`}},
		"no site":                  {staff.SitesPage{}, []string{"No site is given to you yet"}, nil},
		"my sites":                 {staff.SitesPage{Rows: []staff.SiteRow{{ID: "s1", Name: "Bayside", Ref: "b1", Help: 2, Admins: admin, Note: "called", NoteBy: "Sam"}}, Older: "/staff/sites?page=1"}, []string{"Bayside", "2 need help", "•••158", `name="site-s1"`}, nil},
		"a reason that is wrong":   {staff.SitesPage{Open: staff.OpenForm{Ref: "b2", Reason: "hm", Fault: "Say why"}}, []string{`value="b2"`, `value="hm"`, "Say why"}, nil},
		"a site":                   {staff.SitePage{Path: "/staff/sites/s1", Name: "Bayside", Contacts: admin, Recoveries: 1, Members: []staff.MemberRow{{Name: "Kim", Look: "help", Mark: "Needs help", Why: []string{"No mobile number"}}}, Notes: []staff.NoteRow{{Words: "called", By: "Sam", Contact: true}}}, []string{"Kim", "No mobile number", "p••@", "Show the numbers"}, []string{"mailto:"}},
		"who would be stuck":       {staff.SitePage{Rehearsed: "2 people signed in", Stopped: []staff.StoppedRow{{MemberRow: staff.MemberRow{Name: "Wade Lee", Look: "help", Mark: "Needs help"}, At: "today, 9:02 am"}}}, []string{"2 people signed in", "Wade Lee", "Would have been stuck: today, 9:02 am", "Now: Needs help"}, nil},
		"whom to call":             {staff.SitePage{Contacts: []staff.AdminLine{{Name: "Pat", Email: "pat@bayside.example", Phone: "0491 570 158"}}, Called: true}, []string{"mailto:pat@bayside.example", "tel:0491570158"}, []string{"Show the numbers"}},
		"SMS with an old proof":    {staff.SitePage{TopUp: staff.TopUpForm{Parts: "50", Reference: "INV", Fault: "First", Prove: "/me/prove"}}, []string{`value="50"`, `value="INV"`, `href="/me/prove"`}, nil},
		"delivery":                 {staff.DeliveryPage{Rows: []staff.CarrierRow{{Channel: "SMS", Carrier: "twilio", Codes: 4, Share1: 75, IsSMS: true, Parts: 9}}}, []string{"twilio", `width="75"`, "SMS parts"}, nil},
		"an end with an old proof": {staff.PeoplePage{Rows: []staff.PersonRow{{ID: "u1", Name: "Uma"}, {ID: "u2", Name: "Sam", Self: true}}, User: "u1", Reason: "has left", Fault: "First", Prove: "/me/prove"}, []string{`value="has left"`, `href="/me/prove"`, "That is you"}, nil},
		"no rollout":               {staff.RolloutPage{}, []string{"There is no rollout now", `href="/staff/rollout/plan"`}, []string{"Pause it now"}},
		"a draft":                  {staff.RolloutPage{There: true, Draft: true, Name: "2FA", Waves: []staff.WaveRow{{Number: 1, Name: "Pilot", Today: -1}}}, []string{"Pilot", `value="start"`}, []string{`value="pause"`, `value="resume"`, "track-now"}},
		"a running rollout":        {staff.RolloutPage{There: true, Running: true, Waves: []staff.WaveRow{{Number: 2, Name: "Two", CanBack: true, CanMove: true, Today: 500}}, Stuck: []staff.SiteLine{{Name: "Bayside", Path: "/x"}}}, []string{`value="pause"`, `id="reason-2"`, `id="day-2"`, "Bayside", "track-now"}, []string{`value="resume"`, `value="start"`}},
		"what the brake did":       {staff.RolloutPage{There: true, Paused: true, Why: "The brake stopped it", Stops: []string{"on Monday"}, Chart: []staff.ChartDay{{Wave: staff.Bars{Stuck: 9}}}, Numbers: []staff.DayRow{{Day: "7 Dec"}}}, []string{"The brake stopped it", "on Monday", `value="resume"`, `height="9"`}, []string{`value="pause"`}},
		"a roll back proposed":     {staff.RolloutPage{There: true, Running: true, Waves: []staff.WaveRow{{Number: 1, CanBack: true, Proposed: true}}}, []string{"waits for a second person"}, []string{`value="back"`}},
		"a plan with a fault":      {staff.RolloutPlanPage{Fault: "One day", Waves: []staff.WaveForm{{Number: 1, Name: "Pilot", Value: "10", Day: "2026-12-08"}}}, []string{"One day", `value="2026-12-08"`, `name="pick-1"`}, nil},
		"sites of a wave":          {staff.RolloutSitesPage{Title: "Sites", Rows: []staff.RolloutRow{{Name: "Bayside", Unproved: true, Looked: true, Help: 2}}, Next: "/next"}, []string{"Bayside", "No proved Admin", "2 need help", `href="/next"`}, nil},
		"a site of the rollout":    {staff.RolloutSitePage{Name: "Bayside", CanExtend: true, Fault: "First", Prove: "/me/prove", To: "2026-12-08"}, []string{`value="2026-12-08"`, `href="/me/prove"`, `value="extend"`}, nil},
		"a site not given to me":   {staff.RolloutSitePage{Name: "Bayside", Rehearsed: "2 people signed in"}, []string{"2 people signed in"}, []string{"Open the site"}},
		"a site given to me":       {staff.RolloutSitePage{Name: "Bayside", Rehearsed: "2 people signed in", People: "/staff/sites/s1"}, []string{"2 people signed in", `href="/staff/sites/s1"`}, nil},
		"a site that has begun":    {staff.RolloutSitePage{Name: "Bayside"}, []string{`value="close"`}, []string{`value="extend"`}},
		"evidence of my sites":     {staff.EvidencePage{Given: 3, From: "2026-01-02", Fault: "Swap them", Make: "keyturn evidence", Command: "keyturn evidence verify"}, []string{"the 3 sites", `value="2026-01-02"`, "Swap them", "keyturn evidence verify"}, nil},
		"evidence without a site":  {staff.EvidencePage{}, []string{"No site is given to you yet"}, []string{"<form class=\"stack\""}},
		"evidence of many sites":   {staff.EvidencePage{Given: 201, Many: true}, []string{"More than 200 sites"}, []string{"Make the pack"}},
		"no application":           {staff.ClientsPage{}, []string{"There is none yet", `name="redirects"`}, []string{`value="disable"`}},
		"applications":             {staff.ClientsPage{Rows: []staff.ClientRow{{ID: "c1", Name: "Workshop", Secret: true, Addresses: []string{"https://product.example/cb"}}, {ID: "c2", Name: "Old", Disabled: true}}}, []string{"Workshop", "https://product.example/cb", `value="rotate"`}, []string{`value="c2"`}},
		"a secret, this once":      {staff.ClientsPage{Done: "Done: Workshop", ClientID: "c1", Secret: "ktc_abc"}, []string{"ktc_abc", "shown this once"}, nil},
		"an old proof there":       {staff.ClientsPage{Fault: "First", Prove: "/me/prove", Form: staff.ClientForm{Name: "Workshop", Kind: "mobile", Redirects: "com.example.app:/cb"}}, []string{`href="/me/prove"`, `value="Workshop"`, `value="mobile" selected`, "com.example.app:/cb</textarea>"}, nil},
		"a number to call":         {staff.BeginPage{Who: "Kim", Numbers: []staff.Number{{ID: "m1", Shown: "0491 570 156"}, {ID: "m2", Shown: "••• 157", Path: "/staff/recoveries/new?call=m2"}}}, []string{"0491 570 156", "••• 157", `href="/staff/recoveries/new?call=m2"`}, []string{"call=m1"}},
		"what is about oneself":    {staff.HomePage{Proposals: []staff.ProposalRow{{ID: "p1", What: "End Uma", Barred: true}}}, []string{"It is about you"}, []string{`value="cancel"`, `value="confirm"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			if err := kit.Show(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), http.StatusOK, row.page); err != nil {
				t.Fatal(err)
			}
			for _, want := range row.shows {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("the page lacks %q:\n%s", want, w.Body.String())
				}
			}
			for _, not := range row.hidden {
				if strings.Contains(w.Body.String(), not) {
					t.Errorf("the page has %q", not)
				}
			}
		})
	}
}
