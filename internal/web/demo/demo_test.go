package demo_test

import (
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	story "keyturn/internal/demo"
	"keyturn/internal/message"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/web/demo"
	"keyturn/internal/web/webtest"
)

// bench is a desk that is served.
type bench struct {
	*testing.T
	desk *demo.Desk
	mux  http.Handler
}

func newBench(t *testing.T) *bench {
	t.Helper()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	people, err := story.Seed(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	kit, err := web.New(web.Setup{
		Log: slog.New(slog.DiscardHandler), PublicURL: &url.URL{Scheme: "http", Host: "127.0.0.1:8080"},
		Vendor: web.Vendor{Name: "Keyturn"}, Now: d.Clock.Now, Faces: []web.Face{demo.Face()},
	})
	if err != nil {
		t.Fatal(err)
	}
	desk := &demo.Desk{Kit: kit, DB: d, Inbox: story.NewInbox(d.Clock.Now), Setup: &setup.Desk{DB: d}, People: people}
	mux := http.NewServeMux()
	for _, r := range desk.Routes() {
		mux.Handle(r.Method+" "+r.Path, r.Handler)
	}
	mux.Handle("GET /static/{file}", kit.Assets())
	mux.Handle("/", kit.Lost())
	return &bench{T: t, desk: desk, mux: demo.Guard(kit.Wrap(mux))}
}

func (b *bench) ask(method, path, accept string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(form.Encode()))
	r.Host = "127.0.0.1:8080"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	return w
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// text is what a person reads of an answer.
func text(w *httptest.ResponseRecorder) string {
	return spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(w.Body.String(), " ")), " ")
}

// get opens a page.
func (b *bench) get(path string) *httptest.ResponseRecorder {
	b.Helper()
	w := b.ask(http.MethodGet, path, "text/html", nil)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: status %d: %s", path, w.Code, w.Body)
	}
	return w
}

// sees fails unless each of the words stands on the page.
func (b *bench) sees(w *httptest.ResponseRecorder, words ...string) {
	b.Helper()
	for _, one := range words {
		if !strings.Contains(text(w), one) {
			b.Errorf("%q is not there; the page says: %s", one, text(w))
		}
	}
}

// at is what the desk says of one site.
func (b *bench) at(site string) string {
	b.Helper()
	_, rest, found := strings.Cut(text(b.get("/demo")), "Workshops and their people")
	_, rest, there := strings.Cut(rest, site+" ")
	if !found || !there {
		b.Fatalf("%s is not on the desk", site)
	}
	state, _, _ := strings.Cut(rest, "ws-")
	return state
}

func (b *bench) mail(to, subject, plain, rich string) {
	b.Helper()
	if _, err := b.desk.Inbox.Send(b.Context(), message.Letter{To: to, Subject: subject, Text: plain, HTML: rich}); err != nil {
		b.Fatal(err)
	}
}

func TestTheDeskShowsWhoThereIsAndWhatTheyMeet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := b.get("/demo")
	b.sees(w, "The demo's desk", "invented people", story.Password, "pat@baysideauto.example", "The Xero site's Admin",
		"Password and a code by email", "Password alone, not ready for the date", "No code can reach them",
		"In the mobile app only", "Not let in: blocked", "Not let in: inactive")
	for _, link := range []string{`href="/signin"`, `href="/me"`, `href="/help"`, `href="/demo/inbox"`, `href="/demo/inbox?to=pat%40baysideauto.example"`} {
		if !strings.Contains(w.Body.String(), link) {
			t.Errorf("no %s", link)
		}
	}
	for site, want := range map[string]string{
		"Bayside Auto":            "Xero connected 12 March",
		"Northside Tyres":         "Preparing: enforced from",
		"Hillside Motors":         "Not connected",
		"Pennine Garage":          "Not connected, asks everybody",
		"Lone Star Auto":          "Not connected, asks person by person",
		"Thistle Motors":          "Xero connected, no date yet",
		"Cascade Garage":          "Xero disconnected, still enforced",
		"Kingfisher 4WD":          "Preparing: enforced from",
		"Hillside Motors Airport": "enforced",
	} {
		if got := b.at(site); !strings.Contains(got, want) {
			t.Errorf("%s: %q", site, got)
		}
	}
	if got := b.at("Northside Tyres"); !regexp.MustCompile(`4:00 am, in ([4-9]|1[0-2]) days`).MatchString(got) {
		t.Errorf("the date is %q", got)
	}
}

func TestEveryPersonIsOnTheDesk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	page := text(b.get("/demo"))
	for _, p := range b.desk.People {
		if !strings.Contains(page, p.Name) || !strings.Contains(page, p.Email) {
			t.Errorf("%s is not there", p.Email)
		}
	}
}

