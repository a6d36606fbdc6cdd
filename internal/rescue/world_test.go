package rescue_test

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/setup"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

const (
	rightPassword = "grease under every nail"
	newPassword   = "thirty rusty spanners"
)

// stored is the hash of rightPassword, made once for all tests.
var stored = sync.OnceValue(func() password.Stored {
	s, err := password.Parse(password.Hash(rightPassword))
	if err != nil {
		panic(err)
	}
	return s
})

// world is a vendor with three members of staff and two workshops whose people have the
// same names.
type world struct {
	db     *db.DB
	keys   *secret.Keys
	desk   *rescue.Desk
	signin *signin.Desk

	site, twin site.Site
	// pat and max are Admins, kim a Mechanic; the twins have their names at the other
	// site. Bo is a member of both sites.
	pat, max, kim, twinPat, twinMax, twinKim, bo user.User
	sam, toni, uma                               user.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		w := open(t, rawURL)
		w.people(t)
		test(t, w)
	})
}

func open(t *testing.T, rawURL string) *world {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	d := dbtest.Open(t, crowded(t, rawURL))
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	post := &message.Post{DB: d, Keys: keys, Jobs: jobs}
	slots := &password.Slots{Size: 2}
	w := &world{db: d, keys: keys}
	w.signin = &signin.Desk{
		DB: d, Keys: keys, Post: post, Slots: slots, Floor: &password.Floor{}, Pace: &password.Floor{}, VendorName: "Workshop Software",
		Standing: standing.Source{SMS: true, Countries: []string{"AU"}},
	}
	w.desk = &rescue.Desk{
		DB: d, Keys: keys, Post: post, Jobs: jobs, Slots: slots, Pace: &password.Floor{}, VendorName: "Workshop Software",
		OpenEnrol: w.signin.OpenEnrol, ShutEnrols: w.signin.ShutEnrols, BeginEnrol: w.signin.BeginEnrol, Standing: w.signin.Standing,
	}
	return w
}

// crowded lets many transactions run at once on PostgreSQL.
func crowded(t *testing.T, rawURL string) string {
	t.Helper()
	if !strings.HasPrefix(rawURL, "postgres") {
		return rawURL
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("pool_max_conns", "12")
	u.RawQuery = q.Encode()
	return u.String()
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

func (w *world) people(t *testing.T) {
	t.Helper()
	w.site, w.twin = w.workshop(t, "bayside", "Bayside Auto"), w.workshop(t, "bayview", "Bayview Auto")
	w.pat, w.max, w.kim = w.crew(t, w.site, "bayside.example")
	w.twinPat, w.twinMax, w.twinKim = w.crew(t, w.twin, "bayview.example")
	w.bo = w.user(t, "bo@books.example", "Bo", "Ng")
	w.join(t, w.bo, w.site, policy.GroupInvoicePayment)
	w.join(t, w.bo, w.twin, policy.GroupInvoicePayment)
	w.sam, w.toni, w.uma = w.staff(t, "sam"), w.staff(t, "toni"), w.staff(t, "uma")
	for _, who := range []user.User{w.sam, w.toni, w.uma} {
		w.looksAfter(t, who, w.site)
		w.looksAfter(t, who, w.twin)
	}
}

func (w *world) crew(t *testing.T, s site.Site, domain string) (pat, mx, kim user.User) {
	t.Helper()
	pat, mx, kim = w.user(t, "pat@"+domain, "Pat", "Lee"), w.user(t, "max@"+domain, "Max", "Ito"), w.user(t, "kim@"+domain, "Kim", "Osei")
	w.join(t, pat, s, policy.GroupAdmin)
	w.join(t, mx, s, policy.GroupAdmin)
	w.join(t, kim, s, policy.GroupMechanic)
	return pat, mx, kim
}

func (w *world) workshop(t *testing.T, ref, name string) site.Site {
	t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	desk := &setup.Desk{DB: w.db}
	s, err := desk.AddSite(t.Context(), command, site.Site{Ref: ref, Name: name, Region: "AU", Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.ConnectXero(t.Context(), command, s.ID, setup.Connection{Organisation: name, By: "Pat Lee"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) user(t *testing.T, login, first, last string) (who user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: last, Password: stored()}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: string(name)})
		return err
	})
	return who
}

func (w *world) join(t *testing.T, who user.User, s site.Site, group policy.Group) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{
			Site: s.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: policy.Office, Status: policy.Active,
		})
	})
}

// staff adds a member of staff with an authenticator.
func (w *world) staff(t *testing.T, name string) user.User {
	t.Helper()
	who := w.user(t, name+"@workshopsoftware.example", strings.ToUpper(name[:1])+name[1:], "Staff")
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if err := user.MakeStaff(ctx, tx, who.ID); err != nil {
			return err
		}
		_, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.TOTP, ProvedAt: tx.Now})
		return err
	})
	who.Staff = true
	return who
}

