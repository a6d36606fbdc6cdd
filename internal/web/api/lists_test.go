package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/integration"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web/api"
)

// walk reads a list from its start to its end in pages of two, by the links of the pages,
// and has something come in after the first. It gives what the items are called.
func (w *world) walk(path, token, by string, between func()) (all []string) {
	w.t.Helper()
	for n := 0; path != ""; n++ {
		got := w.gets(http.StatusOK, "", http.MethodGet, path, token, "")
		page := into[struct {
			Items []map[string]any
			Next  string
		}](w.t, got)
		for _, item := range page.Items {
			all = append(all, fmt.Sprint(item[by]))
		}
		link := got.header.Get("Link")
		if (page.Next == "") != (link == "") || page.Next != "" && !strings.Contains(link, url.QueryEscape(page.Next)) || n > 30 {
			w.t.Fatalf("page %d of %s: %q, %q", n, path, page.Next, link)
		}
		if n == 0 {
			between()
		}
		link, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		path = strings.TrimPrefix(link, "https://signin.example")
	}
	return all
}

func TestAListInPagesHasEverythingOnceWhateverComesIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", slices.DeleteFunc(apikey.Scopes(), func(s apikey.Scope) bool { return s == apikey.XeroToken }))
		for i := range 3 {
			w.member(w.site, fmt.Sprint("V", i), fmt.Sprint("v", i), site.Membership{Group: policy.GroupSales, Kind: policy.Office, Status: policy.Active}, false)
			w.workshop(fmt.Sprint("T", i))
			w.topUp(w.site, fmt.Sprint("INV-", i))
			w.topUp(w.twin, fmt.Sprint("INV-", i))
			w.asksFor(w.site, fmt.Sprintf("new%d@s1.example", i))
		}
		if got := w.walk("/api/v1/sites?limit=2", token, "ref", func() { w.workshop("A0"); w.workshop("T00") }); !slices.Equal(got, []string{"S1", "S2", "T0", "T00", "T1", "T2"}) {
			t.Errorf("sites: %q", got)
		}
		came := func() {
			w.member(w.site, "A0", "a0", site.Membership{Group: policy.GroupSales, Kind: policy.Office, Status: policy.Active}, false)
		}
		if got := w.walk("/api/v1/sites/S1/users?limit=2", token, "user_ref", came); !slices.Equal(got, []string{"U1", "U2", "U3", "U4", "V0", "V1", "V2"}) {
			t.Errorf("members: %q", got)
		}
		for query, want := range map[string][]string{
			"group=Sales": {"A0", "V0", "V1", "V2"}, "status=inactive": {"U4"}, "kind=mobile": {"U3"}, "email=Kim%40S1.example": {"U2"}, "email=kim%40s2.example": nil,
		} {
			if got := w.walk("/api/v1/sites/S1/users?limit=2&"+query, token, "user_ref", func() {}); !slices.Equal(got, want) {
				t.Errorf("members by %s: %q", query, got)
			}
		}
		got := w.walk("/api/v1/sites/S1/requests?limit=2", token, "email", func() { w.asksFor(w.site, "late@s1.example") })
		if want := []string{"new2@s1.example", "new1@s1.example", "new0@s1.example"}; !slices.Equal(got, want) {
			t.Errorf("requests: %q", got)
		}
		got = w.walk("/api/v1/sites/S1/sms/statement?limit=2", token, "no", func() { w.topUp(w.site, "INV-9") })
		if !slices.Equal(got, []string{"4", "3", "2", "1"}) {
			t.Errorf("the statement: %q", got)
		}
		w.readsTrail(token)
	})
}

