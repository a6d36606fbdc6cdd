package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/epoch"
	"keyturn/internal/policy"
)

// What an application asks of the proof is given, or it is told that it is not.
func TestWhatAnApplicationAsksOfTheProofIsObeyedOrRefused(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		answer := func(but map[string]string, want string, on asked) (person, int64) {
			w.t.Helper()
			q, got := b.through(w.product.asks(but), w.alex)
			if got != on || q.Get("error") != want || want == "" && q.Get("code") == "" {
				w.t.Errorf("%v: %v after %+v", but, q, got)
				return person{}, 0
			}
			if want != "" {
				return person{}, 0
			}
			tokens := w.redeem(w.product, q.Get("code"), nil)
			who, ok := w.userinfo(tokens.Access)
			if !ok {
				w.t.Errorf("%v: %+v", but, tokens)
			}
			return who, who.AuthTime
		}
		nothing, all := asked{}, "openid sites"
		who, first := answer(map[string]string{"scope": all}, "", asked{password: 1})
		if who.ACR != "urn:keyturn:1" || !slices.Equal(who.AMR, []string{"pwd"}) || who.Email != "" || who.Name != "" {
			w.t.Errorf("%+v", who)
		}
		w.db.Clock.Advance(2 * time.Minute)
		answer(nil, "", nothing)
		answer(map[string]string{"max_age": "600"}, "", nothing)
		answer(map[string]string{"acr_values": "urn:keyturn:1"}, "", nothing)
		answer(map[string]string{"prompt": "consent"}, "", nothing)
		answer(map[string]string{"prompt": "none", "max_age": "119"}, "login_required", nothing)
		answer(map[string]string{"prompt": "none", "acr_values": "urn:keyturn:2"}, "interaction_required", nothing)
		answer(map[string]string{"acr_values": "urn:keyturn:4"}, "unmet_authentication_requirements", nothing)
		answer(map[string]string{"acr_values": "urn:keyturn:3"}, "unmet_authentication_requirements", nothing)
		// Too old: the whole sign-in again, and nothing less.
		if _, again := answer(map[string]string{"max_age": "60"}, "", asked{password: 1}); again <= first {
			w.t.Errorf("auth_time went from %d to %d", first, again)
		}
		w.db.Clock.Advance(time.Minute)
		answer(map[string]string{"prompt": "login"}, "", asked{password: 1})
		answer(map[string]string{"prompt": "select_account"}, "", asked{password: 1})
		answer(map[string]string{"max_age": "0"}, "", asked{password: 1})
		// A level that they can reach is asked for, once; what it is called stays.
		who, _ = answer(nil, "", nothing)
		sid := who.SID
		who, _ = answer(map[string]string{"acr_values": "urn:keyturn:4 urn:keyturn:2"}, "", asked{proof: 1, code: 1})
		if who.ACR != "urn:keyturn:2" || who.SID != sid {
			w.t.Errorf("%+v, before it was %s", who, sid)
		}
		answer(map[string]string{"acr_values": "urn:keyturn:2", "prompt": "none"}, "", nothing)
		// A site that begins to require it is asked about at the next request.
		c := w.browser()
		if _, on := c.through(w.product.asks(nil), w.bo); on != (asked{password: 1, code: 1}) {
			w.t.Errorf("the bookkeeper: %+v", on)
		}
		w.connect(w.free)
		d := w.browser()
		d.through(w.product.asks(nil), w.kim)
		w.raise(epoch.Site(w.xero.ID))
		if _, on := d.through(w.product.asks(nil), w.kim); on != nothing {
			w.t.Errorf("asked again for what was passed: %+v", on)
		}
		w.bookkeeper()
		w.hinted()
	})
}

