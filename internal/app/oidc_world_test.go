package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/app"
	"keyturn/internal/audit"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

const rightPassword = "correct horse battery staple"

var (
	command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}
	// stored is the hash of rightPassword, made once for all tests.
	stored = sync.OnceValue(func() password.Stored {
		s, err := password.Parse(password.Hash(rightPassword))
		if err != nil {
			panic(err)
		}
		return s
	})
	shownCode = regexp.MustCompile(`(?m)^ +([0-9]{3} [0-9]{3})$`)
)

// mailbox is everybody's.
type mailbox struct {
	mu    sync.Mutex
	boxes map[string]chan string
}

func (m *mailbox) of(to string) chan string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.boxes == nil {
		m.boxes = map[string]chan string{}
	}
	if m.boxes[to] == nil {
		m.boxes[to] = make(chan string, 100)
	}
	return m.boxes[to]
}

// Send implements message.Mailer.
func (m *mailbox) Send(_ context.Context, l message.Letter) (message.Receipt, error) {
	if found := shownCode.FindStringSubmatch(l.Text); found != nil {
		m.of(l.To) <- strings.ReplaceAll(found[1], " ", "")
	}
	return message.Receipt{Relay: "relay.example:25", Accepted: true, Code: 250}, nil
}

// world is the whole product over HTTP, with two workshops whose people have the same names
// and a third that requires nothing, and the applications of a vendor.
type world struct {
	t     *testing.T
	db    *db.DB
	url   string
	keys  *secret.Keys
	mail  *mailbox
	setup *setup.Desk
	// xero and twin are connected, free is not.
	xero, twin, free site.Site
	// pat and kim are of the office of xero, twinPat of twin; bo of xero and free; mo is a
	// mechanic with a mobile place at xero; alex is of free.
	pat, twinPat, kim, bo, mo, alex user.User
	// product and other are web products at all sites, local is one at free alone, app is a
	// mobile app and jobs the service that answers for its API.
	product, other, local, app, jobs application
	// told are the logout tokens that product was sent.
	told chan string
}

// application is a client with its secret.
type application struct {
	client.Client
	secret string
}

const back = "https://product.example/signed-in"

// each runs a test in a fresh world on each engine.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		w := &world{t: t, db: d, mail: &mailbox{}, setup: &setup.Desk{DB: d}, told: make(chan string, 20)}
		// Nine in the morning there: the next 4 am is far away.
		nine := policy.NextFour(d.Clock.Now(), w.zone()).Add(5 * time.Hour)
		d.Clock.Advance(nine.Sub(d.Clock.Now()))
		w.people()
		w.serve()
		w.applications()
		test(w)
	})
}

func (w *world) zone() *time.Location {
	w.t.Helper()
	zone, err := site.Zone("Australia/Brisbane") // where no clock ever changes
	if err != nil {
		w.t.Fatal(err)
	}
	return zone
}

func (w *world) serve() {
	w.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	w.url = "http://" + server.Listener.Addr().String()
	public, err := url.Parse(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := secret.Memory()
	if err != nil {
		w.t.Fatal(err)
	}
	w.keys = keys
	a, err := app.New(app.Parts{
		DB: w.db, Keys: keys, Log: slog.New(slog.DiscardHandler), PublicURL: public, Vendor: web.Vendor{Name: "Workshop Software"},
		Carriers: message.Carriers{Codes: w.mail, Notices: w.mail, LinkBase: public}, HashSlots: 2,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	server.Config.Handler = a.Handler()
	server.Start()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	ended, started := make(chan error, 1), make(chan struct{})
	go func() { ended <- a.Run(ctx, func() { close(started) }) }()
	select {
	case <-started:
	case err := <-ended:
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		server.Close()
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) do(fn func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Do(w.t.Context(), func(tx *db.Tx) error { return fn(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) people() {
	w.t.Helper()
	w.xero, w.twin, w.free = w.site("bayside", "Bayside Auto"), w.site("bayview", "Bayview Auto"), w.site("hilltop", "Hilltop Motors")
	w.connect(w.xero)
	w.connect(w.twin)
	w.pat, w.twinPat = w.user("pat@bayside.example", "Pat", "Lee"), w.user("pat@bayview.example", "Pat", "Lee")
	w.kim, w.mo = w.user("kim@bayside.example", "Kim", "Osei"), w.user("mo@bayside.example", "Mo", "Diaz")
	w.bo, w.alex = w.user("bo@books.example", "Bo", "Ng"), w.user("alex@hilltop.example", "Alex", "Novak")
	w.join(w.pat, w.xero, policy.GroupAdmin, policy.Office)
	w.join(w.twinPat, w.twin, policy.GroupAdmin, policy.Office)
	w.join(w.kim, w.xero, policy.GroupMechanic, policy.Office)
	w.join(w.mo, w.xero, policy.GroupMechanic, policy.Mobile)
	w.join(w.bo, w.xero, policy.GroupInvoicePayment, policy.Office)
	w.join(w.bo, w.free, policy.GroupInvoicePayment, policy.Office)
	w.join(w.alex, w.free, policy.GroupAdmin, policy.Office)
}

func (w *world) site(ref, name string) site.Site {
	w.t.Helper()
	s, err := w.setup.AddSite(w.t.Context(), command, site.Site{Ref: ref, Name: name, Region: "AU", Zone: w.zone()})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) connect(s site.Site) {
	w.t.Helper()
	done, err := w.setup.ConnectXero(w.t.Context(), command, s.ID, setup.Connection{Organisation: s.Name, By: "Pat Lee"})
	if err != nil || !done {
		w.t.Fatal(done, err)
	}
}

func (w *world) user(login, first, last string) (who user.User) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) (err error) {
		if who, err = user.Add(ctx, tx, user.User{Login: address.Canonical(login), FirstName: first, LastName: last, Password: stored()}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: login})
		return err
	})
	return who
}

func (w *world) join(who user.User, s site.Site, group policy.Group, kind policy.Kind) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{
			Site: s.ID, User: who.ID, UserRef: "ref-" + who.FirstName, Group: group, Kind: kind, Status: policy.Active,
		})
	})
}

