package webhook_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/outward"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
	"keyturn/internal/webhook"
)

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

// world is a product at work, two workshops whose people have the same names, and a
// bookkeeper of both.
type world struct {
	db         *db.DB
	keys       *secret.Keys
	desk       *webhook.Desk
	site, twin site.Site
	pat, twins id.User
	books      id.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		w := &world{db: d}
		var err error
		if w.keys, err = secret.Memory(); err != nil {
			t.Fatal(err)
		}
		w.desk = w.node(t, "node:test;")
		w.site, w.twin = w.workshop(t, "S1"), w.workshop(t, "S2")
		w.pat, w.twins = w.member(t, "pat@bayside.example", w.site), w.member(t, "pat@bayview.example", w.twin)
		w.books = w.member(t, "books@example.example", w.site, w.twin)
		w.pump(t) // what the people's coming left: nobody is told of it
		test(t, w)
	})
}

// node is one more process on the database, whose jobs are worked on.
func (w *world) node(t *testing.T, name string) *webhook.Desk {
	t.Helper()
	public, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	desk := &webhook.Desk{
		DB: w.db, Keys: w.keys, Standing: standing.Source{Countries: []string{"AU"}}, Log: slog.New(slog.DiscardHandler),
		Way: outward.NewWay(public, outward.DNS, nil),
	}
	work := job.NewWork()
	desk.Workers(work)
	jobs, err := job.New(w.db, work, name, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	desk.Post = &message.Post{DB: w.db, Keys: w.keys, Jobs: jobs}
	if err := jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := jobs.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return desk
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) workshop(t *testing.T, ref string) (s site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: "Bayside Auto", Region: "AU", Zone: time.UTC})
		return err
	})
	return s
}

func (w *world) member(t *testing.T, login string, at ...site.Site) id.User {
	t.Helper()
	name, err := address.Login(login)
	if err != nil {
		t.Fatal(err)
	}
	var who user.User
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		if who, err = user.Add(ctx, tx, user.User{Login: name, FirstName: "Pat", LastName: "Chen"}); err != nil {
			return err
		}
		for _, s := range at {
			m := site.Membership{Site: s.ID, User: who.ID, UserRef: "U-" + s.Ref + "-" + login, Group: policy.GroupAdmin, Kind: policy.Office, Status: policy.Active}
			if err := site.Join(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return who.ID
}

// happens records an event, as any change does.
func (w *world) happens(t *testing.T, e audit.Event) {
	t.Helper()
	e.Actor = command
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return audit.Record(ctx, tx, e) })
}

func (w *world) pump(t *testing.T) {
	t.Helper()
	if err := w.desk.Pump(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// endpoint registers a receiver.
func (w *world) endpoint(t *testing.T, r *receiver, o webhook.Order) (e webhook.Endpoint, key string) {
	t.Helper()
	o.URL = r.url
	if o.Name == "" {
		o.Name = "host"
	}
	o.All = len(o.Sites) == 0
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		made, text, wrong, err := w.desk.Make(ctx, tx, command, o)
		if err == nil && wrong != "" {
			t.Fatalf("an endpoint that cannot be: %s", wrong)
		}
		e, key = made, text.Reveal()
		return err
	})
	return e, key
}

func (w *world) read(t *testing.T, which id.Webhook) webhook.Endpoint {
	t.Helper()
	e, err := webhook.ByID(t.Context(), w.db, which)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *world) log(t *testing.T, which id.Webhook) []webhook.Delivery {
	t.Helper()
	all, err := webhook.Log(t.Context(), w.db, which, "", "", 200)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// settles waits until the newest delivery has a state other than on its way.
func (w *world) settles(t *testing.T, which id.Webhook, want webhook.State) webhook.Delivery {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		all := w.log(t, which)
		if len(all) > 0 && all[0].State == want && (want == webhook.Held || all[0].Attempts > 0) {
			return all[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %s: %+v", want, all)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// call is one request that a receiver got.
type call struct {
	header http.Header
	body   []byte
}

func (c call) reads(t *testing.T) (b struct {
	Type string    `json:"type"`
	At   time.Time `json:"timestamp"`
	Data struct {
		Event   string            `json:"event_id"`
		Change  string            `json:"change"`
		By      string            `json:"by"`
		User    string            `json:"user_id"`
		Details map[string]string `json:"details"`
		Sites   []struct {
			ID      string `json:"id"`
			Ref     string `json:"ref"`
			UserRef string `json:"user_ref"`
		} `json:"sites"`
	} `json:"data"`
},
) {
	t.Helper()
	if err := json.Unmarshal(c.body, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// verified has the library of Standard Webhooks judge a call.
func (c call) verified(t *testing.T, key string) bool {
	t.Helper()
	checker, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	return checker.VerifyIgnoringTimestamp(c.body, c.header) == nil
}

// receiver is a program outside.
type receiver struct {
	url    string
	calls  chan call
	status atomic.Int64
	after  atomic.Value
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{calls: make(chan call, 1000)}
	r.status.Store(http.StatusNoContent)
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.calls <- call{q.Header.Clone(), body}
		if after, ok := r.after.Load().(string); ok {
			answer.Header().Set("Retry-After", after)
		}
		answer.WriteHeader(int(r.status.Load()))
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/hook"
	return r
}

func (r *receiver) next(t *testing.T) call {
	t.Helper()
	select {
	case c := <-r.calls:
		return c
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return call{}
}

func (r *receiver) quiet(t *testing.T) {
	t.Helper()
	select {
	case c := <-r.calls:
		t.Fatalf("something came: %s", c.body)
	default:
	}
}
