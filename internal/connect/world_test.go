package connect_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/integration"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
	"keyturn/internal/xero"
	"keyturn/internal/xero/fake"
)

const redirect = "http://127.0.0.1:8080/connect/xero/callback"

// world is two workshops whose people have the same names, and a Xero where a person has
// the books of both and another one has some of their own.
type world struct {
	db         *db.DB
	keys       *secret.Keys
	xero       *fake.Xero
	url        string
	desk       *connect.Desk
	site, twin site.Site
	pat, max   user.User
	twinPat    user.User
}

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		test(t, newWorld(t, dbtest.Open(t, rawURL)))
	})
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{db: d}
	var err error
	if w.keys, err = secret.Memory(); err != nil {
		t.Fatal(err)
	}
	if w.xero, err = fake.New(fake.App{ClientID: "app", ClientSecret: "s3cret", Redirect: redirect, Now: d.Clock.Now}); err != nil {
		t.Fatal(err)
	}
	w.xero.Add(fake.Person{ID: "books", Name: "Bev Lindqvist", Organisations: []fake.Organisation{
		{ID: "o-bayside", Name: "Bayside Auto Pty Ltd"}, {ID: "o-bayview", Name: "Bayview Auto Pty Ltd"}, {ID: "o-third", Name: "Third Pty Ltd"},
	}})
	w.xero.Add(fake.Person{ID: "other", Name: "Bev Lindqvist", Organisations: []fake.Organisation{
		{ID: "o-bayside", Name: "Bayside Auto Pty Ltd"}, {ID: "o-other", Name: "Bayside Auto Pty Ltd"},
	}})
	server := httptest.NewServer(w.xero)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.desk = w.node(t, d)
	w.site, w.pat, w.max = w.workshop(t, "bayside", "Bayside Auto")
	w.twin, w.twinPat, _ = w.workshop(t, "bayview", "Bayview Auto")
	return w
}

// node is one more process on a database.
func (w *world) node(t *testing.T, d *db.DB) *connect.Desk {
	t.Helper()
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client, err := xero.New(xero.App{ClientID: "app", ClientSecret: secret.NewText("s3cret"), Redirect: redirect, BaseURL: w.url, Now: d.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &connect.Desk{
		DB: d, Keys: w.keys, Xero: client, Post: &message.Post{DB: d, Keys: w.keys, Jobs: jobs}, Standing: standing.Source{Countries: []string{"AU"}},
	}
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref, name string) (s site.Site, pat, mx user.User) {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: name, Region: "AU", Zone: zone})
		return err
	})
	pat = w.member(t, s, "pat@"+ref+".example", "Pat", policy.GroupAdmin)
	mx = w.member(t, s, "max@"+ref+".example", "Max", policy.GroupAdmin)
	w.member(t, s, "kim@"+ref+".example", "Kim", policy.GroupMechanic)
	return s, pat, mx
}

func (w *world) member(t *testing.T, s site.Site, login, first string, group policy.Group) (who user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: "Osei"}); err != nil {
			return err
		}
		m := method.Method{User: who.ID, Kind: policy.Email, Address: login, Health: policy.HealthGood, ProvedAt: tx.Now.Add(-24 * time.Hour)}
		if _, err = method.Link(ctx, tx, m); err != nil {
			return err
		}
		return site.Join(ctx, tx, site.Membership{Site: s.ID, User: who.ID, UserRef: login, Group: group, Kind: policy.Office, Status: policy.Active})
	})
	return who
}

// in is somebody who proved who they are so long ago.
func (w *world) in(t *testing.T, who user.User, s site.Site, ago time.Duration) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: session.Place{Browser: "home", Network: "203.0.113.7", Agent: "Chrome on Windows"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		one, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: tx.Now.Add(-ago),
			Factor: string(policy.Email), FactorAt: tx.Now.Add(-ago), Place: b.Place, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err == nil {
			b.Session, _, err = session.Start(ctx, tx, one)
		}
		return err
	})
	return b
}

// went begins and is let in at Xero: what the browser comes back with.
func (w *world) went(t *testing.T, by authority.Bearer, tonight bool, person string, organisations ...string) connect.Back {
	t.Helper()
	to, refused, err := w.desk.Begin(t.Context(), by, tonight)
	if err != nil || refused != "" {
		t.Fatalf("begin: %q, %v", refused, err)
	}
	back, err := w.xero.Allow(to, person, organisations...)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	return connect.ReadBack(u.Query())
}

// connect is the whole of it, with one organisation.
func (w *world) connect(t *testing.T, by authority.Bearer, person, organisation string) {
	t.Helper()
	b := w.went(t, by, false, person, organisation)
	done, err := w.desk.Finish(t.Context(), by, b)
	if err != nil || done.Refused != "" {
		t.Fatalf("finish: %+v, %v", done, err)
	}
	if done.Choose == "" {
		return
	}
	all, err := w.desk.Choices(t.Context(), by, done.Choose)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Organisation == organisation {
			if refused, err := w.desk.Choose(t.Context(), by, done.Choose, c.Connection); refused != "" || err != nil {
				t.Fatalf("choose: %q, %v", refused, err)
			}
			return
		}
	}
	t.Fatalf("%s is not among %+v", organisation, all)
}

// now is how a site stands.
func (w *world) now(t *testing.T, s site.Site) connect.Status {
	t.Helper()
	got, err := w.desk.Status(t.Context(), w.db, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (w *world) is(t *testing.T, s site.Site, want policy.State) integration.Integration {
	t.Helper()
	got := w.now(t, s)
	if got.Connection == nil || got.Connection.State != want {
		t.Fatalf("%s is %+v; want %s", s.Name, got.Connection, want)
	}
	return *got.Connection
}

func (w *world) count(t *testing.T, text string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) events(t *testing.T, s site.Site, kind audit.Kind) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, s.ID, string(kind))
}

func (w *world) notices(t *testing.T, s site.Site, kind message.NoticeKind) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM notices WHERE site_id = $1 AND kind = $2`, s.ID, string(kind))
}

// meets is what a fresh sign-in of somebody gets now.
func (w *world) meets(t *testing.T, who user.User) policy.Outcome {
	t.Helper()
	now := w.db.Clock.Now()
	facts, err := w.desk.Standing.Of(t.Context(), w.db, now, standing.Asker{User: who, Client: policy.Client{Kind: policy.ClientWeb}})
	if err != nil {
		t.Fatal(err)
	}
	return policy.Decide(facts, now).Outcome
}

// look is one pass of every node's job, at a moment so much later.
func (w *world) look(t *testing.T, later time.Duration) {
	t.Helper()
	w.db.Clock.Advance(later)
	if err := w.desk.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}
