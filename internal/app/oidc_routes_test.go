package app_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/internal/app"
	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// What the app of a mobile member holds is tried at every route that there is, as a bearer
// and as each of our cookies: it opens none, but for userinfo, which tells it of its member.
func TestAMobileMembersTokensOpenNoRouteOfTheMap(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		answer, _ := w.browser().through(w.app.asks(nil), w.mo)
		got := w.redeem(w.app, answer.Get("code"), nil)
		fill := strings.NewReplacer(
			"{site}", string(w.xero.ID), "{user}", string(w.mo.ID), "{ref}", w.xero.Ref, "{user_ref}", "ref-Mo", "{file}", "none.css",
			"{guide}", "xero", "{provider}", "twilio", "{rest...}", "x", "{$}", "",
		)
		texts := map[string]string{"the access token": got.Access, "the refresh token": got.Refresh, "the ID token": got.ID}
		tried := 0
		for _, r := range app.Routes() {
			path := fill.Replace(r.Path)
			for at := strings.IndexByte(path, '{'); at >= 0; at = strings.IndexByte(path, '{') {
				path = path[:at] + "0199f000-0000-7000-8000-000000000000" + path[at+strings.IndexByte(path[at:], '}')+1:]
			}
			nobody := w.bearing(r.Method, path, "")
			for name, text := range texts {
				tried++
				p := w.bearing(r.Method, path, text)
				if r.Path == "/oauth/userinfo" && text == got.Access {
					if p.status != http.StatusOK || !strings.Contains(p.body, `"kind":"mobile"`) || strings.Contains(p.body, `"kind":"office"`) {
						w.t.Errorf("userinfo: %d %s", p.status, p.body)
					}
					continue
				}
				if p.status != nobody.status || p.to() != nobody.to() {
					w.t.Errorf("%s at %s %s: %d to %q; without it %d to %q", name, r.Method, path, p.status, p.to(), nobody.status, nobody.to())
				}
				for _, private := range []string{"Mo Diaz", string(w.mo.Login), string(w.pat.Login), w.xero.Name} {
					if strings.Contains(p.body, private) && !strings.Contains(nobody.body, private) {
						w.t.Errorf("%s at %s %s reads %q", name, r.Method, path, private)
					}
				}
			}
		}
		if tried < 3*100 {
			w.t.Errorf("only %d were tried", tried)
		}
		if _, ok := w.userinfo(got.Access); !ok {
			w.t.Error("the tokens were worth nothing: what was refused says nothing")
		}
	})
}

// bearing sends a request with a text as a bearer and as each of our cookies; an empty one
// is not sent.
func (w *world) bearing(method, path, text string) page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	if text != "" {
		r.Header.Set("Authorization", "Bearer "+text)
		for _, name := range []string{"keyturn", "keyturn_attempt", "keyturn_device", "keyturn_app"} {
			r.AddCookie(&http.Cookie{Name: name, Value: text})
		}
	}
	return w.browser().send(r)
}

