package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/message"
	"keyturn/internal/web/api"
)

// gets is a call that must be answered with a status and, if one is given, a code.
func (w *world) gets(status int, code, method, path, token, body string, headers ...string) answer {
	w.t.Helper()
	got := w.call(method, path, token, body, headers...)
	var p api.Problem
	_ = json.Unmarshal([]byte(got.body), &p)
	if got.status != status || p.Code != code && status >= http.StatusBadRequest {
		w.t.Errorf("%s %s %s: %d %s, not %d %s", method, path, body, got.status, got.body, status, code)
	}
	return got
}

func into[T any](t *testing.T, got answer) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Fatalf("%s: %v", got.body, err)
	}
	return v
}

func TestAProductKeepsItsSites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		all, one := w.key("all", []apikey.Scope{apikey.ReadSites, apikey.WriteSites}), w.key("one", []apikey.Scope{apikey.ReadSites, apikey.WriteSites}, w.site)
		const is = `{"name":"Corner Garage","region":"NZ","time_zone":"Pacific/Auckland","account_manager":"Ana@Vendor.example"}`
		w.gets(http.StatusNotFound, "", http.MethodPut, "/api/v1/sites/S3", one, is)
		for i, want := range []string{`"added":true,"changed":true`, `"added":false,"changed":false`} {
			got := w.gets(http.StatusOK, "", http.MethodPut, "/api/v1/sites/S3", all, is)
			if !strings.Contains(got.body, want) || !strings.Contains(got.body, `"account_manager":"ana@vendor.example"`) {
				t.Errorf("put %d: %s", i, got.body)
			}
		}
		got := w.gets(http.StatusOK, "", http.MethodPut, "/api/v1/sites/S1", one, `{"name":"Bayside Auto Two","region":"AU","time_zone":"Australia/Perth"}`)
		if s := into[api.Site](t, got); s.Name != "Bayside Auto Two" || s.TimeZone != "Australia/Perth" || s.TwoFA != "off" || s.AccountManager != "" {
			t.Errorf("%+v", s)
		}
		if s := into[api.Site](t, w.gets(http.StatusOK, "", http.MethodGet, "/api/v1/sites/S2", all, "")); s.Name != "Bayside Auto" || s.TimeZone != "Australia/Brisbane" {
			t.Errorf("the twin: %+v", s)
		}
		if n := w.events(w.site.ID, audit.SiteChanged); n != 1 || w.events(w.twin.ID, audit.SiteChanged) != 0 {
			t.Errorf("%d events", n)
		}
		for token, want := range map[string]string{all: "S1 S2 S3", one: "S1"} {
			list := into[struct{ Items []api.Site }](t, w.gets(http.StatusOK, "", http.MethodGet, "/api/v1/sites", token, ""))
			var refs []string
			for _, s := range list.Items {
				refs = append(refs, s.Ref)
			}
			if strings.Join(refs, " ") != want {
				t.Errorf("lists %q", refs)
			}
		}
		// What a site requires is no program's to say.
		for _, body := range []string{
			`{"name":"X","region":"AU","time_zone":"Australia/Perth","twofa":"off"}`, `{"name":"X","region":"FR","time_zone":"Australia/Perth"}`,
			`{"name":"X","region":"AU","time_zone":"Local"}`, `{"name":" ","region":"AU","time_zone":"Australia/Perth"}`,
			`{"name":"X\u0000","region":"AU","time_zone":"Australia/Perth"}`, `{"name":"X","region":"AU","time_zone":"Australia/Perth","account_manager":"ana"}`,
		} {
			w.gets(http.StatusUnprocessableEntity, "", http.MethodPut, "/api/v1/sites/S1", one, body)
		}
		for _, ref := range []string{"%20S4", strings.Repeat("s", 65), "S%C2%AD4"} {
			w.gets(http.StatusUnprocessableEntity, "", http.MethodPut, "/api/v1/sites/"+ref, all, is)
		}
		if n := w.count(`SELECT COUNT(*) FROM sites`); n != 3 {
			t.Errorf("%d sites", n)
		}
	})
}

