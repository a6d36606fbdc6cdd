package e2e_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"keyturn/e2e/e2etest"
)

const (
	max1   = "max@bayside.example"       // the second Admin, who is fired
	max2   = "max.moana@bayside.example" // the login name that they gave themselves
	maxToo = "moana@tyres.example"       // another login of theirs, at the other site
	nameMx = "max@tyres.example"         // somebody of the same name there
	kims   = "kim@bayside.example"
	robin1 = "robin@vendor.example"
)

// aroundMax are the people of a site with a second Admin, and of its twin.
func aroundMax() []e2etest.Row {
	return []e2etest.Row{
		{Ref: "U1", First: "Pat", Last: "Ng", Email: e2etest.Pat},
		{Ref: "U2", First: "Sam", Last: "Okafor", Email: e2etest.Sam, Group: "Mechanic"},
		{Ref: "U3", First: "Kim", Last: "Rossi", Email: kims, Group: "User"},
		{Ref: "U4", First: "Max", Last: "Moana", Email: max1},
		{Site: e2etest.Twin, Ref: "U1", First: "Pat", Last: "Ng", Email: e2etest.TwinPat},
		{Site: e2etest.Twin, Ref: "U3", First: "Kim", Last: "Rossi", Email: "kim@tyres.example", Group: "User"},
		{Site: e2etest.Twin, Ref: "U4", First: "Max", Last: "Moana", Email: nameMx},
		{Site: e2etest.Twin, Ref: "U5", First: "Max", Last: "Moana", Email: maxToo, Group: "Sales"},
	}
}

var (
	settingsLink = regexp.MustCompile(`/sites/[0-9a-f-]{36}/settings`)
	requestLink  = regexp.MustCompile(`/staff/requests/[0-9a-f-]{36}/[0-9a-f-]{36}`)
	askField     = regexp.MustCompile(`name="ask" value="([0-9a-f-]{36})"`)
	seenField    = regexp.MustCompile(`name="seen" value="([^"]*)"`)
	shownNumber  = regexp.MustCompile(`<b>(\d{2})</b>`)
	paperCode    = regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`)
)

// field is what a page has in one place; the test ends without it.
func field(t *testing.T, page e2etest.Answer, where *regexp.Regexp) string {
	t.Helper()
	found := where.FindStringSubmatch(page.Body)
	if found == nil {
		t.Fatalf("the page (%d) has no %s\n%.3000s", page.Status, where, page.Body)
	}
	return html.UnescapeString(found[len(found)-1])
}

// cardOf is the address of somebody's form in User Setup.
func cardOf(t *testing.T, v *e2etest.Visitor, home, find string) string {
	t.Helper()
	return home + field(t, v.Get(t, home+"/users?find="+find), memberLink)
}

// linkIn waits for a link in a mail to somebody.
func linkIn(t *testing.T, sink *e2etest.Sink, to string, link *regexp.Regexp) (found string) {
	t.Helper()
	e2etest.Until(t, "a link to "+to, func() bool {
		for _, l := range sink.Letters(t, to) {
			if at := link.FindString(l.Text); at != "" {
				found = at
			}
		}
		return found != ""
	})
	return found
}

// later are the next digits of an authenticator: right now, and not used yet.
func later(t *testing.T, p *e2etest.Product, key string) string {
	t.Helper()
	shown, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), time.Now().Add(ahead(t, p)+30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

// holdings is everything that Max holds, each thing ready to be used.
type holdings struct {
	p    *e2etest.Product
	sink *e2etest.Sink
	home string // the settings of the site

	key   string   // of the authenticator
	paper []string // recovery codes

	one, two   *e2etest.Visitor // browsers with a session; the first is remembered and just proved who it is
	kimsCard   string
	wasKim     string // what Kim's form, which is open in the first, was filled with
	kimsUser   string
	coded      *e2etest.Visitor // sign-ins half-way: one with its code, two for other ways
	code       string
	ways       [2]*e2etest.Visitor
	kim, sam   *e2etest.Visitor // others at the door: Kim waits for a code, Sam was let in to enrol
	kimsCode   string
	helpCode   string
	undo       string
	reset      string
	invitation string
	request    string // another, which the account manager has not decided
	staff      *e2etest.Visitor
	join       *e2etest.Visitor // the first browser again, on the way to join another login
	joinCode   string
}

// begins is Max's first day: a login name, an authenticator and recovery codes of their own.
func begins(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) *holdings {
	t.Helper()
	h := &holdings{p: p, sink: sink}
	v := p.Visitor(t)
	v.SignIn(t, sink, max1, e2etest.Password)
	h.home = settingsLink.FindString(v.Get(t, "/me").Body)
	v.Post(t, h.home+"/company", "twofa", "off", "remember", "daily", "weakest", "email",
		"was_twofa", "off", "was_remember", "off", "was_weakest", "email").Leads(t, h.home+"/company?done=saved")
	v.Post(t, "/me/security/email", "email", max2).Leads(t, "/me/security/email/code")
	v.Post(t, "/me/security/email/code", "code", e2etest.NextLetter(t, sink, max2, 0).Code(t)).Leads(t, "/me/security?done=changed")
	h.undo = linkIn(t, sink, max1, undoLink)
	v.Get(t, h.undo).Is(t, http.StatusOK, `action="`+h.undo)
	h.paper = paperCode.FindAllString(v.Post(t, "/me/security/codes").Body, -1)
	if len(h.paper) != 10 {
		t.Fatalf("%d recovery codes", len(h.paper))
	}
	v.Post(t, "/me/security/add", "method", "totp").Leads(t, "/me/security/add/totp")
	h.key = field(t, v.Get(t, "/me/security/add/totp"), keyShown)
	v.Post(t, "/me/security/add/totp", "code", digits(t, p, h.key)).Leads(t, "/me/security?done=added")
	return h
}