// bookkeeper is in at a site that requires nothing of them, and another of theirs does: the
// application is told which is which.
func (w *world) bookkeeper() {
	w.t.Helper()
	quiet := w.site("quiet", "Quiet Garage")
	ann := w.user("ann@books.example", "Ann", "Ito")
	w.join(ann, quiet, policy.GroupInvoiceOnly, policy.Office)
	w.join(ann, w.xero, policy.GroupInvoiceOnly, policy.Office)
	w.join(ann, w.twin, policy.GroupMechanic, policy.Mobile) // which no web product learns of
	b := w.browser()
	p := b.post("/signin", url.Values{"email": {string(ann.Login)}, "password": {rightPassword}})
	if p.to() != "/signin/site" {
		w.t.Fatalf("%d to %q", p.status, p.to())
	}
	b.post("/signin/site", url.Values{"site": {string(quiet.ID)}})
	got := w.enter(b, w.product, ann, map[string]string{"prompt": "none"})
	who, _ := w.userinfo(got.Access)
	state := map[string]bool{}
	for _, s := range who.Sites {
		state[s.Ref] = s.Satisfied
	}
	if len(state) != 2 || !state["quiet"] || state["bayside"] {
		w.t.Errorf("%v", state)
	}
	// An application of one site learns of that one alone, and one of none of theirs nothing.
	answer, _ := b.through(w.local.asks(map[string]string{"prompt": "none"}), ann)
	if answer.Get("error") != "access_denied" {
		w.t.Errorf("%v", answer)
	}
}

// hinted has the login name filled in, and nothing more.
func (w *world) hinted() {
	w.t.Helper()
	b := w.browser()
	p := b.get(w.product.asks(map[string]string{"login_hint": `pat@bayside.example"><b>`}))
	if p = b.get(p.to()); p.status != http.StatusOK || !strings.Contains(p.body, "pat@bayside.example&#34;&gt;&lt;b&gt;") {
		w.t.Errorf("%d: %s", p.status, p.body)
	}
	// A request is its browser's: another one that has the address is led nowhere.
	thief := w.browser()
	thief.get("/signin")
	at := b.get(w.product.asks(nil)).to()
	if p := thief.get(next(w.t, at)); p.status != http.StatusBadRequest || p.to() != "" {
		w.t.Errorf("another browser: %d to %q", p.status, p.to())
	}
}

// A mobile member signs in to the app with the password alone, and what the app gets is good
// for its own API and for nothing else, whoever carries it.
func TestAMobileMembersTokensAreForTheAppAlone(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		b := w.browser()
		answer, on := b.through(w.app.asks(nil), w.mo)
		if on != (asked{password: 1}) || answer.Get("code") == "" {
			w.t.Fatalf("%v after %+v", answer, on)
		}
		got := w.redeem(w.app, answer.Get("code"), nil)
		who, ok := w.userinfo(got.Access)
		if !ok || who.ACR != "urn:keyturn:1" || len(who.Sites) != 1 || who.Sites[0].Kind != "mobile" || who.Sites[0].Ref != "bayside" {
			w.t.Fatalf("%+v, %+v", got, who)
		}
		// Its own API learns of it, and no web product does.
		if !w.active(w.jobs, got.Access) || w.active(w.product, got.Access) || w.active(w.other, got.Access) {
			w.t.Error("introspection: the service of its API, or somebody else")
		}
		if status, _ := w.call(w.app, "/oauth/introspect", url.Values{"token": {got.Access}}); status != http.StatusUnauthorized {
			w.t.Errorf("a public client asks about tokens: %d", status)
		}
		// The browser that it went through is nobody's: no page, no web product.
		w.webIsShut(b, "after the app's sign-in")
		// Nobody else redeems or refreshes what is the app's.
		answer, _ = b.through(w.app.asks(nil), w.mo)
		if got := w.redeem(w.product, answer.Get("code"), map[string]string{"redirect_uri": w.app.Redirects[0]}); got.Error != "invalid_grant" {
			w.t.Errorf("a web product redeems the app's code: %+v", got)
		}
		if got := w.refresh(w.product, got.Refresh); got.Error != "invalid_grant" {
			w.t.Errorf("a web product refreshes: %+v", got)
		}
		exchange := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {got.Access}, "audience": {"web"}}
		if got := w.token(w.app, exchange); got.Error != "unsupported_grant_type" {
			w.t.Errorf("an exchange: %+v", got)
		}
		w.planted()
		// The web's door refuses a mobile member, whoever asks.
		c := w.browser()
		p := c.get(w.product.asks(nil))
		if p = c.post("/signin", url.Values{"email": {string(w.mo.Login)}, "password": {rightPassword}, "next": {next(w.t, p.to())}}); p.status != http.StatusForbidden {
			w.t.Errorf("a mobile member at a web product: %d to %q", p.status, p.to())
		}
		// A phone in the pocket does not lock; a change of the place ends it at once.
		w.db.Clock.Advance(2 * time.Hour)
		fresh := w.refresh(w.app, got.Refresh)
		if fresh.Access == "" {
			w.t.Fatalf("after two hours: %+v", fresh)
		}
		w.raise(epoch.Member(w.xero.ID, w.mo.ID))
		if _, ok := w.userinfo(fresh.Access); ok || w.active(w.jobs, fresh.Access) || w.refresh(w.app, fresh.Refresh).Error != "invalid_grant" {
			w.t.Error("a change of the place leaves the app in")
		}
		w.officeInTheApp()
	})
}