// readsTrail reads the trail of the first site, in which the requests of the test stand.
func (w *world) readsTrail(token string) {
	w.t.Helper()
	const path = "/api/v1/sites/S1/audit?limit=2"
	before := w.count(`SELECT COUNT(*) FROM audit_events WHERE site_id = $1`, w.site.ID)
	got := w.walk(path, token, "id", func() { w.asksFor(w.site, "later@s1.example") })
	once := slices.Compact(slices.Sorted(slices.Values(got)))
	if len(got) != before || len(once) != before {
		w.t.Errorf("%d events, %d of them once; there were %d", len(got), len(once), before)
	}
	if got := w.walk(path+"&kind=request.made", token, "kind", func() {}); len(got) != 5 {
		w.t.Errorf("%d requests", len(got))
	}
	now := w.db.Clock.Now()
	for query, want := range map[string]int{
		"&until=" + url.QueryEscape(now.Add(-time.Hour).Format(time.RFC3339)): 0,
		"&from=" + url.QueryEscape(now.Add(-time.Hour).Format(time.RFC3339)):  before + 2, // the request that came in, and the key that made it
		"&user_ref=U2": 0,
	} {
		if got := w.walk(path+query, token, "id", func() {}); len(got) != want {
			w.t.Errorf("%s: %d events, not %d", query, len(got), want)
		}
	}
	w.gets(http.StatusNotFound, "", http.MethodGet, path+"&user_ref=U99", token, "")
	list := into[struct{ Items []api.Event }](w.t, w.gets(http.StatusOK, "", http.MethodGet, path+"&kind=request.made", token, ""))
	if e := list.Items[0]; e.Actor.Kind != string(audit.ActorClient) || e.Personal["login"] != "later@s1.example" || e.Facts["group"] != "Sales" {
		w.t.Errorf("%+v", e)
	}
}

func (w *world) topUp(s site.Site, reference string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		_, err := balance.TopUp(ctx, tx, balance.TopUpOrder{Site: s.ID, Parts: 10, Reference: reference, By: command, ByName: "Ana Ruiz"})
		return err
	})
}

func (w *world) asksFor(s site.Site, email string) {
	w.t.Helper()
	token := w.key("asks for "+email, []apikey.Scope{apikey.WriteRequests}, s)
	w.gets(http.StatusCreated, "", http.MethodPost, "/api/v1/sites/"+s.Ref+"/requests", token,
		fmt.Sprintf(`{"asked_by":"U1","email":%q,"first_name":"Sal","group":"Sales","kind":"office"}`, email))
}

func TestACursorOfAnotherListOrOfNoneIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", apikey.Scopes(), w.site)
		cursors := []string{"%00", "x", "bm8", "WyJzaXRlcyIsIlMxIl0", "WyJ1c2VycyJd", "WyJ1c2VycyIsIlx1MDAwMCJd", "WzFd", strings.Repeat("a", 1001)}
		for _, path := range []string{"/api/v1/sites/S1/users", "/api/v1/sites/S1/requests", "/api/v1/sites/S1/sms/statement", "/api/v1/sites/S1/audit"} {
			for _, cursor := range append(cursors, "WyJzbXMiLCItMSJd", "WyJhdWRpdCIsIngiXQ", "WyJyZXF1ZXN0cyIsIjk5OTk5OTk5OTk5OTk5OTk5OTk5IiwieCJd") {
				if got := w.call(http.MethodGet, path+"?cursor="+cursor, token, ""); got.status != http.StatusUnprocessableEntity {
					t.Errorf("%s with %.40s: %d %s", path, cursor, got.status, got.body)
				}
			}
			for _, query := range []string{"limit=0", "limit=201", "limit=x", "limit=-1", "hunter2=1", "limit=9999999999999999999999"} {
				got := w.call(http.MethodGet, path+"?"+query, token, "")
				if got.status != http.StatusUnprocessableEntity || strings.Contains(got.body, "hunter2") {
					t.Errorf("%s with %s: %d %s", path, query, got.status, got.body)
				}
			}
		}
	})
}