func TestAProductKeepsTheMembersOfASite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.ReadUsers, apikey.WriteUsers, apikey.WriteSites})
		const users = "/api/v1/sites/S1/users"
		add := func(status int, code, ref, email, group string) {
			t.Helper()
			w.gets(status, code, http.MethodPost, users, token,
				fmt.Sprintf(`{"user_ref":%q,"email":%q,"first_name":"Eve","last_name":"Osei","mobile":"0491 570 156","group":%q,"kind":"office"}`, ref, email, group))
		}
		add(http.StatusCreated, "", "U5", "Eve@S1.example", "Sales")
		add(http.StatusConflict, "ref_taken", "U5", "other@s1.example", "Sales")
		add(http.StatusConflict, "cannot_use", "U6", "eve@s1.example", "Sales")
		add(http.StatusConflict, "cannot_use", "U6", "kim@s2.example", "Sales") // never merged, and not said whose it is
		add(http.StatusConflict, "cannot_use", "U6", "eve@nowhere.invalid", "Sales")
		add(http.StatusConflict, "ask_for_admin", "U6", "boss@s1.example", "Admin")
		add(http.StatusConflict, "doubtful", "U6", "info@s1.example", "Sales")
		add(http.StatusUnprocessableEntity, "bad_email", "U6", "eve", "Sales")
		add(http.StatusUnprocessableEntity, "bad_ref", "U 6\u00ad", "eve6@s1.example", "Sales")
		if n := w.count(`SELECT COUNT(*) FROM memberships WHERE site_id = $1`, w.site.ID); n != 5 {
			t.Errorf("%d members", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM methods o JOIN users u ON u.user_id = o.user_id WHERE u.login = 'eve@s1.example' AND o.proved_at IS NULL`); n != 2 {
			t.Errorf("%d ways were linked", n)
		}
		if n := w.events(w.site.ID, audit.UserAdded); n != 1 || w.events(w.site.ID, audit.UserInvited) != 1 {
			t.Errorf("%d were added", n)
		}
		// Somebody has to begin: the first member of a new site may be its Admin.
		w.gets(http.StatusOK, "", http.MethodPut, "/api/v1/sites/S3", token, `{"name":"New","region":"AU","time_zone":"Australia/Perth"}`)
		first := `{"user_ref":"U1","email":"first@s3.example","first_name":"First","group":"Admin","kind":"office"}`
		w.gets(http.StatusCreated, "", http.MethodPost, "/api/v1/sites/S3/users", token, first)
		w.gets(http.StatusConflict, "ask_for_admin", http.MethodPost, "/api/v1/sites/S3/users", token, strings.NewReplacer("U1", "U2", "first@", "second@").Replace(first))

		w.change(users+"/U2", token)
		// An Admin is nobody's below, and nobody becomes one here.
		tag := w.gets(http.StatusOK, "", http.MethodGet, users+"/U1", token, "").header.Get("ETag")
		w.gets(http.StatusConflict, "above_rank", http.MethodPatch, users+"/U1", token, `{"mobile":"0491 570 157"}`, "If-Match", tag)
		w.gets(http.StatusConflict, "above_rank", http.MethodPost, users+"/U1/left", token, "")
		w.gets(http.StatusOK, "", http.MethodPost, users+"/U5/left", token, "")
		m := into[api.Member](t, w.gets(http.StatusOK, "", http.MethodGet, users+"/U5", token, ""))
		if m.Status != "inactive" || w.events(w.site.ID, audit.MemberLeft) != 1 {
			t.Errorf("%+v", m)
		}
		if n := w.count(`SELECT COUNT(*) FROM notices WHERE site_id = $1 AND kind = $2`, w.site.ID, string(message.MemberLeft)); n != 1 {
			t.Errorf("%d Admins were told", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM memberships WHERE site_id = $1 AND status = 'active'`, w.twin.ID); n != 3 {
			t.Errorf("the twin has %d active members", n)
		}
	})
}

// change changes somebody in every way, as a product would.
func (w *world) change(path, token string) {
	w.t.Helper()
	get := func() (api.Member, string) {
		w.t.Helper()
		got := w.gets(http.StatusOK, "", http.MethodGet, path, token, "")
		return into[api.Member](w.t, got), got.header.Get("ETag")
	}
	patch := func(status int, code, tag, body string) string {
		w.t.Helper()
		return w.gets(status, code, http.MethodPatch, path, token, body, "If-Match", tag).header.Get("ETag")
	}
	m, tag := get()
	patch(http.StatusPreconditionRequired, "", "", `{"group":"Sales"}`)
	patch(http.StatusPreconditionFailed, "changed", `"another"`, `{"group":"Sales"}`)
	next := patch(http.StatusOK, "", tag, `{"group":"Sales","sales_dashboard":true,"twofa":true}`)
	patch(http.StatusPreconditionFailed, "changed", tag, `{"group":"Manager"}`)
	for code, body := range map[string]string{
		"above_rank": `{"group":"Admin"}`, "no_less": `{"twofa":false}`, "which_person": `{"first_name":"Lee","email":"lee@s1.example"}`,
		"taken_here": `{"email":"ari@s1.example"}`, "doubtful": `{"email":"workshop@s1.example"}`, "cannot_use": `{"email":"pat@s2.example"}`,
	} {
		patch(http.StatusConflict, code, next, body)
	}
	for code, body := range map[string]string{
		"bad_mobile": `{"mobile":"12"}`, "bad_name": `{"first_name":"","last_name":""}`, "bad_email": `{"email":"a@b@c"}`, "no_email": `{"email":" "}`,
		"": `{"verified":true}`,
	} {
		patch(http.StatusUnprocessableEntity, code, next, body)
	}
	if now, still := get(); still != next || now.Group != "Sales" || !now.TwoFA || now.Email != m.Email {
		w.t.Errorf("%+v", now)
	}
	next = patch(http.StatusOK, "", next, `{"first_name":"Lee","email":"lee@s1.example","mobile":"0491 570 158","same_person":true,"sure":true}`)
	now, _ := get()
	if now.Email != "lee@s1.example" || now.FirstName != "Lee" || now.Mobile != "+61 491 570 158" {
		w.t.Errorf("%+v", now)
	}
	for _, one := range now.Methods {
		if one.Proved {
			w.t.Errorf("%s is proved by a program's word", one.Method)
		}
	}
	patch(http.StatusOK, "", next, `{"status":"blocked"}`)
	// The old address can undo it: both were told.
	if n := w.events(w.site.ID, audit.LoginChanged); n != 1 {
		w.t.Errorf("%d changes of the login name", n)
	}
}