func TestASiteIsConnectedAndDisconnectedAtTheDesk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	press := func(site, action string) *httptest.ResponseRecorder {
		return b.ask(http.MethodPost, "/demo/xero", "", url.Values{"site": {site}, "action": {action}})
	}
	w := press("ws-1003", "connect")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/demo?did=connect&site=ws-1003" {
		t.Fatalf("status %d to %s", w.Code, w.Header().Get("Location"))
	}
	b.sees(b.get(w.Header().Get("Location")), "Hillside Motors is connected to Xero. Whoever is signed in there meets the second step")
	if got := b.at("Hillside Motors"); !strings.Contains(got, "enforced") {
		t.Errorf("connected: %q", got)
	}
	hillside, err := site.ByRef(t.Context(), b.desk.DB, "ws-1003")
	if err != nil {
		t.Fatal(err)
	}
	w = press(string(hillside.ID), "disconnect")
	b.sees(b.get(w.Header().Get("Location")), "What Xero required stays")
	if got := b.at("Hillside Motors"); !strings.Contains(got, "Xero disconnected, still enforced") {
		t.Errorf("disconnected: %q", got)
	}
	again := b.ask(http.MethodPost, "/demo/xero", "application/json", url.Values{"site": {"ws-1003"}, "action": {"disconnect"}})
	if again.Code != http.StatusOK || strings.TrimSpace(again.Body.String()) != `{"changed":false}` {
		t.Errorf("a second time: %d %s", again.Code, again.Body)
	}
	if strings.Contains(text(b.get("/demo?did=connect&site=ws-1003")), "is connected to Xero.") {
		t.Error("an address alone makes the desk say what is not so")
	}
	for name, c := range map[string]struct {
		site, action string
		want         int
	}{
		"a site that there is not":     {"ws-9999", "connect", 404},
		"no site":                      {"", "connect", 404},
		"an action that there is not":  {"ws-1005", "explode", 400},
		"no action":                    {"ws-1005", "", 400},
		"a site that is a piece of it": {"ws-", "connect", 404},
	} {
		if w := press(c.site, c.action); w.Code != c.want {
			t.Errorf("%s: status %d, want %d", name, w.Code, c.want)
		}
	}
	if got := b.at("Harbour Mechanical"); strings.Contains(got, "enforced") {
		t.Errorf("it was connected all the same: %q", got)
	}
}

func TestTheClockIsMovedAtTheDesk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	move := func(advance, accept string) *httptest.ResponseRecorder {
		return b.ask(http.MethodPost, "/demo/clock", accept, url.Values{"advance": {advance}})
	}
	before := b.desk.DB.Clock.Now()
	w := move("24h", "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/demo?did=clock" {
		t.Fatalf("status %d to %s", w.Code, w.Header().Get("Location"))
	}
	b.sees(b.get("/demo?did=clock"), "The clock was moved: it is")
	if moved := b.desk.DB.Clock.Now().Sub(before); moved < 24*time.Hour || moved > 25*time.Hour {
		t.Errorf("it was moved by %v", moved)
	}
	w = move("288h", "application/json")
	var answer struct{ Now time.Time }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if moved := answer.Now.Sub(before); moved < 312*time.Hour || moved > 313*time.Hour {
		t.Errorf("it shows %v later", moved)
	}
	if got := b.at("Northside Tyres"); !strings.Contains(got, "enforced") || strings.Contains(got, "Preparing") {
		t.Errorf("after its date: %q", got)
	}
	before = b.desk.DB.Clock.Now()
	for _, bad := range []string{"", "-1h", "0s", "10000h", "soon", "<script>"} {
		w := move(bad, "text/html")
		if w.Code != http.StatusBadRequest || !strings.Contains(text(w), "The clock was not moved. Say how far") {
			t.Errorf("%q: status %d", bad, w.Code)
		}
		if w := move(bad, "application/json"); w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%q, a program: status %d %s", bad, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if moved := b.desk.DB.Clock.Now().Sub(before); moved > time.Minute {
		t.Errorf("it was moved by %v", moved)
	}
}

func TestAnotherSiteCannotPressTheDesksButtons(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/demo/clock", strings.NewReader("advance=24h"))
	r.Host = "127.0.0.1:8080"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("status %d", w.Code)
	}
}

func TestTheInboxIsReadByScripts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if w := b.ask(http.MethodGet, "/demo/inbox.json", "", nil); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("empty: %d %s", w.Code, w.Body)
	}
	b.mail("pat@baysideauto.example", "482 913 is your code", "one", "")
	b.mail("kim@baysideauto.example", "other", "two", "")
	b.mail("pat@baysideauto.example", "770 156 is your code", "three <b>", "<b>")
	w := b.ask(http.MethodGet, "/demo/inbox.json?to=PAT@baysideauto.example", "", nil)
	var list []map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0]["text"] != "three <b>" || list[1]["subject"] != "482 913 is your code" {
		t.Fatalf("got %s", w.Body)
	}
	for name, want := range map[string]string{"channel": "email", "to": "pat@baysideauto.example"} {
		if list[0][name] != want {
			t.Errorf("%s is %q", name, list[0][name])
		}
	}
	if _, err := time.Parse(time.RFC3339, list[0]["at"]); err != nil || len(list[0]) != 5 {
		t.Errorf("got %v, %v", list[0], err)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
	if w := b.ask(http.MethodGet, "/demo/inbox.json?to=nobody", "", nil); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("nobody's: %s", w.Body)
	}
}

func TestTheInboxIsReadByPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sees(b.get("/demo/inbox"), "Nothing has arrived.")
	b.mail("pat@baysideauto.example", "482 913 is your Bayside Auto sign-in code", "Hello Pat", "<p>Hello")
	b.mail("kim@baysideauto.example", "Your email was changed", "Hello Kim", "")
	page := text(b.get("/demo/inbox"))
	if strings.Index(page, "Your email was changed") > strings.Index(page, "482 913") {
		t.Error("the newest is not first")
	}
	mine := b.get("/demo/inbox?to=pat@baysideauto.example")
	b.sees(mine, "Mail for pat@baysideauto.example")
	if strings.Contains(text(mine), "kim@") || !strings.Contains(mine.Body.String(), `<b class="desk-code">482 913</b>`) {
		t.Errorf("the page is %s", mine.Body)
	}
	b.sees(b.get("/demo/inbox/1"), "482 913 is your Bayside Auto sign-in code", "Hello Pat", "See it as a mail program shows it")
	if strings.Contains(text(b.get("/demo/inbox/2")), "See it as") {
		t.Error("a mail without HTML has a link to it")
	}
	b.sees(b.get("/demo/inbox?to=mick.farrow@mail.example"), "This mailbox is full")
	b.sees(b.get("/demo/inbox?to=gary@redgumdiesel.example"), "This mailbox does not exist")
	for _, path := range []string{"/demo/inbox/3", "/demo/inbox/0", "/demo/inbox/-1", "/demo/inbox/x", "/demo/inbox/1x", "/demo/inbox/99999999999999999999", "/demo/inbox/2/html", "/demo/inbox/3/html"} {
		if w := b.ask(http.MethodGet, path, "", nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

func TestOnlyTheNewestMailIsListed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := range 201 {
		b.mail("pat@baysideauto.example", fmt.Sprintf("number %d.", n+1), "", "")
	}
	w := b.get("/demo/inbox")
	b.sees(w, "number 201.", "number 2.", "The newest 200 are listed.")
	if strings.Contains(text(w), "number 1.") {
		t.Error("the oldest is listed, too")
	}
}

func TestAHostileMailStaysText(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const evil = `"></pre><script>alert(1)</script>{{.}}`
	b.mail(evil, evil+" 123 456", evil, evil)
	for _, path := range []string{"/demo/inbox", "/demo/inbox?to=" + url.QueryEscape(evil), "/demo/inbox/1"} {
		w := b.get(path)
		if strings.Contains(w.Body.String(), "<script>") || strings.Contains(w.Body.String(), `"></pre>`) {
			t.Errorf("%s: the mail became a script", path)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "script-src 'self'") {
			t.Errorf("%s: the policy is %s", path, got)
		}
	}
	w := b.get("/demo/inbox/1/html")
	if w.Body.String() != evil || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the mail is %s", w.Body)
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "; sandbox", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy %q lacks %s", csp, want)
		}
	}
	if strings.Contains(csp, "script") || strings.Contains(csp, "allow") {
		t.Errorf("the policy is %q", csp)
	}
}

func TestTheDemosPagesAreSoundWhateverTheyShow(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script>`
	mark := demo.Mark{Look: "manage", Words: evil}
	person := demo.PersonPart{Name: evil, Login: evil, Mobile: evil, Place: evil, Meets: mark, Try: evil}
	for name, page := range map[string]web.Page{
		"demo-hostile": demo.HomePage{
			Password: evil, Now: evil, Here: evil, Did: evil, Problem: evil, Moves: []demo.Move{{Words: evil, Advance: evil}},
			Sites: []demo.SitePart{
				{Ref: evil, Name: evil, Now: evil, State: mark, Connected: true, Open: true, People: []demo.PersonPart{person, person}},
				{Ref: "ws-2", Name: "Bare", People: []demo.PersonPart{{Name: "Pat Chen"}}},
			},
		},
		"demo-bare":          demo.HomePage{},
		"demo-inbox-hostile": demo.InboxPage{To: evil, Refused: evil, Cut: true, Messages: []demo.MessagePart{{Code: evil, Subject: evil, To: evil, At: evil}}},
		"demo-inbox-bare":    demo.InboxPage{},
		"demo-letter":        demo.LetterPage{Subject: evil, To: evil, Text: evil, At: evil, HTML: true},
	} {
		shown := webtest.Show(t, webtest.New(t, demo.Face()), name, page)
		if strings.Contains(shown.HTML, "<script>") {
			t.Errorf("%s: a name became a script", name)
		}
	}
}

func TestTheCodeOfASubjectIsFound(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"482 913 is your code":         "482 913",
		"your code is 482913":          "482913",
		"code 482 913, from Bayside":   "482 913",
		"1482 913 has too many digits": "",
		"482 9134 has too many digits": "",
		"48 2913 is grouped otherwise": "",
		"call 0491 570 156":            "",
		"nothing":                      "",
		"":                             "",
	} {
		if got := demo.CodeIn(subject); got != want {
			t.Errorf("%q: got %q, want %q", subject, got, want)
		}
	}
}