func TestAProgramAsksForAUserInTheNameOfAnAdmin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.WriteRequests, apikey.ReadRequests}, w.site)
		const path, body = "/api/v1/sites/S1/requests", `{"asked_by":"U1","email":"sal@bay.example","first_name":"Sal","group":"Admin","kind":"office"}`
		made := into[api.Asked](t, w.gets(http.StatusCreated, "", http.MethodPost, path, token, body))
		r := into[api.Request](t, w.gets(http.StatusOK, "", http.MethodGet, path+"/"+made.ID, token, ""))
		if r.State != "asked" || r.AskedBy != "U1" || r.Group != "Admin" || r.Email != "sal@bay.example" || r.LastDay != "" {
			t.Errorf("%+v", r)
		}
		w.gets(http.StatusConflict, "already", http.MethodPost, path, token, body)
		for code, with := range map[string][2]string{
			"asker_gone": {"U1", "U2"}, "member": {"sal@bay.example", "kim@s1.example"}, "doubtful": {"sal@bay.example", "info@bay.example"},
		} {
			w.gets(http.StatusConflict, code, http.MethodPost, path, token, strings.Replace(body, with[0], with[1], 1))
		}
		w.gets(http.StatusConflict, "asker_gone", http.MethodPost, path, token, strings.Replace(body, "U1", "U99", 1))
		// Whose it is elsewhere makes no difference.
		w.gets(http.StatusCreated, "", http.MethodPost, path, token, strings.Replace(body, "sal@bay.example", "kim@s2.example", 1))
		for _, with := range [][2]string{{"sal@bay.example", "nobody"}, {`"office"`, `"mobile"`}, {`"office"`, `"office","last_day":"2020-01-01"`}, {`"office"`, `"office","mobile":"1"`}, {`Sal`, ` `}} {
			w.gets(http.StatusUnprocessableEntity, "", http.MethodPost, path, token, strings.Replace(body, with[0], with[1], 1))
		}
		foreign := w.key("twin", []apikey.Scope{apikey.ReadRequests}, w.twin)
		w.gets(http.StatusNotFound, "", http.MethodGet, "/api/v1/sites/S2/requests/"+made.ID, foreign, "")
		if n := w.count(`SELECT COUNT(*) FROM requests WHERE site_id = $1`, w.site.ID); n != 2 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestADecisionIsThatOfTheSignInAndChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("app", []apikey.Scope{apikey.AskDecision, apikey.WriteIntegrations}, w.site)
		ask := func(who, body string) (d api.Decision, keys []string) {
			t.Helper()
			d = into[api.Decision](t, w.gets(http.StatusOK, "", http.MethodPost, "/api/v1/sites/S1/users/"+who+"/decision", token, body))
			for _, y := range d.Why {
				keys = append(keys, y.Key)
				if y.Sentence == "" {
					t.Errorf("%s has no words", y.Key)
				}
			}
			return d, keys
		}
		if d, keys := ask("U2", `{"app":"web"}`); d.Outcome != "allow" || d.Asked || !slices.Equal(keys, []string{"nothing_required"}) || len(d.Ways) != 0 {
			t.Errorf("%+v", d)
		}
		if d, _ := ask("U2", `{"app":"web","acr":2}`); d.Outcome != "ask" || !d.Asked {
			t.Errorf("where the application asks: %+v", d)
		}
		w.call(http.MethodPut, "/api/v1/sites/S1/integrations/xero", token, `{"state":"connected","connected_at":"2024-03-12T01:30:00Z","by":"Pat Osei"}`)
		tables := []string{"audit_events", "messages", "attempts", "challenges", "sessions", "notices"}
		rows := func() (n []int) {
			for _, table := range tables {
				n = append(n, w.count(`SELECT COUNT(*) FROM `+table))
			}
			return n
		}
		before := rows()
		d, keys := ask("U2", `{"app":"web"}`)
		if !d.Asked || !slices.Contains(keys, "xero_connected") || !slices.Equal(d.Ways, []api.Way{{Method: "email", Masked: "k••@s1.example"}}) {
			t.Errorf("%+v", d)
		}
		if d, _ := ask("U1", `{"app":"web"}`); len(d.Ways) != 1 || !d.Ways[0].Proved {
			t.Errorf("the Admin: %+v", d)
		}
		for _, c := range []struct{ who, app, outcome, key string }{
			{"U3", "web", "refuse", "mobile_on_web"}, {"U3", "mobile", "allow", "mobile_exempt"}, {"U2", "mobile", "ask", "xero_connected"}, {"U4", "web", "refuse", "inactive"},
		} {
			if d, keys := ask(c.who, `{"app":"`+c.app+`"}`); d.Outcome != c.outcome || !slices.Contains(keys, c.key) {
				t.Errorf("%s on %s: %+v", c.who, c.app, d)
			}
		}
		for _, body := range []string{`{"app":"service"}`, `{}`, `{"app":"web","acr":5}`, `{"app":"web","passed":"totp"}`} {
			w.gets(http.StatusUnprocessableEntity, "", http.MethodPost, "/api/v1/sites/S1/users/U2/decision", token, body)
		}
		if after := rows(); !slices.Equal(before, after) {
			t.Errorf("%q had %v rows and have %v", tables, before, after)
		}
	})
}

