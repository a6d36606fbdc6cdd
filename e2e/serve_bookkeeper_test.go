package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
)

const (
	bevHere = "bev.lind@bayside.example" // the bookkeeper, as she signs in at both sites
	bevToo  = "accounts@lindbooks.example"
	bevTwin = "bev.lind@tyres.example" // somebody of the same name at the other site
	tyres   = "tyres-7731"             // the other site's reference
)

// aroundBev are two sites, of both of which Bev keeps the books, with a login for each as
// yet, and people of the same names in both.
func aroundBev() []e2etest.Row {
	return []e2etest.Row{
		{Ref: "U1", First: "Pat", Last: "Ng", Email: e2etest.Pat},
		{Ref: "U2", First: "Sam", Last: "Okafor", Email: e2etest.Sam, Group: "Mechanic"},
		{Ref: "U3", First: "Bev", Last: "Lind", Email: bevHere, Mobile: "0491 570 156", Group: "Invoice & Payment Only"},
		{Site: tyres, Ref: "U1", First: "Pat", Last: "Ng", Email: e2etest.TwinPat},
		{Site: tyres, Ref: "U3", First: "Bev", Last: "Lind", Email: bevTwin, Group: "User"},
		{Site: tyres, Ref: "lind-9", First: "Bev", Last: "Lind", Email: bevToo, Group: "Manager"},
	}
}

// becomesOne joins Bev's two logins, and gives her session at the first site.
func becomesOne(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) *e2etest.Visitor {
	t.Helper()
	v := p.Visitor(t)
	v.SignIn(t, sink, bevHere, e2etest.Password)
	v.Post(t, "/me/security/join", "email", bevToo, "password", e2etest.Password).Leads(t, "/signin/code")
	page := v.Post(t, "/signin/code", "code", e2etest.NextLetter(t, sink, bevToo, 0).Code(t))
	page.Is(t, http.StatusSeeOther)
	if to := page.Header.Get("Location"); !strings.HasPrefix(to, "/me") {
		t.Fatalf("joining led to %s", to)
	}
	v.Get(t, "/me").Is(t, http.StatusOK, "Bayside Auto", "Bayside Tyres")
	return v
}

// deed is something that an Admin tries on the bookkeeper.
type deed struct {
	what   string
	path   string // after the settings' address; "{bev}" is her id
	fields []string
	status int
	says   string // a sentence on the page, or where it leads
}

// beyond are the deeds that reach beyond a membership.
func beyond(was string) []deed {
	const own, notHere, others = "Name, email and mobile of Bev cannot be changed here.", "This cannot be done for this user.", "They are at several sites: their account manager can help."
	card, refused := "/users/{bev}", http.StatusUnprocessableEntity
	form := func(fields ...string) []string { return append([]string{"was", was, "sure", ""}, fields...) }
	return []deed{
		{"another email", card, form("email", "bev.new@bayside.example"), refused, own},
		{"the Admin's own email", card, form("email", e2etest.Pat), refused, own},
		{"another mobile", card, form("mobile", "0491 570 157"), refused, own},
		{"no mobile", card, form("mobile", ""), refused, own},
		{"another name", card, form("first", "Beverley", "last", "Lind"), refused, own},
		{"another person", card, form("email", "nia@bayside.example", "first", "Nia", "last", "Newby", "person", "another"), refused, own},
		{"the same person with another name and email", card, form("email", "bev.new@bayside.example", "first", "B", "person", "same"), refused, own},
		{"a better address", card, form("email", "bev@gmial.example", "sales", "yes", "toggles", "yes"), refused, own},
		{"a help code", "/help-codes", []string{"user", "{bev}"}, refused, others},
		{"a test code", card + "/help", []string{"do", "test"}, refused, notHere},
	}
}

// within are the deeds that end with the membership.
func within(was string) []deed {
	form := func(fields ...string) []string { return append([]string{"was", was, "sure", ""}, fields...) }
	return []deed{
		{"her dashboard", "/users/{bev}", form("toggles", "yes", "sales", "yes"), http.StatusSeeOther, "/users/{bev}?did=saved"},
		{"signing her out", "/users/{bev}/help", []string{"do", "end"}, http.StatusSeeOther, "/users/{bev}?did=ended"},
		{"blocking her", "/users/{bev}", form("status", "blocked"), http.StatusSeeOther, "/users/{bev}?did=saved"},
		{"taking her back", "/users/{bev}", form("status", "active"), http.StatusSeeOther, "/users/{bev}?did=saved"},
		{"another group", "/users/{bev}", form("group", "Sales"), http.StatusSeeOther, "/users/{bev}?did=saved"},
		{"that she has left", "/users/{bev}/left", nil, http.StatusSeeOther, "/users/{bev}/left"},
	}
}

