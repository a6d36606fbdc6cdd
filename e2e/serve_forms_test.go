package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestFormsThatNoPageOfOursSendsAreRefusedAndChangeNothing(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		right := []string{"email", e2etest.Pat, "password", e2etest.Password}
		v := p.Visitor(t)
		for name, one := range map[string]struct {
			r    *http.Request
			want int
		}{
			"a form of a megabyte": {v.Request(t, http.MethodPost, "/signin", e2etest.Form(append(right, "more", strings.Repeat("x", 1<<20))...)), http.StatusRequestEntityTooLarge},
			"two emails":           {v.Request(t, http.MethodPost, "/signin", e2etest.Form(append(right, "email", e2etest.Sam)...)), http.StatusBadRequest},
			"two passwords":        {v.Request(t, http.MethodPost, "/signin", e2etest.Form(append(right, "password", "x")...)), http.StatusBadRequest},
			"JSON":                 {typed(v.Request(t, http.MethodPost, "/signin", e2etest.Form(right...)), "application/json"), http.StatusBadRequest},
			"plain text":           {typed(v.Request(t, http.MethodPost, "/signin", e2etest.Form(right...)), "text/plain"), http.StatusBadRequest},
			"no type":              {typed(v.Request(t, http.MethodPost, "/signin", e2etest.Form(right...)), ""), http.StatusBadRequest},
			"the query":            {v.Request(t, http.MethodPost, "/signin?"+e2etest.Form(right...).Encode(), e2etest.Form("x", "y")), http.StatusUnprocessableEntity},
			"broken escapes":       {v.Request(t, http.MethodPost, "/signin", e2etest.Form("email", "a\xff@bayside.example", "password", "x")), http.StatusBadRequest},
			"nothing":              {v.Request(t, http.MethodPost, "/signin", e2etest.Form("x", "y")), http.StatusUnprocessableEntity},
		} {
			page := v.Do(t, one.r)
			if page.Status != one.want {
				t.Errorf("%s: the answer is %d, not %d", name, page.Status, one.want)
			}
			if strings.Contains(page.Body, e2etest.Password) {
				t.Errorf("%s: the password is echoed", name)
			}
			if page.Status == http.StatusBadRequest {
				e2etest.Until(t, "the reference of the page to be in the log", func() bool { return hasReference(page, p) })
			}
		}
		if in(t, v) || len(sink.Letters(t, "")) > 0 || e2etest.Count(p.Trail(t), "attempt.started") > 0 {
			t.Error("a form that was refused began a sign-in")
		}
	})
}

func typed(r *http.Request, kind string) *http.Request {
	r.Header.Del("Content-Type")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

func TestAFormThatIsPostedTwiceDoesItOnce(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		code := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		attempt := pat.Cookie(t, e2etest.AttemptCookie)
		pat.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		session := pat.Cookie(t, e2etest.SessionCookie)
		// The second press of the button, sent before the first was answered.
		pat.Plant(t, e2etest.AttemptCookie, attempt)
		again := pat.Post(t, "/signin/code", "code", code)
		if again.Status != http.StatusSeeOther || pat.Cookie(t, e2etest.SessionCookie) != session || !in(t, pat) {
			t.Errorf("the second press was answered %d and changed the session", again.Status)
		}
		trail := p.Trail(t)
		if e2etest.Count(trail, "session.started") != 1 || e2etest.Count(trail, "code.accepted") != 1 {
			t.Error("the second press did it once more")
		}

		// The password twice: two sign-ins, and the later one is the browser's.
		sam := p.Visitor(t)
		first := sam.Password(t, sink, e2etest.Sam, e2etest.Password)
		second := sam.Password(t, sink, e2etest.Sam, e2etest.Password)
		if first != second {
			sam.Post(t, "/signin/code", "code", first).Is(t, http.StatusUnprocessableEntity)
		}
		sam.Post(t, "/signin/code", "code", second).Leads(t, "/me")
		sam.Post(t, "/signout").Leads(t, "/signedout")
		sam.Post(t, "/signout").Leads(t, "/signedout")
	})
}
