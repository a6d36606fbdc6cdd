package demo_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/demo"
	"keyturn/internal/id"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// seeded is a database with the story in it.
type seeded struct {
	*db.DB
	people []demo.Person
}

func seed(t *testing.T, d *db.DB) seeded {
	t.Helper()
	people, err := demo.Seed(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return seeded{d, people}
}

// decides is what the policy says of a fresh sign-in at one site.
func (s seeded) decides(t *testing.T, login, ref string, client policy.ClientKind) policy.Decision {
	t.Helper()
	who, err := user.ByLogin(t.Context(), s, address.Canonical(login))
	if err != nil {
		t.Fatalf("%s: %v", login, err)
	}
	at, err := site.ByRef(t.Context(), s, ref)
	if err != nil {
		t.Fatalf("%s: %v", ref, err)
	}
	now := s.Clock.Now()
	facts, err := standing.Source{}.Of(t.Context(), s, now, standing.Asker{
		User: who, Sites: []id.Site{at.ID}, Client: policy.Client{Kind: client},
	})
	if err != nil {
		t.Fatal(err)
	}
	return policy.Decide(facts, now)
}

func has(d policy.Decision, key policy.ReasonKey) bool {
	return slices.ContainsFunc(d.Reasons, func(r policy.Reason) bool { return r.Key == key })
}

func TestEverybodyOfTheStoryMeetsWhatTheStorySays(t *testing.T) {
	t.Parallel()
	web, app := policy.ClientWeb, policy.ClientMobile
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		s := seed(t, d)
		for _, c := range []struct {
			name, login, ref string
			client           policy.ClientKind
			want             policy.Outcome
			why              policy.ReasonKey
		}{
			{"the Xero site's Admin", "pat@baysideauto.example", "ws-1001", web, policy.Ask, policy.XeroConnected},
			{"a mechanic who never typed a code", "sam@baysideauto.example", "ws-1001", web, policy.Ask, policy.XeroConnected},
			{"somebody without a mobile", "dale@baysideauto.example", "ws-1001", web, policy.Ask, policy.XeroConnected},
			{"somebody whose mailbox is full", "mick.farrow@mail.example", "ws-1001", web, policy.Ask, policy.XeroConnected},
			{"a mobile member on the web", "luca@baysideauto.example", "ws-1001", web, policy.Refuse, policy.MobileOnWeb},
			{"a mobile member in the app", "luca@baysideauto.example", "ws-1001", app, policy.Allow, policy.MobileExempt},
			{"somebody blocked", "vic@baysideauto.example", "ws-1001", web, policy.Refuse, policy.IsBlocked},
			{"somebody inactive", "grace@baysideauto.example", "ws-1001", web, policy.Refuse, policy.IsInactive},
			{"the bookkeeper where it is enforced", "bev@tallybooks.example", "ws-1001", web, policy.Ask, policy.XeroConnected},
			{"the bookkeeper where a date is to come", "bev@tallybooks.example", "ws-1002", web, policy.Allow, policy.DateToCome},
			{"the bookkeeper where nothing is required", "bev@tallybooks.example", "ws-1003", web, policy.Allow, policy.NothingRequired},
			{"the only Admin before the date", "chris@northsidetyres.example", "ws-1002", web, policy.Nudge, policy.NotReady},
			{"somebody unproved before the date", "front@northsidetyres.example", "ws-1002", web, policy.Nudge, policy.NotReady},
			{"somebody ready before the date", "helen@northsidetyres.example", "ws-1002", web, policy.Allow, policy.DateToCome},
			{"a login name that takes no mail", "user1207@myworkshop.invalid", "ws-1002", web, policy.Nudge, policy.NotReady},
			{"one twin by name", "jordan@hillsidemotors.example", "ws-1003", web, policy.Allow, policy.NothingRequired},
			{"the other twin by name", "jordan@hillsideairport.example", "ws-1004", web, policy.Ask, policy.XeroConnected},
			{"a login name that is a word", "alex", "ws-1005", web, policy.Allow, policy.NothingRequired},
			{"a site that asks everybody", "callum@penninegarage.example", "ws-1006", web, policy.Ask, policy.SiteRequiresEveryone},
			{"a person whose 2FA is on", "walt@lonestarauto.example", "ws-1007", web, policy.Ask, policy.SiteRequiresMember},
			{"a person whose 2FA is off", "hank@lonestarauto.example", "ws-1007", web, policy.Allow, policy.NothingRequired},
			{"an Admin whose mailbox is known dead", "gary@redgumdiesel.example", "ws-1008", web, policy.Enrol, policy.NoMethodCanWork},
			{"a site that has no Admin", "office@coastlinepanel.example", "ws-1009", web, policy.Allow, policy.NothingRequired},
			{"one of two Admins, ready", "aroha@kauriauto.example", "ws-1010", web, policy.Allow, policy.DateToCome},
			{"a site without a date", "fiona@thistlemotors.example", "ws-1011", web, policy.Allow, policy.NothingRequired},
			{"a site that was connected", "dana@cascadegarage.example", "ws-1012", web, policy.Ask, policy.XeroWasConnected},
			{"a site that is connected tonight", "beau@kingfisher4wd.example", "ws-1013", web, policy.Nudge, policy.NotReady},
		} {
			got := s.decides(t, c.login, c.ref, c.client)
			if got.Outcome != c.want || !has(got, c.why) {
				t.Errorf("%s: %v because of %+v", c.name, got.Outcome, got.Reasons)
			}
			if got.Outcome == policy.Ask && got.Default != policy.Email {
				t.Errorf("%s: the code goes by %q", c.name, got.Default)
			}
		}
		s.afterTheDate(t)
	})
}