// webIsShut looks for a session of the web in a browser.
func (w *world) webIsShut(b *browser, when string) {
	w.t.Helper()
	if p := b.get("/me"); !strings.HasPrefix(p.to(), "/signin") {
		w.t.Errorf("%s /me is answered %d to %q", when, p.status, p.to())
	}
	if p := b.get(w.product.asks(map[string]string{"prompt": "none"})); !strings.Contains(p.to(), "error=login_required") {
		w.t.Errorf("%s a web product is answered %d to %q", when, p.status, p.to())
	}
}

// planted takes the app's session, caught on its way, to where the web's is.
func (w *world) planted() {
	w.t.Helper()
	b := w.browser()
	p := b.get(w.app.asks(nil))
	p = b.post("/signin", url.Values{"email": {string(w.mo.Login)}, "password": {rightPassword}, "next": {next(w.t, p.to())}})
	caught := ""
	for _, line := range p.header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(line, "=")
		value, _, _ := strings.Cut(rest, ";")
		switch name {
		case "keyturn_app":
			caught = value
		case "keyturn":
			w.t.Errorf("the app's sign-in sets the web's cookie: %s", line)
		}
	}
	if caught == "" {
		w.t.Fatalf("%d: no session of the app", p.status)
	}
	at, err := url.Parse(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"keyturn", "keyturn_attempt", "keyturn_device"} {
		thief := w.browser()
		thief.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: caught}})
		w.webIsShut(thief, "with the app's session as "+name)
	}
}

// officeInTheApp signs somebody of the office in to the app: they pass both steps, and the
// browser stays the web's that it was.
func (w *world) officeInTheApp() {
	w.t.Helper()
	b := w.browser()
	b.through(w.product.asks(nil), w.pat)
	answer, on := b.through(w.app.asks(nil), w.kim)
	if on != (asked{password: 1, code: 1}) {
		w.t.Errorf("%v after %+v", answer, on)
	}
	got := w.redeem(w.app, answer.Get("code"), nil)
	who, ok := w.userinfo(got.Access)
	if !ok || who.ACR != "urn:keyturn:2" || len(who.Sites) != 1 || who.Sites[0].Kind != "office" {
		w.t.Errorf("%+v", who)
	}
	if p := b.get("/me"); p.status != http.StatusOK || !strings.Contains(p.body, "Pat Lee") {
		w.t.Errorf("whoever was in at the browser is not any more: %d", p.status)
	}
	// The next request of the app asks anew, whoever is in.
	if _, on := b.through(w.app.asks(nil), w.mo); on != (asked{password: 1}) {
		w.t.Errorf("%+v", on)
	}
	if answer, _ := w.browser().through(w.app.asks(map[string]string{"prompt": "none"}), w.mo); answer.Get("error") != "login_required" {
		w.t.Errorf("%v", answer)
	}
	w.db.Clock.Advance(31 * time.Minute)
	if got := w.refresh(w.app, got.Refresh); got.Error != "invalid_grant" {
		w.t.Errorf("what was passed with two factors does not lock in the app: %+v", got)
	}
}
