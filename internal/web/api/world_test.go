package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/request"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
	"keyturn/internal/web/api"
	"keyturn/internal/web/webtest"
)

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

// world is the API before two workshops whose people have the same names and references.
type world struct {
	t          *testing.T
	db         *db.DB
	keys       *secret.Keys
	api        *api.API
	handler    http.Handler
	site, twin site.Site
	paths      map[string]map[string]described
	request    id.Request
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { t.Helper(); test(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := job.New(d, nil, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	kit := webtest.New(t, api.Face())
	facts := standing.Source{Countries: []string{"AU"}}
	w := &world{t: t, db: d, keys: keys}
	post := &message.Post{DB: d, Keys: keys, Jobs: jobs}
	help := &rescue.Desk{DB: d, Keys: keys, Post: post, Jobs: jobs, VendorName: "Keyturn", Standing: facts}
	w.api, err = api.New(api.Parts{
		Kit: kit, DB: d, Keys: keys, Ready: readiness.Source{Standing: facts}, Setup: &setup.Desk{DB: d, Post: post, Standing: facts},
		Connect: &connect.Desk{DB: d, Keys: keys, Post: post, Standing: facts},
		Members: &member.Desk{
			DB: d, Post: post, Standing: facts, Login: &login.Desk{DB: d, Post: post, VendorName: "Keyturn", Invite: help.InviteFirst},
			Domains: member.Domains{Real: []string{"example"}}, Countries: []string{"AU"}, VendorName: "Keyturn",
			Invite: help.InviteFirst, EndGiven: help.EndGivenBy,
		},
		Requests: &request.Desk{DB: d, Post: post, Standing: facts, Countries: []string{"AU"}, VendorName: "Keyturn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.paths = w.document(t).Paths
	for path, one := range w.paths {
		for method := range one {
			mux.Handle(strings.ToUpper(method)+" "+path, w.api)
		}
	}
	mux.Handle("GET "+api.Document, w.api.Describe())
	mux.Handle("GET "+api.Reference, w.api.Reference())
	mux.Handle("/api/", w.api.Lost())
	w.handler = kit.Wrap(mux)
	w.site, w.twin = w.workshop("S1"), w.workshop("S2")
	return w
}

func (w *world) do(fn func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Do(w.t.Context(), func(tx *db.Tx) error { return fn(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) workshop(ref string) (s site.Site) {
	w.t.Helper()
	zone, err := site.Zone("Australia/Brisbane")
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(func(ctx context.Context, tx *db.Tx) error {
		s, err = site.Add(ctx, tx, site.Site{Ref: ref, Name: "Bayside Auto", Region: "AU", Zone: zone})
		return err
	})
	w.member(s, "U1", "pat", site.Membership{Group: policy.GroupAdmin, Kind: policy.Office, Status: policy.Active}, true)
	w.member(s, "U2", "kim", site.Membership{Group: policy.GroupMechanic, Kind: policy.Office, Status: policy.Active}, false)
	w.member(s, "U3", "ari", site.Membership{Group: policy.GroupMechanic, Kind: policy.Mobile, Status: policy.Active}, false)
	w.member(s, "U4", "lou", site.Membership{Group: policy.GroupMechanic, Kind: policy.Office, Status: policy.Inactive}, false)
	return s
}

func (w *world) member(s site.Site, ref, first string, m site.Membership, proved bool) {
	w.t.Helper()
	name, err := address.Login(first + "@" + strings.ToLower(s.Ref) + ".example")
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(func(ctx context.Context, tx *db.Tx) error {
		who, err := user.Add(ctx, tx, user.User{Login: name, FirstName: first, LastName: "Osei"})
		if err != nil {
			return err
		}
		way := method.Method{User: who.ID, Kind: policy.Email, Address: string(name), Health: policy.HealthGood}
		if proved {
			way.ProvedAt = tx.Now.Add(-24 * time.Hour)
		}
		if _, err := method.Link(ctx, tx, way); err != nil {
			return err
		}
		m.Site, m.User, m.UserRef = s.ID, who.ID, ref
		return site.Join(ctx, tx, m)
	})
}

// asks has the first site ask for a user, and the twin for one of the same name.
func (w *world) asks() {
	w.t.Helper()
	for _, s := range []site.Site{w.twin, w.site} {
		token := w.key("asks "+s.Ref, []apikey.Scope{apikey.WriteRequests}, s)
		got := w.call(http.MethodPost, "/api/v1/sites/"+s.Ref+"/requests", token,
			`{"asked_by":"U1","email":"sal@bay.example","first_name":"Sal","last_name":"Osei","group":"Sales","kind":"office","last_day":"`+
				w.db.Clock.Now().AddDate(0, 1, 0).Format(time.DateOnly)+`"}`)
		var made struct{ ID id.Request }
		if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated || made.ID == "" {
			w.t.Fatalf("%d %s", got.status, got.body)
		}
		w.request = made.ID
	}
}

// key makes a key for all sites or for some.
func (w *world) key(name string, scopes []apikey.Scope, sites ...site.Site) (token string) {
	w.t.Helper()
	o := apikey.Order{Name: name, Scopes: scopes, All: len(sites) == 0}
	for _, s := range sites {
		o.Sites = append(o.Sites, s.ID)
	}
	w.do(func(ctx context.Context, tx *db.Tx) error {
		_, made, err := apikey.Make(ctx, tx, command, o)
		token = made.Reveal()
		return err
	})
	return token
}

func (w *world) end(name string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		_, err := apikey.End(ctx, tx, command, name)
		return err
	})
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem reads an answer that must be problem JSON.
func (a answer) problem(t *testing.T) (p api.Problem) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%d is %s", a.status, got)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Status != a.status || p.Title == "" || p.Detail == "" || p.Reference == "" {
		t.Errorf("%d is no problem: %s", a.status, a.body)
	}
	return p
}

// call sends one call; the headers are pairs.
func (w *world) call(method, path, token, body string, headers ...string) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	got := answer{out.Code, out.Header(), out.Body.String()}
	w.fits(method, r.URL.Path, got)
	return got
}

func (w *world) count(text string, args ...any) int {
	w.t.Helper()
	n, err := db.One(w.t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, text, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) events(s id.Site, kind audit.Kind) int {
	w.t.Helper()
	return w.count(`SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, s, string(kind))
}