func TestOfTwoProgramsThatChangeOneMemberOneIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.ReadUsers, apikey.WriteUsers}, w.site)
		const path = "/api/v1/sites/S1/users/U2"
		tag := w.call(http.MethodGet, path, token, "").header.Get("ETag")
		var all sync.WaitGroup
		got := make([]int, 8)
		for i := range got {
			all.Go(func() {
				body := fmt.Sprintf(`{"last_name":"Osei %c"}`, 'A'+i)
				got[i] = w.call(http.MethodPatch, path, token, body, "If-Match", tag).status
			})
		}
		all.Wait()
		n := map[int]int{}
		for _, status := range got {
			n[status]++
		}
		if n[http.StatusOK] != 1 || n[http.StatusPreconditionFailed] != len(got)-1 {
			t.Errorf("%v", n)
		}
	})
}

func TestANamedCallIsCarriedOutOnceHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token, other := w.key("web", apikey.Scopes(), w.site), w.key("other", apikey.Scopes(), w.site)
		const path, body = "/api/v1/sites/S1/users", `{"user_ref":"U5","email":"eve@s1.example","first_name":"Eve","group":"Sales","kind":"office"}`
		const name = "8e03978e-40d5-43e8-bc93-6894a57f9324"
		var all sync.WaitGroup
		got := make([]answer, 16)
		for i := range got {
			all.Go(func() { got[i] = w.call(http.MethodPost, path, token, body, "Idempotency-Key", name) })
		}
		all.Wait()
		for _, one := range got {
			if one.status != http.StatusCreated || one.body != got[0].body {
				t.Errorf("%d %s; another: %s", one.status, one.body, got[0].body)
			}
		}
		if n := w.events(w.site.ID, audit.UserAdded); n != 1 {
			t.Errorf("%d were added", n)
		}
		w.gets(http.StatusUnprocessableEntity, "other_call", http.MethodPost, path, token, strings.Replace(body, "Eve", "Eva", 1), "Idempotency-Key", name)
		w.gets(http.StatusUnprocessableEntity, "other_call", http.MethodPost, "/api/v1/sites/S1/users/U3/left", token, "", "Idempotency-Key", name)
		w.gets(http.StatusConflict, "ref_taken", http.MethodPost, path, other, body, "Idempotency-Key", name)
		w.gets(http.StatusConflict, "ref_taken", http.MethodPost, path, token, body)
		w.gets(http.StatusUnprocessableEntity, "bad_idempotency_key", http.MethodPost, path, token, body, "Idempotency-Key", "a name")
		// A refusal is not kept: what was in the way may be gone.
		const second = `{"user_ref":"U6","email":"info@s1.example","first_name":"Eve","group":"Sales","kind":"office"}`
		w.gets(http.StatusConflict, "doubtful", http.MethodPost, path, token, second, "Idempotency-Key", "n2")
		w.gets(http.StatusCreated, "", http.MethodPost, path, token, strings.Replace(second, `"kind"`, `"sure":true,"kind"`, 1), "Idempotency-Key", "n2")
		if n := w.count(`SELECT COUNT(*) FROM api_once WHERE answer LIKE '%example%' OR answer LIKE '%Eve%'`); n != 0 {
			t.Errorf("%d answers hold something personal", n)
		}
		// A day later the name is free.
		w.db.Clock.Advance(25 * time.Hour)
		w.gets(http.StatusConflict, "ref_taken", http.MethodPost, path, token, body, "Idempotency-Key", name)
	})
}

// A refusal tells whether an address is somebody's. So it takes of a budget, although
// nothing of it is kept.
func TestAddressesThatAreTriedAreCountedWhateverComesOfThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.WriteUsers}, w.site)
		uses := func() string {
			t.Helper()
			text, err := db.One(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
				`SELECT COALESCE(MAX(uses), '') FROM budgets WHERE subject LIKE 'address.program/%'`)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		for i := range 2 {
			before := uses()
			w.gets(http.StatusConflict, "cannot_use", http.MethodPost, "/api/v1/sites/S1/users", token,
				`{"user_ref":"U9","email":"kim@s2.example","first_name":"Kim","group":"Sales","kind":"office"}`, "Idempotency-Key", fmt.Sprint("n", i))
			if uses() == before {
				t.Errorf("try %d took of no budget", i)
			}
		}
	})
}
