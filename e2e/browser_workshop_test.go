package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// customer is a person at the example's pages, who signs in at the demo's.
type customer struct {
	visitor

	email string
}

// shop opens a fresh browser before the example of a product.
func shop(t *testing.T, demo *e2etest.Demo, email string) customer {
	t.Helper()
	return customer{visitor{e2etest.NewPage(t, demo.Example), t, demo}, email}
}

// home says whether the browser is at the example, and not at Keyturn.
func (c customer) home() bool {
	c.t.Helper()
	return e2etest.Ask[string](c.Page, `location.origin`) == c.demo.Example
}

// in signs in at the example: whatever is asked on the way is given.
func (c customer) in() {
	c.t.Helper()
	had := len(c.demo.Messages(c.t, c.email))
	c.Open("/signin?next=/")
	c.passes(had)
	c.Sees("Signed in as")
}

// passes gives what Keyturn asks for until the browser is back. had is how many messages
// there were before.
func (c customer) passes(had int) {
	c.t.Helper()
	for range 8 {
		if c.home() {
			return
		}
		switch path, _, _ := strings.Cut(c.Path(), "?"); path {
		case "/signin":
			c.Fill("email", c.email)
			c.Fill("password", c.demo.Password)
			c.Press("Sign in")
		case "/signin/code":
			c.Fill("code", c.demo.NextCode(c.t, c.email, had))
			c.Press("Sign in")
		case "/signin/more":
			c.Press("Send me the code")
		case "/signin/site":
			c.Press("Hillside Motors")
		case "/oauth/continue":
			if strings.Contains(c.Text(), "asks for it") {
				c.Press("Continue")
			}
		default:
			c.t.Fatalf("what now, at %s: %s", c.Path(), c.Text())
		}
		c.Quiet()
	}
}

// pages are those of the example, with what a form of each carries.
var workshopPages = map[string][]string{
	"/customers": {"Name", "Nina Ash", "Phone", "0491 570 110"},
	"/vehicles":  {"Plate", "101 ABC", "Model", "Ute", "Owner", "Nina Ash"},
	"/jobs":      {"Plate", "101 ABC", "Work", "Clutch"},
	"/invoices":  {"Customer", "Nina Ash", "Work", "Clutch", "Amount", "950"},
	"/payments":  {"Invoice", "1", "Amount", "950"},
	"/events":    nil,
	"/refunds":   {"Payment", "99"},
}

// Each group of the access table sees its own pages, and neither an address nor a form of
// others opens them.
func TestEachGroupSeesOfTheExampleWhatItMay(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartShop(t)
	all := []string{"/customers", "/vehicles", "/jobs", "/invoices", "/payments", "/events", "/refunds"}
	money := []string{"/customers", "/vehicles", "/invoices", "/payments", "/refunds"}
	for _, row := range []struct {
		group, email string
		opens        []string
		// reads are those of them that the group may only read.
		reads []string
	}{
		{"Admin", jordan, all, []string{"/events"}},
		{"Owner", "office@coastlinepanel.example", all, []string{"/events"}},
		{"Manager", "tess@redgumdiesel.example", all, []string{"/events"}},
		{"User", "yasmin@coastlinepanel.example", []string{"/customers", "/vehicles", "/jobs", "/invoices", "/payments", "/refunds"}, nil},
		{"Invoice & Payment Only", "carla@lonestarauto.example", money, nil},
		{"Pay Only", bev, money, nil},
		{"Invoice Only", "accounts@harbourmech.example", []string{"/customers", "/vehicles", "/invoices"}, nil},
		{"Mechanic", sam, []string{"/customers", "/vehicles", "/jobs", "/invoices", "/payments", "/refunds"}, nil},
		{"Sales", erin, []string{"/customers", "/vehicles", "/jobs", "/invoices"}, []string{"/invoices"}},
	} {
		c := shop(t, demo, row.email)
		c.in()
		if row.email == bev {
			c.Send("/site", "site", e2etest.Ask[string](c.Page, `[...document.querySelectorAll("option")].find(o => o.textContent === "Hillside Motors").value`))
		}
		c.Sees(row.group)
		links := e2etest.Ask[[]string](c.Page, `[...document.querySelectorAll("nav a")].map(a => a.getAttribute("href"))`)
		if want := slices.Sorted(slices.Values(row.opens)); !slices.Equal(slices.Sorted(slices.Values(links)), want) {
			t.Errorf("%s is led to %v, not %v", row.group, links, want)
		}
		for path, form := range workshopPages {
			if path == "/refunds" && slices.Contains(row.opens, path) {
				continue // that one asks for a proof
			}
			want, sent := http.StatusForbidden, http.StatusForbidden
			if slices.Contains(row.opens, path) {
				want, sent = http.StatusOK, http.StatusOK
			}
			if slices.Contains(row.reads, path) {
				sent = http.StatusForbidden
			}
			if form == nil {
				sent = http.StatusMethodNotAllowed
			}
			if got := c.Open(path); got != want {
				t.Errorf("%s opens %s: %d, not %d", row.group, path, got, want)
			}
			if form := c.Count("form.add") > 0; form != (sent == http.StatusOK) {
				t.Errorf("%s at %s: there is a form: %t", row.group, path, form)
			}
			if got := c.Send(path, form...); got != sent {
				t.Errorf("%s sends a form to %s: %d, not %d", row.group, path, got, sent)
			}
		}
	}
}