func TestWhatConcernsNoOneSiteNeedsItsScope(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, o := range houseOps {
			right := w.key("for "+o.id, []apikey.Scope{o.scope})
			wrong := w.key("but "+o.id, slices.DeleteFunc(apikey.Scopes(), func(s apikey.Scope) bool { return s == o.scope || s == apikey.XeroToken }))
			want := http.StatusOK
			if o.id == "get-rollout" {
				want = http.StatusNotFound // there is none
			}
			w.gets(want, "", o.method, o.path, right, "")
			w.gets(http.StatusForbidden, "", o.method, o.path, wrong, "")
			w.gets(http.StatusUnauthorized, "", o.method, o.path, "", "")
		}
		w.rollsOut()
		all, one := w.key("all", []apikey.Scope{apikey.ReadRollout}), w.key("one", []apikey.Scope{apikey.ReadRollout}, w.site)
		r := into[api.Rollout](t, w.gets(http.StatusOK, "", http.MethodGet, "/api/v1/rollout", all, ""))
		if r.Name != "2FA for Xero" || r.State != "running" || len(r.Waves) != 1 || r.Waves[0].Name != "Pilot" || r.Waves[0].Sites != 1 || r.Waves[0].ToCome != 1 {
			t.Errorf("%+v", r)
		}
		w.gets(http.StatusNotFound, "", http.MethodGet, "/api/v1/rollout", one, "")
		s := into[api.SiteRollout](t, w.gets(http.StatusOK, "", http.MethodGet, "/api/v1/sites/S1/rollout", one, ""))
		if s.Phase != "preparing" || s.Date == nil || s.Required || s.Wave != 1 || s.WaveName != "Pilot" || s.Held != 1 || s.Extended != "2030-04-28" {
			t.Errorf("%+v", s)
		}
		groups := into[struct{ Items []api.Group }](t, w.gets(http.StatusOK, "", http.MethodGet, "/api/v1/groups", w.key("users", []apikey.Scope{apikey.ReadUsers}, w.site), ""))
		if len(groups.Items) != len(site.Groups()) || groups.Items[0].Name != "Admin" || !slices.Contains(groups.Items[0].Permissions, "users.manage") {
			t.Errorf("%+v", groups)
		}
	})
}

// rollsOut has a rollout run in which the first site has a date to come.
func (w *world) rollsOut() {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		date := tx.Now.AddDate(0, 1, 0)
		owner, err := site.Admins(ctx, tx, tx.Now, w.twin.ID)
		if err != nil {
			return err
		}
		for _, text := range []string{
			`INSERT INTO rollouts (rollout_id, name, owner, state, live, made_at, began_at) VALUES ('R1', '2FA for Xero', '` + string(owner[0]) + `', 'running', 'yes', 1, 2)`,
			`INSERT INTO rollout_waves (rollout_id, wave, name, pick, pick_value, day, state) VALUES ('R1', 1, 'Pilot', 'share', '100', '2030-04-14', 'planned')`,
			fmt.Sprintf(`INSERT INTO rollout_sites (site_id, rollout_id, wave, base, first_day, site_day, extended_to, held, dated, enforce_at)
			 VALUES ('%s', 'R1', 1, '2030-04-14', '2030-04-14', '2030-04-28', '2030-04-28', 1, 'stored', %d)`, w.site.ID, date.UnixMicro()),
		} {
			if err := tx.Change(ctx, text); err != nil {
				return err
			}
		}
		if _, err := integration.Join(ctx, tx, command, integration.Integration{Site: w.site.ID, Kind: policy.Xero, By: "Pat", Organisation: "Bayside"}, nil); err != nil {
			return err
		}
		return plan.Set(ctx, tx, plan.Plan{Site: w.site.ID, BeganAt: tx.Now.Add(time.Hour), EnforceAt: date})
	})
}
