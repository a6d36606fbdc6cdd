package signin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/setup"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

const (
	rightPassword = "correct horse battery staple"
	zoneName      = "Australia/Brisbane" // where no clock ever changes
)

// stored is the hash of rightPassword, made once for all tests.
var stored = sync.OnceValue(func() password.Stored {
	s, err := password.Parse(password.Hash(rightPassword))
	if err != nil {
		panic(err)
	}
	return s
})

// origin is where browsers meet it.
var origin = &url.URL{Scheme: "https", Host: "signin.example"}

// world is a vendor with two workshops whose people have the same names, and a third that
// requires nothing.
type world struct {
	db    *db.DB
	keys  *secret.Keys
	desk  *signin.Desk
	check *check.Checker
	setup *setup.Desk
	inbox *inbox
	phone *phone
	queue *job.Queue

	xero, twin, free site.Site
	// pat and twinPat, kim and twinKim share their names. Bo keeps the books of all three
	// sites.
	pat, twinPat, kim, twinKim, bo, alex user.User
}

// each runs a test in a fresh world on each engine, with the queue running.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	still(t, func(t *testing.T, w *world) {
		t.Helper()
		w.start(t)
		test(t, w)
	})
}

// still is each without anybody who sends the mails.
func still(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		w := open(t, rawURL, keys)
		// Nine in the morning there: the next 4 am is far away.
		zone := w.zone(t)
		nine := policy.NextFour(w.db.Clock.Now(), zone).Add(5 * time.Hour)
		w.db.Clock.Advance(nine.Sub(w.db.Clock.Now()))
		w.people(t)
		test(t, w)
	})
}

// open opens a database as a process does, with nobody in it.
func open(t *testing.T, rawURL string, keys *secret.Keys) *world {
	t.Helper()
	d := dbtest.Open(t, crowded(t, rawURL))
	log := slog.New(slog.DiscardHandler)
	w := &world{db: d, keys: keys, inbox: newInbox(), phone: newPhone(), setup: &setup.Desk{DB: d}}
	post := &message.Post{DB: d, Keys: keys}
	work := job.NewWork()
	post.Workers(work, message.Carriers{Codes: w.inbox, Notices: w.inbox, Texts: w.phone, LinkBase: origin})
	var err error
	if post.Jobs, err = job.New(d, work, "", log); err != nil {
		t.Fatal(err)
	}
	w.queue = post.Jobs
	passkeys, err := method.NewPasskeys(d, origin, "Workshop Software")
	if err != nil {
		t.Fatal(err)
	}
	facts := standing.Source{SMS: true, Countries: []string{"AU"}}
	w.desk = &signin.Desk{
		DB: d, Keys: keys, Post: post, Passkeys: passkeys, Standing: facts, Slots: &password.Slots{Size: 2},
		Floor: &password.Floor{}, Pace: &password.Floor{}, VendorName: "Workshop Software",
	}
	w.check = &check.Checker{DB: d, Log: log, Standing: facts}
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

func (w *world) start(t *testing.T) {
	t.Helper()
	if err := w.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.stop(t) })
}

// stop returns when every job that was begun has ended.
func (w *world) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.queue.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func (w *world) zone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := site.Zone(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	return zone
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
	w.xero = w.site(t, "bayside", "Bayside Auto")
	w.twin = w.site(t, "bayview", "Bayview Auto")
	w.free = w.site(t, "hilltop", "Hilltop Motors")
	w.connect(t, w.xero)
	w.pat = w.user(t, "pat@bayside.example", "Pat", "Lee")
	w.join(t, w.pat, w.xero, policy.GroupAdmin, policy.Office, policy.Active)
	w.twinPat = w.user(t, "pat@bayview.example", "Pat", "Lee")
	w.join(t, w.twinPat, w.twin, policy.GroupAdmin, policy.Office, policy.Active)
	w.kim = w.user(t, "kim@bayside.example", "Kim", "Osei")
	w.join(t, w.kim, w.xero, policy.GroupMechanic, policy.Office, policy.Active)
	w.twinKim = w.user(t, "kim@bayview.example", "Kim", "Osei")
	w.join(t, w.twinKim, w.twin, policy.GroupMechanic, policy.Office, policy.Active)
	w.alex = w.user(t, "alex@hilltop.example", "Alex", "Novak")
	w.join(t, w.alex, w.free, policy.GroupAdmin, policy.Office, policy.Active)
	w.bo = w.user(t, "bo@books.example", "Bo", "Ng")
	for _, s := range []site.Site{w.xero, w.twin, w.free} {
		w.join(t, w.bo, s, policy.GroupInvoicePayment, policy.Office, policy.Active)
	}
}

func (w *world) site(t *testing.T, ref, name string) site.Site {
	t.Helper()
	s, err := w.setup.AddSite(t.Context(), command, site.Site{Ref: ref, Name: name, Region: "AU", Zone: w.zone(t)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) connect(t *testing.T, s site.Site) {
	t.Helper()
	done, err := w.setup.ConnectXero(t.Context(), command, s.ID, setup.Connection{Organisation: s.Name, By: "Pat Lee"})
	if err != nil || !done {
		t.Fatal(done, err)
	}
}

func (w *world) user(t *testing.T, login, first, last string) user.User {
	t.Helper()
	return w.userWith(t, login, first, last, stored())
}

func (w *world) userWith(t *testing.T, login, first, last string, hash password.Stored) (who user.User) {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: last, Password: hash}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: who.ID, Kind: policy.Email, Address: string(name)})
		return err
	})
	return who
}

