package enrol_test

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/check"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/enrol"
	"keyturn/internal/job"
	"keyturn/internal/login"
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

const rightPassword = "correct horse battery staple"

// stored is the hash of rightPassword, made once for all tests.

var stored = sync.OnceValue(func() password.Stored {
	s, err := password.Parse(password.Hash(rightPassword))
	if err != nil {
		panic(err)
	}
	return s
})

var (
	origin  = &url.URL{Scheme: "https", Host: "signin.example"}
	command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}
	home    = session.Place{Browser: "home", Network: "203.0.113.7", Agent: "Chrome on Windows"}
	away    = session.Place{Browser: "away", Network: "198.51.100.9", Agent: "Safari on iPhone"}
)

// world is a vendor with two workshops whose people have the same names. Bo keeps the

// books of both, under two logins.

type world struct {
	db    *db.DB
	keys  *secret.Keys
	desk  *enrol.Desk
	door  *signin.Desk
	check *check.Checker
	inbox *inbox
	queue *job.Queue

	bay, view                             site.Site
	pat, twinPat, kim, twinKim, bo, twoBo user.User

	mu     sync.Mutex
	bursts int
}

// each runs a test in a fresh world on each engine, with the queue running.

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
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		t.Fatal(err)
	}
	// Nine in the morning there: the next 4 am is far away.
	d.Clock.Advance(policy.NextFour(d.Clock.Now(), zone).Add(5 * time.Hour).Sub(d.Clock.Now()))
	log := slog.New(slog.DiscardHandler)
	w := &world{db: d, keys: keys, inbox: newInbox()}
	post := &message.Post{DB: d, Keys: keys}
	work := job.NewWork()
	post.Workers(work, message.Carriers{Codes: w.inbox, Notices: w.inbox, Texts: w.inbox, LinkBase: origin})
	if post.Jobs, err = job.New(d, work, "", log); err != nil {
		t.Fatal(err)
	}
	w.queue = post.Jobs
	passkeys, err := method.NewPasskeys(d, origin, "Workshop Software")
	if err != nil {
		t.Fatal(err)
	}
	facts := standing.Source{SMS: true, Countries: []string{"AU", "NZ"}}
	slots := &password.Slots{Size: 2}
	w.door = &signin.Desk{
		DB: d, Keys: keys, Post: post, Passkeys: passkeys, Standing: facts, Slots: slots,
		Floor: &password.Floor{}, Pace: &password.Floor{}, VendorName: "Workshop Software",
	}
	w.desk = &enrol.Desk{
		DB: d, Keys: keys, Post: post, Standing: facts, Passkeys: passkeys, Slots: slots, Countries: facts.Countries,
		VendorName: "Workshop Software", EndEnrol: w.door.EndEnrol,
		Login: &login.Desk{DB: d, Post: post, VendorName: "Workshop Software"},
		Burst: func() { w.mu.Lock(); defer w.mu.Unlock(); w.bursts++ },
	}
	w.door.Joined = w.desk.Join
	w.check = &check.Checker{DB: d, Log: log, Standing: facts}
	if err := w.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := w.queue.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
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

func (w *world) people(t *testing.T) {
	t.Helper()
	w.bay, w.view = w.site(t, "bayside", "Bayside Auto"), w.site(t, "bayview", "Bayview Auto")
	w.pat, w.twinPat = w.user(t, "pat@bayside.example", "Pat", "Lee"), w.user(t, "pat@bayview.example", "Pat", "Lee")
	w.kim, w.twinKim = w.user(t, "kim@bayside.example", "Kim", "Osei"), w.user(t, "kim@bayview.example", "Kim", "Osei")
	w.bo, w.twoBo = w.user(t, "bo@books.example", "Bo", "Ng"), w.user(t, "bo.ng@books.example", "Bo", "Ng")
	w.join(t, w.pat, w.bay, policy.GroupAdmin)
	w.join(t, w.twinPat, w.view, policy.GroupAdmin)
	w.join(t, w.kim, w.bay, policy.GroupMechanic)
	w.join(t, w.twinKim, w.view, policy.GroupMechanic)
	w.join(t, w.bo, w.bay, policy.GroupInvoicePayment)
	w.join(t, w.twoBo, w.view, policy.GroupInvoicePayment)
}