// gathers gives Max everything that a person can hold. Staff have the key given.
func (h *holdings) gathers(t *testing.T, staffKey string) {
	t.Helper()
	p, sink := h.p, h.sink
	h.one, h.two = p.Visitor(t), p.Visitor(t)
	door := func(v *e2etest.Visitor) {
		v.Post(t, "/signin", "email", max2, "password", e2etest.Password).Leads(t, "/signin/code")
	}
	door(h.one)
	h.one.Post(t, "/signin/code", "method", "totp", "code", digits(t, p, h.key), "remember", "yes").Leads(t, "/me")
	if h.one.Cookie(t, "keyturn_device") == "" {
		t.Fatal("the device is not remembered")
	}
	door(h.two)
	h.two.Post(t, "/signin/code", "method", "recovery", "code", h.paper[0]).Leads(t, "/me")

	h.asks(t, staffKey)
	h.helps(t)

	h.coded = p.Visitor(t)
	door(h.coded)
	had := len(sink.Letters(t, max2))
	h.coded.Post(t, "/signin/method", "method", "email").Leads(t, "/signin/code")
	h.code = e2etest.NextLetter(t, sink, max2, had).Code(t)
	for i := range h.ways {
		h.ways[i] = p.Visitor(t)
		door(h.ways[i])
	}
	p.Visitor(t).Post(t, "/reset", "email", max2).Leads(t, "/reset-sent")
	h.reset = linkIn(t, sink, max2, resetLink)

	had = len(sink.Letters(t, maxToo))
	h.one.Post(t, "/me/security/join", "email", maxToo, "password", e2etest.Password).Leads(t, "/signin/code")
	h.joinCode = e2etest.NextLetter(t, sink, maxToo, had).Code(t)
	h.join = p.Visitor(t)
	h.join.Network = h.one.Network
	for _, name := range []string{e2etest.SessionCookie, e2etest.AttemptCookie, e2etest.BrowserCookie} {
		h.join.Plant(t, name, h.one.Cookie(t, name))
	}
}

// asks has Max ask for two people. The account manager approves one of them.
func (h *holdings) asks(t *testing.T, staffKey string) {
	t.Helper()
	h.staff = console(t, h.p, robin1, staffKey)
	h.staff.Post(t, "/staff/open", "ref", e2etest.Connected, "reason", "requests of Bayside Auto").Is(t, http.StatusSeeOther)
	for _, first := range []string{"nia", "tia"} {
		h.one.Post(t, h.home+"/requests", "first", first, "last", "Newby", "email", first+"@bayside.example",
			"group", "Mechanic", "kind", "office").Leads(t, h.home+"/requests?done=asked")
	}
	for _, at := range requestLink.FindAllString(h.staff.Get(t, "/staff/requests").Body, -1) {
		if page := h.staff.Get(t, at); strings.Contains(page.Body, "nia@bayside.example") {
			h.staff.Post(t, at, "seen", field(t, page, seenField), "do", "approve").Leads(t, "/staff/requests?done=approved")
		} else {
			h.request = at
		}
	}
	h.invitation = linkIn(t, h.sink, "nia@bayside.example", inviteLink)
	h.one.Get(t, h.invitation).Is(t, http.StatusOK)
}