func (w *world) join(t *testing.T, who user.User, s site.Site, group policy.Group, kind policy.Kind, status policy.Status) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		return site.Join(ctx, tx, site.Membership{
			Site: s.ID, User: who.ID, UserRef: string(who.ID), Group: group, Kind: kind, Status: status,
		})
	})
}

// at is a browser in a network.
func at(browser, network string) session.Place {
	return session.Place{Browser: browser, Network: network, Agent: "Chrome on Windows"}
}

var home, elsewhere = at("home", "203.0.113.7"), at("elsewhere", "198.51.100.9")

func (w *world) try(t *testing.T, login, typed string, from session.Place) signin.Next {
	t.Helper()
	try := signin.Try{
		Login: login, Password: secret.NewText(typed), Place: from, Client: policy.ClientWeb, ReturnTo: "/me?x=1",
	}
	next, err := w.desk.Password(t.Context(), try)
	for range 5 { // a machine that is busy with other things may say so
		if errors.Is(err, fault.Busy) {
			next, err = w.desk.Password(t.Context(), try)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// begin types the right password, and gives the attempt that waits for a code.
func (w *world) begin(t *testing.T, who user.User, from session.Place) string {
	t.Helper()
	next := w.try(t, string(who.Login), rightPassword, from)
	if next.Step != signin.AskCode || next.Wrong != "" || next.Attempt == "" || next.Session != "" {
		t.Fatalf("after the right password: %+v", next)
	}
	return next.Attempt
}

func (w *world) code(t *testing.T, attempt, digits string) signin.Next {
	t.Helper()
	next, err := w.desk.Code(t.Context(), attempt, signin.Typed{Text: digits})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (w *world) send(t *testing.T, attempt string) signin.Next {
	t.Helper()
	next, err := w.desk.Choose(t.Context(), attempt, policy.Email)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// in goes through a whole sign-in with an email code and gives the session's token.
func (w *world) in(t *testing.T, who user.User, from session.Place) string {
	t.Helper()
	attempt := w.begin(t, who, from)
	next := w.code(t, attempt, w.inbox.code(t, who))
	if next.Step != signin.In || next.Session == "" {
		t.Fatalf("after the right code: %+v", next)
	}
	return next.Session
}

// through is the same for many at once.
func (w *world) through(ctx context.Context, who user.User, from session.Place) error {
	try := signin.Try{Login: string(who.Login), Password: secret.NewText(rightPassword), Place: from, Client: policy.ClientWeb}
	next, err := w.desk.Password(ctx, try)
	for range 3 { // a machine that is busy with other things may say so
		if errors.Is(err, fault.Busy) {
			next, err = w.desk.Password(ctx, try)
		}
	}
	if err != nil || next.Step != signin.AskCode || next.Wrong != "" {
		return fmt.Errorf("%s after the right password: %+v, %w", who.Login, next, err)
	}
	select {
	case l := <-w.inbox.box(string(who.Login)):
		next, err = w.desk.Code(ctx, next.Attempt, signin.Typed{Text: strings.ReplaceAll(shownCode.FindString(l.Text), " ", "")})
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil || next.Step != signin.In {
		return fmt.Errorf("%s after the right code: %+v, %w", who.Login, next, err)
	}
	return nil
}

// single signs somebody in of whom nothing more is required.
func (w *world) single(t *testing.T, who user.User, from session.Place) string {
	t.Helper()
	next := w.try(t, string(who.Login), rightPassword, from)
	if next.Step != signin.In || next.Session == "" {
		t.Fatalf("after the right password: %+v", next)
	}
	return next.Session
}

func (w *world) state(t *testing.T, token string) check.Answer {
	t.Helper()
	answer, err := w.check.Of(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (w *world) expect(t *testing.T, token string, want check.State) check.Answer {
	t.Helper()
	answer := w.state(t, token)
	if answer.State != want {
		t.Fatalf("the session is %q, not %q", answer.State, want)
	}
	return answer
}

func (w *world) view(t *testing.T, attempt string) signin.View {
	t.Helper()
	v, ok, err := w.desk.View(t.Context(), attempt)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return v
}

// trail is the user's audit trail, the oldest event first.
func (w *world) trail(t *testing.T, who id.User) []audit.Entry {
	t.Helper()
	var all []audit.Entry
	f := audit.Filter{User: who}
	for {
		page, err := audit.List(t.Context(), w.db, f, 200)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
		f.Before = page[len(page)-1].Place
	}
	slices.SortFunc(all, func(a, b audit.Entry) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

func (w *world) kinds(t *testing.T, who user.User) []audit.Kind {
	t.Helper()
	var all []audit.Kind
	for _, e := range w.trail(t, who.ID) {
		all = append(all, e.Kind)
	}
	return all
}

func (w *world) times(t *testing.T, who user.User, kind audit.Kind) int {
	t.Helper()
	n := 0
	for _, k := range w.kinds(t, who) {
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