// A member who changes from the app to the office or back holds nothing any more at the next
// use, which is well within five seconds.
func TestAChangeOfKindEndsWhatTheAppHolds(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, row := range []struct {
			who user.User
			to  policy.Kind
		}{{w.mo, policy.Office}, {w.kim, policy.Mobile}} {
			answer, _ := w.browser().through(w.app.asks(nil), row.who)
			pending, _ := w.browser().through(w.app.asks(nil), row.who)
			got := w.redeem(w.app, answer.Get("code"), nil)
			if _, ok := w.userinfo(got.Access); !ok || !w.active(w.jobs, got.Access) {
				w.t.Fatalf("%+v", got)
			}
			w.do(func(ctx context.Context, tx *db.Tx) error {
				was, err := site.MembershipIn(ctx, tx, w.xero.ID, row.who.ID)
				if err != nil {
					return err
				}
				is := was
				is.Kind = row.to
				if err := site.Change(ctx, tx, was, is); err != nil {
					return err
				}
				return epoch.Raise(ctx, tx, epoch.Member(w.xero.ID, row.who.ID))
			})
			if _, ok := w.userinfo(got.Access); ok || w.active(w.jobs, got.Access) {
				w.t.Errorf("%s holds a token of the kind before", row.who.Login)
			}
			if got := w.refresh(w.app, got.Refresh); got.Error != "invalid_grant" {
				w.t.Errorf("%s refreshes: %+v", row.who.Login, got)
			}
			if got := w.redeem(w.app, pending.Get("code"), nil); got.Error != "invalid_grant" {
				w.t.Errorf("%s redeems: %+v", row.who.Login, got)
			}
		}
		// And back in, each is asked for what their kind is asked for.
		if _, on := w.browser().through(w.app.asks(nil), w.mo); on != (asked{password: 1, code: 1}) {
			w.t.Errorf("who is of the office now: %+v", on)
		}
		if _, on := w.browser().through(w.app.asks(nil), w.kim); on != (asked{password: 1}) {
			w.t.Errorf("who is mobile now: %+v", on)
		}
	})
}

// What ends while somebody is on the way ends the way.
func TestWhatEndsBetweenTheStepsOfASignInEndsIt(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		// The client, while the password is typed.
		b := w.browser()
		to := b.get(w.local.asks(nil)).to()
		w.disable(w.local)
		p := b.post("/signin", url.Values{"email": {string(w.alex.Login)}, "password": {rightPassword}, "next": {next(w.t, to)}})
		if p = b.get(p.to()); p.status != http.StatusBadRequest || p.to() != "" || p.header.Get("Refresh") != "" {
			w.t.Errorf("the client: %d to %q", p.status, p.to())
		}
		// The person, between the password and the code.
		b = w.browser()
		to = b.get(w.product.asks(nil)).to()
		p = b.post("/signin", url.Values{"email": {string(w.kim.Login)}, "password": {rightPassword}, "next": {next(w.t, to)}})
		code := w.code(w.kim)
		w.status(w.kim, policy.Blocked)
		if p := b.post(p.to(), url.Values{"code": {code}}); p.status == http.StatusSeeOther && strings.HasPrefix(p.to(), "/oauth/") {
			w.t.Errorf("the person: %d to %q", p.status, p.to())
		}
		if p := b.get(next(w.t, to)); p.header.Get("Refresh") != "" || strings.Contains(p.to(), "code=") {
			w.t.Errorf("the person got a code: %d to %q", p.status, p.to())
		}
		w.status(w.kim, policy.Active)
		// The request itself: half an hour, once, in the browser that began it.
		b = w.browser()
		to = b.get(w.product.asks(nil)).to()
		w.db.Clock.Advance(31 * time.Minute)
		if p := b.get(next(w.t, to)); p.status != http.StatusBadRequest {
			w.t.Errorf("half an hour later: %d to %q", p.status, p.to())
		}
		b = w.browser()
		to = b.get(w.product.asks(nil)).to()
		if answer, _ := b.through(next(w.t, to), w.alex); answer.Get("code") == "" {
			w.t.Errorf("%v", answer)
		}
		if p := b.get(next(w.t, to)); p.status != http.StatusBadRequest || p.header.Get("Refresh") != "" {
			w.t.Errorf("a second time: %d", p.status)
		}
	})
}

// status changes somebody's status at their site that is connected to Xero.
func (w *world) status(who user.User, to policy.Status) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error {
		was, err := site.MembershipIn(ctx, tx, w.xero.ID, who.ID)
		if err != nil {
			return err
		}
		is := was
		is.Status = to
		if err := site.Change(ctx, tx, was, is); err != nil {
			return err
		}
		return epoch.Raise(ctx, tx, epoch.Member(w.xero.ID, who.ID))
	})
}
