package app_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
)

// Whoever sends a browser here wrongly gets it back only at an address of a client that is
// known, and with the standard's word.
func TestARequestThatIsNotWholeIsRefusedByItsWordOrByAPageOfOurs(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		page := func(name, path string) {
			p := b.get(path)
			if p.status != http.StatusBadRequest || p.to() != "" || p.header.Get("Refresh") != "" || strings.Contains(p.body, "evil") {
				w.t.Errorf("%s: %d to %q: %s", name, p.status, p.to(), p.body)
			}
		}
		for _, to := range []string{
			"-", "", "https://evil.example/", "https://product.example/signed-in/", "https://product.example/signed-in?", "https://product.example/signed-in#",
			"https://product.example/signed-in?x=1", "https://PRODUCT.example/signed-in", "HTTPS://product.example/signed-in", "https://product.example:443/signed-in",
			"https://product.example./signed-in", "http://product.example/signed-in", "//product.example/signed-in", "/signed-in", "https://product.example/./signed-in",
			"https://product.example/x/../signed-in", "https://product.example/%73igned-in", "https://product.example//signed-in", `https://product.example\signed-in`,
			"https://product.example@evil.example/signed-in", "https://evil.example/https://product.example/signed-in", "https://product.example.evil.example/signed-in",
			"https://user@product.example/signed-in", "https://product.example/signed-in%00", " https://product.example/signed-in", "https://product.example/signed-in ",
			"https://product.example/signed-in\n", "javascript:alert(1)", "com.example.jobs:/cb", "https://reports.example/cb", "http://127.0.0.1/signed-in", "https://product.example",
		} {
			page(fmt.Sprintf("to %q", to), w.product.asks(map[string]string{"redirect_uri": to}))
		}
		good := w.product.asks(nil)
		for name, path := range map[string]string{
			"no client":              w.product.asks(map[string]string{"client_id": "-"}),
			"a client that is not":   w.product.asks(map[string]string{"client_id": "0199f000-0000-7000-8000-000000000000"}),
			"a name for a client":    w.product.asks(map[string]string{"client_id": "Workshop"}),
			"a service":              w.product.asks(map[string]string{"client_id": string(w.jobs.ID)}),
			"the client twice":       good + "&client_id=" + string(w.product.ID),
			"the address twice":      good + "&redirect_uri=" + url.QueryEscape(back),
			"another's address":      w.other.asks(map[string]string{"redirect_uri": back}),
			"nothing":                "/oauth/authorize",
			"a request that is not":  "/oauth/continue?request=0199f000-0000-7000-8000-000000000000",
			"a request without name": "/oauth/continue",
		} {
			page(name, path)
		}
		for name, row := range map[string]struct {
			but  map[string]string
			more string
			want string
		}{
			"no challenge":              {map[string]string{"code_challenge": "-"}, "", "invalid_request"},
			"no method":                 {map[string]string{"code_challenge_method": "-"}, "", "invalid_request"},
			"the plain method":          {map[string]string{"code_challenge_method": "plain", "code_challenge": verifier}, "", "invalid_request"},
			"a method in small letters": {map[string]string{"code_challenge_method": "s256"}, "", "invalid_request"},
			"a short challenge":         {map[string]string{"code_challenge": "abc"}, "", "invalid_request"},
			"a challenge with a sign":   {map[string]string{"code_challenge": challenge(verifier)[:42] + "="}, "", "invalid_request"},
			"a token at once":           {map[string]string{"response_type": "token"}, "", "unsupported_response_type"},
			"an ID token at once":       {map[string]string{"response_type": "id_token"}, "", "unsupported_response_type"},
			"both at once":              {map[string]string{"response_type": "code id_token"}, "", "unsupported_response_type"},
			"no type":                   {map[string]string{"response_type": "-"}, "", "unsupported_response_type"},
			"a fragment":                {map[string]string{"response_mode": "fragment"}, "", "invalid_request"},
			"a form":                    {map[string]string{"response_mode": "form_post"}, "", "invalid_request"},
			"a request object":          {map[string]string{"request": "e30.e30."}, "", "request_not_supported"},
			"one elsewhere":             {map[string]string{"request_uri": "https://evil.example/"}, "", "request_uri_not_supported"},
			"without openid":            {map[string]string{"scope": "email sites"}, "", "invalid_scope"},
			"no scope":                  {map[string]string{"scope": "-"}, "", "invalid_scope"},
			"nobody in, and no page":    {map[string]string{"prompt": "none"}, "", "login_required"},
			"none and more":             {map[string]string{"prompt": "none login"}, "", "invalid_request"},
			"another prompt":            {map[string]string{"prompt": "evil"}, "", "invalid_request"},
			"an age under nothing":      {map[string]string{"max_age": "-1"}, "", "invalid_request"},
			"an age in words":           {map[string]string{"max_age": "evil"}, "", "invalid_request"},
			"a level that is not":       {map[string]string{"acr_values": "urn:keyturn:5 mfa"}, "", "unmet_authentication_requirements"},
			"a scope twice":             {nil, "&scope=openid", "invalid_request"},
			"a long nonce":              {map[string]string{"nonce": strings.Repeat("n", 2049)}, "", "invalid_request"},
			"a nonce with a NUL":        {map[string]string{"nonce": "a\x00b"}, "", "invalid_request"},
		} {
			p := b.get(w.product.asks(row.but) + row.more)
			at, err := url.Parse(p.to())
			if err != nil || !strings.HasPrefix(p.to(), back+"?") {
				w.t.Errorf("%s: %d to %q", name, p.status, p.to())
				continue
			}
			if got := at.Query(); got.Get("error") != row.want || got.Get("iss") != w.url || got.Has("code") || strings.Contains(p.to(), "evil") {
				w.t.Errorf("%s: %v", name, got)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM oidc_grants`); n != 0 {
			w.t.Errorf("%d grants", n)
		}
	})
}

func (w *world) count(text string, args ...any) int {
	w.t.Helper()
	n, err := db.One(w.t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, text, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// silent gives a code for somebody who is in already.
func (w *world) silent(b *browser, a application) string {
	w.t.Helper()
	answer, on := b.through(a.asks(map[string]string{"prompt": "none"}), w.alex)
	if answer.Get("code") == "" || on != (asked{}) {
		w.t.Fatalf("%v after %+v", answer, on)
	}
	return answer.Get("code")
}

// Each binding of a code is broken in turn; the code is dead afterwards, whoever has it.
func TestACodeIsGoodOnceForAMinuteAndAsItWasAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		w.enter(b, w.product, w.alex, nil)
		for name, but := range map[string]map[string]string{
			"no verifier":                  {"code_verifier": "-"},
			"an empty verifier":            {"code_verifier": ""},
			"the challenge for a verifier": {"code_verifier": challenge(verifier)},
			"another verifier":             {"code_verifier": verifier + "x"},
			"a short verifier":             {"code_verifier": verifier[:42]},
			"no address":                   {"redirect_uri": "-"},
			"another address":              {"redirect_uri": back + "?tenant=1"},
		} {
			code := w.silent(b, w.product)
			if got := w.redeem(w.product, code, but); got.Error != "invalid_grant" || got.status != http.StatusBadRequest || got.Access != "" {
				w.t.Errorf("%s: %+v", name, got)
			}
			if got := w.redeem(w.product, code, nil); got.Error != "invalid_grant" {
				w.t.Errorf("%s, and then as it should be: %+v", name, got)
			}
		}
		code := w.silent(b, w.product)
		if got := w.redeem(w.other, code, map[string]string{"redirect_uri": back}); got.Error != "invalid_grant" {
			w.t.Errorf("another client: %+v", got)
		}
		if got := w.redeem(w.product, code, nil); got.Error != "invalid_grant" {
			w.t.Errorf("after another client: %+v", got)
		}
		code = w.silent(b, w.product)
		first := w.redeem(w.product, code, nil)
		if first.Access == "" {
			w.t.Fatalf("%+v", first)
		}
		if _, ok := w.userinfo(first.Access); !ok {
			w.t.Error("the first use gave nothing")
		}
		if got := w.redeem(w.product, code, nil); got.Error != "invalid_grant" {
			w.t.Errorf("a second use: %+v", got)
		}
		if _, ok := w.userinfo(first.Access); ok {
			w.t.Error("what the first use gave outlives the second")
		}
		if got := w.refresh(w.product, first.Refresh); got.Error != "invalid_grant" {
			w.t.Errorf("the refresh token of the first use: %+v", got)
		}
		for _, text := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 5000), "a b", "ä"} {
			if got := w.redeem(w.product, text, nil); got.Error != "invalid_grant" {
				w.t.Errorf("%.10q: %+v", text, got)
			}
		}
		late := w.silent(b, w.product)
		w.db.Clock.Advance(61 * time.Second)
		if got := w.redeem(w.product, late, nil); got.Error != "invalid_grant" {
			w.t.Errorf("a minute late: %+v", got)
		}
		w.manyAtOnce(b)
		w.wrongCredentials(b)
	})
}

// manyAtOnce redeems one code thirty-two times at once: one is served, and that it came twice
// ends what the one was given.
func (w *world) manyAtOnce(b *browser) {
	w.t.Helper()
	code := w.silent(b, w.product)
	var served atomic.Int64
	var all sync.WaitGroup
	var mu sync.Mutex
	var access string
	for range 32 {
		all.Go(func() {
			if got := w.redeem(w.product, code, nil); got.Access != "" {
				served.Add(1)
				mu.Lock()
				defer mu.Unlock()
				access = got.Access
			}
		})
	}
	all.Wait()
	if served.Load() > 1 {
		w.t.Errorf("%d were served", served.Load())
	}
	if _, ok := w.userinfo(access); ok {
		w.t.Error("what a code gave that came 32 times is good still")
	}
}

// wrongCredentials redeems as a client that cannot show that it is the one. The code stays
// good: nobody burns it who is nobody.
func (w *world) wrongCredentials(b *browser) {
	w.t.Helper()
	code := w.silent(b, w.product)
	as := func(secret string) application { a := w.product; a.secret = secret; return a }
	for name, a := range map[string]application{
		"no secret": as(""), "another's secret": as(w.other.secret), "a secret that is cut": as(w.product.secret[:46]),
		"an unknown client": {secret: w.product.secret}, "a service": w.jobs,
	} {
		got := w.redeem(a, code, map[string]string{"redirect_uri": back})
		want, status := "invalid_client", http.StatusUnauthorized
		if name == "a service" {
			want, status = "unauthorized_client", http.StatusBadRequest
		}
		if got.Error != want || got.status != status {
			w.t.Errorf("%s: %+v", name, got)
		}
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}, "client_secret": {w.product.secret},
	}
	if got := w.token(w.product, form); got.Error != "invalid_request" {
		w.t.Errorf("a secret in two places: %+v", got)
	}
	if p := w.browser().post("/oauth/token?"+form.Encode(), url.Values{"client_id": {string(w.product.ID)}}); p.status != http.StatusUnauthorized {
		w.t.Errorf("a secret in the address: %d %s", p.status, p.body)
	}
	if p := w.browser().get("/oauth/token?" + form.Encode()); p.status != http.StatusNotFound && p.status != http.StatusMethodNotAllowed {
		w.t.Errorf("by GET: %d", p.status)
	}
	for _, grant := range []string{"password", "implicit", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token evil"} {
		if got := w.token(w.product, url.Values{"grant_type": {grant}, "username": {"alex@hilltop.example"}, "password": {rightPassword}}); got.Error != "unsupported_grant_type" {
			w.t.Errorf("%s: %+v", grant, got)
		}
	}
	form.Del("client_secret")
	by := w.product
	by.secret = ""
	form.Set("client_secret", w.product.secret)
	if got := w.token(by, form); got.Access == "" {
		w.t.Errorf("by client_secret_post, after all of those: %+v", got)
	}
}

func TestARefreshTokenRotatesIsForgivenALostAnswerAndEndsItsFamilyWhenItComesBack(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		first := w.enter(b, w.product, w.alex, nil)
		second := w.refresh(w.product, first.Refresh)
		again := w.refresh(w.product, first.Refresh)
		if second.Refresh == "" || second.Refresh == first.Refresh || again.Refresh != second.Refresh || again.Access == "" || again.Access == second.Access {
			w.t.Errorf("the same again within the grace: %+v, %+v", second, again)
		}
		var texts sync.Map
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { texts.Store(w.refresh(w.product, second.Refresh).Refresh, true) })
		}
		all.Wait()
		n := 0
		texts.Range(func(any, any) bool { n++; return true })
		third := w.refresh(w.product, second.Refresh)
		if _, same := texts.Load(third.Refresh); n != 1 || !same {
			w.t.Errorf("sixteen at once were given %d successors", n)
		}
		if got := w.refresh(w.other, third.Refresh); got.Error != "invalid_grant" {
			w.t.Errorf("another client: %+v", got)
		}
		wider := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {third.Refresh}, "scope": {"openid xero:token"}}
		if got := w.token(w.product, wider); got.Error != "invalid_scope" {
			w.t.Errorf("a wider scope: %+v", got)
		}
		for name, text := range map[string]string{"an access token": third.Access, "an ID token": third.ID, "nothing": "", "garbage": "ktr_x"} {
			if got := w.refresh(w.product, text); got.Error != "invalid_grant" {
				w.t.Errorf("%s: %+v", name, got)
			}
		}
		fourth := w.refresh(w.product, third.Refresh)
		if got := w.refresh(w.product, second.Refresh); got.Error != "invalid_grant" {
			w.t.Errorf("one whose answer did arrive: %+v", got)
		}
		if _, ok := w.userinfo(fourth.Access); !ok {
			w.t.Error("that ended the family, and might have been a lost answer")
		}
		w.db.Clock.Advance(31 * time.Second)
		if got := w.refresh(w.product, third.Refresh); got.Error != "invalid_grant" {
			w.t.Errorf("after the grace: %+v", got)
		}
		if _, ok := w.userinfo(fourth.Access); ok || w.refresh(w.product, fourth.Refresh).Error != "invalid_grant" {
			w.t.Error("the family outlives a refresh token that came back")
		}
		if n := w.count(`SELECT COUNT(*) FROM audit_events WHERE kind = 'client.tokens_ended'`); n != 1 {
			w.t.Errorf("%d entries in the trail", n)
		}
		w.givenBack(b)
		w.runsOut(b)
	})
}

// givenBack revokes tokens.
func (w *world) givenBack(b *browser) {
	w.t.Helper()
	got := w.redeem(w.product, w.silent(b, w.product), nil)
	revoke := func(a application, text string) {
		if status, body := w.call(a, "/oauth/revoke", url.Values{"token": {text}}); status != http.StatusOK || len(body) != 0 {
			w.t.Errorf("%d: %s", status, body)
		}
	}
	revoke(w.other, got.Access)
	revoke(w.product, "nothing")
	if !w.active(w.product, got.Access) {
		w.t.Error("another client revoked it")
	}
	revoke(w.product, got.Access)
	fresh := w.refresh(w.product, got.Refresh)
	if w.active(w.product, got.Access) || fresh.Access == "" {
		w.t.Error("an access token that was given back is good still, or took its family with it")
	}
	revoke(w.product, fresh.Refresh)
	if w.active(w.product, fresh.Access) || w.refresh(w.product, fresh.Refresh).Error != "invalid_grant" {
		w.t.Error("a refresh token that was given back left its family")
	}
}

// runsOut lets time pass: an access token ends in ten minutes, all of it with the session.
func (w *world) runsOut(b *browser) {
	w.t.Helper()
	got := w.redeem(w.product, w.silent(b, w.product), nil)
	if got.Expires > 600 || got.Expires < 590 {
		w.t.Errorf("good for %d s", got.Expires)
	}
	w.db.Clock.Advance(10 * time.Minute)
	if _, ok := w.userinfo(got.Access); ok {
		w.t.Error("an access token is good after ten minutes")
	}
	if got = w.refresh(w.product, got.Refresh); got.Access == "" {
		w.t.Fatalf("%+v", got)
	}
	w.db.Clock.Advance(31 * time.Minute)
	if got := w.refresh(w.product, got.Refresh); got.Error != "invalid_grant" {
		w.t.Errorf("of a session that has locked: %+v", got)
	}
	// Its password opens it again, and what it was called stays.
	if _, on := b.through(w.product.asks(nil), w.alex); on.locked != 1 || on.password != 0 {
		w.t.Errorf("%+v", on)
	}
	if got = w.refresh(w.product, got.Refresh); got.Access == "" {
		w.t.Errorf("after it was unlocked: %+v", got)
	}
	w.db.Clock.Advance(24 * time.Hour)
	if got := w.refresh(w.product, got.Refresh); got.Error != "invalid_grant" {
		w.t.Errorf("a day later: %+v", got)
	}
}

// Everything that may end what an application holds does so at once, on every road.
func TestWhatAnApplicationHoldsDiesWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		change := func(to func(*site.Membership)) {
			w.do(func(ctx context.Context, tx *db.Tx) error {
				was, err := site.MembershipIn(ctx, tx, w.free.ID, w.alex.ID)
				if err != nil {
					return err
				}
				is := was
				to(&is)
				if err := site.Change(ctx, tx, was, is); err != nil {
					return err
				}
				return epoch.Raise(ctx, tx, epoch.Member(w.free.ID, w.alex.ID))
			})
		}
		for _, row := range []struct {
			name string
			end  func(b *browser)
			mend func()
			// page says that the request itself leads nowhere any more.
			page bool
		}{
			{name: "a change of the person", end: func(*browser) { w.raise(epoch.User(w.alex.ID)) }},
			{name: "a change of the place", end: func(*browser) { change(func(m *site.Membership) { m.Group = policy.GroupOwner }) }},
			{
				name: "a block", end: func(*browser) { change(func(m *site.Membership) { m.Status = policy.Blocked }) },
				mend: func() { change(func(m *site.Membership) { m.Status = policy.Active }) },
			},
			{
				name: "a place in the app alone", end: func(*browser) { change(func(m *site.Membership) { m.Kind = policy.Mobile }) },
				mend: func() { change(func(m *site.Membership) { m.Kind = policy.Office }) },
			},
			{name: "signing out", end: func(b *browser) { b.post("/signout", nil) }},
			{name: "another client at the same site", end: func(*browser) { w.disable(w.local) }, page: true},
			{name: "Xero at the site", end: func(*browser) { w.connect(w.free) }},
		} {
			b := w.browser()
			a := w.product
			if row.page {
				a = w.local
			}
			want := "invalid_grant"
			if row.page {
				want = "invalid_client"
			}
			got := w.enter(b, a, w.alex, nil)
			pending, _ := b.through(a.asks(nil), w.alex)
			row.end(b)
			if _, ok := w.userinfo(got.Access); ok {
				w.t.Errorf("%s: userinfo", row.name)
			}
			if row.page {
				if status, _ := w.call(a, "/oauth/introspect", url.Values{"token": {got.Access}}); status != http.StatusUnauthorized {
					w.t.Errorf("%s: introspection is answered %d", row.name, status)
				}
			} else if w.active(a, got.Access) {
				w.t.Errorf("%s: introspection", row.name)
			}
			if got := w.refresh(a, got.Refresh); got.Error != want {
				w.t.Errorf("%s: refresh gives %+v", row.name, got)
			}
			if got := w.redeem(a, pending.Get("code"), nil); got.Error != want {
				w.t.Errorf("%s: the code gives %+v", row.name, got)
			}
			if p := b.get(a.asks(map[string]string{"prompt": "none"})); row.page != (p.status == http.StatusBadRequest) || strings.Contains(p.to(), "code=") {
				w.t.Errorf("%s: authorize is answered %d to %s", row.name, p.status, p.to())
			}
			if row.mend != nil {
				row.mend()
			}
		}
		// What is required now is asked for, and the application goes on.
		answer, on := w.browser().through(w.product.asks(nil), w.alex)
		if on.code != 1 || answer.Get("code") == "" {
			w.t.Errorf("%v after %+v", answer, on)
		}
	})
}

// A session that made a change of its owner goes on under a new id; what applications held
// before the change does not.
func TestAChangeOfThePersonEndsWhatApplicationsHoldEvenWhereTheSessionGoesOn(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		goesOn := func(sid string, change bool) {
			w.do(func(ctx context.Context, tx *db.Tx) error {
				s, err := session.BySID(ctx, tx, w.alex.ID, sid)
				if err != nil {
					return err
				}
				if change {
					if err := epoch.Raise(ctx, tx, epoch.User(w.alex.ID)); err != nil {
						return err
					}
				}
				if err := session.End(ctx, tx, s); err != nil {
					return err
				}
				if s, err = session.Under(ctx, tx, s); err != nil {
					return err
				}
				_, _, err = session.Resume(ctx, tx, s)
				return err
			})
		}
		got := w.enter(w.browser(), w.product, w.alex, nil)
		who, _ := w.userinfo(got.Access)
		goesOn(who.SID, false)
		if _, ok := w.userinfo(got.Access); !ok {
			w.t.Error("a session that goes on under a new id loses its applications")
		}
		goesOn(who.SID, true)
		if _, ok := w.userinfo(got.Access); ok || w.refresh(w.product, got.Refresh).Error != "invalid_grant" {
			w.t.Error("what an application held outlives a change of the person")
		}
	})
}

// What is a token in one place is nothing in another.
func TestNothingIsTakenForSomethingElse(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		got := w.enter(b, w.product, w.alex, nil)
		code := w.silent(b, w.product)
		at, err := url.Parse(w.url)
		if err != nil {
			w.t.Fatal(err)
		}
		cookie := ""
		for _, c := range b.Jar.Cookies(at) {
			if c.Name == "keyturn" {
				cookie = c.Value
			}
		}
		part := strings.Split(got.ID, ".")
		unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part[1] + "."
		for name, text := range map[string]string{
			"an ID token": got.ID, "a refresh token": got.Refresh, "a code": code, "a session": cookie, "nothing": "", "an unsigned one": unsigned,
			"without its beginning": got.Access[4:], "in capitals": strings.ToUpper(got.Access), "with more": got.Access + "A",
		} {
			if _, ok := w.userinfo(text); ok || w.active(w.product, text) {
				w.t.Errorf("%s opens userinfo", name)
			}
			if p := w.bearer(text, "/api/v1/sites/hilltop/readiness"); p.status != http.StatusUnauthorized {
				w.t.Errorf("%s opens the API: %d", name, p.status)
			}
		}
		if p := w.bearer(got.Access, "/api/v1/sites/hilltop/readiness"); p.status != http.StatusUnauthorized {
			w.t.Errorf("a person's token opens the API: %d", p.status)
		}
		if p := w.bearer(got.Access, "/me"); p.status != http.StatusSeeOther {
			w.t.Errorf("a token opens a page: %d", p.status)
		}
		// Hints that are not ours end no session and lead nowhere.
		for name, hint := range map[string]string{
			"unsigned": unsigned, "cut": got.ID[:len(got.ID)-4] + "AAAA", "an access token": got.Access, "nothing": "x",
		} {
			p := b.get("/oauth/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://product.example/"}}.Encode())
			if p.status != http.StatusOK || p.to() != "" || !strings.Contains(p.body, `action="/oauth/logout"`) {
				w.t.Errorf("%s: %d to %q", name, p.status, p.to())
			}
		}
		for name, q := range map[string]url.Values{
			"another client's name":              {"id_token_hint": {got.ID}, "client_id": {string(w.other.ID)}, "post_logout_redirect_uri": {"https://product.example/"}},
			"an address that was not registered": {"client_id": {string(w.product.ID)}, "post_logout_redirect_uri": {"https://evil.example/"}},
		} {
			if p := b.get("/oauth/logout?" + q.Encode()); p.to() != "" || strings.Contains(p.body, "evil") {
				w.t.Errorf("%s: %d to %q", name, p.status, p.to())
			}
		}
		if _, ok := w.userinfo(got.Access); !ok {
			w.t.Error("one of those ended the session")
		}
		// Asked without a hint, the person says it, and is led on by a page.
		p := b.post("/oauth/logout", url.Values{"client_id": {string(w.product.ID)}, "post_logout_redirect_uri": {"https://product.example/"}})
		if _, ok := w.userinfo(got.Access); ok || p.header.Get("Refresh") != "0; url=https://product.example/" {
			w.t.Errorf("%d, refresh %q", p.status, p.header.Get("Refresh"))
		}
		if p := b.get("/oauth/logout?" + url.Values{"id_token_hint": {got.ID}, "post_logout_redirect_uri": {"https://evil.example/"}}.Encode()); p.to() != "/signedout" {
			w.t.Errorf("an address of another's with a hint of ours: %q", p.to())
		}
	})
}

func (w *world) bearer(token, path string) page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return w.browser().send(r)
}