// site makes a workshop with Xero, where everybody must pass a second factor.

func (w *world) site(t *testing.T, ref, name string) site.Site {
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
	done, err := desk.ConnectXero(t.Context(), command, s.ID, setup.Connection{Organisation: name, By: "Pat Lee"})
	if err != nil || !done {
		t.Fatal(done, err)
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := balance.TopUp(ctx, tx, balance.TopUpOrder{Site: s.ID, Parts: 500, By: command, ByName: "test", Reference: "first"})
		return err
	})
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
		_, err = method.Link(ctx, tx, method.Method{
			User: who.ID, Kind: policy.Email, Address: string(name), ProvedAt: tx.Now.Add(-30 * 24 * time.Hour),
		})
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

// proof is what a session proved, and how long ago.

type proof struct {
	factor   policy.MethodKind
	password time.Duration
	passed   time.Duration
}

var freshEmail = proof{factor: policy.Email, password: time.Minute, passed: time.Minute}

// in starts a session with a proof, at the user's first site.

func (w *world) in(t *testing.T, who user.User, p proof) (enrol.Holder, string) {
	t.Helper()
	return w.inFrom(t, who, p, home)
}

func (w *world) inFrom(t *testing.T, who user.User, p proof, from session.Place) (h enrol.Holder, token string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		s := session.Session{User: who.ID, Client: string(policy.ClientWeb), Place: from}
		all, err := site.MembershipsOf(ctx, tx, who.ID)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			s.Site = all[0].Site
		}
		if s, err = session.Under(ctx, tx, s); err != nil {
			return err
		}
		s.PasswordAt, s.EndsAt = tx.Now.Add(-p.password), tx.Now.Add(10*time.Hour)
		if p.factor != "" {
			s.Factor, s.FactorAt = string(p.factor), tx.Now.Add(-p.passed)
		}
		s, token, err = session.Start(ctx, tx, s)
		h = enrol.Holder{User: who, Session: s, Place: from}
		return err
	})
	return h, token
}

// again gives the holder of a session that goes on under a new token.

func (w *world) again(t *testing.T, h enrol.Holder, token string) enrol.Holder {
	t.Helper()
	s, err := session.ByToken(t.Context(), w.db, token)
	if err != nil {
		t.Fatal(err)
	}
	h.Session = s
	return h
}

// enrolling gives the right password, and has somebody let the person in to enrol.

func (w *world) enrolling(t *testing.T, who user.User) (enrol.Holder, string) {
	t.Helper()
	token := w.attempt(t, who)
	a := w.attemptOf(t, token)
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.door.OpenEnrol(ctx, tx, who.ID, a.ID, "approval") })
	return enrol.Holder{User: who, Enrol: &enrol.EnrolOnly{Attempt: a.ID, Site: a.Site, By: "approval"}, Place: home}, token
}

func (w *world) try(who user.User) signin.Try {
	return signin.Try{Login: string(who.Login), Password: secret.NewText(rightPassword), Place: home, Client: policy.ClientWeb}
}

// attempt is a sign-in that waits for its second factor.

func (w *world) attempt(t *testing.T, who user.User) string {
	t.Helper()
	next, err := w.door.Password(t.Context(), w.try(who))
	if err != nil || next.Attempt == "" {
		t.Fatalf("the right password: %+v, %v", next, err)
	}
	return next.Attempt
}

func (w *world) attemptOf(t *testing.T, token string) signin.Attempt {
	t.Helper()
	v, ok, err := w.door.View(t.Context(), token)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return v.Attempt
}