// helps has Max open Kim's form, give Kim a help code and let Sam in.
func (h *holdings) helps(t *testing.T) {
	t.Helper()
	h.kimsCard = cardOf(t, h.one, h.home, "kim")
	h.kimsUser = h.kimsCard[strings.LastIndex(h.kimsCard, "/")+1:]
	h.wasKim = field(t, h.one.Get(t, h.kimsCard), wasField)
	h.kim, h.sam = h.p.Visitor(t), h.p.Visitor(t)
	h.kimsCode = h.kim.Password(t, h.sink, kims, e2etest.Password)
	given := h.one.Post(t, h.home+"/help-codes", "user", h.kimsUser)
	given.Is(t, http.StatusOK)
	h.helpCode = readOut.FindString(given.Body)

	h.sam.Password(t, h.sink, e2etest.Sam, e2etest.Password)
	h.sam.Post(t, "/signin/ask").Leads(t, "/signin/ask")
	number := field(t, h.sam.Get(t, "/signin/ask"), shownNumber)
	ask := field(t, h.one.Get(t, h.home+"/approvals"), askField)
	h.one.Post(t, h.home+"/approvals", "ask", ask, "number", number, "answer", "approve").Is(t, http.StatusOK)
	h.sam.Get(t, "/signin/enrol").Is(t, http.StatusOK)
}

// opens says of a visitor whether a code was taken from them.
func opens(t *testing.T, v *e2etest.Visitor, fields ...string) bool {
	t.Helper()
	page := v.Post(t, "/signin/code", fields...)
	return page.Header.Get("Location") == "/me" || in(t, v)
}

// try is one thing that Max holds, and whether it still opens something.
type try struct {
	what  string
	works func(t *testing.T) bool
}

// tries are all of them, each of which uses what it tries up.
func (h *holdings) tries() []try {
	const fresh = "a leaver's own four words"
	gone := func(page e2etest.Answer) bool { return page.Status != http.StatusOK }
	shut := func(page e2etest.Answer) bool {
		return page.Status == http.StatusNotFound || strings.HasPrefix(page.Header.Get("Location"), "/signin?next=")
	}
	return []try{
		{"the session", func(t *testing.T) bool { return in(t, h.one) }},
		{"the session in another browser", func(t *testing.T) bool { return in(t, h.two) }},
		{"the proof that they gave a moment ago: a help code for Kim", func(t *testing.T) bool {
			return !shut(h.one.Post(t, h.home+"/help-codes", "user", h.kimsUser))
		}},
		{"the settings", func(t *testing.T) bool { return !shut(h.one.Get(t, h.home+"/users")) }},
		{"the form of Kim that they had open", func(t *testing.T) bool {
			return !shut(h.one.Post(t, h.kimsCard, "was", h.wasKim, "sure", "", "mobile", "0491 570 156"))
		}},
		{"the way to join another login", func(t *testing.T) bool {
			return h.join.Post(t, "/signin/code", "code", h.joinCode).Header.Get("Location") != "/signin?ended=1" || in(t, h.join)
		}},
		{"the remembered device", func(t *testing.T) bool {
			return h.one.Post(t, "/signin", "email", max2, "password", e2etest.Password).Status == http.StatusSeeOther || in(t, h.one)
		}},
		{"the sign-in half-way and its code", func(t *testing.T) bool { return opens(t, h.coded, "code", h.code) }},
		{"the authenticator", func(t *testing.T) bool {
			return opens(t, h.ways[0], "method", "totp", "code", later(t, h.p, h.key))
		}},
		{"a recovery code", func(t *testing.T) bool { return opens(t, h.ways[1], "method", "recovery", "code", h.paper[1]) }},
		{"the password", func(t *testing.T) bool {
			return h.p.Visitor(t).Post(t, "/signin", "email", max2, "password", e2etest.Password).Status == http.StatusSeeOther
		}},
		{"the link for a new password", func(t *testing.T) bool {
			v := h.p.Visitor(t)
			return !gone(v.Get(t, h.reset)) || !gone(v.Post(t, h.reset, "password", fresh))
		}},
		{"the undo of their old address", func(t *testing.T) bool {
			v := h.p.Visitor(t)
			return strings.Contains(v.Get(t, h.undo).Body, `action="`+h.undo) || strings.Contains(v.Post(t, h.undo).Body, "It is undone")
		}},
		{"the help code that they gave Kim", func(t *testing.T) bool {
			return h.kim.Post(t, "/signin/help", "code", h.helpCode).Status != http.StatusUnprocessableEntity
		}},
		{"the session that they let Sam into", func(t *testing.T) bool {
			return !gone(h.sam.Get(t, "/signin/enrol")) || h.sam.Post(t, "/signin/enrol", "method", "totp").Header.Get("Location") == "/signin/enrol/totp"
		}},
		{"the invitation of somebody whom they asked for", func(t *testing.T) bool {
			v := h.p.Visitor(t)
			return !gone(v.Get(t, h.invitation)) || !gone(v.Post(t, h.invitation, "password", fresh))
		}},
		{"the request that waits for the account manager", func(t *testing.T) bool {
			return h.staff.Post(t, h.request, "seen", "asked", "do", "approve").Status != http.StatusUnprocessableEntity ||
				len(h.sink.Letters(t, "tia@bayside.example")) > 0
		}},
	}
}