// An Admin of one site tries everything on somebody who works at two. What they may do ends
// at the membership, and nothing that they are answered is of the other site.
func TestAnAdminReachesABookkeeperOfTwoSitesAtTheirOwnSiteAlone(t *testing.T) {
	t.Parallel()
	servingPeople(t, aroundBev(), func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		foreign := trailOf(t, p, tyres)
		here := becomesOne(t, p, sink)
		there := p.Visitor(t)
		there.Post(t, "/signin", "email", bevHere, "password", e2etest.Password).Leads(t, "/signin/site")
		there.Post(t, "/signin/site", "site", foreign.site).Leads(t, "/me")
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		home := settingsLink.FindString(pat.Get(t, "/me").Body)
		card := cardOf(t, pat, home, "bev")
		her := card[strings.LastIndex(card, "/")+1:]
		was := func() string { return field(t, pat.Get(t, card), wasField) }
		silent := func(what string, page e2etest.Answer) {
			t.Helper()
			all := page.Body + page.Header.Get("Location")
			for _, word := range []string{"Tyres", foreign.site, tyres, "tyres.example", bevToo, "lindbooks", "lind-9"} {
				if strings.Contains(all, word) {
					t.Errorf("%s shows %q of the other site", what, word)
				}
			}
		}
		does := func(d deed) {
			t.Helper()
			fill := strings.NewReplacer("{bev}", her)
			fields := make([]string, len(d.fields))
			for i, f := range d.fields {
				fields[i] = fill.Replace(f)
			}
			page := pat.Post(t, home+fill.Replace(d.path), fields...)
			said := page.Body
			if d.status == http.StatusSeeOther {
				said = page.Header.Get("Location")
			}
			if page.Status != d.status || !strings.Contains(said, fill.Replace(d.says)) {
				t.Errorf("%s is answered %d, %.200q; expected %d and %q", d.what, page.Status, page.Header.Get("Location"), d.status, d.says)
			}
			silent(d.what, page)
		}
		pat.Get(t, card).Is(t, http.StatusOK, "Bev works at other places too, or for the vendor")
		before := was()
		for _, d := range beyond(before) {
			does(d)
		}
		if after := was(); after != before {
			t.Errorf("her form went from %s to %s", before, after)
		}
		// She asks to be let in: that is the account manager's to decide, and no Admin sees it.
		door := p.Visitor(t)
		door.Post(t, "/signin", "email", bevHere, "password", e2etest.Password).Leads(t, "/signin/site")
		door.Post(t, "/signin/site", "site", strings.Split(home, "/")[2]).Leads(t, "/signin/code")
		door.Post(t, "/signin/ask").Is(t, http.StatusUnprocessableEntity)
		if strings.Contains(pat.Get(t, home+"/approvals").Body, "Lind") {
			t.Error("an Admin is asked to let in somebody who works at two sites")
		}
		if !in(t, here) || !in(t, there) {
			t.Fatal("what was refused signed her out")
		}

		reads(t, p, pat, home, her, silent)
		for _, query := range []string{"/users?find=bev", "/users?show=help", "/users?find=tyres", "/audit?person=bev", "/audit?person=tyres", "/help-codes?find=bev"} {
			page := pat.Get(t, home+query)
			page.Is(t, http.StatusOK)
			silent(query, page)
		}
		pat.Get(t, home+"/audit?person=bev").Is(t, http.StatusOK, "Bev Lind")
		pat.Get(t, home+"/audit?person=lindbooks").Is(t, http.StatusOK, "Nothing fits") // the page repeats what was typed
		for _, form := range []string{"csv", "jsonl"} {
			silent("the copy of the trail as "+form, pat.Post(t, home+"/audit", "form", form))
		}

		for _, d := range within("") {
			if d.fields != nil && d.fields[0] == "was" {
				d.fields[1] = was()
			}
			does(d)
			if d.what != "her dashboard" {
				e2etest.Within(t, 5*time.Second, "her session at this site to end", func() bool { return !in(t, here) })
			}
			there.Get(t, "/me").Is(t, http.StatusOK, "Bayside Tyres")
		}
		again := p.Visitor(t)
		again.Post(t, "/signin", "email", bevHere, "password", e2etest.Password).Leads(t, "/me")
		again.Get(t, "/me").Is(t, http.StatusOK, "Bayside Tyres")
		if strings.Contains(again.Get(t, "/me").Body, "Bayside Auto") {
			t.Error("she is still a member of the site that she has left")
		}
		namesake := p.Visitor(t)
		namesake.Post(t, "/signin", "email", bevTwin, "password", e2etest.Password).Leads(t, "/me")
	})
}

// reads opens every page of an Admin about somebody, and sends every form about them that is
// empty or about another site, as the product lists them.
func reads(t *testing.T, p *e2etest.Product, v *e2etest.Visitor, home, whom string, look func(string, e2etest.Answer)) {
	t.Helper()
	asked := 0
	own := strings.Split(home, "/")[2]
	for _, r := range routesOf(t, p) {
		path, ok := r.fill(target{site: own, user: whom})
		if !ok || !strings.HasPrefix(path, home) {
			continue
		}
		switch {
		case r.Method == http.MethodGet:
			asked++
			look(r.Method+" "+r.Path, v.Get(t, path))
		case strings.Contains(r.Path, "{user}") && !strings.HasSuffix(r.Path, "/left") && !strings.HasSuffix(r.Path, "/help"):
			for _, form := range bodies(absent, whom) {
				asked++
				page := v.Post(t, path, form...)
				look(r.Method+" "+r.Path, page)
				if page.Status >= http.StatusInternalServerError {
					t.Errorf("%s %s is answered %d", r.Method, r.Path, page.Status)
				}
			}
		}
	}
	if asked < 10 {
		t.Errorf("only %d askings: the list of routes is read wrongly", asked)
	}
	t.Logf("%d askings about her, over the Admin's routes", asked)
}
