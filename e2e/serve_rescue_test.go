package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"keyturn/e2e/e2etest"
)

var (
	readOut  = regexp.MustCompile(`[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}`)
	keyShown = regexp.MustCompile(`[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}`)
	stopLink = regexp.MustCompile(`/stop/[A-Za-z0-9_-]+`)
	userLine = regexp.MustCompile(`name="user" value="([0-9a-f-]{36})"`)
	siteLine = regexp.MustCompile(`name="site" value="([0-9a-f-]{36})"`)
)

// ahead is how far a product's clock goes ahead, as a test set it.
func ahead(t *testing.T, p *e2etest.Product) time.Duration {
	t.Helper()
	if p.Get("KEYTURN_CLOCK_OFFSET") == "" {
		return 0
	}
	d, err := time.ParseDuration(p.Get("KEYTURN_CLOCK_OFFSET"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pass moves the product's clock on, by a restart.
func pass(t *testing.T, p *e2etest.Product, by time.Duration) {
	t.Helper()
	p.Stop(t)
	p.Set("KEYTURN_CLOCK_OFFSET", (ahead(t, p) + by).String())
	p.Start(t)
}

// digits are what an authenticator shows by the product's clock.
func digits(t *testing.T, p *e2etest.Product, key string) string {
	t.Helper()
	shown, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), time.Now().Add(ahead(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

// sets sets up an authenticator in an enrol-only session, and gives its key.
func sets(t *testing.T, p *e2etest.Product, v *e2etest.Visitor) string {
	t.Helper()
	v.Post(t, "/signin/enrol", "method", "totp").Leads(t, "/signin/enrol/totp")
	page := v.Get(t, "/signin/enrol/totp")
	key := keyShown.FindString(page.Body)
	if key == "" {
		t.Fatalf("no key on the page\n%.2000s", page.Body)
	}
	v.Post(t, "/signin/enrol/totp", "code", digits(t, p, key)).Is(t, http.StatusOK)
	v.Get(t, "/me").Leads(t, "/signin")
	return key
}

// words is the password of every member of staff here.
const words = "four plain words together"

// joins makes a member of staff and gives the key of their authenticator.
func joins(t *testing.T, p *e2etest.Product, email string) string {
	t.Helper()
	code := readOut.FindString(p.MustRun(t, "staff", "add", email, "--first-name", "Robin"))
	v := p.Visitor(t)
	v.Post(t, "/staff/enrol", "email", email, "code", "AAA-AAA-AAA", "password", words).Is(t, http.StatusUnprocessableEntity)
	v.Post(t, "/staff/enrol", "email", email, "code", code, "password", words).Leads(t, "/signin/enrol")
	return sets(t, p, v)
}

// console signs a member of staff in, with the authenticator.
func console(t *testing.T, p *e2etest.Product, email, key string) *e2etest.Visitor {
	t.Helper()
	v := p.Visitor(t)
	v.Post(t, "/signin", "email", email, "password", words).Leads(t, "/signin/code")
	v.Post(t, "/signin/code", "code", digits(t, p, key)).Leads(t, "/me")
	v.Get(t, "/staff").Is(t, http.StatusOK)
	return v
}

func TestALoneAdminIsRecoveredByTwoOfTheStaff(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		const robin, jess = "robin@vendor.example", "jess@vendor.example"
		// Pat signs in once, so that a method is proved, and then the mailbox dies.
		p.Visitor(t).SignIn(t, sink, e2etest.Pat, e2etest.Password)
		first := joins(t, p, robin)
		second := joins(t, p, jess)
		pass(t, p, 2*time.Minute)

		v := p.Visitor(t)
		v.Post(t, "/signin", "email", jess, "password", words)
		if in(t, v) {
			t.Error("a second member of staff was in before anybody confirmed it")
		}
		robins := console(t, p, robin, first)
		who := userLine.FindStringSubmatch(robins.Get(t, "/staff").Body)
		if who == nil {
			t.Fatal("the new member waits for nobody")
		}
		robins.Post(t, "/staff/confirm", "user", who[1]).Is(t, http.StatusOK)
		pass(t, p, 2*time.Minute)
		robins = console(t, p, robin, first)
		jesss := console(t, p, jess, second)

		for _, v := range []*e2etest.Visitor{robins, jesss} { // the site is nobody's yet
			opened := v.Post(t, "/staff/open", "ref", e2etest.Connected, "reason", "Pat called, the mailbox is dead")
			opened.Is(t, http.StatusSeeOther)
		}
		page := robins.Get(t, "/staff/recoveries/new?email="+e2etest.Pat)
		user, site := userLine.FindStringSubmatch(page.Body), siteLine.FindStringSubmatch(page.Body)
		begun := robins.Post(t, "/staff/recoveries/new", "user", user[1], "site", site[1], "called", "", "reason", "known voice, invoice number checked")
		path := begun.Header.Get("Location")
		if begun.Status != http.StatusSeeOther {
			begun.Is(t, http.StatusSeeOther)
		}
		robins.Post(t, path, "do", "confirm").Is(t, http.StatusUnprocessableEntity)
		jesss.Post(t, path, "do", "confirm").Leads(t, path)
		jesss.Post(t, path, "do", "read").Is(t, http.StatusUnprocessableEntity) // a day has to pass
		stop := ""
		e2etest.Until(t, "the link that stops it", func() bool {
			for _, l := range sink.Letters(t, e2etest.Pat) {
				if found := stopLink.FindString(l.Text); found != "" {
					stop = found
				}
			}
			return stop != ""
		})
		anybody := p.Visitor(t)
		for range 3 { // a scanner follows links and stops nothing
			anybody.Get(t, stop).Is(t, http.StatusOK)
		}
		anybody.Post(t, stop).Is(t, http.StatusOK)
		pass(t, p, 25*time.Hour)
		robins, jesss = console(t, p, robin, first), console(t, p, jess, second)
		jesss.Post(t, path, "do", "read").Is(t, http.StatusNotFound) // the site was open for 8 hours
		for _, v := range []*e2etest.Visitor{robins, jesss} {
			v.Post(t, "/staff/open", "ref", e2etest.Connected, "reason", "the recovery of Pat goes on").Is(t, http.StatusSeeOther)
		}
		jesss.Post(t, path, "do", "read").Is(t, http.StatusUnprocessableEntity) // contested
		robins.Post(t, path, "do", "goes-on", "papers", "licence seen").Is(t, http.StatusUnprocessableEntity)
		jesss.Post(t, path, "do", "goes-on", "papers", "driver's licence, seen by video").Leads(t, path)
		shown := jesss.Post(t, path, "do", "read")
		shown.Is(t, http.StatusOK)
		code := readOut.FindString(shown.Body)

		pat := p.Visitor(t)
		pat.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password).Leads(t, "/signin/code")
		pat.Post(t, "/signin/help", "code", strings.ToLower(code)).Leads(t, "/signin/enrol")
		if in(t, pat) {
			t.Fatal("the code of a recovery opened a session")
		}
		key := sets(t, p, pat)
		pass(t, p, 2*time.Minute)
		again := p.Visitor(t)
		again.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password).Leads(t, "/signin/code")
		again.Post(t, "/signin/code", "method", "totp", "code", digits(t, p, key)).Leads(t, "/me")
		p.Stop(t)
		if said := p.Run(t, "audit", "verify"); said.Code != 0 {
			t.Errorf("the trail does not verify: %s%s", said.Out, said.Err)
		}
	})
}

var resetLink = regexp.MustCompile(`/reset/[A-Za-z0-9_-]{20,}`)

func TestWhoeverHasTheMailboxAloneGetsNowhere(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		const fresh = "a thief's own four words"
		p.Visitor(t).SignIn(t, sink, e2etest.Pat, e2etest.Password) // email is proved
		thief := p.Visitor(t)
		had := len(sink.Letters(t, e2etest.Pat))
		thief.Post(t, "/reset", "email", e2etest.Pat).Leads(t, "/reset-sent")
		letter := e2etest.NextLetter(t, sink, e2etest.Pat, had)
		link := resetLink.FindString(letter.Text)
		for range 3 {
			thief.Get(t, link).Is(t, http.StatusOK)
		}
		thief.Post(t, link, "password", "password").Is(t, http.StatusUnprocessableEntity)
		thief.Post(t, link, "password", fresh).Is(t, http.StatusOK)
		thief.Post(t, link, "password", fresh+"!").Is(t, http.StatusNotFound)
		page := thief.Post(t, "/signin", "email", e2etest.Pat, "password", fresh)
		page.Leads(t, "/signin/code")
		thief.Get(t, "/signin/code").Is(t, http.StatusForbidden)
		// Every route of its own that the product has, with what the thief knows.
		for _, r := range routesOf(t, p) {
			if strings.HasPrefix(r.Path, "/demo") || r.Path == "/signout" || r.Path == "/signin" {
				continue
			}
			path := r.address(t, thief)
			if r.Method == http.MethodGet {
				thief.Get(t, path)
				continue
			}
			for _, fields := range [][]string{{"method", "email"}, {"method", "totp"}, {"code", "000000"}, {"answer", "approve", "number", "00"}, {"password", fresh, "change", "add_method"}} {
				thief.Post(t, path, fields...)
			}
		}
		if in(t, thief) {
			t.Fatal("the mailbox alone opened a session")
		}
		thief.Post(t, "/signin", "email", e2etest.Pat, "password", fresh)
		thief.Get(t, "/signin/code").Is(t, http.StatusForbidden) // still no way
	})
}

func TestOfASiteThatIsNotGivenStaffFindNobody(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		t.Helper()
		key := joins(t, p, "robin@vendor.example")
		pass(t, p, 2*time.Minute)
		robin := console(t, p, "robin@vendor.example", key)
		for _, name := range []string{e2etest.Pat, "nobody@nowhere.example"} {
			page := robin.Get(t, "/staff/recoveries/new?email="+name)
			page.Is(t, http.StatusNotFound)
			if !strings.Contains(page.Body, "Nobody signs in with that name at a site that is given to you") {
				t.Errorf("%s:\n%s", name, page.Body)
			}
		}
	})
}
