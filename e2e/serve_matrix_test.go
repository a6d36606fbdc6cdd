package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

// groups are all groups of a site, with a member of each.
var groups = []string{
	"Admin", "Owner", "Manager", "User", "Invoice & Payment Only", "Pay Only", "Invoice Only", "Mechanic", "Sales",
}

func member(group, domain string) string {
	return strings.NewReplacer(" & ", "-", " ", "-").Replace(strings.ToLower(group)) + "@" + domain
}

// Two sites that are connected to Xero, with a member of each group and of the same names
// in both.
func twoOfEach() []e2etest.Row {
	var rows []e2etest.Row
	for n, group := range groups {
		name := e2etest.Row{Ref: fmt.Sprintf("U%d", n), First: "Robin", Last: "Vale", Group: group}
		here, there := name, name
		here.Email = member(group, "bayside.example")
		there.Email, there.Site, there.Xero = member(group, "tyres.example"), e2etest.Twin, "yes"
		rows = append(rows, here, there)
	}
	return rows
}

// trail is what a site's trail holds: how many events, and the ids that stand in it.
type trail struct {
	size  int
	site  string
	users []string // in the order in which they were brought in
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// trailOf reads the trail of a site by the command that exports it.
func trailOf(t *testing.T, p *e2etest.Product, ref string) trail {
	t.Helper()
	var tr trail
	for line := range strings.Lines(p.MustRun(t, "audit", "export", "--site", ref)) {
		var e struct {
			Body struct {
				Kind, Site, User string
			} `json:"body"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Body.Kind == "" {
			continue // the end, with its checkpoint
		}
		tr.size++
		tr.site = e.Body.Site
		if e.Body.Kind == "membership.imported" {
			tr.users = append(tr.users, e.Body.User)
		}
	}
	if tr.site == "" || len(tr.users) == 0 {
		t.Fatalf("the trail of %s has %d events and no member", ref, tr.size)
	}
	return tr
}

// plain is an answer without what differs from one asking to the next: references, and the
// very ids that were asked for.
func plain(page e2etest.Answer) string {
	return fmt.Sprint(page.Status, " ", page.Header.Get("Location"), " ", uuid.ReplaceAllString(anyReference.ReplaceAllString(page.Body, "…"), "…"))
}

var (
	anyReference = regexp.MustCompile(`[A-Z0-9]{4}-[A-Z0-9]{4}`)
	placeholder  = regexp.MustCompile(`\{[a-z.]+\}`)
)

// target is what a route is asked about.
type target struct {
	name, site, user string
}

// fill puts a target into a route's path; false if it names neither site nor person.
func (r route) fill(to target) (string, bool) {
	if !strings.Contains(r.Path, "{site}") && !strings.Contains(r.Path, "{user}") {
		return "", false
	}
	path := strings.NewReplacer("{site}", to.site, "{user}", to.user).Replace(r.Path)
	// What else a path names is there nowhere.
	return placeholder.ReplaceAllString(path, absent), true
}

// bodies are the forms that every changing route is sent, with a person of another site in
// every field that could name one.
func bodies(site, user string) [][]string {
	return [][]string{
		{"user", user, "member", user, "site", site, "whom", user, "ask", user, "request", user, "number", "00", "answer", "approve"},
		{"user", user, "login", user, "email", "thief@tyres.example", "first", "T", "last", "T", "group", "Admin", "status", "active", "kind", "office", "save", "1", "confirm", "yes"},
		{"twofa", "off", "remember", "30", "weakest", "email", "save", "1", "preview", "1", "confirm", "yes"},
	}
}

// Nobody reaches another site: whatever route, whoever asks. What is of another site is
// answered exactly like what is not there, and nothing happens to it.
func TestNobodyReachesAnotherSiteByAnyRoute(t *testing.T) {
	t.Parallel()
	servingPeople(t, twoOfEach(), func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		here, there := trailOf(t, p, e2etest.Connected), trailOf(t, p, e2etest.Twin)
		routes := routesOf(t, p)
		asked := 0
		for _, group := range slices.Backward(groups) { // the Admin last: what they do at their own site is done
			v := p.Visitor(t)
			v.SignIn(t, sink, member(group, "bayside.example"), e2etest.Password)
			for _, r := range routes {
				foreign := []target{
					{"another site", there.site, here.users[1]},
					{"another site's person", here.site, there.users[1]},
					{"another site and its person", there.site, there.users[1]},
				}
				for _, to := range foreign {
					path, ok := r.fill(to)
					if !ok || r.Method != http.MethodGet && r.Method != http.MethodPost {
						continue
					}
					lost := to
					if lost.site == there.site {
						lost.site = absent
					}
					if lost.user == there.users[1] {
						lost.user = absent
					}
					gone, _ := r.fill(lost)
					if gone == path {
						continue // the route does not name what is foreign
					}
					forms := [][]string{nil}
					if r.Method == http.MethodPost {
						forms = bodies(there.site, there.users[1])
					}
					for _, form := range forms {
						asked++
						one, two := askFor(t, v, r.Method, path, form), askFor(t, v, r.Method, gone, form)
						if plain(one) != plain(two) {
							t.Errorf("%s, %s %s about %s is answered %d, and about nothing %d", group, r.Method, r.Path, to.name, one.Status, two.Status)
						}
						if one.Status == http.StatusOK {
							t.Errorf("%s, %s %s about %s is answered", group, r.Method, r.Path, to.name)
						}
						if strings.Contains(one.Body, "tyres.example") || strings.Contains(one.Body, "Bayside Tyres") {
							t.Errorf("%s, %s %s about %s shows the other site", group, r.Method, r.Path, to.name)
						}
					}
				}
				// At their own site only an Admin has the pages of one.
				if r.For == "admin" && group != "Admin" && r.Method == http.MethodGet {
					own, named := r.fill(target{site: here.site, user: here.users[1]})
					gone, _ := r.fill(target{site: absent, user: absent})
					if !named { // the session says which site is meant
						own, gone = r.Path, r.Path+"/"+absent
					}
					one, two := askFor(t, v, r.Method, own, nil), askFor(t, v, r.Method, gone, nil)
					if one.Status != http.StatusNotFound || plain(one) != plain(two) {
						t.Errorf("%s, %s %s at their own site is answered %d", group, r.Method, r.Path, one.Status)
					}
				}
				// In the body: the own site's page, and a person of the other's in the form.
				if own, ok := r.fill(target{site: here.site, user: here.users[2]}); ok && r.Method == http.MethodPost && group == "Admin" {
					for _, form := range bodies(there.site, there.users[1])[:1] {
						asked++
						if page := askFor(t, v, r.Method, own, form); page.Status >= 500 || strings.Contains(page.Body, "tyres.example") {
							t.Errorf("%s %s with another site's person in the form is answered %d", r.Method, r.Path, page.Status)
						}
					}
				}
			}
		}
		t.Logf("%d askings about another site, over %d routes and %d groups", asked, len(routes), len(groups))
		if asked == 0 {
			t.Fatal("nothing was asked")
		}
		if after := trailOf(t, p, e2etest.Twin); after.size != there.size || !slices.Equal(after.users, there.users) {
			t.Errorf("the other site's trail went from %d events to %d", there.size, after.size)
		}
		// Everybody there still signs in as before.
		p.Visitor(t).SignIn(t, sink, member("Admin", "tyres.example"), e2etest.Password)
		p.Visitor(t).SignIn(t, sink, member("Mechanic", "tyres.example"), e2etest.Password)
	})
}

func askFor(t *testing.T, v *e2etest.Visitor, method, path string, form []string) e2etest.Answer {
	t.Helper()
	if form == nil {
		return v.Get(t, path)
	}
	return v.Do(t, v.Request(t, method, path, e2etest.Form(form...)))
}
