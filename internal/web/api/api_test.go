package api_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/limit"
	"keyturn/internal/site"
	"keyturn/internal/web/api"
)

// op is one operation about a site.
type op struct {
	id, method, path string
	scope            apikey.Scope
	body             string
}

// ops are all there are; %s is the site.
var ops = []op{
	{"get-xero", http.MethodGet, "/api/v1/sites/%s/integrations/xero", apikey.ReadIntegrations, ""},
	{"put-xero", http.MethodPut, "/api/v1/sites/%s/integrations/xero", apikey.WriteIntegrations, `{"state":"connected","connected_at":"2024-03-12T01:30:00Z"}`},
	{"post-xero-token", http.MethodPost, "/api/v1/sites/%s/integrations/xero/token", apikey.XeroToken, ""},
	{"get-readiness", http.MethodGet, "/api/v1/sites/%s/readiness", apikey.ReadReadiness, ""},
	{"get-banner", http.MethodGet, "/api/v1/sites/%s/users/U2/banner", apikey.ReadReadiness, ""},
	{"get-site", http.MethodGet, "/api/v1/sites/%s", apikey.ReadSites, ""},
	{"put-site", http.MethodPut, "/api/v1/sites/%s", apikey.WriteSites, `{"name":"Bayside Auto","region":"AU","time_zone":"Australia/Brisbane"}`},
	{"list-users", http.MethodGet, "/api/v1/sites/%s/users", apikey.ReadUsers, ""},
	{"get-user", http.MethodGet, "/api/v1/sites/%s/users/U2", apikey.ReadUsers, ""},
	{"add-user", http.MethodPost, "/api/v1/sites/%s/users", apikey.WriteUsers, `{"user_ref":"U8","email":"eve@s8.example","first_name":"Eve","group":"Sales","kind":"office"}`},
	{"change-user", http.MethodPatch, "/api/v1/sites/%s/users/U2", apikey.WriteUsers, `{"first_name":"Kim"}`},
	{"end-user", http.MethodPost, "/api/v1/sites/%s/users/U3/left", apikey.WriteUsers, ""},
	{"ask-decision", http.MethodPost, "/api/v1/sites/%s/users/U2/decision", apikey.AskDecision, `{"app":"web"}`},
	{"list-requests", http.MethodGet, "/api/v1/sites/%s/requests", apikey.ReadRequests, ""},
	{"get-request", http.MethodGet, "/api/v1/sites/%s/requests/REQ", apikey.ReadRequests, ""},
	{"add-request", http.MethodPost, "/api/v1/sites/%s/requests", apikey.WriteRequests, `{"asked_by":"U1","email":"new@s8.example","first_name":"New","group":"Sales","kind":"office"}`},
	{"get-balance", http.MethodGet, "/api/v1/sites/%s/sms", apikey.ReadBalance, ""},
	{"list-statement", http.MethodGet, "/api/v1/sites/%s/sms/statement", apikey.ReadBalance, ""},
	{"get-site-rollout", http.MethodGet, "/api/v1/sites/%s/rollout", apikey.ReadRollout, ""},
	{"list-audit", http.MethodGet, "/api/v1/sites/%s/audit", apikey.ReadAudit, ""},
}

// houseOps are those about no one site.
var houseOps = []op{
	{"list-sites", http.MethodGet, "/api/v1/sites", apikey.ReadSites, ""},
	{"list-groups", http.MethodGet, "/api/v1/groups", apikey.ReadUsers, ""},
	{"get-rollout", http.MethodGet, "/api/v1/rollout", apikey.ReadRollout, ""},
}

func (w *world) ask(o op, token, ref string) answer {
	w.t.Helper()
	path := fmt.Sprintf(o.path, ref)
	if len(o.path) == len(strings.Replace(o.path, "%s", "", 1)) {
		path = o.path
	}
	return w.call(o.method, strings.Replace(path, "REQ", string(w.request), 1), token, o.body)
}