// afterTheDate moves the clock past the dates of the story.
func (s seeded) afterTheDate(t *testing.T) {
	t.Helper()
	s.Clock.Advance(13 * 24 * time.Hour)
	for _, c := range []struct {
		name, login, ref string
		want             policy.Outcome
	}{
		{"the site's date has come", "front@northsidetyres.example", "ws-1002", policy.Ask},
		{"the bookkeeper there, too", "bev@tallybooks.example", "ws-1002", policy.Ask},
		{"no mail can be sent to the login name", "user1207@myworkshop.invalid", "ws-1002", policy.Enrol},
		{"the night is over", "beau@kingfisher4wd.example", "ws-1013", policy.Ask},
		{"there was no date", "fiona@thistlemotors.example", "ws-1011", policy.Allow},
	} {
		if got := s.decides(t, c.login, c.ref, policy.ClientWeb); got.Outcome != c.want {
			t.Errorf("13 days on, %s: %v because of %+v", c.name, got.Outcome, got.Reasons)
		}
	}
}

func TestBaysideWasConnectedByPatOnTheLast12March(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		got := seed(t, d).decides(t, "pat@baysideauto.example", "ws-1001", policy.ClientWeb)
		for _, r := range got.Reasons {
			if r.Key != policy.XeroConnected {
				continue
			}
			brisbane, err := time.LoadLocation("Australia/Brisbane")
			if err != nil {
				t.Fatal(err)
			}
			since := r.Since.In(brisbane)
			if since.Month() != time.March || since.Day() != 12 || r.By != "Pat Chen" || !since.Before(d.Clock.Now()) {
				t.Errorf("the reason is %+v", r)
			}
			return
		}
		t.Errorf("no such reason in %+v", got.Reasons)
	})
}

func TestSeedingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		first := seed(t, d)
		before := first.counts(t)
		again := seed(t, d)
		if !slices.Equal(first.people, again.people) || again.counts(t) != before {
			t.Errorf("before %s, after %s", before, again.counts(t))
		}
	})
}