// looksAfter gives a site to a member of staff, for good.
func (w *world) looksAfter(t *testing.T, who user.User, s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return authority.Give(ctx, tx, authority.Gift{User: who.ID, Site: s.ID, By: who.ID, Reason: "test"})
	})
}

// prove gives somebody another way, as if proved long ago.
func (w *world) prove(t *testing.T, who user.User, kind policy.MethodKind, to string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := method.Link(ctx, tx, method.Method{User: who.ID, Kind: kind, Address: to, ProvedAt: tx.Now})
		return err
	})
}

func (w *world) change(t *testing.T, text string, args ...any) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return tx.Change(ctx, text, args...) })
}

func at(browser, network string) session.Place {
	return session.Place{Browser: browser, Network: network, Agent: "Chrome on Windows"}
}

var home, elsewhere = at("home", "203.0.113.7"), at("elsewhere", "198.51.100.9")

// in is somebody who has just passed their second factor: by the authenticator if they are
// staff, by mail otherwise.
func (w *world) in(t *testing.T, who user.User, s site.Site) authority.Bearer {
	t.Helper()
	a := authority.Bearer{User: who, Place: home}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh := session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: s.ID, PasswordAt: tx.Now,
			Factor: string(policy.Email), FactorAt: tx.Now, Place: home, EndsAt: tx.Now.Add(10 * time.Hour),
		}
		if who.Staff {
			fresh.Factor = string(policy.TOTP)
		}
		fresh, err := session.Under(ctx, tx, fresh)
		if err != nil {
			return err
		}
		a.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return a
}

// onDuty is a member of staff who has just signed in.
func (w *world) onDuty(t *testing.T, who user.User) authority.Bearer {
	t.Helper()
	return w.in(t, who, site.Site{})
}

// door is somebody who gave the right password, and the token of the attempt.
func (w *world) door(t *testing.T, who user.User, s site.Site) (rescue.Waiting, string) {
	t.Helper()
	next, err := w.signin.Password(t.Context(), signin.Try{
		Login: string(who.Login), Password: secret.NewText(rightPassword), Place: elsewhere, Client: policy.ClientWeb,
	})
	if err != nil || next.Wrong != "" || next.Attempt == "" {
		t.Fatalf("%s at the door: %+v, %v", who.Login, next, err)
	}
	attempts := texts(t, w.db, `SELECT attempt_id FROM attempts WHERE user_id = '`+string(who.ID)+`' ORDER BY created_at DESC, attempt_id DESC LIMIT 1`)
	return rescue.Waiting{User: who.ID, Attempt: id.Attempt(attempts[0]), Site: s.ID, Place: elsewhere}, next.Attempt
}

// enrolling says whether the attempt of a token is an enrol-only session now.
func (w *world) enrolling(t *testing.T, token string) bool {
	t.Helper()
	_, _, ok, err := w.signin.Enrolling(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// secrets are those of the messages of a kind to somebody, the oldest first, opened as
// the worker does.
func (w *world) secrets(t *testing.T, who user.User, kind message.Kind) []string {
	t.Helper()
	type row struct {
		id     string
		sealed []byte
	}
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (one row, err error) { return one, r.Scan(&one.id, &one.sealed) },
		`SELECT message_id, sealed FROM messages WHERE user_id = $1 AND kind = $2 ORDER BY message_id`, who.ID, string(kind))
	if err != nil {
		t.Fatal(err)
	}
	var plain []string
	for _, one := range all {
		text, err := w.keys.Open(secret.Place{Owner: string(who.ID), Table: "messages", Row: one.id, Column: "sealed"}, one.sealed)
		if err != nil {
			t.Fatal(err)
		}
		plain = append(plain, string(text))
	}
	return plain
}

// told are the kinds of notices that somebody got, sorted.
func (w *world) told(t *testing.T, who user.User) []string {
	t.Helper()
	return texts(t, w.db, `SELECT kind FROM notices WHERE user_id = '`+string(who.ID)+`' ORDER BY kind, notice_id`)
}

func (w *world) kinds(t *testing.T, f audit.Filter) []audit.Kind {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, f, 200)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []audit.Kind
	for _, e := range slices.Backward(all) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// count is how many events of a kind are about somebody, and stand in the chain of a site
// if one is named.
func (w *world) count(t *testing.T, who user.User, s id.Site, kind audit.Kind) int {
	t.Helper()
	n := 0
	for _, k := range w.kinds(t, audit.Filter{User: who.ID, Site: s}) {
		if k == kind {
			n++
		}
	}
	return n
}

func texts(t *testing.T, from db.Reader, query string) []string {
	t.Helper()
	all, err := db.Many(t.Context(), from, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, query)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// together runs the same thing many times at once, and gives what each said.
func together[T any](t *testing.T, n int, fn func(i int) (T, error)) []T {
	t.Helper()
	out, errs := make([]T, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i], errs[i] = fn(i) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	return out
}

func countOf[T comparable](all []T, one T) int {
	n := 0
	for _, v := range all {
		if v == one {
			n++
		}
	}
	return n
}