func TestEveryOperationAnswersWhoeverMayNotAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.asks()
		foreign, ended, all := w.key("twin", apikey.Scopes(), w.twin), w.key("ended", apikey.Scopes(), w.site), []apikey.Scope{}
		w.end("ended")
		for _, o := range ops {
			// A key that has every scope but this one.
			all = all[:0]
			for _, s := range apikey.Scopes() {
				if s != o.scope {
					all = append(all, s)
				}
			}
			other := w.key("all but "+o.id, all, w.site)
			right := w.key("for "+o.id, []apikey.Scope{o.scope}, w.site)
			absent := w.ask(o, foreign, "S9").problem(t)
			for _, c := range []struct {
				name, token, ref string
				status           int
				challenge        string
			}{
				{"no key", "", "S1", http.StatusUnauthorized, `Bearer realm="keyturn"`},
				{"a wrong key", "ktk_" + strings.Repeat("A", 43), "S1", http.StatusUnauthorized, `Bearer realm="keyturn", error="invalid_token"`},
				{"a word", "letmein", "S1", http.StatusUnauthorized, `Bearer realm="keyturn", error="invalid_token"`},
				{"an ended key", ended, "S1", http.StatusUnauthorized, `Bearer realm="keyturn", error="invalid_token"`},
				{"a key without the scope", other, "S1", http.StatusForbidden, fmt.Sprintf(`Bearer realm="keyturn", error="insufficient_scope", scope=%q`, o.scope)},
				{"a key without the scope, of no site", other, "S9", http.StatusForbidden, fmt.Sprintf(`Bearer realm="keyturn", error="insufficient_scope", scope=%q`, o.scope)},
				{"the twin's key", foreign, "S1", http.StatusNotFound, ""},
				{"the twin's site", right, "S2", http.StatusNotFound, ""},
				{"no site", right, "S9", http.StatusNotFound, ""},
				{"no text", right, "%00", http.StatusNotFound, ""},
				{"half a letter", right, "%c3%28", http.StatusNotFound, ""},
			} {
				got := w.ask(o, c.token, c.ref)
				p := got.problem(t)
				if got.status != c.status || got.header.Get("WWW-Authenticate") != c.challenge || got.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s, %s: %d, %q", o.id, c.name, got.status, got.header.Get("WWW-Authenticate"))
				}
				if p.Reference = absent.Reference; c.status == http.StatusNotFound && fmt.Sprint(p) != fmt.Sprint(absent) {
					t.Errorf("%s, %s: %+v; what is not there: %+v", o.id, c.name, p, absent)
				}
			}
			if got := w.ask(o, right, "S1"); got.status == http.StatusNotFound || got.status == http.StatusUnauthorized || got.status == http.StatusForbidden {
				t.Errorf("%s with its own key: %d %s", o.id, got.status, got.body)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM integrations WHERE site_id = $1`, w.twin.ID); n != 0 {
			t.Error("the twin was connected")
		}
	})
}

func TestAReportIsPutOnceAndReadBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.WriteIntegrations, apikey.ReadIntegrations})
		const path = "/api/v1/sites/S1/integrations/xero"
		body := `{"state":"connected","connected_at":"2024-03-12T11:30:00+10:00","organisation":"Bayside Auto Pty Ltd","by":"Pat Ng"}`
		const is = `{"state":"connected","connected_at":"2024-03-12T01:30:00Z","by":"Pat Ng","organisation":"Bayside Auto Pty Ltd","linked":false,"reported":true`
		for i, want := range []string{is + `,"changed":true}`, is + `,"changed":false}`} {
			if got := w.call(http.MethodPut, path, token, body); got.status != http.StatusOK || strings.TrimSpace(got.body) != want {
				t.Errorf("put %d: %d %s", i, got.status, got.body)
			}
		}
		if got := w.call(http.MethodGet, path, token, ""); strings.TrimSpace(got.body) != is+"}" {
			t.Errorf("read: %d %s", got.status, got.body)
		}
		if got := w.call(http.MethodGet, "/api/v1/sites/S2/integrations/xero", token, ""); strings.TrimSpace(got.body) != `{"state":"never","linked":false,"reported":false}` {
			t.Errorf("the twin: %d %s", got.status, got.body)
		}
		if got := w.call(http.MethodPut, path, token, `{"state":"disconnected"}`); !strings.Contains(got.body, `"state":"disconnected"`) || !strings.Contains(got.body, `"changed":true`) {
			t.Errorf("%d %s", got.status, got.body)
		}
		if c, g := w.events(w.site.ID, audit.XeroConnected), w.events(w.site.ID, audit.XeroDisconnected); c != 1 || g != 1 {
			t.Errorf("%d and %d events", c, g)
		}
	})
}

func TestConnectedAndDisconnectedSentAtOnceBothAnswerAndOneHolds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.WriteIntegrations, apikey.ReadIntegrations})
		const path = "/api/v1/sites/S1/integrations/xero"
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				body := `{"state":"disconnected"}`
				if i%2 == 0 {
					body = `{"state":"connected","connected_at":"2024-03-12T11:30:00Z"}`
				}
				if got := w.call(http.MethodPut, path, token, body); got.status != http.StatusOK {
					t.Errorf("%d %s", got.status, got.body)
				}
			})
		}
		all.Wait()
		var is struct {
			State    string
			Reported bool
		}
		if got := w.call(http.MethodGet, path, token, ""); json.Unmarshal([]byte(got.body), &is) != nil || is.Reported != (is.State == "connected") {
			t.Errorf("%s", got.body)
		}
	})
}

// What somebody sends by mistake may be a secret: it comes back nowhere.
func TestRejectedInputIsNeverRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", apikey.Scopes(), w.site)
		const secret = "hunter2"
		for name, c := range map[string]struct {
			body, kind string
			status     int
		}{
			"no JSON":               {secret, "", http.StatusBadRequest},
			"JSON cut off":          {`{"state":"` + secret, "", http.StatusBadRequest},
			"nothing":               {"", "application/json", http.StatusBadRequest},
			"another state":         {`{"state":"` + secret + `"}`, "", http.StatusUnprocessableEntity},
			"an unknown field":      {`{"state":"disconnected","` + secret + `":1}`, "", http.StatusUnprocessableEntity},
			"a number as state":     {`{"state":17}`, "", http.StatusUnprocessableEntity},
			"a list":                {`["` + secret + `"]`, "", http.StatusUnprocessableEntity},
			"no date":               {`{"state":"connected","connected_at":"` + secret + `"}`, "", http.StatusUnprocessableEntity},
			"connected without one": {`{"state":"connected","by":"` + secret + `"}`, "", http.StatusUnprocessableEntity},
			"before Xero":           {`{"state":"connected","connected_at":"2005-12-31T00:00:00Z","by":"` + secret + `"}`, "", http.StatusUnprocessableEntity},
			"two lines":             {`{"state":"disconnected","by":"` + secret + `\n"}`, "", http.StatusUnprocessableEntity},
			"a name too long":       {`{"state":"disconnected","by":"` + strings.Repeat(secret, 40) + `"}`, "", http.StatusUnprocessableEntity},
			"a form":                {"state=" + secret, "application/x-www-form-urlencoded", http.StatusUnsupportedMediaType},
			"a kind of one's own":   {`{"state":"disconnected"}`, "text/" + secret, http.StatusUnsupportedMediaType},
			"too much":              {`{"state":"` + strings.Repeat(secret, 3000) + `"}`, "", http.StatusRequestEntityTooLarge},
		} {
			headers := []string{"Host", secret + ".test"}
			if c.kind != "" {
				headers = append(headers, "Content-Type", c.kind)
			}
			got := w.call(http.MethodPut, "/api/v1/sites/S1/integrations/xero", token, c.body, headers...)
			got.problem(t)
			if got.status != c.status || strings.Contains(got.body, secret) || strings.Contains(fmt.Sprint(got.header), secret) {
				t.Errorf("%s: %d %s %v", name, got.status, got.body, got.header)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM integrations`) + w.count(`SELECT COUNT(*) FROM xero_reports`); n != 0 {
			t.Errorf("%d rows came of it", n)
		}
	})
}

func TestAKeyHasSoManyCallsAndThenIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token, other := w.key("web", apikey.Scopes(), w.site), w.key("another", apikey.Scopes(), w.site)
		// The token's own budget is the smaller one, and a refused call uses it up as well.
		for i := range limit.APITokens.Cap {
			if got := w.ask(ops[2], token, "S1"); got.status != http.StatusConflict || got.problem(t).Code != "not_set_up" {
				t.Fatalf("call %d: %d %s", i, got.status, got.body)
			}
		}
		got := w.ask(ops[2], token, "S1")
		// Of the key's own budget 60 are used and this one.
		if got.problem(t); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" ||
			got.header.Get("RateLimit-Policy") != `"key";q=600;w=60` || !strings.HasPrefix(got.header.Get("RateLimit"), `"key";r=539;t=`) {
			t.Errorf("%d %v", got.status, got.header)
		}
		if got := w.ask(ops[2], other, "S1"); got.status != http.StatusConflict {
			t.Errorf("another key: %d", got.status)
		}
		if got := w.ask(ops[3], token, "S1"); got.status != http.StatusOK {
			t.Errorf("another operation: %d", got.status)
		}
		w.db.Clock.Advance(limit.APITokens.Window + time.Minute)
		if got := w.ask(ops[2], token, "S1"); got.status != http.StatusConflict {
			t.Errorf("an hour later: %d", got.status)
		}
	})
}

func TestAMemberIsToldWhatTheyLackOnceThereIsSomethingToSay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("web", []apikey.Scope{apikey.ReadReadiness, apikey.WriteIntegrations})
		banner := func(at site.Site, who string) string {
			t.Helper()
			got := w.call(http.MethodGet, "/api/v1/sites/"+at.Ref+"/users/"+who+"/banner", token, "")
			if got.status != http.StatusOK {
				t.Errorf("%s: %d %s", who, got.status, got.body)
			}
			return strings.TrimSpace(got.body)
		}
		if got := banner(w.site, "U2"); got != `{"show":false,"readiness":"will_manage","required":false}` {
			t.Errorf("of whom nothing is asked: %s", got)
		}
		w.call(http.MethodPut, "/api/v1/sites/S1/integrations/xero", token, `{"state":"connected","connected_at":"2024-03-12T01:30:00Z"}`)
		const wants = `{"show":true,"readiness":"will_manage","required":true,"heading":"2FA is asked here now.",` +
			`"lacks":["You have never typed a code that we sent."],"do":"try","next":"Try the new sign-in once","link":"https://signin.example/me/security"`
		words, rest, _ := strings.Cut(banner(w.site, "U2"), `,"snippet":`)
		if words != wants {
			t.Errorf("%s", words)
		}
		w.holds(t, rest)
		if got := banner(w.site, "U3"); got != `{"show":false,"readiness":"exempt","required":true}` {
			t.Errorf("a mobile member: %s", got)
		}
		if got := banner(w.twin, "U2"); !strings.Contains(got, `"show":false`) {
			t.Errorf("the twin: %s", got)
		}
		for _, who := range []string{"U4", "U9", "%00"} {
			if got := w.call(http.MethodGet, "/api/v1/sites/S1/users/"+who+"/banner", token, ""); got.status != http.StatusNotFound {
				t.Errorf("%s: %d %s", who, got.status, got.body)
			}
		}
		got := w.call(http.MethodGet, "/api/v1/sites/S1/readiness", token, "")
		if want := `{"ready":0,"will_manage":2,"needs_help":0,"exempt":1,"admin_proved":true,"lone_admin":true,"required":true,"from":"2024-03-12T01:30:00Z"}`; strings.TrimSpace(got.body) != want {
			t.Errorf("%s", got.body)
		}
	})
}

// holds checks the snippet of U2 of S1, which is the rest of an answer: its signature, and
// that nothing in it runs or is loaded.
func (w *world) holds(t *testing.T, rest string) {
	t.Helper()
	var s api.Snippet
	if err := json.Unmarshal([]byte(strings.TrimSuffix(rest, "}")), &s); err != nil {
		t.Fatal(err)
	}
	const wants = `<aside class="keyturn-banner" lang="en-AU" role="status"><p><strong>2FA is asked here now.</strong></p>` +
		`<ul><li>You have never typed a code that we sent.</li></ul>` +
		`<p><a href="https://signin.example/me/security" rel="noopener">Try the new sign-in once</a></p></aside>`
	if s.HTML != wants {
		t.Errorf("the snippet is %s", s.HTML)
	}
	signed, err := note.Open([]byte(s.Signature), note.VerifierList(w.keys.CheckpointVerifier()))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(s.HTML))
	said := fmt.Sprintf("keyturn banner\nsite S1\nuser U2\nuntil %s\nsha-256 %x\n", s.ExpiresAt.Format(time.RFC3339), sum)
	if left := s.ExpiresAt.Sub(w.db.Clock.Now()); signed.Text != said || left <= 9*time.Minute || left > 10*time.Minute {
		t.Errorf("with %v left it is signed for %q, not %q", left, signed.Text, said)
	}
	other := strings.Replace(s.Signature, "user U2", "user U1", 1)
	if _, err := note.Open([]byte(other), note.VerifierList(w.keys.CheckpointVerifier())); err == nil {
		t.Error("it is good for somebody else")
	}
}

func TestTheLastUseOfAKeyIsNotedByACall(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.ask(ops[3], w.key("web", apikey.Scopes(), w.site), "S1")
		w.key("unused", apikey.Scopes(), w.site)
		if n := w.count(`SELECT COUNT(*) FROM api_keys WHERE used_at IS NOT NULL`); n != 1 {
			t.Errorf("%d keys were used", n)
		}
	})
}