func (w *world) applications() {
	w.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { w.told <- r.FormValue("logout_token") }))
	w.t.Cleanup(receiver.Close)
	product := client.Order{
		Name: "Workshop", Kind: client.Web, Redirects: []string{back, back + "?tenant=1"}, PostLogouts: []string{"https://product.example/"},
		BackChannel: receiver.URL + "/logout", All: true,
	}
	w.product = w.register(product)
	w.other = w.register(client.Order{Name: "Reports", Kind: client.Web, Redirects: []string{"https://reports.example/cb"}, All: true, IDTokenAlg: client.ES256})
	w.local = w.register(client.Order{Name: "Local", Kind: client.Web, Redirects: []string{"https://local.example/cb"}, Sites: []id.Site{w.free.ID}})
	w.app = w.register(client.Order{Name: "Jobs app", Kind: client.Mobile, Redirects: []string{"com.example.jobs:/cb"}, Audiences: []string{"jobs"}, All: true})
	w.jobs = w.register(client.Order{Name: "Jobs API", Kind: client.Service, Audiences: []string{"jobs"}, All: true})
}

func (w *world) register(o client.Order) (a application) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		made, text, err := client.Make(ctx, tx, command, o)
		a = application{made, text.Reveal()}
		return err
	})
	return a
}

func (w *world) disable(a application) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		_, err := client.Disable(ctx, tx, command, string(a.ID))
		return err
	})
}

func (w *world) raise(who epoch.Owner) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error { return epoch.Raise(ctx, tx, who) })
}

// page is an answer, whole.
type page struct {
	status int
	header http.Header
	body   string
}

func (p page) to() string { return p.header.Get("Location") }