func (s seeded) counts(t *testing.T) string {
	t.Helper()
	var all []string
	for _, table := range []string{"sites", "users", "memberships", "methods", "integrations", "plans", "audit_events"} {
		n, err := db.One(t.Context(), s, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %d", table, n))
	}
	return strings.Join(all, ", ")
}

func TestEverythingThatIsSeededIsInTheAuditTrail(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		s := seed(t, d)
		kinds, err := db.Many(t.Context(), s, func(r db.Row) (string, error) {
			var kind string
			var n int
			err := r.Scan(&kind, &n)
			return fmt.Sprintf("%s %d", kind, n), err
		}, `SELECT kind, COUNT(*) FROM audit_events GROUP BY kind ORDER BY kind`)
		if err != nil {
			t.Fatal(err)
		}
		users := map[string]bool{}
		for _, p := range s.people {
			users[p.Email] = true
		}
		want := []string{
			fmt.Sprintf("membership.imported %d", len(s.people)), "site.added 13",
			fmt.Sprintf("user.imported %d", len(users)), "xero.connected 8", "xero.disconnected 1",
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("got %v, want %v", kinds, want)
		}
	})
}

func TestTheOnePasswordIsEverybodys(t *testing.T) {
	t.Parallel()
	s := seed(t, dbtest.Open(t, dbtest.Fresh(t, db.SQLite)))
	encoded := ""
	for _, p := range s.people {
		who, err := user.ByLogin(t.Context(), s, address.Canonical(p.Email))
		if err != nil {
			t.Fatal(err)
		}
		if encoded == "" && !who.Password.Matches(demo.Password) {
			t.Error("the password does not match")
		}
		if encoded != "" && who.Password.Encoded() != encoded {
			t.Errorf("%s has a hash of their own", p.Email)
		}
		encoded = who.Password.Encoded()
	}
	if len(demo.Password) < 15 {
		t.Error("the password is shorter than the product suggests")
	}
}

func TestThePeopleAreInventedAndTheirNamesAreTwice(t *testing.T) {
	t.Parallel()
	people := demo.People()
	if len(people) < 45 || people[0].Email != "pat@baysideauto.example" || people[0].Group != "Admin" || !strings.Contains(people[0].Note, "Xero site's Admin") {
		t.Fatalf("%d people, the first is %+v", len(people), people[0])
	}
	invented := regexp.MustCompile(`^(alex|user1207@myworkshop\.invalid|[a-z0-9.]+@[a-z0-9]+\.example)$`)
	numbers := regexp.MustCompile(`^(|\+6149157\d{4}|\+447400100\d{3}|\+1\d{3}55501\d\d|\+6421555\d{4})$`)
	sites := map[string]bool{}
	named, numbered := map[string][]string{}, map[string]string{}
	for _, p := range people {
		sites[p.Site] = true
		if !invented.MatchString(p.Email) || !numbers.MatchString(p.Mobile) {
			t.Errorf("%s, %s are not of the invented ones", p.Email, p.Mobile)
		}
		if other := numbered[p.Mobile]; p.Mobile != "" && other != "" && other != p.Email {
			t.Errorf("%s and %s have one number", p.Email, other)
		}
		numbered[p.Mobile] = p.Email
		if p.Mobile != "" {
			if same, err := phone.Mobile(p.Mobile, "AU", []string{"AU", "NZ", "GB", "US"}); err != nil || same != p.Mobile {
				t.Errorf("%s has the number %s: %v", p.Email, p.Mobile, err)
			}
		}
		if !slices.Contains(named[p.Name], p.Email) {
			named[p.Name] = append(named[p.Name], p.Email)
		}
	}
	if len(sites) < 12 {
		t.Errorf("%d sites", len(sites))
	}
	for _, twin := range []string{"Jordan Blake", "Alex Nguyen"} {
		if len(named[twin]) != 2 {
			t.Errorf("%s is %v", twin, named[twin])
		}
	}
}

func TestThePeopleAreToldToScripts(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(demo.People()[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"email":"pat@baysideauto.example","mobile":"+61491570158","site":"Bayside Auto","site_ref":"ws-1001",` +
		`"name":"Pat Chen","group":"Admin","kind":"office","status":"active","note":"The Xero site's Admin. Signs in with a code by email."}`
	if string(raw) != want {
		t.Errorf("got %s", raw)
	}
}