// A product asks for more where it matters, notes who did what, and shows what Keyturn has
// to say to a member.
func TestTheExampleAsksForAProofBeforeARefundAndNotesWhoDidIt(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartShop(t)
	c := shop(t, demo, jordan)
	c.NeedAxe()
	c.Open("/")
	c.Judge("workshop-out")
	c.in()
	c.Judge("workshop-home")
	c.Open("/payments")
	c.Fill("Invoice", "1")
	c.Fill("Amount", "418.50")
	c.Press("Take the payment")
	c.Sees("$418.50", "Jordan Blake")
	c.Fill("Invoice", "7")
	c.Fill("Amount", "1")
	if status := c.Press("Take the payment"); status != http.StatusUnprocessableEntity {
		t.Errorf("for an invoice that is not: %d", status)
	}
	c.Judge("workshop-wrong")
	// Jordan's site asks for the password alone; a refund asks for two factors.
	had := len(demo.Messages(t, jordan))
	c.Open("/refunds")
	if c.home() {
		t.Fatalf("no proof was asked for: %s", c.Text())
	}
	c.passes(had)
	c.At("/refunds")
	c.Fill("Payment", "1")
	c.Press("Refund it")
	c.Sees("$418.50 Jordan Blake Jordan Blake")
	c.Open("/events")
	c.Sees("refunded $418.50 of payment 1", "Jordan Blake ("+jordan+")")
	c.Judge("workshop-events")

	// Another workshop has none of it.
	other := shop(t, demo, "alex@hillsideairport.example")
	other.in()
	other.Open("/payments")
	if text := other.Text(); strings.Contains(text, "418.50") || strings.Contains(text, "Jordan") {
		t.Errorf("another workshop reads: %s", text)
	}
	other.Open("/events")
	other.Sees("Not for your group", "Mechanic")
	other.NeedAxe()
	other.Judge("workshop-denied")

	// Somebody whose site has a date is told of it on the product's own pages.
	told := shop(t, demo, tom)
	told.NeedAxe()
	told.in()
	if told.Count("aside.keyturn-banner") != 1 {
		t.Errorf("no banner: %s", told.Text())
	}
	told.Judge("workshop-banner")
}

// What Keyturn ends is over at the product: at once when it asks, and by the back channel.
func TestWhatEndsAtKeyturnEndsAtTheExample(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartShop(t)
	// Signing out at Keyturn is told by the back channel, and the example asks nobody.
	kims := shop(t, demo, kim)
	kims.in()
	kims.OpenAt(demo.URL + "/me")
	kims.Press("Sign out")
	e2etest.Until(t, "the back channel", func() bool { return strings.Contains(demo.Log(), `msg="Keyturn ended a session" here=1`) })

	c := shop(t, demo, "alex@hillsidemotors.example")
	c.in()
	c.Open("/customers")
	c.Sees("Customers")
	// The site connects to Xero: whoever is in has to prove more before the next page.
	connect(t, demo, free)
	e2etest.Until(t, "the example to ask for more", func() bool { c.Open("/customers"); return !c.home() })
	c.passes(len(demo.Messages(t, c.email)))
	c.Sees("Customers")

	// Somebody else of the shop is blocked.
	sams, pats := shop(t, demo, sam), visit(t, demo)
	sams.in()
	pats.signIn(pat)
	site := pats.settings()
	pats.setUp(site, "Sam Okafor")
	block := func() int {
		_ = e2etest.Ask[string](pats.Page, `document.querySelector("[name=status]").value = "blocked"`)
		return pats.Press("Save")
	}
	if block() == http.StatusForbidden {
		pats.provesBySMS()
		pats.setUp(site, "Sam Okafor")
		block()
	}
	e2etest.Until(t, "the example to let Sam in no more", func() bool { sams.Open("/jobs"); return !sams.home() })

	// And signing out at the product ends Keyturn's session.
	c.Open("/")
	c.Press("Sign out")
	c.Quiet()
	if !c.home() || !strings.Contains(c.Text(), "Sign in") {
		t.Errorf("signed out, at %s: %s", c.Path(), c.Text())
	}
	c.Open("/signin?next=/")
	if c.home() || c.Count("#password") != 1 {
		t.Errorf("Keyturn's session goes on: %s", c.Text())
	}
}
