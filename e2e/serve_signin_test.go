package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestFromAnEmptyDatabaseToSignedInByTheOrdinaryCommands(t *testing.T) {
	t.Parallel()
	onEmpty(t, func(t *testing.T, url string) {
		p, sink := e2etest.NewProduct(t, url), e2etest.StartSink(t)
		p.Set("KEYTURN_SMTP_URL", sink.URL)
		early := p.Run(t, "serve")
		if early.Code != 1 || !strings.Contains(early.Err, "keyturn migrate up") {
			t.Errorf("serving an empty database ended with %d and %q; it must say what to run", early.Code, early.Err)
		}
		p.MustRun(t, "migrate", "up")
		p.People(t, e2etest.Crew())
		p.Start(t)

		pat := p.Visitor(t)
		pat.Get(t, "/me").Leads(t, "/signin")
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		pat.Get(t, "/me").Is(t, http.StatusOK, "Bayside Auto", "a code by email")
		twin := p.Visitor(t)
		twin.Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password).Leads(t, "/me")
		twin.Get(t, "/me").Is(t, http.StatusOK, "Bayside Tyres", "your password")
		if n := len(sink.Letters(t, "")); n != 1 {
			t.Errorf("%d mails were sent; only the connected site's Pat needs one", n)
		}
		pat.Post(t, "/signout").Leads(t, "/signedout")
		pat.Get(t, "/me").Leads(t, "/signin")
	})
}

func TestASessionOutlivesARestartAndNotItsSignOut(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		token := pat.Cookie(t, e2etest.SessionCookie)
		p.Restart(t)
		if !in(t, pat) {
			t.Fatal("the session did not outlive the restart")
		}
		pat.Post(t, "/signout").Leads(t, "/signedout")
		thief := p.Visitor(t)
		thief.Plant(t, e2etest.SessionCookie, token)
		thief.Get(t, "/me").Leads(t, "/signin")
	})
}

func TestAMobileMemberIsRefusedOnTheWebWithASentenceThatHelps(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		ari := p.Visitor(t)
		page := ari.Post(t, "/signin", "email", e2etest.OnMobile, "password", e2etest.Password)
		page.Is(t, http.StatusForbidden, "app")
		if in(t, ari) || len(sink.Letters(t, e2etest.OnMobile)) > 0 {
			t.Error("a mobile member got a session or a code on the web")
		}
	})
}

func TestNothingOfARequestNamesTheProductInMailsOrRedirects(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		const evil = "evil.example"
		pat := p.Visitor(t)
		hostile := func(path string, fields ...string) e2etest.Answer {
			r := pat.Request(t, http.MethodPost, path, e2etest.Form(fields...))
			r.Host = evil
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Host"} {
				r.Header.Set(name, evil)
			}
			r.Header.Set("Forwarded", "host="+evil+";proto=https")
			r.Header.Set("User-Agent", "Mozilla/5.0 <b>"+evil+"</b>")
			return pat.Do(t, r)
		}
		hostile("/signin", "email", e2etest.Pat, "password", e2etest.Password).Leads(t, "/signin/code")
		letter := e2etest.NextLetter(t, sink, e2etest.Pat, 0)
		if strings.Contains(letter.Raw, evil) || strings.Contains(letter.Text, evil) {
			t.Errorf("the mail holds what the request said:\n%s", letter.Raw)
		}
		hostile("/signin/code", "code", letter.Code(t)).Leads(t, "/me")
		if strings.Contains(pat.Seen(), evil) {
			t.Error("an answer holds what the request said")
		}
	})
}

func TestNoReturnAddressLeadsAway(t *testing.T) {
	t.Parallel()
	targets := []string{
		"https://evil.example/", "http://evil.example", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`,
		"/%2Fevil.example", "/%5Cevil.example", "/..//evil.example", "/.//evil.example", "/a/..//evil.example", "/;/evil.example",
		"https:evil.example", "https:/evil.example", "javascript:alert(1)", "data:text/html,evil.example", "/@evil.example",
		"//evil.example@127.0.0.1", "/\tevil.example", "/\nevil.example", "\t//evil.example", " //evil.example", "/me#//evil.example",
		"/me\r\nLocation: https://evil.example", "evil.example", "?//evil.example", "/\u2215evil.example", "/.evil.example//x",
	}
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		// The twin's Pat needs no code, so that each target has a whole sign-in.
		for _, target := range targets {
			v := p.Visitor(t)
			v.Get(t, "/signin?"+e2etest.Form("next", target).Encode()).Is(t, http.StatusOK)
			if strings.Contains(v.Seen(), `name="next"`) {
				t.Errorf("the page keeps the return address %q", target)
			}
			v.Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password, "next", target).Leads(t, "/me")
		}
		v := p.Visitor(t)
		v.Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password, "next", "/help?from=door").Leads(t, "/help?from=door")
	})
}