// A fired admin's first hour: whatever they still hold is dead within five seconds of "has
// left", and whoever is around them goes on.
func TestNothingThatAnAdminHoldsOpensAnythingOnceTheyHaveLeft(t *testing.T) {
	t.Parallel()
	servingPeople(t, aroundMax(), func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		staffKey := joins(t, p, robin1)
		h := begins(t, p, sink)
		pass(t, p, 2*time.Minute) // an authenticator shows other digits by then
		kim, other := p.Visitor(t), p.Visitor(t)
		kim.SignIn(t, sink, kims, e2etest.Password)
		other.Post(t, "/signin", "email", nameMx, "password", e2etest.Password).Leads(t, "/me")
		h.gathers(t, staffKey)

		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		left := cardOf(t, pat, h.home, "max") + "/left"
		if !in(t, h.one) || !in(t, h.two) {
			t.Fatal("Max was out before they left")
		}
		pat.Post(t, left).Leads(t, left)
		from := time.Now()
		e2etest.Within(t, 5*time.Second, "Max to be signed out", func() bool { return !in(t, h.one) && !in(t, h.two) })
		t.Logf("signed out everywhere after %s", time.Since(from).Round(time.Millisecond))
		all := h.tries()
		for _, one := range all {
			if one.works(t) {
				t.Errorf("%s still works", one.what)
			}
		}
		t.Logf("%d things were tried within %s", len(all), time.Since(from).Round(time.Millisecond))

		// Nobody else is any the worse for it.
		pat.Get(t, strings.TrimSuffix(left, "/left")).Is(t, http.StatusOK, `value="`+max2+`"`) // no undo gave the old one back
		if was := field(t, pat.Get(t, h.kimsCard), wasField); was != h.wasKim {
			t.Errorf("Kim's form was changed: %s", was)
		}
		for who, v := range map[string]*e2etest.Visitor{"Pat": pat, "Kim": kim, "the Max of the other site": other} {
			if !in(t, v) {
				t.Errorf("%s is signed out, too", who)
			}
		}
		h.kim.Post(t, "/signin/code", "code", h.kimsCode).Leads(t, "/me")
		sam := p.Visitor(t)
		sam.SignIn(t, sink, e2etest.Sam, e2etest.Password)
		for _, email := range []string{nameMx, maxToo} {
			v := p.Visitor(t)
			v.Post(t, "/signin", "email", email, "password", e2etest.Password).Leads(t, "/me")
			v.Get(t, "/me").Is(t, http.StatusOK, email, "Bayside Tyres")
		}
	})
}