// browser is one browser: it keeps cookies and follows nothing by itself.
type browser struct {
	w *world
	*http.Client
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (b *browser) send(r *http.Request) page {
	b.w.t.Helper()
	w, err := b.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return page{w.StatusCode, w.Header, string(text)}
}

func (b *browser) get(path string) page {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.url+path, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.send(r)
}

func (b *browser) post(path string, form url.Values) page {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

const verifier = "the-verifier-of-a-test-is-long-enough-to-be-one"

func challenge(of string) string {
	sum := sha256.Sum256([]byte(of))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asks are the parameters of an ordinary request of an application.
func (a application) asks(but map[string]string) string {
	all := map[string]string{
		"client_id": string(a.ID), "redirect_uri": a.Redirects[0], "response_type": "code", "scope": "openid profile email sites offline_access",
		"state": "the-state", "nonce": "the-nonce", "code_challenge": challenge(verifier), "code_challenge_method": "S256",
	}
	maps.Copy(all, but)
	q := url.Values{}
	for name, value := range all {
		if value != "-" {
			q.Set(name, value)
		}
	}
	return "/oauth/authorize?" + q.Encode()
}

// asked is what the sign-in asked for on the way.
type asked struct {
	password, code, proof, locked int
}

// through goes from an application's request to its answer as somebody, and tells what was
// asked of them on the way.
func (b *browser) through(path string, who user.User) (answer url.Values, on asked) {
	b.w.t.Helper()
	p := b.get(path)
	for range 20 {
		to := p.to()
		if refresh := p.header.Get("Refresh"); p.status == http.StatusOK && refresh != "" {
			to = strings.TrimPrefix(refresh, "0; url=")
		}
		if to != "" && !strings.HasPrefix(to, "/") {
			at, err := url.Parse(to)
			if err != nil {
				b.w.t.Fatal(err)
			}
			return at.Query(), on
		}
		switch here, _, _ := strings.Cut(to, "?"); {
		case here == "/signin":
			on.password++
			p = b.post("/signin", url.Values{"email": {string(who.Login)}, "password": {rightPassword}, "next": {next(b.w.t, to)}})
		case here == "/signin/locked":
			on.locked++
			p = b.post("/signin/locked", url.Values{"password": {rightPassword}, "next": {next(b.w.t, to)}})
		case here == "/signin/more":
			on.proof++
			p = b.post("/signin/more", url.Values{"method": {"email"}, "next": {next(b.w.t, to)}})
		case here == "/signin/code":
			on.code++
			p = b.post("/signin/code", url.Values{"code": {b.w.code(who)}})
		case here == "/signin/site":
			p = b.post("/signin/site", url.Values{"site": {string(b.w.xero.ID)}})
		case here == "" && strings.Contains(p.body, `action="/oauth/continue"`):
			on.proof++
			p = b.post("/oauth/continue", url.Values{"request": {field(b.w.t, p.body, "request")}})
		case here != "":
			p = b.get(to)
		default:
			b.w.t.Fatalf("%d, and nothing leads on: %s", p.status, p.body)
		}
	}
	b.w.t.Fatal("it never ends")
	return nil, on
}

func next(t *testing.T, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("next")
}

func field(t *testing.T, body, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("the page has no field %s", name)
	}
	return found[1]
}

func (w *world) code(who user.User) string {
	w.t.Helper()
	select {
	case code := <-w.mail.of(string(who.Login)):
		return code
	case <-time.After(time.Minute):
		w.t.Fatalf("no code came to %s", who.Login)
		return ""
	}
}

// tokens are what the token endpoint answers, or why not.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Error   string `json:"error"`
	status  int
}

// call posts a form as an application, by Basic where it has a secret.
func (w *world) call(a application, path string, form url.Values) (int, []byte) {
	w.t.Helper()
	form = maps.Clone(form)
	if a.secret == "" {
		form.Set("client_id", string(a.ID))
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.secret != "" {
		r.SetBasicAuth(url.QueryEscape(string(a.ID)), url.QueryEscape(a.secret))
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return out.StatusCode, body
}

func (w *world) token(a application, form url.Values) (got tokens) {
	w.t.Helper()
	status, body := w.call(a, "/oauth/token", form)
	if err := json.Unmarshal(body, &got); err != nil {
		w.t.Fatalf("%d: %s", status, body)
	}
	got.status = status
	return got
}

// redeem redeems a code, with some fields changed.
func (w *world) redeem(a application, code string, but map[string]string) tokens {
	w.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}}
	if len(a.Redirects) > 0 {
		form.Set("redirect_uri", a.Redirects[0])
	}
	for name, value := range but {
		if form.Set(name, value); value == "-" {
			form.Del(name)
		}
	}
	return w.token(a, form)
}

func (w *world) refresh(a application, text string) tokens {
	w.t.Helper()
	return w.token(a, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}})
}

// enter signs somebody in to an application, and gives its tokens.
func (w *world) enter(b *browser, a application, who user.User, but map[string]string) tokens {
	w.t.Helper()
	answer, _ := b.through(a.asks(but), who)
	got := w.redeem(a, answer.Get("code"), nil)
	if got.status != http.StatusOK || got.Access == "" || got.ID == "" {
		w.t.Fatalf("%v gave %+v", answer, got)
	}
	return got
}

// person is what userinfo says.
type person struct {
	Subject  string   `json:"sub"`
	Email    string   `json:"email"`
	Verified bool     `json:"email_verified"`
	Name     string   `json:"name"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	SID      string   `json:"sid"`
	Sites    []struct {
		ID, Ref, Name, Kind string
		UserRef             string `json:"user_ref"`
		Roles, Permissions  []string
		Satisfied           bool
	} `json:"sites"`
}

// userinfo asks with a token; ok is false where it is worth nothing.
func (w *world) userinfo(token string) (who person, ok bool) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/oauth/userinfo", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	p := (&browser{w, http.DefaultClient}).send(r)
	if p.status == http.StatusUnauthorized {
		return who, false
	}
	if err := json.Unmarshal([]byte(p.body), &who); err != nil || p.status != http.StatusOK {
		w.t.Fatalf("%d: %s", p.status, p.body)
	}
	return who, true
}

// active says whether a client is told that a token is worth something.
func (w *world) active(by application, token string) bool {
	w.t.Helper()
	status, body := w.call(by, "/oauth/introspect", url.Values{"token": {token}})
	var seen struct{ Active bool }
	if err := json.Unmarshal(body, &seen); err != nil || status != http.StatusOK {
		w.t.Fatalf("%d: %s", status, body)
	}
	return seen.Active
}

func sprint(v any) string { return fmt.Sprint(v) }
